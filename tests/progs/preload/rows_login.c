/* Rows: the system log, the terminal, who is logged in. */
#include "tests/progs/preload/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>
#include <utmpx.h>

/* --- a log daemon that does not read, on a /dev of our own --- */

static void setup_log(struct st *s)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "/dev/log" };
	int out = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	setup_private_mounts(s);
	must(mount("gmp", "/dev", "tmpfs", 0, NULL) == 0, "a /dev of our own");
	s->fd[0] = socket(AF_UNIX, SOCK_DGRAM, 0);
	must(bind(s->fd[0], (void *)&a, sizeof(a)) == 0, "bind /dev/log");
	while (sendto(out, "full", 4, 0, (void *)&a, sizeof(a)) == 4)
		;
	must(errno == EAGAIN, "the log's queue");
	close(out);
}
static void setup_idle_log(struct st *s)
{
	setup_log(s);
	while (recv(s->fd[0], s->buf, 4, MSG_DONTWAIT) > 0)
		;
}
static void release_log(struct st *s)
{
	while (recv(s->fd[0], s->buf, sizeof(s->buf), MSG_DONTWAIT) > 0)
		;
}
static void with_list(void (*fn)(int, const char *, va_list), const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fn(LOG_USER | LOG_INFO, format, ap);
	va_end(ap);
}
static void with_list_chk(void (*fn)(int, int, const char *, va_list), const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	fn(LOG_USER | LOG_INFO, 1, format, ap);
	va_end(ap);
}

static long call_syslog(struct st *s)
{
	FN(void, int, const char *, ...);
	fn(LOG_USER | LOG_INFO, "gmp %s %d %g", "text", 42, 1.5);
	return 0;
}
static long call_syslog_chk(struct st *s)
{
	FN(void, int, int, const char *, ...);
	fn(LOG_USER | LOG_INFO, 1, "gmp %s %d %g", "text", 42, 1.5);
	return 0;
}
static long call_vsyslog(struct st *s)
{
	with_list((void (*)(int, const char *, va_list))s->fn, "gmp %s %d", "text", 42);
	return 0;
}
static long call_vsyslog_chk(struct st *s)
{
	with_list_chk((void (*)(int, int, const char *, va_list))s->fn, "gmp %s %d", "text", 42);
	return 0;
}
/* Nobody hears it, and the caller is not told. */
#define LOG_ROW(NAME, CALL) \
	static long fail_##NAME(struct st *s) \
	{ \
		must(unlink("/dev/log") == 0, "unlink"); \
		return CALL(s); \
	} \
	ROW(NAME, POINT | NO_HANDLER, .setup = setup_log, .call = CALL, .release = release_log, \
	    .fail = fail_##NAME)
LOG_ROW(syslog, call_syslog);
LOG_ROW(__syslog_chk, call_syslog_chk);
LOG_ROW(vsyslog, call_vsyslog);
LOG_ROW(__vsyslog_chk, call_vsyslog_chk);

/* These wait for another thread that is inside syslog alone. */
static long call_openlog(struct st *s)
{
	FN(void, const char *, int, int);
	fn("gmp-row", LOG_NDELAY, LOG_USER);
	syslog(LOG_INFO, "hello");
	s->extra = recv(s->fd[0], s->buf, sizeof(s->buf) - 1, MSG_DONTWAIT) > 0 &&
		   strstr(s->buf, "gmp-row: hello") != NULL;
	return 0;
}
ROW(openlog, NOBLOCK | NO_HANDLER, .setup = setup_idle_log, .call = call_openlog);

static long call_closelog(struct st *s)
{
	FN(void, void);
	openlog("gmp-row", LOG_NDELAY, LOG_USER);
	fn();
	return 0;
}
ROW(closelog, NOBLOCK | NO_HANDLER, .setup = setup_idle_log, .call = call_closelog);

/* --- the terminal --- */

/* Without a terminal of its own getpass() reads the standard input. */
static void setup_no_tty(struct st *s)
{
	int tty = open("/dev/tty", O_RDWR | O_NOCTTY);

	if (tty >= 0) {
		ioctl(tty, TIOCNOTTY);
		close(tty);
	}
	setup_pipe(s);
	must(dup2(s->fd[0], 0) == 0, "dup2");
}
static void release_line(struct st *s)
{
	must(write(s->fd[1], "secret\n", 7) == 7, "write");
}
static long call_getpass(struct st *s)
{
	FN(char *, const char *);
	char *p = fn("");
	s->extra = p ? (long)strlen(p) : -1;
	return p != NULL;
}
static void no_input(void)
{
	int null = open("/dev/null", O_RDONLY);

	must(null >= 0 && dup2(null, 0) == 0, "/dev/null");
	close(null);
}
/* glibc has no error but the end of the input. */
static long fail_getpass(struct st *s)
{
	no_input();
	return call_getpass(s);
}
ROW(getpass, POINT | NO_HANDLER, .setup = setup_no_tty, .call = call_getpass,
    .release = release_line, .fail = fail_getpass);

static long call_getlogin(struct st *s)
{
	FN(char *, void);
	return fn() != NULL;
}
/* No terminal says who it is; but the kernel may know. */
static long fail_getlogin(struct st *s)
{
	no_input();
	return call_getlogin(s);
}
ROW(getlogin, NOBLOCK | NO_HANDLER, .call = call_getlogin, .fail = fail_getlogin);
static long call_getlogin_r(struct st *s)
{
	FN(int, char *, size_t);
	return fn(s->buf, 64);
}
static long fail_getlogin_r(struct st *s)
{
	FN(int, char *, size_t);
	return fn(s->buf, 0);
}
ROW(getlogin_r, NOBLOCK | NO_HANDLER, .call = call_getlogin_r, .fail = fail_getlogin_r);
static long call_getlogin_r_chk(struct st *s)
{
	FN(int, char *, size_t, size_t);
	return fn(s->buf, 64, 64);
}
static long fail_getlogin_r_chk(struct st *s)
{
	FN(int, char *, size_t, size_t);
	return fn(s->buf, 0, 64);
}
ROW(__getlogin_r_chk, NOBLOCK | NO_HANDLER, .call = call_getlogin_r_chk,
    .fail = fail_getlogin_r_chk);

/* The name is read from the accounts (rows_nss.c). */
static long call_cuserid(struct st *s)
{
	FN(char *, char *);
	return fn(s->buf) != NULL && s->buf[0];
}
/* A user without an account; of this thread alone, as libc asks the kernel. */
static long fail_cuserid(struct st *s)
{
	uncover_nss();
	syscall(SYS_setresuid, -1, 54321, -1);
	return call_cuserid(s);
}
ROW(cuserid, NO_READY | NO_HANDLER | SLOW_RELEASE, .setup = setup_nss, .call = call_cuserid,
    .release = release_nss, .fail = fail_cuserid);

/* --- utmp: a file of ours with one entry, which the agent has locked --- */

static const struct utmpx entry = {
	.ut_type = USER_PROCESS, .ut_id = "gm", .ut_line = "gmp", .ut_user = "someone"
};

static void setup_utmp(struct st *s)
{
	snprintf(s->path, sizeof(s->path), "/tmp/gmp-utmp-XXXXXX");
	s->fd[0] = mkstemp(s->path);
	must(s->fd[0] >= 0, "mkstemp");
	must(write(s->fd[0], &entry, sizeof(entry)) == sizeof(entry), "write");
	must(utmpxname(s->path) == 0, "utmpxname");
	setutxent();
}
static void lock_utmp(struct st *s, int type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };

	must(fcntl(s->fd[0], F_SETLKW, &lock) == 0, "lock");
}
static void hold_utmp(struct st *s)
{
	lock_utmp(s, F_WRLCK);
}
static void release_utmp(struct st *s)
{
	lock_utmp(s, F_UNLCK);
}
/* Not in the call: a caller that waits for the disk looks like one that waits for the lock. */
static void remove_utmp(struct st *s)
{
	unlink(s->path);
}

#define FN_(...) FN(__VA_ARGS__)
#define UTMP(NAME, proto, answer) \
	static long call_##NAME(struct st *s) \
	{ \
		FN_ proto; \
		return answer; \
	} \
	ROW(NAME, NO_HANDLER, .setup = setup_utmp, .hold = hold_utmp, .call = call_##NAME, \
	    .release = release_utmp, .after = remove_utmp)
#define BUF ((void *)s->buf), ((void *)(s->buf + 2048))

UTMP(getutxent, (struct utmpx *, void), fn() != NULL);
UTMP(getutxid, (struct utmpx *, const struct utmpx *), fn(&entry) != NULL);
UTMP(getutxline, (struct utmpx *, const struct utmpx *), fn(&entry) != NULL);
UTMP(getutent_r, (int, void *, void *), fn(BUF));
UTMP(getutid_r, (int, const void *, void *, void *), fn(&entry, BUF));
UTMP(getutline_r, (int, const void *, void *, void *), fn(&entry, BUF));
UTMP(pututxline, (struct utmpx *, const struct utmpx *), fn(&entry) != NULL);

static long call_updwtmp(struct st *s)
{
	FN(void, const char *, const void *);

	fn(s->path, &entry);
	return 0;
}
static void count_entries(struct st *s)
{
	struct stat st;

	s->extra = fstat(s->fd[0], &st) ? -1 : st.st_size / (long)sizeof(entry);
	remove_utmp(s);
}
static long fail_updwtmp(struct st *s)
{
	remove_utmp(s);
	return call_updwtmp(s);
}
ROW(updwtmp, NO_HANDLER, .setup = setup_utmp, .hold = hold_utmp, .call = call_updwtmp,
    .release = release_utmp, .fail = fail_updwtmp, .after = count_entries);

static long call_utmpname(struct st *s)
{
	FN(int, const char *);
	int r = fn(s->path);

	setutxent();
	s->extra = getutxent() != NULL;
	return r;
}
ROW(utmpname, NOBLOCK | NO_HANDLER, .setup = setup_utmp, .call = call_utmpname,
    .after = remove_utmp);

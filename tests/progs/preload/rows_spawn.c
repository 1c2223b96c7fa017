/* Rows: composites that wait for a child, for asynchronous I/O, or read directories.
 *
 * A shell command or a child waits in the open of a FIFO, which the agent's open ends.
 */
#include "tests/progs/preload/rows.h"

#include <aio.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <glob.h>
#include <netdb.h>
#include <poll.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wordexp.h>

#define RELEASED_BY_CHILD (NO_READY | NO_HANDLER | SLOW_RELEASE)

static void setup_fifo(struct st *s)
{
	snprintf(s->path, sizeof(s->path), "/tmp/gmp-spawn-%d", s->pid);
	unlink(s->path);
	must(mkfifo(s->path, 0600) == 0, "mkfifo");
}
/* A shell with the FIFO for its input reads a line and ends; what lets the caller go is that end,
 * which shows as the end of the FIFO's last reader. */
static void until_its_end(struct st *s, int fd)
{
	struct pollfd p = { .fd = fd };

	while (!(p.revents & POLLERR))
		must(poll(&p, 1, 10000) == 1, "the end of the shell");
	unlink(s->path);
}
static void release_shell(struct st *s)
{
	int fd = open(s->path, O_WRONLY);

	must(fd >= 0 && write(fd, "line\n", 5) == 5, "the other end of the FIFO");
	until_its_end(s, fd);
}
static char *shell_line(struct st *s, const char *format)
{
	static char line[128];

	snprintf(line, sizeof(line), format, s->path);
	return line;
}

/* A signal may meet the start of the shell, in which it waits, or the wait for its end, and a call
 * that succeeds says nothing by errno. */
static long succeeded(long r)
{
	errno = 0;
	return r;
}

static long call_system(struct st *s)
{
	FN(int, const char *);
	return succeeded(fn(shell_line(s, "exec < %s; read line; exit 3")));
}
static long fail_system(struct st *s)
{
	FN(int, const char *);
	return fn("exit 127");
}
/* Cancelled, system() kills its shell. */
ROW(system, POINT | RELEASED_BY_CHILD, .setup = setup_fifo, .call = call_system,
    .release = release_shell, .fail = fail_system);

static void setup_popen(struct st *s)
{
	setup_fifo(s);
	s->file = popen(shell_line(s, "exec < %s; read line; exit 3"), "r");
	must(s->file != NULL, "popen");
}
static long call_pclose(struct st *s)
{
	FN(int, FILE *);
	return fn(s->file);
}
/* Its child is gone, and somebody else knows how. */
static long fail_pclose(struct st *s)
{
	release_shell(s);
	must(wait(NULL) > 0, "wait");
	return call_pclose(s);
}
ROW(pclose, RELEASED_BY_CHILD, .setup = setup_popen, .call = call_pclose, .release = release_shell,
    .fail = fail_pclose);

static long call_popen(struct st *s)
{
	FN(FILE *, const char *, const char *);
	FILE *f = fn("exit 4", "r");
	return f ? pclose(f) : -1;
}
static long fail_popen(struct st *s)
{
	FN(FILE *, const char *, const char *);
	return fn("exit 4", "x") != NULL;
}
ROW(popen, NOBLOCK | NO_HANDLER, .call = call_popen, .fail = fail_popen);

static long call_wordexp(struct st *s)
{
	FN(int, const char *, wordexp_t *, int);
	wordexp_t w;
	int r = fn(shell_line(s, "$(exec < %s; read line; echo a b c)"), &w, 0);
	s->extra = r == 0 ? (long)w.we_wordc : -1;
	return succeeded(r);
}
static long fail_wordexp(struct st *s)
{
	FN(int, const char *, wordexp_t *, int);
	wordexp_t w;
	return fn("$(echo a)", &w, WRDE_NOCMD);
}
ROW(wordexp, POINT | RELEASED_BY_CHILD, .setup = setup_fifo, .call = call_wordexp,
    .release = release_shell, .fail = fail_wordexp);

/* --- posix_spawn: the child opens the FIFO before it executes; its parent waits for that --- */

typedef int spawn_fn(pid_t *, const char *, const posix_spawn_file_actions_t *,
		     const posix_spawnattr_t *, char *const *, char *const *);

#define OF_PIDFD ((idtype_t)3) /* P_PIDFD; in headers since 2.36 */

static long spawned_as(struct st *s, const char *file, idtype_t what)
{
	posix_spawn_file_actions_t acts;
	char *argv[] = { "sh", "-c", "exit 5", NULL }, *envp[] = { NULL };
	siginfo_t info = { .si_status = -1 };
	pid_t id; /* or the descriptor */
	int r;

	posix_spawn_file_actions_init(&acts);
	posix_spawn_file_actions_addopen(&acts, 0, s->path, O_RDONLY, 0);
	r = ((spawn_fn *)s->fn)(&id, file, &acts, NULL, argv, envp);
	posix_spawn_file_actions_destroy(&acts);
	if (r == 0)
		waitid(what, id, &info, WEXITED);
	s->extra = info.si_status;
	return r;
}
static long spawned(struct st *s, const char *file)
{
	return spawned_as(s, file, P_PID);
}
static long not_spawned(struct st *s)
{
	char *argv[] = { "none", NULL };
	pid_t pid;

	return ((spawn_fn *)s->fn)(&pid, "/nonexistent/none", NULL, NULL, argv, argv + 1);
}
static void release_spawn(struct st *s)
{
	int fd = open(s->path, O_WRONLY);

	must(fd >= 0, "the other end of the FIFO");
	until_its_end(s, fd);
}
static long call_spawn(struct st *s)
{
	return spawned(s, "/bin/sh");
}
static long call_spawnp(struct st *s)
{
	return spawned(s, "sh");
}
static long call_pidfd_spawn(struct st *s)
{
	return spawned_as(s, "/bin/sh", OF_PIDFD);
}
static long call_pidfd_spawnp(struct st *s)
{
	return spawned_as(s, "sh", OF_PIDFD);
}
extern spawn_fn old_spawn, old_spawnp;
__asm__(".symver old_spawn,posix_spawn@GLIBC_2.2.5");
__asm__(".symver old_spawnp,posix_spawnp@GLIBC_2.2.5");
/* DEAF: the caller is in vfork's wait, which no signal ends, with its signals blocked. */
#define SPAWNS NO_READY | NO_HANDLER | DEAF | SLOW_RELEASE
ROW(posix_spawn, SPAWNS, .setup = setup_fifo, .call = call_spawn, .release = release_spawn,
    .fail = not_spawned);
ROW(posix_spawnp, SPAWNS, .setup = setup_fifo, .call = call_spawnp, .release = release_spawn,
    .fail = not_spawned);
ROW(pidfd_spawn, SPAWNS, .setup = setup_fifo, .call = call_pidfd_spawn, .release = release_spawn,
    .fail = not_spawned);
ROW(pidfd_spawnp, SPAWNS, .setup = setup_fifo, .call = call_pidfd_spawnp, .release = release_spawn,
    .fail = not_spawned);
ROW(posix_spawn_2_2_5, SPAWNS, .address = (void *)old_spawn, .setup = setup_fifo,
    .call = call_spawn, .release = release_spawn, .fail = not_spawned);
ROW(posix_spawnp_2_2_5, SPAWNS, .address = (void *)old_spawnp, .setup = setup_fifo,
    .call = call_spawnp, .release = release_spawn, .fail = not_spawned);

/* --- asynchronous I/O: a helper thread that libc made reads; we wait for it --- */

static struct aiocb request;

static long call_aio_suspend(struct st *s)
{
	FN(int, const struct aiocb *const *, int, const struct timespec *);
	const struct aiocb *list[] = { &request };
	struct timespec t = rel_time(s);

	request = (struct aiocb){ .aio_fildes = s->fd[0], .aio_buf = s->buf, .aio_nbytes = 1 };
	must(aio_read(&request) == 0, "aio_read");
	return fn(list, 1, &t);
}
static long fail_aio_suspend(struct st *s)
{
	FN(int, const struct aiocb *const *, int, const struct timespec *);
	return fn(NULL, -1, NULL);
}
/* Not interrupted: the signal may meet the helper's wait or ours. */
ROW(aio_suspend, POINT | TIMED | NO_HANDLER | ONCE, .setup = setup_pipe, .call = call_aio_suspend,
    .release = release_write, .fail = fail_aio_suspend);

typedef int lio_fn(int, struct aiocb *const *, int, struct sigevent *);

static long call_lio_listio(struct st *s)
{
	struct aiocb *list[] = { &request };

	request = (struct aiocb){ .aio_fildes = s->fd[0],
				  .aio_buf = s->buf,
				  .aio_nbytes = 1,
				  .aio_lio_opcode = LIO_READ };
	s->extra = ((lio_fn *)s->fn)(LIO_WAIT, list, 1, NULL);
	return aio_error(&request);
}
static long fail_lio_listio(struct st *s)
{
	return ((lio_fn *)s->fn)(77, NULL, 1, NULL);
}
extern lio_fn old_lio_listio;
__asm__(".symver old_lio_listio,lio_listio@GLIBC_2.2.5");
ROW(lio_listio, NO_HANDLER, .setup = setup_pipe, .call = call_lio_listio, .release = release_write,
    .fail = fail_lio_listio);
/* In 2.36 this version comes back at once, whatever the mode; what became of the request by then
 * is up to its thread. */
static long call_old_lio_listio(struct st *s)
{
	call_lio_listio(s);
	return s->extra;
}
ROW(lio_listio_2_2_5, NOBLOCK | NO_HANDLER, .address = (void *)old_lio_listio, .setup = setup_pipe,
    .call = call_old_lio_listio, .release = release_write, .fail = fail_lio_listio);

/* The request waits for nsswitch.conf (rows_nss.c). */
static long call_gai_suspend(struct st *s)
{
	FN(int, const struct gaicb *const *, int, const struct timespec *);
	static struct gaicb cb = { .ar_name = "localhost" };
	struct gaicb *list[] = { &cb };
	struct timespec t = rel_time(s);

	must(getaddrinfo_a(GAI_NOWAIT, list, 1, NULL) == 0, "getaddrinfo_a");
	return fn((const struct gaicb *const *)list, 1, &t);
}
static long fail_gai_suspend(struct st *s)
{
	FN(int, const struct gaicb *const *, int, const struct timespec *);
	const struct gaicb *none[] = { NULL };
	return fn(none, 1, NULL);
}
/* Its helper opens the FIFO. */
static void setup_gai(struct st *s)
{
	setup_nss(s);
	s->waits_in = SYS_futex;
}
ROW(gai_suspend, TIMED | NO_READY | NO_HANDLER | ONCE, .setup = setup_gai, .call = call_gai_suspend,
    .release = release_nss, .fail = fail_gai_suspend);

/* --- directories: on a local disk they do not wait, so the cases are the results --- */

static void setup_two_files(struct st *s)
{
	char path[96];

	snprintf(s->path, sizeof(s->path), "/tmp/gmp-dir-XXXXXX");
	must(mkdtemp(s->path) != NULL, "mkdtemp");
	for (const char *name = "ab"; *name; name++) {
		snprintf(path, sizeof(path), "%s/%c", s->path, *name);
		close(creat(path, 0600));
	}
	snprintf(path, sizeof(path), "%s/dangling", s->path);
	must(symlink("/nonexistent", path) == 0, "symlink");
}
static void remove_files(struct st *s)
{
	char command[96];

	snprintf(command, sizeof(command), "rm -r %s", s->path);
	must(system(command) == 0, "rm");
}
static long done(struct st *s, long r)
{
	remove_files(s);
	return r;
}

/* The host's code: it must run with its P, so these calls have no bracket. */
static int not_hidden(const struct dirent *e)
{
	return e->d_name[0] != '.';
}
static long call_scandir(struct st *s)
{
	FN(int, const char *, struct dirent ***, int (*)(const struct dirent *),
	   int (*)(const struct dirent **, const struct dirent **));
	struct dirent **list;
	int all = fn(s->path, &list, NULL, alphasort);

	s->extra = list[all - 1]->d_name[0];
	return done(s, all * 10 + fn(s->path, &list, not_hidden, NULL));
}
static long fail_scandir(struct st *s)
{
	FN(int, const char *, struct dirent ***, void *, void *);
	struct dirent **list;
	return done(s, fn("/nonexistent", &list, NULL, NULL));
}
ROW(scandir, NOBLOCK | NO_HANDLER, .setup = setup_two_files, .call = call_scandir,
    .fail = fail_scandir);

static long call_scandirat(struct st *s)
{
	FN(int, int, const char *, struct dirent ***, int (*)(const struct dirent *),
	   int (*)(const struct dirent **, const struct dirent **));
	struct dirent **list;
	return done(s, fn(AT_FDCWD, s->path, &list, not_hidden, versionsort));
}
static long fail_scandirat(struct st *s)
{
	FN(int, int, const char *, struct dirent ***, void *, void *);
	struct dirent **list;
	return done(s, fn(-1, "x", &list, NULL, NULL));
}
ROW(scandirat, NOBLOCK | NO_HANDLER, .setup = setup_two_files, .call = call_scandirat,
    .fail = fail_scandirat);

typedef int glob_fn(const char *, int, int (*)(const char *, int), glob_t *);

/* The dangling link is what tells the two versions apart. */
static long call_glob(struct st *s)
{
	char pattern[96];
	glob_t g;
	int r;

	snprintf(pattern, sizeof(pattern), "%s/{a,b,dangling}", s->path);
	r = ((glob_fn *)s->fn)(pattern, GLOB_BRACE, NULL, &g);
	s->extra = r == 0 ? (long)g.gl_pathc : -1;
	return done(s, r);
}
static int stop(const char *path, int err)
{
	return 1;
}
static long fail_glob(struct st *s)
{
	glob_t g;
	return done(s, ((glob_fn *)s->fn)("/proc/self/mem/*", 0, stop, &g));
}
extern glob_fn old_glob;
__asm__(".symver old_glob,glob@GLIBC_2.2.5");
ROW(glob, NOBLOCK | NO_HANDLER, .setup = setup_two_files, .call = call_glob, .fail = fail_glob);
ROW(glob_2_2_5, NOBLOCK | NO_HANDLER, .address = (void *)old_glob, .setup = setup_two_files,
    .call = call_glob, .fail = fail_glob);

static int by_name(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}
static long call_fts_read(struct st *s)
{
	FN(FTSENT *, FTS *);
	char *const paths[] = { s->path, NULL };
	FTS *plain = fts_open(paths, FTS_PHYSICAL, NULL);
	FTS *sorted = fts_open(paths, FTS_PHYSICAL, by_name);
	int n = 0;

	while (fn(plain))
		n++;
	while (fn(sorted))
		n += 10;
	fts_close(plain);
	fts_close(sorted);
	return done(s, n);
}
static long fail_fts_read(struct st *s)
{
	FN(FTSENT *, FTS *);
	char nowhere[] = "/nonexistent/x", *const paths[] = { nowhere, NULL };
	FTS *fts = fts_open(paths, FTS_PHYSICAL, NULL);
	FTSENT *e = fn(fts);

	s->extra = e ? e->fts_errno : 0;
	fts_close(fts);
	return done(s, e && e->fts_info == FTS_NS);
}
ROW(fts_read, NOBLOCK | NO_HANDLER, .setup = setup_two_files, .call = call_fts_read,
    .fail = fail_fts_read);

static long call_fts_children(struct st *s)
{
	FN(FTSENT *, FTS *, int);
	char *const paths[] = { s->path, NULL };
	FTS *fts = fts_open(paths, FTS_PHYSICAL, NULL);
	long r = fn(fts, 0) != NULL;

	fts_close(fts);
	return done(s, r);
}
static long fail_fts_children(struct st *s)
{
	FN(FTSENT *, FTS *, int);
	char *const paths[] = { s->path, NULL };
	return done(s, fn(fts_open(paths, FTS_PHYSICAL, NULL), 12345) != NULL);
}
ROW(fts_children, NOBLOCK | NO_HANDLER, .setup = setup_two_files, .call = call_fts_children,
    .fail = fail_fts_children);

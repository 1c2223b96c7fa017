/*
 * What /proc says of our threads.  sysmon only, which has a descriptor table of its own (os_fds.c).
 */
#include "runtime/os.h"

#include <asm/errno.h>
#include <asm/unistd.h>
#include <linux/fcntl.h>

#include "asm/asm.h"
#include "runtime/text.h"

#define PROBES 64

/*
 * Opening costs ten times the reading, so the last few are kept open: those who hold Ps and those
 * who block without saying so are asked again and again.
 */
static struct probe {
	i32 tid;
	int fd;
	bool stat; /* of .../stat, not .../syscall */
} probes[PROBES];

/*
 * /proc/self/task, kept open: the host may change its root.  < 0: there is none in which we are
 * what we are to ourselves.  sysmon only.
 */
static long tasks = -1;

static char *put_u32(char *at, u32 n)
{
	char digits[12], *d = digits + sizeof(digits);

	do
		*--d = (char)('0' + n % 10);
	while (n /= 10);
	while (d < digits + sizeof(digits))
		*at++ = *d++;
	return at;
}

static char *put_str(char *at, const char *s)
{
	while (*s)
		*at++ = *s++;
	return at;
}

/* "202 0x7f..." or "running" or "-1 0x..." */
static int parse_syscall(const char *buf)
{
	const char *end = buf;
	u64 nr = text_number(&end, 10);

	if (buf[0] == 'r')
		return PROBE_RUNNING;
	if (buf[0] == '-')
		return PROBE_FAULT;
	return end > buf && nr <= __INT_MAX__ ? (int)nr : PROBE_UNKNOWN;
}

/* "1234 (name) S ..."; the name may hold anything, so the last parenthesis counts. */
static int parse_stat(const char *buf)
{
	const char *end = NULL;

	for (; *buf; buf++)
		if (buf[0] == ')' && buf[1] == ' ')
			end = buf;
	if (!end)
		return PROBE_UNKNOWN;
	if (end[2] == 'R')
		return PROBE_RUNNING;
	return end[2] == 'Z' || end[2] == 'X' ? PROBE_GONE : PROBE_ASLEEP;
}

static long probe_open(i32 tid, const char *file)
{
	char path[32], *at;

	at = put_u32(path, (u32)tid);
	at = put_str(at, file);
	*at = 0;
	return gmp_rawsyscall6(__NR_openat, tasks, (long)path, O_RDONLY | O_CLOEXEC, 0, 0, 0);
}

static void probe_close(struct probe *p)
{
	if (p->tid)
		gmp_rawsyscall6(__NR_close, p->fd, 0, 0, 0, 0, 0);
	p->tid = 0;
}

static int probe_new(struct probe *p, i32 tid)
{
	long fd = probe_open(tid, "/syscall");
	bool denied = fd == -EACCES || fd == -EPERM;

	if (denied)
		fd = probe_open(tid, "/stat");
	if (fd < 0)
		return PROBE_UNKNOWN;
	probe_close(p);
	*p = (struct probe){ tid, (int)fd, denied };
	return 0;
}

/* PROBE_UNKNOWN where the file says nothing. */
static int probe_read(struct probe *p)
{
	char buf[128];
	long n = gmp_rawsyscall6(__NR_pread64, p->fd, (long)buf, sizeof(buf) - 1, 0, 0, 0);

	if (n <= 0) {
		probe_close(p);
		return PROBE_UNKNOWN;
	}
	buf[n] = 0;
	return p->stat ? parse_stat(buf) : parse_syscall(buf);
}

static int probe(i32 tid)
{
	struct probe *p = &probes[(u32)tid % PROBES];
	int call;

	if (tasks < 0)
		return PROBE_UNKNOWN;
	if (p->tid == tid) {
		call = probe_read(p);
		if (call != PROBE_UNKNOWN)
			return call;
		/* Or the one that we knew is gone, and its number has come back. */
	}
	call = probe_new(p, tid);
	return call < 0 ? call : probe_read(p);
}

int os_probe(i32 tid)
{
	int call = probe(tid);

	/* No such file may mean no such /proc. */
	return call == PROBE_UNKNOWN && os_thread_gone(tid) ? PROBE_GONE : call;
}

/* Where /proc is of another pid namespace our threads have other numbers, or others have ours. */
static long tasks_open(void)
{
	int self;

	tasks = gmp_rawsyscall6(__NR_open, (long)"/proc/self/task",
				O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0, 0, 0, 0);
	if (tasks < 0)
		return -1;
	self = os_probe(os_gettid());
	if (self == __NR_pread64 || self == PROBE_RUNNING)
		return tasks;
	gmp_rawsyscall6(__NR_close, tasks, 0, 0, 0, 0, 0);
	return -1;
}

bool os_private_fds(bool keep_stderr)
{
	for (u32 i = 0; i < PROBES; i++) /* a forked child's are its parent's */
		probes[i].tid = 0;
	tasks = os_own_table(keep_stderr) ? tasks_open() : -1;
	return os_fds_are_private();
}

static bool file_of(i32 tid, const char *file, char *buf, size_t len)
{
	long fd = tasks >= 0 ? probe_open(tid, file) : -1, n;

	if (fd < 0)
		return false;
	n = gmp_rawsyscall6(__NR_pread64, fd, (long)buf, (long)len - 1, 0, 0, 0);
	gmp_rawsyscall6(__NR_close, fd, 0, 0, 0, 0, 0);
	buf[n > 0 ? n : 0] = 0;
	return true;
}

bool os_thread_ended(i32 tid)
{
	char buf[128];

	return os_thread_gone(tid) ||
	       (tid == os_getpid() && file_of(tid, "/stat", buf, sizeof(buf)) &&
		parse_stat(buf) == PROBE_GONE);
}

int os_blocks(i32 tid, int signo)
{
	const char *at, *end;
	char buf[4096];
	u64 mask;

	if (!file_of(tid, "/status", buf, sizeof(buf)))
		return -1;
	at = end = text_behind(buf, "\nSigBlk:\t");
	mask = text_number(&end, 16);
	return end > at ? (int)(mask >> (signo - 1) & 1) : -1;
}

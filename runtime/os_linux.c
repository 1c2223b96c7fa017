/* The real os.h: raw system calls through asm/, nothing of libc. */
#include "runtime/os.h"

#include <asm/signal.h>
#include <asm/errno.h>
#include <asm/poll.h>
#include <asm/siginfo.h>
#include <asm/socket.h>
#include <asm/stat.h>
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/prctl.h>
#include <linux/sched/types.h>
#include <linux/time.h>
#include <linux/time_types.h>

#include "asm/asm.h"
#include "runtime/numbers.h"

#define PROBES 64
#define QUEUED_MAX 64	      /* signals of one number that the host may have pending */
#define SHORT_SLICE_NS 100000 /* the shortest that the kernel grants */
#define PROT_RW 3
#define MAP_PRIVATE_ANON 0x22
#define MADV_WIPE 18 /* MADV_WIPEONFORK */

static u64 raw_nanotime(void)
{
	struct __kernel_timespec ts;

	gmp_rawsyscall6(__NR_clock_gettime, CLOCK_MONOTONIC, (long)&ts, 0, 0, 0, 0);
	return (u64)ts.tv_sec * 1000000000u + (u64)ts.tv_nsec;
}

static u64 (*nanotime)(void) = raw_nanotime;

u64 os_nanotime(void)
{
	return nanotime();
}

void os_set_clock(u64 (*clock)(void))
{
	nanotime = clock;
}

static int futex_wait(au32 *addr, int op, u32 val, i64 ns)
{
	struct __kernel_timespec ts = { .tv_sec = ns / 1000000000, .tv_nsec = ns % 1000000000 };

	return (int)gmp_rawsyscall6(__NR_futex, (long)addr, op, val, ns < 0 ? 0 : (long)&ts, 0, 0);
}

int os_futex_wait(au32 *addr, u32 val, i64 ns)
{
	return futex_wait(addr, FUTEX_WAIT_PRIVATE, val, ns);
}

void os_futex_wake(au32 *addr, u32 n)
{
	gmp_rawsyscall6(__NR_futex, (long)addr, FUTEX_WAKE_PRIVATE, n, 0, 0, 0);
}

void os_futex_wait_shared(au32 *addr, u32 val, i64 ns)
{
	futex_wait(addr, FUTEX_WAIT, val, ns);
}

void os_futex_wake_shared(au32 *addr, u32 n)
{
	gmp_rawsyscall6(__NR_futex, (long)addr, FUTEX_WAKE, n, 0, 0, 0);
}

static i64 cpu_clock(int clock)
{
	struct __kernel_timespec ts;
	long err = gmp_rawsyscall6(__NR_clock_gettime, clock, (long)&ts, 0, 0, 0, 0);

	return err ? err : ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* MAKE_THREAD_CPUCLOCK(tid, CPUCLOCK_SCHED) of the kernel's posix-timers.h. */
static int thread_clock(i32 tid)
{
	return (int)(~(u32)tid << 3 | 6);
}

i64 os_thread_cpu(i32 tid)
{
	return cpu_clock(thread_clock(tid));
}

bool os_thread_gone(i32 tid)
{
	i64 cpu = os_thread_cpu(tid);

	return cpu == -EINVAL || cpu == -ESRCH;
}

i64 os_process_cpu(void)
{
	return cpu_clock(CLOCK_PROCESS_CPUTIME_ID);
}

int os_membarrier_register(void)
{
	return (int)gmp_rawsyscall6(__NR_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0,
				    0, 0, 0, 0);
}

int os_membarrier(void)
{
	return (int)gmp_rawsyscall6(__NR_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0, 0, 0,
				    0);
}

i32 os_gettid(void)
{
	return (i32)gmp_rawsyscall6(__NR_gettid, 0, 0, 0, 0, 0, 0);
}

void os_yield(void)
{
	gmp_rawsyscall6(__NR_sched_yield, 0, 0, 0, 0, 0, 0);
}

void os_altstack(uintptr_t *lo, uintptr_t *hi)
{
	stack_t ss = { 0 };

	gmp_rawsyscall6(__NR_sigaltstack, 0, (long)&ss, 0, 0, 0, 0);
	*lo = (uintptr_t)ss.ss_sp;
	*hi = *lo + ss.ss_size;
}

bool os_cpu_mask(i32 tid, u64 *mask)
{
	u64 one[CPU_WORDS], fresh = 0;
	long n = gmp_rawsyscall6(__NR_sched_getaffinity, tid, sizeof(one), (long)one, 0, 0, 0);

	for (long i = 0; i < n / 8; i++) {
		fresh |= one[i] & ~mask[i];
		mask[i] |= one[i];
	}
	return fresh;
}

static u64 set_mask(int how, u64 mask)
{
	u64 old = 0;

	gmp_rawsyscall6(__NR_rt_sigprocmask, how, (long)&mask, (long)&old, 8, 0, 0);
	return old;
}

u64 os_block_signals(void)
{
	return set_mask(SIG_SETMASK, ~0ul);
}

void os_restore_signals(u64 mask)
{
	set_mask(SIG_SETMASK, mask);
}

long os_restart(void)
{
	return gmp_rawsyscall3(__NR_restart_syscall, 0, 0, 0);
}

bool os_will_cut(u64 mask)
{
	struct {
		long handler, flags, restorer;
		u64 mask;
	} act;
	u64 pending = 0;

	gmp_rawsyscall6(__NR_rt_sigpending, (long)&pending, 8, 0, 0, 0, 0);
	for (pending &= ~mask; pending; pending &= pending - 1)
		if (gmp_rawsyscall6(__NR_rt_sigaction, __builtin_ctzl(pending) + 1, 0, (long)&act,
				    8, 0, 0) == 0 &&
		    act.handler != (long)SIG_DFL && act.handler != (long)SIG_IGN &&
		    !(act.flags & SA_RESTART))
			return true;
	return false;
}

/* The host's own of the same number go back as they were, to the end of the queue. */
bool os_take_signal(int sig, const void *mark)
{
	u64 set = 1ul << (sig - 1);
	struct __kernel_timespec now = { 0, 0 };
	long pid = gmp_rawsyscall6(__NR_getpid, 0, 0, 0, 0, 0, 0);
	siginfo_t info;

	for (int i = 0; i < QUEUED_MAX; i++) {
		if (gmp_rawsyscall6(__NR_rt_sigtimedwait, (long)&set, (long)&info, (long)&now, 8, 0,
				    0) != sig)
			return false;
		if (os_is_marked(&info, mark))
			return true;
		gmp_rawsyscall6(__NR_rt_tgsigqueueinfo, pid, os_gettid(), sig, (long)&info, 0, 0);
	}
	return false;
}

int os_signal_thread(i32 tid, int sig, const void *mark)
{
	long pid = gmp_rawsyscall6(__NR_getpid, 0, 0, 0, 0, 0, 0);
	siginfo_t info = { 0 };

	info.si_signo = sig;
	info.si_code = SIGNAL_CODE;
	info.si_pid = (int)pid;
	info.si_ptr = (void *)mark;
	return (int)gmp_rawsyscall6(__NR_rt_tgsigqueueinfo, pid, tid, sig, (long)&info, 0, 0);
}

int os_cpu_timer(i32 tid, int sig, const void *mark)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = sig };
	int timer = 0, err;

	event.sigev_value.sival_ptr = (void *)mark;
	event._sigev_un._tid = tid;
	err = (int)gmp_rawsyscall6(__NR_timer_create, thread_clock(tid), (long)&event, (long)&timer,
				   0, 0, 0);
	return err ? err : timer;
}

/* As soon as can be: a date that has passed would fire at once, from here. */
int os_cpu_timer_set_off(int timer)
{
	struct __kernel_itimerspec in = { .it_value = { 0, 1 } };

	return (int)gmp_rawsyscall6(__NR_timer_settime, timer, 0, (long)&in, 0, 0, 0);
}

void os_cpu_timer_stop(int timer)
{
	struct __kernel_itimerspec never = { .it_value = { 0, 0 } };

	gmp_rawsyscall6(__NR_timer_settime, timer, 0, (long)&never, 0, 0, 0);
}

void os_cpu_timer_delete(int timer)
{
	gmp_rawsyscall6(__NR_timer_delete, timer, 0, 0, 0, 0, 0);
}

int os_wipe_on_fork(void *addr, size_t len)
{
	return (int)gmp_rawsyscall6(__NR_madvise, (long)addr, (long)len, MADV_WIPE, 0, 0, 0);
}

void *os_pages(size_t len)
{
	long addr = gmp_rawsyscall6(__NR_mmap, 0, (long)len, PROT_RW, MAP_PRIVATE_ANON, -1, 0);

	if (addr < 0 && addr >= -4095)
		return NULL;
	return (void *)addr;
}

/*
 * Not the slice in a sandbox, which may be inherited: systemd's usual one has no sched_setattr
 * (~@resources), and ends who tries.
 */
void os_short_slice(void)
{
	struct sched_attr attr = { .size = sizeof(attr) };

	gmp_rawsyscall6(__NR_prctl, PR_SET_TIMERSLACK, 1, 0, 0, 0, 0);
	if (os_seccomp() != 0 ||
	    gmp_rawsyscall6(__NR_sched_getattr, 0, (long)&attr, sizeof(attr), 0, 0, 0) != 0 ||
	    attr.sched_policy != 0) /* SCHED_OTHER */
		return;
	attr.sched_runtime = SHORT_SLICE_NS;
	gmp_rawsyscall6(__NR_sched_setattr, 0, (long)&attr, 0, 0, 0, 0);
}

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

i64 os_read_file(const char *path, u64 offset, char *buf, size_t len)
{
	long fd = gmp_rawsyscall6(__NR_open, (long)path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0, 0, 0,
				  0),
	     n;

	if (fd < 0)
		return fd;
	n = gmp_rawsyscall6(__NR_pread64, fd, (long)buf, (long)len, (long)offset, 0, 0);
	gmp_rawsyscall6(__NR_close, fd, 0, 0, 0, 0, 0);
	return n;
}

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
	int nr = 0;

	if (buf[0] == 'r')
		return PROBE_RUNNING;
	if (buf[0] == '-')
		return PROBE_FAULT;
	for (; *buf >= '0' && *buf <= '9'; buf++)
		nr = nr * 10 + (*buf - '0');
	return nr;
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

/* Bit `bit` of the hexadecimal number after the first `name` in the text; < 0: there is none. */
static int parse_bit(const char *text, const char *name, int bit)
{
	u64 mask = 0;

	for (; *text; text++) {
		const char *at = text, *n = name;

		while (*n && *at == *n)
			at++, n++;
		if (*n)
			continue;
		for (; (*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'f'); at++)
			mask = mask << 4 | (u64)(*at <= '9' ? *at - '0' : *at - 'a' + 10);
		return mask >> bit & 1;
	}
	return -1;
}

int os_blocks(i32 tid, int signo)
{
	char buf[4096];
	if (!file_of(tid, "/status", buf, sizeof(buf)))
		return -1;
	return parse_bit(buf, "\nSigBlk:\t", signo - 1);
}

bool os_poll_ready(uintptr_t pollfd)
{
	return gmp_rawsyscall6(__NR_poll, (long)pollfd, 1, 0, 0, 0, 0) != 0;
}

bool os_ready(int fd, bool write)
{
	struct pollfd ask = { .fd = fd, .events = write ? POLLOUT : POLLIN };

	return os_poll_ready((uintptr_t)&ask);
}

bool os_nonblocking(int fd)
{
	return gmp_rawsyscall6(__NR_fcntl, fd, F_GETFL, 0, 0, 0, 0) & O_NONBLOCK;
}

bool os_read_timed(int fd)
{
	struct __kernel_old_timeval limit = { 0 };
	int len = sizeof(limit);

	gmp_rawsyscall6(__NR_getsockopt, fd, SOL_SOCKET, SO_RCVTIMEO_OLD, (long)&limit, (long)&len,
			0);
	return limit.tv_sec || limit.tv_usec;
}

static struct {
	u64 dev, ino; /* 0: none */
	bool known;
} at_load;

void os_note_stderr(void)
{
	struct stat st = { 0 };

	gmp_rawsyscall6(__NR_fstat, 2, (long)&st, 0, 0, 0, 0);
	at_load.dev = st.st_dev;
	at_load.ino = st.st_ino;
	at_load.known = true;
}

int os_stderr(void)
{
	struct stat st = { 0 };

	if (!at_load.known)
		return 2;
	if (!at_load.ino || gmp_rawsyscall6(__NR_fstat, 2, (long)&st, 0, 0, 0, 0) < 0)
		return -1;
	return st.st_dev == at_load.dev && st.st_ino == at_load.ino ? 2 : -1;
}

int os_peek(uintptr_t at, void *buf, size_t len)
{
	struct {
		u64 at, len;
	} to = { (u64)buf, len }, from = { at, len };
	long n = gmp_rawsyscall6(__NR_process_vm_readv, os_gettid(), (long)&to, 1, (long)&from, 1,
				 0);

	return n == (long)len ? 0 : n < 0 ? (int)n : -EFAULT;
}

void os_write(int fd, const char *buf, size_t len)
{
	gmp_rawsyscall6(__NR_write, fd, (long)buf, (long)len, 0, 0, 0);
}

/* The real os.h: raw system calls through asm/, nothing of libc. */
#include "runtime/os.h"

#include <asm/signal.h>
#include <asm/errno.h>
#include <asm/poll.h>
#include <asm/siginfo.h>
#include <asm/socket.h>
#include <asm/stat.h>
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <linux/prctl.h>
#include <linux/sched/types.h>
#include <linux/time.h>
#include <linux/time_types.h>

#include "asm/asm.h"

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

i32 os_getpid(void)
{
	return (i32)gmp_rawsyscall6(__NR_getpid, 0, 0, 0, 0, 0, 0);
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
	siginfo_t info;

	for (int i = 0; i < QUEUED_MAX; i++) {
		if (gmp_rawsyscall6(__NR_rt_sigtimedwait, (long)&set, (long)&info, (long)&now, 8, 0,
				    0) != sig)
			return false;
		if (os_is_marked(&info, mark))
			return true;
		gmp_rawsyscall6(__NR_rt_tgsigqueueinfo, os_getpid(), os_gettid(), sig, (long)&info,
				0, 0);
	}
	return false;
}

int os_signal_thread(i32 tid, int sig, const void *mark)
{
	siginfo_t info = { 0 };

	info.si_signo = sig;
	info.si_code = SIGNAL_CODE;
	info.si_pid = os_getpid();
	info.si_ptr = (void *)mark;
	return (int)gmp_rawsyscall6(__NR_rt_tgsigqueueinfo, info.si_pid, tid, sig, (long)&info, 0,
				    0);
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

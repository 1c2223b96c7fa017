/*
 * What a table row cannot say: syscall(2), and which ioctl commands cannot wait.
 *
 * syscall(2) is the second way into the kernel (libstdc++'s atomic waits, Rust, glib, allocators),
 * so it is classified by number with the same classes as the rows of calls.def. It is no
 * cancellation point in libc, and so not here. Numbers that do not block go straight through.
 *
 * A class never reads through a pointer argument: the kernel answers EFAULT for a bad one, and so
 * must we. A call whose time-out is behind a pointer is therefore may_wait where the row of the
 * libc function of that name could tell a time-out of zero.
 */
#include "preload/interpose.h"

#include <linux/futex.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "asm/asm.h"
#include "preload/gate.h"
#include "preload/lifecycle.h"

#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#ifndef SYS_futex_wait
#define SYS_futex_wait 455
#endif
#ifndef FUTEX_LOCK_PI2
#define FUTEX_LOCK_PI2 13
#endif

/* Commands that answer from memory; programs with an event loop make many of them. */
u64 ioctl_class(unsigned long cmd)
{
	switch (cmd) {
	case FIONREAD:
	case FIONBIO:
	case FIOASYNC:
	case FIOCLEX:
	case FIONCLEX:
	case TCGETS:
	case TIOCGWINSZ:
	case TIOCGPGRP:
	case TIOCSPGRP:
	case TIOCGSID:
	case TIOCOUTQ:
	case TIOCGPTN:
	case TIOCSPTLCK:
	case SIOCATMARK:
	case SIOCOUTQNSD:
		return NEVER;
	default:
		return MAY_WAIT;
	}
}

static u64 futex_class(long op)
{
	switch (op & FUTEX_CMD_MASK) {
	case FUTEX_WAIT:
	case FUTEX_WAIT_BITSET:
	case FUTEX_WAIT_REQUEUE_PI:
	case FUTEX_LOCK_PI:
	case FUTEX_LOCK_PI2:
		return WILL_WAIT;
	default:
		return NEVER;
	}
}

/* Waits for an event; the answer depends on a time-out or a flag. */
static u64 wait_class(long nr, const long a[6])
{
	switch (nr) {
	case SYS_poll:
		return (int)a[2] == 0 ? NEVER : WILL_WAIT;
	case SYS_epoll_wait:
	case SYS_epoll_pwait:
		return (int)a[3] == 0 ? NEVER : WILL_WAIT;
	case SYS_ppoll:
	case SYS_rt_sigtimedwait:
		return a[2] ? MAY_WAIT : WILL_WAIT;
	case SYS_epoll_pwait2:
		return a[3] ? MAY_WAIT : WILL_WAIT;
	case SYS_select:
	case SYS_pselect6:
		return a[4] ? MAY_WAIT : WILL_WAIT;
	case SYS_wait4:
		return a[2] & WNOHANG ? NEVER : WILL_WAIT;
	case SYS_waitid:
		return a[3] & WNOHANG ? NEVER : WILL_WAIT;
	case SYS_futex:
		return futex_class(a[1]);
	case SYS_io_getevents:
	case SYS_io_pgetevents:
		return a[1] > 0 ? MAY_WAIT : NEVER;
	case SYS_io_uring_enter:
		return MAY_WAIT;
	case SYS_nanosleep:
	case SYS_clock_nanosleep:
	case SYS_pause:
	case SYS_rt_sigsuspend:
	case SYS_futex_waitv:
	case SYS_futex_wait:
		return WILL_WAIT;
	default:
		return NEVER;
	}
}

/* Moves data or works on a file, and can be told by a flag not to wait for it. */
static u64 flag_class(long nr, const long a[6])
{
	switch (nr) {
	case SYS_recvfrom:
	case SYS_recvmmsg:
		return recv_class((int)a[0], (int)a[3]);
	case SYS_sendto:
	case SYS_sendmmsg:
		return send_class((int)a[0], (int)a[3]);
	case SYS_recvmsg:
		return recv_class((int)a[0], (int)a[2]);
	case SYS_sendmsg:
		return send_class((int)a[0], (int)a[2]);
	case SYS_preadv2:
	case SYS_pwritev2:
		/* a[4] is the high half of the offset, which only 32-bit kernels use. */
		return a[5] & RWF_NOWAIT ? NEVER : MAY_WAIT;
	case SYS_splice:
		return a[5] & SPLICE_F_NONBLOCK ? NEVER : MAY_WAIT;
	case SYS_tee:
	case SYS_vmsplice:
		return a[3] & SPLICE_F_NONBLOCK ? NEVER : MAY_WAIT;
	case SYS_open:
		return open_class((int)a[1]);
	case SYS_openat:
	case SYS_open_by_handle_at:
		return open_class((int)a[2]);
	case SYS_fcntl:
		return fcntl_class((int)a[1]);
	case SYS_ioctl:
		return ioctl_class((unsigned long)a[1]);
	case SYS_flock:
		return a[1] & (LOCK_NB | LOCK_UN) ? NEVER : MAY_WAIT;
	case SYS_msgrcv:
		return a[4] & IPC_NOWAIT ? NEVER : MAY_WAIT;
	case SYS_msgsnd:
		return a[3] & IPC_NOWAIT ? NEVER : MAY_WAIT;
	case SYS_msync:
		return a[2] & MS_SYNC ? MAY_WAIT : NEVER;
	case SYS_getrandom:
		return a[2] & GRND_NONBLOCK ? NEVER : MAY_WAIT;
	default:
		return NEVER;
	}
}

u64 syscall_class(long nr, const long a[6])
{
	u64 c;

	switch (nr) {
	case SYS_read:
	case SYS_readv:
	case SYS_pread64:
	case SYS_preadv:
	case SYS_write:
	case SYS_writev:
	case SYS_pwrite64:
	case SYS_pwritev:
	case SYS_close:
	case SYS_close_range:
	case SYS_creat:
	case SYS_openat2:
	case SYS_name_to_handle_at:
	case SYS_accept:
	case SYS_accept4:
	case SYS_connect:
	case SYS_sendfile:
	case SYS_copy_file_range:
	case SYS_fsync:
	case SYS_fdatasync:
	case SYS_sync:
	case SYS_syncfs:
	case SYS_sync_file_range:
	case SYS_fallocate:
	case SYS_ftruncate:
	case SYS_truncate:
	case SYS_readahead:
	case SYS_fadvise64:
	case SYS_getdents:
	case SYS_getdents64:
	case SYS_semop:
	case SYS_semtimedop:
	case SYS_mq_timedsend:
	case SYS_mq_timedreceive:
	case SYS_restart_syscall:
		return MAY_WAIT;
	default:
		c = wait_class(nr, a);
		return c != NEVER ? c : flag_class(nr, a);
	}
}

/* The kernel's result, libc's way. */
static long result(long r)
{
	if ((unsigned long)r > -4096UL) {
		errno = (int)-r;
		return -1;
	}
	return r;
}

/* Every number but those that shim_syscall() hands to libc. */
long syscall_by_number(long nr, long a1, long a2, long a3, long a4, long a5, long a6)
	__attribute__((used, visibility("hidden")));
long syscall_by_number(long nr, long a1, long a2, long a3, long a4, long a5, long a6)
{
	const long a[6] = {a1, a2, a3, a4, a5, a6};

	if (nr == SYS_sched_yield && gate_yield())
		return 0;
	if (nr == SYS_exit)
		gthread_exit_raw();
	GATE(syscall_class(nr, a), (u16)nr);
	return result(gmp_rawsyscall6(nr, a1, a2, a3, a4, a5, a6));
}

/*
 * long syscall(long nr, ...) A call that returns twice on one stack, or on another one, must find
 * only libc's frame there: what a C function of ours would keep below its return address is gone
 * or shared when the second return comes. So these numbers are jumped through, with all registers
 * and the stack as the caller left them.
 */
#define STRING(x) #x
#define NUMBER(x) "$" STRING(x)
__attribute__((naked)) long shim_syscall(long nr, long a1, long a2, long a3, long a4, long a5,
						 long a6)
{
	__asm__("cmpq	" NUMBER(__NR_clone) ", %rdi\n\t"
		"je	1f\n\t"
		"cmpq	" NUMBER(__NR_vfork) ", %rdi\n\t"
		"je	1f\n\t"
		"cmpq	" NUMBER(__NR_fork) ", %rdi\n\t"
		"je	1f\n\t"
		"cmpq	" NUMBER(__NR_clone3) ", %rdi\n\t"
		"je	1f\n\t"
		"cmpq	" NUMBER(__NR_rt_sigreturn) ", %rdi\n\t"
		"je	1f\n\t"
		"jmp	syscall_by_number\n"
		"1:	jmp	*real_syscall(%rip)");
}

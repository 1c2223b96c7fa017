/*
 * What a table row cannot say: syscall(2), which ioctl commands cannot wait, and the functions with
 * a format, which forward to their form with a va_list.
 *
 * syscall(2) is the second way into the kernel (libstdc++'s atomic waits, Rust, glib, allocators),
 * so it is classified by number (by_number.def). It is no cancellation point in libc, and so not
 * here. Numbers that do not block go straight through.
 */
#include "preload/interpose.h"

#include <linux/futex.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#include "asm/asm.h"
#include "preload/gate.h"
#include "preload/lifecycle.h"
#include "runtime/cold_return.h"

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

static u64 futex_class(int op)
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

u64 syscall_class(long nr, const long a[6])
{
	switch (nr) {
#define NR(name, class) \
	case SYS_##name: \
		return (class) & ~(u64)QUEUES;
#include "preload/by_number.def"
	default:
		return NEVER;
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
AFTER_SYSCALL long syscall_by_number(long nr, long a1, long a2, long a3, long a4, long a5, long a6)
	__attribute__((used, visibility("hidden")));
long syscall_by_number(long nr, long a1, long a2, long a3, long a4, long a5, long a6)
{
	const long a[6] = { a1, a2, a3, a4, a5, a6 };

	if (nr == SYS_sched_yield && gate_yield(0))
		return 0;
	if (nr == SYS_exit)
		gthread_leave(); /* no destructor will run */
	if (nr == SYS_unshare || nr == SYS_setns)
		threads_quiesce();
	sandbox_by_number(nr, a1, a2, a3);
	signals_by_number(nr, a1, a2);
	GATE(syscall_class(nr, a), (u16)nr);
	return result(gmp_rawsyscall6(nr, a1, a2, a3, a4, a5, a6));
}

/*
 * long syscall(long nr, ...)
 *
 * A call that returns twice on one stack, or on another one, must find only libc's frame there:
 * what a C function of ours would keep below its return address is gone or shared when the second
 * return comes.  So these numbers are jumped through, registers and stack as the caller left them.
 */
#define STRING(x) #x
#define THROUGH_LIBC(number, to) "cmpq $" STRING(number) ", %rdi\n\tje " to "f\n\t"
#define KEPT(op, bytes, reg) op "q %" reg "\n\t.cfi_adjust_cfa_offset " bytes "\n\t"
__attribute__((naked)) long shim_syscall(long nr, long a1, long a2, long a3, long a4, long a5,
					 long a6)
{
	/* clang-format off */
	__asm__(THROUGH_LIBC(__NR_clone, "2")
		THROUGH_LIBC(__NR_vfork, "2")
		THROUGH_LIBC(__NR_fork, "1")
		THROUGH_LIBC(__NR_clone3, "2")
		THROUGH_LIBC(__NR_rt_sigreturn, "1")
		"jmp syscall_by_number\n"
		"2:\n\t"
		KEPT("push", "8", "rdi") KEPT("push", "8", "rsi") KEPT("push", "8", "rdx")
		KEPT("push", "8", "rcx") KEPT("push", "8", "r8") KEPT("push", "8", "r9")
		KEPT("push", "8", "r9")
		"call clone_by_number\n\t"
		KEPT("pop", "-8", "r9") KEPT("pop", "-8", "r9") KEPT("pop", "-8", "r8")
		KEPT("pop", "-8", "rcx") KEPT("pop", "-8", "rdx") KEPT("pop", "-8", "rsi")
		KEPT("pop", "-8", "rdi")
		"1:	jmp *real_syscall(%rip)");
	/* clang-format on */
}

EXPORT void shim_syslog(int priority, const char *format, ...) __asm__("syslog");
EXPORT void shim_syslog(int priority, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	{
		GATE(COMPOSE, SYS_sendto);
		real_vsyslog(priority, format, ap);
	}
	va_end(ap);
}

EXPORT void shim___syslog_chk(int priority, int flag, const char *format,
			      ...) __asm__("__syslog_chk");
EXPORT void shim___syslog_chk(int priority, int flag, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	{
		GATE(COMPOSE, SYS_sendto);
		real___vsyslog_chk(priority, flag, format, ap);
	}
	va_end(ap);
}

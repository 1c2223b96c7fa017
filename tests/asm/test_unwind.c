/*
 * Every assembler function unwinds to its caller: at each instruction (single stepped), and from a
 * handler that interrupts a call blocked in the kernel.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "asm/asm.h"
#include "tests/asm/asm_test.h"

static const void *want_function, *want_caller;
static int bad_at; /* first PC number that did not unwind, or -1 */

static bool unwinds(ucontext_t *uc)
{
	const void *f[8];
	int n = unwind_from(uc, f, 8);

	return n >= 2 && f[0] == want_function && f[1] == want_caller;
}

static void check_unwind(ucontext_t *uc, int n)
{
	greg_t *r = uc->uc_mcontext.gregs;

	/* In vfork's window the slot of the return address is the child's: use it as a child would.
	 */
	if ((const char *)r[REG_RIP] == gmp_vfork_start)
		((long *)r[REG_RSP])[-1] = 0x0bad0bad;
	if (bad_at < 0 && !unwinds(uc))
		bad_at = n;
}

#define NOT_INLINED __attribute__((noinline))

static NOT_INLINED long call_raw6(void)
{
	trap_on();
	long r = gmp_rawsyscall6(SYS_getpid, 1, 2, 3, 4, 5, 6);
	trap_off();
	return r;
}

static NOT_INLINED long call_raw3(void)
{
	trap_on();
	long r = gmp_rawsyscall3(SYS_getpid, 1, 2, 3);
	trap_off();
	return r;
}

static volatile int flag;

static NOT_INLINED long call_cancel(void)
{
	trap_on();
	long r = gmp_cancelsyscall6(&flag, SYS_getpid, 1, 2, 3, 4, 5, 6);
	trap_off();
	return r;
}

static NOT_INLINED long call_vfork(void)
{
	trap_on();
	pid_t pid = vfork();
	trap_off();
	if (pid == 0)
		_exit(0);
	return pid;
}

/* The thunk is where functions end: called, it comes back at once. */
static NOT_INLINED long call_return(void)
{
	trap_on();
	__x86_return_thunk();
	trap_off();
	return 1;
}

static void walk(const void *fn, long (*caller)(void), int at_least)
{
	want_function = fn;
	want_caller = (const void *)caller;
	bad_at = -1;
	step_begin(fn, check_unwind);
	cr_assert_neq(caller(), 0);
	int n = step_end();

	cr_assert_eq(bad_at, -1, "instruction %d of %d does not unwind to its caller", bad_at, n);
	cr_assert_geq(n, at_least, "only %d instructions were seen", n);
}

Test(unwind, works_at_every_instruction_of_rawsyscall6)
{
	walk(gmp_rawsyscall6, call_raw6, 9);
}

Test(unwind, works_at_every_instruction_of_rawsyscall3)
{
	walk(gmp_rawsyscall3, call_raw3, 6);
}

Test(unwind, works_at_every_instruction_of_cancelsyscall6)
{
	walk(gmp_cancelsyscall6, call_cancel, 12);
	flag = 1;
	walk(gmp_cancelsyscall6, call_cancel, 11);
}

Test(unwind, works_at_every_instruction_of_vfork_in_parent_and_child)
{
	walk(vfork, call_vfork, 20);
}

Test(unwind, works_at_every_instruction_of_a_return)
{
	gmp_return_jumps = 0;
	walk((const void *)__x86_return_thunk, call_return, 4);
	gmp_return_jumps = 1;
	walk((const void *)__x86_return_thunk, call_return, 5);
}

/* A reader that blocks, and what a signal finds there. */
static int pipe_fd[2];
static _Atomic int tid, handled, unwound, pc_at_end;

static void on_usr1(int sig, siginfo_t *si, void *ctx)
{
	const char *pc = (const char *)((ucontext_t *)ctx)->uc_mcontext.gregs[REG_RIP];

	unwound = unwinds(ctx);
	pc_at_end = pc == gmp_syscall_end;
	handled = 1;
}

static NOT_INLINED long read_raw(char *c)
{
	long r = gmp_rawsyscall6(SYS_read, pipe_fd[0], (long)c, 1, 0, 0, 0);

	__asm__ volatile("" ::: "memory"); /* no tail call */
	return r;
}

static void *reader(void *arg)
{
	char c;

	tid = gettid();
	return (void *)read_raw(&c);
}

/* True once the thread is inside system call nr; false after ten seconds. */
static bool wait_in_syscall(int nr)
{
	char path[64], line[64];

	for (int i = 0; i < 10000; i++) {
		snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", tid);
		FILE *f = tid ? fopen(path, "r") : NULL;

		if (f) {
			bool in = fgets(line, sizeof(line), f) && line[0] != 'r' &&
				  atoi(line) == nr;

			fclose(f);
			if (in)
				return true;
		}
		nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
	}
	return false;
}

/* Sends SIGUSR1 into the blocked read; gives the read's result. */
static long interrupt_read(int sa_flags)
{
	struct sigaction sa = { .sa_sigaction = on_usr1, .sa_flags = SA_SIGINFO | sa_flags };
	pthread_t t;
	void *result;

	want_function = gmp_rawsyscall6;
	want_caller = (const void *)read_raw;
	cr_assert_eq(pipe(pipe_fd), 0);
	cr_assert_eq(sigaction(SIGUSR1, &sa, NULL), 0);
	cr_assert_eq(pthread_create(&t, NULL, reader, NULL), 0);
	cr_assert(wait_in_syscall(SYS_read), "the reader did not block");
	pthread_kill(t, SIGUSR1);
	for (int i = 0; i < 10000 && !handled; i++)
		nanosleep(&(struct timespec){ 0, 1000000 }, NULL);
	cr_assert(handled);
	if (sa_flags & SA_RESTART)
		cr_assert_eq(write(pipe_fd[1], "x", 1), 1);
	cr_assert_eq(pthread_join(t, &result), 0);
	return (long)result;
}

Test(unwind, works_from_a_handler_inside_a_blocked_read)
{
	cr_assert_eq(interrupt_read(0), -EINTR);
	cr_assert(unwound, "the handler's frames do not lead to the caller");
	cr_assert(pc_at_end, "an interrupted call stands behind its SYSCALL");
}

Test(unwind, works_from_a_handler_inside_a_read_that_restarts)
{
	cr_assert_eq(interrupt_read(SA_RESTART), 1);
	cr_assert(unwound);
	cr_assert_not(pc_at_end, "a call to be restarted stands on its SYSCALL again");
}

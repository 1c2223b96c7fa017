/*
 * A call that our signal has cut short goes on.
 *
 * No signal of ours is sent into a sleep, but a thread may fall asleep, in a call that nobody
 * announced, just before one arrives (preempt.h).  Most calls the kernel begins again then.  Those
 * with a limit of time it does not, whatever the handler asks for: they would wait for too long.
 * They end with EINTR, and go on only where no handler has run, by a call of their own
 * (restart_syscall) and a note of what is left.  That note is kept until a handler returns: so ours
 * makes that call before it does.
 *
 * A handler of the host's ends the call all the same: when one returns, on top of ours or before
 * it, the note is void, and the answer is EINTR.  One that has not returned is what ours has
 * interrupted, and not the call.
 *
 * A note may also be an earlier call's, that went on and is long over.  So this is for calls alone
 * that are known to have made a note themselves.
 */
#include "preload/restart.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>

#include "preload/gate.h"
#include "runtime/os.h"

#define BEFORE 32 /* bytes in front of a SYSCALL: the compiler loads the arguments there */
#define SYSCALL_LEN 2
#define LOAD_LEN 5
#define NUMBERS 512

static long reg(const ucontext_t *context, int which)
{
	return context->uc_mcontext.gregs[which];
}

static bool is_syscall(const u8 *at)
{
	return at[0] == 0x0f && at[1] == 0x05;
}

/* mov $number,%eax.  With REX.B in front it is another register's. */
static bool loads_eax(const u8 *at)
{
	return at[0] == 0xb8 && (at[-1] & 0xf1) != 0x41;
}

/* The number loaded last before the SYSCALL that ends at ip.  NUMBERS: none is to be seen; -1: no
 * SYSCALL is. */
static int call_before(uintptr_t ip)
{
	u8 code[BEFORE + SYSCALL_LEN];
	u32 nr;

	if (os_peek(ip - sizeof(code), code, sizeof(code)) != 0 || !is_syscall(&code[BEFORE]))
		return -1;
	for (size_t i = BEFORE + SYSCALL_LEN - LOAD_LEN; i > 0 && !is_syscall(&code[i]); i--) {
		__builtin_memcpy(&nr, &code[i + 1], sizeof(nr));
		if (loads_eax(&code[i]) && nr < NUMBERS)
			return (int)nr;
	}
	return NUMBERS;
}

/* Cut short, it leaves a note. */
static bool leaves_note(int nr, const ucontext_t *context)
{
	long op = reg(context, REG_RSI) & FUTEX_CMD_MASK;

	switch (nr) {
	case SYS_nanosleep:
	case SYS_poll:
		return true;
	case SYS_clock_nanosleep:
		return !(reg(context, REG_RSI) & TIMER_ABSTIME);
	case SYS_futex:
		return (op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET) && reg(context, REG_R10);
	}
	return false;
}

/* A call that waits, like any other: the P goes to others, and the host's handlers run. */
static long go_on(int nr, u64 mask)
{
	GATE(WILL_WAIT, (u32)nr);

	os_restore_signals(mask);
	return os_restart();
}

bool restart_cut_call(struct m *m, ucontext_t *context)
{
	int nr;
	long r;

	if (reg(context, REG_RAX) != -EINTR)
		return false;
	nr = call_before((uintptr_t)reg(context, REG_RIP));
	if (nr < 0)
		return false;
	if (!leaves_note(nr, context)) {
		store_rlx(&m->sleeper, SLEEPER_CUT); /* relaxed, a hint: no other one is hit */
		return false;
	}
	r = go_on(nr, context->uc_sigmask.__val[0]);
	/* Whatever else it says, a filter's refusal for one, is no answer of the call's. */
	if (r >= 0 || r == -ETIMEDOUT || r == -EAGAIN)
		context->uc_mcontext.gregs[REG_RAX] = r;
	return true;
}

/*
 * Locks: try, then gate.  And the two ways to spin: pthread_spin_lock and sched_yield.
 *
 * Taking a free lock is user-mode work and must cost no bracket, so a TRY row makes libc's own try
 * call first.  Only its success is believed: whatever else it says, libc's blocking call is made in a
 * bracket and decides, so every error (EDEADLK, EINVAL, ENOTRECOVERABLE, ...) is libc's own.
 * The one thing to know is which arguments libc refuses although the lock is free; a row whose try
 * would skip such a check names it (clock_known, time_valid).
 *
 * A thread that spins holds its P while the thread it waits for may have none.  So the spinners here
 * give the P up after a bounded number of turns.
 */
#include "preload/interpose.h"

#include "preload/gate.h"

/* About 3 us of turns: longer than a short critical section, much shorter than a hand-off pays. */
#define SPIN_TURNS 64
#define SPIN_PAUSES 16

/* An owner that died with the lock gives it to us all the same. */
static inline bool took_errnum(errnum r)
{
	return r == 0 || r == EOWNERDEAD;
}

static inline bool took_thrd_res(thrd_res r)
{
	return r == thrd_success;
}

/* The clocks that glibc's clock* locks take. */
static inline bool clock_known(clockid_t clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC;
}

/* The check that rwlocks make before they look at the lock; no time means wait for ever. */
static inline bool time_valid(const struct timespec *t)
{
	return !t || (t->tv_nsec >= 0 && t->tv_nsec < 1000000000);
}

#define TRY(type, name, version, attempt, nr, params, args)                                        \
	EXPORT type shim_##name params __asm__(#name);                                             \
	type shim_##name params                                                                    \
	{                                                                                          \
		if (gate_active()) {                                                               \
			type r = (attempt);                                                        \
			if (took_##type(r))                                                        \
				return r;                                                          \
		}                                                                                  \
		GATE(WILL_WAIT, nr);                                                               \
		return real_##name args;                                                           \
	}
#define TRY_ALIAS(alias, target) EXPORT_ALIAS(alias, target)
#include "preload/calls.def"

int shim_sched_yield(void)
{
	return gate_yield() ? 0 : real_sched_yield();
}
EXPORT_ALIAS(__sched_yield, sched_yield)

void shim_thrd_yield(void)
{
	if (!gate_yield())
		real_thrd_yield();
}

errnum shim_pthread_yield(void)
{
	return gate_yield() ? 0 : real_pthread_yield();
}

errnum shim_pthread_spin_lock(pthread_spinlock_t *l)
{
	if (!gate_active())
		return real_pthread_spin_lock(l);
	for (;;) {
		for (int turn = 0; turn < SPIN_TURNS; turn++) {
			if (real_pthread_spin_trylock(l) == 0)
				return 0;
			for (int i = 0; i < SPIN_PAUSES; i++)
				__builtin_ia32_pause();
		}
		if (!gate_yield())
			real_sched_yield();
	}
}

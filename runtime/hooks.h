/* The only calls upward: what the runtime needs of the layer that knows libc.  Filled once, at
 * load. */
#ifndef GMP_RUNTIME_HOOKS_H
#define GMP_RUNTIME_HOOKS_H

#include "runtime/types.h"

struct rt_hooks {
	/*
	 * Starts a thread of ours that runs fn, every signal blocked but libc's own.  0 or -errno.
	 */
	int (*thread_start)(void (*fn)(void));
	/* Waits until the thread that was started last is gone. */
	void (*thread_join)(void);
	/* Makes a G of the calling thread, which was not born through us; NULL: leave it alone. */
	struct m *(*adopt)(void);
	/* Dumps what it can of all stacks and ends the process with SIGABRT.  Does not return. */
	void (*abort)(void);
	/* dead.c: can no other process, and no thread that dies, end a wait of this class? */
	bool (*wait_is_private)(u64 class);
	/* Has the host a handler for a signal that may come from outside, or by a timer? */
	bool (*signal_may_wake)(void);
	/* All Gs are asleep for ever: says so and ends the process.  Does not return. */
	void (*dead)(void);
};

extern struct rt_hooks rt_hooks;

#endif

/* Every G with its stack, written to a descriptor from within the process. */
#ifndef GMP_PRELOAD_TRACEBACK_H
#define GMP_PRELOAD_TRACEBACK_H

#include "runtime/atomic.h"

enum traceback_how {
	TB_PLAIN = 0,
	TB_STOP = 1,  /* with the world stopped, so that all stacks are of one moment */
	TB_BOOKS = 2, /* the scheduler's own words, too */
};

/*
 * 0, or -errno when the world did not stop: the dump is written all the same, and says so.
 * Async-signal-safe.
 */
int traceback(int fd, enum traceback_how how);

/* GMP_TRACEBACK: SIGQUIT is ours, unless the host has a handler or takes it later. */
void traceback_init(void);

/* Hooks of runtime/dead.c. */
bool traceback_signal_may_wake(void);
void traceback_dead(void);

#endif

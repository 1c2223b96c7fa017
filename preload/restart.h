/* A call that our preemption signal has cut short goes on; restart.c says how. */
#ifndef GMP_PRELOAD_RESTART_H
#define GMP_PRELOAD_RESTART_H

#include <stdbool.h>
#include <ucontext.h>

struct m;

/*
 * Our signal has found m's thread in this context.  Behind a call that it cut short and that can go
 * on?  Then that has gone on, is over, and its result is in the context; the thread has had its
 * chance to give way.  By: the handler, with signals blocked; after: with the host's mask.
 */
bool restart_cut_call(struct m *m, ucontext_t *context);

#endif

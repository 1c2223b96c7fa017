/*
 * Who holds which P.  Below the entry points of entersyscall.h, preempt.h and sysmon.h.
 *
 * Every function here that takes sched.lock must be called with the host's signals blocked (see
 * lock.h); crit_enter() and crit_leave() do that, and are the only places where it happens.
 */
#ifndef GMP_RUNTIME_PROC_H
#define GMP_RUNTIME_PROC_H

#include "runtime/types.h"

/*
 * A span with the host's signals blocked: around every use of sched.lock by a thread of the host.
 */
u64 crit_enter(void);
void crit_leave(u64 mask);

/*
 * G: running with its P lost -> running with a P.  Parks until there is one.
 * By: its own M, signals enabled.  Called again after a longjmp out of it, it finishes the first
 * call. back: from a call, or new, so it may queue before those that only compute.
 */
void acquirep(struct m *m, bool back);
/*
 * G: running -> runnable, at the tail; its P goes on; returns when it has one again.  By: its own
 * M.  back: among those who come back from calls, for it is about to make one.
 */
void gosched(struct m *m, bool back);

/* The P goes to the next runnable G, else idle, else (above nlent) dead.  Caller owned it. */
void handoffp(struct p *p);

/*
 * G: granted p -> runnable, at the tail.  By: anybody, when g's thread does something else: a
 * handler of the host that interrupted its wait may itself wait for a thread that needs a P.  w is
 * g->hold, read before the thread was looked at: a grant to a later wait, which may be another
 * thread's by then, is not taken back.  False: that, or it has p by now.  gone: the thread has
 * ended; g is on no queue then (bury_granted).
 */
bool grant_revoke(struct p *p, struct g *g, u64 w, bool gone);

/* Does a G wait in any queue?  Without a lock: after a fence of the caller's, @pair idle, or as a
 * hint. */
bool sched_any_queued(void);

/* Fail-open: wakes every parked G; from now on nobody waits for a P. */
void sched_dissolve(void);

/* 0 when Ps handed out + idle = nlent (gomaxprocs, or less while some rest) and the queues add up;
 * else says what and returns -1. */
int sched_check(void);

#endif

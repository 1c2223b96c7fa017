/*
 * What becomes of a P on loan while Gs wait for one.
 *
 * There are two ways on.  Who enters a call may hand the P to the queue: a futex wake and two more
 * switches of threads, for a G whose thread sleeps.  Or it leaves the P lent: where many threads
 * block and wake, the kernel has another one ready on this very CPU, woken by its data; it comes
 * out of its own call as soon as the lender's thread sleeps, finds that it runs where the lender
 * ran, and picks the P up.  That costs two CAS and no switch at all.
 *
 * A lender last seen on the CPU that we run on does not run: so nobody is robbed in a short call
 * that another CPU is about to finish.  The CPU is a hint; that the P changes hands safely rests on
 * @pair loan alone.
 *
 * Which way is better is learnt, by P: a loan that is picked up makes luck, one that sysmon had to
 * take back unmakes it, and a P without luck leaves every 16th loan to see.  The queue is not
 * starved: when its first G has waited long enough the next P goes there.
 */
#ifndef GMP_RUNTIME_LOAN_H
#define GMP_RUNTIME_LOAN_H

#include "runtime/types.h"

/* The part of a slice that a G back from a call waits at most: for one that computes, and for one
 * whose turn it is. */
#define BACK_SHARE 4

/* A G enters a call while others wait: true when it should leave its P lent.  By: its M. */
bool loan_leave(struct m *m);
/*
 * A G that finds its data there at each call never waits, and would keep p for its slice.  True:
 * those back from a call have waited for it long enough to have p in their turn, which is such that
 * all have one within about a slice, but not too short to be worth a hand-off.  By: p's owner.
 */
bool turn_over(struct p *p);
/* A P for m's G, which comes back without one, owned by the caller; or NULL.  By: m, signals
 * blocked. */
struct p *loan_take(struct m *m);
/* Nobody picked p up in time.  By: sysmon, when it has taken it back. */
void loan_lapsed(struct p *p);

#endif

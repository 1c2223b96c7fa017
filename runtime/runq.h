/*
 * Run queues: a 256-slot ring in every P and four global FIFOs.
 *
 *              needs sched.lock   who
 *   runq_put   yes                who owns the P (so there is one producer)
 *   runq_get   no                 anybody who owns the P
 *   runq_steal no                 anybody who owns another P
 *   globrunq_* yes                anybody
 *
 * A G that comes back from a call goes before those that just want to go on computing, or a thread
 * of short calls beside n hogs is late by n slices at every call.  Before it goes one that holds a
 * lock: a thousand threads may wait for that, one after the other, and the lock is passed on at the
 * rate at which its holders get a P.  But threads that hold one whenever they come back may be so
 * many that there is always one: when a G without has waited for a slice the two take turns.  The
 * boost is bounded: when a P has served such Gs for a slice, the next grant is for one of the
 * others.  Of those back from a call one whose thread ran on this CPU goes before others that came
 * at most a millisecond earlier (docs/decisions/0004), and among those that only compute within two
 * slices, where there are two Ps (0007).
 *
 * Who waits by yields for another that does so, too (a FIFO lock or a ring of the host's), has a
 * turn in vain unless it is the one whose turn it is there, and nobody tells us which.  Were all
 * put at the tail, their order here and there would be two fixed ones, and half of them would be
 * asked at each step, for ever.  So those that looked in vain stand aside, and when one that waited
 * finds what it waited for, it goes to the tail and they before all others, as they were: the order
 * here becomes that in which they find it.  Without that their turn comes when it would have come.
 * Those may wait for something else, and the others have work to do; so there are never more turns
 * out of turn than turns before, and nobody has less than half of its share.
 *
 * Puts happen under the lock so that a P which goes idle, and looks at every ring under the same
 * lock, cannot miss one: this replaces Go's spinning Ms.
 */
#ifndef GMP_RUNTIME_RUNQ_H
#define GMP_RUNTIME_RUNQ_H

#include "runtime/types.h"

/* False when the ring is full. */
bool runq_put(struct p *p, struct g *g);
/* The oldest G, or NULL. */
struct g *runq_get(struct p *p);
/*
 * Takes half of the victim's ring: returns one G, puts the rest into p's ring.  Needs sched.lock.
 */
struct g *runq_steal(struct p *p, struct p *victim);
u32 runq_size(struct p *p);

/* To the tail of the queue that g->holder, g->back and g->looks say. */
void globrunq_put(struct g *g);
/* Gs in the four; a hint without the lock. */
u32 globrunq_size(void);
/* One with a lock or one back from a call, if p may still prefer them at time now or nobody else
 * waits globally. */
struct g *boosted_get(struct p *p, u64 now);
/*
 * Takes a fair share of the global queue: returns its head and moves up to max - 1 more into p's
 * ring.  max = 0: as many as min(128, size / gomaxprocs + 1).
 */
struct g *globrunq_get(struct p *p, u32 max);

#endif

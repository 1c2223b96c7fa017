/*
 * Run queues of Gs that compute: a 256-slot ring in every P, and a global queue for those that were
 * preempted or yielded, at most once a slice or a turn.  Who comes back from a call waits elsewhere
 * (home.h).
 *
 *              takes sched.lock   who
 *   runq_put   no                 who owns the P (so there is one producer)
 *   runq_get   no                 anybody
 *   runq_steal no                 anybody who owns another P
 *   globrunq_* yes                anybody, holding no lock
 *
 * Of those in the global queue one whose thread ran on this CPU goes before others that came within
 * two slices, where there are two Ps (docs/decisions/0007).
 *
 * Who waits by yields for another that does so, too (a FIFO lock or a ring of the host's), has a
 * turn in vain unless it is the one whose turn it is there, and nobody tells us which.  Were all
 * put at the tail, their order here and there would be two fixed ones, and half of them would be
 * asked at each step, for ever.  So those that looked in vain stand aside, and when one that waited
 * finds what it waited for, it goes to the tail and they before all others, as they were: the order
 * here becomes that in which they find it.  Without that their turn comes when it would have come.
 * Those may wait for something else, and the others have work to do; so there are never more turns
 * out of turn than turns before, and nobody has less than half of its share.
 */
#ifndef GMP_RUNTIME_RUNQ_H
#define GMP_RUNTIME_RUNQ_H

#include "runtime/types.h"

/* False when the ring is full. */
bool runq_put(struct p *p, struct g *g);
/* The oldest G, or NULL. */
struct g *runq_get(struct p *p);
/*
 * Takes half of the victim's ring: returns one G, puts the rest into p's ring.
 */
struct g *runq_steal(struct p *p, struct p *victim);
u32 runq_size(struct p *p);

/* To the tail, or aside, as g->looks says. */
void globrunq_put(struct g *g);
/* Gs in it and aside; a hint. */
u32 globrunq_size(void);
/*
 * Takes a fair share: returns the head and moves up to max - 1 more into p's ring.  max = 0: as
 * many as min(128, size / gomaxprocs + 1).  By: who owns p.
 */
struct g *globrunq_get(struct p *p, u32 max);

#endif

/*
 * Where new Gs wait for a P, and those back from a call: a home for every HOME_PS Ps, near the one
 * that the G had last.  These come and go at the rate of the program's calls, so that on 64 CPUs
 * one lock for all would be what they wait for; those that compute come once a slice (runq.h).
 *
 * A G that comes back from a call goes before those that just want to go on computing, or a thread
 * of short calls beside n hogs is late by n slices at every call.  Before it goes one that holds a
 * lock: a thousand threads may wait for that, one after the other, and the lock is passed on at the
 * rate at which its holders get a P.  But threads that hold one whenever they come back may be so
 * many that there is always one: when a G without has waited for a slice the two take turns.  The
 * boost is bounded: when a P has served such Gs for a slice, the next grant is for one of the
 * others.  Of those back from a call one whose thread ran on this CPU goes before others that came
 * at most a millisecond earlier (docs/decisions/0004).
 *
 * A P serves its own home first.  Where that is empty it goes to another; and at each grant it
 * looks at one of the others, in turn, whether somebody there waits a slice longer.
 */
#ifndef GMP_RUNTIME_HOME_H
#define GMP_RUNTIME_HOME_H

#include "runtime/types.h"

static inline struct home *home_of(const struct p *p)
{
	return &sched.homes[p->id / HOME_PS];
}

/* Gs that wait in all of them, those with a lock, and those without; hints. */
u32 homes_size(void);
u32 homes_holders(void);
u32 homes_back(void);

/* To the tail, at g->home. */
void home_put(struct g *g);
/* Whom p serves next at time now; NULL: nobody, or the bound of the boost is reached and somebody
 * waits elsewhere.  By: who owns p. */
struct g *home_get(struct p *p, u64 now);

#endif

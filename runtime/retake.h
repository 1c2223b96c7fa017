/*
 * Taking Ps back, from whoever blocks, announced or not, and from whoever runs too long.  All of
 * it: sysmon only.
 */
#ifndef GMP_RUNTIME_RETAKE_H
#define GMP_RUNTIME_RETAKE_H

#include "runtime/types.h"

/* A look at every P, at time now (ns): true when all moved on by themselves since the last one. */
bool retake(u64 now);

/*
 * If g sleeps in a call that nobody announced: takes p from it, without a signal, which would end
 * the call with EINTR.  False: it does not sleep, or has just woken, and keeps p.
 */
bool take_asleep(struct p *p, struct g *g);
/* Takes p from g, which will queue as soon as it has a CPU: our signal is there. */
void retake_starved(struct p *p, struct g *g);
/* Takes p from g, which runs on without, over the cap: it will not give way. */
void admit_over_cap(struct p *p, struct g *g);

#endif

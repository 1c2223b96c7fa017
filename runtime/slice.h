/*
 * Slices: how long a G may have its P while others wait for one, and what is done about it then.
 *
 * Over its slice: it is asked to give way, flag, then signal.  If it still holds the P a slice
 * later (it blocks our signal), it loses it all the same: one G over the cap, counted.
 *
 * While there are spinners (preempt.h), everybody is sent the signal within the slice, too: it
 * means nothing to who computes.
 */
#ifndef GMP_RUNTIME_SLICE_H
#define GMP_RUNTIME_SLICE_H

#include "runtime/types.h"

/* A thread that has had the CPU for so long since a signal was sent has taken it. */
#define HEARD_NS 1000000ul

/* g, which holds p, at time now.  By: sysmon. */
void slice_look(struct p *p, struct g *g, u64 now);
/* Looking less often would let one run over. */
u64 slice_shortest(void);

#endif

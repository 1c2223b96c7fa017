/*
 * How many Ps there are: gomaxprocs, of which nlent may be handed out.  None of it stops anybody.
 * Host's signals blocked where sched.lock is taken, as for all of proc.h.
 */
#ifndef GMP_RUNTIME_PROCS_H
#define GMP_RUNTIME_PROCS_H

#include "runtime/types.h"

/* Changes gomaxprocs, 1..MAXPROCS_MAX, without stopping anybody; returns the old value. */
u32 procresize(u32 n);
/*
 * For a while no more than n Ps, 0..gomaxprocs, are handed out; one that is held above that goes
 * when its G gives it up.  procresize() ends it.
 */
void procs_lend(u32 n);

/*
 * P: running -> dead, its ring's Gs to the global queue.  By: its owner, which found it above
 * nlent.  False: the number has been raised again, and it is as it was.
 */
bool procs_retire(struct p *p);

#endif

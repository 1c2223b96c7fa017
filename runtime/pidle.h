/*
 * Idle Ps, a bit each.  Nobody owns a P whose bit is set; who takes the bit off owns the P.
 *
 * No P is idle while a G waits for one, without a lock over both: who queues looks for an idle P
 * after that, and who lets a P go idle looks at the queues after that (docs/MEMORY_MODEL.md, @pair
 * idle).  So no spinning M is needed to find a queued G, as in Go.
 */
#ifndef GMP_RUNTIME_PIDLE_H
#define GMP_RUNTIME_PIDLE_H

#include "runtime/types.h"

bool pidle_has(u32 id);
/*
 * P: running -> idle, or dead if it is above nlent.  By: its owner, who looks at the queues then.
 * A full barrier.
 */
void pidleput(struct p *p);
/* P: idle -> running, the caller's.  False: it is not idle. */
bool pidle_claim(struct p *p);
/* The same, of one that will be dead: no event. */
bool pidle_remove(struct p *p);
/* The P held last when it is idle (its cache is ours), else any, else NULL; and while the world
 * stops. */
struct p *pidleget(struct p *want);

#endif

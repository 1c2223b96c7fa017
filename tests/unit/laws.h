/*
 * What must be so after every step of every simulated thread:
 *
 *   - no two Gs hold the same P, and nobody holds one that is idle or dead;
 *   - who runs user code holds a P, unless it blocked unseen or could not be asked (counted);
 *   - with nobody in the scheduler: handed out + idle = nlent, and no G waits while a P is idle;
 *   - while the world is stopped nobody holds a P;
 *   - who waits for a P has a sysmon, which does not sleep for long.
 */
#ifndef TESTS_UNIT_LAWS_H
#define TESTS_UNIT_LAWS_H

#include "runtime/types.h"

extern struct laws {
	bool life;	    /* sysmon is there when it is needed */
	bool world_stopped; /* says who stopped it */
} laws;

/* For fake.check. */
void laws_check(void);
/* g->hold as g's own thread sees it. */
u64 laws_hold_seen_by_owner(struct g *g);

#endif

/*
 * Strays: Gs that have lost their P while they ran, because they block in something that nobody
 * announced, or did not give way.  One comes home at its next gate; one that is seen running again
 * is sent the signal.
 */
#ifndef GMP_RUNTIME_STRAY_H
#define GMP_RUNTIME_STRAY_H

#include "runtime/types.h"

/* By: sysmon, who has taken g's P. */
void stray_add(struct g *g);
/* The same, which sleeps in call, outside of a bracket. */
void stray_found(struct g *g, int call);
/* Looks at them all.  True when one of them has run since the last look.  By: sysmon. */
bool strays_look(u64 now);
/* From this look to the next, after `last` from the one before, 0: there was none. */
u64 strays_delay(u64 last, bool moved);

#endif

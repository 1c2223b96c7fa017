/*
 * Pacing: a CPU quota that the Ps overrun is spent evenly.
 *
 * With half a CPU there is still one P.  The kernel lets a group that has spent its quota stand
 * until the period, 100 ms, is over: every thread at once, whatever it holds or was about to
 * answer.  So the process is given its share continuously, as credit; when it has overdrawn, the
 * last P rests until it is paid back: milliseconds, at a place where a G can be preempted.
 *
 * CPU time in calls counts, though no P is needed for it: so there is pacing under a quota of one
 * CPU, too.  What other processes of the group spend is not seen.
 */
#ifndef GMP_RUNTIME_PACE_H
#define GMP_RUNTIME_PACE_H

#include "runtime/types.h"

/* All zero at first.  sysmon only. */
struct pace {
	u64 at_ns;    /* when the books were made up, 0: never */
	u64 due_ns;   /* when they are next */
	u64 interval; /* between the two, while little is spent */
	i64 cpu_ns;   /* CPU time spent by then */
	i64 credit;   /* ns of CPU time; negative: overdrawn */
	u32 resting;  /* Ps that are not lent */
	bool little;  /* less than half of the share was spent since the last time */
};

/* Makes up the books when they are due, and lets Ps rest or work.  When that is next; 0: never. */
u64 pace_round(struct pace *a, u64 now);
/* All Ps work again, and the books are begun anew. */
void pace_stop(struct pace *a);

#endif

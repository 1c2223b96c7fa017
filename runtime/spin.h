/*
 * Spinning, as Go's Ms do before they sleep.  A virtual CPU that went idle takes 50 to 200 us to
 * wake, ten times what the rest of a hand-off takes.  So the thread of a G that waits for a P looks
 * out for it a moment, if it waits alone, was served so soon last time, and there is a CPU that
 * neither a P, nor a quota of ours, nor another process has a use for.
 *
 * Who gave its P away by a yield looks out as well, unless there is a quota, and yields to whoever
 * the kernel has for that CPU between the looks: the one that has the P now may be among them, and
 * gives it back as soon as it waits in its turn, to a thread that is awake.
 */
#ifndef GMP_RUNTIME_SPIN_H
#define GMP_RUNTIME_SPIN_H

#include "runtime/types.h"

/*
 * True: a P has come through m's note.  By: m, queued, signals blocked, so for 60 us at most, and
 * for as long as the kernel runs others in its place; mask is what they will be.  A handler that
 * has come by then counts as one that ran in the queue.  yields: it came here by a yield.
 */
bool spin_for_grant(struct m *m, u64 mask, bool yields);
/* What to learn from a wait of so many ns.  By: m. */
void spin_learn(struct m *m, u64 waited);

#endif

/*
 * Spinning, as Go's Ms do before they sleep.  A virtual CPU that went idle takes 50 to 200 us to
 * wake, ten times what the rest of a hand-off takes.  So the thread of a G that waits for a P looks
 * out for it a moment, if it waits alone, was served so soon last time, and there is a CPU that
 * neither a P, nor a quota of ours, nor another process has a use for.
 */
#ifndef GMP_RUNTIME_SPIN_H
#define GMP_RUNTIME_SPIN_H

#include "runtime/types.h"

/*
 * True: a P has come through m's note.  By: m, queued, signals blocked, so for 60 us at most; mask
 * is what they will be.  A handler that has come by then counts as one that ran in the queue.
 */
bool spin_for_grant(struct m *m, u64 mask);
/* What to learn from a wait of so many ns.  By: m. */
void spin_learn(struct m *m, u64 waited);

#endif

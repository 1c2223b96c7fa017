/*
 * The holder of a lock of the host's, known by its tid: does it have the lock only because we hold
 * it up?  Who only tries for a lock counts on its being free again in no time, and may not come
 * back for long; so it must not meet a lock whose holder is to be let go on by us.
 *
 * Async-signal-safe, lock-free.  A hint: who else holds or takes the lock goes on meanwhile.
 */
#ifndef GMP_RUNTIME_HOLDER_H
#define GMP_RUNTIME_HOLDER_H

#include "runtime/types.h"

/* m has a thread, m->tid.  By: that thread, at its birth. */
void holder_named(struct m *m);

/*
 * True: tid is one of ours that waits for a P, or that is on its way into or out of a wait for the
 * mutex at lock, or with it for a condition.  False for a thread that is not known.
 */
bool holder_held_up(i32 tid, uintptr_t lock);

#endif

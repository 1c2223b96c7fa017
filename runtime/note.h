/*
 * One-shot sleep and wake on a futex, carrying one value: the P that a parked M wakes up with.
 * The sleeper may be interrupted by signal handlers, and may leave through longjmp and come back
 * later: the value stays until note_clear().  Or another context of the thread, which a handler
 * changed to, may take it: so each wait has an empty word of its own, and the kernel, which goes
 * back to sleep on the old one by itself, does not.
 */
#ifndef GMP_RUNTIME_NOTE_H
#define GMP_RUNTIME_NOTE_H

#include "runtime/types.h"

#define NOTE_VALUE 0xffffu /* the rest of the word counts the waits */
#define NOTE_DISSOLVED NOTE_VALUE

/*
 * Blocks until m->park has a value, returns it; 0 when m->live reads 0: a handler forked, and this
 * is the child, for whom nobody has a value; or when m->queued is false: it was taken by another
 * context.  m->cuts counts the handlers without SA_RESTART that ran: a call would have failed with
 * EINTR.  By: m.
 */
u32 note_sleep(struct m *m);
/* The value, 0 = none yet.  By: anybody. */
static inline u32 note_value(struct note *n)
{
	return load_acq(&n->key) & NOTE_VALUE; /* @pair note */
}
/* Stores value (not 0) and wakes the sleeper.  The note must be clear.  By: anybody, once. */
void note_wakeup(struct note *n, u32 value);
/* The word: the value, and which wait it is for.  By: anybody. */
static inline u32 note_key(struct note *n)
{
	return load_acq(&n->key); /* @pair note */
}
/* Takes back the value that key shows, if the wait is still that one; the sleeper sleeps on. */
bool note_withdraw(struct note *n, u32 key);
/* Takes the value away.  By: the owner, after waking. */
void note_clear(struct note *n);

#endif

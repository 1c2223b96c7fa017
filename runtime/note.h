/*
 * One-shot sleep and wake on a futex, carrying one value: the P that a parked M wakes up with.
 * The sleeper may be interrupted by signal handlers, and may leave through longjmp and come back
 * later: the value stays until note_clear().
 */
#ifndef GMP_RUNTIME_NOTE_H
#define GMP_RUNTIME_NOTE_H

#include "runtime/types.h"

#define NOTE_DISSOLVED (~0u)

/*
 * Blocks until there is a value, returns it; 0 when *live reads 0: a handler forked, and this is
 * the child, for whom nobody has a value.  By: the note's owner.
 */
u32 note_sleep(struct note *n, au32 *live);
/* Stores value (not 0) and wakes the sleeper.  The note must be clear.  By: anybody, once. */
void note_wakeup(struct note *n, u32 value);
/* Takes the value away.  By: the owner, after waking. */
void note_clear(struct note *n);

#endif

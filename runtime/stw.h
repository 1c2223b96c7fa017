/* Stopping the world and starting it again; gmprt.h says what that promises. */
#ifndef GMP_RUNTIME_STW_H
#define GMP_RUNTIME_STW_H

#include "runtime/types.h"

/*
 * Asks for the Ps from number `from` on: those on loan are handed on at once.  sysmon: it is the
 * caller, who can ask the kernel who sleeps in a call that nobody announced, takes the P from that
 * one, and preempts who runs.  How many are still held; a G that entered a call meanwhile is found
 * by the next round only.  Signals blocked.
 */
u32 call_in(u32 from, bool sysmon);
/*
 * Once the cap was lowered: the same for the Ps above it, also while nobody waits, or who only
 * computes would keep one for ever; for all, and strays too, while somebody stops the world.  When
 * to ask again, 0: none is held.  sysmon only.
 */
u64 call_in_excess(u64 now);
/* 0, -ETIMEDOUT after timeout_ms (0: no limit), -EOPNOTSUPP when the cap is dissolved. */
int stoptheworld(u32 timeout_ms);
/* By: who stopped it. */
void starttheworld(void);

#endif

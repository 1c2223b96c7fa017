/*
 * Who pays for the StoreLoad pairs of MEMORY_MODEL.md.
 *
 *   quiet    hardly anybody asks: the side that every call passes, fence_light(), is free, and who
 *            asks, fence_heavy(), pays with membarrier(2).
 *   busy     questions are frequent; an interrupt on every CPU for each is dear, and 5 ns a call
 *            are not: both sides are full fences.
 *   turning  on the way from quiet to busy: the light side is full, who asks still pays, until one
 *            membarrier has drained every light side that saw quiet.
 *
 * sysmon turns it: to busy when Gs wait for a P, or when questions were many since it looked last,
 * and to quiet when it goes to sleep.  The way back needs no barrier, because
 * fence_heavy() looks at the mode after a fence of its own.  Without membarrier it is always busy.
 *
 * Rejected: membarrier for each question (2-5 us on a virtual machine, as much as the switch of
 * threads that a picked-up P saves); a full fence in every call.
 */
#ifndef GMP_RUNTIME_FENCE_H
#define GMP_RUNTIME_FENCE_H

#include "runtime/atomic.h"

/* Once, before the second thread exists. */
void fence_init(void);
/* GMP_HELP: says on stderr which form it is going to have.  By: the only thread there is. */
void fence_help(void);
/* By: sysmon. */
void fence_busy(void);
void fence_quiet(void);

/* What was asked until some time ago. */
struct fence_watch {
	u32 asked;
	u64 since_ns;
};
#define FENCE_WATCH_NS 20000000
/*
 * Nobody waits for a P.  Still many may be asked for, by Gs that come back from a call and find it
 * lent in another one.  True: it is quiet now.  False: look again in FENCE_WATCH_NS.  By: sysmon.
 */
bool fence_settle(struct fence_watch *w, u64 now);

/* Is there a membarrier?  Without it the mode is busy for ever. */
bool fence_is_cheap(void);

static inline bool fence_is_busy(void)
{
	return load_rlx(&fence_mode) == FENCE_BUSY; /* relaxed: a hint; fence_heavy() decides */
}

#endif

/*
 * When there is a sysmon: from the second G on until one has been alone for a while, so that a host
 * that has joined all its threads is a process with one thread again, as it would be without us.
 *
 * sched.life guards the thread: who holds it starts and joins it, and nobody else stores to
 * sched.sysmon_on.  A thread that has left (sysmon_leave()) or was told to go (sysmon_end()) is
 * joined before the next one starts, so there are never two, and what belongs to sysmon alone is
 * handed down by the join.
 *
 * Who makes a G counts it and then looks for sysmon; who lets sysmon go says so and then counts the
 * Gs (@pair leave, StoreLoad).  So no G begins in the belief that there is a sysmon that is gone.
 *
 * Rejected: a detached thread, which nobody could wait for (unshare() needs it gone, and the
 * process must not end in it); sched.life around each birth, for a preempted holder stops them all.
 */
#ifndef GMP_RUNTIME_SYSMON_LIFE_H
#define GMP_RUNTIME_SYSMON_LIFE_H

#include "runtime/types.h"

/*
 * There is a sysmon if there are two Gs.  By: who made a G, before it waits for a P.  False: it
 * could not be started.
 */
bool sysmon_need(void);
/*
 * Ends the thread if `most` Gs are left, no more, and waits for it.  True: there was one, and it is
 * gone.  By: a thread of the host.
 */
bool sysmon_end(u32 most);
/* True when one G is left: the caller returns and touches nothing any more.  By: sysmon. */
bool sysmon_leave(void);

#endif

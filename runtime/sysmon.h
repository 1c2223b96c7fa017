/*
 * The watcher: takes Ps back (retake.h), follows the limits, and does whatever else must be done in
 * time and is nobody's own business.
 *
 * Exists while there are two Gs or more, and a while longer (sysmon_life.h). While nobody waits
 * for a P it sleeps on a futex for a second; the first waiter kicks it (@pair doze, StoreLoad:
 * queue, then read sysmon_asleep; set sysmon_asleep, then read the queue). While somebody waits
 * it looks every 20 us, less often the longer nothing changes, and never so late that a slice runs
 * over.
 */
#ifndef GMP_RUNTIME_SYSMON_H
#define GMP_RUNTIME_SYSMON_H

#include "runtime/types.h"

/* The thread's body; returns when sysmon_stop() was called, or sysmon_leave() said so. */
void sysmon_main(void);
/* One G is left.  By: who ended the last but one, after it was counted off. */
void sysmon_tell_alone(void);
/* Somebody queued for a P: it must not sleep.  By: anybody.  Signal-safe. */
void sysmon_kick(void);
/* There is something to look at now, between two rounds, too. */
void sysmon_hurry(void);
/*
 * Waits until sysmon_main() has a descriptor table of its own: while the kernel makes it, it may
 * hold copies of the host's descriptors for a moment, and a close by the host would not be the last
 * one.
 */
void sysmon_await_start(void);
/* There are Ps above the cap, or of a world to be stopped, which some hold who may only compute. */
void sysmon_call_in(void);
/* Asks the thread to end; the caller waits for it by libc's means. */
void sysmon_stop(void);

#endif

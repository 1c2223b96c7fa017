/*
 * How many Ps: GMP_MAXPROCS; else the CPUs that our threads may use, but no more than the quota of
 * our cgroups, rounded as GMP_QUOTA_ROUND says.  At least 1, at most MAXPROCS_MAX.
 */
#ifndef GMP_RUNTIME_LIMIT_H
#define GMP_RUNTIME_LIMIT_H

#include "runtime/types.h"

#define LIMIT_EVERY_NS 1000000000ul

/* Looks how many CPUs and how much quota there are, for limit_procs() and for sched.ncpu.  By: one
 * thread at a time, before sysmon runs; then sysmon alone. */
void limit_look(void);
/* How many Ps there should be now; looks, unless the option says it.  By: as above. */
u32 limit_procs(void);
/* The number to start with; from now on it is followed, unless GMP_MAXPROCS has set it. */
u32 limit_start(void);
bool limit_followed(void);
/* The quota that the number follows, in QUOTA_UNITs of cgroup.h; QUOTA_NONE: none, or it is not
 * less than the CPUs.  By: sysmon. */
u64 limit_share(void);
/* Reads again, and resizes when that has changed.  By: sysmon. */
void limit_follow(void);
/* When to do so after `now`: 10 and 100 ms after the start, for who pins its threads does it then,
 * and the first one before it starts us; later on every LIMIT_EVERY_NS. */
u64 limit_next(u64 now);
/* The host says how many, and is not overruled once this returns.  The old number. */
u32 limit_set(u32 n);
/* Leaves it as it is for good. */
void limit_freeze(void);

#endif

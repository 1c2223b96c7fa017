/* Counters: relaxed adds on slow paths; the list is STATS in types.h. */
#ifndef GMP_RUNTIME_STATS_H
#define GMP_RUNTIME_STATS_H

#include "runtime/types.h"

#define stat_add(name, n) ((void)add_rlx(&sched.stats.name, (n)))
#define stat_get(name) load_rlx(&sched.stats.name)
#define stat_max(name, n) stat_raise(&sched.stats.name, (n))

/* Raises a to at least n. */
void stat_raise(au64 *a, u64 n);
/* Counts a G found blocked in call (a syscall number, or PROBE_FAULT) outside a bracket. */
void stat_stray(int call);

/* The one line of GMP_STATS=1, on stderr. */
void stats_print(void);
/* One SCHED line in Go's format, on stderr.  By: sysmon. */
void schedtrace(u64 now);

#endif

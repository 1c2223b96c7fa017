/*
 * Counters: relaxed adds on slow paths; the list is stats.def.  They live in the page that tools
 * read (page.h), or in sched when there is none; a forked child starts without a page, at zero.
 */
#ifndef GMP_RUNTIME_STATS_H
#define GMP_RUNTIME_STATS_H

#include "runtime/types.h"

static inline struct stats *stats_now(void)
{
	/* acquire, @pair page: the counters were moved there before. */
	struct statpage *page = load_acq(&sched.page);

	return unlikely(!page) ? &sched.own_stats : &page->stats;
}

#define stat_add(name, n) ((void)add_rlx(&stats_now()->name, (n)))
#define stat_get(name) load_rlx(&stats_now()->name)
#define stat_max(name, n) stat_raise(&stats_now()->name, (n))

/* Raises a to at least n. */
void stat_raise(au64 *a, u64 n);
/* Counts a G found blocked in call (a syscall number, or PROBE_FAULT) outside a bracket. */
void stat_stray(int call);
/* Counts a wait for a P. */
void stat_waited(u64 ns);

/* What is true now; racy reads, as all readers of a running program get. */
void stats_gauges(struct gauges *ret);

/* The one line of GMP_STATS=1, on stderr. */
void stats_print(void);

#endif

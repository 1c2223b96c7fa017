/*
 * Events of the scheduler (trace.def) into a mapped file (trace_file.h).
 *
 * Off, a hook costs the test of one word beside those that the bracket reads anyway.  On, it
 * costs a clock, a local compare-and-swap and 16 bytes.  Async-signal-safe: a slot is reserved by
 * one instruction, so a handler that comes between two of ours writes behind us, and one that
 * jumps away leaves an empty slot.
 *
 * Mapped memory is never unmapped: trace_stop() puts anonymous memory in its place.  A thread may
 * have been parked, for minutes, between reserving a slot and filling it.
 *
 * Rejected: a ring a thread and a thread that drains them (Go): it needs a P of its own when it is
 * most needed, loses events when it comes late, and nothing is left after a crash.
 */
#ifndef GMP_RUNTIME_TRACE_H
#define GMP_RUNTIME_TRACE_H

#include "runtime/trace_file.h"
#include "runtime/types.h"

void trace_event(enum trace_type type, u32 a, u64 b);

/* a: 16 bits, b: 32. */
#define trace(type, a, b) \
	do { \
		if (unlikely(load_rlx(&sched.tracing))) \
			trace_event((type), (a), (b)); \
	} while (0)

/* The P that g holds, or NO_P. */
static inline u32 trace_p(struct g *g)
{
	u64 hold = load_rlx(&g->hold);

	return hold_of(hold) == HOLD_LOST ? NO_P : hold_pid(hold);
}

/* Maps the file, size bytes of it allocated, and starts.  By: sysmon.  0 or -errno. */
int trace_start(const char *path, u64 size);
/* GMP_TRACE: the same with a file of our making.  By: sysmon, before it is ready. */
void trace_from_start(void);
void trace_stop(void);
/* In a forked child. */
void trace_forget(void);

#endif

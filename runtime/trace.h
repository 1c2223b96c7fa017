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
 * Dates.  Who gives a P to a G or takes it from one reads the G's word, the clock, and then changes
 * the word by CAS (hold.c); the event is written after.  So at that date nothing had changed yet,
 * and whatever follows is later: in order of dates no P has two Gs and no G two Ps, however late an
 * event is written, and readers need not guess.  (Dated after the word, the taker's event could
 * come behind the start of the robbed G on its next P: a few in 100,000 on a busy machine.)  A
 * change that was begun before the trace has no date: either it is done before the trace tells what
 * is so, or it finds another word, and begins again (hold_renew()).
 *
 * Rejected: a ring a thread and a thread that drains them (Go): it needs a P of its own when it is
 * most needed, loses events when it comes late, and nothing is left after a crash.
 */
#ifndef GMP_RUNTIME_TRACE_H
#define GMP_RUNTIME_TRACE_H

#include "runtime/trace_file.h"
#include "runtime/types.h"

void trace_event(enum trace_type type, u64 date, u32 a, u64 b);
u64 trace_clock(void);

/* Now, for an event to come; 0 when there is no trace.  If one has begun by then, that is no event
 * of its, and what it tells at its begin has it already (hold_renew()). */
static inline u64 trace_date(void)
{
	/* acquire, @pair trace: which clock it is. */
	return unlikely(load_acq(&sched.tracing)) ? trace_clock() : 0;
}

/* a: 16 bits, b: 32. */
#define trace_dated(date, type, a, b) \
	do { \
		if (unlikely(load_rlx(&sched.tracing))) \
			trace_event((type), (date), (a), (b)); \
	} while (0)
#define trace(type, a, b) trace_dated(trace_date(), type, a, b)

/* The P of a G whose hold is this, or NO_P. */
static inline u32 trace_held(u64 hold)
{
	return hold_of(hold) == HOLD_LOST ? NO_P : hold_pid(hold);
}

static inline u32 trace_p(struct g *g)
{
	return trace_held(load_rlx(&g->hold));
}

/* Maps the file, size bytes of it allocated, and starts.  By: sysmon.  0 or -errno. */
int trace_start(const char *path, u64 size);
/* GMP_TRACE: the same with a file of our making.  By: sysmon, before it is ready. */
void trace_from_start(void);
void trace_stop(void);
/* In a forked child. */
void trace_forget(void);

#endif

/* The cold halves of the bracket: somebody waits for a P, asked for ours, or took it. */
#include "runtime/entersyscall.h"

#include "runtime/loan.h"
#include "runtime/os.h"
#include "runtime/preempt.h"
#include "runtime/proc.h"
#include "runtime/sysmon.h"
#include "runtime/trace.h"

void entersyscallblock(struct m *m)
{
	u64 mask = crit_enter();
	struct p *p = releasep(m->g);

	if (p) {
		trace(GO_BLOCK, p->id, m->g->goid);
		handoffp(p);
	}
	crit_leave(mask);
}

/* Asks the kernel whether a call on a descriptor is going to wait: 0.2 us, against 20 us and more
 * until sysmon finds out by itself.  Only worth it while somebody waits for a P. */
static bool would_wait(u64 class)
{
	return class & (PROBE_READ | PROBE_WRITE) &&
	       os_would_block((int)(class >> 32), class & PROBE_WRITE);
}

static void trace_begin(struct m *m)
{
	m->traced = 1;
	trace_event(GO_SYSCALL_BEGIN, load_rlx(&m->g->callno) & 0xffff, trace_p(m->g));
}

static void trace_end(struct m *m, bool lost)
{
	struct g *g = m->g;

	m->traced = 0;
	if (lost)
		trace(GO_SYSCALL_END_BLOCKED, load_rlx(&g->callno) & 0xffff, 0);
	else
		trace(GO_SYSCALL_END, load_rlx(&g->callno) & 0xffff, trace_p(g));
}

static void lend_or_hand_off(struct m *m)
{
	u64 class = load_rlx(&m->class); /* relaxed: our own */
	bool probed = class & (PROBE_READ | PROBE_WRITE | PROBE_DONE);
	bool waits = call_class(m->g) == WILL_WAIT || would_wait(class);

	if (probed && !waits)
		sysmon_kick(); /* a short call, or its next round is soon enough */
	else if (!waits || loan_leave(m))
		sysmon_hurry();
	else
		entersyscallblock(m);
}

/*
 * The rare half of entersyscall(): a preemption signal is under way to us, or somebody waits for a
 * P. No bracket is entered with a signal in flight: it would cut the call short (a stray EINTR).
 */
void entersyscall_slow(struct m *m)
{
	struct g *g = m->g;
	bool asked;

	while (load_acq(&m->sig) != SIG_NONE) { /* @pair signal */
		store_rlx(&g->status, G_RUNNING);
		preempt_settle(m);
		store_rel(&g->status, G_SYSCALL);
		fence_light(); /* @pair signal */
	}
	if (unlikely(load_rlx(&sched.tracing)))
		trace_begin(m);
	if (load_rlx(&sched.nwait) == 0)
		return;
	asked = load_rlx(&g->preempt) && !preempt_put_off(m);
	if (asked || turn_over(m->p))
		entersyscallblock(m);
	else
		lend_or_hand_off(m);
}

/* Somebody asked for the P while we came home: we are home, so we keep it. */
static bool refuse(struct g *g, u64 w)
{
	u64 kept = hold_make(hold_serial(w) + 1, hold_pid(w), HOLD_KEPT);

	/* acq_rel, @pair hold. */
	return cas_ar(&g->hold, w, kept);
}

void exitsyscall_slow(struct m *m)
{
	struct g *g = m->g;
	u64 w = load_acq(&g->hold); /* @pair hold */

	while (hold_of(w) == HOLD_ASKED && !refuse(g, w))
		w = load_acq(&g->hold);
	if (unlikely(m->traced))
		trace_end(m, hold_of(w) == HOLD_LOST);
	if (hold_of(w) == HOLD_LOST) {
		store_rlx(&g->preempt, 0);
		acquirep(m, true);
	} else if (load_rlx(&g->preempt)) {
		preempt_yield(m);
	}
}

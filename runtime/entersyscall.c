/* The cold halves of the bracket: somebody waits for a P, asked for ours, or took it. */
#include "runtime/entersyscall.h"

#include "runtime/hold.h"
#include "runtime/loan.h"
#include "runtime/os.h"
#include "runtime/preempt.h"
#include "runtime/proc.h"
#include "runtime/sysmon.h"
#include "runtime/trace.h"

void entersyscallblock(struct m *m)
{
	u64 mask = crit_enter();
	struct p *p = releasep(m->g, GO_BLOCK);

	if (p)
		handoffp(p);
	crit_leave(mask);
}

static bool can_be_asked(u64 class)
{
	return class & (PROBE_READ | PROBE_WRITE) || class_wait(class) == WAIT_POLL;
}

/* Not O_NONBLOCK, which is remembered: a read of one that is so now comes back all the same, only
 * later. */
static bool blocking(struct m *m, u32 fd)
{
	if (m->blocking_fd != fd + 1 && !os_nonblocking((int)fd))
		m->blocking_fd = fd + 1;
	return m->blocking_fd == fd + 1;
}

/*
 * Is the call going to wait?  Some can be asked, the kernel knows: 0.2 us, against two hand-overs.
 * Only worth it while somebody waits for a P.
 */
static bool would_wait(struct m *m, u64 class)
{
	u32 fd = (u32)(class >> 32);

	if (class_wait(class) == WAIT_POLL)
		return !os_poll_ready(class_object(class));
	if (!can_be_asked(class))
		return call_class(m->g) == WILL_WAIT;
	if (os_ready((int)fd, class & PROBE_WRITE))
		return false;
	return call_class(m->g) == WILL_WAIT || blocking(m, fd);
}

static void trace_begin(struct m *m)
{
	m->traced = 1;
	trace(GO_SYSCALL_BEGIN, load_rlx(&m->g->callno) & 0xffff, trace_p(m->g));
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

/* From here on data may come sooner than a P: await_p().  Not where a read does not wait for it. */
static void begins_to_wait(struct m *m)
{
	u64 class = load_rlx(&m->class);

	if (class & QUEUES && blocking(m, (u32)(class >> 32)))
		m->lent_ns = os_nanotime();
}

static void hand_off(struct m *m)
{
	begins_to_wait(m);
	entersyscallblock(m);
}

static void lend_or_hand_off(struct m *m)
{
	u64 class = load_rlx(&m->class); /* relaxed: our own */
	bool known = can_be_asked(class) || class & PROBE_DONE, waits;

	m->lent_ns = 0;
	/* A P that others keep picking up is left to them without a question. */
	if (known && load_rlx(&m->p->luck) && loan_leave(m)) {
		sysmon_kick(); /* its next round is soon enough */
		return;
	}
	waits = would_wait(m, class);
	if (known && !waits) {
		sysmon_kick(); /* and for a short call */
		return;
	}
	if (!waits || loan_leave(m)) {
		begins_to_wait(m);
		sysmon_hurry();
	} else {
		hand_off(m);
	}
}

/* G: running -> syscall, once more. */
static void enter_again(struct m *m)
{
	store_rel(&m->g->status, G_SYSCALL);
	fence_light(); /* @pair signal */
}

/* No bracket is entered with a signal in flight: it would cut the call short (a stray EINTR). */
static void no_signal_in_flight(struct m *m)
{
	while (load_acq(&m->sig) != SIG_NONE) { /* @pair signal */
		store_rlx(&m->g->status, G_RUNNING);
		preempt_settle(m);
		enter_again(m);
	}
}

/* Somebody wants our P, or its data was always there for a turn.  Other calls are mostly short. */
static bool must_give_up(struct m *m)
{
	u64 class = load_rlx(&m->class);
	bool for_data = class & PROBE_READ || class_wait(class) == WAIT_POLL;

	return (load_rlx(&m->g->preempt) && !preempt_put_off(m)) || (for_data && turn_over(m->p));
}

/* ---- reads that queue first: docs/decisions/0004 ---- */

#define EAGER 2 /* reads whose data came before a P did, until the next one queues first */

/*
 * G: syscall -> runnable -> syscall, at the door of a read.  Where Gs queue for Ps longer than for
 * their data, a read that waits costs two switches of threads: data wakes the thread, which finds
 * no P, and sleeps again.  One that queues first finds both.  True: make the call now, it will not
 * wait; or do not make it, m->cut.
 */
static bool queue_first(struct m *m)
{
	u64 class = load_rlx(&m->class);
	u32 cuts = m->cuts;

	if (!(class & QUEUES) || m->eager < EAGER)
		return false;
	if (!must_give_up(m) && !would_wait(m, class)) {
		sysmon_kick();
		return true;
	}
	/*
	 * Asked each time: whoever shares the socket may set it, by a number of its own.  The
	 * limit would begin late, and such a read fails with EINTR after any handler.
	 */
	if (os_read_timed((int)(class >> 32)))
		return false;
	store_rlx(&m->g->status, G_RUNNING);
	gosched(m, true);
	if (!load_rlx(&m->live)) /* a handler forked, and this is the child */
		return true;
	enter_again(m);
	no_signal_in_flight(m);
	if (!would_wait(m, class))
		return true;
	m->eager = 0;
	/* The number may have been another's: a read that never waits does not fail so. */
	m->cut = m->cuts != cuts && !os_nonblocking((int)(class >> 32));
	return m->cut;
}

/* Home from a read that had lost its P: would its data have been there, had it queued first? */
static void await_p(struct m *m)
{
	u64 lent = m->lent_ns, home = lent ? os_nanotime() : 0;

	m->lent_ns = 0;
	acquirep(m, true);
	if (lent)
		m->eager = os_nanotime() - home > home - lent ? m->eager + 1 : 0;
}

/*
 * The rare half of entersyscall(): a preemption signal is under way to us, or somebody waits for a
 * P.
 */
void entersyscall_slow(struct m *m)
{
	bool done;

	no_signal_in_flight(m);
	done = load_rlx(&sched.nwait) == 0 || load_rlx(&sched.dissolved) || queue_first(m);
	if (unlikely(load_rlx(&sched.tracing)) && load_rlx(&m->live))
		trace_begin(m);
	if (done)
		return;
	if (must_give_up(m))
		hand_off(m);
	else
		lend_or_hand_off(m);
}

/* ---- the way back ---- */

void exitsyscall_slow(struct m *m)
{
	struct g *g = m->g;
	u64 w = refuse_seizers(g);

	if (unlikely(m->traced))
		trace_end(m, hold_of(w) == HOLD_LOST);
	if (hold_of(w) == HOLD_LOST) {
		store_rlx(&g->preempt, 0);
		await_p(m);
	} else if (load_rlx(&g->preempt)) {
		preempt_yield(m);
	}
}

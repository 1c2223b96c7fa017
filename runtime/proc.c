/*
 * The scheduler proper: P tokens, their queues, and the one way a thread gets or loses one.
 *
 * Direct hand-off: who frees a P picks the next G by findrunnable() and wakes it with the P in
 * hand.  A P is idle only when no G waits: who queues looks for an idle P after that, who lets a P
 * go idle looks at the queues after that (pidle.h).
 *
 * Rejected: waking a G to compete for the P (thundering herd, and the hog wins each time).
 */
#include "runtime/proc.h"

#include "runtime/cpu.h"
#include "runtime/entersyscall.h"
#include "runtime/hold.h"
#include "runtime/home.h"
#include "runtime/loan.h"
#include "runtime/lock.h"
#include "runtime/note.h"
#include "runtime/opts.h"
#include "runtime/os.h"
#include "runtime/pidle.h"
#include "runtime/preempt.h"
#include "runtime/procs.h"
#include "runtime/runq.h"
#include "runtime/spin.h"
#include "runtime/stats.h"
#include "runtime/sysmon.h"
#include "runtime/trace.h"

#define GLOBAL_EVERY 61 /* as Go: the global queue is never starved by a ring */

struct sched sched;

u64 crit_enter(void)
{
	return os_block_signals();
}

void crit_leave(u64 mask)
{
	os_restore_signals(mask);
}

/* ---- finding work; p is owned by the caller ---- */

static struct g *steal(struct p *p)
{
	u32 n = load_rlx(&sched.nallp),
	    first = (u32)load_rlx(&sched.goidgen) + load_rlx(&p->schedtick);

	for (u32 i = 0; i < n; i++) {
		struct p *victim = sched.allp[(first + i) % n];
		struct g *g = victim == p ? NULL : runq_steal(p, victim);

		if (g)
			return g;
	}
	return NULL;
}

/*
 * The next G for p: one with a lock or back from a call, own ring (every 61st time the global queue
 * first), global batch, then steal.
 */
static struct g *findrunnable(struct p *p)
{
	struct g *g;

	if (load_rlx(&sched.stopping))
		return NULL;
	g = home_get(p, os_nanotime());
	if (!g && load_rlx(&p->schedtick) % GLOBAL_EVERY == 0)
		g = globrunq_get(p, 1);
	if (!g)
		g = runq_get(p);
	if (!g)
		g = globrunq_get(p, 0);
	return g ? g : steal(p);
}

bool sched_any_queued(void)
{
	bool found = globrunq_size() || homes_size();

	for (u32 i = 0; i < load_rlx(&sched.nallp) && !found; i++)
		found = runq_size(sched.allp[i]);
	return found;
}

/*
 * As findrunnable, but *p ends idle or dead when there is no G (NULL).  A P above the cap dies, and
 * an idle one, if there is one, takes its place: the caller may have queued a G this moment.
 */
static struct g *next(struct p **p)
{
	for (;;) {
		struct g *g;

		if (unlikely((*p)->id >= load_rlx(&sched.nlent)) && procs_retire(*p)) {
			*p = pidleget(NULL);
			if (!*p)
				return NULL;
			continue;
		}
		g = findrunnable(*p);
		if (g)
			return g;
		pidleput(*p); /* it may be dead now, and what was in its ring queued */
		if (load_rlx(&sched.stopping) || !sched_any_queued())
			return NULL; /* @pair idle, stopping */
		*p = pidleget(*p);
		if (!*p)
			return NULL; /* who has an idle one instead serves whom we see */
	}
}

/* ---- handing on ---- */

static void new_slice(struct p *p)
{
	/* relaxed, both: sysmon compares the tick with what it saw. */
	store_rlx(&p->granted_ns, os_nanotime());
	store_rlx(&p->schedtick, load_rlx(&p->schedtick) + 1);
	store_rlx(&p->yields, 0); /* relaxed: one whose P was taken this moment counts there */
}

/* Counts the row of boosted grants that the one to g, at time now, is part of or ends. */
static void boost(struct p *p, struct g *g, u64 now)
{
	u64 row = p->boost_ns ? now - p->boost_ns : 0;

	store_rlx(&p->owed_ns, g->back ? 0 : row); /* relaxed: sysmon's hint */
	p->boost_ns = !g->back ? 0 : p->boost_ns ? p->boost_ns : now;
}

/* G: queued -> granted.  By: who owns p and took g off its queue. */
static void grant(struct p *p, struct g *g)
{
	add_sc(&sched.nwait, (u32)-1); /* a full fence for hand_on(), too */
	new_slice(p);
	boost(p, g, load_rlx(&p->granted_ns));
	/* release, @pair owner: sysmon may look at g through p from here on. */
	store_rel(&p->g, g);
	store_rlx(&p->served_ns, load_rlx(&p->granted_ns)); /* relaxed: loan.c's hint */
	stat_add(handoffs, 1);
	trace(GO_UNBLOCK, p->id, g->goid);
	note_wakeup(&g->m->park, p->id + 1);
}

/*
 * p goes to whoever is next.  By: its owner.  What was moved into its ring on the way was in no
 * queue for a moment, and a P may have gone idle that did not see it: one such P wakes the next.
 */
static void hand_on(struct p *p)
{
	struct g *g;

	while (p && (g = next(&p))) {
		grant(p, g);
		/* acquire, @pair idle: after grant()'s fence. */
		p = load_acq(&sched.npidle) && sched_any_queued() ? pidleget(NULL) : NULL;
	}
}

/* An idle P, if there is one, for a G that was queued this moment.  By: who queued it. */
static void serve_idle(void)
{
	fence_full(); /* @pair idle */
	if (unlikely(load_acq(&sched.npidle)))
		hand_on(pidleget(NULL));
}

void handoffp(struct p *p)
{
	store_rlx(&p->g, NULL); /* relaxed: a stale owner fails seize_ask()'s check */
	hand_on(p);
}

/* ---- queueing ---- */

/* G: in no queue -> at the tail of the one that g->holder, g->back and g->looks say. */
static void enqueue(struct g *g)
{
	/* seq_cst, @pair doze (StoreLoad): counted before we look whether sysmon sleeps. */
	add_sc(&sched.nwait, 1);
	if (g->holder || g->back)
		home_put(g);
	else
		globrunq_put(g);
}

/* G: any -> runnable.  By: its own M, signals blocked; serves an idle P, or its own, next. */
static void queue(struct m *m, bool back, bool holder)
{
	struct g *g = m->g;

	g->back = back || holder;
	g->holder = holder;
	g->home = (m->p ? m->p->id : m->id % load_rlx(&sched.gomaxprocs)) / HOME_PS;
	g->ready_ns = os_nanotime();
	g->cpu = cpu_here();
	m->queued = true;
	store_rlx(&g->status, G_RUNNABLE); /* relaxed: the queue's lock publishes it */
	trace(GO_RUNNABLE, 0, g->goid);
	enqueue(g);
}

/* With hold_renew() in between the note would be gone, and the word another. */
static bool revoke_locked(struct p *p, struct g *g, u64 w)
{
	/* Before the look at the word: while that is w, the key can be of no other wait. */
	u32 key = note_key(&g->m->park);

	if (hold_of(w) != HOLD_LOST || load_acq(&g->hold) != w || load_acq(&p->g) != g ||
	    (key & NOTE_VALUE) != p->id + 1 || !note_withdraw(&g->m->park, key))
		return false;
	/*
	 * The note first: a thread that reads the word from here on finds no value.  One that has
	 * read both before either has adopted p, and we fail, or will fail itself.
	 */
	return cas_ar(&g->hold, w, hold_make(hold_serial(w) + 1, p->id, HOLD_LOST));
}

bool grant_revoke(struct p *p, struct g *g, u64 w, bool gone)
{
	bool revoked;

	mutex_lock(&sched.lock);
	revoked = revoke_locked(p, g, w);
	mutex_unlock(&sched.lock);
	if (!revoked)
		return false;
	stat_add(revokes, 1);
	store_rlx(&p->g, NULL); /* relaxed: a stale owner fails seize_ask()'s check */
	if (!gone)
		enqueue(g);
	hand_on(p);
	return true;
}

/* ---- getting a P ---- */

/* G: any -> running with p.  By: its own M, which owns p, signals blocked. */
static void wirep(struct m *m, struct p *p)
{
	struct g *g = m->g;

	m->p = p;
	new_slice(p);
	if (!load_rlx(&p->luck)) /* else this one goes before others, too */
		p->boost_ns = 0;
	store_rlx(&p->owed_ns, 0);
	store_rlx(&g->status, G_RUNNING);
	/* Status first, so that a seizer never sees the old bracket. */
	while (!hold_gain(g, load_acq(&g->hold), p->id)) /* @pair hold */
		;
	store_rel(&p->g, g); /* @pair owner */
}

/* Takes an idle P, or queues m's G.  True: wired.  False: queued; finish with await_grant(). */
static bool take_or_queue(struct m *m, bool back)
{
	struct p *p = pidleget(m->p);

	if (!p) {
		queue(m, back, load_rlx(&m->held));
		serve_idle();
		return false;
	}
	wirep(m, p);
	store_rlx(&p->served_ns, load_rlx(&p->granted_ns)); /* relaxed: loan.c's hint */
	return true;
}

/* The P is ours unless the grant was revoked since the word w was read. */
static bool adopt(struct m *m, u64 w, u32 pid)
{
	struct p *p = sched.allp[pid];
	u64 ready = m->g->ready_ns, granted = load_rlx(&p->granted_ns);

	if (!hold_gain(m->g, w, pid))
		return false;
	/* Nothing is read from here on: a handler may have forked, and this be the child. */
	m->p = p;
	m->began_ns = os_nanotime();
	stat_waited(m->began_ns - ready);
	spin_learn(m, granted - ready);
	return true;
}

/*
 * G: runnable -> running with the P that comes through our note.  By: its own M, signals enabled.
 * A handler may leave it at any point, by longjmp or by ending the thread; who comes next finds
 * m->queued and calls it again.  Each step is done once: hold, note and queued tell which are.
 * A handler may also change to another context, which does all that, and come back later.
 */
static void await_grant(struct m *m)
{
	struct g *g = m->g;

	if (!load_rlx(&m->live)) /* a forked child: nothing of this is its own */
		return;
	for (;;) {
		u64 w = load_acq(&g->hold); /* before the note: see grant_revoke() */
		u32 value;

		if (hold_of(w) != HOLD_LOST)
			break;
		value = note_sleep(m);
		if (!value)
			return;
		if (value == NOTE_DISSOLVED || adopt(m, w, value - 1))
			break;
	}
	note_clear(&m->park);
	m->queued = false;
	store_rlx(&g->status, G_RUNNING); /* relaxed: seizers of one probe the kernel first */
}

static bool dissolved(struct m *m)
{
	if (likely(!load_rlx(&sched.dissolved)))
		return false;
	store_rlx(&m->g->status, G_RUNNING);
	return true;
}

void acquirep(struct m *m, bool back)
{
	struct p *p = NULL;
	u64 mask;
	bool wired;

	if (dissolved(m))
		return;
	if (m->queued) { /* cancelled while it was parked: the place in the queue is still ours */
		await_grant(m);
		return;
	}
	mask = crit_enter();
	if (!m->g) { /* a forked child in wiped memory */
		crit_leave(mask);
		return;
	}
	preempt_note_mask(m, mask);
	if (hold_of(load_rlx(&m->g->hold)) != HOLD_LOST) {
		/* A handler came in before us, made a call of its own, and got a P for it. */
		store_rlx(&m->g->status, G_RUNNING);
		crit_leave(mask);
		return;
	}
	p = loan_take(m);
	if (p)
		wirep(m, p);
	wired = p || take_or_queue(m, back);
	/* First: a handler may run, and leave, as soon as signals are on. */
	if (!wired && !spin_for_grant(m, mask, false))
		sysmon_kick();
	crit_leave(mask);
	if (wired)
		return;
	stat_add(parks, 1);
	await_grant(m);
}

/* G: running -> runnable, its P p to whoever is next, which may be g itself.  Signals blocked. */
static void yield_p(struct m *m, struct p *p, bool back)
{
	store_rlx(&p->g, NULL); /* before we are queued: from then on it may be ours again */
	queue(m, back, back && load_rlx(&m->held));
	hand_on(p);
}

void gosched(struct m *m, bool back)
{
	struct g *g = m->g;
	bool yields;
	struct p *p;
	u64 mask;

	if (dissolved(m))
		return;
	store_rlx(&g->preempt, 0);
	mask = crit_enter();
	p = releasep(g, GO_STOP);
	if (p) {
		yields = g->looks != LOOKS_NOT; /* from here on it is not ours */
		yield_p(m, p, back);
		if (!spin_for_grant(m, mask, yields))
			sysmon_kick();
	}
	crit_leave(mask);
	if (!p) { /* seized in the meantime: we come back like any other */
		acquirep(m, back);
		return;
	}
	stat_add(parks, 1);
	await_grant(m);
}

/*
 * The scheduler proper: P tokens, their queue, and the one way a thread gets or loses one.
 *
 * Direct hand-off: who frees a P picks the next G under findrunnable() and wakes it with the P in
 * hand.  A P is idle only when no G waits: both facts change under sched.lock.
 *
 * Rejected: waking a G to compete for the P (thundering herd, and the hog wins each time).
 */
#include "runtime/proc.h"

#include "runtime/alloc.h"
#include "runtime/cpu.h"
#include "runtime/entersyscall.h"
#include "runtime/hold.h"
#include "runtime/loan.h"
#include "runtime/lock.h"
#include "runtime/note.h"
#include "runtime/opts.h"
#include "runtime/os.h"
#include "runtime/preempt.h"
#include "runtime/print.h"
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

/* ---- idle Ps; all under sched.lock ---- */

static void pidleput(struct p *p)
{
	store_rlx(&p->status, P_IDLE); /* relaxed: the lock orders it */
	trace(PROC_STOP, p->id, 0);
	p->link = sched.pidle;
	sched.pidle = p;
	store_rlx(&sched.npidle, load_rlx(&sched.npidle) + 1);
}

/* The P we held last when it is idle (its cache is ours), else any, else NULL. */
static struct p *pidleget(struct p *want)
{
	struct p **at = &sched.pidle, *p;

	if (load_rlx(&sched.stopping))
		return NULL;
	if (want && load_rlx(&want->status) == P_IDLE)
		while (*at != want)
			at = &(*at)->link;
	p = *at;
	if (!p)
		return NULL;
	*at = p->link;
	store_rlx(&sched.npidle, load_rlx(&sched.npidle) - 1);
	store_rlx(&p->status, P_RUNNING);
	trace(PROC_START, p->id, 0);
	return p;
}

static void pdestroy(struct p *p)
{
	struct g *g;

	while ((g = runq_get(p)))
		globrunq_put(g);
	store_rlx(&p->status, P_DEAD);
	while (sched.nallp && load_rlx(&sched.allp[sched.nallp - 1]->status) == P_DEAD)
		sched.nallp--;
}

/* ---- finding work; p is owned by the caller ---- */

static struct g *steal_locked(struct p *p)
{
	u32 n = sched.nallp, first = (u32)load_rlx(&sched.goidgen) + load_rlx(&p->schedtick);

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
static struct g *findrunnable_locked(struct p *p)
{
	struct g *g;

	if (load_rlx(&sched.stopping))
		return NULL;
	g = boosted_get(p, os_nanotime());
	if (!g && load_rlx(&p->schedtick) % GLOBAL_EVERY == 0)
		g = globrunq_get(p, 1);
	if (!g)
		g = runq_get(p);
	if (!g)
		g = globrunq_get(p, 0);
	return g ? g : steal_locked(p);
}

/*
 * As findrunnable, but *p ends idle or dead when there is no G (NULL).  A P above the cap dies, and
 * an idle one, if there is one, takes its place: the caller may have queued a G this moment.
 */
static struct g *next_locked(struct p **p)
{
	struct g *g;

	if ((*p)->id >= load_rlx(&sched.nlent)) {
		pdestroy(*p);
		*p = pidleget(NULL);
		if (!*p)
			return NULL;
	}
	g = findrunnable_locked(*p);
	if (!g)
		pidleput(*p);
	return g;
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
	add_ar(&sched.nwait, (u32)-1);
	new_slice(p);
	boost(p, g, load_rlx(&p->granted_ns));
	/* release, @pair owner: sysmon may look at g through p from here on. */
	store_rel(&p->g, g);
	store_rlx(&p->served_ns, load_rlx(&p->granted_ns)); /* relaxed: loan.c's hint */
	stat_add(handoffs, 1);
	trace(GO_UNBLOCK, p->id, g->goid);
	note_wakeup(&g->m->park, p->id + 1);
}

/* p goes to whoever is next.  By: its owner, under sched.lock, which this gives back. */
static void hand_on_unlock(struct p *p)
{
	struct g *next = next_locked(&p);

	mutex_unlock(&sched.lock);
	if (next)
		grant(p, next);
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
	mutex_lock(&sched.lock);
	if (!revoke_locked(p, g, w)) {
		mutex_unlock(&sched.lock);
		return false;
	}
	stat_add(revokes, 1);
	store_rlx(&p->g, NULL); /* relaxed: a stale owner fails seize_ask()'s check */
	if (!gone) {
		globrunq_put(g);
		add_sc(&sched.nwait, 1); /* seq_cst, @pair doze, as in queue_locked() */
	}
	hand_on_unlock(p);
	return true;
}

void handoffp(struct p *p)
{
	struct g *g = NULL;

	store_rlx(&p->g, NULL); /* relaxed: a stale owner fails seize_ask()'s check */
	if (p->id < load_rlx(&sched.nlent) && load_rlx(&p->schedtick) % GLOBAL_EVERY &&
	    !load_rlx(&sched.backq.size) && !load_rlx(&sched.lockq.size) &&
	    !load_rlx(&sched.stopping))
		g = runq_get(p); /* the common case among hogs needs no lock */
	if (g) {
		grant(p, g);
		return;
	}
	mutex_lock(&sched.lock);
	hand_on_unlock(p);
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

static void queue_locked(struct g *g, bool back, bool holder)
{
	g->back = back || holder;
	g->holder = holder;
	store_rlx(&g->status, G_RUNNABLE); /* relaxed: the queue's lock publishes it */
	trace(GO_RUNNABLE, 0, g->goid);
	g->m->queued = true;
	g->ready_ns = os_nanotime();
	g->cpu = cpu_here();
	globrunq_put(g);
	/* seq_cst, @pair doze (StoreLoad): queued before we look whether sysmon sleeps. */
	add_sc(&sched.nwait, 1);
}

/* Takes an idle P, or queues g.  True: wired.  False: queued; finish with await_grant(). */
static bool take_or_queue(struct m *m, bool back)
{
	struct p *p;

	mutex_lock(&sched.lock);
	p = pidleget(m->p);
	if (!p)
		queue_locked(m->g, back, load_rlx(&m->held));
	mutex_unlock(&sched.lock);
	if (!p)
		return false;
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
	p = loan_take();
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
static void yield_p(struct g *g, struct p *p, bool back)
{
	store_rlx(&p->g, NULL);
	mutex_lock(&sched.lock);
	queue_locked(g, back, back && load_rlx(&g->m->held));
	hand_on_unlock(p);
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
		yield_p(g, p, back);
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

/* ---- all of them ---- */

bool sched_stop(bool stop)
{
	u64 mask = crit_enter();
	bool done = true;

	mutex_lock(&sched.lock);
	/* relaxed: the lock orders it; who reads it without finds out at the next scan. */
	store_rlx(&sched.stopping, stop);
	for (u32 i = 0; i < sched.nallp; i++) /* one above the cap may still be held */
		done &= load_rlx(&sched.allp[i]->status) != P_RUNNING;
	mutex_unlock(&sched.lock);
	crit_leave(mask);
	return done;
}

void sched_resume(void)
{
	u64 mask = crit_enter();
	struct p *p;

	/* A P for which there is no G comes back to the head of the list: then there are none. */
	for (u32 n = load_rlx(&sched.gomaxprocs); n; n--) {
		mutex_lock(&sched.lock);
		p = pidleget(NULL);
		mutex_unlock(&sched.lock);
		if (!p)
			break;
		handoffp(p);
	}
	crit_leave(mask);
}

/* ---- how many ---- */

static struct p *newp(u32 id)
{
	struct p *p = alloc_p();

	if (!p)
		return NULL;
	p->id = id;
	store_rlx(&p->status, P_DEAD);
	sched.allp[id] = p;
	return p;
}

/* Makes Ps up to n; fewer when memory ends.  Under sched.lock.  Returns how many there are. */
static u32 grow_to(u32 n)
{
	for (u32 id = 0; id < n; id++)
		if (!sched.allp[id] && !newp(id))
			return id;
	return n;
}

/*
 * The Ps from n on die, at once or, when they are held, in handoffp().  Under sched.lock.  Those
 * below n that were dead are returned, linked and owned by the caller.
 */
static struct p *lend_locked(u32 n)
{
	struct p *fresh = NULL, *p, **at;

	store_rlx(&sched.nlent, n);
	for (at = &sched.pidle; (p = *at);) {
		if (p->id < n) {
			at = &p->link;
			continue;
		}
		*at = p->link;
		store_rlx(&sched.npidle, load_rlx(&sched.npidle) - 1);
		pdestroy(p);
	}
	if (sched.nallp < n)
		sched.nallp = n;
	/* So P 0 goes idle last and is the first to be taken: it is never above the cap. */
	for (u32 i = 0; i < n; i++) {
		p = sched.allp[i];
		if (load_rlx(&p->status) != P_DEAD)
			continue;
		store_rlx(&p->status, P_RUNNING);
		p->link = fresh;
		fresh = p;
	}
	return fresh;
}

static void hand_out(struct p *fresh)
{
	struct p *p;

	while ((p = fresh)) {
		fresh = p->link;
		handoffp(p);
	}
}

void procs_lend(u32 n)
{
	u64 mask = crit_enter();
	struct p *fresh;

	mutex_lock(&sched.lock);
	if (n > load_rlx(&sched.gomaxprocs))
		n = load_rlx(&sched.gomaxprocs);
	fresh = lend_locked(n);
	mutex_unlock(&sched.lock);
	hand_out(fresh);
	crit_leave(mask);
}

u32 procresize(u32 n)
{
	u64 mask = crit_enter();
	struct p *fresh;
	u32 old;

	mutex_lock(&sched.lock);
	old = load_rlx(&sched.gomaxprocs);
	n = grow_to(n);
	store_rlx(&sched.gomaxprocs, n);
	trace(PROCS_CHANGE, 0, n);
	fresh = lend_locked(n);
	mutex_unlock(&sched.lock);
	hand_out(fresh);
	if (n < old)
		sysmon_call_in();
	crit_leave(mask);
	return old;
}

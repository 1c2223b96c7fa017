/*
 * Birth and death: of the scheduler at the host's second thread, and of every G.
 * A thread's M is found through gmp_tls_m; a thread that has ended as a G, and threads of ours,
 * point to m_off, which is never live, so that their gates pass through.
 */
#include "runtime/life.h"

#include "runtime/alloc.h"
#include "runtime/cold_return.h"
#include "runtime/cpu.h"
#include "runtime/fence.h"
#include "runtime/hold.h"
#include "runtime/holder.h"
#include "runtime/hooks.h"
#include "runtime/lock.h"
#include "runtime/note.h"
#include "runtime/opts.h"
#include "runtime/os.h"
#include "runtime/preempt.h"
#include "runtime/print.h"
#include "runtime/proc.h"
#include "runtime/procs.h"
#include "runtime/stats.h"
#include "runtime/sysmon.h"
#include "runtime/trace.h"

__thread struct m *gmp_tls_m;
struct m m_off, m_vfork, m_sysmon;
struct rt_hooks rt_hooks;

int sched_start(u32 procs)
{
	struct g *g;

	fence_init();
	cold_return_init();
	if (!cpu_rseq)
		cpu_init(0);
	sched.start_ns = os_nanotime();
	g = newg(NULL, NULL);
	if (!g)
		return -12; /* -ENOMEM */
	procresize(procs);
	if (load_rlx(&sched.gomaxprocs) == 0)
		return -12;
	mstart(g); /* at once: every P is idle */
	/* release, @pair active: everything above before a foreign thread may adopt itself. */
	store_rel(&sched.active, 1);
	return 0;
}

static void warn_limit(void)
{
	static au32 said;

	if (xchg_ar(&said, 1) == 0)
		gmp_warn("threads: the program wants more than GMP_MAXTHREADS=%u; "
			 "pthread_create now returns EAGAIN",
			 opts.maxthreads);
}

static bool too_many(void)
{
	return load_rlx(&sched.ng) >= opts.maxthreads;
}

struct g *newg(void *start, void *arg)
{
	u64 mask = crit_enter();
	struct g *g = NULL;
	bool over;

	if (too_many())
		bury_gone();
	mutex_lock(&sched.lock);
	over = too_many();
	if (!over)
		g = alloc_g();
	if (g) {
		g->goid = load_rlx(&sched.goidgen) + 1;
		store_rlx(&sched.goidgen, g->goid);
		stat_max(peak_gs, add_rlx(&sched.ng, 1) + 1);
		stat_add(created, 1);
	}
	mutex_unlock(&sched.lock);
	crit_leave(mask);
	if (over)
		warn_limit();
	if (!g)
		return NULL;
	trace(GO_CREATE, 0, g->goid);
	*g->m->birth = (struct birth){ g, start, arg };
	store_rlx(&g->status, G_IDLE);
	store_rlx(&g->preempt, 0);
	/* release, @pair hold: who sees this word does not see the last thread's status. */
	store_rel(&g->hold, hold_make(hold_serial(load_rlx(&g->hold)) + 1, 0, HOLD_LOST));
	return g;
}

static bool retire(struct g *g)
{
	u32 left;

	mutex_lock(&sched.lock);
	store_rlx(&g->status, G_DEAD);
	free_g(g);
	left = add_sc(&sched.ng, (u32)-1) - 1; /* @pair doze */
	mutex_unlock(&sched.lock);
	if (left == 1)
		sysmon_tell_alone();
	return left == 0;
}

void freeg(struct g *g)
{
	u64 mask = crit_enter();

	retire(g);
	crit_leave(mask);
}

/*
 * Nobody else answers for g from here on.  The number tells this thread from the next one to have
 * g.  One on a run queue stays there, until it is granted a P and sysmon sees who that went to.
 */
static bool claim_gone(struct g *g, u64 goid)
{
	struct m *m = g->m;
	bool ours;

	mutex_lock(&sched.lock);
	ours = load_rlx(&m->live) && g->goid == goid && load_rlx(&g->status) != G_RUNNABLE;
	if (ours) {
		store_rlx(&m->live, 0);
		store_rlx(&g->status, G_DEAD);
	}
	mutex_unlock(&sched.lock);
	return ours;
}

void bury(struct g *g, u64 goid)
{
	struct p *p;

	if (!claim_gone(g, goid))
		return;
	fence_light(); /* @pair signal, as in mexit() */
	preempt_forget(g->m);
	p = releasep(g, PROC_STEAL);
	trace(GO_DESTROY, 0, g->goid);
	if (p)
		handoffp(p);
	retire(g);
}

/* It is on no queue then. */
void bury_granted(struct p *p, struct g *g, u64 w)
{
	if (!grant_revoke(p, g, w, true))
		return;
	store_rlx(&g->status, G_RUNNING); /* relaxed: the lock that bury() takes orders it */
	bury(g, g->goid);
}

static void bury_one(struct g *g, u64 goid)
{
	u64 w = load_acq(&g->hold); /* @pair hold: before the note, as in look_granted() */
	u32 value = note_value(&g->m->park);

	if (load_acq(&g->status) != G_RUNNABLE)
		bury(g, goid);
	else if (value && value != NOTE_DISSOLVED)
		bury_granted(sched.allp[value - 1], g, w);
}

static void bury_who(bool (*gone)(i32 tid))
{
	u64 mask = crit_enter();

	for (struct m *m = allm(); m; m = m->alllink) {
		u64 goid = m->g->goid; /* first: who has ended by the look below is that one */

		if (load_acq(&m->live) && gone(m->tid)) /* @pair live */
			bury_one(m->g, goid);
	}
	crit_leave(mask);
}

void bury_gone(void)
{
	bury_who(os_thread_gone);
}

bool bury_all(void)
{
	for (struct m *m = allm(); m; m = m->alllink)
		if (load_acq(&m->live) && !os_thread_ended(m->tid)) /* @pair live */
			return false;
	bury_who(os_thread_ended);
	return true;
}

void mstart(struct g *g)
{
	struct m *m = g->m;

	m->tid = os_gettid();
	m->gate_sp = (uintptr_t)__builtin_frame_address(0);
	m->queued = m->cut = false;
	m->blocking_fd = m->eager = 0;
	m->lent_ns = m->tried = 0;
	store_rlx(&m->held, 0);
	store_rlx(&m->altstack, 0);
	store_rlx(&m->sleeper, SLEEPER_NOT);
	store_rlx(&m->masked, 0);
	holder_named(m);
	m->depth = 1; /* a handler that comes while we wait for the first P is not preempted */
	/* release, @pair live: what is above before who walks the list looks at it. */
	store_rel(&m->live, 1);
	gmp_tls_m = m;
	trace(GO_THREAD, 0, (u32)m->tid);
	acquirep(m, true);
	m->depth = 0;
}

bool mexit(void)
{
	struct m *m = getm();
	struct g *g = m->g;
	struct p *p;
	u64 mask;
	bool last;

	if (m->queued) /* ended by a handler while it waited for a P */
		acquirep(m, true);
	mask = crit_enter();
	store_rlx(&m->live, 0);
	store_rlx(&g->status, G_DEAD);
	fence_light(); /* @pair signal: the last entry; what comes now may sleep as well */
	preempt_settle(m);
	p = releasep(g, GO_BLOCK);
	trace(GO_DESTROY, 0, g->goid);
	if (p)
		handoffp(p);
	gmp_tls_m = &m_off; /* before the storage may be another thread's */
	last = retire(g);
	crit_leave(mask);
	return last;
}

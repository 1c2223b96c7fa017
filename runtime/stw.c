/*
 * Stopping the world: nobody but the caller runs user code, until it starts the world again.
 *
 * The caller lends its own P like any G in a call, so that all Ps can be idle: that is what stopped
 * means.  Inside its bracket its calls pass through, as those of a handler in a blocked call do.
 *
 * Each round looks at every P that is handed out: on loan, it is taken; the rest is sysmon's, which
 * alone can tell who sleeps in a call that nobody announced.  From that one it takes the P, for a
 * signal would end the call with EINTR, and asks any other to give way.  A G that was asked may
 * enter a call instead, where no signal reaches it and, while nobody waits for a P, nobody would
 * take its P: only the next round does.  Go >= 1.26 scans once, and can wait for the whole call (a
 * window of nanoseconds; seen with the window widened).
 */
#include "runtime/stw.h"

#include <asm/errno.h>

#include "runtime/entersyscall.h"
#include "runtime/gate.h"
#include "runtime/gmprt.h"
#include "runtime/hold.h"
#include "runtime/life.h"
#include "runtime/lock.h"
#include "runtime/opts.h"
#include "runtime/os.h"
#include "runtime/pidle.h"
#include "runtime/preempt.h"
#include "runtime/proc.h"
#include "runtime/retake.h"
#include "runtime/stray.h"
#include "runtime/sysmon.h"

#define ROUND_NS 50000ul
#define ROUND_MAX_NS 1000000ul
#define ASK_NS 1000000ul

static void ask(struct g *g)
{
	preempt_request(g);
	if (opt_now(preempt) == PREEMPT_SIGNAL)
		preempt_send(g);
}

u32 call_in(u32 from, bool sysmon)
{
	u32 held = 0;

	/* relaxed: a P made this moment is seen next round. */
	for (u32 i = from; i < load_rlx(&sched.nallp); i++) {
		struct p *p = sched.allp[i];
		struct g *g = load_acq(&p->g); /* @pair owner */

		if (load_rlx(&p->status) != P_RUNNING)
			continue;
		if (g && load_acq(&g->status) == G_SYSCALL && seize_loan(p)) {
			handoffp(p);
			continue;
		}
		if (sysmon && g && take_asleep(p, g))
			continue;
		if (sysmon && g && load_acq(&g->status) != G_SYSCALL)
			ask(g);
		held++;
	}
	return held;
}

u64 call_in_excess(u64 now)
{
	u64 mask;
	u32 held;

	/* First, @pair excess: whoever lowers the cap meanwhile sets it again. */
	if (!load_rlx(&sched.excess) || !xchg_ar(&sched.excess, 0))
		return 0;
	mask = crit_enter();
	if (load_rlx(&sched.stopping)) {
		held = call_in(0, true);
		strays_look(now);
	} else {
		held = call_in(load_rlx(&sched.nlent), true);
	}
	crit_leave(mask);
	if (!held)
		return 0;
	store_rlx(&sched.excess, 1);
	return now + ASK_NS;
}

/*
 * Gs that run without a P (strays, those over the cap) hold nothing that could be counted: they
 * stand when their CPU clock does.  True when all do; sysmon brings in the others.
 */
static bool strays_stand(void)
{
	bool still = true;

	for (struct m *m = allm(); m; m = m->alllink) {
		struct g *g = m->g;
		i64 cpu;

		if (!load_rlx(&m->live) || load_acq(&g->status) != G_RUNNING ||
		    hold_of(load_rlx(&g->hold)) != HOLD_LOST)
			continue;
		cpu = os_thread_cpu(m->tid);
		if (cpu < 0 || cpu == m->stw_cpu)
			continue;
		m->stw_cpu = cpu;
		still = false;
	}
	return still;
}

/* True: all Ps are idle, or dead, and stay so.  While the world stops none is handed out. */
static bool set_stopping(bool stop)
{
	u32 held = 0;

	store_rlx(&sched.stopping, stop);
	fence_full();		 /* @pair stopping: who claims a P from here on sees it, */
	mutex_lock(&sched.lock); /* and who brings one back to life */
	for (u32 i = 0; i < load_rlx(&sched.nallp); i++) /* one above the cap may be held, too */
		held += !pidle_has(i) && load_rlx(&sched.allp[i]->status) != P_DEAD;
	mutex_unlock(&sched.lock);
	return !held;
}

static bool stop_round(void)
{
	u64 mask = crit_enter();
	bool mine = getm() == &m_sysmon, still;
	u32 held;

	held = call_in(0, mine);
	still = strays_stand();
	crit_leave(mask);
	if ((held || !still) && !mine)
		sysmon_call_in();
	return set_stopping(true) && still;
}

static bool stop_all(u64 end)
{
	au32 never = { 0 };
	u64 pause = ROUND_NS;

	set_stopping(true);
	while (!stop_round()) {
		if (os_nanotime() > end || load_rlx(&sched.dissolved))
			return false;
		os_futex_wait(&never, 0, (i64)pause);
		if (pause < ROUND_MAX_NS)
			pause *= 2;
	}
	return true;
}

static void start_all(void)
{
	u64 mask = crit_enter();
	struct p *p;

	set_stopping(false);
	p = pidleget(NULL);
	if (p)
		handoffp(p); /* that wakes others, as long as somebody waits */
	crit_leave(mask);
	/* release: what was done to the stopped world is seen by who stops it next. */
	store_rel(&sched.world, 0);
	os_futex_wake(&sched.world, 1);
}

static bool take_world(u64 end)
{
	/* acquire: what the last owner did to the stopped world. */
	while (!cas_acq(&sched.world, 0, 1)) {
		if (os_nanotime() > end)
			return false;
		os_futex_wait(&sched.world, 1, ROUND_MAX_NS);
	}
	return true;
}

/* The caller's bracket; a handler's may be inside of that of the call that it interrupted. */
static void enter(void)
{
	struct m *m;

	gmp_entersyscall();
	m = getm();
	if (!m || !load_rlx(&m->live))
		return;
	m->world_sp = m->gate_sp;
	m->gate_sp = UINTPTR_MAX; /* no frame is outside of this bracket */
	entersyscallblock(m);
}

static void leave(void)
{
	struct m *m = getm();

	if (m && load_rlx(&m->live))
		m->gate_sp = m->world_sp;
	gmp_exitsyscall();
}

int stoptheworld(u32 timeout_ms)
{
	u64 end;
	bool mine;

	if (!load_acq(&sched.active)) /* @pair active */
		return 0;
	enter();
	end = timeout_ms ? os_nanotime() + timeout_ms * 1000000ul : ~0ul;
	mine = take_world(end);
	if (mine && stop_all(end))
		return 0;
	if (mine)
		start_all();
	leave();
	return load_rlx(&sched.dissolved) ? -EOPNOTSUPP : -ETIMEDOUT;
}

void starttheworld(void)
{
	if (!load_rlx(&sched.stopping))
		return;
	start_all();
	leave();
}

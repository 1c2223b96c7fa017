/*
 * Each round looks at every P that somebody holds:
 *   in a bracket  longer than GMP_RETAKE_US: seize, hand on.
 *   running       its CPU clock stands still and the kernel says it sleeps: it blocks where we
 *                 do not look.  Seize; the G is a stray until its next gate.
 *   either        over its slice: it is asked to give way, slice.c.
 *
 * Rejected: Go's rule "in the same call on two rounds", which lets one of short calls take 60 %
 * of a P from the hog beside it: here a slice is charged by wall time.
 */
#include "runtime/retake.h"

#include "runtime/fence.h"
#include "runtime/hold.h"
#include "runtime/life.h"
#include "runtime/loan.h"
#include "runtime/opts.h"
#include "runtime/os.h"
#include "runtime/preempt.h"
#include "runtime/proc.h"
#include "runtime/slice.h"
#include "runtime/stats.h"
#include "runtime/stray.h"

#define US 1000ul
#define MS 1000000ul
#define OFF_CPU_NS (15 * US) /* clocks are read one after the other: allow for that */
#define BLIND_NS (5 * MS)    /* /proc cannot be read: CPU clock still for so long means blocked */
#define BLIND_GRANT_NS (100 * MS) /* the same of who was granted a P: it may take long to wake */

/* Is g, from here on until the answer, as it was seen: in a bracket (SYSCALL), or running on? */
static bool ask(struct p *p, struct g *g, enum g_status want, struct seizure *s)
{
	if (!seize_ask(p, s))
		return false;
	fence_heavy(); /* @pair loan, @pair starved */
	if (s->g == g && load_acq(&g->status) == want &&
	    load_rlx(&p->schedtick) == p->seen.schedtick &&
	    load_rlx(&g->syscalltick) == p->seen.syscalltick)
		return true;
	seize_drop(s);
	return false;
}

/* G: running -> stray, or its thread is gone (raw exit).  By: sysmon.  True: the P is handed on. */
static bool retake_blocked(struct p *p, struct g *g)
{
	u64 goid = g->goid;
	struct seizure s;
	int call;

	if (!ask(p, g, G_RUNNING, &s))
		return false;
	call = os_probe(g->m->tid);
	if (!seize_if(&s, call != PROBE_RUNNING))
		return false;
	if (call != PROBE_GONE) {
		sched.taken++;
		sched.unseen_ns = os_nanotime();
		stray_found(g, call);
	}
	handoffp(p);
	if (call == PROBE_GONE)
		bury(g, goid);
	return true;
}

/* G: in a bracket, its P on loan -> without.  By: sysmon. */
static void retake_loan(struct p *p, struct g *g)
{
	struct seizure s;

	if (!ask(p, g, G_SYSCALL, &s) || !seize_take(&s))
		return;
	sched.taken++;
	stat_add(retakes, 1);
	loan_lapsed(p);
	handoffp(p);
}

static void look_call(struct p *p, struct g *g, u64 now)
{
	struct sysmontick *seen = &p->seen;
	u32 tick = load_rlx(&g->syscalltick);

	if (!seen->in_call || seen->syscalltick != tick) {
		seen->in_call = true;
		seen->syscalltick = tick;
		seen->call_ns = now;
	} else if (now - seen->call_ns >= opts.retake_us * US) {
		retake_loan(p, g);
	}
}

/*
 * Has g's thread been off the CPU since the last look?  Then it sleeps, or the kernel gave its CPU
 * to somebody else: the probe tells.  Less than a full stop counts, so that one look after it is
 * enough.
 */
static bool off_cpu(struct p *p, struct g *g, u64 now)
{
	struct sysmontick *seen = &p->seen;
	i64 cpu = os_thread_cpu(g->m->tid), last = seen->cpu_ns;
	u64 since = seen->look_ns;

	seen->cpu_ns = cpu;
	seen->look_ns = now;
	if (cpu < 0)
		return true; /* gone, or the host forbids the question: the probe must do */
	if (last < 0)
		return false;
	if (cpu != last)
		seen->still_ns = now;
	return (i64)(now - since) - (cpu - last) > (i64)OFF_CPU_NS;
}

static void look_running(struct p *p, struct g *g, u64 now)
{
	struct sysmontick *seen = &p->seen;
	u32 tick = load_rlx(&g->syscalltick);
	int call;

	if (seen->in_call || seen->syscalltick != tick) {
		seen->in_call = false;
		seen->syscalltick = tick;
		seen->cpu_ns = -1;
		seen->still_ns = now;
	}
	if (!off_cpu(p, g, now))
		return;
	call = os_probe(g->m->tid);
	if (call != PROBE_RUNNING && (call != PROBE_UNKNOWN || now - seen->still_ns >= BLIND_NS))
		retake_blocked(p, g);
	/* Else the kernel runs somebody else: not ours to change. */
}

/*
 * p was granted to g, whose thread has not taken it up.  Mostly it is on its way to a CPU.  But a
 * handler of the host may have interrupted its wait, and blocks or computes.
 */
static void look_granted(struct p *p, struct g *g, u64 now)
{
	struct sysmontick *seen = &p->seen;
	u64 w = load_acq(&g->hold); /* @pair hold: from here on it is this wait that we judge, */
	i64 cpu;
	int call;

	if (load_acq(&g->status) != G_RUNNABLE) /* and its thread whose number m->tid is */
		return;
	cpu = os_thread_cpu(g->m->tid);
	if (seen->cpu_ns < 0) {
		seen->cpu_ns = cpu;
		seen->look_ns = now;
	}
	if (now - load_rlx(&p->granted_ns) < opts.retake_us * US)
		return;
	call = os_probe(g->m->tid);
	if (call == PROBE_GONE)
		bury_granted(p, g, w);
	else if (call >= PROBE_FAULT || cpu - seen->cpu_ns >= (i64)HEARD_NS ||
		 (call == PROBE_UNKNOWN && now - load_rlx(&p->granted_ns) >= BLIND_GRANT_NS))
		grant_revoke(p, g, w, false);
}

/* G: running -> running without a P. */
static void run_without(struct p *p, struct g *g)
{
	stray_add(g);
	handoffp(p);
}

void retake_starved(struct p *p, struct g *g)
{
	struct seizure s;

	/* acquire, @pair starved: it has not come to the handler yet, and will find the P gone. */
	if (!ask(p, g, G_RUNNING, &s) || !seize_if(&s, load_acq(&g->m->sig) & SIG_SENT))
		return;
	stat_add(retakes, 1);
	run_without(p, g);
}

void admit_over_cap(struct p *p, struct g *g)
{
	struct seizure s;

	if (!ask(p, g, G_RUNNING, &s) || !seize_take(&s))
		return;
	stat_add(overcap, 1);
	run_without(p, g);
}

static void new_slice(struct p *p, struct g *g, u64 now)
{
	p->seen = (struct sysmontick){ .g = g,
				       .schedtick = load_rlx(&p->schedtick),
				       .syscalltick = load_rlx(&g->syscalltick),
				       .call_ns = now,
				       .still_ns = now,
				       .cpu_ns = -1 };
}

bool take_asleep(struct p *p, struct g *g)
{
	if (!preempt_would_cut(g))
		return false;
	new_slice(p, g, os_nanotime());
	return retake_blocked(p, g);
}

/* True: since the last look p was granted anew, or its G has entered or left a call. */
static bool look(struct p *p, u64 now)
{
	struct g *g = load_acq(&p->g); /* @pair owner */
	bool moved;
	u32 status;

	if (!g || load_rlx(&p->status) != P_RUNNING)
		return true;
	if (p->seen.g != g || p->seen.schedtick != load_rlx(&p->schedtick)) {
		new_slice(p, g, now);
		return true;
	}
	status = load_acq(&g->status);
	moved = p->seen.syscalltick != load_rlx(&g->syscalltick);
	if (status == G_SYSCALL)
		look_call(p, g, now);
	else if (status == G_RUNNING)
		look_running(p, g, now);
	else if (status == G_RUNNABLE)
		look_granted(p, g, now);
	if (load_acq(&p->g) == g)
		slice_look(p, g, now);
	return moved;
}

bool retake(u64 now)
{
	bool all = true;

	/* relaxed: Ps are never freed; one made this moment is seen next round. */
	for (u32 i = 0; i < load_rlx(&sched.nallp); i++)
		all &= look(sched.allp[i], now);
	return all;
}

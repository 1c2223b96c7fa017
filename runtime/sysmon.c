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
#include "runtime/sysmon.h"

#include "runtime/dead.h"
#include "runtime/entersyscall.h"
#include "runtime/fence.h"
#include "runtime/hold.h"
#include "runtime/hooks.h"
#include "runtime/life.h"
#include "runtime/limit.h"
#include "runtime/loan.h"
#include "runtime/opts.h"
#include "runtime/os.h"
#include "runtime/pace.h"
#include "runtime/page.h"
#include "runtime/preempt.h"
#include "runtime/print.h"
#include "runtime/proc.h"
#include "runtime/schedtrace.h"
#include "runtime/slice.h"
#include "runtime/stats.h"
#include "runtime/stray.h"
#include "runtime/stw.h"
#include "runtime/sysmon_life.h"
#include "runtime/trace.h"

#define US 1000ul
#define MS 1000000ul
#define ROUND_NS (20 * US)
#define BACKOFF_MAX_NS (400 * US) /* between looks, of late ones that found somebody blocked, */
#define CALM_MAX_NS (1 * MS)	  /* and else: each interrupts who computes, for some 20 us */
#define CALM_NS (1000 * MS)
#define OFF_CPU_NS (15 * US) /* clocks are read one after the other: allow for that */
#define BLIND_NS (5 * MS)    /* /proc cannot be read: CPU clock still for so long means blocked */
#define BLIND_GRANT_NS (100 * MS) /* the same of who was granted a P: it may take long to wake */
#define GONE_NS (1000 * MS)	  /* between looks whether anybody is left */
#define LINGER_NS (10 * MS)	  /* with one G left, before the thread ends */

struct rounds {
	u64 delay_ns;			/* to the next look at the Ps */
	u64 strays_ns, strays_delay_ns; /* when the strays are due; how often */
	u64 trace_ns;
	u64 dead_ns;
	u64 above_ns; /* when Ps above the cap are called in again, 0: none are held */
	struct pace pace;
	struct fence_watch fence;
	u64 gone_ns;  /* when to look whether anybody is left */
	u64 alone_ns; /* since when one G is left, 0: there are more */
	u64 made;     /* Gs ever, by then */
	bool called;  /* somebody cut the last sleep short */
	u32 seen;     /* Gs that waited when the sleep was chosen */
};

/* ---- sleeping and waking ---- */

static void ring(void)
{
	add_sc(page_bell(), 1);
	os_futex_wake_shared(page_bell(), 1);
}

static void wake_from(enum sysmon_sleep from)
{
	/* relaxed: the caller's enqueue is a full barrier (@pair doze); an entry may miss it. */
	u32 sleep = load_rlx(&sched.sysmon_asleep);

	if (sleep >= from && cas_ar(&sched.sysmon_asleep, sleep, SYSMON_AWAKE))
		ring();
}

void sysmon_kick(void)
{
	wake_from(SYSMON_LINGERS);
}

void sysmon_hurry(void)
{
	wake_from(SYSMON_DOZES);
}

void sysmon_tell_alone(void)
{
	/* relaxed: the caller's count is a full barrier (@pair doze). */
	if (load_rlx(&sched.sysmon_asleep) == SYSMON_ASLEEP)
		sysmon_kick();
}

void sysmon_await_start(void)
{
	while (!load_acq(&sched.sysmon_ready)) /* @pair ready */
		os_futex_wait(&sched.sysmon_ready, 0, -1);
}

void sysmon_stop(void)
{
	store_rel(&sched.sysmon_quit, 1);
	ring();
}

void sysmon_call_in(void)
{
	store_rel(&sched.excess, 1); /* @pair excess */
	ring();
}

/*
 * One G is left, for which there is nothing to do, or none, where all ended by raw system calls.
 * What was asked for by name goes on while there is one.
 */
static bool alone(void)
{
	bool asked = opts.schedtrace || opts.checkdead || load_rlx(&sched.tracing);

	return load_rlx(&sched.ng) <= !asked && load_rlx(&sched.sysmon_on) == SYSMON_ON;
}

/*
 * Sleeps ns, chosen when r->seen Gs waited and r->alone_ns was true: one more,
 * or the last but one, may have kicked since then, before we were asleep.  While Gs wait it is a
 * doze, out of which one more does not wake us, and only one that is worth it can be cut short at
 * all.  True: it was.
 */
static bool nap(i64 ns, const struct rounds *r)
{
	au32 *bell = page_bell();
	u32 seq = load_acq(bell);
	bool kicked;

	if (page_wanted() || (load_rlx(&sched.excess) && !r->above_ns))
		return false;
	if (ns <= (i64)(2 * ROUND_NS)) {
		os_futex_wait_shared(bell, seq, ns);
		return false;
	}
	store_rlx(&sched.sysmon_asleep, r->seen	      ? SYSMON_DOZES
					: r->alone_ns ? SYSMON_LINGERS
						      : SYSMON_ASLEEP);
	fence_full(); /* @pair doze */
	if ((r->seen || !load_rlx(&sched.nwait)) && !load_rlx(&sched.sysmon_quit) &&
	    (r->alone_ns || !alone()))
		os_futex_wait_shared(bell, seq, ns);
	kicked = load_rlx(&sched.sysmon_asleep) == SYSMON_AWAKE;
	store_rlx(&sched.sysmon_asleep, SYSMON_AWAKE);
	return kicked;
}

/* ---- one P ---- */

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

bool sysmon_retake(u64 now)
{
	bool all = true;

	/* relaxed: Ps are never freed; one made this moment is seen next round. */
	for (u32 i = 0; i < sched.nallp; i++)
		all &= look(sched.allp[i], now);
	return all;
}

/* ---- the loop ---- */

/* When the next thing falls due, in ns from now. */
static u64 next_due(struct rounds *r, u64 now)
{
	u64 at = r->gone_ns;

	if (opts.schedtrace)
		at = min_u64(at, r->trace_ns);
	if (sched.nstray)
		at = min_u64(at, r->strays_ns);
	if (limit_followed())
		at = min_u64(at, sched.limit_ns);
	if (opts.checkdead)
		at = min_u64(at, r->dead_ns);
	if (r->above_ns)
		at = min_u64(at, r->above_ns);
	if (r->pace.due_ns)
		at = min_u64(at, r->pace.due_ns);
	if (r->alone_ns)
		at = min_u64(at, r->alone_ns + LINGER_NS);
	return at > now ? at - now : 1;
}

static void round_strays(struct rounds *r, u64 now)
{
	if (!sched.nstray || now < r->strays_ns)
		return;
	r->strays_delay_ns = strays_delay(r->strays_delay_ns, strays_look(now));
	r->strays_ns = now + r->strays_delay_ns;
}

static void round_trace(struct rounds *r, u64 now)
{
	if (!opts.schedtrace || now < r->trace_ns)
		return;
	schedtrace(now);
	r->trace_ns = now + opts.schedtrace * MS;
}

static void round_limit(u64 now)
{
	if (!limit_followed() || now < sched.limit_ns)
		return;
	limit_follow();
	sched.limit_ns = limit_next(now);
}

/* Threads that end by a raw system call tell nobody, and the process must not live on for us. */
static void round_gone(struct rounds *r, u64 now)
{
	if (now < r->gone_ns)
		return;
	bury_all();
	r->gone_ns = now + GONE_NS;
}

/* A G that came and went meanwhile: more may come, and a sysmon for each would be dear. */
static void round_alone(struct rounds *r, u64 now)
{
	u64 made = load_rlx(&sched.goidgen); /* relaxed: a guess; sysmon_leave() decides */

	if (!alone())
		r->alone_ns = 0;
	else if (!r->alone_ns || r->made != made)
		r->alone_ns = now;
	r->made = made;
}

static void round_dead(struct rounds *r, u64 now)
{
	if (!opts.checkdead || now < r->dead_ns)
		return;
	if (dead_look())
		rt_hooks.dead();
	r->dead_ns = now + DEAD_EVERY_NS;
}

/* Each spinner is to be found early in its turn, and who blocks unannounced may do so again. */
static u64 longest(u64 now, bool flows)
{
	if (preempt_spinners(now))
		return SPINS_NS / 2;
	return flows || now - sched.unseen_ns >= CALM_NS ? CALM_MAX_NS : BACKOFF_MAX_NS;
}

/*
 * The next look comes soon after there was something to take, and then less and less often: least
 * of all while every P passes through calls by itself.
 */
static void round_look(struct rounds *r, u64 now)
{
	u32 taken = sched.taken;
	bool flows = sysmon_retake(now);
	u64 most = longest(now, flows);

	if (sched.taken != taken)
		r->delay_ns = ROUND_NS;
	else
		r->delay_ns =
			min_u64(r->delay_ns * 2, min_u64(most, slice_shortest() / (flows ? 1 : 4)));
}

static i64 round_once(struct rounds *r)
{
	u64 now = os_nanotime(), due, delay_ns;
	bool waiters = load_rlx(&sched.nwait) != 0;

	if (waiters) {
		fence_busy();
		round_look(r, now);
	}
	round_strays(r, now);
	round_trace(r, now);
	round_limit(now);
	round_dead(r, now);
	pace_round(&r->pace, now);
	page_serve(now);
	if (now >= r->above_ns)
		r->above_ns = call_in_excess(now);
	round_gone(r, now);
	round_alone(r, now);
	due = next_due(r, now);
	r->seen = load_rlx(&sched.nwait);
	if (!r->seen) {
		r->delay_ns = ROUND_NS / 2; /* the first waiter after quiet pays no back-off */
		if (!fence_settle(&r->fence, now))
			due = min_u64(due, FENCE_WATCH_NS);
		return (i64)due;
	}
	if (!load_rlx(&sched.nlent) && r->pace.due_ns)
		return (i64)due; /* every P rests: until pace.c's next round */
	/* What it was called for is a call that has begun: one more look takes its P. */
	delay_ns = r->called ? min_u64(2 * ROUND_NS, r->delay_ns) : r->delay_ns;
	return (i64)min_u64(due, delay_ns);
}

/* True: this thread is sysmon no more. */
static bool leaves(struct rounds *r)
{
	u64 now = os_nanotime();

	if (!r->alone_ns || r->seen || now - r->alone_ns < LINGER_NS)
		return false;
	r->alone_ns = now; /* next time, if now is no good time */
	return sysmon_leave();
}

void sysmon_main(void)
{
	struct rounds r = { .delay_ns = ROUND_NS, .gone_ns = os_nanotime() + GONE_NS };

	if (!os_private_fds(opts.schedtrace || opts.trace[0] || opts.verbose || opts.checkdead))
		limit_freeze(); /* reading files would take the host's descriptors */
	else
		limit_look();
	page_open();
	trace_from_start();
	schedtrace_open();
	store_rel(&sched.sysmon_ready, 1); /* @pair ready */
	os_futex_wake(&sched.sysmon_ready, 1);
	os_short_slice();
	r.trace_ns = sched.start_ns + opts.schedtrace * MS;
	if (!sched.limit_ns)
		sched.limit_ns = limit_next(sched.start_ns);
	while (!load_acq(&sched.sysmon_quit)) {
		i64 ns = round_once(&r);

		if (leaves(&r))
			break;
		r.called = nap(ns, &r);
	}
	pace_stop(&r.pace); /* what rests would rest for ever */
	page_leave(os_nanotime());
}

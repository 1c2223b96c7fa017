/*
 * The watcher's day: it sleeps, is woken, and makes its rounds.  In each one everybody's turn comes
 * that is due; what becomes of the Ps that somebody holds is retake.c's.
 */
#include "runtime/sysmon.h"

#include "runtime/dead.h"
#include "runtime/fence.h"
#include "runtime/hooks.h"
#include "runtime/life.h"
#include "runtime/limit.h"
#include "runtime/opts.h"
#include "runtime/os.h"
#include "runtime/pace.h"
#include "runtime/page.h"
#include "runtime/preempt.h"
#include "runtime/retake.h"
#include "runtime/schedtrace.h"
#include "runtime/slice.h"
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
#define GONE_NS (1000 * MS) /* between looks whether anybody is left */
#define LINGER_NS (10 * MS) /* with one G left, before the thread ends */

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
 * of all while every P passes through calls by itself.  Never sooner than a round: the share of a
 * lock's holder of a short slice is less than a nap costs.
 */
static void round_look(struct rounds *r, u64 now)
{
	u32 taken = sched.taken;
	bool flows = retake(now);
	u64 most = longest(now, flows);

	if (sched.taken != taken)
		r->delay_ns = ROUND_NS;
	else
		r->delay_ns =
			min_u64(r->delay_ns * 2, min_u64(most, slice_shortest() / (flows ? 1 : 4)));
	r->delay_ns = max_u64(r->delay_ns, ROUND_NS);
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

	if (!r->alone_ns || r->seen || os_keeps_fds() || now - r->alone_ns < LINGER_NS)
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

/* The request, the signal and its way to the thread; the protocol is in preempt.h. */
#include "runtime/preempt.h"

#include <asm/errno.h>

#include "runtime/entersyscall.h"
#include "runtime/hold.h"
#include "runtime/opts.h"
#include "runtime/os.h"
#include "runtime/print.h"
#include "runtime/proc.h"
#include "runtime/stats.h"
#include "runtime/trace.h"

#define YIELDS 100
#define SENDER_NS 50000
#define DRAIN_NS 1000000000ul
#define SPUN_NS 100000000ul /* for so long after one was found spinning there may be others */
#define BESIDE 16	    /* bytes: a few instructions */
#define CODE_PAGE 4096

const char preempt_mark;
au32 preempt_signo = { PREEMPT_SIGNO };
au32 preempt_handled;

void preempt_request(struct g *g)
{
	store_rlx(&g->preempt, 1); /* relaxed: a hint; sysmon repeats it */
}

/* m's own, of its last thread to need one: another thread, or another number, needs another. */
static int make_timer(struct m *m, u32 signo)
{
	u32 old = load_rlx(&m->timer);
	int timer;

	if (old)
		os_cpu_timer_delete((int)old - 1);
	store_rlx(&m->timer, 0);
	timer = os_cpu_timer(m->tid, (int)signo, &preempt_mark);
	if (timer < 0)
		return timer;
	store_rlx(&m->timer, (u32)timer + 1); /* relaxed: SENT publishes it */
	m->timer_tid = m->tid;
	m->timer_signo = signo;
	return 0;
}

static int set_off_timer(struct m *m, u32 signo)
{
	int err = 0;

	if (!load_rlx(&m->timer) || m->timer_tid != m->tid || m->timer_signo != signo)
		err = make_timer(m, signo);
	return err ? err : os_cpu_timer_set_off((int)load_rlx(&m->timer) - 1);
}

static bool by_timer(const struct m *m)
{
	/* relaxed, both: the first signals may be sent the short way. */
	u32 sleeper = load_rlx(&m->sleeper);

	return sleeper == SLEEPER_CUT ||
	       (sleeper == SLEEPER_FUTEX && hold_of(load_rlx(&m->g->hold)) == HOLD_LOST);
}

/* 0 or -errno; what cannot pass by itself is said once. */
static int send(struct m *m, int signo)
{
	static au32 said;
	int err;

	if (by_timer(m) && set_off_timer(m, (u32)signo) == 0)
		return 0;
	err = os_signal_thread(m->tid, signo, &preempt_mark);
	if (err && err != -ESRCH && err != -EAGAIN && xchg_ar(&said, 1) == 0)
		gmp_warn("preempt: the kernel refuses to send signal %d: error %d; "
			 "a thread that makes no calls now runs over the cap",
			 signo, -err);
	return err;
}

static u32 next_flight(struct m *m)
{
	u32 flight = (add_rlx(&m->flights, 1) + 1) << 1;

	return flight ? flight : next_flight(m);
}

bool preempt_would_cut(struct g *g)
{
	int call;

	if (load_acq(&g->status) != G_RUNNING)
		return false;
	call = os_probe(g->m->tid);
	return call != PROBE_RUNNING && call != PROBE_UNKNOWN;
}

/*
 * The kernel merges standard signals: one of ours that is pending where the host blocks them all
 * would take the place of the host's own.  Who blocks its own here settles first (sigmask.c), so
 * this is asked after the flight is known.  Not of who never did: the answer takes as long as all
 * the rest.
 */
static bool would_stay_pending(struct m *m, u32 signo)
{
	/* masked: relaxed, written before the bracket whose end was seen. */
	return signo == PREEMPT_SIGNO && load_rlx(&m->masked) && os_blocks(m->tid, (int)signo) > 0;
}

bool preempt_send(struct g *g)
{
	struct m *m = g->m;
	u32 flight = next_flight(m), signo;

	/* acq_rel and fence_heavy: store half of @pair signal, and of @pair number. */
	if (!cas_ar(&m->sig, SIG_NONE, flight))
		return false;
	fence_heavy();
	signo = load_rlx(&preempt_signo); /* relaxed: the flight is seen, or the new number is */
	store_rlx(&m->signo, signo);	  /* published by SENT */
	if (load_acq(&g->status) == G_RUNNING && load_rlx(&m->live) &&
	    !would_stay_pending(m, signo) && send(m, (int)signo) == 0) {
		/* Fails when the handler has run already. */
		(void)cas_ar(&m->sig, flight, flight | SIG_SENT);
		stat_add(preempts, 1);
		return true;
	}
	(void)cas_ar(&m->sig, flight, SIG_NONE);
	return false;
}

/*
 * The host blocks our signal in this thread: take it off the queue ourselves.  Not there: the
 * kernel merged it with one of the host's, or a cancellation unwound its handler.  Or the handler
 * has run since, and another flight has begun: that one is not ours to end.
 *
 * A timer is stopped first, for it has not fired yet, mostly: it would when the kernel wakes the
 * thread in a call for a signal that another one takes, and what the kernel would then have gone on
 * with ends with EINTR.  Sysmon leaves it alone until the flight has ended.  If that has, and the
 * next one's timer is stopped here, preempt_settle ends that one as well.
 */
static void take_pending(struct m *m, u32 sent)
{
	u32 timer = load_rlx(&m->timer); /* relaxed: SENT published it */

	if (timer)
		os_cpu_timer_stop((int)timer - 1);
	os_take_signal((int)load_rlx(&m->signo), &preempt_mark);
	(void)cas_ar(&m->sig, sent, SIG_NONE);
}

void preempt_foreign(struct m *m)
{
	u32 sig = load_acq(&m->sig);

	if (sig & SIG_SENT)
		take_pending(m, sig);
}

/* One of the host's real-time threads never yields to an ordinary one, which the sender may be. */
static void give_way(struct m *m, u32 sig, u32 turns)
{
	if (turns < YIELDS)
		os_yield();
	else
		os_futex_wait(&m->sig, sig, SENDER_NS);
}

void preempt_settle(struct m *m)
{
	u32 sig, turns = 0;

	while ((sig = load_acq(&m->sig)) != SIG_NONE) {
		/* Every return from the kernel delivers what is pending and not blocked. */
		give_way(m, sig, turns++);
		if (sig & SIG_SENT && load_acq(&m->sig) == sig)
			take_pending(m, sig);
	}
}

void preempt_forget(struct m *m)
{
	u32 sig;

	while ((sig = load_acq(&m->sig)) != SIG_NONE)
		if (!(sig & SIG_SENT) || !cas_ar(&m->sig, sig, SIG_NONE))
			os_yield(); /* its sender is about to see that there is nobody */
}

/* With this number, or with one that its sender has not told yet. */
static bool flies(struct m *m, u32 signo)
{
	u32 sig = load_acq(&m->sig); /* @pair number: SENT comes after the number */

	return sig != SIG_NONE && (!(sig & SIG_SENT) || load_rlx(&m->signo) == signo);
}

void preempt_renumber(u32 signo)
{
	u64 end = os_nanotime() + DRAIN_NS;
	u32 old = load_rlx(&preempt_signo);
	struct m *self = getm();

	store_rlx(&preempt_signo, signo);
	fence_full(); /* @pair number */
	if (self && load_rlx(&self->live))
		preempt_settle(self);
	for (struct m *m = allm(); m; m = m->alllink)
		while (flies(m, old) && os_nanotime() < end)
			os_yield();
}

static bool wanted(struct m *m)
{
	return m->p->id >= load_rlx(&sched.nlent) || load_rlx(&sched.nwait) ||
	       load_rlx(&sched.stopping);
}

static void yield(struct m *m)
{
	store_rlx(&m->g->preempt, 0);
	if (!wanted(m))
		return;
	trace(GO_PREEMPT, trace_p(m->g), m->g->goid);
	gosched(m, false);
}

void preempt_yield(struct m *m)
{
	if (!wanted(m) || !preempt_put_off(m))
		yield(m);
}

/* Has m had its P for so many slices? */
static bool had_slices(struct m *m, u64 halves)
{
	u64 had = os_nanotime() - load_rlx(&m->p->granted_ns);

	return had >= opt_now(slice_us) * 1000ul * halves / 2;
}

bool preempt_put_off(struct m *m)
{
	if (!load_rlx(&m->held) || !opts.lock_grace)
		return false;
	if (!had_slices(m, 2 * (1 + opts.lock_grace)))
		return true;
	store_rlx(&m->held, 0);
	return false;
}

bool preempt_spinners(u64 now)
{
	return (i64)(now - load_rlx(&sched.spun_ns)) < (i64)SPUN_NS; /* relaxed: a hint */
}

/* The loop around a PAUSE is short, and the signal may find any instruction of it. */
static bool beside_pause(uintptr_t ip)
{
	uintptr_t into = ip % CODE_PAGE, from = ip - (into < BESIDE ? into : BESIDE);
	u8 code[2 * BESIDE];
	size_t len = CODE_PAGE - from % CODE_PAGE;

	if (len > sizeof(code))
		len = sizeof(code); /* the next page need not be there */
	if (os_peek(from, code, len) != 0)
		return false;
	for (size_t i = 0; i + 1 < len; i++)
		if (code[i] == 0xf3 && code[i + 1] == 0x90)
			return true;
	return false;
}

/* Its slice is over.  Is there a chance that it holds what others spin for? */
static bool may_hold(struct m *m)
{
	return opts.lock_grace && preempt_spinners(os_nanotime()) && !had_slices(m, 3);
}

bool preempt_arrived(struct m *m, uintptr_t ip)
{
	struct g *g = m->g;
	u64 w;

	store_rel(&m->sig, SIG_NONE); /* @pair signal */
	fence_light();		      /* @pair starved: heard, so the P stays, or is gone already */
	w = refuse_seizers(g);
	/*
	 * In a bracket, in a handler of the host, or parked: the gate that is open will see to it.
	 */
	if (m->depth || load_rlx(&g->status) != G_RUNNING)
		return false;
	if (hold_of(w) == HOLD_LOST)
		return true;
	if (beside_pause(ip)) {
		store_rlx(&sched.spun_ns, os_nanotime());
		return !preempt_put_off(m);
	}
	return load_rlx(&g->preempt) && !preempt_put_off(m) && !may_hold(m);
}

void preempt_park(struct m *m)
{
	/* The host's mask is back: a handler may have forked, and this may be the child. */
	if (!load_rlx(&m->live))
		return;
	if (hold_of(load_rlx(&m->g->hold)) == HOLD_LOST)
		acquirep(m, false); /* a stray, seen running */
	else
		yield(m);
}

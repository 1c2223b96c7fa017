/* Who had its P for long enough; slice.h says what follows. */
#include "runtime/slice.h"

#include "runtime/home.h"
#include "runtime/loan.h"
#include "runtime/opts.h"
#include "runtime/os.h"
#include "runtime/preempt.h"
#include "runtime/retake.h"

#define US 1000ul
#define MS 1000000ul
#define LOCK_SHARE 100	   /* parts of a slice that one with a lock waits; BACK_SHARE, loan.h */
#define KEEPS 60	   /* times what those back from a call had before: slice_ns() */
#define DEAF_NS (100 * MS) /* one that could hear is let run over the cap after this */
#define STALL_OFF_NS (100 * MS) /* GMP_PREEMPT=off: over the cap after this */
#define STARVED_NS (2 * MS)	/* ready and without a CPU for so long, beyond its slice */

/*
 * A G back from a call waits a quarter of a slice for one that computes: it is late by a few
 * milliseconds, and the other keeps 95 % of the P and more.  Up to a half where that takes longer,
 * because waking a thread is dear: the other pays for two, and for its way into the handler and out
 * of it, all in all two and a half times what the row took.  One that holds a lock, for which many
 * may wait in their turn, waits much less, but never so that those who go first had p for longer
 * than the one who does not.
 */
static u64 slice_ns(struct p *p)
{
	u64 slice = opt_now(slice_us) * US, owed = load_rlx(&p->owed_ns);

	if (load_rlx(&home_of(p)->lockq.size))
		return min_u64(max_u64(slice / LOCK_SHARE, owed), slice / BACK_SHARE);
	if (load_rlx(&home_of(p)->backq.size))
		return min_u64(max_u64(slice / BACK_SHARE, owed * KEEPS), slice / 2);
	return slice;
}

u64 slice_shortest(void)
{
	u64 slice = opt_now(slice_us) * US;

	return homes_holders() ? slice / LOCK_SHARE : slice;
}

static u64 grace_ns(struct g *g)
{
	/* relaxed: a guess */
	return load_rlx(&g->m->held) ? opts.lock_grace * opt_now(slice_us) * US : 0;
}

static u64 stall_ns(struct g *g)
{
	u64 slice = opt_now(slice_us) * US;

	if (opt_now(preempt) == PREEMPT_OFF)
		return STALL_OFF_NS;
	return grace_ns(g) + max_u64(slice, RESEND_NS + 2 * HEARD_NS); /* a second's chance */
}

static bool may_block_signal(struct g *g)
{
	return os_blocks(g->m->tid, (int)load_rlx(&preempt_signo)) != 0;
}

/*
 * Whoever does not block the signal takes it as soon as it has a CPU: if its clock went on all the
 * same, a hypervisor may have run another machine meanwhile.  But not for ever.
 */
static bool is_deaf(struct g *g, u64 asked_for)
{
	return opt_now(preempt) != PREEMPT_SIGNAL || asked_for >= DEAF_NS || may_block_signal(g);
}

/*
 * The kernel gives g's thread no CPU: there are others, and it has a small weight (SCHED_IDLE).
 * With our signal before it, it meets the handler ahead of its next instruction, and queues there.
 */
static bool is_starved(struct p *p, struct g *g, u64 now)
{
	/* relaxed: retake_starved() looks again. */
	return load_rlx(&g->m->sig) & SIG_SENT && p->seen.cpu_ns >= 0 &&
	       now - p->seen.still_ns >= STARVED_NS + grace_ns(g) && !may_block_signal(g);
}

/* g has had cpu so far.  True: it sleeps, and p was taken without a signal. */
static bool send(struct p *p, struct g *g, u64 now, i64 cpu)
{
	struct sysmontick *seen = &p->seen;

	if (opt_now(preempt) != PREEMPT_SIGNAL || now - seen->sent_ns < RESEND_NS)
		return false;
	seen->sent_ns = now;
	if (take_asleep(p, g))
		return true;
	if (preempt_send(g))
		seen->asked_cpu = cpu; /* it has from here on to hear it */
	return false;
}

static void over_slice(struct p *p, struct g *g, u64 now)
{
	struct sysmontick *seen = &p->seen;
	i64 cpu = os_thread_cpu(g->m->tid);

	/* The owner clears the request when it has heard it: then this is a new one. */
	if (!seen->asked_ns || (opt_now(preempt) != PREEMPT_OFF && !load_rlx(&g->preempt))) {
		seen->asked_ns = now;
		seen->asked_cpu = cpu;
	}
	if (opt_now(preempt) != PREEMPT_OFF)
		preempt_request(g);
	if (send(p, g, now, cpu))
		return;
	if (is_starved(p, g, now)) {
		retake_starved(p, g);
		return;
	}
	if (now - seen->asked_ns < stall_ns(g) ||
	    (cpu >= 0 && cpu - seen->asked_cpu < (i64)HEARD_NS))
		return;
	/* It had the CPU since, so a signal that can be delivered was: it will not give way. */
	if (is_deaf(g, now - seen->asked_ns))
		admit_over_cap(p, g);
	else
		seen->asked_cpu = cpu; /* asked again when it had as much once more */
}

void slice_look(struct p *p, struct g *g, u64 now)
{
	i64 had = (i64)(now - load_rlx(&p->granted_ns));

	if (had >= (i64)slice_ns(p))
		over_slice(p, g, now);
	else if (had >= (i64)SPINS_NS && preempt_spinners(now)) /* not asked: nothing to hear */
		send(p, g, now, p->seen.asked_cpu);
}

/* Leaving and picking up Ps on loan; loan.h says when and why. */
#include "runtime/loan.h"

#include "runtime/cpu.h"
#include "runtime/entersyscall.h"
#include "runtime/fence.h"
#include "runtime/hold.h"
#include "runtime/home.h"
#include "runtime/opts.h"
#include "runtime/os.h"
#include "runtime/proc.h"
#include "runtime/runq.h"
#include "runtime/stats.h"

#define LUCK_MAX 16
#define LAPSE 8		/* luck that a loan costs which nobody wanted */
#define TRY_EVERY 16	/* loans left by a P without luck */
#define AGED_NS 2000000 /* a G that has waited so long is not passed by */
#define SERVE_NS 500000 /* but by a P that has served the queue within this */
#define SYSMON_US 200	/* no P is left where sysmon is told to come later than that */
#define TURN_NS 200000	/* a turn is not shorter: a hand-off costs a tenth of it */

/* relaxed, throughout: luck and times are hints, and who owns p may change any moment. */

void loan_lapsed(struct p *p)
{
	u32 luck = load_rlx(&p->luck);

	store_rlx(&p->luck, luck > LAPSE ? luck - LAPSE : 0);
}

static void lucky(struct p *p)
{
	u32 luck = load_rlx(&p->luck);

	if (luck < LUCK_MAX)
		store_rlx(&p->luck, luck + 1);
}

/* Is it the queue's turn to get p, which is picked up again and again? */
static bool queue_due(struct p *p)
{
	struct home *home = home_of(p);
	u64 now = os_nanotime(), first = load_rlx(&home->first_ns);
	i64 served = (i64)(now - load_rlx(&p->served_ns));

	if (load_rlx(&home->lockq.size))
		return true; /* others may wait for its lock */
	if (first && (i64)(now - first) > AGED_NS && served > SERVE_NS)
		return true;
	return load_rlx(&sched.nwait) && served > (i64)opt_now(slice_us) * 1000;
}

bool turn_over(struct p *p)
{
	u64 slice = opt_now(slice_us) * 1000ul, turn;
	u32 back = load_rlx(&home_of(p)->backq.size);

	if (!back)
		return false; /* who computes has a slice: sysmon's business */
	turn = slice / (back < BACK_SHARE ? BACK_SHARE : back);
	return (i64)(os_nanotime() - load_rlx(&p->granted_ns)) >
	       (i64)(turn < TURN_NS ? TURN_NS : turn);
}

bool loan_leave(struct m *m)
{
	struct p *p = m->p;
	u32 left;

	if (!fence_is_busy() || !cpu_known(load_rlx(&m->cpu)) || opts.retake_us > SYSMON_US)
		return false;
	if (!load_rlx(&p->luck)) {
		left = load_rlx(&p->unlucky) + 1;
		store_rlx(&p->unlucky, left);
		if (left % TRY_EVERY)
			return false;
	}
	return !queue_due(p);
}

/* g lent its P on the CPU that we run on.  In quiet times that is not worth a membarrier. */
static bool lent_here(struct g *g)
{
	u32 here = cpu_here();

	return fence_is_busy() && cpu_known(here) && load_rlx(&g->m->cpu) == here;
}

/*
 * Is g's call one that waits?  It said so, or its descriptor does, which may be another by now:
 * then g has come home, and keeps its P.
 */
static bool waits(struct g *g)
{
	u64 class = load_rlx(&g->m->class);
	int fd = (int)(class >> 32);

	if (call_class(g) == WILL_WAIT)
		return true;
	return class & (PROBE_READ | PROBE_WRITE) && !os_ready(fd, class & PROBE_WRITE) &&
	       !os_nonblocking(fd);
}

/* Where others wait those of m's own home alone are looked at: it is as busy as any. */
struct p *loan_take(struct m *m)
{
	bool alone = load_rlx(&sched.nwait) == 0;
	u32 n = load_rlx(&sched.stopping) ? 0 : load_rlx(&sched.nlent);
	u32 first = m->p ? m->p->id / HOME_PS * HOME_PS : 0;

	if (alone && load_rlx(&sched.npidle))
		return NULL; /* that is cheaper than to ask who waits */
	for (u32 i = 0; i < n && (alone || i < HOME_PS); i++) {
		struct p *p = sched.allp[(first + i) % n];
		struct g *g = load_acq(&p->g); /* @pair owner */
		bool here;

		if (!g || load_rlx(&g->status) != G_SYSCALL)
			continue;
		here = lent_here(g);
		/* Or of one that waits, unless that means passing others by. */
		if (!(here || (alone && waits(g))) || !seize_loan(p))
			continue;
		stat_add(pickups, 1);
		if (here)
			lucky(p);
		if (!queue_due(p))
			return p;
		handoffp(p);
		return NULL;
	}
	return NULL;
}

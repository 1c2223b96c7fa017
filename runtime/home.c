/* Queues of those back from a call; home.h says who goes first. */
#include "runtime/home.h"

#include "runtime/gqueue.h"
#include "runtime/lock.h"
#include "runtime/opts.h"
#include "runtime/runq.h"

#define NEAR_NS 1000000 /* how much later than the first one may have come who passes it */

/* relaxed, throughout: sizes and dates are hints for who has no lock. */

u32 homes_holders(void)
{
	u32 n = 0;

	for (u32 i = 0; i < load_rlx(&sched.nhome); i++)
		n += load_rlx(&sched.homes[i].lockq.size);
	return n;
}

u32 homes_back(void)
{
	u32 n = 0;

	for (u32 i = 0; i < load_rlx(&sched.nhome); i++)
		n += load_rlx(&sched.homes[i].backq.size);
	return n;
}

u32 homes_size(void)
{
	return homes_holders() + homes_back();
}

/* For those who look without the lock. */
static void first_changed(struct home *h)
{
	store_rlx(&h->first_ns, h->backq.head ? h->backq.head->ready_ns : 0);
}

void home_put(struct g *g)
{
	struct home *h = &sched.homes[g->home];

	mutex_lock(&h->lock);
	gqueue_push(g->holder ? &h->lockq : &h->backq, g);
	first_changed(h);
	mutex_unlock(&h->lock);
}

static bool empty(const struct home *h)
{
	return !load_rlx(&h->lockq.size) && !load_rlx(&h->backq.size);
}

/* Does somebody wait there for a slice longer than all here?  Of holders, who may be all that there
 * are here, nobody waits for long. */
static bool waits_longer(const struct home *other, const struct home *h, u64 now, u64 slice)
{
	u64 there = load_rlx(&other->first_ns), here = load_rlx(&h->first_ns);

	return there && (i64)((here ? here : now) - there) > (i64)slice;
}

/* Whose turn it is to be served by p; NULL: all are empty. */
static struct home *next_home(struct p *p, u64 now, u64 slice)
{
	struct home *own = home_of(p), *other;
	u32 n = load_rlx(&sched.nhome), at = (u32)(own - sched.homes);

	if (!empty(own)) {
		other = n > 1 ? &sched.homes[load_rlx(&p->schedtick) % n] : own;
		return waits_longer(other, own, now, slice) ? other : own;
	}
	for (u32 i = 1; i < n; i++) {
		other = &sched.homes[(at + i) % n];
		if (!empty(other))
			return other;
	}
	return NULL;
}

/*
 * Those with a lock first, of which there may always be one; so when one without has waited for a
 * slice, the two take turns.
 */
static struct gqueue *first_queue(struct home *h, u64 now, u64 slice)
{
	struct g *back = h->backq.head;

	if (!h->lockq.head)
		return &h->backq;
	if (back && !h->back_had_turn && (i64)(now - back->ready_ns) >= (i64)slice)
		return &h->backq;
	return &h->lockq;
}

static struct g *take(struct home *h, u64 now, u64 slice)
{
	struct gqueue *q;
	struct g *g;

	mutex_lock(&h->lock);
	q = first_queue(h, now, slice);
	g = gqueue_take(q, q == &h->backq ? gqueue_before_near(q, NEAR_NS) : NULL);
	if (g)
		h->back_had_turn = q == &h->backq;
	first_changed(h);
	mutex_unlock(&h->lock);
	return g;
}

struct g *home_get(struct p *p, u64 now)
{
	u64 slice = opt_now(slice_us) * 1000ul;
	struct home *h = next_home(p, now, slice);
	bool others = globrunq_size() || runq_size(p);

	if (!h || (others && p->boost_ns && now - p->boost_ns >= slice))
		return NULL;
	return take(h, now, slice);
}

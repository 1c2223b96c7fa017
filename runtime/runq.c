/* Rings and global queues; runq.h says who may call what. */
#include "runtime/runq.h"

#include "runtime/cpu.h"
#include "runtime/opts.h"

u32 runq_size(struct p *p)
{
	/* relaxed: a count for people and for heuristics. */
	return load_rlx(&p->runqtail) - load_rlx(&p->runqhead);
}

bool runq_put(struct p *p, struct g *g)
{
	/* acquire, @pair runq: consumers are done with the slots before head. */
	u32 head = load_acq(&p->runqhead), tail = load_rlx(&p->runqtail);

	if (tail - head >= RUNQ_SIZE)
		return false;
	store_rlx(&p->runq[tail % RUNQ_SIZE], g);
	/* release, @pair runq: the slot before the tail that shows it. */
	store_rel(&p->runqtail, tail + 1);
	return true;
}

struct g *runq_get(struct p *p)
{
	for (;;) {
		/* acquire, @pair runq, both: head for other consumers, tail for the producer. */
		u32 head = load_acq(&p->runqhead), tail = load_acq(&p->runqtail);
		struct g *g;

		if (head == tail)
			return NULL;
		g = load_rlx(&p->runq[head % RUNQ_SIZE]);
		/* release, @pair runq: our read of the slot comes before its reuse. */
		if (cas_ar(&p->runqhead, head, head + 1))
			return g;
	}
}

/*
 * Half of the ring, rounded up, straight into p's: no batch on the stack, which is the host's.
 * Copying before the commit is safe: no slot is reused until head moves, and nobody looks at ours
 * until tail does.
 */
struct g *runq_steal(struct p *p, struct p *victim)
{
	u32 at = load_rlx(&p->runqtail), room = RUNQ_SIZE - runq_size(p);

	for (;;) {
		/* acquire, @pair runq, both, as in runq_get(). */
		u32 head = load_acq(&victim->runqhead), tail = load_acq(&victim->runqtail);
		struct g *first = load_rlx(&victim->runq[head % RUNQ_SIZE]);
		u32 n = tail - head;

		n -= n / 2;
		if (n == 0)
			return NULL;
		if (n > RUNQ_SIZE / 2)
			continue; /* head and tail are of two moments */
		n = n > room + 1 ? room + 1 : n;
		for (u32 i = 1; i < n; i++)
			store_rlx(&p->runq[(at + i - 1) % RUNQ_SIZE],
				  load_rlx(&victim->runq[(head + i) % RUNQ_SIZE]));
		if (!cas_ar(&victim->runqhead, head, head + n))
			continue;
		/* release, @pair runq: the slots before the tail that shows them. */
		store_rel(&p->runqtail, at + n - 1);
		return first;
	}
}

/* For those who look without the lock (loan.c). */
static void first_changed(struct gqueue *q)
{
	if (q == &sched.backq)
		store_rlx(&sched.first_ns, q->head ? q->head->ready_ns : 0); /* relaxed: a hint */
}

static void push(struct gqueue *q, struct g *g)
{
	g->schedlink = NULL;
	if (q->tail)
		q->tail->schedlink = g;
	else
		q->head = g;
	q->tail = g;
	store_rlx(&q->size, load_rlx(&q->size) + 1);
	first_changed(q);
}

/* The one behind before, NULL: the first. */
static struct g *take(struct gqueue *q, struct g *before)
{
	struct g *g = before ? before->schedlink : q->head;

	if (!g)
		return NULL;
	*(before ? &before->schedlink : &q->head) = g->schedlink;
	if (q->tail == g)
		q->tail = before;
	store_rlx(&q->size, load_rlx(&q->size) - 1);
	g->looks = LOOKS_NOT;
	first_changed(q);
	return g;
}

/* So long a row of turns out of turn there may be: some 4 ms. */
#define IN_TURN_MAX 256

#define NEAR_MAX 16	/* Gs looked at */
#define NEAR_NS 1000000 /* how much later than the first one may have come who passes it, */
#define NEAR_SLICES 2ul /* and among those that compute */

/*
 * Whose thread ran last on this CPU, where that which hands its P on is about to sleep: it is woken
 * here, while the other CPU would be interrupted, and this one idle.  Returns who stands before it,
 * for take().  Each G passes the first once at most, and those who come later do not.  Yielders
 * keep their order.
 */
static struct g *before_near(const struct gqueue *q, u64 later_ns)
{
	u32 here = cpu_here();
	struct g *first = q->head, *g = first;

	if (!cpu_known(here) || !g || g->cpu == here || g->looks)
		return NULL;
	for (u32 n = 1; n < NEAR_MAX && g->schedlink; n++, g = g->schedlink) {
		struct g *next = g->schedlink;

		if ((i64)(next->ready_ns - first->ready_ns) > (i64)later_ns || next->looks)
			return NULL;
		if (next->cpu == here)
			return g;
	}
	return NULL;
}

/* Who looked in vain goes before all the others, in the order in which they are. */
static void vain_first(void)
{
	struct gqueue *q = &sched.runq, *vain = &sched.vainq;

	if (!vain->head)
		return;
	vain->tail->schedlink = q->head;
	q->head = vain->head;
	if (!q->tail)
		q->tail = vain->tail;
	store_rlx(&q->size, load_rlx(&q->size) + load_rlx(&vain->size));
	vain->head = vain->tail = NULL;
	store_rlx(&vain->size, 0);
}

/* The same out of turn, which as many others had in turn before. */
static void ask_again(void)
{
	u32 n = load_rlx(&sched.vainq.size);

	if (n > sched.in_turn)
		return;
	sched.in_turn -= n;
	sched.out_of_turn += n;
	vain_first();
}

static void count_turn(void)
{
	if (sched.out_of_turn)
		sched.out_of_turn--;
	else if (sched.in_turn < IN_TURN_MAX)
		sched.in_turn++;
}

/* Who came first is next, but those out of turn. */
static struct g *next_yielder(void)
{
	struct g *g = sched.runq.head, *vain = sched.vainq.head;

	if (vain && (!g || (i64)(vain->ready_ns - g->ready_ns) < 0))
		vain_first();
	return sched.runq.head;
}

static struct gqueue *queue_of(const struct g *g)
{
	if (g->holder)
		return &sched.lockq;
	if (g->back)
		return &sched.backq;
	return g->looks == LOOKS_IN_VAIN ? &sched.vainq : &sched.runq;
}

void globrunq_put(struct g *g)
{
	struct gqueue *q = queue_of(g);

	push(q, g);
	if (q == &sched.runq && g->looks == LOOKS_FOUND)
		ask_again();
}

u32 globrunq_size(void)
{
	return load_rlx(&sched.runq.size) + load_rlx(&sched.vainq.size) +
	       load_rlx(&sched.backq.size) + load_rlx(&sched.lockq.size);
}

/*
 * Those with a lock first, of which there may always be one; so when one without has waited for a
 * slice, the two take turns.
 */
static struct gqueue *first_queue(u64 now, u64 slice)
{
	struct g *back = sched.backq.head;

	if (!sched.lockq.head)
		return &sched.backq;
	if (back && !sched.back_had_turn && (i64)(now - back->ready_ns) >= (i64)slice)
		return &sched.backq;
	return &sched.lockq;
}

struct g *boosted_get(struct p *p, u64 now)
{
	bool others = sched.runq.head || sched.vainq.head || runq_size(p);
	u64 slice = opt_now(slice_us) * 1000ul;
	struct gqueue *q = first_queue(now, slice);

	if (!q->head)
		return NULL;
	if (others && p->boost_ns && now - p->boost_ns >= slice)
		return NULL;
	sched.back_had_turn = q == &sched.backq;
	return take(q, q == &sched.backq ? before_near(q, NEAR_NS) : NULL);
}

/* With one P there is nobody to leave the others to. */
static struct g *before_computing(void)
{
	u64 slice = opt_now(slice_us) * 1000ul;

	return load_rlx(&sched.gomaxprocs) > 1 ? before_near(&sched.runq, NEAR_SLICES * slice)
					       : NULL;
}

static struct g *behind(struct g *before)
{
	return before ? before->schedlink : sched.runq.head;
}

/* Up to n more for p, of this CPU if the first was: the others are another P's. */
static void fill(struct p *p, struct g *first, u32 n)
{
	while (n--) {
		struct g *before = before_computing(), *g = behind(before);

		if (!g || g->looks || g->cpu != first->cpu || !runq_put(p, g))
			return;
		take(&sched.runq, before);
	}
}

struct g *globrunq_get(struct p *p, u32 max)
{
	struct g *g = next_yielder();
	/* relaxed: gomaxprocs only sizes the share; we hold the lock it is written under. */
	u32 n = load_rlx(&sched.runq.size) / load_rlx(&sched.gomaxprocs) + 1;

	if (!g)
		return NULL;
	if (n > RUNQ_SIZE / 2)
		n = RUNQ_SIZE / 2;
	if (max && n > max)
		n = max;
	if (g->looks)
		n = 1; /* in a ring it would keep its place whatever the others find */
	count_turn();
	g = take(&sched.runq, before_computing());
	fill(p, g, n - 1);
	return g;
}

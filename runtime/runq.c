/* Rings and the global queue; runq.h says who may call what. */
#include "runtime/runq.h"

#include "runtime/gqueue.h"
#include "runtime/lock.h"
#include "runtime/opts.h"
#include "runtime/print.h"

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

/* So long a row of turns out of turn there may be: some 4 ms. */
#define IN_TURN_MAX 256

#define NEAR_SLICES 2ul /* how much later than the first one may have come who passes it */

/* The same out of turn, which as many others had in turn before. */
static void ask_again(void)
{
	u32 n = load_rlx(&sched.vainq.size);

	if (n > sched.in_turn)
		return;
	sched.in_turn -= n;
	sched.out_of_turn += n;
	gqueue_prepend(&sched.runq, &sched.vainq);
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
		gqueue_prepend(&sched.runq, &sched.vainq);
	return sched.runq.head;
}

void globrunq_put(struct g *g)
{
	mutex_lock(&sched.lock);
	gqueue_push(g->looks == LOOKS_IN_VAIN ? &sched.vainq : &sched.runq, g);
	if (g->looks == LOOKS_FOUND)
		ask_again();
	mutex_unlock(&sched.lock);
}

u32 globrunq_size(void)
{
	return load_rlx(&sched.runq.size) + load_rlx(&sched.vainq.size);
}

/* With one P there is nobody to leave the others to. */
static struct g *before_computing(void)
{
	u64 slice = opt_now(slice_us) * 1000ul;

	return load_rlx(&sched.gomaxprocs) > 1
		       ? gqueue_before_near(&sched.runq, NEAR_SLICES * slice)
		       : NULL;
}

static struct g *behind(struct g *before)
{
	return before ? before->schedlink : sched.runq.head;
}

/*
 * Up to n more for p, of this CPU if the first was: the others are another P's.  Off the queue
 * first: from the ring it may be stolen at once, run, and queue again.
 */
static void fill(struct p *p, struct g *first, u32 n)
{
	while (n-- && runq_size(p) < RUNQ_SIZE) {
		struct g *before = before_computing(), *g = behind(before);

		if (!g || g->looks || g->cpu != first->cpu)
			return;
		gqueue_take(&sched.runq, before);
		must(runq_put(p, g));
	}
}

static struct g *get_locked(struct p *p, u32 max)
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
	g = gqueue_take(&sched.runq, before_computing());
	fill(p, g, n - 1);
	return g;
}

struct g *globrunq_get(struct p *p, u32 max)
{
	struct g *g;

	if (!globrunq_size()) /* who queued this moment looks for an idle P: @pair idle */
		return NULL;
	mutex_lock(&sched.lock);
	g = get_locked(p, max);
	mutex_unlock(&sched.lock);
	return g;
}

/* FIFOs through g->schedlink; gqueue.h. */
#include "runtime/gqueue.h"

#include "runtime/cpu.h"

#define NEAR_MAX 16 /* Gs looked at */

/* relaxed: a hint for who has no lock. */
static void add_size(struct gqueue *q, u32 n)
{
	store_rlx(&q->size, load_rlx(&q->size) + n);
}

void gqueue_push(struct gqueue *q, struct g *g)
{
	g->schedlink = NULL;
	if (q->tail)
		q->tail->schedlink = g;
	else
		q->head = g;
	q->tail = g;
	add_size(q, 1);
}

struct g *gqueue_take(struct gqueue *q, struct g *before)
{
	struct g *g = before ? before->schedlink : q->head;

	if (!g)
		return NULL;
	*(before ? &before->schedlink : &q->head) = g->schedlink;
	if (q->tail == g)
		q->tail = before;
	add_size(q, (u32)-1);
	g->looks = LOOKS_NOT;
	return g;
}

struct g *gqueue_before_near(const struct gqueue *q, u64 later_ns)
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

void gqueue_prepend(struct gqueue *q, struct gqueue *from)
{
	if (!from->head)
		return;
	from->tail->schedlink = q->head;
	q->head = from->head;
	if (!q->tail)
		q->tail = from->tail;
	add_size(q, load_rlx(&from->size));
	from->head = from->tail = NULL;
	store_rlx(&from->size, 0);
}

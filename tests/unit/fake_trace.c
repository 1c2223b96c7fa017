/* See fake_trace.h. */
#include "tests/unit/fake_trace.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/os.h"
#include "runtime/trace_file.h"
#include "tests/unit/fake_os.h"

#define CHUNKS 96u
#define PS 16
#define GS 64

struct seen {
	u64 date, order;
	u32 type, p, g;
};

static struct seen all[CHUNKS * TRACE_EVENTS];
static size_t n;

/* 0: nobody, none; a P is counted from 1. */
static struct {
	u32 of_p[PS], of_g[GS], status_g, changes;
	bool spoken_p[PS], spoken_g[GS], gone[GS];
} at;

void fake_trace_ask(void)
{
	struct statpage *page = sched.page.v;

	if (!page || load_rlx(&sched.tracing))
		return;
	store_rlx(&page->trace_size, (u64)(1 + CHUNKS) * TRACE_CHUNK);
	store_rlx(&page->trace_until_ns, NEVER_NS);
	store_rel(&page->wants, WANT_TRACE);
	add_ar(&page->bell, 1);
	os_futex_wake_shared(&page->bell, 1);
}

static void read_chunk(struct trace_chunk *c)
{
	struct trace_event *e = (struct trace_event *)(c + 1);

	for (u32 i = 0; c->turn.v && i < TRACE_EVENTS; i++, e++)
		if (e->ticks.v)
			all[n++] = (struct seen){ e->ticks.v, c->turn.v * TRACE_EVENTS + i, e->type,
						  e->a, e->b };
}

static int by_date(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	if (x->date != y->date)
		return x->date < y->date ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static void gain(u32 p, u32 g)
{
	cr_assert(!at.of_p[p], "seed %lu: g%u gets p%u, which g%u has", fake.seed, g, p,
		  at.of_p[p]);
	cr_assert(!at.of_g[g], "seed %lu: g%u gets p%u, and has p%u", fake.seed, g, p,
		  at.of_g[g] - 1);
	cr_assert(!at.gone[g], "seed %lu: g%u gets p%u, and is no more", fake.seed, g, p);
	at.of_p[p] = g;
	at.of_g[g] = p + 1;
	at.spoken_p[p] = at.spoken_g[g] = true;
	at.changes++;
}

static void lose(u32 p, u32 g)
{
	bool known = at.spoken_p[p];

	cr_assert(!known || at.of_p[p] == g, "seed %lu: g%u loses p%u, which g%u has", fake.seed, g,
		  p, at.of_p[p]);
	cr_assert(!at.gone[g], "seed %lu: g%u loses p%u, and is no more", fake.seed, g, p);
	at.spoken_p[p] = at.spoken_g[g] = true;
	at.of_p[p] = at.of_g[g] = 0;
}

/* What it says is so at that date, whatever else is told of it before and after. */
static void status(u32 p, u32 g)
{
	u32 has = p < PS ? p + 1 : 0;

	if (has && !at.spoken_p[p] && !at.spoken_g[g])
		gain(p, g);
	cr_assert_eq(at.of_g[g], has, "seed %lu: g%u is said to have p%d, and has p%d", fake.seed,
		     g, (int)has - 1, (int)at.of_g[g] - 1);
	at.spoken_g[g] = true;
}

static void step(const struct seen *e)
{
	switch (e->type) {
	case GO_START:
		gain(e->p, e->g);
		break;
	case GO_STOP:
	case GO_BLOCK:
	case PROC_STEAL:
		lose(e->p, e->g);
		break;
	case GO_DESTROY:
		cr_assert(!at.of_g[e->g], "seed %lu: g%u is no more, and has p%u", fake.seed, e->g,
			  at.of_g[e->g] - 1);
		at.gone[e->g] = true;
		break;
	case PROC_STOP:
		cr_assert(!at.of_p[e->p], "seed %lu: p%u is idle, and g%u has it", fake.seed, e->p,
			  at.of_p[e->p]);
		break;
	case GO_STATUS:
		at.status_g = e->g;
		break;
	case GO_STATUS_THREAD:
		status(e->p & 0x1fff, at.status_g);
		break;
	default:
		break;
	}
}

u32 fake_trace_check(void)
{
	struct trace_head *h = fake.mapped;

	if (!h || h->taken.v > CHUNKS)
		return 0;
	n = 0;
	memset(&at, 0, sizeof(at));
	for (u32 i = 1; i <= CHUNKS; i++)
		read_chunk((struct trace_chunk *)((char *)h + (u64)i * TRACE_CHUNK));
	qsort(all, n, sizeof(all[0]), by_date);
	for (size_t i = 0; i < n; i++)
		step(&all[i]);
	return at.changes;
}

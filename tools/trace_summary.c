/* gmp trace --summary: for each call how often, how long, and what it cost in waits for a P. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/gmp.h"
#include "tools/replay.h"

#define KINDS 1024 /* calls, then strays */

struct row {
	const char *name;
	bool stray;
	size_t n, lost, room;
	u64 total, waited;
	u64 *times;
};

static struct row rows[KINDS];

static void add_time(struct row *row, u64 ns)
{
	if (row->n == row->room) {
		row->room = row->room ? row->room * 2 : 64;
		row->times = realloc(row->times, row->room * sizeof(*row->times));
		if (!row->times)
			fail("no memory");
	}
	row->times[row->n++] = ns;
	row->total += ns;
}

static struct row *row_of(const struct span *s)
{
	u32 call = s->call < 511 ? s->call : 511;
	struct row *row = &rows[call + (s->state == S_STRAY ? 512 : 0)];

	row->name = span_call(s);
	row->stray = s->state == S_STRAY;
	return row;
}

/* A wait is charged to the call that it follows; without one it was computing. */
static void gather(const struct replay *r, u64 *computing, u64 *running)
{
	for (size_t i = 0; i < r->spans.n; i++) {
		const struct span *s = &r->spans.at[i];

		if (s->state == S_RUN)
			*running += s->end - s->begin;
		else if (s->state == S_WAIT && s->call == 0xffff)
			*computing += s->end - s->begin;
		else if (s->state == S_WAIT)
			row_of(s)->waited += s->end - s->begin;
		else {
			add_time(row_of(s), s->end - s->begin);
			row_of(s)->lost += s->lost;
		}
	}
}

static int by_total(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return x->total > y->total ? -1 : x->total < y->total;
}

static int by_length(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

static double ms(u64 ns)
{
	return (double)ns / 1e6;
}

static void print_row(struct row *row)
{
	if (row->n)
		qsort(row->times, row->n, sizeof(u64), by_length);
	printf("%9zu %12.3f %10.1f %10.1f %8zu %12.3f  %s%s\n", row->n, ms(row->total),
	       row->n ? (double)row->times[row->n / 2] / 1e3 : 0,
	       row->n ? (double)row->times[row->n * 99 / 100] / 1e3 : 0, row->lost, ms(row->waited),
	       row->name, row->stray ? " (outside a bracket)" : "");
}

void trace_summary(const struct replay *r)
{
	u64 computing = 0, running = 0;

	memset(rows, 0, sizeof(rows));
	gather(r, &computing, &running);
	printf("process %d, %.3f ms, %u Ps, %zu threads, %zu events%s\n", r->head.pid,
	       ms(r->length_ns), r->nprocs, r->threads.n, r->events,
	       r->head.end.ns ? "" : "; the program ended without closing the trace");
	if (r->lost_chunks)
		printf("the trace was longer than its file: %zu chunks at its begin are lost\n",
		       r->lost_chunks);
	if (r->cut)
		printf("the file was cut short: what is missing is not counted\n");
	if (r->bad_events)
		printf("%zu damaged events were left out\n", r->bad_events);
	if (r->doubts)
		printf("at %zu places it is not certain who had a P: events are missing\n",
		       r->doubts);
	printf("%zu hand-offs, %lu Ps retaken, %lu strays, %lu preemptions; %.3f ms ran, "
	       "%.3f ms computing threads waited for a P\n\n",
	       (size_t)r->number[GO_UNBLOCK], r->number[PROC_STEAL], r->number[GO_STRAY],
	       r->number[GO_PREEMPT], ms(running), ms(computing));
	printf("    calls     total ms     p50 us     p99 us   lost P  P-wait ms  call\n");
	qsort(rows, KINDS, sizeof(rows[0]), by_total);
	for (u32 i = 0; i < KINDS; i++) {
		if (rows[i].name)
			print_row(&rows[i]);
		free(rows[i].times);
	}
}

/*
 * A trace in the JSON form of the Trace Event Format, for ui.perfetto.dev and chrome://tracing.
 * Process 1 has a track a P, the program's own number a track a thread.
 */
#include <stdio.h>

#include "tools/replay.h"

#define PS 1 /* the process that stands for the Ps */

static bool first;

static void next(void)
{
	fputs(first ? "\n" : ",\n", stdout);
	first = false;
}

static double us(u64 ns)
{
	return (double)ns / 1e3;
}

static int threads_pid(const struct replay *r)
{
	return r->head.pid == PS ? PS + 1 : r->head.pid;
}

static void name(const char *what, int pid, int tid, const char *fmt, u32 number)
{
	char text[64];

	snprintf(text, sizeof(text), fmt, number);
	next();
	printf("{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%d,\"tid\":%d,\"args\":{\"name\":\"%s\"}}",
	       what, pid, tid, text);
}

static void names(const struct replay *r)
{
	name("process_name", PS, 0, "Ps of process %u", (u32)r->head.pid);
	name("process_name", threads_pid(r), 0, "threads of process %u", (u32)r->head.pid);
	for (u32 p = 0; p < r->nprocs; p++)
		name("thread_name", PS, (int)p, "P %u", p);
	for (size_t i = 0; i < r->threads.n; i++)
		name("thread_name", threads_pid(r), r->threads.at[i].tid, "G %u",
		     r->threads.at[i].goid);
}

static void slice(int pid, int tid, const struct span *s, const char *cat)
{
	next();
	printf("{\"ph\":\"X\",\"pid\":%d,\"tid\":%d,\"ts\":%.3f,\"dur\":%.3f,\"cat\":\"%s\"", pid,
	       tid, us(s->begin), us(s->end) - us(s->begin), cat);
}

static void thread_span(const struct replay *r, const struct span *s)
{
	int tid = r->threads.at[s->track].tid;

	switch (s->state) {
	case S_RUN:
		slice(threads_pid(r), tid, s, "running");
		printf(",\"name\":\"running\",\"args\":{\"p\":%d}}", s->p == NO_P ? -1 : s->p);
		break;
	case S_CALL:
		slice(threads_pid(r), tid, s, "call");
		printf(",\"name\":\"%s\",\"args\":{\"lost_p\":%s}}", span_call(s),
		       s->lost ? "true" : "false");
		break;
	case S_STRAY:
		slice(threads_pid(r), tid, s, "stray");
		printf(",\"name\":\"stray: %s\"}", span_call(s));
		break;
	default:
		slice(threads_pid(r), tid, s, "waiting");
		printf(",\"name\":\"waits for a P\"}");
	}
}

static void arrow(const struct replay *r, size_t id, const struct flow *f)
{
	int pid = threads_pid(r);

	next();
	printf("{\"ph\":\"s\",\"id\":%zu,\"cat\":\"hand-off\",\"name\":\"hand-off\","
	       "\"pid\":%d,\"tid\":%d,"
	       "\"ts\":%.3f,\"args\":{\"p\":%u}}",
	       id, pid, r->threads.at[f->from].tid, us(f->from_ns), f->p);
	next();
	printf("{\"ph\":\"f\",\"bp\":\"e\",\"id\":%zu,\"cat\":\"hand-off\",\"name\":\"hand-off\","
	       "\"pid\":%d,"
	       "\"tid\":%d,\"ts\":%.3f}",
	       id, pid, r->threads.at[f->to].tid, us(f->to_ns));
}

static void counter(const char *what, u64 ns, u32 value)
{
	next();
	printf("{\"ph\":\"C\",\"pid\":%d,\"name\":\"%s\",\"ts\":%.3f,\"args\":{\"n\":%u}}", PS,
	       what, us(ns), value);
}

void trace_json(const struct replay *r)
{
	first = true;
	printf("{\"displayTimeUnit\":\"ns\",\"traceEvents\":[");
	names(r);
	for (size_t i = 0; i < r->p_spans.n; i++) {
		const struct span *s = &r->p_spans.at[i];

		slice(PS, (int)s->track, s, "p");
		printf(",\"name\":\"G %u\"}", s->g);
	}
	for (size_t i = 0; i < r->spans.n; i++)
		thread_span(r, &r->spans.at[i]);
	for (size_t i = 0; i < r->flows.n; i++)
		arrow(r, i + 1, &r->flows.at[i]);
	for (size_t i = 0; i < r->counts.n; i++) {
		counter("runnable Gs", r->counts.at[i].ns, r->counts.at[i].runnable);
		counter("idle Ps", r->counts.at[i].ns, r->counts.at[i].idle);
	}
	printf("\n]}\n");
}

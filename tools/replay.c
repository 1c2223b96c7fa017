/* From events to spans: the state of every thread and P, stepped through in order of time. */
#include "tools/replay.h"

#include <stdlib.h>
#include <string.h>

#include "tools/gmp.h"
#include "tools/replay_read.h"
#include "tools/waits.h"

#define NO_CALL 0xffff
#define GOIDS (1u << 20)
#define NOBODY 0xffffffffu

struct track {
	u64 since;
	u32 state;
	u16 call, p;
	bool seen;     /* else: what it did before is not known */
	u64 handed_ns; /* a P is under way to it; from thread handed_from */
	u32 handed_from;
	u16 handed_p;
	bool handed;
};

struct proc {
	u64 since;
	u32 g; /* 0: idle or not known */
	bool idle;
	bool known; /* an event spoke of it */
};

static struct {
	struct replay *r;
	LIST(struct track) tracks; /* by index of r->threads */
	struct proc procs[NO_P + 1];
	u32 of_goid[GOIDS]; /* thread index + 1, of the latest G with such a number */
	u32 *of_mid;	    /* thread index by mid, NOBODY */
	i32 *tid_of_mid;
	size_t mids;
	u32 runnable, idle;
	u32 status_g; /* of the GO_STATUS that a GO_STATUS_THREAD follows */
	u16 status_call;
} at;

static u32 thread_of(u32 goid, i32 tid)
{
	struct replay *r = at.r;
	u32 *index = &at.of_goid[goid % GOIDS];

	if (*index && r->threads.at[*index - 1].goid == goid) {
		if (tid)
			r->threads.at[*index - 1].tid = tid;
		return *index - 1;
	}
	LIST_ADD(&r->threads, { goid, tid });
	LIST_ADD(&at.tracks, { .call = NO_CALL, .p = NO_P });
	*index = (u32)r->threads.n;
	return *index - 1;
}

static void count(u64 ns)
{
	LIST_ADD(&at.r->counts, { ns, at.runnable, at.idle });
}

static void enter(u32 thread, u64 ns, u32 state, u16 call, u16 p, bool lost)
{
	struct track *t = &at.tracks.at[thread];
	bool waits = state == S_WAIT, waited = t->state == S_WAIT;

	if (t->state != S_NONE && ns > t->since)
		LIST_ADD(&at.r->spans, { t->since, ns, thread, at.r->threads.at[thread].goid,
					 (u16)t->state, t->call, t->p, lost, !t->seen });
	at.runnable += (u32)waits - (u32)waited;
	if (waits != waited)
		count(ns);
	t->seen = true;
	t->since = ns;
	t->state = state;
	t->call = call;
	t->p = p;
}

static void see_procs(u32 n)
{
	at.r->nprocs = n > at.r->nprocs ? n : at.r->nprocs;
}

static void give(u16 p, u64 ns, u32 goid)
{
	struct proc *proc = &at.procs[p];

	if (goid) /* what said how many there are may be lost */
		see_procs(p + 1u);
	if (proc->g && ns > proc->since)
		LIST_ADD(&at.r->p_spans, { proc->since, ns, p, proc->g, S_RUN, NO_CALL, p, 0, 0 });
	proc->g = goid;
	proc->since = ns;
	proc->known = true;
}

/* goid gives up p; NO_P: whichever it has.  How many that were. */
static u32 leave(u16 p, u64 ns, u32 goid)
{
	u32 n = 0;

	for (u32 i = p == NO_P ? 0 : p; i < (p == NO_P ? at.r->nprocs : p + 1u); i++)
		if (at.procs[i].g == goid) {
			give((u16)i, ns, 0);
			n++;
		}
	if (p != NO_P)
		at.procs[p].known = true;
	return n;
}

/*
 * A P has one G and a G one P, in order of the events' dates (runtime/trace.h).  Where that is not
 * so, events are missing: their chunks were taken again.  Then the latest word is believed.
 */
static void hold(u16 p, u64 ns, u32 goid)
{
	u32 other = at.procs[p].g;

	at.r->doubts += other && other != goid;
	if (other != goid)
		at.r->doubts += leave(NO_P, ns, goid);
	give(p, ns, goid);
}

static void idle(u16 p, u64 ns, bool now)
{
	if (at.procs[p].idle != now) {
		at.procs[p].idle = now;
		at.idle += now ? 1 : -1u;
		count(ns);
	}
	if (now)
		give(p, ns, 0);
}

static void started(u32 thread, const struct raw_event *e)
{
	struct track *t = &at.tracks.at[thread];

	if (t->handed && t->handed_p == e->a)
		LIST_ADD(&at.r->flows, { t->handed_ns, e->ns, t->handed_from, thread, e->a });
	t->handed = false;
	hold(e->a, e->ns, e->b);
	enter(thread, e->ns, S_RUN, NO_CALL, e->a, false);
}

/* An arrow hangs on what its thread does.  Before sysmon has told that of all threads, at a trace's
 * begin, and after a thread's end there is nothing. */
static void handed(u32 from, const struct raw_event *e)
{
	u32 thread = thread_of(e->b, 0);
	struct track *t = &at.tracks.at[thread];

	t->handed = from != NOBODY && at.tracks.at[from].state != S_NONE;
	t->handed_from = from;
	t->handed_ns = e->ns;
	t->handed_p = e->a;
}

/* What is so at the begin; an earlier event may have told of one of the two, P and state. */
static void status(const struct raw_event *e)
{
	static const u32 states[8] = { S_NONE, S_WAIT, S_RUN, S_CALL };
	u32 thread = thread_of(at.status_g, (i32)e->b);
	u16 p = (e->a & 0x1fff) == 0x1fff ? NO_P : e->a & 0x1fff;

	if (p != NO_P && !at.procs[p].known)
		hold(p, e->ns, at.status_g);
	if (at.tracks.at[thread].state == S_NONE)
		enter(thread, e->ns, states[e->a >> 13], at.status_call, p, false);
}

/* What sysmon or another thread says of a thread or a P. */
static void step_other(u32 self, const struct raw_event *e)
{
	switch (e->type) {
	case PROC_START:
		idle(e->a, e->ns, false);
		break;
	case PROC_STATUS:
	case PROC_STOP:
		idle(e->a, e->ns, true);
		break;
	case PROC_STEAL:
		leave(e->a, e->ns, e->b);
		break;
	case PROCS_CHANGE:
		if (e->b < NO_P)
			see_procs(e->b);
		break;
	case GO_STRAY:
		enter(thread_of(e->b, 0), e->ns, S_STRAY, e->a, NO_P, false);
		break;
	case GO_DESTROY:
		leave(NO_P, e->ns, e->b);
		enter(thread_of(e->b, 0), e->ns, S_NONE, NO_CALL, NO_P, false);
		break;
	case GO_UNBLOCK:
		handed(self, e);
		break;
	case GO_STATUS:
		at.status_g = e->b;
		at.status_call = e->a;
		break;
	case GO_STATUS_THREAD:
		status(e);
		break;
	default:
		break;
	}
}

/* What a thread says of itself. */
static void step_self(u32 self, const struct raw_event *e)
{
	struct track *t = &at.tracks.at[self];

	switch (e->type) {
	case GO_START:
		started(self, e);
		break;
	case GO_STOP:
		leave(e->a, e->ns, e->b);
		enter(self, e->ns, S_WAIT, NO_CALL, NO_P, false);
		break;
	case GO_RUNNABLE:
		if (t->state != S_WAIT)
			enter(self, e->ns, S_WAIT, NO_CALL, NO_P, false);
		break;
	case GO_BLOCK:
		leave(e->a, e->ns, e->b);
		break;
	case GO_SYSCALL_BEGIN:
		enter(self, e->ns, S_CALL, e->a, NO_P, false);
		break;
	case GO_SYSCALL_END:
		enter(self, e->ns, S_RUN, NO_CALL, e->b == NO_P ? NO_P : (u16)e->b, false);
		break;
	case GO_SYSCALL_END_BLOCKED:
		enter(self, e->ns, S_WAIT, e->a, NO_P, true);
		break;
	default:
		step_other(self, e);
	}
}

static bool says_own_g(u8 type)
{
	return type == GO_START || type == GO_STOP || type == GO_PREEMPT || type == GO_RUNNABLE ||
	       type == GO_BLOCK;
}

/* Whose track an event is on; NOBODY: no G's. */
static u32 self_of(const struct raw_event *e)
{
	u32 self;

	if (e->mid >= at.mids) /* TRACE_SYSMON, TRACE_OTHERS */
		return NOBODY;
	if (e->type == GO_THREAD) { /* a new thread on this M: its G's number comes next */
		at.tid_of_mid[e->mid] = (i32)e->b;
		at.of_mid[e->mid] = NOBODY;
		return NOBODY;
	}
	self = at.of_mid[e->mid];
	if (says_own_g(e->type) && (self == NOBODY || at.r->threads.at[self].goid != e->b))
		self = thread_of(e->b, at.tid_of_mid[e->mid] ? at.tid_of_mid[e->mid] : e->tid);
	else if (self == NOBODY && e->goid)
		self = thread_of(e->goid, e->tid);
	at.of_mid[e->mid] = self;
	return self;
}

static void step(const struct raw_event *e)
{
	u32 self = self_of(e);

	at.r->number[e->type]++;
	if (self == NOBODY)
		step_other(NOBODY, e);
	else
		step_self(self, e);
}

/* What is still so at the end. */
static void finish(u64 end)
{
	for (size_t i = 0; i < at.tracks.n; i++) {
		size_t before = at.r->spans.n;

		enter((u32)i, end, S_NONE, NO_CALL, NO_P, false);
		if (at.r->spans.n > before)
			at.r->spans.at[before].open = true;
	}
	for (u32 p = 0; p < NO_P; p++)
		give((u16)p, end, 0);
}

static void find_mids(const struct raw *raw)
{
	for (size_t i = 0; i < raw->n; i++)
		if (raw->at[i].mid != TRACE_SYSMON && raw->at[i].mid >= at.mids &&
		    raw->at[i].mid < 1u << 24)
			at.mids = raw->at[i].mid + 1;
	at.of_mid = malloc((at.mids + 1) * sizeof(*at.of_mid));
	at.tid_of_mid = calloc(at.mids + 1, sizeof(*at.tid_of_mid));
	if (!at.of_mid || !at.tid_of_mid)
		fail("no memory");
	memset(at.of_mid, 0xff, (at.mids + 1) * sizeof(*at.of_mid));
}

void replay_file(struct replay *r, const char *path)
{
	struct raw raw = { 0 };

	memset(r, 0, sizeof(*r));
	memset(&at, 0, sizeof(at));
	at.r = r;
	replay_read(r, &raw, path);
	find_mids(&raw);
	for (size_t i = 0; i < raw.n; i++)
		step(&raw.at[i]);
	r->length_ns = raw.at[raw.n - 1].ns;
	if (r->head.end.ns > r->head.begin.ns + r->length_ns)
		r->length_ns = r->head.end.ns - r->head.begin.ns;
	finish(r->length_ns);
	if (r->doubts && !r->lost_chunks && !r->bad_events && !r->cut)
		complain("'%s' contradicts itself %zu times in who has which P; that is a bug",
			 path, r->doubts);
	free(raw.at);
}

const char *span_call(const struct span *s)
{
	if (s->state == S_STRAY && s->call == NO_CALL)
		return "page-fault"; /* PROBE_FAULT in 16 bits */
	return s->call >= 512 ? "other" : syscall_name(s->call);
}

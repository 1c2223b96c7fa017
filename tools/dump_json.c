/* The same as one JSON object; fields that are not known are left out. */
#include <stdio.h>

#include "tools/dump.h"
#include "tools/text.h"

static void string(const char *key, const char *s)
{
	printf(",\"%s\":", key);
	put_json(s);
}

static void frame(const struct place *p, bool first)
{
	printf("%s{\"pc\":%lu", first ? "" : ",", p->pc);
	string("function", p->function);
	printf(",\"offset\":%lu", p->offset);
	if (p->file) {
		string("file", p->file);
		printf(",\"line\":%d", p->line);
	}
	if (p->module)
		string("module", p->module);
	printf("}");
}

static void wait(const struct wait *w)
{
	printf(",\"wait\":{\"fd\":%d", w->fd);
	string("kind", w->kind);
	string("text", w->text);
	if (w->object)
		printf(",\"object\":%lu", w->object);
	if (w->owner)
		printf(",\"owner\":%d", w->owner);
	printf("}");
}

static void entry(const struct entry *e, bool first)
{
	printf("%s{\"goid\":%lu", first ? "" : ",\n", e->g ? e->g->g.goid : 0);
	string("status", e->g ? entry_status(e) : "none");
	if (e->thread) {
		printf(",\"tid\":%d,\"answered\":%s", e->thread->tid,
		       entry_answered(e) ? "true" : "false");
		string("name", e->thread->name);
	}
	if (e->call[0])
		string("call", e->call);
	if (e->stray)
		printf(",\"stray\":true");
	if (e->since_s >= 0)
		printf(",\"since_ms\":%.3f", e->since_s * 1e3);
	if (e->wait.kind[0])
		wait(&e->wait);
	printf(",\"frames\":[");
	for (size_t i = 0; i < e->frames.n; i++)
		frame(e->frames.at[i], i == 0);
	printf("]}");
}

void dump_json(const struct dump *d)
{
	printf("{\"pid\":%d,\"stopped\":%s,\"gomaxprocs\":%u,\"idleprocs\":%u,\"held_ms\":%.3f,"
	       "\n\"goroutines\":[",
	       d->target.pid, d->freeze.was_stopped ? "true" : "false",
	       load_rlx(&d->target.sched.gomaxprocs), load_rlx(&d->target.sched.npidle),
	       d->freeze.stopped_ms);
	for (size_t i = 0; i < d->n; i++)
		entry(&d->entries[i], i == 0);
	printf("]}\n");
}

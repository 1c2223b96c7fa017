/* Go's form: `goroutine 17 [syscall: read, 2 minutes, locked to thread]:`, then frames. */
#include <stdio.h>

#include "tools/dump.h"
#include "tools/text.h"

static void print_head(const struct entry *e)
{
	bool blocked = e->call[0];

	if (!e->g) {
		printf("thread %d [no goroutine%s%s]:\n", e->thread->tid, blocked ? ", in " : "",
		       e->call);
		return;
	}
	printf("goroutine %lu [%s", e->g->g.goid, entry_status(e));
	if (blocked)
		printf("%s%s", load_rlx(&e->g->g.status) == G_SYSCALL ? ": " : ", blocked in ",
		       e->call);
	if (e->stray)
		printf(", without a P");
	if (e->since_s >= 60)
		printf(", %.0f minutes", e->since_s / 60 - 0.5 + 1e-9);
	printf(", locked to thread]:\n");
}

static void put_line(const char *before, const char *text)
{
	fputs(before, stdout);
	put_plain(text);
	putchar('\n');
}

static void print_thread(const struct entry *e)
{
	if (!e->thread)
		return;
	printf("thread %d \"", e->thread->tid);
	put_plain(e->thread->name);
	printf("\"");
	if (e->g && load_rlx(&e->g->g.status) == G_RUNNABLE)
		printf(": waits for a P for %.1f ms\n", e->since_s * 1e3);
	else if (e->wait.kind[0])
		put_line(": waits for ", e->wait.text);
	else
		printf("\n");
}

static void print_frames(const struct entry *e)
{
	for (size_t i = 0; i < e->frames.n; i++) {
		const struct place *p = e->frames.at[i];

		put_plain(p->function);
		printf("(...)\n\t");
		put_plain(p->file ? p->file : p->module ? p->module : "?");
		if (p->file)
			printf(":%d", p->line);
		printf(" +0x%lx\n", p->offset);
	}
	if (e->frames.cut)
		printf("...additional frames elided...\n");
}

static void print_entry(const struct dump *d, const struct entry *e)
{
	print_head(e);
	print_thread(e);
	if (entry_answered(e))
		print_frames(e);
	else
		printf("\tthread did not stop within the limit; stack unavailable\n");
	printf("\n");
}

/* Who holds what e waits for, or will end it by ending; NULL: nobody that is known. */
static const struct entry *awaited(const struct dump *d, const struct entry *e)
{
	for (size_t i = 0; e->wait.owner && i < d->n; i++)
		if (d->entries[i].thread && d->entries[i].thread->tid == e->wait.owner)
			return &d->entries[i];
	return NULL;
}

/* Does following the owners from e lead back to e, and is e the first of the ring in the list? */
static bool begins_ring(const struct dump *d, const struct entry *e)
{
	const struct entry *at = awaited(d, e);

	for (size_t steps = 0; at && steps < d->n; steps++, at = awaited(d, at)) {
		if (at == e)
			return true;
		if (at < e)
			return false;
	}
	return false;
}

static void print_rings(const struct dump *d)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct entry *e = &d->entries[i], *at = e;

		if (!begins_ring(d, e))
			continue;
		printf("deadlock!\n");
		do {
			printf("\tgoroutine %lu", at->g ? at->g->g.goid : 0);
			put_line(" waits for ", at->wait.text);
		} while ((at = awaited(d, at)) != e);
		printf("\n");
	}
}

void dump_text(const struct dump *d)
{
	const struct sched *s = &d->target.sched;
	size_t missing = 0;

	for (size_t i = 0; i < d->n; i++)
		missing += !entry_answered(&d->entries[i]);
	printf("process %d: %zu goroutines, %zu threads, gomaxprocs=%u idleprocs=%u%s; "
	       "held for %.1f ms",
	       d->target.pid, d->target.ngs, d->freeze.n, load_rlx(&s->gomaxprocs),
	       load_rlx(&s->npidle), d->target.active ? "" : ", no second thread yet",
	       d->freeze.stopped_ms);
	if (missing)
		printf("; %zu did not answer", missing);
	printf("\n%s\n", d->freeze.was_stopped
				 ? "the process is stopped (SIGSTOP or a terminal); it stays so\n"
				 : "");
	print_rings(d);
	for (size_t i = 0; i < d->n; i++)
		print_entry(d, &d->entries[i]);
}

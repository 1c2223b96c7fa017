/*
 * gmp dump: every goroutine of a running program, as Go prints them.
 *
 * All is read from outside: the threads are stopped together, their registers and stacks and the
 * scheduler's words copied, and they run on, some milliseconds later.  The library takes no part,
 * so a program that is stopped, wedged or out of its mind is dumped like any other.
 */
#include "tools/dump.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "tools/gmp.h"

const char help_dump[] =
	"  --json        one JSON object\n"
	"  --limit MS    wait so long for threads to stop (500)\n"
	"\n"
	"A header a goroutine, in Go's words: its status, the call it is in and, from a minute\n"
	"on, how long it has slept; its thread and what it waits for; then the frames.  Threads\n"
	"that wait for each other in a ring are named first, under `deadlock!`.  The\n"
	"program stops for some milliseconds and does not notice, except that the time-out of an\n"
	"epoll_wait, semtimedop, sigtimedwait or socket call begins again.\n"
	"\n"
	"Examples:\n"
	"  gmp dump 4711\n"
	"  gmp dump --json 4711 | jq '.goroutines[] | select(.wait.kind == \"mutex\")'\n"
	"\n"
	"Exit status: 0, 125 gmp failed (no such process, another user's, not under the library).\n"
	"See also: gmp-gdb.py, which lists them in gdb.\n";

#define LIMIT_MS 500

const char *entry_status(const struct entry *e)
{
	static const char *const words[] = { "idle",	"runnable", "running",
					     "syscall", "waiting",  "dead" };
	u32 status = e->g ? load_rlx(&e->g->g.status) : ~0u;

	return status < sizeof(words) / sizeof(words[0]) ? words[status] : "?";
}

bool entry_answered(const struct entry *e)
{
	return e->thread && e->thread->done;
}

/* The libc function that was called: of the frames in the library, the one next to the caller. */
static const char *api_of(const struct frames *f)
{
	const char *api = "";

	for (size_t i = 0; i < f->n; i++) {
		if (f->at[i]->ours)
			api = f->at[i]->function;
		else if (*api)
			break;
	}
	return api + strspn(api, "_");
}

static void judge(struct dump *d, struct entry *e)
{
	u32 status = e->g ? load_rlx(&e->g->g.status) : G_RUNNING;
	u32 nr = e->g ? load_rlx(&e->g->g.callno) & CALL_NONE : CALL_NONE;
	const char *api = api_of(&e->frames);

	e->since_s = -1;
	e->stray = status == G_RUNNING && e->g && hold_of(load_rlx(&e->g->g.hold)) == HOLD_LOST;
	if (status == G_RUNNABLE) {
		e->since_s = (double)now_ns() / 1e9 - (double)e->g->g.ready_ns / 1e9;
		return;
	}
	if (status == G_SYSCALL && *api)
		snprintf(e->call, sizeof(e->call), "%s", api);
	else if (status == G_SYSCALL && nr != CALL_NONE)
		snprintf(e->call, sizeof(e->call), "%s", syscall_name(nr));
	else if (entry_answered(e) && e->thread->call >= 0)
		snprintf(e->call, sizeof(e->call), "%s", syscall_name(e->thread->call));
	if (!entry_answered(e) || e->thread->call < 0)
		return;
	e->since_s = e->thread->asleep_s;
	wait_describe(&d->target, e->thread, api, &e->wait);
}

/* The kernel began the call again when somebody stopped it before us, and has a number of its own
 * for that.  The arguments are still those of the call that g says it is in. */
static void know_restarted(const struct goroutine *g, struct thread *t)
{
	u32 nr = load_rlx(&g->g.callno) & CALL_NONE;

	if (t->call == SYS_restart_syscall && load_rlx(&g->g.status) == G_SYSCALL &&
	    nr != CALL_NONE)
		t->call = (long)nr;
}

static void add(struct dump *d, struct unwinder *u, const struct goroutine *g, struct thread *t)
{
	struct entry *e = &d->entries[d->n++];

	e->g = g;
	e->thread = t;
	e->wait.fd = -1;
	if (t)
		unwind_thread(u, t, &e->frames);
	if (t && g)
		know_restarted(g, t);
	judge(d, e);
}

static void gather(struct dump *d, pid_t pid, int limit_ms)
{
	struct unwinder *u;

	target_find(&d->target, pid);
	freeze_stop(&d->freeze, pid, limit_ms);
	target_read_gs(&d->target);
	freeze_copy(&d->freeze);
	freeze_release(&d->freeze);
	d->entries = calloc(d->target.ngs + d->freeze.n + 1, sizeof(*d->entries));
	if (!d->entries)
		fail("no memory");
	u = unwind_begin(&d->freeze, d->target.library);
	for (size_t i = 0; i < d->target.ngs; i++)
		add(d, u, &d->target.gs[i], freeze_thread(&d->freeze, d->target.gs[i].m.tid));
	for (size_t i = 0; i < d->freeze.n; i++)
		if (!target_g_of(&d->target, d->freeze.threads[i].tid))
			add(d, u, NULL, &d->freeze.threads[i]);
	/* The places live as long as we print. */
}

int cmd_dump(int argc, char **argv)
{
	static struct dump d;
	const char *pid = NULL;
	bool json = false;
	long limit = LIMIT_MS;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--json") == 0)
			json = true;
		else if (strcmp(argv[i], "--limit") == 0) {
			if (!argv[i + 1] || !parse_count(argv[++i], 1, 600000, &limit))
				usage("--limit needs a count of ms in 1..600000");
		} else if (argv[i][0] == '-' || pid)
			usage(pid ? "one process at a time, not also '%s'" : "no option '%s'",
			      argv[i]);
		else
			pid = argv[i];
	}
	if (!pid)
		usage("no process id");
	gather(&d, need_pid(pid), (int)limit);
	(json ? dump_json : dump_text)(&d);
	return 0;
}

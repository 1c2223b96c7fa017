/*
 * gmp set: changes options of a running program through its page, and prints those in force.
 *
 * What the program did is read from its answer, not concluded: it may have started without the
 * signal that it is to use now, or another gmp set may have come between.
 */
#include <stdio.h>
#include <string.h>

#include "runtime/opts.h"
#include "tools/gmp.h"
#include "tools/options.h"
#include "tools/view.h"

const char help_set[] =
	"  maxprocs=N             number of Ps, 1..4096; CPUs and quota are not followed any more\n"
	"  slice_us=N             how long one may run while others wait for a P, 100..1000000\n"
	"  preempt=MODE           signal, gate or off; signal only if it was started with it\n"
	"Without NAME=VALUE it only prints the three that are in force.  The slice and the mode\n"
	"also hold for children that it forks from now on, until they execute a program.\n"
	"\n"
	"Examples:\n"
	"  gmp set $(pidof memcached) maxprocs=2\n"
	"  gmp set 4711 slice_us=2000 preempt=gate\n"
	"\n"
	"Exit status: 0, 125 when nothing, or not all of it, could be changed.\n";

#define ANSWER_MS 3000

static const struct knob {
	const char *name;
	size_t offset; /* in struct knobs */
} table[] = {
	{ "maxprocs", offsetof(struct knobs, maxprocs) },
	{ "slice_us", offsetof(struct knobs, slice_us) },
	{ "preempt", offsetof(struct knobs, preempt) },
};

#define KNOBS (sizeof(table) / sizeof(table[0]))

static u32 wanted[KNOBS];

static const struct option_row *row_of(const struct knob *k)
{
	return option_find(k->name, strlen(k->name));
}

static au32 *word_of(struct knobs *knobs, const struct knob *k)
{
	return (au32 *)((char *)knobs + k->offset);
}

static const char *text_of(const struct knob *k, u32 value)
{
	static char number[16];

	if (row_of(k)->words)
		return option_word(row_of(k), value);
	snprintf(number, sizeof(number), "%u", value);
	return number;
}

static void parse_one(const char *text)
{
	size_t len = strcspn(text, "=");
	const struct option_row *o = option_find(text, len);
	const char *want;

	if (!text[len])
		usage("'%s' is not NAME=VALUE", text);
	for (size_t i = 0; i < KNOBS; i++) {
		if (!o || o != row_of(&table[i]))
			continue;
		want = option_refuses(o, text + len + 1);
		if (want)
			usage("%s '%s' is not %s", o->name, text + len + 1, want);
		wanted[i] = option_number(o, text + len + 1);
		return;
	}
	usage("'%.*s' cannot be set in a running program; maxprocs, slice_us and preempt can",
	      (int)len, text);
}

/* The word that is the process id; the others say what is wanted, in any order. */
static const char *parse(int argc, char **argv)
{
	const char *pid = NULL;

	for (size_t i = 0; i < KNOBS; i++)
		wanted[i] = KEEP;
	for (int i = 1; i < argc; i++)
		if (*argv[i] == '-')
			usage("no option '%s'", argv[i]);
		else if (pid || strchr(argv[i], '='))
			parse_one(argv[i]);
		else
			pid = argv[i];
	if (!pid)
		usage("no process id");
	return pid;
}

/* True: it is done.  False: it will be, when there is a second thread to schedule. */
static bool ask(struct view *v)
{
	bool pending = load_rlx(&v->page->wants) & WANT_SET; /* for its next thread: add to it */
	enum view_answer answer;

	for (size_t i = 0; i < KNOBS; i++)
		if (wanted[i] != KEEP || !pending)
			store_rlx(word_of(&v->page->asked, &table[i]), wanted[i]);
	answer = view_ask(v, WANT_SET, ANSWER_MS);
	if (answer != VIEW_SILENT)
		return answer == VIEW_ANSWERED;
	if (!view_alive(v))
		fail("process %d ended", v->pid);
	if (view_withdraw(v, WANT_SET))
		fail("process %d does not answer: it is stopped; nothing is changed", v->pid);
	fail("process %d took the request but has not said that it is done", v->pid);
}

/* The line of one knob; false when it is not as we wanted it. */
static bool check(struct view *v, const struct knob *k, u32 want)
{
	u32 now = load_rlx(word_of(&v->page->in_force, k));

	if (want == KEEP || want == now)
		return true;
	complain("process %d has %s=%s still: %s", v->pid, k->name, text_of(k, now),
		 strcmp(k->name, "preempt") == 0 && want == PREEMPT_SIGNAL
			 ? "it was started without the signal"
			 : "no memory for more, or somebody else set it too");
	return false;
}

int cmd_set(int argc, char **argv)
{
	const char *pid = parse(argc, argv);
	struct view v;
	bool done = true, now;

	view_open(&v, need_pid(pid));
	now = ask(&v);
	if (!now && argc > 2)
		complain("process %d has one thread; what is set holds from its next one on",
			 v.pid);
	for (size_t i = 0; now && i < KNOBS; i++)
		done &= check(&v, &table[i], wanted[i]);
	for (size_t i = 0; i < KNOBS; i++)
		printf("%s%s=%s", i ? " " : "", table[i].name,
		       text_of(&table[i], load_rlx(word_of(&v.page->in_force, &table[i]))));
	printf("\n");
	view_close(&v);
	return done ? 0 : EXIT_OURS;
}

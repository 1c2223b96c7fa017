/* gmp top: what the scheduler of a running program does, live or as text for programs. */
#include "tools/top.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/gmp.h"

const char help_top[] =
	"  --all                  all processes that you may look into\n"
	"  -d SECS                time between two readings; default 1\n"
	"  -n N                   end after so many\n"
	"  --batch                plain lines instead of a screen\n"
	"  --json                 one JSON object a process and reading, one a line\n"
	"  --prometheus           one reading in Prometheus's text exposition format; not with -n\n"
	"\n"
	"On the screen: q quits, < > choose the column to sort by, r reverses, / filters by name,\n"
	"g shows threads, p Ps, space reads at once, + - change the delay.\n"
	"Of a program that is stopped the counters are shown; how its threads are is not known\n"
	"then: \"-\" in lines, null in JSON, left out for Prometheus.\n"
	"The program is never stopped.  gmp top ends with it, and shows one that it executes.\n"
	"\n"
	"Examples:\n"
	"  gmp top $(pidof mariadbd)\n"
	"  gmp top --batch -n 3 1234\n"
	"  gmp top --prometheus --all >/var/lib/node_exporter/gmp.prom\n"
	"\n"
	"Exit status: 0, also when the program ended meanwhile; 125 when there is nothing to\n"
	"read.\n";

#define PIDS_MAX 256
#define ANSWER_MS 300

enum form { SCREEN, LINES, JSON, PROMETHEUS };

static struct options {
	enum form form;
	double delay_s;
	long count; /* 0: no end */
	bool all;
	pid_t pid;
} options = { .delay_s = 1 };

static struct view views[PIDS_MAX];
static struct reading *readings;
static size_t nviews;
static bool had[PIDS_MAX];

u64 latency_percentile(const struct stats *s, double percent)
{
	u64 all = 0, seen = 0;

	for (u32 i = 0; i < LATENCIES; i++)
		all += load_rlx(&s->latency[i]);
	if (!all)
		return 0;
	for (u32 i = 0; i < LATENCIES; i++) {
		seen += load_rlx(&s->latency[i]);
		if ((double)seen >= percent / 100 * (double)all)
			return latency_floor(i + 1);
	}
	return latency_floor(LATENCIES - 1);
}

int stray_call(const struct stats *s, int skip, u32 *count)
{
	u32 last = ~0u;
	int best = -2, at = -1;

	for (; skip >= 0; skip--) {
		*count = 0;
		best = -2;
		for (int i = 0; i < STRAY_KINDS; i++) {
			u32 n = load_rlx(&s->stray_calls[i]);

			if (n > *count && (n < last || (n == last && i > at))) {
				*count = n;
				best = i - 1;
			}
		}
		if (best == -2)
			return -2;
		last = *count;
		at = best + 1;
	}
	return best;
}

/* The library comes up anew in a program that was executed, under the same number. */
static bool renew(size_t i)
{
	struct view *v = &views[i];
	pid_t pid = v->pid;
	bool ended = view_ended(v);

	view_close(v);
	readings[i] = (struct reading){ .pid = pid, .name = v->name, .ended = ended };
	had[i] = false;
	if (ended)
		readings[i].gone = "ended";
	else if (view_try(v, pid))
		readings[i].gone = "executed another program: shown when that has two threads";
	return !readings[i].gone;
}

/* The span is of our clock: a stopped program writes none, and a container's may be another. */
static void read_one(size_t i)
{
	struct reading *r = &readings[i];
	struct view *v = &views[i];
	double at_s;

	if (r->ended || ((r->gone || !view_alive(v)) && !renew(i)))
		return;
	r->before = r->now;
	r->answers = view_ask(v, WANT_ROWS, ANSWER_MS) != VIEW_SILENT && view_rows(v, &r->now);
	if (!r->answers)
		memcpy(&r->now.stats, &v->page->stats, sizeof(r->now.stats));
	at_s = (double)now_ns() / 1e9;
	r->span_s = had[i] ? at_s - r->at_s : 0;
	r->at_s = at_s;
	had[i] = true;
}

static void add(pid_t pid, bool must)
{
	struct view *v = &views[nviews];
	const char *why = view_try(v, pid);

	if (why && must)
		fail("process %d %s", pid, why);
	if (why)
		return;
	readings[nviews] = (struct reading){ .pid = pid, .name = v->name };
	had[nviews++] = false;
}

/* Its place is the last one's: whoever comes and goes all day does not fill the table. */
static void drop(size_t i)
{
	if (i == --nviews)
		return;
	views[i] = views[nviews];
	readings[i] = readings[nviews];
	readings[i].name = views[i].name;
	had[i] = had[nviews];
}

static void find_all(void)
{
	pid_t pids[PIDS_MAX];
	size_t npids = view_pids(pids, PIDS_MAX);

	for (size_t i = 0; i < nviews;)
		if (readings[i].ended)
			drop(i);
		else
			i++;
	for (size_t i = 0; i < npids; i++) {
		size_t at = 0;

		while (at < nviews && views[at].pid != pids[i])
			at++;
		if (at == nviews && nviews < PIDS_MAX)
			add(pids[i], false);
	}
}

static const struct reading *read_all(size_t *n)
{
	if (options.all)
		find_all();
	for (size_t i = 0; i < nviews; i++)
		read_one(i);
	*n = nviews;
	return readings;
}

static bool any_alive(void)
{
	for (size_t i = 0; i < nviews; i++)
		if (!readings[i].ended)
			return true;
	return options.all;
}

static void say_once(const struct reading *r)
{
	static const char *said;

	if (r->gone && r->gone != said)
		complain("process %d %s", r->pid, r->gone);
	said = r->gone;
}

static void show(size_t n)
{
	if (options.form == PROMETHEUS)
		top_prometheus(readings, n);
	for (size_t i = 0; i < n && options.form != PROMETHEUS; i++) {
		if (!options.all)
			say_once(&readings[i]);
		if (!readings[i].gone)
			(options.form == JSON ? top_json : top_lines)(&readings[i]);
	}
	if (fflush(stdout) != 0 || ferror(stdout))
		fail("cannot write the output");
}

static void pause_s(double s)
{
	struct timespec ts = { (time_t)s, (long)((s - (double)(time_t)s) * 1e9) };

	nanosleep(&ts, NULL);
}

static void loop(void)
{
	size_t n;

	for (long i = 0; !options.count || i < options.count; i++) {
		if (i)
			pause_s(options.delay_s);
		read_all(&n);
		if (!n && !i)
			fail("no process that you may look into runs under the library");
		show(n);
		if (!any_alive())
			return;
	}
}

static const char *value(char ***argv)
{
	if (!(*argv)[1])
		usage("%s needs a value", **argv);
	return *++*argv;
}

static void parse_delay(const char *text)
{
	char *end;

	options.delay_s = strtod(text, &end);
	if (end == text || *end || !(options.delay_s >= 0.01 && options.delay_s <= 3600))
		usage("'%s' is not a time in 0.01..3600 s", text);
}

static void parse(char **argv)
{
	for (; *argv; argv++) {
		if (strcmp(*argv, "--all") == 0)
			options.all = true;
		else if (strcmp(*argv, "--batch") == 0)
			options.form = LINES;
		else if (strcmp(*argv, "--json") == 0)
			options.form = JSON;
		else if (strcmp(*argv, "--prometheus") == 0)
			options.form = PROMETHEUS;
		else if (strcmp(*argv, "-d") == 0)
			parse_delay(value(&argv));
		else if (strcmp(*argv, "-n") == 0) {
			if (!parse_count(value(&argv), 1, 1000000000, &options.count))
				usage("'%s' is not a number of readings", *argv);
		} else if (**argv == '-' || options.pid)
			usage(**argv == '-' ? "no option '%s'"
					    : "one process at a time, not also '%s'",
			      *argv);
		else
			options.pid = need_pid(*argv);
	}
	if (!options.pid && !options.all)
		usage("no process id");
	if (options.pid && options.all)
		usage("either one process or --all");
	if (options.form == PROMETHEUS && options.count > 1)
		usage("--prometheus is one reading: two after each other are no exposition");
}

int cmd_top(int argc, char **argv)
{
	parse(argv + 1);
	readings = calloc(PIDS_MAX, sizeof(*readings));
	if (!readings)
		fail("no memory");
	if (options.pid)
		add(options.pid, true);
	if (options.form == PROMETHEUS)
		options.count = 1;
	if (options.form == SCREEN && !(isatty(STDIN_FILENO) && isatty(STDOUT_FILENO)))
		options.form = LINES;
	if (options.form == SCREEN)
		top_screen(read_all, options.delay_s, options.all);
	else
		loop();
	return 0;
}

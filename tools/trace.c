/*
 * gmp trace: records what a running program's scheduler does, and shows a trace.
 *
 * The file is made here, all of it allocated, and the program maps it: the program never finds a
 * full disk.  If we die, the program stops by itself (trace_until_ns).
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "tools/gmp.h"
#include "tools/replay.h"
#include "tools/replay_read.h"
#include "tools/view.h"

const char help_trace[] =
	"  -d SECS                record so long; default 5; Ctrl-C or SIGTERM ends it early\n"
	"  -o FILE                where the result goes; default the standard output\n"
	"  --raw                  the result is the trace itself, to be shown later\n"
	"  --summary              a table of calls: count, blocked time, waits for a P\n"
	"  --svg                  a picture of --for MS (10) milliseconds from --from MS on;\n"
	"                         without --from of the middle of the trace\n"
	"  --size MB              of the trace, 1..256, default 64; a longer one keeps its end\n"
	"Without --raw, --summary or --svg the result is JSON for https://ui.perfetto.dev.\n"
	"A program started with GMP_TRACE=FILE writes a trace from its second thread on.\n"
	"\n"
	"Examples:\n"
	"  gmp trace -d 5 -o t.json $(pidof memcached)\n"
	"  gmp trace -d 1 --summary 1234\n"
	"  GMP_TRACE=t.trace gmp run -- ./app; gmp trace --summary t.trace\n"
	"  gmp trace --svg --from 100 --for 20 -o t.svg t.trace\n"
	"\n"
	"Exit status: 0, 125 when there is no such process, no trace, or no room for the result.\n";

enum form { JSON, RAW, SUMMARY, SVG };

static struct {
	enum form form;
	double seconds;
	const char *out, *what;
	long mb;
	double from_ms, for_ms;
} options = { .seconds = 5, .mb = 64, .from_ms = -1, .for_ms = 10 };

static volatile sig_atomic_t interrupted;

static void on_interrupt(int sig)
{
	interrupted = 1;
}

/* Any of them ends the recording: else the program would go on with it, for a file that is gone. */
static void catch_ends(void (*handler)(int sig))
{
	signal(SIGINT, handler);
	signal(SIGTERM, handler);
	signal(SIGHUP, handler);
}

/* ---- recording ---- */

/* Returns a descriptor: the path is reached through the program and ends with it. */
static int make_file(const struct view *v, const char *path, u64 size)
{
	struct stat st;
	int fd, err;

	unlink(path);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		fail("cannot make '%s': %s", path, strerror(errno));
	/* It is the program's user who must be able to open it. */
	if (stat(v->path, &st) == 0 && st.st_uid != geteuid() &&
	    fchown(fd, st.st_uid, st.st_gid) != 0)
		complain("cannot give '%s' to the program's user", path);
	err = posix_fallocate(fd, 0, (off_t)size);
	if (err) {
		unlink(path);
		fail("no room for a trace of %ld MB: %s", options.mb, strerror(err));
	}
	return fd;
}

static void wait_for_end(const struct view *v)
{
	u64 end = now_ns() + (u64)(options.seconds * 1e9), now;

	while (!interrupted && (now = now_ns()) < end && view_alive(v)) {
		u64 left = end - now < 100000000 ? end - now : 100000000;
		struct timespec ts = { 0, (long)left };

		nanosleep(&ts, NULL);
	}
}

/* A program that has one thread begins with its next one, if that comes in time. */
static enum view_answer ask(struct view *v, u64 end)
{
	u32 request = view_request(v, WANT_TRACE);
	struct timespec ts = { 0, 20000000 };
	enum view_answer answer;

	while ((answer = view_await(v, WANT_TRACE, request, 3000)) == VIEW_ALONE && !interrupted &&
	       now_ns() < end && view_alive(v))
		nanosleep(&ts, NULL);
	return answer;
}

static void start(struct view *v, const char *path)
{
	struct statpage *page = v->page;
	u64 end = now_ns() + (u64)(options.seconds * 1e9);
	enum view_answer answer;

	store_rlx(&page->trace_size, (u64)options.mb << 20);
	store_rlx(&page->trace_until_ns, end + 5000000000u);
	answer = ask(v, end);
	if (answer != VIEW_ANSWERED) {
		view_withdraw(v, WANT_TRACE);
		unlink(path);
		fail("process %d %s", v->pid,
		     answer == VIEW_ALONE ? "had one thread all the time: there is nothing to trace"
					  : "does not answer: it is stopped");
	}
	if (load_rlx(&page->trace_error)) {
		unlink(path);
		fail("process %d cannot trace: %s", v->pid,
		     load_rlx(&page->trace_error) == EBUSY
			     ? "it does so already"
			     : strerror((int)load_rlx(&page->trace_error)));
	}
}

/* Records; returns a path of the trace, whose file has no name any more. */
static const char *record(pid_t pid)
{
	static char own[64];
	char path[PATH_MAX + 16];
	struct view v;
	int fd;

	view_open(&v, pid);
	snprintf(path, sizeof(path), "%s" STATPAGE_TRACE, v.path);
	fd = make_file(&v, path, (u64)options.mb << 20);
	snprintf(own, sizeof(own), "/proc/self/fd/%d", fd);
	catch_ends(on_interrupt);
	start(&v, path);
	unlink(path); /* both have it open or mapped */
	wait_for_end(&v);
	if (!view_alive(&v))
		complain("process %d ended; the trace ends there", pid);
	else if (view_ask(&v, WANT_TRACE_END, 3000) != VIEW_ANSWERED)
		complain("process %d does not answer; the trace may lack its last events", pid);
	view_close(&v);
	catch_ends(SIG_DFL);
	return own;
}

/* ---- showing ---- */

/* There is a result: an older one in its place has been of use until now. */
static void begin_output(void)
{
	/* EINVAL: a pipe or a device. */
	if (options.out && ftruncate(STDOUT_FILENO, 0) != 0 && errno != EINVAL)
		fail("cannot write '%s': %s", options.out, strerror(errno));
}

static void copy(const char *path)
{
	char buf[65536];
	size_t len;
	int fd = trace_open(path, &len);
	ssize_t n;

	begin_output();
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		fwrite(buf, 1, (size_t)n, stdout);
	if (n < 0)
		fail("cannot read '%s': %s", path, strerror(errno));
	close(fd);
}

static void picture(const struct replay *r)
{
	u64 length = (u64)(options.for_ms * 1e6), from = 0;

	if (length > r->length_ns)
		length = r->length_ns;
	if (options.from_ms >= 0)
		from = (u64)(options.from_ms * 1e6);
	else
		from = (r->length_ns - length) / 2;
	if (from >= r->length_ns)
		fail("the trace is %.3f ms long; nothing is at %.3f ms", (double)r->length_ns / 1e6,
		     options.from_ms);
	trace_svg(r, from, length);
}

static void show(const char *path)
{
	static struct replay r;

	if (options.form == RAW) {
		copy(path);
		return;
	}
	replay_file(&r, path);
	begin_output();
	if (options.form == JSON)
		trace_json(&r);
	else if (options.form == SUMMARY)
		trace_summary(&r);
	else
		picture(&r);
}

/* ---- arguments ---- */

static const char *value(char ***argv)
{
	if (!(*argv)[1])
		usage("%s needs a value", **argv);
	return *++*argv;
}

/* With its unit or without, not with another's. */
static double number(char ***argv, const char *unit, double min, double max)
{
	const char *name = **argv, *text = value(argv);
	char *end;
	double n = strtod(text, &end);

	if (end == text || (*end && strcmp(end, unit) != 0) || !(n >= min && n <= max))
		usage("%s '%s' is not a number in %.15g..%.15g (%s)", name, text, min, max, unit);
	return n;
}

static void parse_size(const char *text)
{
	if (!parse_count(text, 1, TRACE_MAX >> 20, &options.mb))
		usage("--size '%s' is not a number in 1..%lu (MB)", text, TRACE_MAX >> 20);
}

static bool form_option(const char *word)
{
	if (strcmp(word, "--raw") == 0)
		options.form = RAW;
	else if (strcmp(word, "--summary") == 0)
		options.form = SUMMARY;
	else if (strcmp(word, "--svg") == 0)
		options.form = SVG;
	else
		return false;
	return true;
}

static void parse(char **argv)
{
	for (; *argv; argv++) {
		if (form_option(*argv))
			continue;
		if (strcmp(*argv, "-d") == 0)
			options.seconds = number(&argv, "s", 0.001, 3600);
		else if (strcmp(*argv, "--size") == 0)
			parse_size(value(&argv));
		else if (strcmp(*argv, "--from") == 0)
			options.from_ms = number(&argv, "ms", 0, 1e9);
		else if (strcmp(*argv, "--for") == 0)
			options.for_ms = number(&argv, "ms", 0.001, 1e9);
		else if (strcmp(*argv, "-o") == 0)
			options.out = value(&argv);
		else if (**argv == '-' || options.what)
			usage(**argv == '-' ? "no option '%s'"
					    : "one trace at a time, not also '%s'",
			      *argv);
		else
			options.what = *argv;
	}
	if (!options.what)
		usage("no process id or file");
}

static bool is_pid(const char *text)
{
	return text[strspn(text, "0123456789")] == 0;
}

/* Before anything is recorded: the result must have a place.  What is there stays until then. */
static void open_output(void)
{
	struct stat in, out;

	if (!options.out)
		return;
	if (stat(options.what, &in) == 0 && stat(options.out, &out) == 0 &&
	    in.st_dev == out.st_dev && in.st_ino == out.st_ino)
		fail("'%s' is the trace itself", options.out);
	if (!freopen(options.out, "a", stdout))
		fail("cannot write '%s': %s", options.out, strerror(errno));
}

int cmd_trace(int argc, char **argv)
{
	pid_t pid;

	parse(argv + 1);
	pid = is_pid(options.what) ? need_pid(options.what) : 0;
	if (!pid && access(options.what, R_OK) != 0)
		fail("cannot open '%s': %s", options.what, strerror(errno));
	open_output();
	show(pid ? record(pid) : options.what);
	if (fflush(stdout) != 0 || ferror(stdout))
		fail("cannot write the output: %s", strerror(errno));
	return 0;
}

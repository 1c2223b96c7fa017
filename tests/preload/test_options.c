/* Options, what they print, and what the library costs a program that does not need it.  Nothing
 * of ours ever goes to stdout, and a bad value is one line on stderr and no more.
 */
#include <criterion/criterion.h>
#include <limits.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/diff.h"
#include "tests/support/spawn.h"
#include "tests/support/wait.h"

static int lines(const char *text)
{
	return count_lines_with(text, "");
}

/* A victim with one more variable, and GMP_MAXPROCS unset unless the variable is that. */
static void run_with(struct run *r, const char *variable, const char *victim, const char *arg)
{
	static char path[4096];
	static const char *argv[3], *env[2];

	memset(r, 0, sizeof(*r));
	argv[0] = victim_path(victim, path, sizeof(path));
	argv[1] = arg;
	env[0] = variable;
	r->argv = argv;
	r->env = env;
	r->preload = libgmp_so();
	run_program(r);
}

static void bad_value(const char *variable)
{
	struct run r;

	run_with(&r, variable, "shapes", "spin_with_yield");
	cr_expect(run_ok(&r), "%s kills the program: %s", variable, r.err);
	cr_expect_str_eq(r.out, "flag seen\n");
	cr_expect_eq(lines(r.err), 1, "%s: not one line: %s", variable, r.err);
	cr_expect(!strncmp(r.err, "gmp: opts: GMP_", 15), "%s: %s", variable, r.err);
	run_free(&r);
}

Test(options, a_bad_value_is_one_line_and_the_default)
{
	bad_value("GMP_MAXPROCS=banana");
	bad_value("GMP_MAXPROCS=0");
	bad_value("GMP_MAXPROCS=-3");
	bad_value("GMP_MAXPROCS=1e9");
	bad_value("GMP_MAXPROCS=");
	bad_value("GMP_MAXPROCS=99999999999999999999");
	bad_value("GMP_SLICE_US=1");
	bad_value("GMP_PREEMPT=perhaps");
	bad_value("GMP_PREEMPT_SIGNAL=9");
	bad_value("GMP_ON_BUG=maybe");
	bad_value("GMP_SCHEDDETAIL=2");
	bad_value("GMP_MAXPROC=1");
}

Test(options, a_good_value_is_silent)
{
	struct run r;

	run_with(&r, "GMP_MAXPROCS=4096", "shapes", "spin_with_yield");
	cr_expect(run_ok(&r));
	cr_expect_str_eq(r.err, "");
	run_free(&r);
}

static void follows(const char *how)
{
	struct run r;

	run_with(&r, NULL, "limit", how);
	if (WIFEXITED(r.status) && WEXITSTATUS(r.status) == 77)
		cr_skip_test("no cgroup with a CPU quota, or no namespace, can be made here");
	cr_expect(run_ok(&r), "%s", r.err);
	run_free(&r);
}

Test(options, the_number_of_ps_follows_quota_cgroup_and_affinity)
{
	follows(NULL);
}

Test(options, the_number_of_ps_follows_them_while_the_program_computes)
{
	follows("busy");
}

Test(options, the_number_of_ps_follows_the_quota_where_the_mount_has_an_odd_name)
{
	follows("elsewhere");
}

Test(options, the_number_of_ps_is_that_of_the_cpus_where_no_mount_shows_the_group)
{
	follows("namespace");
}

Test(options, help_prints_every_option_to_stderr)
{
	struct run r;

	run_with(&r, "GMP_HELP=1", "shapes", "spin_with_yield");
	cr_expect(run_ok(&r));
	cr_expect_str_eq(r.out, "flag seen\n");
#define OPT(name, def, min, max, unit, help) \
	cr_expect(count_lines_with(r.err, help) == 1, "no line for %s: %s", #name, r.err);
#define CHOICE(name, def, help, ...) \
	cr_expect(count_lines_with(r.err, help) == 1, "no line for %s: %s", #name, r.err);
#define TEXT(name, help) \
	cr_expect(count_lines_with(r.err, help) == 1, "no line for %s: %s", #name, r.err);
#include "runtime/opts.def"
#undef OPT
#undef CHOICE
#undef TEXT
	cr_expect(count_lines_with(r.err, "membarrier: ") == 1, "who pays is not said: %s", r.err);
	run_free(&r);
}

static void expect_output(const char *variable, const char *victim, const char *arg,
			  const char *want)
{
	struct run r;

	run_with(&r, variable, victim, arg);
	cr_expect(run_ok(&r), "%s: %s", variable, r.err);
	cr_expect_str_eq(r.out, want, "%s: %s instead of %s", variable, r.out, want);
	run_free(&r);
}

Test(options, disabled_it_does_nothing)
{
	expect_output("GMP_DISABLE=0", "shapes", "tasks", "tasks: 3\n");
	expect_output("GMP_DISABLE=1", "shapes", "tasks", "tasks: 2\n");
}

Test(options, no_follow_leaves_executed_programs_alone)
{
	char cmd[4200], path[4096];
	const char *const argv[] = { "/bin/sh", "-c", cmd, NULL };
	const char *const env[] = { "GMP_FOLLOW=0", NULL };
	struct run r = { .argv = argv, .env = env, .preload = libgmp_so() };

	snprintf(cmd, sizeof(cmd), "exec %s tasks", victim_path("shapes", path, sizeof(path)));
	run_program(&r);
	cr_expect_str_eq(r.out, "tasks: 2\n", "%s%s", r.out, r.err);
	run_free(&r);
	r.env = NULL;
	run_program(&r);
	cr_expect_str_eq(r.out, "tasks: 3\n", "%s%s", r.out, r.err);
	run_free(&r);
}

Test(options, past_the_thread_limit_pthread_create_says_eagain)
{
	struct run r;

	run_with(&r, "GMP_MAXTHREADS=10", "shapes", "create_20");
	cr_expect(run_ok(&r));
	cr_expect_str_eq(r.out, "made 9, refused 11 with EAGAIN, then made\n");
	cr_expect(lines(r.err) == 1 && strstr(r.err, "GMP_MAXTHREADS=10"), "%s", r.err);
	run_free(&r);
}

/* --- lines of statistics --- */

static int matching(const char *text, const char *pattern)
{
	char *copy = strdup(text), *save = NULL;
	regex_t re;
	int n = 0;

	cr_assert(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) == 0);
	for (char *l = strtok_r(copy, "\n", &save); l; l = strtok_r(NULL, "\n", &save))
		n += regexec(&re, l, 0, NULL, 0) == 0;
	regfree(&re);
	free(copy);
	return n;
}

#define SCHED_LINE \
	"^SCHED [0-9]+ms: gomaxprocs=2 idleprocs=[0-2] threads=[0-9]+ spinningthreads=[0-9]+ " \
	"needspinning=[01] idlethreads=[0-9]+ runqueue=[0-9]+ \\[ [0-9]+ [0-9]+ \\] " \
	"schedticks=\\[ [0-9]+ [0-9]+ \\]$"

Test(options, schedtrace_prints_lines_as_go_does)
{
	const char *const env[] = { "GMP_SCHEDTRACE=100", NULL };
	struct run r = { .env = env };

	run_victim(&r, 2, "shapes", "busy", NULL);
	cr_expect(run_ok(&r));
	cr_expect_str_eq(r.out, "busy for a while\n");
	cr_expect_geq(matching(r.err, SCHED_LINE), 3, "%s", r.err);
	cr_expect_eq(matching(r.err, SCHED_LINE), lines(r.err), "%s", r.err);
	run_free(&r);
}

/* A file keeps what it had: several programs may have been given the same name. */
Test(options, schedtrace_goes_to_a_file_when_told_so)
{
	char path[] = "/tmp/gmp-schedtrace-XXXXXX", variable[64], text[8192] = "";
	const char *const env[] = { "GMP_SCHEDTRACE=100", variable, NULL };
	int fd = mkstemp(path);

	cr_assert_eq(write(fd, "mine\n", 5), 5);
	snprintf(variable, sizeof(variable), "GMP_SCHEDTRACE_FILE=%s", path);
	for (int i = 0; i < 2; i++) {
		struct run r = { .env = env };

		run_victim(&r, 2, "shapes", "busy", NULL);
		cr_expect(run_ok(&r));
		cr_expect_str_eq(r.out, "busy for a while\n");
		cr_expect_str_eq(r.err, "");
		run_free(&r);
	}
	cr_assert_gt(pread(fd, text, sizeof(text) - 1, 0), 5);
	cr_expect_geq(matching(text, SCHED_LINE), 6, "%s", text);
	cr_expect_eq(matching(text, SCHED_LINE), lines(text) - 1, "%s", text);
	cr_expect(!strncmp(text, "mine\n", 5), "%s", text);
	close(fd);
	unlink(path);
}

Test(options, a_schedtrace_file_that_cannot_be_made_is_one_line_and_stderr)
{
	const char *const env[] = { "GMP_SCHEDTRACE=100", "GMP_SCHEDTRACE_FILE=/proc/none/x",
				    NULL };
	struct run r = { .env = env };

	run_victim(&r, 2, "shapes", "busy", NULL);
	cr_expect(run_ok(&r));
	cr_expect(!strncmp(r.err,
			   "gmp: schedtrace: /proc/none/x: no such directory; using stderr\n", 63),
		  "%s", r.err);
	cr_expect_geq(matching(r.err, SCHED_LINE), 3, "%s", r.err);
	cr_expect_eq(matching(r.err, SCHED_LINE), lines(r.err) - 1, "%s", r.err);
	run_free(&r);
}

#define SCHED_HEAD \
	"^SCHED [0-9]+ms: .* runqueue=[0-9]+ gcwaiting=(true|false) nmidlelocked=[0-9]+ " \
	"stopwait=0 sysmonwait=false$"
#define SCHED_P \
	"^  P[01]: status=[014] schedtick=[0-9]+ syscalltick=[0-9]+ m=(nil|[0-9]+) " \
	"runqsize=[0-9]+ gfreecnt=0 timerslen=0$"
#define SCHED_M \
	"^  M[0-9]+: p=(nil|[01]) curg=[0-9]+ mallocing=0 throwing=0 preemptoff= locks=[0-9]+ " \
	"dying=0 spinning=false blocked=(true|false) lockedg=[0-9]+$"
#define SCHED_G "^  G[0-9]+: status=[0-4]\\((stray|syscall [0-9]+)?\\) m=[0-9]+ lockedm=[0-9]+$"

Test(options, scheddetail_adds_ps_ms_and_gs)
{
	const char *const env[] = { "GMP_SCHEDTRACE=100", "GMP_SCHEDDETAIL=1", NULL };
	struct run r = { .env = env };
	int heads, ps, ms, gs;

	run_victim(&r, 2, "shapes", "busy", NULL);
	cr_expect(run_ok(&r));
	heads = matching(r.err, SCHED_HEAD);
	ps = matching(r.err, SCHED_P);
	ms = matching(r.err, SCHED_M);
	gs = matching(r.err, SCHED_G);
	cr_expect_geq(heads, 3, "%s", r.err);
	cr_expect_eq(ps, 2 * heads, "%s", r.err);
	cr_expect(ms >= 2 * heads && gs >= 2 * heads, "%s", r.err);
	cr_expect_eq(heads + ps + ms + gs, lines(r.err), "%s", r.err);
	run_free(&r);
}

#define STATS_LINE \
	"^gmp: stats: maxprocs=2 threads=[0-9]+ handoffs=[0-9]+ pickups=[0-9]+ retakes=[0-9]+ " \
	"strays=[0-9]+" \
	"( \\[[a-z0-9: -]+\\])? preempts=[0-9]+ overcap=[0-9]+ parks=[0-9]+ maxwait=[0-9]+us$"

Test(options, stats_prints_one_line)
{
	const char *const env[] = { "GMP_STATS=1", NULL };
	struct run r = { .env = env };

	run_victim(&r, 2, "shapes", "busy", NULL);
	cr_expect(run_ok(&r));
	cr_expect(lines(r.err) == 1 && matching(r.err, STATS_LINE) == 1, "%s", r.err);
	run_free(&r);
}

/* Neither ends the process before the other has said it, nor says it again. */
Test(options, stats_prints_one_line_when_two_threads_exit_at_once)
{
	const char *const env[] = { "GMP_STATS=1", NULL };

	for (int i = 0; i < 60; i++) {
		struct run r = { .env = env };

		run_victim(&r, 2, "life", "exits_at_once", NULL);
		cr_expect_eq(WEXITSTATUS(r.status), 7);
		cr_expect(lines(r.err) == 1 && matching(r.err, STATS_LINE) == 1, "%s", r.err);
		run_free(&r);
	}
}

static int stat_of(const char *err, const char *name)
{
	char key[32];
	int value = -1;
	const char *at;

	snprintf(key, sizeof(key), " %s=", name);
	at = strstr(err, key);
	return at && sscanf(at + strlen(key), "%d", &value) == 1 ? value : -1;
}

/* Spinners that hand a word round finish also when the cap is lifted now and then: say that it is
 * not, and that it was the signal which made them give way. */
Test(options, computing_threads_are_preempted_by_signal_and_within_the_cap)
{
	const char *const env[] = { "GMP_STATS=1", NULL };
	struct run r = { .env = env };

	run_victim(&r, 1, "shapes", "spin_round", NULL);
	cr_expect(run_ok(&r));
	cr_expect(stat_of(r.err, "preempts") >= 10, "%s", r.err);
	cr_expect_eq(stat_of(r.err, "overcap"), 0, "%s", r.err);
	run_free(&r);
}

/* Four hogs that nobody can stop, of whom none leaves before the last has begun: three of them must
 * run on without the P for that, and each is counted. */
static void expect_over_the_cap(const char *arg)
{
	const char *const env[] = { "GMP_STATS=1", NULL };
	struct run r = { .env = env };

	run_victim(&r, 1, "signals", arg, NULL);
	cr_expect(run_ok(&r));
	cr_expect(stat_of(r.err, "overcap") >= 3, "%s: %s", arg, r.err);
	run_free(&r);
}

Test(options, who_blocks_every_signal_runs_on_over_the_cap_and_is_counted)
{
	expect_over_the_cap("all_signals_blocked");
	expect_over_the_cap("all_signals_blocked_raw");
}

Test(options, the_preemption_signal_is_sigurg_or_another)
{
	struct run r;

	run_with(&r, "GMP_PREEMPT=signal", "urgent", "caught");
	cr_expect_str_eq(r.out, "23\n");
	run_free(&r);
	run_with(&r, "GMP_PREEMPT_SIGNAL=40", "urgent", "caught");
	cr_expect_str_eq(r.out, "40\n");
	cr_expect_str_eq(r.err, "");
	run_free(&r);
	run_with(&r, "GMP_PREEMPT_SIGNAL=28", "urgent", "caught");
	cr_expect_str_eq(r.out, "23\n");
	cr_expect_eq(lines(r.err), 1, "%s", r.err);
	cr_expect(strstr(r.err, "GMP_PREEMPT_SIGNAL=28"), "%s", r.err);
	run_free(&r);
}

Test(options, computing_threads_are_preempted_by_another_signal)
{
	const char *const env[] = { "GMP_STATS=1", "GMP_PREEMPT_SIGNAL=40", NULL };
	struct run r = { .env = env };

	run_victim(&r, 1, "shapes", "spin_round", NULL);
	cr_expect(run_ok(&r));
	cr_expect(stat_of(r.err, "preempts") >= 10, "%s", r.err);
	cr_expect_eq(stat_of(r.err, "overcap"), 0, "%s", r.err);
	run_free(&r);
}

/* --- what it costs to be there --- */

Test(cost, user_namespaces_work_under_the_library)
{
	const char *const plans[][4] = { { "/usr/bin/unshare", "-r", "/bin/true", NULL },
					 { "/usr/bin/unshare", "-U", "/bin/true", NULL } };

	for (int i = 0; i < 2; i++) {
		struct run native = { .argv = plans[i] }, under = { .argv = plans[i] };

		under.preload = libgmp_so();
		run_program(&native);
		run_program(&under);
		cr_expect_eq(under.status, native.status, "unshare %s: %#x, natively %#x: %s",
			     plans[i][1], under.status, native.status, under.err);
		cr_expect_str_eq(under.err, native.err);
		run_free(&native);
		run_free(&under);
	}
}

#define STARTS 101

/* The least of many starts: what the process itself does, whatever else the machine does. */
struct start {
	int64_t cpu_us;
	long waits;
};

static void start_once(struct start *least, int maxprocs)
{
	struct run r = { 0 };
	int64_t cpu_us;

	run_victim(&r, maxprocs, "shapes", "nothing", NULL);
	cr_assert(run_ok(&r), "%s", r.err);
	cpu_us = (r.usage.ru_utime.tv_sec + r.usage.ru_stime.tv_sec) * 1000000 +
		 r.usage.ru_utime.tv_usec + r.usage.ru_stime.tv_usec;
	least->cpu_us = cpu_us < least->cpu_us ? cpu_us : least->cpu_us;
	least->waits = r.usage.ru_nvcsw < least->waits ? r.usage.ru_nvcsw : least->waits;
	run_free(&r);
}

/*
 * By the CPU and by waiting: no time that passes outside of both is the library's.  On a machine
 * that is slow because it is shared, the CPU's time is longer for both.
 */
Test(cost, start_up_is_less_than_a_millisecond_longer)
{
	struct start native = { INT64_MAX, LONG_MAX }, under = native;
	int64_t most_us;

	for (int i = 0; i < STARTS; i++) {
		start_once(&native, 0);
		start_once(&under, 2);
	}
	most_us = native.cpu_us > 2000 ? native.cpu_us / 2 : 1000;
	fprintf(stderr, "start-up: native %ld us, %ld us more under the library\n",
		(long)native.cpu_us, (long)(under.cpu_us - native.cpu_us));
	cr_expect_lt(under.cpu_us - native.cpu_us, most_us);
	cr_expect_eq(under.waits, native.waits, "waits %ld times, natively %ld", under.waits,
		     native.waits);
}

/* No thread counts twice: the victims have not half as many as are allowed. */
static void preloaded_together(const char *first, const char *second, const char *other,
			       const char *victim, const char *victim_case)
{
	char both[8192], path[4096];
	const char *const argv[] = { victim_path(victim, path, sizeof(path)), victim_case, NULL };
	const char *const env[] = { "GMP_MAXPROCS=1", "GMP_MAXTHREADS=8", NULL };
	struct run native = { .argv = argv, .preload = other },
		   under = { .argv = argv, .env = env, .preload = both };

	snprintf(both, sizeof(both), "%s:%s", first, second);
	run_program(&native);
	run_program(&under);
	cr_expect_eq(under.status, native.status, "%s", under.err);
	cr_expect(same_output(both, "native", native.out, "library", under.out));
	run_free(&native);
	run_free(&under);
}

Test(cost, other_preloaded_libraries_may_come_before_or_after)
{
	preloaded_together(libgmp_so(), EARLYLIB, EARLYLIB, "shapes", "spin_with_yield");
	preloaded_together(EARLYLIB, libgmp_so(), EARLYLIB, "shapes", "spin_with_yield");
}

Test(cost, anothers_interposers_are_called_before_or_after_ours)
{
	preloaded_together(libgmp_so(), WRAPLIB, WRAPLIB, "whole", "waits_for_nothing");
	preloaded_together(WRAPLIB, libgmp_so(), WRAPLIB, "whole", "waits_for_nothing");
}

/* Valgrind's drd does so, and gperftools. */
Test(cost, anothers_calls_in_a_new_thread_may_come_before_our_first)
{
	preloaded_together(libgmp_so(), WRAPLIB, WRAPLIB, "whole", "team_meets");
	preloaded_together(WRAPLIB, libgmp_so(), WRAPLIB, "whole", "team_meets");
}

/* --- gmprt.h --- */

Test(api, brackets_numbers_and_resizing)
{
	struct run r = { 0 };

	run_victim(&r, 0, "api", NULL);
	cr_expect_str_eq(r.out, "not there\n");
	run_free(&r);
	run_victim(&r, 1, "api", NULL);
	cr_expect(run_ok(&r), "%s", r.err);
	cr_expect_str_eq(r.out, "before a second thread: 0\n"
				"raw: 1 -9\n"
				"raw6: -29\n"
				"syscall6: -29\n"
				"errno: 77\n"
				"bracket: 1\n"
				"by number: 1\n"
				"was 1, then 4, then 2, is 1\n"
				"after resizing: 1\n"
				"one computes: 1\n"
				"books: 0\n");
	cr_expect_str_eq(r.err, "");
	run_free(&r);
}

/* The hand-off matrix at one P: a thread that blocks, in a call of the table or in something that
 * no interceptor sees, gives its P to a thread that computes; and gets it back when its call is
 * over although the other one never stops computing.
 *
 * One Criterion test a row, one at a time: they measure.  tests/progs/preload/handoff.c says what
 * is measured, and what "noise" is: time in which the machine gave a runnable thread no CPU, which
 * is taken off.  Nothing is retried: a hand-off that is sometimes late is late.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "runtime/numbers.h"
#include "tests/preload/row_names.h"
#include "tests/support/spawn.h"

/* The limits, in us.  The slice is 10 ms. */
#define START_SEEN 25000L
#define START_UNSEEN 50000L
#define RETURN_PER_HOP 15000L
/* Noise or not, nobody waits longer. */
#define CEILING 5000000L

static const char *const unseen_names[] = {
#define UNSEEN_ROW(name) #name,
	ROWS_UNSEEN
#undef UNSEEN_ROW
};
#define NR_UNSEEN (sizeof(unseen_names) / sizeof(unseen_names[0]))

struct times {
	long ret, start, start_noise, back, back_noise;
	int hops;
	char seen[16];
};

/* The system call that the table says a row makes; -2: several or none. */
static int syscall_of(const char *name)
{
	static const struct {
		const char *name, *of;
		int nr;
	} rows[] = {
#define ROW(type, name, symbol, version, params, args)
#define CALL(type, name, version, class, nr, params, args) { #name, NULL, nr },
#define VCALL(type, name, symbol, version, at, class, nr, params, args) { #name, NULL, nr },
#define VARIADIC(type, name, target, class, nr, params, args) { #name, NULL, nr },
#define TRY(type, name, version, attempt, nr, on, params, args) { #name, NULL, nr },
#define ALIAS(alias, target) { #alias, #target, 0 },
#define TRY_ALIAS(alias, target) { #alias, #target, 0 },
#include "preload/calls.def"
	};

	for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcmp(rows[i].name, name))
			return rows[i].of ? syscall_of(rows[i].of) : rows[i].nr;
	return -2;
}

/* A row of the table whose system call the watcher had to find by itself is not intercepted.
 * Other calls may be late on a loaded machine: an mmap that waits for a lock of the kernel. */
static bool stray_in(const char *stats, int nr)
{
	const char *at = strstr(stats, " strays="), *end;
	char first[16], next[16];

	cr_assert(at && (end = strstr(at, " preempts=")), "no stats: %s", stats);
	snprintf(first, sizeof(first), "[%d:", nr);
	snprintf(next, sizeof(next), " %d:", nr);
	at = strstr(at, first) ? strstr(at, first) : strstr(at, next);
	return at && at < end;
}

static bool parse(const char *out, struct times *t)
{
	char name[64];

	return sscanf(out,
		      "%63s ret=%ld start_us=%ld noise_us=%ld return_us=%ld noise_us=%ld hops=%d "
		      "%15s",
		      name, &t->ret, &t->start, &t->start_noise, &t->back, &t->back_noise, &t->hops,
		      t->seen) == 8;
}

static void check(const char *name, bool unseen)
{
	const char *const env[] = { "GMP_STATS=1", NULL };
	struct run r = { .env = env };
	long start_limit = unseen ? START_UNSEEN : START_SEEN;
	struct times t;
	char outcome[64];

	run_victim(&r, 1, "handoff", name, NULL);
	if (!r.hung && WIFEXITED(r.status) && WEXITSTATUS(r.status) == 77) {
		fprintf(stderr, "%s", r.out);
		run_free(&r);
		return;
	}
	cr_assert(run_ok(&r) && parse(r.out, &t), "%s: %s: %s%s", name,
		  run_outcome(&r, outcome, sizeof(outcome)), r.out, r.err);
	cr_expect(t.start - t.start_noise <= start_limit && t.start <= CEILING,
		  "%s: the spinner started %ld us after the caller blocked (noise %ld)", name,
		  t.start, t.start_noise);
	cr_expect(t.back - t.back_noise <= RETURN_PER_HOP * t.hops && t.back <= CEILING,
		  "%s: the caller was back %ld us after it was let go (noise %ld)", name, t.back,
		  t.back_noise);
	if (!unseen)
		cr_expect(!stray_in(r.err, syscall_of(name)), "%s went unseen: %s", name, r.err);
	/* The spinner is made to give way, not passed by over the cap. */
	cr_expect(strstr(r.err, " overcap=0 "), "%s needed more than one P: %s", name, r.err);
	run_free(&r);
}

ParameterizedTestParameters(handoff, a_blocked_caller_of_the_table_gives_its_p_away)
{
	static int rows[NR_ROW_NAMES];

	for (unsigned i = 0; i < NR_ROW_NAMES; i++)
		rows[i] = i;
	return cr_make_param_array(int, rows, NR_ROW_NAMES, NULL);
}

ParameterizedTest(int *row, handoff, a_blocked_caller_of_the_table_gives_its_p_away)
{
	check(row_names[*row], false);
}

ParameterizedTestParameters(handoff, what_blocks_unseen_is_found_and_gives_its_p_away)
{
	static int rows[NR_UNSEEN];

	for (unsigned i = 0; i < NR_UNSEEN; i++)
		rows[i] = i;
	return cr_make_param_array(int, rows, NR_UNSEEN, NULL);
}

ParameterizedTest(int *row, handoff, what_blocks_unseen_is_found_and_gives_its_p_away)
{
	check(unseen_names[*row], true);
}

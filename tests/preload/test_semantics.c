/* The semantics matrix: every row of the interposition table behaves under the library as it does
 * natively: result, errno, EINTR with and without SA_RESTART, time limits, cancellation while it
 * waits and before it is called, the call from a signal handler.
 *
 * One Criterion test a row; each runs tests/progs/preload/semantics.c natively and at 1 and 2 Ps
 * and compares what it printed.  By hand: build/tests/preload/semantics ROW [CASE].
 *
 * What one macro made of a line of the table is the same code for every line: those rows run at
 * 1 P, and those whose code is their own at 2 Ps as well.  An alias is another name of a function
 * whose row runs all of that: it blocks and returns once, which shows that the name leads there.
 * Every case of every row at both:
 *   GMP_TEST_WHOLE=1 build/tests/preload/test_semantics --jobs 3
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/preload/row_names.h"
#include "tests/support/diff.h"
#include "tests/support/spawn.h"

ParameterizedTestParameters(semantics, a_row_behaves_as_it_does_natively)
{
	static int rows[NR_ROW_NAMES];

	for (unsigned i = 0; i < NR_ROW_NAMES; i++)
		rows[i] = i;
	return cr_make_param_array(int, rows, NR_ROW_NAMES, NULL);
}

static bool is_among(const char *name, const char *const *names, unsigned n)
{
	for (unsigned i = 0; i < n; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}
#define IS_AMONG(name, names) is_among(name, names, sizeof(names) / sizeof(*(names)))

static bool is_alias(const char *name)
{
	static const char *const aliases[] = {
#define ROW(type, name, symbol, version, params, args)
#define ALIAS(alias, target) #alias,
#define TRY_ALIAS(alias, target) #alias,
#include "preload/calls.def"
	};

	return IS_AMONG(name, aliases);
}

static bool is_from_a_macro(const char *name)
{
	static const char *const calls[] = {
#define ROW(type, name, symbol, version, params, args)
#define CALL(type, name, version, class, nr, params, args) #name,
#define VARIADIC(type, name, target, class, nr, params, args) #name,
#include "preload/calls.def"
	};

	return IS_AMONG(name, calls);
}

static bool same_at(const char *row, const char *only, const struct run *native, int maxprocs)
{
	struct run under = { 0 };
	char what[96], outcome[64];
	bool same;

	snprintf(what, sizeof(what), "row %s at %d P", row, maxprocs);
	run_victim(&under, maxprocs, "semantics", row, only, NULL);
	same = same_output(what, "native", native->out, "library", under.out);
	if (!run_ok(&under) || under.err[0]) {
		fprintf(stderr, "%s: %s; its stderr: %s\n", what,
			run_outcome(&under, outcome, sizeof(outcome)), under.err);
		same = false;
	}
	run_free(&under);
	return same;
}

ParameterizedTest(int *row, semantics, a_row_behaves_as_it_does_natively)
{
	const char *name = row_names[*row];
	bool whole = getenv("GMP_TEST_WHOLE");
	const char *only = !whole && is_alias(name) ? "result" : NULL;
	struct run native = { 0 };

	run_victim(&native, 0, "semantics", name, only, NULL);
	if (!native.hung && WIFEXITED(native.status) && WEXITSTATUS(native.status) == 77) {
		fprintf(stderr, "%s", native.out);
		run_free(&native);
		return;
	}
	cr_assert(run_ok(&native) && !native.err[0], "row %s fails natively: %s%s", name,
		  native.out, native.err);
	cr_assert(native.out[0], "row %s ran no case", name);
	cr_expect(same_at(name, only, &native, 1), "row %s differs at 1 P", name);
	if (whole || !(only || is_from_a_macro(name)))
		cr_expect(same_at(name, only, &native, 2), "row %s differs at 2 Ps", name);
	run_free(&native);
}

/* The semantics matrix: every row of the interposition table behaves under the library as it does
 * natively: result, errno, EINTR with and without SA_RESTART, time limits, cancellation while it
 * waits and before it is called, the call from a signal handler.
 *
 * One Criterion test a row; each runs tests/progs/preload/semantics.c natively and at 1 and 2 Ps
 * and compares what it printed.  By hand: build/tests/preload/semantics ROW [CASE].
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdio.h>
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

static bool same_at(const char *row, const struct run *native, int maxprocs)
{
	struct run under = { 0 };
	char what[96], outcome[64];
	bool same;

	snprintf(what, sizeof(what), "row %s at %d P", row, maxprocs);
	run_victim(&under, maxprocs, "semantics", row, NULL);
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
	struct run native = { 0 };

	run_victim(&native, 0, "semantics", name, NULL);
	if (!native.hung && WIFEXITED(native.status) && WEXITSTATUS(native.status) == 77) {
		fprintf(stderr, "%s", native.out);
		run_free(&native);
		return;
	}
	cr_assert(run_ok(&native) && !native.err[0], "row %s fails natively: %s%s", name,
		  native.out, native.err);
	cr_expect(same_at(name, &native, 1), "row %s differs at 1 P", name);
	cr_expect(same_at(name, &native, 2), "row %s differs at 2 Ps", name);
	run_free(&native);
}

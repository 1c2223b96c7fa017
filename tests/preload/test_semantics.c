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
 *
 * A sample of the rows does so again at one P beside three threads that compute, with short slices;
 * all of them do in soak.sh, for as long as one likes.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>
#include <stdlib.h>
#include <string.h>

#include "tests/preload/matrix.h"
#include "tests/preload/row_names.h"

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

ParameterizedTest(int *row, semantics, a_row_behaves_as_it_does_natively)
{
	const char *name = row_names[*row];
	static const struct setting plain[] = { { .maxprocs = 1 }, { .maxprocs = 2 } };
	bool whole = getenv("GMP_TEST_WHOLE");
	const char *only = !whole && is_alias(name) ? "result" : NULL;
	int n = whole || !(only || is_from_a_macro(name)) ? 2 : 1;

	cr_expect(matrix_row(name, only, plain, n) != ROW_DIFFERS, "row %s differs", name);
}

/* One of each way in which a call waits and comes home, the interrupted sleeps before all. */
static const char *const sample[] = {
	"nanosleep",
	"clock_nanosleep",
	"clock_nanosleep_relative",
	"select",
	"ppoll",
	"epoll_wait",
	"read",
	"accept",
	"sem_timedwait",
	"sigtimedwait",
	"waitpid",
	"pthread_cond_timedwait",
	"pthread_join",
	"pthread_mutex_lock",
	"syscall_nanosleep",
	"mq_timedreceive",
};
#define NR_SAMPLE (sizeof(sample) / sizeof(sample[0]))

ParameterizedTestParameters(semantics, no_slice_that_ends_is_seen_by_a_row)
{
	static int rows[NR_SAMPLE];

	for (unsigned i = 0; i < NR_SAMPLE; i++)
		rows[i] = i;
	return cr_make_param_array(int, rows, NR_SAMPLE, NULL);
}

ParameterizedTest(int *i, semantics, no_slice_that_ends_is_seen_by_a_row)
{
	static const struct setting pressed = { 1, true, 200 };

	cr_expect(matrix_row(sample[*i], NULL, &pressed, 1) != ROW_DIFFERS, "row %s differs",
		  sample[*i]);
}

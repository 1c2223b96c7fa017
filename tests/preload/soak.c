/* The semantics matrix over and over, under pressure: every slice of every thread ends, at one P
 * and at two, and still no row may behave otherwise than natively.  tests/preload/soak.sh runs it.
 *
 *   soak MINUTES [ROW...]     no ROW: all of them
 *
 * Ends with the first difference: the row's name, both outputs and the environment are on stderr
 * by then, and the stacks of what hung.  Rows come in an order that is another one each round.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/preload/matrix.h"
#include "tests/preload/row_names.h"
#include "tests/support/wait.h"

/* The shortest slice there is, and such as let a call begin and end within one. */
static const int slices_us[] = { 200, 100, 500, 1000 };

static void shuffle(const char **rows, int n)
{
	for (int i = n - 1; i > 0; i--) {
		int k = random() % (i + 1);
		const char *row = rows[i];

		rows[i] = rows[k];
		rows[k] = row;
	}
}

/* True: all rows, or those that the time allowed, behaved. */
static bool run_round(const char **rows, int n, int round, int64_t end, long *done)
{
	int slice = slices_us[round % 4];
	const struct setting settings[] = { { 1, true, slice }, { 2, true, slice } };

	shuffle(rows, n);
	for (int i = 0; i < n && now_ns() < end; i++) {
		if (matrix_row(rows[i], NULL, settings, 2) == ROW_DIFFERS)
			return false;
		++*done;
	}
	return true;
}

int main(int argc, char **argv)
{
	int n = argc > 2 ? argc - 2 : (int)NR_ROW_NAMES, round = 0;
	const char **rows = calloc(n, sizeof(*rows));
	int64_t end;
	bool same = true;
	long done = 0;

	if (argc < 2 || atof(argv[1]) <= 0)
		die("usage: soak MINUTES [ROW...]");
	end = now_ns() + (int64_t)(atof(argv[1]) * 60 * NS_PER_S);
	memcpy(rows, argc > 2 ? (const char **)argv + 2 : (const char **)row_names,
	       n * sizeof(*rows));
	srandom(now_ns());
	while (same && now_ns() < end)
		same = run_round(rows, n, round++, end, &done);
	printf("%ld rows in %d rounds, at 1 P and at 2: %s\n", done, round,
	       same ? "no difference" : "FAILED");
	return !same;
}

/* matrix.h */
#include "tests/preload/matrix.h"

#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/support/diff.h"
#include "tests/support/spawn.h"

static void run_row(struct run *r, const char *row, const char *only, const struct setting *set)
{
	char slice[32];
	const char *const env[] = { slice, NULL };

	snprintf(slice, sizeof(slice), "GMP_SLICE_US=%d", set->slice_us);
	*r = (struct run){ .env = set->slice_us ? env : NULL, .timeout_ms = 60000 };
	if (set->pressure)
		run_victim(r, set->maxprocs, "semantics", "--pressure", row, only, NULL);
	else
		run_victim(r, set->maxprocs, "semantics", row, only, NULL);
}

/* Natively the company of other threads must not matter either, so one native run, without it,
 * is what all settings are held against. */
static bool same_under(const char *row, const char *only, const struct run *native,
		       const struct setting *set)
{
	struct run under;
	char what[128], outcome[64];
	bool same;

	run_row(&under, row, only, set);
	snprintf(what, sizeof(what), "row %s, GMP_MAXPROCS=%d GMP_SLICE_US=%d%s", row,
		 set->maxprocs, set->slice_us ? set->slice_us : 10000,
		 set->pressure ? " semantics --pressure" : "");
	same = same_output(what, "native", native->out, "library", under.out);
	if (!run_ok(&under) || under.err[0]) {
		fprintf(stderr, "%s: %s; its stderr: %s\n", what,
			run_outcome(&under, outcome, sizeof(outcome)), under.err);
		same = false;
	}
	run_free(&under);
	return same;
}

enum row_verdict matrix_row(const char *row, const char *only, const struct setting *settings,
			    int n)
{
	enum row_verdict verdict = ROW_SAME;
	struct run native;

	run_row(&native, row, only, &(struct setting){ 0 });
	if (!native.hung && WIFEXITED(native.status) && WEXITSTATUS(native.status) == 77) {
		fprintf(stderr, "%s", native.out);
		verdict = ROW_SKIPPED;
	} else if (!run_ok(&native) || native.err[0] || !native.out[0]) {
		fprintf(stderr, "row %s fails natively: %s%s\n", row, native.out, native.err);
		verdict = ROW_DIFFERS;
	}
	for (int i = 0; i < n && verdict != ROW_SKIPPED; i++)
		if (!same_under(row, only, &native, &settings[i]))
			verdict = ROW_DIFFERS;
	run_free(&native);
	return verdict;
}

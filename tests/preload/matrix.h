/* Running one row of the semantics matrix and holding it against the native run: what the test
 * (test_semantics.c) and the endless run (soak.c) share.
 */
#ifndef TESTS_PRELOAD_MATRIX_H
#define TESTS_PRELOAD_MATRIX_H

#include <stdbool.h>

struct setting {
	int maxprocs;  /* 0: natively */
	bool pressure; /* three threads that compute beside each case */
	int slice_us;  /* 0: the default */
};

enum row_verdict { ROW_SAME, ROW_DIFFERS, ROW_SKIPPED };

/* Runs the row (only: one case of it; NULL: all) natively, then in each of n settings; says on
 * stderr what differs, with both outputs and the environment of the run. */
enum row_verdict matrix_row(const char *row, const char *only, const struct setting *settings,
			    int n);

#endif

/* Comparing two outputs line by line, and saying where they differ in a form a human can use. */
#ifndef TESTS_SUPPORT_DIFF_H
#define TESTS_SUPPORT_DIFF_H

#include <stdbool.h>

/* True: equal.  Else the first differing lines are printed to stderr under the given names. */
bool same_output(const char *what, const char *name_a, const char *a, const char *name_b,
		 const char *b);

/* Number of lines of text that contain needle. */
int count_lines_with(const char *text, const char *needle);

#endif

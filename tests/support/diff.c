/* diff.h: outputs here are short and ordered, so lines are compared pairwise. */
#include "tests/support/diff.h"

#include <stdio.h>
#include <string.h>

static int line_len(const char *p)
{
	const char *e = strchr(p, '\n');

	return e ? (int)(e - p) : (int)strlen(p);
}

bool same_output(const char *what, const char *name_a, const char *a, const char *name_b,
		 const char *b)
{
	int shown = 0, line = 1;

	if (!strcmp(a, b))
		return true;
	fprintf(stderr, "%s: outputs differ\n", what);
	while ((*a || *b) && shown < 8) {
		int la = line_len(a), lb = line_len(b);

		if (la != lb || memcmp(a, b, la)) {
			fprintf(stderr, "  line %d\n    %-8s %.*s\n    %-8s %.*s\n", line, name_a,
				la, a, name_b, lb, b);
			shown++;
		}
		a += la + (a[la] == '\n');
		b += lb + (b[lb] == '\n');
		line++;
	}
	return false;
}

int count_lines_with(const char *text, const char *needle)
{
	size_t nlen = strlen(needle);
	int n = 0;

	while (*text) {
		int len = line_len(text);

		if (memmem(text, len, needle, nlen))
			n++;
		text += len + (text[len] == '\n');
	}
	return n;
}

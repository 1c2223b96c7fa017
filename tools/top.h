/* gmp top: one reading of one process, and the forms it is shown in. */
#ifndef GMP_TOOLS_TOP_H
#define GMP_TOOLS_TOP_H

#include "tools/view.h"

struct reading {
	pid_t pid;
	const char *name;
	const char *gone; /* NULL: alive; else why there is nothing, for now or */
	bool ended;	  /* for good */
	/*
	 * The gauges and rows are of now, or of when it became one thread.  Else they are of an
	 * earlier reading or of none, and say nothing: the program writes them when asked.
	 */
	bool answers;
	double at_s, span_s; /* when, and since the reading before; span 0: there was none */
	struct statpage now, before;
};

/* What happened since the reading before, a second. */
#define RATE(r, field) \
	((r)->span_s > 0 ? (double)(load_rlx(&(r)->now.stats.field) - \
				    load_rlx(&(r)->before.stats.field)) / \
				   (r)->span_s \
			 : 0.0)

/* The time below which so many of a hundred waits were; ns. */
u64 latency_percentile(const struct stats *s, double percent);
/* The syscall with the most strays after the first `skip`; -2: no more.  *count gets how many. */
int stray_call(const struct stats *s, int skip, u32 *count);
const char *stray_name(int call);

void top_lines(const struct reading *r);
void top_json(const struct reading *r);
/* All at once: a metric's lines must be together. */
void top_prometheus(const struct reading *r, size_t n);

/* Until the user leaves it, or, not of all processes, the process has ended. */
void top_screen(const struct reading *(*read)(size_t *n), double delay_s, bool all);

#endif

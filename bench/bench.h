/*
 * Common to the benchmarks.  A benchmark is an ordinary pthread program that asks one question: its
 * first line of output states it, each further line is `figure value`, the unit being the end of
 * the figure's name (_ns, _us, _ms, _pct, _per_s, _bytes).  bench/run.py runs it natively and under
 * the library, its namesake in bench/go under Go, and compares.
 */
#ifndef GMP_BENCH_H
#define GMP_BENCH_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct samples {
	double *v;
	size_t n, room;
};

void question(const char *text);
void figure(const char *name, double value);

void sample(struct samples *s, double value);
double mean(const struct samples *s);
/* NAME_p50, NAME_p99 and NAME_max, with the unit after them; empties s. */
void figure_samples(const char *name, const char *unit, struct samples *s);

uint64_t now_ns(void);
uint64_t cpu_ns(void); /* of the process */
void burn_ns(uint64_t ns);
void sleep_ns(uint64_t ns);

/* How long: times BENCH_EFFORT, where that is set. */
double effort(double full);

pthread_t start(void *(*fn)(void *), void *arg);
void must_be(int ok, const char *what); /* else prints errno's text and exits */

#endif

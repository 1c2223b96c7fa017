/* Clocks, samples and output of the benchmarks. */
#include "bench/bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void question(const char *text)
{
	printf("%s\n", text);
	fflush(stdout);
}

void figure(const char *name, double value)
{
	printf("%s %.3f\n", name, value);
	fflush(stdout);
}

void sample(struct samples *s, double value)
{
	if (s->n == s->room) {
		s->room = s->room ? 2 * s->room : 1024;
		s->v = realloc(s->v, s->room * sizeof(*s->v));
		must_be(s->v != NULL, "realloc");
	}
	s->v[s->n++] = value;
}

double mean(const struct samples *s)
{
	double sum = 0;

	for (size_t i = 0; i < s->n; i++)
		sum += s->v[i];
	return sum / (double)s->n;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void figure_samples(const char *name, const char *unit, struct samples *s)
{
	static const struct {
		const char *name;
		double part;
	} at[] = { { "p50", 0.5 }, { "p99", 0.99 }, { "max", 1 } };
	char text[128];

	must_be(s->n > 0, "a figure without samples");
	qsort(s->v, s->n, sizeof(*s->v), ascending);
	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++) {
		snprintf(text, sizeof(text), "%s_%s_%s", name, at[i].name, unit);
		figure(text, s->v[(size_t)((double)(s->n - 1) * at[i].part)]);
	}
	s->n = 0;
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

uint64_t cpu_ns(void)
{
	return clock_ns(CLOCK_PROCESS_CPUTIME_ID);
}

void burn_ns(uint64_t ns)
{
	for (uint64_t end = now_ns() + ns; now_ns() < end;)
		;
}

void sleep_ns(uint64_t ns)
{
	struct timespec t = { (time_t)(ns / 1000000000u), (long)(ns % 1000000000u) };

	nanosleep(&t, NULL);
}

double effort(double full)
{
	const char *part = getenv("BENCH_EFFORT");

	return part ? full * atof(part) : full;
}

pthread_t start(void *(*fn)(void *), void *arg)
{
	pthread_t t;
	pthread_attr_t small;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 * 1024);
	errno = pthread_create(&t, &small, fn, arg);
	must_be(errno == 0, "pthread_create");
	pthread_attr_destroy(&small);
	return t;
}

void must_be(int ok, const char *what)
{
	if (ok)
		return;
	perror(what);
	exit(1);
}

/*
 * starve: eight threads blocked in read() beside one thread that only computes.
 *
 * Watch it with one processor: GMP_MAXPROCS=1 LD_PRELOAD=build/libgmp.so build/examples/starve
 * A blocked reader must cost nothing, so the hog keeps nearly the whole second; a woken reader must
 * not starve, so the hog gives way within a time slice.  The picture tells it: one row a thread,
 * one column for 20 ms, '#' = this thread ran then.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { READERS = 8, TOKENS = 80, GAP_US = 12000, COLUMNS = 50, COLUMN_US = 20000 };

struct reader {
	pthread_t thread;
	int pipe[2];
	long sum, late_us, worst_us; /* late: from write() to the return of read() */
	char row[COLUMNS + 1];
};

static struct reader readers[READERS];
static char hog_row[COLUMNS + 1];
static atomic_int stop;
static int64_t begin_us;

static int64_t clock_us(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static void mark(char *row)
{
	int64_t column = (clock_us(CLOCK_MONOTONIC) - begin_us) / COLUMN_US;
	row[column < COLUMNS ? column : COLUMNS - 1] = '#';
}

static void *read_tokens(void *arg)
{
	struct reader *r = arg;

	for (int64_t token[2]; read(r->pipe[0], token, sizeof(token)) == sizeof(token);) {
		long late = clock_us(CLOCK_MONOTONIC) - token[1];

		mark(r->row);
		r->sum += token[0], r->late_us += late;
		r->worst_us = late > r->worst_us ? late : r->worst_us;
	}
	return NULL;
}

static void *compute(void *cpu_us)
{
	for (volatile uint32_t x = 1; !stop; mark(hog_row))
		for (int i = 0; i < 100000; i++)
			x = x * 1664525 + 1013904223;
	*(int64_t *)cpu_us = clock_us(CLOCK_THREAD_CPUTIME_ID);
	return NULL;
}

int main(void)
{
	int64_t cpu_us, wall_us;
	long sum = 0, late_us = 0;
	pthread_t hog;

	begin_us = clock_us(CLOCK_MONOTONIC), memset(hog_row, '.', COLUMNS);
	for (struct reader *r = readers; r < readers + READERS; r++)
		if (!memset(r->row, '.', COLUMNS) || pipe(r->pipe) ||
		    pthread_create(&r->thread, NULL, read_tokens, r))
			return perror("starve"), 1;
	pthread_create(&hog, NULL, compute, &cpu_us);
	for (int64_t i = 0; i < TOKENS; i++) {
		int64_t at = begin_us + (i + 1) * GAP_US, token[2] = { i }; /* number, time */
		struct timespec t = { at / 1000000, at % 1000000 * 1000 };

		clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
		token[1] = clock_us(CLOCK_MONOTONIC);
		if (write(readers[i % READERS].pipe[1], token, sizeof(token)) != sizeof(token))
			return perror("starve"), 1;
	}
	stop = 1;
	pthread_join(hog, NULL);
	wall_us = clock_us(CLOCK_MONOTONIC) - begin_us;
	printf("hog    %s\n", hog_row);
	for (struct reader *r = readers; r < readers + READERS; r++) {
		close(r->pipe[1]);
		pthread_join(r->thread, NULL);
		printf("reader %s  worst wake %.2f ms\n", r->row, r->worst_us / 1e3);
		sum += r->sum, late_us += r->late_us;
	}
	printf("result: %d tokens read, their sum is %ld\n", TOKENS, sum);
	printf("hog_percent=%.0f wake_ms=%.2f\n", 100.0 * cpu_us / wall_us, late_us / 1e3 / TOKENS);
}

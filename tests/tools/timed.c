/* Makes blocking calls in several threads and measures each by the clock, right before and after
 * it: what a trace's summary is compared with.  `timed THREADS ROUNDS FILE` prints a line for each
 * call: its name, how many there were, their time in ns, and the time of one in the middle. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/wait.h"

enum { PREAD, PWRITE, SLEEP, POLL, SYNC, CALLS };

static const char *const names[] = { "pread64", "pwrite64", "clock_nanosleep", "poll",
				     "fdatasync" };
static long *times[CALLS];
static atomic_int number[CALLS];
static int rounds, file;

static long now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static int make(int call)
{
	struct timespec ts = { 0, 500000 };
	char block[4096] = "";

	switch (call) {
	case PREAD:
		return pread(file, block, sizeof(block), 0) >= 0;
	case PWRITE:
		return pwrite(file, block, sizeof(block), 0) == sizeof(block);
	case SLEEP:
		return nanosleep(&ts, NULL) == 0;
	case POLL:
		return poll(NULL, 0, 1) == 0;
	default:
		return fdatasync(file) == 0;
	}
}

static void *calls(void *arg)
{
	for (int i = 0; i < rounds * CALLS; i++) {
		long began = now();

		if (!make(i % CALLS))
			die("a call failed");
		times[i % CALLS][number[i % CALLS]++] = now() - began;
	}
	return NULL;
}

static int by_length(const void *a, const void *b)
{
	long x = *(const long *)a, y = *(const long *)b;

	return x < y ? -1 : x > y;
}

static void print(int call)
{
	int n = number[call];
	long sum = 0;

	qsort(times[call], (size_t)n, sizeof(long), by_length);
	for (int i = 0; i < n; i++)
		sum += times[call][i];
	printf("%s %d %ld %ld\n", names[call], n, sum, times[call][n / 2]);
}

int main(int argc, char **argv)
{
	pthread_t t[64];
	int n = argc == 4 ? atoi(argv[1]) : 0;

	if (n < 1 || n > 64)
		die("usage: timed THREADS ROUNDS FILE");
	rounds = atoi(argv[2]);
	for (int i = 0; i < CALLS; i++)
		times[i] = calloc((size_t)(n * rounds), sizeof(long));
	file = open(argv[3], O_RDWR | O_CREAT, 0600);
	for (int i = 0; i < n; i++)
		if (pthread_create(&t[i], NULL, calls, NULL) != 0)
			die("no thread");
	for (int i = 0; i < n; i++)
		pthread_join(t[i], NULL);
	for (int i = 0; i < CALLS; i++)
		print(i);
	return 0;
}

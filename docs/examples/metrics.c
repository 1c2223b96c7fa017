/*
 * A program that watches its own scheduler: counters by name, and how long threads waited for a P.
 *
 *   cc metrics.c -o metrics $(pkg-config --cflags gmprt) -pthread
 *   ./metrics                         without the library: the API is not there, and it says so
 *   gmp run -p 2 -- ./metrics         with it
 *
 * Watch: 16 threads that compute on 2 Ps wait for about a slice (10 ms) each time.
 */
#include <gmprt.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

#define THREADS 16

static double seconds(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* 20 ms of computing. */
static void *work(void *arg)
{
	(void)arg;
	while (seconds(CLOCK_THREAD_CPUTIME_ID) < 0.02)
		;
	return NULL;
}

/* Shorter than so were p percent of the waits. */
static unsigned long percentile(const struct gmp_latency *l, int n, unsigned p)
{
	unsigned long all = 0, below = 0;

	for (int i = 0; i < n; i++)
		all += l[i].count;
	for (int i = 0; i + 1 < n; i++)
		if ((below += l[i].count) * 100 >= all * p)
			return l[i + 1].from_ns;
	return l[n - 1].from_ns;
}

int main(void)
{
	pthread_t threads[THREADS];
	struct gmp_latency waits[256];
	struct gmp_stat stats[64];
	int n;

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	if (!gmp_present()) {
		printf("without the library: no metrics\n");
		return 0;
	}
	n = gmp_read_stats(stats, sizeof(stats) / sizeof(stats[0]));
	for (int i = 0; i < n; i++)
		printf("%-45s %lu\n", stats[i].name, stats[i].value);
	n = gmp_read_latencies(waits, sizeof(waits) / sizeof(waits[0]));
	printf("half of the waits below %lu us, 99%% below %lu us\n",
	       percentile(waits, n, 50) / 1000, percentile(waits, n, 99) / 1000);
	return 0;
}

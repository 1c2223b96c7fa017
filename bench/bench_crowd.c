/* Many parked threads: their memory, and whether they are in the way: bench_crowd THREADS. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench/bench.h"

static int for_ever[2], to[2], from[2];
static uint64_t left_ns;
static struct samples lateness;

static void *parked(void *arg)
{
	char c;

	return (void *)(intptr_t)read(for_ever[0], &c, 1);
}

static void *answer(void *arg)
{
	char c;

	while (read(to[0], &c, 1) == 1) {
		uint64_t now = now_ns(), left = __atomic_load_n(&left_ns, __ATOMIC_ACQUIRE);

		sample(&lateness, left && now > left ? (double)(now - left) / 1e3 : 0);
		must_be(write(from[1], &c, 1) == 1, "write");
	}
	return NULL;
}

static double rss_bytes(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	long pages = 0;

	must_be(f && fscanf(f, "%*d %ld", &pages) == 1, "statm");
	fclose(f);
	return (double)pages * 4096;
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? atoi(argv[1]) : 10000;
	double before;
	char c;

	question("What does a parked thread cost in memory, and others in hand-off time?");
	must_be(pipe(for_ever) == 0 && pipe(to) == 0 && pipe(from) == 0, "pipe");
	start(answer, NULL);
	sleep_ns(20000000);
	before = rss_bytes();
	for (int i = 0; i < n; i++)
		start(parked, NULL);
	sleep_ns(500000000);
	figure("a_thread_bytes", (rss_bytes() - before) / n);
	for (uint64_t end = now_ns() + (uint64_t)effort(4e9); now_ns() < end;) {
		__atomic_store_n(&left_ns, 0, __ATOMIC_RELEASE);
		must_be(write(to[1], "", 1) == 1, "write");
		burn_ns(30000); /* it wakes and queues meanwhile */
		__atomic_store_n(&left_ns, now_ns(), __ATOMIC_RELEASE);
		must_be(read(from[0], &c, 1) == 1, "read");
	}
	figure_samples("handoff", "us", &lateness);
	_exit(0);
}

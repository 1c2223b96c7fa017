/* What the library's own threads burn beside a host that sleeps, and beside one that computes. */
#include <stdio.h>
#include <unistd.h>
#include <dirent.h>
#include <stdlib.h>
#include <sys/syscall.h>

#include "bench/bench.h"

enum { SLEEPERS = 100 };
static int sleepers_end[2];
static long hog_tid, stop_hog;

static void *sleeper(void *arg)
{
	char c;

	return (void *)(intptr_t)read(sleepers_end[0], &c, 1);
}

static void *hog(void *arg)
{
	__atomic_store_n(&hog_tid, syscall(SYS_gettid), __ATOMIC_RELEASE);
	while (!__atomic_load_n(&stop_hog, __ATOMIC_RELAXED))
		;
	return NULL;
}

/* CPU time of all threads but the hog and this one, which asks, from the kernel's exact account. */
static uint64_t others_ns(void)
{
	DIR *tasks = opendir("/proc/self/task");
	uint64_t sum = 0, ns;

	for (struct dirent *e; (e = readdir(tasks));) {
		char path[300];
		FILE *f;

		long tid = atol(e->d_name);

		if (tid == 0 || tid == hog_tid || tid == getpid())
			continue;
		snprintf(path, sizeof(path), "/proc/self/task/%s/schedstat", e->d_name);
		f = fopen(path, "r");
		if (f && fscanf(f, "%lu", &ns) == 1)
			sum += ns;
		if (f)
			fclose(f);
	}
	closedir(tasks);
	return sum;
}

static void measure(const char *name)
{
	uint64_t began = now_ns(), first = others_ns();

	sleep_ns((uint64_t)effort(16e9));
	figure(name, 100 * (double)(others_ns() - first) / (double)(now_ns() - began));
}

int main(void)
{
	question("What CPU share do threads burn that have nothing to do?");
	must_be(pipe(sleepers_end) == 0, "pipe");
	for (int i = 0; i < SLEEPERS; i++)
		start(sleeper, NULL);
	sleep_ns(200000000);
	measure("asleep_pct");
	start(hog, NULL);
	while (!__atomic_load_n(&hog_tid, __ATOMIC_ACQUIRE))
		sleep_ns(1000000);
	measure("beside_hog_pct");
	_exit(0);
}

/* One P for a thread that computes and one that sleeps again and again. */
#include <semaphore.h>
#include <stdio.h>
#include <unistd.h>

#include "bench/bench.h"

#define TURN_NS 50000000

static volatile uint64_t turns;
static uint64_t nap_ns; /* 0: none */
static sem_t go_on;

static void *hog(void *arg)
{
	for (;;)
		turns++;
	return NULL;
}

static void *napper(void *arg)
{
	for (;;) {
		uint64_t ns = __atomic_load_n(&nap_ns, __ATOMIC_RELAXED);

		if (ns)
			sleep_ns(ns);
		else
			sem_wait(&go_on);
	}
	return NULL;
}

/* Of the hog's, a second, beside naps of so long. */
static double turns_per_s(uint64_t ns)
{
	uint64_t began, first;

	__atomic_store_n(&nap_ns, ns, __ATOMIC_RELAXED);
	if (ns)
		sem_post(&go_on);
	sleep_ns(TURN_NS / 10);
	began = now_ns();
	first = turns;
	sleep_ns(TURN_NS);
	return (double)(turns - first) / (double)(now_ns() - began) * 1e9;
}

/* The CPU's own speed changes by the second, so alone and beside take turns. */
static void ask(const char *name, uint64_t nap)
{
	struct samples alone = { 0 }, beside = { 0 };

	for (uint64_t end = now_ns() + (uint64_t)(effort(5) * 1e9); now_ns() < end;) {
		sample(&alone, turns_per_s(0));
		sample(&beside, turns_per_s(nap));
		sample(&beside, turns_per_s(nap));
		sample(&alone, turns_per_s(0));
	}
	figure(name, 100 * mean(&beside) / mean(&alone));
}

int main(void)
{
	question("What share of the only P does a hog keep beside a thread of short sleeps?");
	sem_init(&go_on, 0, 0);
	start(hog, NULL);
	start(napper, NULL);
	sleep_ns(50000000);
	ask("share_100us_pct", 100000);
	ask("share_1ms_pct", 1000000);
	ask("share_5ms_pct", 5000000);
	_exit(0);
}

/* One P for a thread that computes and one that sleeps again and again. */
#include <stdio.h>
#include <unistd.h>

#include "bench/bench.h"

static volatile uint64_t turns;
static uint64_t nap_ns;

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

		sleep_ns(ns ? ns : 1000000000);
	}
	return NULL;
}

static double turns_per_s(double seconds)
{
	uint64_t began = now_ns(), first = turns;

	sleep_ns((uint64_t)(seconds * 1e9));
	return (double)(turns - first) / (double)(now_ns() - began) * 1e9;
}

int main(void)
{
	static const struct {
		const char *name;
		uint64_t ns;
	} naps[] = { { "100us", 100000 }, { "1ms", 1000000 }, { "5ms", 5000000 } };
	char text[64];

	question("What share of the only P does a hog keep beside a thread of short sleeps?");
	start(hog, NULL);
	sleep_ns(50000000);
	double alone = turns_per_s(effort(3));

	start(napper, NULL);
	for (size_t i = 0; i < sizeof(naps) / sizeof(*naps); i++) {
		__atomic_store_n(&nap_ns, naps[i].ns, __ATOMIC_RELAXED);
		sleep_ns(1100000000);
		snprintf(text, sizeof(text), "share_%s_pct", naps[i].name);
		figure(text, 100 * turns_per_s(effort(4)) / alone);
	}
	_exit(0);
}

/* Two threads pass a byte to and fro while four compute, all on two Ps. */
#include <stdio.h>
#include <unistd.h>

#include "bench/bench.h"

static int there[2], back[2];

static void *hog(void *arg)
{
	for (volatile uint64_t n = 0;; n++)
		;
	return NULL;
}

static void *echo(void *arg)
{
	char c;

	while (read(there[0], &c, 1) == 1)
		must_be(write(back[1], &c, 1) == 1, "write");
	return NULL;
}

static void measure(const char *name, double seconds)
{
	struct samples trip = { 0 };
	uint64_t first = now_ns(), began;
	double trips = 0;
	char text[64];

	for (began = first; began < first + (uint64_t)(seconds * 1e9); trips++) {
		char c = 0;
		uint64_t now;

		must_be(write(there[1], &c, 1) == 1 && read(back[0], &c, 1) == 1, "pipe");
		now = now_ns();
		sample(&trip, (double)(now - began) / 1e3);
		began = now;
	}
	snprintf(text, sizeof(text), "%s_per_s", name);
	figure(text, trips / (double)(began - first) * 1e9);
	figure_samples(name, "us", &trip);
}

int main(void)
{
	question("How fast do two threads answer each other over pipes, alone and beside 4 hogs?");
	must_be(pipe(there) == 0 && pipe(back) == 0, "pipe");
	start(echo, NULL);
	sleep_ns(20000000);
	measure("alone", effort(3));
	for (int i = 0; i < 4; i++)
		start(hog, NULL);
	sleep_ns(50000000);
	measure("hogs", effort(12));
	_exit(0);
}

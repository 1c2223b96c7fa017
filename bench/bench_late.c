/* Two threads compute on one P; a third comes back from a call of 50 ms now and then. */
#include <unistd.h>

#include "bench/bench.h"

enum { CALL_NS = 50000000 };

static void *hog(void *arg)
{
	for (volatile uint64_t n = 0;; n++)
		;
	return NULL;
}

int main(void)
{
	struct samples late = { 0 };

	question("How late is a thread back from a 50 ms call beside two hogs on one P?");
	start(hog, NULL);
	start(hog, NULL);
	for (uint64_t end = now_ns() + (uint64_t)effort(16e9); now_ns() < end;) {
		uint64_t began = now_ns();

		sleep_ns(CALL_NS);
		sample(&late, (double)(now_ns() - began - CALL_NS) / 1e6);
	}
	figure_samples("late", "ms", &late);
	_exit(0);
}

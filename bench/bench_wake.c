/* What a hand-off cannot be faster than: a bare futex wake of a thread on another CPU. */
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/bench.h"

static uint32_t word;	 /* what the sleeper sleeps on: the number of wakes */
static uint32_t heard;	 /* those that it has heard */
static uint64_t woke_ns; /* when; written before heard, read after it */

static void *sleeper(void *arg)
{
	for (uint32_t seen = 0;; seen = __atomic_load_n(&word, __ATOMIC_ACQUIRE)) {
		__atomic_store_n(&heard, seen, __ATOMIC_RELEASE);
		syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, seen, NULL);
		woke_ns = now_ns();
	}
	return NULL;
}

static void measure(const char *name, uint64_t asleep_ns)
{
	struct samples late = { 0 };

	for (uint64_t end = now_ns() + (uint64_t)(effort(2) * 1e9); now_ns() < end;) {
		uint64_t began;
		uint32_t n = word + 1;

		burn_ns(asleep_ns);
		began = now_ns();
		__atomic_store_n(&word, n, __ATOMIC_RELEASE);
		syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, 1);
		while (__atomic_load_n(&heard, __ATOMIC_ACQUIRE) != n)
			;
		sample(&late, woke_ns > began ? (double)(woke_ns - began) / 1e3 : 0);
	}
	figure_samples(name, "us", &late);
}

int main(void)
{
	question("How long does a sleeping thread take to run when a bare futex wakes it?");
	start(sleeper, NULL);
	measure("after_100us", 100000);
	measure("after_1ms", 1000000);
	_exit(0);
}

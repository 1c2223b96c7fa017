/* A pthread_spin_lock shared by 64 threads. */
#include <unistd.h>

#include "bench/bench.h"

enum { THREADS = 64, INSIDE = 200, OUTSIDE = 100 };

static pthread_spinlock_t lock;
static uint64_t shared = 1; /* under lock */
static uint64_t turns;	    /* under lock */

static uint64_t churn(uint64_t x, int steps)
{
	while (steps--)
		x = x * 6364136223846793005u + 1442695040888963407u;
	return x;
}

static void *contend(void *arg)
{
	for (volatile uint64_t mine = 1;; mine = churn(mine, OUTSIDE)) {
		pthread_spin_lock(&lock);
		shared = churn(shared, INSIDE);
		__atomic_store_n(&turns, turns + 1, __ATOMIC_RELAXED);
		pthread_spin_unlock(&lock);
	}
	return NULL;
}

int main(void)
{
	uint64_t began, first;

	question("How many turns a second do 64 threads take at one spin lock?");
	pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE);
	for (int i = 0; i < THREADS; i++)
		start(contend, NULL);
	sleep_ns(200000000);
	began = now_ns();
	first = __atomic_load_n(&turns, __ATOMIC_RELAXED);
	sleep_ns((uint64_t)effort(8e9));
	figure("turns_per_s", (double)(__atomic_load_n(&turns, __ATOMIC_RELAXED) - first) /
				      (double)(now_ns() - began) * 1e9);
	_exit(0);
}

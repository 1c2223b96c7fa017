/* A spin lock shared by 64 threads: libc's, which the library sees, and one of the program's own,
 * which it does not. */
#include <stdbool.h>

#include "bench/bench.h"

enum { THREADS = 64, INSIDE = 200, OUTSIDE = 100 };

static pthread_spinlock_t lock;
static int own_lock;	    /* atomic */
static uint64_t shared = 1; /* under the lock */
static uint64_t turns[THREADS];
static int stop; /* atomic */

static uint64_t churn(uint64_t x, int steps)
{
	while (steps--)
		x = x * 6364136223846793005u + 1442695040888963407u;
	return x;
}

static bool stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

static void *contend(void *arg)
{
	uint64_t *mine = arg;

	for (volatile uint64_t x = 1; !stopped(); x = churn(x, OUTSIDE)) {
		pthread_spin_lock(&lock);
		shared = churn(shared, INSIDE);
		__atomic_store_n(mine, *mine + 1, __ATOMIC_RELAXED);
		pthread_spin_unlock(&lock);
	}
	return NULL;
}

static void *contend_own(void *arg)
{
	uint64_t *mine = arg;

	for (volatile uint64_t x = 1; !stopped(); x = churn(x, OUTSIDE)) {
		while (__atomic_exchange_n(&own_lock, 1, __ATOMIC_ACQUIRE))
			while (__atomic_load_n(&own_lock, __ATOMIC_RELAXED))
				__builtin_ia32_pause();
		shared = churn(shared, INSIDE);
		__atomic_store_n(mine, *mine + 1, __ATOMIC_RELAXED);
		__atomic_store_n(&own_lock, 0, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void read_turns(uint64_t now[THREADS])
{
	for (int i = 0; i < THREADS; i++)
		now[i] = __atomic_load_n(&turns[i], __ATOMIC_RELAXED);
}

/* All turns a second, and what the one with the fewest had of the mean. */
static void measure(const char *all, const char *least, void *(*body)(void *))
{
	uint64_t first[THREADS], last[THREADS], began, sum = 0, fewest = UINT64_MAX;
	pthread_t thread[THREADS];
	double seconds;

	stop = 0;
	for (int i = 0; i < THREADS; i++)
		thread[i] = start(body, &turns[i]);
	sleep_ns(200000000);
	began = now_ns();
	read_turns(first);
	sleep_ns((uint64_t)effort(5e9));
	read_turns(last);
	seconds = (double)(now_ns() - began) / 1e9;
	__atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
	for (int i = 0; i < THREADS; i++) {
		sum += last[i] - first[i];
		if (last[i] - first[i] < fewest)
			fewest = last[i] - first[i];
		pthread_join(thread[i], NULL);
	}
	figure(all, (double)sum / seconds);
	figure(least, 100 * (double)fewest * THREADS / (double)sum);
}

int main(void)
{
	question("How many turns a second do 64 threads take at one spin lock?");
	pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE);
	measure("turns_per_s", "least_pct_of_mean", contend);
	measure("own_lock_turns_per_s", "own_lock_least_pct_of_mean", contend_own);
	return 0;
}

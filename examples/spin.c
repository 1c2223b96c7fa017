/*
 * spin: many more threads than processors share one pthread_spin_lock.
 *
 * Watch the time.  Natively the kernel now and then takes the CPU from the very thread that holds
 * the lock; every other thread then burns its whole time slice waiting for a sleeper.  Under the
 * library only as many threads run as there are processors, and a lock holder is let finish.
 */
#include <pthread.h>
#include <stdio.h>
#include <time.h>

enum { THREADS = 32, TURNS = 6000, INSIDE = 400, OUTSIDE = 100 };

static pthread_spinlock_t lock;
static unsigned long long shared = 1; /* under lock */
static long turns;		      /* under lock */
static double spent_s[THREADS];

static double clock_s(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static unsigned long long churn(unsigned long long x, int steps)
{
	while (steps--)
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
	return x;
}

static void *contend(void *arg)
{
	volatile unsigned long long mine = 1;

	for (int i = 0; i < TURNS; i++) {
		pthread_spin_lock(&lock);
		shared = churn(shared, INSIDE);
		turns++;
		pthread_spin_unlock(&lock);
		mine = churn(mine, OUTSIDE);
	}
	*(double *)arg = clock_s(CLOCK_THREAD_CPUTIME_ID);
	return NULL;
}

/* The same work by one thread and without a lock: what the processors would need at best. */
static double alone(void)
{
	double begin = clock_s(CLOCK_THREAD_CPUTIME_ID);
	volatile unsigned long long x = 1;

	for (int i = 0; i < TURNS; i++)
		x = churn(x, INSIDE);
	return (clock_s(CLOCK_THREAD_CPUTIME_ID) - begin) * THREADS;
}

int main(void)
{
	pthread_t thread[THREADS];
	double best_s = alone(), begin = clock_s(CLOCK_MONOTONIC), cpu_s = 0;

	pthread_spin_init(&lock, PTHREAD_PROCESS_PRIVATE);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, contend, &spent_s[i]))
			return perror("spin: pthread_create"), 1;
	for (int i = 0; i < THREADS; i++) {
		pthread_join(thread[i], NULL);
		cpu_s += spent_s[i];
	}
	printf("result: %ld turns, the shared number is %016llx\n", turns, shared);
	printf("times_the_best=%.1f cpu_ms=%.0f\n", (clock_s(CLOCK_MONOTONIC) - begin) / best_s,
	       cpu_s * 1e3);
}

/*
 * openmp: parallel loops of libgomp beside a pool of pthreads in the same process.
 *
 * Watch the strays: libgomp waits at its barriers by a futex call of its own that no preloaded
 * library can see.  On one processor a team member blocked there would keep the processor from the
 * members it waits for; the library must find out and take the processor away.
 */
#include <omp.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { TEAM = 4, LOOPS = 1000, SIZE = 200000, POOL = 4, JOBS = 800, CHURN = 200000 };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int next_job;		   /* under lock */
static unsigned long long job_sum; /* under lock */

static double now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* One job computes, every other one waits a moment for a device that is not there. */
static unsigned long long run_job(int number)
{
	unsigned long long x = number;

	for (int i = 0; i < CHURN; i++)
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
	if (number % 2)
		usleep(2000);
	return x;
}

static void *pool_thread(void *arg)
{
	for (;;) {
		pthread_mutex_lock(&lock);
		int job = next_job++;
		pthread_mutex_unlock(&lock);
		if (job >= JOBS)
			return arg;
		unsigned long long x = run_job(job);
		pthread_mutex_lock(&lock);
		job_sum += x;
		pthread_mutex_unlock(&lock);
	}
}

/* LOOPS short parallel loops: each ends in a barrier, so each waits for its slowest member. */
static unsigned long long run_loops(double *worst_s)
{
	unsigned long long total = 0;

	for (int loop = 0; loop < LOOPS; loop++) {
		unsigned long long sum = 0;
		double begin = now_s();

#pragma omp parallel for num_threads(TEAM) reduction(+ : sum)
		for (long i = 0; i < SIZE; i++)
			sum += (i * 2654435761UL + loop) % 1000003;
		total += sum;
		*worst_s = now_s() - begin > *worst_s ? now_s() - begin : *worst_s;
	}
	return total;
}

int main(void)
{
	pthread_t thread[POOL];
	double worst_s = 0;

	for (int i = 0; i < POOL; i++)
		if (pthread_create(&thread[i], NULL, pool_thread, NULL))
			return perror("openmp: pthread_create"), 1;
	unsigned long long loop_sum = run_loops(&worst_s);
	for (int i = 0; i < POOL; i++)
		pthread_join(thread[i], NULL);
	printf("result: loops give %llu, jobs give %016llx\n", loop_sum, job_sum);
	printf("team=%d pool=%d worst_loop_ms=%.1f\n", TEAM, POOL, worst_s * 1e3);
}

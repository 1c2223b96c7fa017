/*
 * One of everything in OpenMP that makes threads wait for each other, beside pthreads that use
 * OpenMP too.  Prints sums that do not depend on the number of threads.
 */
#include <omp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { CELLS = 20000, STEPS = 200, SORTED = 300000, PTHREADS = 3 };

typedef unsigned long long u64;

static u64 mix(u64 x)
{
	x = (x ^ (x >> 31)) * 0x9e3779b97f4a7c15ULL;
	return x ^ (x >> 29);
}

/* Barriers: each step needs its neighbours of the step before. */
static u64 stencil(void)
{
	static u64 cell[2][CELLS];
	u64 sum = 0;

	for (int i = 0; i < CELLS; i++)
		cell[0][i] = mix(i);
#pragma omp parallel
	for (int step = 0; step < STEPS; step++) {
		u64 *from = cell[step % 2], *to = cell[1 - step % 2];

#pragma omp for schedule(static)
		for (int i = 0; i < CELLS; i++)
			to[i] = from[(i + CELLS - 1) % CELLS] ^
				mix(from[i] + from[(i + 1) % CELLS]);
	}
	for (int i = 0; i < CELLS; i++)
		sum += cell[STEPS % 2][i];
	return sum;
}

/* Tasks: a merge sort whose halves are tasks of any thread. */
static void sort(unsigned *v, unsigned *spare, int n)
{
	int half = n / 2, a = 0, b = half;

	if (n < 2)
		return;
#pragma omp task if (n > 1000)
	sort(v, spare, half);
	sort(v + half, spare + half, n - half);
#pragma omp taskwait
	for (int i = 0; i < n; i++)
		spare[i] = b >= n || (a < half && v[a] <= v[b]) ? v[a++] : v[b++];
	for (int i = 0; i < n; i++)
		v[i] = spare[i];
}

static u64 tasks(void)
{
	static unsigned v[SORTED], spare[SORTED];
	u64 sum = 0;

	for (int i = 0; i < SORTED; i++)
		v[i] = mix(i);
#pragma omp parallel
#pragma omp single
	sort(v, spare, SORTED);
	for (int i = 0; i < SORTED; i++)
		sum = sum * 31 + v[i];
	return sum;
}

/* Locks, critical and ordered sections, atomics, with loops cut up at run time. */
static u64 locks(void)
{
	u64 total = 0, in_order = 1, atomic = 0;
	omp_lock_t lock;

	omp_init_lock(&lock);
#pragma omp parallel for schedule(dynamic, 3) ordered
	for (int i = 0; i < 600; i++) {
		u64 x = mix(i);

		for (int j = 0; j < 500; j++)
			x = mix(x);
#pragma omp critical
		total += x;
#pragma omp atomic
		atomic += x % 1000;
		omp_set_lock(&lock);
		total ^= 0;
		omp_unset_lock(&lock);
#pragma omp ordered
		in_order = in_order * 31 + i;
	}
	omp_destroy_lock(&lock);
	return total ^ in_order ^ atomic;
}

/* Nested teams: inner ones are made and ended all the time. */
static u64 nested(void)
{
	u64 sum = 0;

	omp_set_max_active_levels(2);
#pragma omp parallel for num_threads(3) reduction(+ : sum) schedule(dynamic)
	for (int i = 0; i < 24; i++) {
		u64 part = 0;

#pragma omp parallel for num_threads(2) reduction(+ : part)
		for (int j = 0; j < 2000; j++)
			part += mix(i * 2000 + j);
		sum += part;
	}
	return sum;
}

/* A pthread has a team of its own. */
static void *own_team(void *arg)
{
	u64 sum = 0;

	for (int round = 0; round < 20; round++) {
#pragma omp parallel for reduction(+ : sum) schedule(guided)
		for (int i = 0; i < 5000; i++)
			sum += mix(i + round);
	}
	*(u64 *)arg = sum;
	return NULL;
}

int main(void)
{
	pthread_t thread[PTHREADS];
	u64 sum[PTHREADS];

	printf("stencil %016llx\n", stencil());
	printf("tasks %016llx\n", tasks());
	printf("locks %016llx\n", locks());
	printf("nested %016llx\n", nested());
	for (int i = 0; i < PTHREADS; i++)
		if (pthread_create(&thread[i], NULL, own_team, &sum[i]))
			return perror("omp: pthread_create"), 1;
	for (int i = 0; i < PTHREADS; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < PTHREADS; i++)
		printf("own team %016llx\n", sum[i]);
	return 0;
}

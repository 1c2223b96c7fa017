/*
 * The optional API in one program: a consistent look at what many threads change.
 *
 *   cc snapshot.c -o snapshot $(pkg-config --cflags gmprt) -pthread
 *   ./snapshot                        without the library: the API is not there, and it says so
 *   gmp run -p 2 -- ./snapshot        with it: the world is stopped for each look
 *
 * Watch: "moved while stopped" is 0.  The symbols are weak, so the same file runs either way, and
 * no library is linked.
 */
#include <gmprt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define THREADS 8
#define LOOKS 50

static volatile unsigned long count[THREADS];
static volatile int stop;

/* Half of the threads compute, half sleep much and compute a little. */
static void *work(void *arg)
{
	long i = (long)arg;

	while (!stop) {
		count[i]++;
		if (i % 2 && count[i] % 1000 == 0)
			usleep(500);
	}
	return NULL;
}

static unsigned long sum(void)
{
	unsigned long n = 0;

	for (int i = 0; i < THREADS; i++)
		n += count[i];
	return n;
}

static void spin_for(long ns)
{
	struct timespec from, now;

	clock_gettime(CLOCK_MONOTONIC, &from);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - from.tv_sec) * 1000000000 + now.tv_nsec - from.tv_nsec < ns);
}

/* How far the others got while the world was stopped: 0 is right. */
static unsigned long look(void)
{
	unsigned long before, after;

	if (gmp_stop_the_world(10000) != 0) {
		fprintf(stderr, "the world does not stop\n");
		exit(1);
	}
	before = sum();
	spin_for(200000);
	after = sum();
	gmp_start_the_world();
	return after - before;
}

int main(void)
{
	pthread_t threads[THREADS];
	unsigned long moved = 0;

	for (long i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, work, (void *)i);
	for (int i = 0; gmp_present() && i < LOOKS; i++) {
		moved += look();
		usleep(2000);
	}
	stop = 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	if (gmp_present())
		printf("%d looks at %d Ps, moved while stopped: %lu\n", LOOKS, gmp_maxprocs(0),
		       moved);
	else
		printf("without the library: no looks\n");
	return moved != 0;
}

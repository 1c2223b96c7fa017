/* Victim: a threaded program that is built in many ways (tests/preload/meson.build): with a
 * sanitizer, statically, set-user-ID.  It says how many tasks it has while its threads are blocked,
 * so a thread of somebody else's shows.  `hosted fault` does what each sanitizer reports.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS 4
#define ROUNDS 1000

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int go[2], ready[2];
static long sum, unlocked;
static int fault;
/* Volatile: the compiler must not see the faults. */
static volatile int size = 100;
static void *(*volatile get)(size_t) = malloc;

static void allocate(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		char *p = malloc(100);

		memset(p, 1, 100);
		pthread_mutex_lock(&lock);
		sum += p[i % 100];
		pthread_mutex_unlock(&lock);
		free(p);
	}
}

/* A heap overflow, a data race, a decision by uninitialised memory. */
static void misbehave(void)
{
	volatile char *p = get(size);

	for (int i = 0; i < ROUNDS; i++)
		unlocked++;
	if (p[size / 2] > 7)
		puts("more than seven");
	p[size] = 1;
	free((void *)p);
}

static void *work(void *arg)
{
	char c = 'r';

	allocate();
	if (fault)
		misbehave();
	if (write(ready[1], &c, 1) != 1 || read(go[0], &c, 1) != 1)
		abort();
	return NULL;
}

/* What one thread of ours more would change, or one of the library's. */
static int count_tasks(void)
{
	DIR *dir = opendir("/proc/self/task");
	int n = 0;

	for (struct dirent *e; (e = readdir(dir));)
		n += e->d_name[0] != '.';
	closedir(dir);
	return n;
}

int main(int argc, char **argv)
{
	pthread_t t[THREADS];
	char c;

	fault = argc > 1 && !strcmp(argv[1], "fault");
#ifndef STATIC
	/* A set-user-ID program is not preloaded: here it opens the library by itself. */
	if (argc > 1 && !fault && !dlopen(argv[1], RTLD_NOW))
		puts(dlerror());
#endif
	if (pipe(go) || pipe(ready))
		return 1;
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&t[i], NULL, work, NULL))
			return 1;
	for (int i = 0; i < THREADS; i++)
		if (read(ready[0], &c, 1) != 1)
			return 1;
	printf("tasks: %d\n", count_tasks());
	if (write(go[1], "gogo", THREADS) != THREADS)
		return 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(t[i], NULL);
	printf("sum: %ld\n", sum);
	return 0;
}

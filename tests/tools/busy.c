/* Threads that compute, sleep, lock, and hand bytes through a pipe, until they are told to end: by
 * the end of standard input.  `busy exec PROGRAM` executes that instead of ending; `busy alone`
 * first has one thread again, until it gets a line.  `busy crowd N` is N processes of two threads
 * that sleep. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/wait.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int bytes[2];

static void compute(long n)
{
	for (volatile long i = 0; i < n; i++)
		;
}

static void *computes(void *arg)
{
	for (;;) {
		compute(300000);
		usleep(200);
	}
	return NULL;
}

static void *locks(void *arg)
{
	for (;;) {
		pthread_mutex_lock(&lock);
		compute(20000);
		pthread_mutex_unlock(&lock);
		usleep(500);
	}
	return NULL;
}

static void *reads(void *arg)
{
	char c;

	while (read(bytes[0], &c, 1) == 1)
		;
	return NULL;
}

static void *writes(void *arg)
{
	while (write(bytes[1], "x", 1) == 1)
		usleep(300);
	return NULL;
}

static void *nothing(void *arg)
{
	return NULL;
}

static bool one_task(void *arg)
{
	struct stat st;

	return stat("/proc/self/task", &st) == 0 && st.st_nlink == 2 + 1; /* a directory a task */
}

static void be_alone(void)
{
	pthread_t t;
	char c;

	if (pthread_create(&t, NULL, nothing, NULL) != 0 || pthread_join(t, NULL) != 0)
		die("no thread");
	must_reach("one thread", one_task, NULL);
	printf("ready\n");
	fflush(stdout);
	if (read(STDIN_FILENO, &c, 1) != 1)
		die("no line");
}

static void *sleeps(void *arg)
{
	for (;;)
		pause();
	return NULL;
}

/* They end with us: whoever started us ends the group. */
static void be_many(int n)
{
	pthread_t t;
	char c;

	for (int i = 0; i < n; i++)
		if (fork() == 0) {
			if (pthread_create(&t, NULL, sleeps, NULL) != 0)
				die("no thread");
			sleeps(NULL);
		}
	printf("ready\n");
	fflush(stdout);
	if (read(STDIN_FILENO, &c, 1) < 0)
		die("no end");
}

int main(int argc, char **argv)
{
	void *(*const all[])(
		void *) = { computes, computes, computes, locks, locks, reads, writes };
	pthread_t t;
	char c;

	if (argc > 1 && strcmp(argv[1], "alone") == 0)
		be_alone();
	if (argc > 2 && strcmp(argv[1], "crowd") == 0) {
		be_many(atoi(argv[2]));
		return 0;
	}
	if (pipe(bytes) != 0)
		return 1;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (pthread_create(&t, NULL, all[i], NULL) != 0)
			return 1;
	printf("ready\n");
	fflush(stdout);
	if (read(STDIN_FILENO, &c, 1) < 0)
		return 1;
	if (argc > 2 && strcmp(argv[1], "exec") == 0)
		execl(argv[2], argv[2], "30", (char *)NULL);
	_exit(0);
}

/* Threads that compute, sleep, lock, and hand bytes through a pipe, until they are told to end: by
 * the end of standard input.  `busy exec PROGRAM` executes that instead of ending. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

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

int main(int argc, char **argv)
{
	void *(*const all[])(
		void *) = { computes, computes, computes, locks, locks, reads, writes };
	pthread_t t;
	char c;

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

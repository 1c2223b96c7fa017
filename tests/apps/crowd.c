/*
 * Threads of every kind, for a debugger to look at: blocked in read, blocked on a condition
 * variable, sleeping, computing, handing a mutex round.  It says `ready` when each has begun, works
 * until it can read a line from the file named on its command line, and prints sums that do not
 * depend on when that was.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { READERS = 4, WAITERS = 3, OTHERS = 3, THREADS = READERS + WAITERS + OTHERS };

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int started, finished; /* under lock */
static atomic_int stop;
static int wake[2];
static atomic_long bytes, woken, wrong;

void *blocked_in_read(void *arg);
void *blocked_in_cond(void *arg);
void *sleeping(void *arg);
void *computing(void *arg);
void *locking(void *arg);
void milestone(long count);

static void begin(void)
{
	pthread_mutex_lock(&lock);
	started++;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

void *blocked_in_read(void *arg)
{
	char c;

	begin();
	/* Attaching may not be seen by a program: read() restarts by itself. */
	if (read(wake[0], &c, 1) != 1)
		wrong++;
	bytes++;
	return arg;
}

void *blocked_in_cond(void *arg)
{
	begin();
	pthread_mutex_lock(&lock);
	while (!finished)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	woken++;
	return arg;
}

void *sleeping(void *arg)
{
	struct timespec second = { 1, 0 };

	begin();
	while (!stop)
		if (nanosleep(&second, NULL) && errno != EINTR)
			wrong++;
	return arg;
}

__attribute__((noinline)) void milestone(long count)
{
	__asm__ volatile("" : : "r"(count));
}

void *computing(void *arg)
{
	volatile unsigned long x = 1;

	begin();
	for (long n = 1; !stop; n++) {
		for (int i = 0; i < 100000; i++)
			x = x * 48271 % 2147483647;
		milestone(n);
	}
	return arg;
}

void *locking(void *arg)
{
	static pthread_mutex_t mine = PTHREAD_MUTEX_INITIALIZER;

	begin();
	while (!stop) {
		pthread_mutex_lock(&mine);
		usleep(200);
		pthread_mutex_unlock(&mine);
	}
	return arg;
}

static void finish(void)
{
	stop = 1;
	if (write(wake[1], "1234", READERS) != READERS)
		wrong++;
	pthread_mutex_lock(&lock);
	finished = 1;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
}

int main(int argc, char **argv)
{
	void *(*const other[OTHERS])(void *) = { sleeping, computing, locking };
	pthread_t thread[THREADS];
	char line[8];

	if (argc != 2 || pipe(wake))
		return 2;
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL,
				   i < READERS		   ? blocked_in_read
				   : i < READERS + WAITERS ? blocked_in_cond
							   : other[i - READERS - WAITERS],
				   NULL))
			return perror("crowd: pthread_create"), 1;
	pthread_mutex_lock(&lock);
	while (started < THREADS)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	printf("ready\n");
	fflush(stdout);

	int fd = open(argv[1], O_RDONLY);

	if (fd < 0 || read(fd, line, sizeof(line)) <= 0)
		return perror(argv[1]), 1;
	finish();
	for (int i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	printf("result: %ld read, %ld woken, %ld wrong\n", bytes, woken, wrong);
	return wrong != 0;
}

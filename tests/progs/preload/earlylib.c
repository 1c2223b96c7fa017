/* A library that works before our constructor may have run, and after our last word: it reads,
 * polls, locks and makes threads in its constructor and in its destructor.
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static int fds[2];

static void *body(void *arg)
{
	char c;

	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
	return read(fds[0], &c, 1) == 1 ? arg : NULL;
}

/* An allocator with a lock, as jemalloc's: its first call, from who works before our constructor or
 * from the loader itself, asks for functions of the table that nobody has asked for yet. */
extern void *__libc_calloc(size_t n, size_t size);

static pthread_mutex_t heap = PTHREAD_MUTEX_INITIALIZER;

void *calloc(size_t n, size_t size)
{
	void *p;

	if (pthread_mutex_trylock(&heap))
		pthread_mutex_lock(&heap);
	p = __libc_calloc(n, size);
	pthread_mutex_unlock(&heap);
	return p;
}

static void work(const char *when)
{
	pthread_t t;
	void *res = NULL;
	char c = 0;

	if (pipe(fds) < 0 || write(fds[1], "a", 1) != 1 || read(fds[0], &c, 1) != 1)
		c = '?';
	poll(NULL, 0, 1);
	pthread_mutex_lock(&mutex);
	pthread_create(&t, NULL, body, fds);
	usleep(1000);
	pthread_mutex_unlock(&mutex);
	if (write(fds[1], "b", 1) != 1)
		c = '?';
	pthread_join(t, &res);
	close(fds[0]);
	close(fds[1]);
	dprintf(1, "%s: %c %s\n", when, c, res == fds ? "joined" : "lost");
}

__attribute__((constructor)) static void early(void)
{
	work("constructor");
}

__attribute__((destructor)) static void late(void)
{
	work("destructor");
}

void early_call(void);
void early_call(void)
{
	work("called");
}

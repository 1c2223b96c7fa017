/* Another library that stands before libc's functions, one of which has two versions there: as
 * usual it says no version itself.  At the end it tells whether the program's calls came through.
 * As tools do that know each thread, it makes calls in a new one before the program's function, and
 * who creates it waits for that.
 */
#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

static int polls, waits;

int poll(struct pollfd *fds, nfds_t n, int timeout)
{
	int (*next)(struct pollfd *, nfds_t, int) =
		(int (*)(struct pollfd *, nfds_t, int))dlsym(RTLD_NEXT, "poll");

	__atomic_add_fetch(&polls, 1, __ATOMIC_RELAXED);
	return next(fds, n, timeout);
}

int pthread_cond_timedwait(pthread_cond_t *c, pthread_mutex_t *m, const struct timespec *end)
{
	int (*next)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *) =
		(int (*)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *))dlvsym(
			RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");

	__atomic_add_fetch(&waits, 1, __ATOMIC_RELAXED);
	return next(c, m, end);
}

struct birth {
	void *(*start)(void *);
	void *arg;
	sem_t known;
};

static void *ahead(void *arg)
{
	struct birth *b = arg;
	void *(*start)(void *) = b->start;

	arg = b->arg;
	usleep(1);
	sem_post(&b->known);
	return start(arg);
}

int pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*start)(void *), void *arg)
{
	int (*next)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
		(int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *),
			 void *))dlsym(RTLD_NEXT, "pthread_create");
	struct birth b = { .start = start, .arg = arg };
	int err;

	sem_init(&b.known, 0, 0);
	err = next(t, attr, ahead, &b);
	if (!err)
		sem_wait(&b.known);
	return err;
}

__attribute__((destructor)) static void tell(void)
{
	dprintf(1, "poll: %d, pthread_cond_timedwait: %d\n", polls, waits);
}

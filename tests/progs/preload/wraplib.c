/* Another library that stands before libc's functions, one of which has two versions there: as
 * usual it says no version itself.  At the end it tells whether the program's calls came through.
 */
#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
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

__attribute__((destructor)) static void tell(void)
{
	dprintf(1, "poll: %d, pthread_cond_timedwait: %d\n", polls, waits);
}

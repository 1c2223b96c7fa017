/*
 * Birth and end of short-lived threads, all of them counted.
 *
 * However a thread ends (return, pthread_exit, cancellation), its outermost cleanup handler writes
 * THREADS and DETACHED, and the destructor of a thread-specific value writes TSD. The number alive
 * is limited: an operation that may not create threads now does something else.
 */
#include "stress.h"

#include <stdlib.h>

struct start {
	void *(*fn)(void *);
	void *arg;
	struct rng rng;
	bool detached;
};

static _Atomic unsigned live;
static unsigned live_max;
static pthread_key_t key;
static _Atomic uint64_t births;

unsigned threads_live(void)
{
	return live;
}

static void tsd_gone(void *p)
{
	free(p);
	took(LAW_TSD, 1);
}

static void *leaves(void *arg)
{
	pthread_exit(arg);
}

/*
 * libc loads its unwinder when the first thread exits by call or is cancelled.  A child that is
 * forked meanwhile finds it half loaded, and its own pthread_exit() aborts: so it does natively.
 */
static void load_unwinder(void)
{
	pthread_t t;

	MUST(pthread_create(&t, NULL, leaves, NULL) == 0 && pthread_join(t, NULL) == 0);
}

void threads_init(unsigned limit)
{
	live_max = limit;
	MUST(pthread_key_create(&key, tsd_gone) == 0);
	load_unwinder();
}

static void ended(void *arg)
{
	struct start *s = arg;
	bool detached = s->detached;

	free(s);
	atomic_fetch_sub(&live, 1);
	took(LAW_THREADS, 1);
	if (detached)
		took(LAW_DETACHED, 1);
	step();
}

static void *begin(void *arg)
{
	struct start *s = arg;
	void *ret;
	void *value = malloc(16);

	self.rng = s->rng;
	if (value && pthread_setspecific(key, value) == 0)
		gave(LAW_TSD, 1);
	else
		free(value);
	pthread_cleanup_push(ended, s);
	ret = s->fn(s->arg);
	pthread_cleanup_pop(1);
	return ret;
}

static bool launch(pthread_t *t, void *(*fn)(void *), void *arg, bool detached)
{
	struct start *s;
	pthread_attr_t attr;
	int rc;

	if (atomic_fetch_add(&live, 1) >= live_max || !(s = malloc(sizeof(*s)))) {
		atomic_fetch_sub(&live, 1);
		return false;
	}
	*s = (struct start){ fn, arg, derive(config.seed, ~atomic_fetch_add(&births, 1)),
			     detached };
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 256 * 1024);
	if (detached)
		pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	gave(LAW_THREADS, 1);
	gave(detached ? LAW_DETACHED : LAW_JOINS, 1);
	rc = PT(pthread_create(t, &attr, begin, s));
	pthread_attr_destroy(&attr);
	if (rc == 0)
		return true;
	if (rc != EAGAIN)
		bad("pthread_create: error %d", rc);
	gave(LAW_THREADS, -1);
	gave(detached ? LAW_DETACHED : LAW_JOINS, -1);
	atomic_fetch_sub(&live, 1);
	free(s);
	return false;
}

bool spawn(pthread_t *t, void *(*fn)(void *), void *arg)
{
	return launch(t, fn, arg, false);
}

bool spawn_detached(void *(*fn)(void *), void *arg)
{
	pthread_t t;

	return launch(&t, fn, arg, true);
}

void *join(pthread_t t)
{
	void *ret = NULL;

	if (PT(pthread_join(t, &ret)) == 0)
		took(LAW_JOINS, 1);
	else
		bad("pthread_join failed");
	return ret;
}

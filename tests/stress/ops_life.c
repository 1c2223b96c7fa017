/*
 * Operations on the lives of threads: created, joined in any order, detached, leaving by
 * pthread_exit from deep inside, trees of them, joins with a time limit.
 *
 * The threads do leaf operations meanwhile: ones that create nobody.
 */
#include "stress.h"

#include <stdlib.h>

static void leaf(struct rng *r)
{
	static void (*const fns[])(struct rng *) = {
		op_pipe, op_stream, op_cond,  op_sem,	op_mutex,   op_rwlock,
		op_nap,	 op_memory, op_futex, op_stdio, op_eventfd, op_yield,
	};

	fns[below(r, sizeof(fns) / sizeof(fns[0]))](r);
}

static void on_exit_path(void *arg)
{
	(void)arg;
	took(LAW_CLEANUPS, 1);
}

static void leave(int depth);
static void (*volatile deeper)(int) = leave; /* so that the compiler leaves the levels alone */

/* Never comes back: pthread_exit, through one cleanup handler a level. */
static void leave(int depth)
{
	gave(LAW_CLEANUPS, 1);
	pthread_cleanup_push(on_exit_path, NULL);
	if (depth <= 0)
		pthread_exit((void *)0x77);
	deeper(depth - 1);
	pthread_cleanup_pop(1);
}

static void *body(void *arg)
{
	(void)arg;
	if (chance(&self.rng, 60))
		leaf(&self.rng);
	else
		dawdle(&self.rng);
	if (chance(&self.rng, 30))
		leave(below(&self.rng, 4));
	return (void *)0x77;
}

void op_create(struct rng *r)
{
	pthread_t t[16];
	int n = 0, want = within(r, 1, chance(r, 20) ? 16 : 3);

	while (n < want && spawn(&t[n], body, NULL))
		n++;
	dawdle(r);
	while (n > 0) {
		int i = below(r, n);

		MUST(join(t[i]) == (void *)0x77);
		t[i] = t[--n];
	}
}

static void *late_detach(void *arg)
{
	gave(LAW_DETACHED, 1);
	took(LAW_JOINS, 1);
	MUST(pthread_detach(pthread_self()) == 0);
	body(arg);
	return NULL;
}

static void *late_detach_outer(void *arg);

void op_detach(struct rng *r)
{
	pthread_t t;

	if (chance(r, 70)) {
		for (int n = within(r, 1, 4); n; n--)
			spawn_detached(body, NULL);
	} else {
		spawn(&t, late_detach_outer, NULL);
	}
	step();
}

static void detached_ended(void *arg)
{
	(void)arg;
	took(LAW_DETACHED, 1);
}

/* A thread that detaches itself: from then on it is counted among the detached. */
static void *late_detach_outer(void *arg)
{
	pthread_cleanup_push(detached_ended, NULL);
	late_detach(arg);
	pthread_cleanup_pop(1);
	return NULL;
}

static void *branch(void *arg)
{
	intptr_t depth = (intptr_t)arg;
	pthread_t t[2];
	int n = 0;

	dawdle(&self.rng);
	while (depth > 0 && n < 2 && spawn(&t[n], branch, (void *)(depth - 1)))
		n++;
	while (n > 0)
		join(t[--n]);
	return NULL;
}

void op_tree(struct rng *r)
{
	pthread_t t;

	if (spawn(&t, branch, (void *)(intptr_t)within(r, 0, 3)))
		join(t);
}

void op_timedjoin(struct rng *r)
{
	struct timespec ts;
	pthread_t t;
	void *ret = NULL;
	int rc, how = below(r, 3);

	if (!spawn(&t, body, NULL))
		return;
	do {
		if (how == 0) {
			ts = ts_of(clock_ns(CLOCK_REALTIME) + 2000000);
			rc = PT(pthread_timedjoin_np(t, &ret, &ts));
		} else if (how == 1) {
			ts = ts_of(now_ns() + 2000000);
			rc = PT(pthread_clockjoin_np(t, &ret, CLOCK_MONOTONIC, &ts));
		} else {
			rc = PT(pthread_tryjoin_np(t, &ret));
			if (rc == EBUSY)
				nap(500000);
		}
	} while (rc == ETIMEDOUT || rc == EBUSY);
	MUST(rc == 0 && ret == (void *)0x77);
	took(LAW_JOINS, 1);
}

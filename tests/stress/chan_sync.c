/*
 * Channels made of memory: POSIX semaphores, bounded queues with pthread and C11 condition
 * variables, and a semaphore of our own on the bare futex call.
 */
#include "chan.h"

#include <limits.h>
#include <linux/futex.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <threads.h>

/* ---- semaphores ---- */

static bool sem_make(struct chan *c)
{
	c->p = calloc(1, sizeof(sem_t));
	return c->p && sem_init(c->p, 0, 0) == 0;
}

static void sem_put(struct chan *c, struct rng *r, const struct msg *m)
{
	(void)r, (void)m;
	MUST(sem_post(c->p) == 0);
}

/* sem_timedwait and sem_clockwait are not restarted on Linux, whatever signal(7) says. */
static void sem_get(struct chan *c, struct rng *r, struct msg *m)
{
	struct timespec ts;
	int how = below(r, 10);

	(void)m;
	if (how < 5) {
		MUST(WAIT(sem_wait(c->p)) == 0);
	} else if (how < 7) {
		do
			ts = ts_of(clock_ns(CLOCK_REALTIME) + 3000000);
		while (WAITX(sem_timedwait(c->p, &ts)) && errno == ETIMEDOUT);
	} else if (how < 8) {
		do
			ts = ts_of(now_ns() + 3000000);
		while (WAITX(sem_clockwait(c->p, CLOCK_MONOTONIC, &ts)) && errno == ETIMEDOUT);
	} else {
		while (sem_trywait(c->p)) {
			MUST(errno == EAGAIN);
			nap(200000);
		}
	}
}

static bool sem_rest(struct chan *c, struct msg *m)
{
	(void)m;
	return sem_trywait(c->p) == 0;
}

static void mem_close(struct chan *c)
{
	free(c->p);
}

const struct kind kind_sem = { "sem",	LAW_SEM, 100,	   0,	     sem_make,
			       sem_put, sem_get, sem_rest, mem_close };
const struct kind kind_sigsem = { "sigsem", LAW_SIGSEM, 100,	  0,	    sem_make,
				  sem_put,  sem_get,	sem_rest, mem_close };

/* ---- bounded queues ---- */

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled, drained;
	mtx_t mtx;
	cnd_t cfilled, cdrained;
	int head, count, cap;
	bool monotonic;
	char slot[][CHAN_MSG];
};

static bool queue_make(struct chan *c)
{
	struct queue *q = calloc(1, sizeof(*q) + c->cap * CHAN_MSG);
	pthread_condattr_t attr;

	if (!q)
		return false;
	c->p = q;
	q->cap = c->cap;
	q->monotonic = c->index % 2;
	pthread_condattr_init(&attr);
	if (q->monotonic)
		pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->filled, &attr);
	pthread_cond_init(&q->drained, &attr);
	mtx_init(&q->mtx, mtx_timed);
	cnd_init(&q->cfilled);
	cnd_init(&q->cdrained);
	return true;
}

static void queue_put(struct queue *q, const struct msg *m)
{
	MUST(q->count < q->cap);
	memcpy(q->slot[(q->head + q->count++) % q->cap], m->buf, CHAN_MSG);
}

static void queue_get(struct queue *q, struct msg *m)
{
	MUST(q->count > 0);
	memcpy(m->buf, q->slot[q->head], CHAN_MSG);
	q->head = (q->head + 1) % q->cap;
	q->count--;
}

static void cond_sleep(struct queue *q, pthread_cond_t *cond, struct rng *r)
{
	clockid_t clock = q->monotonic ? CLOCK_MONOTONIC : CLOCK_REALTIME;
	struct timespec ts;
	int rc, how = below(r, 4);

	if (how == 0) {
		ts = ts_of(clock_ns(clock) + 4000000);
		rc = PT(pthread_cond_timedwait(cond, &q->lock, &ts));
	} else if (how == 1) {
		ts = ts_of(now_ns() + 4000000);
		rc = PT(pthread_cond_clockwait(cond, &q->lock, CLOCK_MONOTONIC, &ts));
	} else {
		rc = PT(pthread_cond_wait(cond, &q->lock));
	}
	MUST(rc == 0 || (how < 2 && rc == ETIMEDOUT));
}

static void cond_put(struct chan *c, struct rng *r, const struct msg *m)
{
	struct queue *q = c->p;
	bool inside = chance(r, 50);

	MUST(PT(pthread_mutex_lock(&q->lock)) == 0);
	while (q->count == q->cap)
		cond_sleep(q, &q->drained, r);
	queue_put(q, m);
	if (inside)
		pthread_cond_signal(&q->filled);
	MUST(pthread_mutex_unlock(&q->lock) == 0);
	if (!inside)
		pthread_cond_broadcast(&q->filled);
}

static void cond_get(struct chan *c, struct rng *r, struct msg *m)
{
	struct queue *q = c->p;

	MUST(PT(pthread_mutex_lock(&q->lock)) == 0);
	while (q->count == 0)
		cond_sleep(q, &q->filled, r);
	queue_get(q, m);
	pthread_cond_signal(&q->drained);
	MUST(pthread_mutex_unlock(&q->lock) == 0);
}

static bool queue_rest(struct chan *c, struct msg *m)
{
	struct queue *q = c->p;

	if (q->count == 0)
		return false;
	queue_get(q, m);
	return true;
}

const struct kind kind_cond = { "cond",	  LAW_COND, 20,		CHAN_MSG, queue_make,
				cond_put, cond_get, queue_rest, mem_close };

/* ---- the same with C11 ---- */

static void cnd_sleep(struct queue *q, cnd_t *cnd, struct rng *r)
{
	struct timespec ts = ts_of(clock_ns(CLOCK_REALTIME) + 4000000);
	int rc;

	rc = chance(r, 30) ? cnd_timedwait(cnd, &q->mtx, &ts) : cnd_wait(cnd, &q->mtx);
	step();
	MUST(rc == thrd_success || rc == thrd_timedout);
}

static void mtx_take(mtx_t *mtx, struct rng *r)
{
	struct timespec ts;
	int rc;

	if (chance(r, 70)) {
		MUST(mtx_lock(mtx) == thrd_success);
		return;
	}
	do {
		ts = ts_of(clock_ns(CLOCK_REALTIME) + 2000000);
		rc = mtx_timedlock(mtx, &ts);
	} while (rc == thrd_timedout);
	MUST(rc == thrd_success);
}

static void cnd_put(struct chan *c, struct rng *r, const struct msg *m)
{
	struct queue *q = c->p;

	mtx_take(&q->mtx, r);
	while (q->count == q->cap)
		cnd_sleep(q, &q->cdrained, r);
	queue_put(q, m);
	cnd_signal(&q->cfilled);
	mtx_unlock(&q->mtx);
}

static void cnd_get(struct chan *c, struct rng *r, struct msg *m)
{
	struct queue *q = c->p;

	mtx_take(&q->mtx, r);
	while (q->count == 0)
		cnd_sleep(q, &q->cfilled, r);
	queue_get(q, m);
	cnd_broadcast(&q->cdrained);
	mtx_unlock(&q->mtx);
}

const struct kind kind_cnd = { "cnd",	LAW_CND, 20,	     CHAN_MSG, queue_make,
			       cnd_put, cnd_get, queue_rest, mem_close };

/* ---- a semaphore on the bare futex ---- */

static bool futex_make(struct chan *c)
{
	c->p = calloc(1, sizeof(uint32_t));
	return c->p != NULL;
}

static bool futex_try(_Atomic uint32_t *word)
{
	uint32_t v = *word;

	while (v > 0)
		if (atomic_compare_exchange_weak(word, &v, v - 1))
			return true;
	return false;
}

static void futex_put(struct chan *c, struct rng *r, const struct msg *m)
{
	(void)r, (void)m;
	atomic_fetch_add((_Atomic uint32_t *)c->p, 1);
	syscall(SYS_futex, c->p, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void futex_get(struct chan *c, struct rng *r, struct msg *m)
{
	struct timespec ts = { 0, 5000000 };

	(void)m;
	while (!futex_try(c->p)) {
		long rc;

		if (chance(r, 50))
			rc = WAIT(syscall(SYS_futex, c->p, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
		else
			rc = WAITX(syscall(SYS_futex, c->p, FUTEX_WAIT_PRIVATE, 0, &ts, NULL, 0));
		MUST(rc == 0 || errno == EAGAIN || errno == ETIMEDOUT);
	}
}

static bool futex_rest(struct chan *c, struct msg *m)
{
	(void)m;
	return futex_try(c->p);
}

const struct kind kind_futex = { "futex",   LAW_FUTEX, 100,	   0,	     futex_make,
				 futex_put, futex_get, futex_rest, mem_close };

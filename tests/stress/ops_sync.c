/*
 * Operations on locks. A shared lock protects a plain counter; under it a thread may yield, burn or
 * sleep for a moment, never wait for another lock. The counters are compared with the increments.
 *
 * Barriers, broadcast gates and pthread_once need company that is sure to come: the operation
 * creates it, and takes as many as it gets.
 */
#include "stress.h"

#include <sched.h>
#include <semaphore.h>
#include <stdlib.h>

#define MUTEXES 8
#define SPINS 3
#define RWS 3
#define CROWD 12

static struct {
	pthread_mutex_t lock;
	uint64_t count;
} mutexes[MUTEXES];

static struct {
	pthread_spinlock_t lock;
	uint64_t count;
} spins[SPINS];

static struct {
	pthread_rwlock_t lock;
	volatile uint64_t a, b; /* always equal outside the write lock */
} rws[RWS];

/* Plain, recursive, error-checking, adaptive, priority-inheriting, robust: each twice or once. */
bool sync_init(void)
{
	static const int types[MUTEXES] = {
		PTHREAD_MUTEX_NORMAL,	   PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_ERRORCHECK,
		PTHREAD_MUTEX_ADAPTIVE_NP, PTHREAD_MUTEX_NORMAL,    PTHREAD_MUTEX_NORMAL,
		PTHREAD_MUTEX_NORMAL,	   PTHREAD_MUTEX_NORMAL,
	};

	for (int i = 0; i < MUTEXES; i++) {
		pthread_mutexattr_t attr;

		pthread_mutexattr_init(&attr);
		pthread_mutexattr_settype(&attr, types[i]);
		if (i == 4)
			pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
		if (i == 5)
			pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
		if (pthread_mutex_init(&mutexes[i].lock, &attr))
			pthread_mutex_init(&mutexes[i].lock, NULL);
	}
	for (int i = 0; i < SPINS; i++)
		pthread_spin_init(&spins[i].lock, PTHREAD_PROCESS_PRIVATE);
	for (int i = 0; i < RWS; i++) {
		pthread_rwlockattr_t attr;

		pthread_rwlockattr_init(&attr);
		if (i == 1)
			pthread_rwlockattr_setkind_np(&attr,
						      PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
		pthread_rwlock_init(&rws[i].lock, &attr);
	}
	return true;
}

void sync_settle(void)
{
	for (int i = 0; i < MUTEXES; i++)
		took(LAW_MUTEX, mutexes[i].count);
	for (int i = 0; i < SPINS; i++)
		took(LAW_SPIN, spins[i].count);
	for (int i = 0; i < RWS; i++) {
		took(LAW_RWLOCK, rws[i].a);
		if (rws[i].a != rws[i].b)
			bad("rwlock %d: %llu and %llu differ", i, (unsigned long long)rws[i].a,
			    (unsigned long long)rws[i].b);
	}
}

/* Inside a lock: mostly nothing, sometimes long enough for everybody to pile up. */
static void linger(struct rng *r)
{
	unsigned x = below(r, 100);

	if (x < 10)
		sched_yield();
	else if (x < 20)
		burn(within(r, 1, 100));
	else if (x < 28)
		nap(within(r, 1000, 1000000));
	else if (x < 29)
		burn(within(r, 1000, 12000));
}

static void mutex_take(pthread_mutex_t *m, struct rng *r)
{
	struct timespec ts;
	int how = below(r, 10), rc;

	if (how < 7) {
		MUST(PT(pthread_mutex_lock(m)) == 0);
	} else if (how == 7) {
		while ((rc = pthread_mutex_trylock(m)) == EBUSY)
			nap(100000);
		MUST(rc == 0);
	} else {
		do {
			bool real = how == 8;

			ts = ts_of(clock_ns(real ? CLOCK_REALTIME : CLOCK_MONOTONIC) + 2000000);
			rc = real ? pthread_mutex_timedlock(m, &ts)
				  : pthread_mutex_clocklock(m, CLOCK_MONOTONIC, &ts);
			/* A PI mutex knows no monotonic clock in this libc. */
			if (rc == EINVAL && !real)
				how = 8;
		} while (rc == ETIMEDOUT || (rc == EINVAL && how == 8));
		MUST(rc == 0);
	}
}

void op_mutex(struct rng *r)
{
	int i = below(r, MUTEXES);

	for (int n = within(r, 1, 8); n; n--) {
		uint64_t before;

		mutex_take(&mutexes[i].lock, r);
		before = mutexes[i].count;
		linger(r);
		mutexes[i].count = before + 1;
		gave(LAW_MUTEX, 1);
		MUST(pthread_mutex_unlock(&mutexes[i].lock) == 0);
		step();
	}
}

void op_spinlock(struct rng *r)
{
	int i = below(r, SPINS);

	if (!burn_begin(r))
		return;
	for (int n = within(r, 1, 20); n; n--) {
		uint64_t before;

		pthread_spin_lock(&spins[i].lock);
		before = spins[i].count;
		burn(below(r, 20));
		spins[i].count = before + 1;
		pthread_spin_unlock(&spins[i].lock);
		gave(LAW_SPIN, 1);
		step();
	}
	burn_end();
}

static void rw_read(int i, struct rng *r)
{
	struct timespec ts;
	uint64_t a;
	int rc;

	if (chance(r, 70)) {
		MUST(PT(pthread_rwlock_rdlock(&rws[i].lock)) == 0);
	} else {
		do {
			ts = ts_of(clock_ns(CLOCK_REALTIME) + 2000000);
			rc = pthread_rwlock_timedrdlock(&rws[i].lock, &ts);
		} while (rc == ETIMEDOUT);
		MUST(rc == 0);
	}
	a = rws[i].a;
	linger(r);
	if (a != rws[i].b)
		bad("rwlock %d: a reader saw a write half done", i);
	MUST(pthread_rwlock_unlock(&rws[i].lock) == 0);
}

static void rw_write(int i, struct rng *r)
{
	struct timespec ts;
	int rc;

	if (chance(r, 70)) {
		MUST(PT(pthread_rwlock_wrlock(&rws[i].lock)) == 0);
	} else {
		do {
			ts = ts_of(clock_ns(CLOCK_REALTIME) + 2000000);
			rc = pthread_rwlock_timedwrlock(&rws[i].lock, &ts);
		} while (rc == ETIMEDOUT);
		MUST(rc == 0);
	}
	rws[i].a++;
	linger(r);
	rws[i].b++;
	gave(LAW_RWLOCK, 1);
	MUST(pthread_rwlock_unlock(&rws[i].lock) == 0);
}

void op_rwlock(struct rng *r)
{
	int i = below(r, RWS);

	if (chance(r, 70))
		rw_read(i, r);
	else
		rw_write(i, r);
	step();
}

/* ---- crowds ---- */

struct crowd {
	pthread_barrier_t barrier;
	pthread_mutex_t lock;
	pthread_cond_t open;
	pthread_once_t once;
	sem_t ready;
	_Atomic int size; /* how many take part: known when all are created */
	int rounds, opened, initialised;
	_Atomic int serial, arrived;
	_Atomic uint64_t seeds;
};

static void crowd_wait_size(struct crowd *c)
{
	MUST(WAIT(sem_wait(&c->ready)) == 0);
}

/* Creates up to `want` threads; those that exist are told so. Returns their number. */
static int crowd_gather(struct crowd *c, pthread_t *t, int want, void *(*fn)(void *))
{
	int n = 0;

	sem_init(&c->ready, 0, 0);
	while (n < want && spawn(&t[n], fn, c))
		n++;
	c->size = n;
	return n;
}

static void crowd_go(struct crowd *c)
{
	for (int i = 0; i < c->size; i++)
		MUST(sem_post(&c->ready) == 0);
}

static void barrier_rounds(struct crowd *c, struct rng *r)
{
	for (int i = 0; i < c->rounds; i++) {
		int rc;

		dawdle(r);
		rc = PT(pthread_barrier_wait(&c->barrier));
		if (rc == PTHREAD_BARRIER_SERIAL_THREAD)
			took(LAW_BARRIER, 1);
		else
			MUST(rc == 0);
	}
}

static void *barrier_member(void *arg)
{
	struct crowd *c = arg;

	crowd_wait_size(c);
	barrier_rounds(c, &self.rng);
	return NULL;
}

void op_barrier(struct rng *r)
{
	struct crowd c = { .rounds = within(r, 1, 5) };
	pthread_t t[CROWD];
	int n = crowd_gather(&c, t, within(r, 1, CROWD), barrier_member);

	pthread_barrier_init(&c.barrier, NULL, n + 1);
	crowd_go(&c);
	barrier_rounds(&c, r);
	gave(LAW_BARRIER, c.rounds);
	for (int i = 0; i < n; i++)
		join(t[i]);
	pthread_barrier_destroy(&c.barrier);
}

static void *gate_member(void *arg)
{
	struct crowd *c = arg;

	MUST(PT(pthread_mutex_lock(&c->lock)) == 0);
	c->arrived++;
	while (!c->opened)
		PT(pthread_cond_wait(&c->open, &c->lock));
	MUST(pthread_mutex_unlock(&c->lock) == 0);
	took(LAW_GATE, 1);
	return NULL;
}

/* A crowd waits on one condition; a broadcast lets it through; the condition is destroyed after. */
void op_gate(struct rng *r)
{
	struct crowd c = { .lock = PTHREAD_MUTEX_INITIALIZER, .open = PTHREAD_COND_INITIALIZER };
	pthread_t t[CROWD];
	int n = crowd_gather(&c, t, within(r, 1, CROWD), gate_member);

	dawdle(r);
	MUST(PT(pthread_mutex_lock(&c.lock)) == 0);
	c.opened = 1;
	gave(LAW_GATE, n);
	PT(pthread_cond_broadcast(&c.open));
	MUST(pthread_mutex_unlock(&c.lock) == 0);
	if (chance(r, 50))
		PT(pthread_cond_destroy(&c.open)); /* waits for those who are still leaving */
	for (int i = 0; i < n; i++)
		join(t[i]);
}

static __thread struct crowd *once_crowd;

static void once_init(void)
{
	once_crowd->initialised++;
	nap(within(&self.rng, 1000, 3000000));
}

static void *once_member(void *arg)
{
	struct crowd *c = arg;

	once_crowd = c;
	MUST(pthread_once(&c->once, once_init) == 0);
	MUST(c->initialised == 1);
	step();
	return NULL;
}

void op_once(struct rng *r)
{
	struct crowd c = { .once = PTHREAD_ONCE_INIT };
	pthread_t t[CROWD];
	int n = crowd_gather(&c, t, within(r, 1, CROWD), once_member);

	once_member(&c);
	for (int i = 0; i < n; i++)
		join(t[i]);
}

/* ---- only time ends these ---- */

void op_sync_timeout(struct rng *r)
{
	uint64_t ns = within(r, 1000, 8000000), start = now_ns();
	struct timespec ts = ts_of(start + ns);
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t c = PTHREAD_COND_INITIALIZER;
	struct mark before = mark();
	sem_t s;
	int rc;

	if (chance(r, 50)) {
		pthread_mutex_lock(&m);
		do
			rc = PT(pthread_cond_clockwait(&c, &m, CLOCK_MONOTONIC, &ts));
		while (rc == 0);
		pthread_mutex_unlock(&m);
		MUST(rc == ETIMEDOUT);
		not_early(start, ns, "pthread_cond_clockwait");
		return;
	}
	sem_init(&s, 0, 0);
	rc = sem_clockwait(&s, CLOCK_MONOTONIC, &ts);
	MUST(rc == -1 && (errno == ETIMEDOUT || errno == EINTR));
	if (errno == EINTR)
		eintr_seen(before, EINTR_HANDLER, "sem_clockwait");
	else
		not_early(start, ns, "sem_clockwait");
	step();
}

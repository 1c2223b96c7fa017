/* Rows: pthread locks, conditions, semaphores, barriers, joins.
 *
 * The objects are shared between processes, so that the agent, which is not under the cap, holds
 * and releases them: what a case then shows is how the caller was treated.  Joins and the old
 * condition variables live inside one process; their other side is the local thread.
 */
#include "tests/progs/preload/rows.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "tests/support/wait.h"

/* --- mutexes --- */

static void hold_mutex(struct st *s)
{
	must(pthread_mutex_lock(&s->mutex) == 0, "hold the mutex");
}
static void release_mutex(struct st *s)
{
	must(pthread_mutex_unlock(&s->mutex) == 0, "release the mutex");
}
/* After the call: do we own it?  An errorcheck mutex says. */
static long owned(struct st *s, long r)
{
	s->extra = pthread_mutex_unlock(&s->mutex);
	return r;
}
static long call_mutex_lock(struct st *s)
{
	FN(int, pthread_mutex_t *);
	return owned(s, fn(&s->mutex));
}
static long fail_mutex_lock(struct st *s)
{
	FN(int, pthread_mutex_t *);
	pthread_mutexattr_t a;
	pthread_mutex_t m;
	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&m, &a);
	s->extra = fn(&m);
	return fn(&m);
}
ROW(pthread_mutex_lock, 0, .setup = setup_shared_sync, .hold = hold_mutex, .call = call_mutex_lock,
    .release = release_mutex, .fail = fail_mutex_lock);

static long call_mutex_timedlock(struct st *s)
{
	FN(int, pthread_mutex_t *, const struct timespec *);
	struct timespec t = abs_time(s, CLOCK_REALTIME);
	return owned(s, fn(&s->mutex, &t));
}
static long fail_mutex_timedlock(struct st *s)
{
	FN(int, pthread_mutex_t *, const struct timespec *);
	struct timespec t = { 0, -1 };
	return fn(&s->mutex, &t);
}
ROW(pthread_mutex_timedlock, TIMED, .setup = setup_shared_sync, .hold = hold_mutex,
    .call = call_mutex_timedlock, .release = release_mutex, .fail = fail_mutex_timedlock);

static long call_mutex_clocklock(struct st *s)
{
	FN(int, pthread_mutex_t *, clockid_t, const struct timespec *);
	struct timespec t = abs_time(s, CLOCK_MONOTONIC);
	return owned(s, fn(&s->mutex, CLOCK_MONOTONIC, &t));
}
static long fail_mutex_clocklock(struct st *s)
{
	FN(int, pthread_mutex_t *, clockid_t, const struct timespec *);
	pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
	struct timespec t = { 0, 0 };
	s->extra = fn(&m, CLOCK_MONOTONIC, &t); /* free: no time is needed */
	return fn(&m, CLOCK_PROCESS_CPUTIME_ID, &t);
}
ROW(pthread_mutex_clocklock, TIMED, .setup = setup_shared_sync, .hold = hold_mutex,
    .call = call_mutex_clocklock, .release = release_mutex, .fail = fail_mutex_clocklock);

static void setup_spin(struct st *s)
{
	pthread_spin_init(&s->spin, PTHREAD_PROCESS_SHARED);
}
static void hold_spin(struct st *s)
{
	pthread_spin_lock(&s->spin);
}
static void release_spin(struct st *s)
{
	pthread_spin_unlock(&s->spin);
}
static long call_spin(struct st *s)
{
	FN(int, pthread_spinlock_t *);
	long r = fn(&s->spin);
	s->extra = pthread_spin_unlock(&s->spin);
	return r;
}
ROW(pthread_spin_lock, SPINS, .setup = setup_spin, .hold = hold_spin, .call = call_spin,
    .release = release_spin);

/* --- conditions: the mutex must be held on every way out --- */

static void release_cond(struct st *s)
{
	must(pthread_mutex_lock(&s->mutex) == 0, "lock");
	must(pthread_cond_signal(&s->cond) == 0, "signal");
	must(pthread_mutex_unlock(&s->mutex) == 0, "unlock");
}
static void undo_cond(struct st *s)
{
	s->extra = pthread_mutex_unlock(&s->mutex);
}
static long call_cond_wait(struct st *s)
{
	FN(int, pthread_cond_t *, pthread_mutex_t *);
	pthread_mutex_lock(&s->mutex);
	return owned(s, fn(&s->cond, &s->mutex));
}
/* Not ours: an errorcheck mutex refuses to be released by the wait. */
static long fail_cond_wait(struct st *s)
{
	FN(int, pthread_cond_t *, pthread_mutex_t *);
	return fn(&s->cond, &s->mutex);
}
ROW(pthread_cond_wait, POINT | NO_READY, .address = (void *)pthread_cond_wait,
    .setup = setup_shared_sync, .call = call_cond_wait, .release = release_cond,
    .fail = fail_cond_wait, .undo = undo_cond);

static long call_cond_timedwait(struct st *s)
{
	FN(int, pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
	struct timespec t = abs_time(s, CLOCK_REALTIME);
	pthread_mutex_lock(&s->mutex);
	return owned(s, fn(&s->cond, &s->mutex, &t));
}
static long fail_cond_timedwait(struct st *s)
{
	FN(int, pthread_cond_t *, pthread_mutex_t *, const struct timespec *);
	struct timespec t = { 0, -1 };
	pthread_mutex_lock(&s->mutex);
	return owned(s, fn(&s->cond, &s->mutex, &t));
}
ROW(pthread_cond_timedwait, POINT | TIMED | NO_READY, .address = (void *)pthread_cond_timedwait,
    .setup = setup_shared_sync, .call = call_cond_timedwait, .release = release_cond,
    .fail = fail_cond_timedwait, .undo = undo_cond);

static long call_cond_clockwait(struct st *s)
{
	FN(int, pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);
	struct timespec t = abs_time(s, CLOCK_MONOTONIC);
	pthread_mutex_lock(&s->mutex);
	return owned(s, fn(&s->cond, &s->mutex, CLOCK_MONOTONIC, &t));
}
static long fail_cond_clockwait(struct st *s)
{
	FN(int, pthread_cond_t *, pthread_mutex_t *, clockid_t, const struct timespec *);
	struct timespec t = { 0, 0 };
	pthread_mutex_lock(&s->mutex);
	return owned(s, fn(&s->cond, &s->mutex, CLOCK_THREAD_CPUTIME_ID, &t));
}
ROW(pthread_cond_clockwait, POINT | TIMED | NO_READY, .setup = setup_shared_sync,
    .call = call_cond_clockwait, .release = release_cond, .fail = fail_cond_clockwait,
    .undo = undo_cond);

/* Programs linked before glibc 2.3.2: the object is a pointer, and another function serves it. */
extern int old_cond_wait(void *c, pthread_mutex_t *m);
extern int old_cond_timedwait(void *c, pthread_mutex_t *m, const struct timespec *t);
extern int old_cond_signal(void *c);
__asm__(".symver old_cond_wait,pthread_cond_wait@GLIBC_2.2.5");
__asm__(".symver old_cond_timedwait,pthread_cond_timedwait@GLIBC_2.2.5");
__asm__(".symver old_cond_signal,pthread_cond_signal@GLIBC_2.2.5");

static void release_old_cond(struct st *s)
{
	must(pthread_mutex_lock(&s->mutex) == 0, "lock");
	must(old_cond_signal(s->buf) == 0, "signal");
	must(pthread_mutex_unlock(&s->mutex) == 0, "unlock");
}
static long call_old_cond_wait(struct st *s)
{
	FN(int, void *, pthread_mutex_t *);
	pthread_mutex_lock(&s->mutex);
	return owned(s, fn(s->buf, &s->mutex));
}
static long fail_old_cond_wait(struct st *s)
{
	FN(int, void *, pthread_mutex_t *);
	return fn(s->buf, &s->mutex);
}
ROW(pthread_cond_wait_2_2_5, POINT | LOCAL | NO_READY, .address = (void *)old_cond_wait,
    .setup = setup_shared_sync, .call = call_old_cond_wait, .release = release_old_cond,
    .fail = fail_old_cond_wait, .undo = undo_cond);

static long call_old_cond_timedwait(struct st *s)
{
	FN(int, void *, pthread_mutex_t *, const struct timespec *);
	struct timespec t = abs_time(s, CLOCK_REALTIME);
	pthread_mutex_lock(&s->mutex);
	return owned(s, fn(s->buf, &s->mutex, &t));
}
static long fail_old_cond_timedwait(struct st *s)
{
	FN(int, void *, pthread_mutex_t *, const struct timespec *);
	struct timespec t = { 0, -1 };
	pthread_mutex_lock(&s->mutex);
	return owned(s, fn(s->buf, &s->mutex, &t));
}
ROW(pthread_cond_timedwait_2_2_5, POINT | TIMED | LOCAL | NO_READY,
    .address = (void *)old_cond_timedwait, .setup = setup_shared_sync,
    .call = call_old_cond_timedwait, .release = release_old_cond, .fail = fail_old_cond_timedwait,
    .undo = undo_cond);

/* --- rwlocks --- */

static void hold_wrlock(struct st *s)
{
	must(pthread_rwlock_wrlock(&s->rwlock) == 0, "hold the rwlock");
}
static void hold_rdlock(struct st *s)
{
	must(pthread_rwlock_rdlock(&s->rwlock) == 0, "hold the rwlock");
}
static void release_rwlock(struct st *s)
{
	must(pthread_rwlock_unlock(&s->rwlock) == 0, "release the rwlock");
}
static long rw_owned(struct st *s, long r)
{
	s->extra = r == 0 ? pthread_rwlock_unlock(&s->rwlock) : -1;
	return r;
}
static long call_rwlock(struct st *s)
{
	FN(int, pthread_rwlock_t *);
	return rw_owned(s, fn(&s->rwlock));
}
static long fail_rwlock(struct st *s)
{
	FN(int, pthread_rwlock_t *);
	pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;
	pthread_rwlock_wrlock(&l);
	return fn(&l);
}
ROW(pthread_rwlock_rdlock, 0, .setup = setup_shared_sync, .hold = hold_wrlock, .call = call_rwlock,
    .release = release_rwlock, .fail = fail_rwlock);
ROW(pthread_rwlock_wrlock, 0, .setup = setup_shared_sync, .hold = hold_rdlock, .call = call_rwlock,
    .release = release_rwlock, .fail = fail_rwlock);

static long call_rwlock_timed(struct st *s)
{
	FN(int, pthread_rwlock_t *, const struct timespec *);
	struct timespec t = abs_time(s, CLOCK_REALTIME);
	return rw_owned(s, fn(&s->rwlock, &t));
}
static long fail_rwlock_timed(struct st *s)
{
	FN(int, pthread_rwlock_t *, const struct timespec *);
	pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;
	struct timespec t = { 0, -1 };
	s->extra = fn(&l, &t); /* free, and the time is bad */
	return fn(&s->rwlock, &t);
}
ROW(pthread_rwlock_timedrdlock, TIMED, .setup = setup_shared_sync, .hold = hold_wrlock,
    .call = call_rwlock_timed, .release = release_rwlock, .fail = fail_rwlock_timed);
ROW(pthread_rwlock_timedwrlock, TIMED, .setup = setup_shared_sync, .hold = hold_rdlock,
    .call = call_rwlock_timed, .release = release_rwlock, .fail = fail_rwlock_timed);

static long call_rwlock_clock(struct st *s)
{
	FN(int, pthread_rwlock_t *, clockid_t, const struct timespec *);
	struct timespec t = abs_time(s, CLOCK_MONOTONIC);
	return rw_owned(s, fn(&s->rwlock, CLOCK_MONOTONIC, &t));
}
static long fail_rwlock_clock(struct st *s)
{
	FN(int, pthread_rwlock_t *, clockid_t, const struct timespec *);
	pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;
	struct timespec t = { 0, 0 };
	s->extra = fn(&l, CLOCK_THREAD_CPUTIME_ID, &t);
	return fn(&s->rwlock, 99, &t);
}
ROW(pthread_rwlock_clockrdlock, TIMED, .setup = setup_shared_sync, .hold = hold_wrlock,
    .call = call_rwlock_clock, .release = release_rwlock, .fail = fail_rwlock_clock);
ROW(pthread_rwlock_clockwrlock, TIMED, .setup = setup_shared_sync, .hold = hold_rdlock,
    .call = call_rwlock_clock, .release = release_rwlock, .fail = fail_rwlock_clock);

/* Names that the linker gives to old programs alone. */
extern int old_mutex_lock(pthread_mutex_t *m);
extern int old_rdlock(pthread_rwlock_t *l);
extern int old_wrlock(pthread_rwlock_t *l);
__asm__(".symver old_mutex_lock,__pthread_mutex_lock@GLIBC_2.2.5");
__asm__(".symver old_rdlock,__pthread_rwlock_rdlock@GLIBC_2.2.5");
__asm__(".symver old_wrlock,__pthread_rwlock_wrlock@GLIBC_2.2.5");
const struct old_name old_names[] = {
	{ "__pthread_mutex_lock", (void *)old_mutex_lock },
	{ "__pthread_rwlock_rdlock", (void *)old_rdlock },
	{ "__pthread_rwlock_wrlock", (void *)old_wrlock },
	{ NULL, NULL },
};

/* --- semaphores --- */

static void release_sem(struct st *s)
{
	must(sem_post(&s->sem) == 0, "sem_post");
}
static long sem_left(struct st *s, long r)
{
	int e = errno, v = -1;

	sem_getvalue(&s->sem, &v);
	s->extra = v;
	errno = e;
	return r;
}
static long call_sem_wait(struct st *s)
{
	FN(int, sem_t *);
	return sem_left(s, fn(&s->sem));
}
ROW(sem_wait, POINT, .setup = setup_shared_sync, .call = call_sem_wait, .release = release_sem);

static long call_sem_timedwait(struct st *s)
{
	FN(int, sem_t *, const struct timespec *);
	struct timespec t = abs_time(s, CLOCK_REALTIME);
	return sem_left(s, fn(&s->sem, &t));
}
static long fail_sem_timedwait(struct st *s)
{
	FN(int, sem_t *, const struct timespec *);
	struct timespec t = { 0, -1 };
	return fn(&s->sem, &t);
}
ROW(sem_timedwait, POINT | TIMED, .setup = setup_shared_sync, .call = call_sem_timedwait,
    .release = release_sem, .fail = fail_sem_timedwait);

static long call_sem_clockwait(struct st *s)
{
	FN(int, sem_t *, clockid_t, const struct timespec *);
	struct timespec t = abs_time(s, CLOCK_MONOTONIC);
	return sem_left(s, fn(&s->sem, CLOCK_MONOTONIC, &t));
}
static long fail_sem_clockwait(struct st *s)
{
	FN(int, sem_t *, clockid_t, const struct timespec *);
	struct timespec t = { 0, 0 };
	sem_post(&s->sem);
	return sem_left(s, fn(&s->sem, 99, &t));
}
ROW(sem_clockwait, POINT | TIMED, .setup = setup_shared_sync, .call = call_sem_clockwait,
    .release = release_sem, .fail = fail_sem_clockwait);

/* --- barrier, join --- */

static void setup_barrier(struct st *s)
{
	pthread_barrierattr_t a;

	pthread_barrierattr_init(&a);
	pthread_barrierattr_setpshared(&a, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&s->barrier, &a, 2);
}
static void release_barrier(struct st *s)
{
	pthread_barrier_wait(&s->barrier);
}
/* One of the two gets SERIAL_THREAD: either is right. */
static long call_barrier(struct st *s)
{
	FN(int, pthread_barrier_t *);
	int r = fn(&s->barrier);
	return r == PTHREAD_BARRIER_SERIAL_THREAD ? 0 : r;
}
ROW(pthread_barrier_wait, NO_READY, .setup = setup_barrier, .call = call_barrier,
    .release = release_barrier);

static long call_join(struct st *s)
{
	FN(int, pthread_t, void **);
	void *res = NULL;
	long r = fn(s->local, &res);
	s->extra = (long)res;
	return r;
}
static long fail_join(struct st *s)
{
	FN(int, pthread_t, void **);
	return fn(pthread_self(), NULL);
}
ROW(pthread_join, POINT | LOCAL | KEEPS_LOCAL, .call = call_join, .fail = fail_join);

static long call_timedjoin(struct st *s)
{
	FN(int, pthread_t, void **, const struct timespec *);
	struct timespec t = abs_time(s, CLOCK_REALTIME);
	void *res = NULL;
	long r = fn(s->local, &res, &t);
	s->extra = (long)res;
	return r;
}
static long fail_timedjoin(struct st *s)
{
	FN(int, pthread_t, void **, const struct timespec *);
	struct timespec t = { 1, 0 };
	return fn(s->local, NULL, &t);
}
ROW(pthread_timedjoin_np, POINT | TIMED | LOCAL | KEEPS_LOCAL, .call = call_timedjoin,
    .fail = fail_timedjoin);

static long call_clockjoin(struct st *s)
{
	FN(int, pthread_t, void **, clockid_t, const struct timespec *);
	struct timespec t = abs_time(s, CLOCK_MONOTONIC);
	void *res = NULL;
	long r = fn(s->local, &res, CLOCK_MONOTONIC, &t);
	s->extra = (long)res;
	return r;
}
static long fail_clockjoin(struct st *s)
{
	FN(int, pthread_t, void **, clockid_t, const struct timespec *);
	struct timespec t = { 0, 0 };
	return fn(s->local, NULL, 99, &t);
}
ROW(pthread_clockjoin_np, POINT | TIMED | LOCAL | KEEPS_LOCAL, .call = call_clockjoin,
    .fail = fail_clockjoin);

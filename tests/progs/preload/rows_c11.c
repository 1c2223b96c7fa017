/* Rows: C11 threads, whose objects do not cross processes: the other side is the local thread. */
#include "tests/progs/preload/rows.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static void setup_mtx(struct st *s)
{
	must(mtx_init(&s->mtx, mtx_timed) == thrd_success, "mtx_init");
	must(cnd_init(&s->cnd) == thrd_success, "cnd_init");
}
static void hold_mtx(struct st *s)
{
	must(mtx_lock(&s->mtx) == thrd_success, "mtx_lock");
}
static void release_mtx(struct st *s)
{
	must(mtx_unlock(&s->mtx) == thrd_success, "mtx_unlock");
}
static long mtx_owned(struct st *s, long r)
{
	if (r == thrd_success)
		s->extra = mtx_unlock(&s->mtx);
	return r;
}
static long call_mtx_lock(struct st *s)
{
	FN(int, mtx_t *);
	return mtx_owned(s, fn(&s->mtx));
}
ROW(mtx_lock, LOCAL, .setup = setup_mtx, .hold = hold_mtx, .call = call_mtx_lock,
    .release = release_mtx);

static long call_mtx_timedlock(struct st *s)
{
	FN(int, mtx_t *, const struct timespec *);
	struct timespec t = abs_time(s, CLOCK_REALTIME);
	return mtx_owned(s, fn(&s->mtx, &t));
}
static long fail_mtx_timedlock(struct st *s)
{
	FN(int, mtx_t *, const struct timespec *);
	struct timespec t = { 0, -1 };
	return fn(&s->mtx, &t);
}
ROW(mtx_timedlock, LOCAL | TIMED, .setup = setup_mtx, .hold = hold_mtx, .call = call_mtx_timedlock,
    .release = release_mtx, .fail = fail_mtx_timedlock);

static void release_cnd(struct st *s)
{
	must(mtx_lock(&s->mtx) == thrd_success, "mtx_lock");
	must(cnd_signal(&s->cnd) == thrd_success, "cnd_signal");
	must(mtx_unlock(&s->mtx) == thrd_success, "mtx_unlock");
}
static void undo_cnd(struct st *s)
{
	s->extra = mtx_unlock(&s->mtx);
}
static long call_cnd_wait(struct st *s)
{
	FN(int, cnd_t *, mtx_t *);
	mtx_lock(&s->mtx);
	long r = fn(&s->cnd, &s->mtx);
	s->extra = mtx_unlock(&s->mtx);
	return r;
}
ROW(cnd_wait, POINT | LOCAL | NO_READY, .setup = setup_mtx, .call = call_cnd_wait,
    .release = release_cnd, .undo = undo_cnd);

static long call_cnd_timedwait(struct st *s)
{
	FN(int, cnd_t *, mtx_t *, const struct timespec *);
	struct timespec t = abs_time(s, CLOCK_REALTIME);
	mtx_lock(&s->mtx);
	long r = fn(&s->cnd, &s->mtx, &t);
	s->extra = mtx_unlock(&s->mtx);
	return r;
}
static long fail_cnd_timedwait(struct st *s)
{
	FN(int, cnd_t *, mtx_t *, const struct timespec *);
	struct timespec t = { 0, -1 };
	mtx_lock(&s->mtx);
	long r = fn(&s->cnd, &s->mtx, &t);
	s->extra = mtx_unlock(&s->mtx);
	return r;
}
ROW(cnd_timedwait, POINT | LOCAL | TIMED | NO_READY, .setup = setup_mtx, .call = call_cnd_timedwait,
    .release = release_cnd, .fail = fail_cnd_timedwait, .undo = undo_cnd);

static long call_thrd_join(struct st *s)
{
	FN(int, thrd_t, int *);
	int res = 0;
	long r = fn(s->local, &res);
	s->extra = res;
	return r;
}
static long fail_thrd_join(struct st *s)
{
	FN(int, thrd_t, int *);
	return fn(thrd_current(), NULL);
}
ROW(thrd_join, POINT | LOCAL | KEEPS_LOCAL, .call = call_thrd_join, .fail = fail_thrd_join);

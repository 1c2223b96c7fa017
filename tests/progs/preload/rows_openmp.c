/* Rows: libgomp, which waits by its own futex calls: the master at the barrier that ends a parallel
 * region, one of whose workers still reads from a pipe; a lock; a critical section.
 */
#include "tests/progs/preload/rows.h"

#include <omp.h>
#include <unistd.h>

static long call_omp(struct st *s)
{
	int sum = 0;

#pragma omp parallel num_threads(2) reduction(+ : sum)
	if (omp_get_thread_num() == 1)
		sum += read(s->fd[0], s->buf, 1);
	else
		sum += 10;
	return sum;
}
ROW(openmp_barrier, UNSEEN | TWO_HOPS, .setup = setup_pipe, .call = call_omp,
    .release = release_write);

static omp_lock_t lock;

static void setup_omp_lock(struct st *s)
{
	omp_init_lock(&lock);
}
static void hold_omp_lock(struct st *s)
{
	omp_set_lock(&lock);
}
static void release_omp_lock(struct st *s)
{
	omp_unset_lock(&lock);
}
static long call_omp_lock(struct st *s)
{
	omp_set_lock(&lock);
	omp_unset_lock(&lock);
	return 0;
}
ROW(openmp_lock, UNSEEN | LOCAL, .setup = setup_omp_lock, .hold = hold_omp_lock,
    .call = call_omp_lock, .release = release_omp_lock);

static void hold_critical(struct st *s)
{
#pragma omp critical(one)
	wait_for_go(s);
}
static long call_critical(struct st *s)
{
	int n = 0;

#pragma omp critical(one)
	n++;
	return n;
}
ROW(openmp_critical, UNSEEN | LOCAL | OWN_HOLD, .hold = hold_critical, .call = call_critical);

/* Row: libgomp, which waits by its own futex calls.  The caller is the master that waits at the
 * barrier which ends a parallel region; a worker of the region still reads from a pipe.
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

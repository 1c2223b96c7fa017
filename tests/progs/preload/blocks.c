/* Victim: can this kind of blocking stop a program that has one P?  `blocks ROW` at
 * GMP_MAXPROCS=1.
 *
 * The caller blocks, and what ends that is the act of a second thread: it looks until the caller
 * is blocked, then has it let go.  It needs the P for that, so if the caller keeps it, both wait
 * for ever, and the time limit of the driver says so.  A call that ends by time must see the
 * second thread run before it is over.
 */
#include "tests/progs/preload/rows.h"

#include <unistd.h>

#include "tests/support/wait.h"

#define NAP_NS (500 * NS_PER_MS)

static const struct row *the_row;

static bool in_call(void *arg)
{
	struct st *s = arg;

	return s->about && ((the_row->flags & SPINS) || caller_blocked(s));
}

static void *second(void *arg)
{
	struct st *s = arg;

	if (the_row->flags & SLEEP) {
		s->stop = !s->returned;
		return NULL;
	}
	must_reach("the caller to block", in_call, s);
	s->stop = !s->returned;
	s->want_release = 1;
	return NULL;
}

static void *caller(void *arg)
{
	struct st *s = arg;
	pthread_t t;

	s->tid = gettid();
	/* We hold the one P: the second thread can run when we block. */
	must(pthread_create(&t, NULL, second, s) == 0, "pthread_create");
	__atomic_store_n(&s->about, 1, __ATOMIC_RELEASE);
	s->ret = the_row->call(s);
	__atomic_store_n(&s->returned, 1, __ATOMIC_RELEASE);
	pthread_join(t, NULL);
	return NULL;
}

int main(int argc, char **argv)
{
	struct st *s = st_new();
	pthread_t t;

	if (argc == 2)
		the_row = unseen_row(argv[1]) ? unseen_row(argv[1]) : row_by_name(argv[1]);
	if (!the_row)
		die("usage: blocks ROW");
	if ((the_row->flags & NOBLOCK) || !(the_row->flags & UNSEEN || row_exists(the_row)))
		return 77;
	if (the_row->flags & SLEEP)
		s->dur_ns = the_row->flags & SLOW ? NS_PER_S : NAP_NS;
	parts_setup(the_row, s);
	agent_spawn(s, the_row, agent_plain);
	local_start(s, the_row);
	must(pthread_create(&t, NULL, caller, s) == 0, "pthread_create");
	pthread_join(t, NULL);
	if (the_row->after)
		the_row->after(s);
	s->quit = 1;
	puts(s->stop ? "the second thread ran" : "the second thread did not run");
	return !s->stop;
}

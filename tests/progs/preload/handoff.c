/* Victim: the hand-off matrix.  `handoff ROW` at GMP_MAXPROCS=1 prints how long it took
 *   start   from the moment the caller began to block until the spinner, which wanted to run all
 *           the time, ran;
 *   return  from the moment the agent let the caller go until the call had returned, while the
 *           spinner kept spinning.
 *
 * The spinner is arithmetic and nothing else: no call, no clock after its first instruction, so
 * only the library can take its P away.  Times are stamped by the threads themselves on the
 * clock that all processes share.  The agent is another process and not under the cap, so it
 * needs no P to let the caller go.
 *
 * noise is the time that threads of the victim, or the agent, were runnable but had no CPU
 * (schedstat): what the machine, not the library, added.  It is measured over the same span, and
 * as a sum over all threads, since a hand-off needs several of them: the watcher to see it, the
 * spinner to take the signal, the caller to wake.  On an idle machine it is about zero, so a hand-
 * off that does not happen can never hide behind it.
 */
#include "tests/progs/preload/rows.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/task.h"
#include "tests/support/wait.h"

/* How long the spinner has the P before the caller is let go: past its first slice, so that the
 * caller comes back into the middle of one. */
#define SPIN_NS (13 * NS_PER_MS)

static const struct row *the_row;

/* What the agent itself has waited for a CPU counts too: it is one of the parts. */
struct noise {
	struct task_delays victim, agent;
};

static void read_noise(struct st *s, struct noise *n)
{
	pid_t gone = __atomic_load_n(&s->local_tid, __ATOMIC_ACQUIRE);

	task_read_delays(s->pid, &n->victim);
	if (gone)
		task_add_delay(&n->victim, gone, s->local_delay_ns);
	task_read_delays(getpid(), &n->agent);
}

static int64_t noise_between(const struct noise *a, const struct noise *b)
{
	return task_delay_between(&a->victim, &b->victim) +
	       task_delay_between(&a->agent, &b->agent);
}

static void *spinner(void *arg)
{
	struct st *s = arg;
	uint64_t x = 1;

	s->t_start = now_ns();
	while (!s->stop) {
		for (int i = 0; i < 1000; i++)
			x = x * 6364136223846793005u + 1442695040888963407u;
		s->spins += 1 + (x == 0);
	}
	return NULL;
}

static void *caller(void *arg)
{
	struct st *s = arg;
	pthread_t t;

	s->tid = gettid();
	task_read_delays(s->pid, &s->delays_block);
	/* We hold the one P: the spinner becomes runnable here, and can run when we block. */
	must(pthread_create(&t, NULL, spinner, s) == 0, "pthread_create");
	s->t_block = now_ns();
	__atomic_store_n(&s->about, 1, __ATOMIC_RELEASE);
	s->ret = the_row->call(s);
	s->t_return = now_ns();
	s->err = errno;
	__atomic_store_n(&s->returned, 1, __ATOMIC_RELEASE);
	/* Threads that are gone cannot be asked how long they waited. */
	must_word("the agent to measure", &s->measured, 1);
	s->stop = 1;
	pthread_join(t, NULL);
	return NULL;
}

static bool spun(void *arg)
{
	struct st *s = arg;

	return s->t_start && s->spins > 0;
}

static bool spun_enough(void *arg)
{
	struct st *s = arg;

	return now_ns() > s->t_start + SPIN_NS;
}

static bool in_call(void *arg)
{
	struct st *s = arg;

	return s->about && ((the_row->flags & SPINS) || caller_blocked(s));
}

static void let_go(struct st *s, const struct row *row)
{
	if (row->flags & SLEEP) {
		s->t_release = s->t_block + s->dur_ns;
		return;
	}
	s->t_release = now_ns();
	agent_release(s, row);
	if (row->flags & SLOW_RELEASE)
		s->t_release = now_ns();
}

static void agent(struct st *s, const struct row *row)
{
	struct noise started, released, returned;

	if (row->hold && !(row->flags & LOCAL))
		row->hold(s);
	s->agent_ready = 1;
	must_reach("the caller to block", in_call, s);
	must_reach("the spinner to run", spun, s);
	read_noise(s, &started);
	s->noise_start = task_delay_between(&s->delays_block, &started.victim);
	must_reach("the spinner to use its slice", spun_enough, s);
	read_noise(s, &released);
	let_go(s, row);
	must_word("the call to return", &s->returned, 1);
	read_noise(s, &returned);
	s->noise_return = noise_between(row->flags & SLEEP ? &started : &released, &returned);
	s->measured = 1;
	s->released = 1;
}

static int64_t sleep_time(const struct row *row)
{
	if (!(row->flags & SLEEP))
		return FOREVER_NS;
	return (row->flags & SLOW ? 1000 : 40) * NS_PER_MS;
}

int main(int argc, char **argv)
{
	struct st *s = st_new();
	pthread_t t;

	if (argc == 2)
		the_row = unseen_row(argv[1]) ? unseen_row(argv[1]) : row_by_name(argv[1]);
	if (!the_row)
		die("usage: handoff ROW");
	if ((the_row->flags & NOBLOCK) || !(the_row->flags & UNSEEN || row_exists(the_row))) {
		printf("skipped: %s cannot be made to block\n", the_row->name);
		return 77;
	}
	s->dur_ns = sleep_time(the_row);
	parts_setup(the_row, s);
	agent_spawn(s, the_row, agent);
	local_start(s, the_row);
	must(pthread_create(&t, NULL, caller, s) == 0, "pthread_create");
	pthread_join(t, NULL);
	must_word("the agent to finish", &s->released, 1);
	if (the_row->after)
		the_row->after(s);
	printf("%s ret=%ld start_us=%ld noise_us=%ld return_us=%ld noise_us=%ld hops=%d %s\n",
	       the_row->name, s->ret, (s->t_start - s->t_block) / 1000, s->noise_start / 1000,
	       (s->t_return - s->t_release) / 1000, s->noise_return / 1000,
	       the_row->flags & (LOCAL | TWO_HOPS) ? 2 : 1,
	       the_row->flags & UNSEEN ? "unseen" : "seen");
	return 0;
}

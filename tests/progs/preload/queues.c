/* Victim: a thread whose data has always been there sooner than a P queues for one before it
 * reads.  A handler without SA_RESTART that runs there ends the read that was not made yet.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/progs/preload/cases.h"
#include "tests/support/wait.h"

enum { OTHERS = 4, CUTS = 10, CALLS_MOST = 3000, MISSED_MOST = 3 };
#define CUT_NS (3 * NS_PER_S)

/* What the agent, which needs no P, shares with the thread that calls. */
static struct board {
	int to[2];
	pid_t pid, tid;
	int begun, over, counted; /* calls */
	int handled;
	int cuts, missed; /* calls that one signal ended, and that it did not */
} * b;

static bool done(void)
{
	return b->cuts + b->missed == CUTS || b->missed > MISSED_MOST;
}

static bool asleep(void *arg)
{
	return blocked_in_call(b->pid, b->tid) || parked_by_library(b->pid, b->tid);
}

static void interrupt(int i)
{
	int before = b->handled;

	check(syscall(SYS_tgkill, b->pid, b->tid, SIGUSR1) == 0, "tgkill");
	must_word("the handler", &b->handled, before + 1);
	if (wait_word(&b->over, i, CUT_NS)) {
		b->cuts++;
		return;
	}
	b->missed++;
	put(b->to[1]);
}

/* Data for a call that waits for data, and a signal for one that waits in the queue. */
static void feeds_and_cuts(void *arg)
{
	bool queues = *(bool *)arg;

	for (int i = 1; !done(); i++) {
		must_word("a call", &b->begun, i);
		must_reach("it to wait", asleep, NULL);
		if (!queues || parked_by_library(b->pid, b->tid))
			interrupt(i);
		else
			put(b->to[1]);
		must_word("the end of the call", &b->over, i);
		__atomic_store_n(&b->counted, i, __ATOMIC_RELEASE);
	}
}

static void handler(int sig)
{
	__atomic_fetch_add(&b->handled, 1, __ATOMIC_RELEASE);
}

static void one(int i)
{
	ssize_t r;
	char c;

	__atomic_store_n(&b->begun, i, __ATOMIC_RELEASE);
	r = read(b->to[0], &c, 1);
	check(r == 1 || errno == EINTR, "neither data nor EINTR");
	__atomic_store_n(&b->over, i, __ATOMIC_RELEASE);
	must_word("the agent to count it", &b->counted, i);
}

static volatile int stop;

/* They come back from calls all the time, and each goes before who comes later. */
static void *computes_and_naps(void *arg)
{
	struct timespec nap = { 0, 100 * NS_PER_US };

	while (!stop) {
		int64_t until = thread_cpu_ns() + 2 * NS_PER_MS;

		while (thread_cpu_ns() < until)
			;
		nanosleep(&nap, NULL);
	}
	return NULL;
}

static void calls(void)
{
	struct sigaction act = { .sa_handler = handler };
	bool queues = under_library();
	pthread_t others[OTHERS];
	int i;

	check(sigaction(SIGUSR1, &act, NULL) == 0, "sigaction");
	agent_run(feeds_and_cuts, &queues);
	for (i = 0; i < OTHERS; i++)
		others[i] = spawn(computes_and_naps, NULL);
	for (i = 1; i <= CALLS_MOST && !done(); i++)
		one(i);
	stop = 1;
	for (i = 0; i < OTHERS; i++)
		join(others[i]);
	check(done(), "it never queued first");
	printf("%s\n", b->missed > MISSED_MOST ? "sleeps on after a handler" : "cut short");
}

static void board(void)
{
	b = shared(sizeof(*b));
	b->pid = b->tid = getpid();
	make_pipe(b->to);
}

static void case_read(void)
{
	board();
	calls();
}

static const struct a_case cases[] = {
	{ "read", case_read },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	run_named_case(cases, argc, argv);
	return 0;
}

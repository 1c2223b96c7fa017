/* Victim: who gets the one P when some compute and one comes back from calls.  Prints what the
 * library alone had a part in: the time in which the machine gave a runnable thread no CPU is
 * taken off.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "tests/progs/preload/cases.h"
#include "tests/support/task.h"
#include "tests/support/wait.h"

enum { CALLS = 25, CALL_NS = 50 * NS_PER_MS };

static void nap(int64_t ns)
{
	struct timespec t = { ns / NS_PER_S, ns % NS_PER_S };

	nanosleep(&t, NULL);
}

/* One call after the other.  The agent is a process of its own, which needs no P to look at the
 * machine when a call is over; we look again when we are back. */
struct door {
	pid_t pid;
	int64_t over, seen; /* when the call is, and when the agent, which may be late, saw that */
	int called, looked; /* atomic: how many times */
	struct task_delays then;
};

static void looks_when_over(void *arg)
{
	struct door *d = arg;

	for (int i = 1; i <= CALLS; i++) {
		must_word("a call", &d->called, i);
		nap(d->over - now_ns());
		d->seen = now_ns();
		task_read_delays(d->pid, &d->then);
		__atomic_store_n(&d->looked, i, __ATOMIC_RELEASE);
	}
}

/* How much later than it was seen to be over the i-th call returned. */
static int64_t lateness(struct door *d, int i)
{
	struct task_delays now;
	int64_t back;

	d->over = now_ns() + CALL_NS;
	__atomic_store_n(&d->called, i, __ATOMIC_RELEASE);
	nap(CALL_NS);
	back = now_ns();
	task_read_delays(d->pid, &now);
	must_word("the agent to look", &d->looked, i);
	return back - d->seen - task_delay_between(&d->then, &now);
}

static int ascending(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void case_door(void)
{
	struct door *d = shared(sizeof(*d));
	struct hog hogs[2];
	int64_t late[CALLS];

	d->pid = getpid();
	agent_run(looks_when_over, d);
	for (int i = 0; i < 2; i++)
		hog_start(&hogs[i]);
	for (int i = 0; i < CALLS; i++)
		late[i] = lateness(d, i + 1);
	qsort(late, CALLS, sizeof(*late), ascending);
	printf("median_us=%lld worst_us=%lld\n", late[CALLS / 2] / NS_PER_US,
	       late[CALLS - 1] / NS_PER_US);
	for (int i = 0; i < 2; i++)
		hog_stop(&hogs[i]);
}

static int64_t cpu_ns(pthread_t thread)
{
	struct timespec t;
	clockid_t clock;

	check(pthread_getcpuclockid(thread, &clock) == 0 && clock_gettime(clock, &t) == 0,
	      "the clock of a thread");
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/* Of the P, in percent. */
static void share_beside_naps(struct hog *hog, int64_t ns)
{
	struct task_delays before, after;
	int64_t began = now_ns(), had = -cpu_ns(hog->thread), wall;

	task_read_delays(getpid(), &before);
	while (now_ns() < began + NS_PER_S)
		nap(ns);
	had += cpu_ns(hog->thread);
	wall = now_ns() - began;
	task_read_delays(getpid(), &after);
	had += task_delay_between(&before, &after);
	printf("beside_%lld_us=%.1f ", ns / NS_PER_US, 100 * (double)had / (double)wall);
}

static void case_share(void)
{
	struct hog hog;

	hog_start(&hog);
	share_beside_naps(&hog, NS_PER_MS / 10);
	share_beside_naps(&hog, NS_PER_MS);
	share_beside_naps(&hog, 5 * NS_PER_MS);
	hog_stop(&hog);
	printf("\n");
}

static const struct a_case cases[] = {
	{ "door", case_door },
	{ "share", case_share },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	run_named_case(cases, argc, argv);
	return 0;
}

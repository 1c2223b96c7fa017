/* Victim: who gets the one P when some compute and one comes back from calls.  Prints what the
 * library alone had a part in: the time in which the machine gave a runnable thread no CPU is
 * taken off.
 */
#include <sched.h>
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

static int64_t process_cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * NS_PER_S + t.tv_nsec;
}

/*
 * Of the P, in percent.  Not counted against us is the time that a thread with the P waited for a
 * CPU: the hog, but for what our own threads may have run in its place, which is all of their time;
 * and who naps, woken with the P on a CPU that had gone idle.
 */
static double share_beside_naps(struct hog *hog, int64_t ns)
{
	int64_t held_up = -task_delay_ns(hog->tid), woken = -task_delay_ns(gettid());
	int64_t had = -cpu_ns(hog->thread), all = -process_cpu_ns(), began = now_ns();

	while (now_ns() < began + NS_PER_S)
		nap(ns);
	held_up += task_delay_ns(hog->tid);
	woken += task_delay_ns(gettid());
	had += cpu_ns(hog->thread);
	all += process_cpu_ns();
	if (held_up > all - had)
		woken += held_up - (all - had);
	return 100 * (double)(had + woken) / (double)(now_ns() - began);
}

/*
 * Whoever naps holds the P as long as the machine likes before it sleeps again; nothing tells how
 * long that was.  It can only make the share less, so the best of three is nearest.
 */
static void case_share(void)
{
	static const int64_t naps[] = { NS_PER_MS / 10, NS_PER_MS, 5 * NS_PER_MS };
	struct hog hog;

	hog_start(&hog);
	for (int i = 0; i < 3; i++) {
		double best = 0;

		for (int turn = 0; turn < 3; turn++) {
			double share = share_beside_naps(&hog, naps[i]);

			best = share > best ? share : best;
		}
		printf("beside_%lld_us=%.1f ", naps[i] / NS_PER_US, best);
	}
	hog_stop(&hog);
	printf("\n");
}

static int released; /* atomic */

static void *spins(void *arg)
{
	while (!__atomic_load_n(&released, __ATOMIC_ACQUIRE))
		__builtin_ia32_pause();
	return NULL;
}

/* Of the CPU time that it and the hog have, in percent. */
static double share_of_spinner(pthread_t spinner, struct hog *hog)
{
	int64_t took = cpu_ns(spinner), left = cpu_ns(hog->thread), more_took, more_left;

	do {
		nap(50 * NS_PER_MS);
		more_took = cpu_ns(spinner) - took;
		more_left = cpu_ns(hog->thread) - left;
	} while (more_took + more_left < NS_PER_S / 2);
	return 100 * (double)more_took / (double)(more_took + more_left);
}

/*
 * What one that only waits takes of the P that it waits for another to use.  While our own thread,
 * which ends its turns, waits for a CPU, it goes on; that can only make its share more, so the
 * least of three is nearest.
 */
static void case_spinner(void)
{
	double least = 100;
	struct hog hog;
	pthread_t spinner;

	hog_start(&hog);
	spinner = spawn(spins, NULL);
	for (int turn = 0; turn < 3; turn++) {
		double share = share_of_spinner(spinner, &hog);

		least = share < least ? share : least;
	}
	__atomic_store_n(&released, 1, __ATOMIC_RELEASE);
	join(spinner);
	hog_stop(&hog);
	printf("spinner=%.1f left=%.1f\n", least, 100 - least);
}

/*
 * A thread of the least weight computes beside two other processes, all on one CPU: it is ready,
 * and gets no CPU for a long time.  One of real time, which needs none of theirs but the P, naps.
 */
static void keep_to_one_cpu(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	check(sched_setaffinity(0, sizeof(one), &one) == 0, "a CPU for all");
}

static void takes_cpu(void *arg)
{
	volatile int *over = arg;

	for (int64_t end = now_ns() + DEADLINE_NS; !*over && now_ns() < end;)
		;
}

static void *computes_unwanted(void *arg)
{
	struct sched_param least = { 0 };
	volatile int *started = arg;

	check(sched_setscheduler(0, SCHED_IDLE, &least) == 0, "SCHED_IDLE");
	while ((*started = 1))
		;
	return NULL;
}

static void case_starved(void)
{
	struct sched_param first = { .sched_priority = 1 };
	int *over = shared(sizeof(*over)), started = 0, naps = 0;
	int64_t late = 0, began;

	keep_to_one_cpu();
	spawn(computes_unwanted, &started);
	must_word("the unwanted one", &started, 1);
	for (int i = 0; i < 2; i++)
		agent_run(takes_cpu, over);
	if (sched_setscheduler(0, SCHED_FIFO, &first) != 0) {
		fprintf(stderr, "SCHED_FIFO is refused: %m; needs root, or CAP_SYS_NICE\n");
		exit(77);
	}
	for (began = now_ns(); now_ns() < began + NS_PER_S; naps++) {
		int64_t due = now_ns() + NS_PER_MS;

		nap(NS_PER_MS);
		late += now_ns() - due;
	}
	printf("mean_us=%lld of %d\n", late / naps / NS_PER_US, naps);
	fflush(stdout);
	*over = 1;
	_exit(0);
}

/* --- a crowd at one spin lock --- */

enum { CROWD = 64, INSIDE = 50 };

static pthread_spinlock_t spin;
static volatile int closed;
static volatile long inside;
static long turns[CROWD];

static void *takes_turns(void *mine)
{
	while (!closed) {
		pthread_spin_lock(&spin);
		for (int i = 0; i < INSIDE; i++)
			inside++;
		++*(long *)mine;
		pthread_spin_unlock(&spin);
	}
	return NULL;
}

static void case_crowd(void)
{
	pthread_t t[CROWD];
	long all = 0, without = 0;

	pthread_spin_init(&spin, PTHREAD_PROCESS_PRIVATE);
	for (int i = 0; i < CROWD; i++)
		t[i] = spawn(takes_turns, &turns[i]);
	nap(3 * NS_PER_S);
	closed = 1;
	for (int i = 0; i < CROWD; i++) {
		join(t[i]);
		all += turns[i];
		without += !turns[i];
	}
	check(inside == all * INSIDE, "the lock");
	printf("turns=%ld without=%ld\n", all, without);
}

static const struct a_case cases[] = {
	{ "door", case_door },	     { "starved", case_starved }, { "share", case_share },
	{ "spinner", case_spinner }, { "crowd", case_crowd },	  { NULL, NULL },
};

int main(int argc, char **argv)
{
	run_named_case(cases, argc, argv);
	return 0;
}

/* Victim: eight threads that wait for each other by spinning, more than there are Ps.  Who spins
 * keeps a P from the one it waits for: somebody must take it away, every time.  The teams of OpenMP
 * are made to spin as well; the program is built for both runtimes, libgomp and libomp.
 */
#include <linux/futex.h>
#include <omp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/progs/preload/cases.h"
#include "tests/support/unseen.h"
#include "tests/support/wait.h"

enum { THREADS = 8 };

struct barrier {
	int rounds;
	bool yields;
	int arrived, at; /* atomic; at: which barrier all have passed */
	int passed[THREADS];
};

/* The n-th barrier: the others spin until the last one to come opens it. */
static void pass(struct barrier *b, int n)
{
	if (__atomic_add_fetch(&b->arrived, 1, __ATOMIC_ACQ_REL) == THREADS) {
		__atomic_store_n(&b->arrived, 0, __ATOMIC_RELAXED);
		__atomic_store_n(&b->at, n, __ATOMIC_RELEASE);
	}
	while (__atomic_load_n(&b->at, __ATOMIC_ACQUIRE) != n)
		if (b->yields)
			sched_yield();
}

static struct barrier barrier;

/* After each barrier everybody must have passed the same number of them. */
static void *member(void *arg)
{
	long me = (long)arg;

	for (int i = 1; i <= barrier.rounds; i++) {
		barrier.passed[me] = i;
		pass(&barrier, 2 * i - 1);
		for (int k = 0; k < THREADS; k++)
			check(barrier.passed[k] == i, "a barrier");
		pass(&barrier, 2 * i);
	}
	return NULL;
}

static void meet(int rounds, bool yields)
{
	pthread_t t[THREADS];

	barrier = (struct barrier){ .rounds = rounds, .yields = yields };
	for (long i = 0; i < THREADS; i++)
		t[i] = spawn(member, (void *)i);
	for (int i = 0; i < THREADS; i++)
		join(t[i]);
	printf("%d barriers\n", 2 * rounds);
}

/* A barrier costs a slice for each thread that spins before the last has come. */
static void case_barrier(void)
{
	meet(4, false);
}

static void case_barrier_that_yields(void)
{
	meet(200, true);
}

enum { IN_LINE = 16, PASSES = 100 };
static int came, next_ticket, serving, looks; /* atomic; looks: in vain, since all are in line */

/*
 * A FIFO lock of their own: nobody but the next in line can go on, and each goes to the end again.
 * The last to begin is the first in line: the order that suits a queue for Ps least.
 */
static void *stands_in_line(void *arg)
{
	while (__atomic_load_n(&came, __ATOMIC_ACQUIRE) != IN_LINE - 1 - (int)(long)arg)
		sched_yield();
	for (int i = 0; i < PASSES; i++) {
		int mine = __atomic_fetch_add(&next_ticket, 1, __ATOMIC_RELAXED);

		if (i == 0)
			__atomic_add_fetch(&came, 1, __ATOMIC_RELEASE);
		while (__atomic_load_n(&serving, __ATOMIC_ACQUIRE) != mine) {
			__atomic_add_fetch(&looks, 1, __ATOMIC_RELAXED);
			sched_yield();
		}
		if (mine == 0) {
			while (__atomic_load_n(&came, __ATOMIC_ACQUIRE) != IN_LINE)
				sched_yield();
			__atomic_store_n(&looks, 0, __ATOMIC_RELAXED);
		}
		__atomic_store_n(&serving, mine + 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

static void stand_in_line(void)
{
	pthread_t t[IN_LINE];

	for (long i = 0; i < IN_LINE; i++)
		t[i] = spawn(stands_in_line, (void *)i);
	for (int i = 0; i < IN_LINE; i++)
		join(t[i]);
}

static void case_line(void)
{
	stand_in_line();
	printf("%d passes\n", serving);
}

static void case_looks(void)
{
	stand_in_line();
	printf("%d passes, %d looks\n", serving, looks);
}

enum { PLAYERS = 2, BALLS = 200 };
static struct player {
	pid_t tid;
	int may_play; /* a futex word */
} players[PLAYERS];
static int ball; /* atomic: how often it was played */
static int64_t spun_ns[BALLS];

static void *plays(void *arg)
{
	struct player *me = arg;
	int nr = (int)(me - players);

	me->tid = (pid_t)unseen(SYS_gettid, 0, 0, 0, 0);
	while (!__atomic_load_n(&me->may_play, __ATOMIC_ACQUIRE))
		unseen(SYS_futex, (long)&me->may_play, FUTEX_WAIT_PRIVATE, 0, 0);
	sched_yield(); /* with a P again */
	for (int i = nr; i < BALLS; i += PLAYERS) {
		int64_t began = thread_cpu_ns();

		while (__atomic_load_n(&ball, __ATOMIC_ACQUIRE) != i)
			__builtin_ia32_pause();
		spun_ns[i] = thread_cpu_ns() - began;
		__atomic_store_n(&ball, i + 1, __ATOMIC_RELEASE);
	}
	return NULL;
}

static int ascending(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static bool one_p(void)
{
	const char *procs = getenv("GMP_MAXPROCS");

	return under_library() && procs && !strcmp(procs, "1");
}

/*
 * As a team of libgomp, each has slept once, in a futex wait that nobody announced, and spins from
 * then on.  With one P it does so until that is taken away, every time: soon, and not at the tick
 * (4 ms at 250 Hz) at which those that sleep unannounced are sent their signals.
 */
static void case_after_a_sleep(void)
{
	pthread_t t[PLAYERS];

	for (int i = 0; i < PLAYERS; i++) {
		t[i] = spawn(plays, &players[i]);
		must_block(&players[i].tid);
	}
	for (int i = 0; i < PLAYERS; i++) {
		__atomic_store_n(&players[i].may_play, 1, __ATOMIC_RELEASE);
		unseen(SYS_futex, (long)&players[i].may_play, FUTEX_WAKE_PRIVATE, 1, 0);
	}
	for (int i = 0; i < PLAYERS; i++)
		join(t[i]);
	printf("%d balls\n", ball);
	qsort(spun_ns, BALLS, sizeof(spun_ns[0]), ascending);
	if (one_p() && spun_ns[BALLS / 2] > NS_PER_MS * 3 / 2)
		printf("half of them took %lld us and more\n",
		       (long long)(spun_ns[BALLS / 2] / NS_PER_US));
}

/* The runtimes read these before main(). */
static void be_active(void)
{
	static char exe[] = "/proc/self/exe", name[] = "openmp";
	char *argv[] = { exe, name, NULL };

	if (getenv("OMP_WAIT_POLICY"))
		return;
	setenv("OMP_WAIT_POLICY", "active", 1);
	setenv("OMP_NUM_THREADS", "8", 1);
	execv(exe, argv);
	check(false, "execv");
}

static void case_openmp(void)
{
	long sum = 0;

	be_active();
	for (int i = 0; i < 20; i++) {
#pragma omp parallel reduction(+ : sum)
		{
			sum += omp_get_thread_num();
#pragma omp barrier
			sum += i;
		}
	}
	printf("%d threads, sum %ld\n", omp_get_max_threads(), sum);
}

static const struct a_case cases[] = {
	{ "barrier", case_barrier },
	{ "barrier_that_yields", case_barrier_that_yields },
	{ "line", case_line },
	{ "looks", case_looks },
	{ "openmp", case_openmp },
	{ "after_a_sleep", case_after_a_sleep },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	run_named_case(cases, argc, argv);
	return 0;
}

/*
 * The runtime under real threads on the real kernel, without fakes: what the order of one fake CPU
 * cannot show, the thread sanitizer must.  Every thread is a G made as preload/ makes them, and a
 * real sysmon takes Ps back.  Who "runs" is counted from inside the brackets.
 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/gate.h"
#include "runtime/life.h"
#include "runtime/lock.h"
#include "runtime/note.h"
#include "runtime/opts.h"
#include "runtime/os.h"
#include "runtime/proc.h"
#include "runtime/runq.h"
#include "runtime/stats.h"
#include "runtime/sysmon.h"

TestSuite(threads, .timeout = 20);

static void start(pthread_t *t, void *(*fn)(void *), void *arg)
{
	cr_assert_eq(pthread_create(t, NULL, fn, arg), 0);
}

/* ---- the run queue ---- */

#define GS 20000
#define THIEVES 2

static struct g gs[GS];
static au32 got[GS];
static struct p rich, poor[THIEVES];
static au32 ngot;

static void take(struct g *g)
{
	if (!g)
		return;
	add_ar(&got[g - gs], 1);
	add_ar(&ngot, 1);
}

static void *steals(void *arg)
{
	struct p *mine = arg;

	while (load_acq(&ngot) < GS) {
		take(runq_steal(mine, &rich));
		take(runq_get(mine));
		take(runq_get(&rich));
	}
	return NULL;
}

Test(threads, each_g_leaves_the_run_queue_once)
{
	pthread_t t[THIEVES];
	bool put;

	store_rlx(&sched.gomaxprocs, 1); /* sizes the share of the global queue */
	for (int i = 0; i < THIEVES; i++)
		start(&t[i], steals, &poor[i]);
	for (u32 i = 0; i < GS; i += put) {
		put = runq_put(&rich, &gs[i]);
		if (!put || i % 7 == 0)
			take(runq_get(&rich));
	}
	for (int i = 0; i < THIEVES; i++)
		pthread_join(t[i], NULL);
	for (u32 i = 0; i < GS; i++)
		cr_assert_eq(load_rlx(&got[i]), 1, "g %u: %u times", i, load_rlx(&got[i]));
}

/* ---- mutex and note ---- */

#define ROUNDS 20000

static struct mutex lock;
static u64 counter; /* plain: the lock guards it */

static void *counts(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		mutex_lock(&lock);
		counter++;
		mutex_unlock(&lock);
	}
	return NULL;
}

Test(threads, one_at_a_time_holds_the_mutex)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		start(&t[i], counts, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(t[i], NULL);
	cr_assert_eq(counter, 4ul * ROUNDS);
}

static struct m ping = { .live = { 1 }, .queued = true }, pong = { .live = { 1 }, .queued = true };
static u32 ball; /* plain: the notes order it */

static void *answers(void *arg)
{
	for (u32 i = 1; i <= ROUNDS / 4; i++) {
		if (note_sleep(&ping) != i)
			return "the wrong value";
		note_clear(&ping.park);
		ball++;
		note_wakeup(&pong.park, i);
	}
	return NULL;
}

Test(threads, a_note_carries_its_value_and_what_was_done_before)
{
	pthread_t t;
	void *wrong;

	start(&t, answers, NULL);
	for (u32 i = 1; i <= ROUNDS / 4; i++) {
		ball++;
		note_wakeup(&ping.park, i);
		cr_assert_eq(note_sleep(&pong), i);
		note_clear(&pong.park);
		cr_assert_eq(ball, 2 * i);
	}
	pthread_join(t, &wrong);
	cr_assert_null(wrong);
}

/* ---- Gs ---- */

#define THREADS 6
#define TURNS 400

static au32 running, most, turns;

static void come(void)
{
	u32 now = add_ar(&running, 1) + 1, old = load_rlx(&most);

	while (now > old && !cas_ar(&most, old, now))
		old = load_rlx(&most);
}

static void leave(void)
{
	add_ar(&running, (u32)-1);
}

static void work(u32 n)
{
	static au64 sink;

	for (u32 i = 0; i < n; i++)
		store_rlx(&sink, i);
}

static void turn(struct m *m, u32 i)
{
	leave();
	if (i % 3 == 0) {
		gosched(m, false);
	} else {
		struct gate gate = gate_open(i % 3 == 1 ? MAY_WAIT : WILL_WAIT, CALL_NONE,
					     (uintptr_t)__builtin_frame_address(0));

		if (i % 8 == 1)
			usleep(100); /* sysmon's turn */
		gate_close(&gate);
	}
	come();
	work(100 + i % 5 * 400);
	add_ar(&turns, 1);
}

static void *is_a_g(void *arg)
{
	mstart(arg);
	come();
	for (u32 i = 0; i < TURNS; i++)
		turn(getm(), i);
	leave();
	mexit();
	return NULL;
}

static void *is_sysmon(void *arg)
{
	opts.page = 0;
	os_block_signals();
	gmp_tls_m = &m_sysmon;
	sysmon_main();
	return NULL;
}

/* By a G: joining is a wait like any other. */
static void join(pthread_t t)
{
	struct gate gate = gate_open(WILL_WAIT, CALL_NONE, (uintptr_t)__builtin_frame_address(0));

	pthread_join(t, NULL);
	gate_close(&gate);
}

static void run(u32 procs)
{
	pthread_t t[THREADS], sysmon;
	u64 excused;

	opts.preempt = PREEMPT_GATE; /* the handler is preload's */
	cr_assert_eq(sched_start(procs), 0);
	start(&sysmon, is_sysmon, NULL);
	for (int i = 0; i < THREADS; i++) {
		struct g *g = newg(NULL, NULL);

		cr_assert(g);
		start(&t[i], is_a_g, g);
	}
	for (int i = 0; i < THREADS; i++)
		join(t[i]);
	sysmon_stop();
	pthread_join(sysmon, NULL);
	/* The kernel may stop a thread outside a bracket, for a page say: one more may run then. */
	excused = stat_get(strays) + stat_get(overcap);
	cr_assert_eq(load_rlx(&turns), THREADS * TURNS);
	cr_assert_leq(load_rlx(&most), procs + excused, "%u ran on %u Ps", load_rlx(&most), procs);
	cr_assert_gt(stat_get(handoffs), THREADS, "they did wait for each other");
	cr_assert_eq(load_rlx(&sched.ng), 1);
	cr_assert_eq(load_rlx(&sched.nwait), 0);
	cr_assert_eq(load_rlx(&sched.npidle), procs - 1, "all Ps but ours are idle");
	cr_assert_eq(sched_check(), 0);
}

Test(threads, no_more_than_1_run_on_1_p)
{
	run(1);
}

Test(threads, no_more_than_2_run_on_2_ps)
{
	run(2);
}

Test(threads, no_more_than_3_run_on_3_ps)
{
	run(3);
}

/* ---- what the kernel says of a thread ---- */

#define NO_TID 0x3ffffff /* above all numbers of threads */

static au32 sleeper, word;

static void *sleeps(void *arg)
{
	store_rel(&sleeper, (u32)os_gettid());
	while (!load_acq(&word))
		os_futex_wait(&word, 0, -1);
	return NULL;
}

struct said {
	bool blocks;
	int of_sleeper, of_none;
};

/* In a thread of its own, as sysmon: it loses its descriptors. */
static void *asks_the_kernel(void *arg)
{
	struct said *said = arg;
	i32 tid = (i32)load_acq(&sleeper);

	os_private_fds(true);
	do
		said->of_sleeper = os_probe(tid);
	while (said->of_sleeper == PROBE_RUNNING);
	said->blocks = os_blocks(tid, SIGUSR1);
	said->of_none = os_probe(NO_TID);
	return NULL;
}

Test(threads, the_kernel_says_what_a_thread_sleeps_in)
{
	struct said said;
	pthread_t t, asker;

	start(&t, sleeps, NULL);
	while (!load_acq(&sleeper))
		os_yield();
	start(&asker, asks_the_kernel, &said);
	pthread_join(asker, NULL);
	store_rel(&word, 1);
	os_futex_wake(&word, 1);
	pthread_join(t, NULL);
	cr_assert_eq(said.of_sleeper, SYS_futex, "it was %d", said.of_sleeper);
	cr_assert_eq(said.of_none, PROBE_GONE);
	cr_assert_not(said.blocks);
}

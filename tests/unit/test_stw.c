/* runtime/stw.c: who runs, who is in a call, who goes into one behind the scan; on the fake. */
#include <criterion/criterion.h>

#include "runtime/gmprt.h"
#include "tests/unit/fake_g.h"

static u64 stopped_after;
static int rounds;
static bool stopped;

/* At every switch point: while the world is stopped nobody but its owner computes. */
static void check_world(void)
{
	if (!stopped)
		return;
	for (u32 i = 0; i < fake.nm; i++)
		if (&fake.m[i] != fake.self && fake.m[i].user && fake.m[i].state == FAKE_COMPUTING)
			fake_fail("thread %u computes in a stopped world", i);
}

static void setup(void)
{
	fake_reset(0);
	fake.check = check_world;
	opts.preempt = PREEMPT_SIGNAL;
	stopped = false;
	rounds = 0;
}

TestSuite(stw, .init = setup);

static void stop_and_start(int want)
{
	u64 began = fake.now;

	cr_assert_eq(gmp_stop_the_world(0), want);
	stopped_after = fake.now - began;
	stopped = true;
	fake_compute(1 * MS);
	g_call(MAY_WAIT, 0, 1 * MS); /* its own calls pass through */
	fake_compute(1 * MS);
	fake_check(gmp_check() == 0, "books");
	stopped = false;
	gmp_start_the_world();
	fake_check(g_has_p(g_self()), "started without a P");
}

static void computes(void *arg)
{
	fake.self->user = true;
	fake_compute(30 * MS);
	fake.self->user = false;
	rounds++;
}

static void stops_hogs(void *arg)
{
	for (int i = 0; i < 5; i++)
		g_create(computes, NULL);
	fake_compute(1 * MS);
	stop_and_start(0);
	fake_compute(1 * MS);
	stop_and_start(0);
}

Test(stw, stops_those_who_run_and_lets_them_go_on)
{
	for (u32 procs = 1; procs <= 4; procs++) {
		setup();
		g_first(procs, stops_hogs, NULL);
		fake_run();
		cr_assert_eq(rounds, 5);
		cr_assert_lt(stopped_after, 20 * MS);
	}
}

static void calls_for_long(void *arg)
{
	g_call(MAY_WAIT, 0, 5000 * MS);
	rounds++;
}

static void stops_blocked(void *arg)
{
	g_create(calls_for_long, NULL);
	g_create(calls_for_long, NULL);
	fake_compute(1 * MS);
	stop_and_start(0);
}

Test(stw, takes_the_ps_of_those_in_a_call)
{
	g_first(3, stops_blocked, NULL);
	fake_run();
	cr_assert_eq(rounds, 2);
	cr_assert_lt(stopped_after, 1 * MS);
}

static void sleeps_unseen(void *arg)
{
	fake_sleep(35, 5000 * MS);
	rounds++;
}

static void stops_sleepers(void *arg)
{
	g_create(sleeps_unseen, NULL);
	g_create(sleeps_unseen, NULL);
	fake_compute(1 * MS);
	stop_and_start(0);
	/* They are without a P by now, and wait for none. */
	stop_and_start(0);
}

Test(stw, sends_no_signal_to_those_asleep_in_a_call_that_nobody_announced)
{
	for (u32 procs = 1; procs <= 4; procs++) {
		setup();
		g_first(procs, stops_sleepers, NULL);
		fake_run();
		cr_assert_eq(rounds, 2);
		cr_assert_lt(stopped_after, 1 * MS);
		cr_assert_eq(fake.signals_sent, 0, "it would end the call with EINTR");
	}
}

static void computes_then_calls(void *arg)
{
	fake_compute((u64)(long)arg);
	g_call(MAY_WAIT, 0, 5000 * MS);
	rounds++;
}

static void stops_who_enters(void *after)
{
	g_create(computes_then_calls, after);
	fake_compute(1 * MS);
	stop_and_start(0);
}

/* The hole of Go >= 1.26: running at the first scan, in a call with its P on loan ever after. */
Test(stw, finds_who_entered_a_call_behind_the_scan)
{
	for (u64 us = 1000; us < 2000; us += 10) {
		setup();
		opts.preempt = PREEMPT_OFF;
		g_first(2, stops_who_enters, (void *)(us * US));
		fake_run();
		cr_assert_eq(rounds, 1);
		cr_assert_lt(stopped_after, 10 * MS, "%lu us: stopped after %lu us", us,
			     stopped_after / US);
	}
}

static void cannot_stop(void *arg)
{
	g_create(computes, NULL);
	fake_compute(1 * MS);
	fake_check(gmp_stop_the_world(5) == -110, "no time-out");
	fake_check(g_has_p(g_self()), "without a P");
	fake_compute(1 * MS);
}

Test(stw, gives_up_after_its_time)
{
	opts.preempt = PREEMPT_OFF;
	g_first(2, cannot_stop, NULL);
	fake_run();
	cr_assert_eq(rounds, 1);
}

static void stops_many_times(void *arg)
{
	for (int i = 0; i < 20; i++) {
		fake_check(gmp_stop_the_world(0) == 0, "time-out");
		fake_check(!stopped, "two have stopped the world");
		stopped = true;
		fake_compute(100 * US);
		stopped = false;
		gmp_start_the_world();
		fake_compute(100 * US);
	}
	rounds++;
}

static void three_stop(void *arg)
{
	for (int i = 0; i < 3; i++)
		g_create(stops_many_times, NULL);
}

Test(stw, one_at_a_time)
{
	g_first(2, three_stop, NULL);
	fake_run();
	cr_assert_eq(rounds, 3);
}

Test(stw, a_process_with_one_thread_is_stopped_already)
{
	cr_assert_eq(gmp_stop_the_world(1), 0);
	gmp_start_the_world();
}

/* A handler that interrupted a call dumps, and jumps out of the call. */
Test(stw, a_jump_out_of_a_call_in_which_the_world_was_stopped_closes_it)
{
	struct m *m = g_here(1);
	uintptr_t sp = (uintptr_t)__builtin_frame_address(0);

	gate_open(WILL_WAIT, 0, sp);
	cr_assert_eq(gmp_stop_the_world(0), 0);
	gmp_start_the_world();
	cr_assert_eq(m->depth, 1, "it blocks still");
	gate_jump(sp + 1024);
	cr_assert_eq(m->depth, 0);
	cr_assert(g_has_p(m->g));
}

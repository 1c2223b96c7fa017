/*
 * runtime/sysmon_life.c: when there is a sysmon.  That nobody waits without one is a law of
 * test_sim.c; here births come at the very moment at which it leaves.
 */
#include "runtime/sysmon_life.h"

#include <criterion/criterion.h>

#include "runtime/hooks.h"
#include "runtime/limit.h"
#include "tests/unit/fake_g.h"

static u32 sysmons(void)
{
	u32 n = 0;

	for (u32 i = 0; i < fake.nm; i++)
		n += fake.m[i].mask == ~0ul && fake.m[i].tls == &m_sysmon;
	return n;
}

static void computes(void *arg)
{
	fake_compute(*(u64 *)arg);
}

static void lives(void *arg)
{
	u64 ns = 2 * MS;

	fake_check(load_rlx(&sched.sysmon_on) == SYSMON_NONE, "one G needs none");
	g_create(computes, &ns);
	fake_check(load_rlx(&sched.sysmon_on) == SYSMON_ON, "two need one");
	g_call(WILL_WAIT, 0, 9 * MS);
	fake_check(load_rlx(&sched.sysmon_on) == SYSMON_ON, "it lingers");
	g_call(WILL_WAIT, 0, 9 * MS);
	fake_check(load_rlx(&sched.sysmon_on) == SYSMON_LEFT, "it leaves");
	fake_check(fake.sysmon->state == FAKE_DONE, "its thread ends");
	g_create(computes, &ns);
	fake_check(load_rlx(&sched.sysmon_on) == SYSMON_ON && sysmons() == 2, "and comes back");
	sysmon_end(1);
	fake_check(load_rlx(&sched.sysmon_on) == SYSMON_ON, "not with two Gs");
	g_call(WILL_WAIT, 0, 5 * MS);
	sysmon_end(1);
	fake_check(load_rlx(&sched.sysmon_on) == SYSMON_NONE, "at once, when it is told to");
}

Test(sysmon_life, ends_after_a_while_with_one_g_and_comes_back)
{
	fake_reset(0);
	g_alone(2, lives, NULL);
	fake_run();
	cr_assert_eq(load_rlx(&sched.sysmon_on), SYSMON_NONE);
}

static void makes_one_now_and_then(void *arg)
{
	u64 ns = 1 * MS;

	for (u32 i = 0; i < 10; i++) {
		g_create(computes, &ns);
		g_call(WILL_WAIT, 0, 8 * MS);
	}
	fake_check(sysmons() == 1, "%u of them", sysmons());
}

Test(sysmon_life, stays_while_gs_come_and_go)
{
	fake_reset(0);
	g_alone(2, makes_one_now_and_then, NULL);
	fake_run();
}

static void asks_for_a_trace(void *arg)
{
	u64 ns = 1 * MS;

	opts.schedtrace = 1000;
	g_create(computes, &ns);
	g_call(WILL_WAIT, 0, 100 * MS);
	fake_check(load_rlx(&sched.sysmon_on) == SYSMON_ON, "who prints the trace?");
}

Test(sysmon_life, stays_for_what_was_asked_for)
{
	fake_reset(0);
	g_alone(2, asks_for_a_trace, NULL);
	fake_run();
}

/* It is overdrawn by more or less when its other thread ends. */
static void spends_its_quota(void *arg)
{
	for (u64 i = 0; i < 8; i++) {
		u64 ns = 20 * MS + i * 700 * US;

		g_create(computes, &ns);
		g_call(WILL_WAIT, 0, 400 * MS);
		fake_check(load_rlx(&sched.sysmon_on) == SYSMON_LEFT, "alone");
		fake_check(load_rlx(&sched.nlent) == 1, "its P works again");
	}
	fake_check(stat_get(rests) > 8, "it rested");
}

Test(sysmon_life, leaves_no_p_at_rest)
{
	fake_reset(0);
	fake_file("/proc/thread-self/cgroup", "0::/a\n");
	fake_file("/proc/thread-self/mountinfo", "1 2 0:3 / /cg rw - cgroup2 none rw\n");
	fake_file("/cg/a/cpu.max", "10000 100000\n");
	opts.pace = PACE_ON;
	g_alone(limit_start(), spends_its_quota, NULL);
	fake_run();
}

static u32 met[SYSMON_LEFT + 1];

/* The other holds the only P and never gives way by itself: somebody must ask it to. */
static void makes_one_as_sysmon_leaves(void *arg)
{
	u64 ns = 1 * US, turn = 25 * MS;

	for (u32 i = 0; i < 6; i++) {
		g_create(computes, &ns);
		g_call(WILL_WAIT, 0, 9900 * US + fake_random(300 * US));
		met[load_rlx(&sched.sysmon_on)]++;
		g_create(computes, &turn);
		fake_check(load_rlx(&sched.sysmon_on) == SYSMON_ON, "a G without a sysmon");
		g_call(WILL_WAIT, 0, 2 * MS);
		fake_compute(1 * MS);
		g_call(WILL_WAIT, 0, 50 * MS);
	}
}

Test(sysmon_life, no_g_begins_without_one)
{
	for (u64 seed = 1; seed <= 400; seed++) {
		fake_reset(seed);
		g_alone(1, makes_one_as_sysmon_leaves, NULL);
		fake_run();
		cr_assert_eq(load_rlx(&sched.ng), 0);
		cr_assert_lt(stat_get(maxwait_ns), 15 * MS + fake.stalled_ns, "seed %lu", seed);
	}
	cr_assert_gt(met[SYSMON_ON], 100, "it was there %u times", met[SYSMON_ON]);
	cr_assert_gt(met[SYSMON_LEFT], 100, "it had left %u times", met[SYSMON_LEFT]);
}

static void cannot_start(void *arg)
{
	fake_check(newg(NULL, NULL), "no memory");
	fake_check(!sysmon_need(), "it says so");
	fake_check(load_rlx(&sched.sysmon_on) == SYSMON_NONE, "and tries again next time");
}

static int no_thread(void (*fn)(void))
{
	return -11;
}

Test(sysmon_life, a_thread_that_cannot_be_started_is_told_of)
{
	fake_reset(0);
	sched_start(1);
	rt_hooks.thread_start = no_thread;
	cannot_start(NULL);
}

static u32 steps;

static void count_steps(void)
{
	steps += fake.self == fake.sysmon;
}

static void waits_with_a_lock(void *arg)
{
	store_rlx(&getm()->held, 1);
	g_call(WILL_WAIT, 0, 100 * US);
	store_rlx(&getm()->held, 0);
}

static void is_waited_for(void *arg)
{
	u64 ns = 10 * MS;

	g_create(waits_with_a_lock, NULL);
	g_call(WILL_WAIT, 0, 50 * US);
	fake.check = count_steps;
	computes(&ns);
	fake.check = NULL;
}

/* The share of a slice that a lock's holder waits may be less than a nap costs. */
Test(sysmon_life, does_not_spin_for_a_short_slice)
{
	fake_reset(0);
	opts.slice_us = 200;
	opts.preempt = PREEMPT_OFF;
	steps = 0;
	g_first(1, is_waited_for, NULL);
	fake_run();
	cr_assert_gt(steps, 500);
	cr_assert_lt(steps, 8 * 10 * MS / (20 * US), "%u", steps); /* 5 calls a round */
}

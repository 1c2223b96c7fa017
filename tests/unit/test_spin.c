/* runtime/spin.c: who looks out for a P, for how long, and what ends it. */
#include "runtime/spin.h"

#include <criterion/criterion.h>

#include "runtime/limit.h"
#include "runtime/note.h"
#include "tests/unit/fake_g.h"
#include "tests/unit/fake_threads.h"

static struct m *m;
static u32 turns; /* yields so far */
static u32 grant_at, crowd_at, another_at;

static void each_turn(void)
{
	turns++;
	if (turns == grant_at)
		note_wakeup(&m->park, 1);
	if (turns == crowd_at)
		fake.now += 1 * MS;
	if (turns == another_at)
		add_sc(&sched.nwait, 1);
}

static void setup(void)
{
	fake_reset(0);
	fake.yield_ns = 2 * US;
	fake.cpus = 2;
	m = g_here(1);
	limit_look();
	add_sc(&sched.nwait, 1);
	turns = grant_at = crowd_at = another_at = 0;
	fake.on_yield = each_turn;
}

TestSuite(spin, .init = setup);

Test(spin, sees_a_grant_that_comes_soon)
{
	grant_at = 5;
	cr_assert(spin_for_grant(m, 0, false));
	cr_assert_eq(turns, 5);
}

Test(spin, ends_when_none_comes)
{
	u64 began = fake.now;

	cr_assert_not(spin_for_grant(m, 0, false));
	cr_assert_gt(turns, 10);
	cr_assert_leq(fake.now - began, 100 * US);
}

Test(spin, needs_a_cpu_that_no_p_uses)
{
	fake.cpus = 1;
	limit_look();
	cr_assert_not(spin_for_grant(m, 0, false));
	cr_assert_eq(turns, 0);
}

/* A CPU of its own, nobody else, and soon: what others need who spin. */
Test(spin, is_for_who_yields_in_any_case)
{
	fake.cpus = 1;
	limit_look();
	spin_learn(m, 1 * MS);
	add_sc(&sched.nwait, 1);
	grant_at = 5;
	cr_assert(spin_for_grant(m, 0, true));
	cr_assert_eq(turns, 5);
}

Test(spin, ends_for_who_yields_as_well)
{
	u64 began;

	crowd_at = 3;
	cr_assert_not(spin_for_grant(m, 0, true));
	cr_assert_eq(turns, 3, "others ran for longer than that");
	crowd_at = 0;
	began = fake.now;
	cr_assert_not(spin_for_grant(m, 0, true));
	cr_assert_gt(turns, 13);
	cr_assert_leq(fake.now - began, 100 * US);
}

static void has_quota(void)
{
	fake_file("/proc/thread-self/cgroup", "0::/a\n");
	fake_file("/proc/thread-self/mountinfo", "1 2 0:3 / /cg rw - cgroup2 none rw\n");
	fake_file("/cg/a/cpu.max", "100000 100000\n");
	limit_look();
}

Test(spin, does_not_use_up_a_quota)
{
	has_quota();
	cr_assert_not(spin_for_grant(m, 0, false));
	cr_assert_not(spin_for_grant(m, 0, true));
	cr_assert_eq(turns, 0);
}

Test(spin, ends_when_another_process_has_a_use_for_the_cpu)
{
	crowd_at = 3;
	cr_assert_not(spin_for_grant(m, 0, false));
	cr_assert_eq(turns, 3);
}

Test(spin, is_for_one_that_waits_alone)
{
	another_at = 3;
	cr_assert_not(spin_for_grant(m, 0, false));
	cr_assert_eq(turns, 3);
	cr_assert_not(spin_for_grant(m, 0, false));
	cr_assert_eq(turns, 3);
}

Test(spin, is_for_who_was_served_soon)
{
	spin_learn(m, 1 * MS);
	cr_assert_not(spin_for_grant(m, 0, false));
	cr_assert_eq(turns, 0);
	spin_learn(m, 10 * US);
	cr_assert_not(spin_for_grant(m, 0, false));
	cr_assert_gt(turns, 0);
}

static void interrupts(void)
{
	if (turns++ == 3)
		fake_host_signal(&fake_test, 10, NULL);
}

Test(spin, counts_a_handler_that_it_held_up)
{
	fake.on_yield = interrupts;
	spin_for_grant(m, 1ul << 9, false);
	cr_assert_eq(m->cuts, 0, "blocked by the host");
	spin_for_grant(m, 0, false);
	cr_assert_eq(m->cuts, 1);
}

/* The same with threads: the one that waits is ready all the time, or asleep. */
static enum fake_state seen;

static void note_turn(void *arg)
{
	turns = 100;
}

static void lets_one_wait(void *arg)
{
	struct fake_m *fm = g_create(note_turn, NULL);

	fake_yield();
	fake_yield();
	seen = fm->state;
	g_call(WILL_WAIT, 0, 1 * MS);
	fake_check(turns == 100, "it did not get the P");
}

static enum fake_state state_of_who_waits(int cpus)
{
	fake_reset(0);
	fake.cpus = cpus;
	g_first(1, lets_one_wait, NULL);
	fake_run();
	return seen;
}

Test(spin, keeps_a_thread_awake_until_its_p_comes)
{
	cr_assert_eq(state_of_who_waits(2), FAKE_READY);
	cr_assert_eq(state_of_who_waits(1), FAKE_FUTEX);
}

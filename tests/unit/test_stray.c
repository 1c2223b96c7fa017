/* runtime/stray.c: how often, and the way home; who becomes one is in test_retake.c. */
#include "runtime/stray.h"

#include <criterion/criterion.h>

#include "runtime/stats.h"
#include "tests/unit/fake_g.h"

Test(stray, is_looked_at_less_often_the_longer_it_sleeps_and_the_more_there_are)
{
	u64 delay = strays_delay(0, true), asleep = delay;

	cr_assert_leq(delay, 2 * MS);
	for (int i = 0; i < 10; i++)
		asleep = strays_delay(asleep, false);
	cr_assert_leq(asleep, 40 * MS, "one that slept for so short a time");
	for (int i = 0; i < 100; i++)
		asleep = strays_delay(asleep, false);
	cr_assert_eq(asleep, 250 * MS, "an idle program wakes four times a second");
	store_rlx(&sched.nwait, 1);
	cr_assert_eq(strays_delay(asleep, false), 20 * MS, "it would run instead of who waits");
	store_rlx(&sched.nwait, 0);
	cr_assert_eq(strays_delay(asleep, true), delay, "one moved");
	sched.nstray = 10000; /* 0.3 us each, so 3 ms a look */
	cr_assert_geq(strays_delay(delay, true), 100 * MS);
	for (int i = 0; i < 20; i++)
		asleep = strays_delay(asleep, false);
	cr_assert_geq(asleep, 10000 * MS);
	sched.nstray = 0;
}

static u64 home;

static void stray_comes_home(void *arg)
{
	fake_sleep(35, 5 * MS);
	fake_check(!g_has_p(g_self()), "it slept with a P");
	fake_compute(25 * MS); /* strays are looked at every 20 ms at least */
	fake_check(g_has_p(g_self()), "it ran on without a P");
	home = fake.now;
}

static void hog(void *arg)
{
	fake_compute(30 * MS);
}

static void two(void *arg)
{
	g_create(hog, NULL);
	fake_yield();
	stray_comes_home(NULL);
}

Test(stray, a_stray_that_runs_again_is_brought_home_by_the_signal)
{
	fake_reset(0);
	g_first(1, two, NULL);
	fake_run();
	cr_assert_eq(stat_get(strays), 1);
	cr_assert_eq(stat_get(overcap), 0);
	cr_assert_geq(stat_get(preempts), 1);
	cr_assert_gt(home, 1030 * MS);
}

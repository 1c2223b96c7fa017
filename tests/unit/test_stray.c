/* runtime/stray.c: how often; what is done with one is in test_sysmon.c. */
#include "runtime/stray.h"

#include <criterion/criterion.h>

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

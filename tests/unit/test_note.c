/* runtime/note.c: a value and a wake-up, never one without the other. */
#include "runtime/note.h"

#include <criterion/criterion.h>
#include <string.h>

#include "runtime/opts.h"
#include "tests/unit/fake_os.h"

static struct m m = { .live = { 1 }, .queued = true };
static u32 got;

static void sleeper(void *arg)
{
	got = note_sleep(&m);
}

static void waker(void *arg)
{
	note_wakeup(&m.park, *(u32 *)arg);
}

Test(note, sleeps_until_it_is_woken)
{
	u32 value = 7;

	fake_reset(0);
	fake_spawn(sleeper, NULL);
	fake_run_for(1 * MS);
	cr_assert_eq(fake.m[0].state, FAKE_FUTEX);
	fake_spawn(waker, &value);
	fake_run();
	cr_assert_eq(got, 7);
}

Test(note, woken_before_it_sleeps_it_does_not_sleep)
{
	fake_reset(0);
	note_wakeup(&m.park, 3);
	fake_spawn(sleeper, NULL);
	fake_run();
	cr_assert_eq(got, 3);
	cr_assert_eq(fake.now, 1000 * MS, "no time has passed");
}

Test(note, the_value_stays_until_it_is_cleared)
{
	fake_reset(0);
	note_wakeup(&m.park, 5);
	cr_assert_eq(note_sleep(&m), 5);
	cr_assert_eq(note_sleep(&m), 5);
	note_clear(&m.park);
	cr_assert_eq(note_value(&m.park), 0);
}

Test(note, no_wake_up_is_lost_in_any_order)
{
	for (u64 seed = 1; seed <= 2000; seed++) {
		u32 value = (u32)seed;

		fake_reset(seed);
		note_clear(&m.park);
		fake_spawn(sleeper, NULL);
		fake_spawn(waker, &value);
		fake_run();
		cr_assert_eq(got, value);
	}
}

static void handler_wakes(void)
{
	note_wakeup(&m.park, 9);
}

Test(note, a_handler_that_wakes_its_own_thread_is_seen)
{
	fake_reset(0);
	fake.host_handler = handler_wakes;
	fake_spawn(sleeper, NULL);
	fake_run_for(1 * MS);
	fake_host_signal(&fake.m[0], 10, NULL);
	fake_run();
	cr_assert_eq(got, 9);
}

Test(note, a_second_value_would_lose_the_first_and_is_a_bug)
{
	fake_reset(0);
	opts.on_bug = ON_BUG_DISSOLVE;
	note_wakeup(&m.park, 1);
	note_wakeup(&m.park, 2);
	cr_assert(strstr(fake_output(), "fatal: note_wakeup: "));
}

Test(note, dissolving_may_meet_a_grant)
{
	fake_reset(0);
	note_wakeup(&m.park, 1);
	note_wakeup(&m.park, NOTE_DISSOLVED);
	note_clear(&m.park);
	note_wakeup(&m.park, NOTE_DISSOLVED);
	note_wakeup(&m.park, 1);
	cr_assert_str_eq(fake_output(), "");
}

static void handler_forks(void)
{
	m.live.v = 0; /* as the child finds it */
}

Test(note, in_a_child_forked_by_a_handler_nobody_is_waited_for)
{
	fake_reset(0);
	fake.host_handler = handler_forks;
	got = 1;
	fake_spawn(sleeper, NULL);
	fake_run_for(1 * MS);
	fake_host_signal(&fake.m[0], 10, NULL);
	fake_run();
	cr_assert_eq(got, 0);
}

/* Another context of the thread has the grant; the next wait's word is empty like this one's. */
static void other_context_takes_it(void)
{
	note_wakeup(&m.park, 4);
	note_clear(&m.park);
	m.queued = false;
}

Test(note, a_value_that_another_context_took_is_not_waited_for)
{
	fake_reset(0);
	fake.host_handler = other_context_takes_it;
	got = 1;
	fake_spawn(sleeper, NULL);
	fake_run_for(1 * MS);
	fake_host_signal(&fake.m[0], 10, NULL);
	fake_run();
	cr_assert_eq(got, 0);
}

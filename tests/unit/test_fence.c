/* runtime/fence.c: which side pays, and what it takes to change that. */
#include "runtime/fence.h"

#include <criterion/criterion.h>
#include <string.h>

#include "runtime/gmprt.h"
#include "tests/unit/fake_os.h"
#include "tests/unit/fake_threads.h"

static void setup(void)
{
	fake_reset(0);
}

TestSuite(fence, .init = setup);

static void ask(int n)
{
	while (n--)
		fence_heavy();
}

Test(fence, in_quiet_times_who_asks_pays)
{
	fence_init();
	cr_assert_not(fence_is_busy());
	fence_heavy();
	cr_assert_eq(fake.membarriers, 1);
}

Test(fence, busy_times_cost_one_membarrier_and_no_more)
{
	fence_init();
	fence_busy();
	cr_assert(fence_is_busy());
	cr_assert_eq(fake.membarriers, 1);
	fence_busy();
	fence_heavy();
	cr_assert_eq(fake.membarriers, 1);
}

Test(fence, quiet_comes_back)
{
	fence_init();
	fence_busy();
	fence_quiet();
	fence_heavy();
	cr_assert_eq(fake.membarriers, 2);
	fence_busy();
	cr_assert(fence_is_busy());
	cr_assert_eq(fake.membarriers, 3);
}

Test(fence, many_questions_turn_it_busy_until_there_are_few)
{
	struct fence_watch watch = { 0 };
	u64 now = FENCE_WATCH_NS;

	fence_init();
	ask(15);
	cr_assert(fence_settle(&watch, now), "few");
	ask(16);
	cr_assert_not(fence_settle(&watch, now));
	cr_assert(fence_is_busy());
	cr_assert_eq(fake.membarriers, 15 + 16 + 1);
	ask(16);
	cr_assert_not(fence_settle(&watch, now + FENCE_WATCH_NS / 2), "it is too early to say");
	cr_assert_not(fence_settle(&watch, now + FENCE_WATCH_NS), "many, still");
	ask(15);
	cr_assert(fence_settle(&watch, now + 2 * FENCE_WATCH_NS), "few now");
	cr_assert_not(fence_is_busy());
}

Test(fence, many_questions_wake_sysmon_to_turn_it)
{
	fence_init();
	store_rlx(&sched.sysmon_asleep, SYSMON_ASLEEP);
	ask(15);
	cr_assert_eq(load_rlx(&sched.sysmon_asleep), SYSMON_ASLEEP);
	ask(1);
	cr_assert_eq(load_rlx(&sched.sysmon_asleep), SYSMON_AWAKE);
}

Test(fence, while_it_turns_both_sides_pay)
{
	fence_init();
	store_rlx(&fence_mode, FENCE_TURNING);
	fence_heavy();
	cr_assert_eq(fake.membarriers, 1);
}

Test(fence, without_membarrier_it_is_busy_for_ever)
{
	fake.no_membarrier = true;
	fence_init();
	fence_quiet();
	cr_assert(fence_is_busy());
	fence_busy();
	ask(100);
	cr_assert_eq(fake.membarriers, 0);
	cr_assert(fence_settle(&(struct fence_watch){ 0 }, FENCE_WATCH_NS), "nothing to watch");
}

static u64 metric(const char *name)
{
	struct gmp_stat all[64];
	int n = gmp_read_stats(all, 64);

	while (n--)
		if (strcmp(all[n].name, name) == 0)
			return all[n].value;
	return ~0ul;
}

Test(fence, people_and_programs_are_told_which_form_it_is)
{
	fence_help();
	cr_assert_str_eq(fake_output(), "membarrier: there; brackets are plain stores\n");
	cr_assert_eq(metric("/gmp/fence/membarrier:flag"), 1);
	fake.no_membarrier = true;
	fence_help();
	cr_assert_str_eq(fake_output(), "membarrier: none; each bracket pays two full fences\n");
	cr_assert_eq(metric("/gmp/fence/membarrier:flag"), 0);
}

static void is_refused(void *arg)
{
	u64 before = fake.now;

	fake.membarrier_refused = true;
	fence_heavy();
	fake_check(fence_is_busy() && !fence_is_cheap(), "it is busy");
	fake_check(fake.now - before >= 1 * MS, "who asks waits");
	before = fake.now;
	fence_quiet();
	fence_heavy();
	fake_check(fence_is_busy() && fake.now - before < 1 * MS, "but once");
}

Test(fence, refused_later_who_asks_waits_once_and_it_is_busy_for_ever)
{
	fence_init();
	fake_spawn(is_refused, NULL);
	fake_run();
}

/*
 * runtime/dead.c, look by look: two Gs whose threads are fake ones that the test puts to sleep and
 * wakes.  tests/tools/test_dead.py has real programs.
 */
#include "runtime/dead.h"

#include <asm/unistd.h>
#include <criterion/criterion.h>

#include "runtime/entersyscall.h"
#include "runtime/hooks.h"
#include "tests/unit/fake_g.h"

#define LOOKS 10

static struct m *m[2];
static struct fake_m *thread[2];
static bool shared, handler;

static void never_run(void *arg)
{
}

static bool wait_is_private(u64 class)
{
	return !shared && class_object(class) == 0x7000;
}

static bool signal_may_wake(void)
{
	return handler;
}

static void threads(const char *n)
{
	fake.files[0].path = "/proc/self/status";
	fake.files[0].text = n;
	fake.nfiles = 1;
}

static void sleeps(int i, int call)
{
	thread[i]->state = FAKE_IN_CALL;
	thread[i]->call = call;
}

static void runs_a_little(int i)
{
	thread[i]->cpu_ns += 1000;
}

static void setup(void)
{
	fake_reset(0);
	m[0] = g_here(2);
	m[1] = g_puppet()->m;
	shared = handler = false;
	rt_hooks.wait_is_private = wait_is_private;
	rt_hooks.signal_may_wake = signal_may_wake;
	for (int i = 0; i < 2; i++) {
		thread[i] = fake_spawn(never_run, NULL);
		m[i]->tid = thread[i]->tid;
		store_rlx(&m[i]->live, 1);
		m[i]->depth = 1;
		store_rlx(&m[i]->class, WILL_WAIT | ON(WAIT_MUTEX, 0x7000) | ON_EVER);
		store_rlx(&m[i]->g->status, G_SYSCALL);
		sleeps(i, __NR_futex);
	}
	/* Two Gs, sysmon, and a main thread that has ended. */
	threads("Name:\tx\nThreads:\t4\nSigQ:\t0/1\n");
}

TestSuite(dead, .init = setup);

/* True when one of n looks says so. */
static bool dead_within(int n)
{
	while (n--)
		if (dead_look())
			return true;
	return false;
}

Test(dead, says_so_when_all_sleep_for_ever_at_enough_looks)
{
	cr_assert_not(dead_within(LOOKS - 1), "the first only takes note");
	cr_assert(dead_look());
}

Test(dead, who_has_run_since_the_last_look_begins_the_count_again)
{
	cr_assert_not(dead_within(LOOKS - 1));
	runs_a_little(1);
	cr_assert_not(dead_within(LOOKS - 1));
	cr_assert(dead_look());
}

Test(dead, who_is_in_another_bracket_begins_it_again)
{
	cr_assert_not(dead_within(LOOKS - 1));
	store_rlx(&m[0]->g->syscalltick, load_rlx(&m[0]->g->syscalltick) + 1);
	cr_assert_not(dead_within(LOOKS - 1));
}

Test(dead, who_was_woken_and_has_no_cpu_yet_is_not_asleep)
{
	thread[0]->state = FAKE_READY;
	cr_assert_not(dead_within(3 * LOOKS));
}

Test(dead, one_in_another_call_is_enough_to_live)
{
	sleeps(1, __NR_read);
	cr_assert_not(dead_within(3 * LOOKS));
}

Test(dead, one_whose_wait_has_a_limit_is_enough)
{
	store_rlx(&m[1]->class, WILL_WAIT | ON(WAIT_MUTEX, 0x7000));
	cr_assert_not(dead_within(3 * LOOKS));
}

Test(dead, one_that_waits_for_a_p_is_enough)
{
	store_rlx(&m[1]->g->status, G_RUNNABLE);
	cr_assert_not(dead_within(3 * LOOKS));
}

Test(dead, one_in_a_handler_is_enough)
{
	m[1]->depth = 2;
	cr_assert_not(dead_within(3 * LOOKS));
}

Test(dead, a_thread_that_is_no_g_is_enough)
{
	threads("Name:\tx\nThreads:\t5\n");
	cr_assert_not(dead_within(3 * LOOKS));
}

Test(dead, where_the_threads_cannot_be_counted_nothing_is_said)
{
	threads("Name:\tx\n");
	cr_assert_not(dead_within(3 * LOOKS));
	threads(NULL);
	cr_assert_not(dead_within(3 * LOOKS));
}

Test(dead, a_shared_object_is_enough)
{
	shared = true;
	cr_assert_not(dead_within(3 * LOOKS));
}

Test(dead, a_handler_of_the_hosts_is_enough)
{
	handler = true;
	cr_assert_not(dead_within(3 * LOOKS));
}

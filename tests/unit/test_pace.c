/* runtime/pace.c: what a process under a CPU quota spends in each of the kernel's periods. */
#include "runtime/pace.h"

#include <criterion/criterion.h>

#include "runtime/limit.h"
#include "runtime/os.h"
#include "runtime/procs.h"
#include "tests/unit/fake_g.h"

#define PERIOD (100 * MS)
#define PERIODS 10
#define OVERRUN (7 * MS) /* what may be saved up, and a debt */

static i64 spent[PERIODS + 1];

static void quota(const char *text)
{
	fake_file("/proc/thread-self/cgroup", "0::/a\n");
	fake_file("/proc/thread-self/mountinfo", "1 2 0:3 / /cg rw - cgroup2 none rw\n");
	fake_file("/cg/a/cpu.max", text);
}

static void setup(void)
{
	fake_reset(0);
	fake.cpus = 4;
	opts.pace = PACE_ON;
}

TestSuite(pace, .init = setup);

static bool over;

static void hog(void *arg)
{
	while (!over)
		fake_compute(1 * MS);
}

/* Beside n hogs: a G in a call that ends once a period, to read the meter. */
static void meter(void *n)
{
	over = false;
	for (long i = 0; i < (long)n; i++)
		g_create(hog, NULL);
	for (int i = 1; i <= PERIODS; i++) {
		g_call(WILL_WAIT, 0, PERIOD);
		spent[i] = os_process_cpu();
	}
	over = true;
}

static void spends(const char *text, long hogs, i64 share)
{
	quota(text);
	g_first(limit_start(), meter, (void *)hogs);
	fake_run();
	for (int i = 1; i <= PERIODS; i++) {
		i64 ms = (spent[i] - spent[i - 1]) / (i64)MS;

		cr_expect_leq(ms, (share + (i64)OVERRUN) / (i64)MS, "period %d: %ld ms", i, ms);
		cr_expect_geq(ms, (share - (i64)OVERRUN) / (i64)MS, "period %d: %ld ms", i, ms);
	}
}

Test(pace, half_a_cpu_is_spent_evenly)
{
	spends("50000 100000\n", 3, 50 * MS);
}

Test(pace, of_one_cpu_and_a_half_the_second_p_has_a_half)
{
	spends("150000 100000\n", 3, 150 * MS);
}

Test(pace, a_tenth_of_a_cpu)
{
	spends("10000 100000\n", 1, 10 * MS);
}

Test(pace, whole_cpus_are_not_touched)
{
	spends("200000 100000\n", 3, 200 * MS);
	cr_assert_eq(stat_get(rests), 0);
}

/* ---- single steps ---- */

static struct pace pace;
static struct m *m;

static void start_with(const char *text)
{
	quota(text);
	m = g_here(limit_start());
	__builtin_memset(&pace, 0, sizeof(pace));
	cr_assert_gt(pace_round(&pace, fake.now), fake.now);
}

/* The test's thread has no CPU clock of its own: one that computes stands in. */
static void spend(u64 ns)
{
	static struct fake_m *thread;

	if (fake.nm == 0)
		thread = fake_spawn(hog, NULL);
	thread->cpu_ns += ns;
}

Test(pace, rests_when_it_is_overdrawn_and_works_when_that_is_paid)
{
	start_with("50000 100000\n");
	entersyscall(m, MAY_WAIT, 0);
	fake.now += 4 * MS;
	spend(4 * MS);
	pace_round(&pace, fake.now);
	cr_assert_eq(load_rlx(&sched.nlent), 0);
	cr_assert_eq(load_rlx(&sched.gomaxprocs), 1, "what the host is told");
	cr_assert_not(g_has_p(m->g), "the P that was on loan was taken");
	cr_assert_eq(sched_check(), 0);
	fake.now = pace.due_ns;
	pace_round(&pace, fake.now);
	cr_assert_eq(load_rlx(&sched.nlent), 1);
	cr_assert_eq(load_rlx(&sched.npidle), 1);
	cr_assert_eq(stat_get(rests), 1);
}

Test(pace, looks_seldom_while_little_is_spent)
{
	u64 before;

	start_with("50000 100000\n");
	for (int i = 0; i < 20; i++) {
		fake.now = pace.due_ns;
		pace_round(&pace, fake.now);
	}
	before = pace.due_ns;
	cr_assert_eq(before - fake.now, 100 * MS);
}

Test(pace, is_off_without_a_quota_below_the_cpus_and_when_told)
{
	start_with("50000 100000\n");
	fake.now += 10 * MS;
	spend(10 * MS);
	pace_round(&pace, fake.now);
	cr_assert_eq(load_rlx(&sched.nlent), 0);
	opts.pace = PACE_OFF;
	cr_assert_eq(pace_round(&pace, fake.now), 0);
	cr_assert_eq(load_rlx(&sched.nlent), 1, "all are lent again");
	opts.pace = PACE_ON;
	quota("400000 100000\n");
	limit_follow();
	cr_assert_eq(pace_round(&pace, fake.now), 0);
}

Test(pace, a_new_number_of_ps_lends_them_all)
{
	start_with("50000 100000\n");
	fake.now += 10 * MS;
	spend(10 * MS);
	pace_round(&pace, fake.now);
	procresize(2);
	cr_assert_eq(load_rlx(&sched.nlent), 2);
	fake.now = pace.due_ns;
	pace_round(&pace, fake.now);
	cr_assert_eq(load_rlx(&sched.nlent), 2 - pace.resting);
}

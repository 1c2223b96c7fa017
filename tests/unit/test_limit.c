/* runtime/limit.c: how many Ps. */
#include "runtime/limit.h"

#include <criterion/criterion.h>

#include "runtime/gmprt.h"
#include "runtime/opts.h"
#include "tests/unit/fake_g.h"
#include "tests/unit/fake_os.h"

static void setup(void)
{
	fake_reset(0);
}

TestSuite(limit, .init = setup);

static void quota(const char *text)
{
	fake_file("/proc/thread-self/cgroup", "0::/a\n");
	fake_file("/proc/thread-self/mountinfo", "1 2 0:3 / /cg rw - cgroup2 none rw\n");
	fake_file("/cg/a/cpu.max", text);
}

Test(limit, is_the_option_when_there_is_one)
{
	opts.maxprocs = 3;
	fake.cpus = 64;
	quota("100000 100000\n");
	cr_assert_eq(limit_procs(), 3);
}

Test(limit, is_the_cpus_of_the_affinity_mask_otherwise)
{
	fake.cpus = 7;
	cr_assert_eq(limit_procs(), 7);
	fake.cpus = 1;
	cr_assert_eq(limit_procs(), 1);
}

Test(limit, is_never_above_what_sched_can_hold)
{
	fake.cpus = 8192;
	cr_assert_eq(limit_procs(), MAXPROCS_MAX);
}

Test(limit, is_one_at_least)
{
	fake.cpus = 0;
	cr_assert_eq(limit_procs(), 1);
	opts.quota_round = QUOTA_ROUND_FLOOR;
	fake.cpus = 4;
	quota("1000 100000\n");
	cr_assert_eq(limit_procs(), 1);
}

Test(limit, is_the_quota_rounded_as_told_where_that_is_less)
{
	static const struct {
		const char *quota;
		u32 ceil, floor;
	} want[] = { { "50000 100000\n", 1, 1 },  { "100000 100000\n", 1, 1 },
		     { "100001 100000\n", 2, 1 }, { "150000 100000\n", 2, 1 },
		     { "399999 100000\n", 4, 3 }, { "400000 100000\n", 4, 4 },
		     { "900000 100000\n", 6, 6 }, { "max 100000\n", 6, 6 } };

	fake.cpus = 6;
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		quota(want[i].quota);
		opts.quota_round = QUOTA_ROUND_CEIL;
		cr_assert_eq(limit_procs(), want[i].ceil, "%s", want[i].quota);
		opts.quota_round = QUOTA_ROUND_FLOOR;
		cr_assert_eq(limit_procs(), want[i].floor, "%s", want[i].quota);
	}
}

Test(limit, counts_the_cpus_of_all_threads_when_each_is_pinned_to_its_own)
{
	struct g *other;

	fake.cpus = 1; /* the thread that asks */
	g_here(1);
	other = g_puppet();
	other->m->tid = fake_spawn(NULL, NULL)->tid;
	store_rlx(&other->m->live, 1);
	fake.m[fake.nm - 1].cpu_mask = 6;
	cr_assert_eq(limit_procs(), 3);
}

static i32 first_tid;

static int own_cpu(i32 tid)
{
	return tid < first_tid ? 0 : tid - first_tid;
}

Test(limit, counts_the_cpus_of_200_threads_when_each_is_pinned_to_its_own)
{
	g_here(1);
	for (int i = 0; i < 200; i++) {
		struct g *g = g_puppet();

		if (i == 0)
			first_tid = g->m->tid;
	}
	fake.pinned_to = own_cpu;
	cr_assert_eq(limit_procs(), 200);
}

Test(limit, asks_but_some_threads_where_none_is_pinned)
{
	g_here(1);
	for (int i = 0; i < 200; i++)
		g_puppet();
	fake.masks_asked = 0;
	cr_assert_eq(limit_procs(), (u32)fake.cpus);
	cr_assert_leq(fake.masks_asked, 65);
}

static void over(void *arg)
{
}

/* sysmon runs; everybody else is done or asleep. */
static void a_second_passes(void)
{
	fake_run_for(1100 * MS);
}

Test(limit, follows_what_changes_within_a_second)
{
	fake.cpus = 4;
	g_here(limit_start());
	fake_spawn(over, NULL);
	fake_spawn_sysmon();
	a_second_passes();
	cr_assert_eq(gmp_maxprocs(0), 4);
	quota("200000 100000\n");
	a_second_passes();
	cr_assert_eq(gmp_maxprocs(0), 2);
	fake.cpus = 1;
	a_second_passes();
	cr_assert_eq(gmp_maxprocs(0), 1);
	fake.cpus = 8;
	quota("max 100000\n");
	a_second_passes();
	cr_assert_eq(gmp_maxprocs(0), 8);
}

Test(limit, is_looked_at_soon_after_the_start)
{
	fake.cpus = 1;
	g_here(limit_start());
	fake_spawn(over, NULL);
	fake_spawn_sysmon();
	fake.cpus = 4; /* of a thread that is pinned elsewhere */
	fake_run_for(12 * MS);
	cr_assert_eq(gmp_maxprocs(0), 4);
	fake.cpus = 6;
	fake_run_for(100 * MS);
	cr_assert_eq(gmp_maxprocs(0), 6);
}

Test(limit, costs_a_few_reads_a_second)
{
	quota("200000 100000\n");
	g_here(limit_start());
	fake_spawn_sysmon();
	fake.files_read = 0;
	fake_run_for(60000 * MS);
	cr_assert_leq(fake.files_read, 63 * 4);
	cr_assert_geq(fake.files_read, 58 * 4);
}

Test(limit, is_not_followed_once_somebody_has_set_it)
{
	fake.cpus = 4;
	g_here(limit_start());
	store_rel(&sched.active, 1);
	fake_spawn_sysmon();
	a_second_passes();
	cr_assert_eq(gmp_maxprocs(3), 4);
	fake.cpus = 2;
	fake.files_read = 0;
	a_second_passes();
	a_second_passes();
	cr_assert_eq(gmp_maxprocs(0), 3);
	cr_assert_eq(fake.files_read, 0);
}

Test(limit, is_not_followed_when_the_option_says_it)
{
	opts.maxprocs = 3;
	cr_assert_eq(limit_start(), 3);
	cr_assert_not(limit_followed());
}

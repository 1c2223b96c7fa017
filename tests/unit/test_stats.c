/* runtime/stats.c: the line that people and tools read, to the letter, and the counters by name. */
#include "runtime/stats.h"

#include <criterion/criterion.h>
#include <string.h>

#include "runtime/gmprt.h"
#include "runtime/os.h"
#include "tests/unit/fake_g.h"

static void setup(void)
{
	fake_reset(0);
	g_here(2);
	fake_output();
}

TestSuite(stats, .init = setup);

Test(stats, the_line_at_exit)
{
	stat_add(handoffs, 123);
	stat_add(pickups, 67);
	stat_add(retakes, 45);
	stat_add(preempts, 7);
	stat_add(overcap, 1);
	stat_add(parks, 120);
	stat_max(maxwait_ns, 10342999);
	stat_max(peak_gs, 10);
	stat_stray(202);
	stat_stray(202);
	stats_print();
	cr_assert_str_eq(
		fake_output(),
		"gmp: stats: maxprocs=2 threads=10 handoffs=123 pickups=67 retakes=45 strays=2 "
		"[202:2] preempts=7 overcap=1 parks=120 maxwait=10342us\n");
	cr_assert_eq(fake.writes, 1);
}

Test(stats, no_strays_no_list)
{
	stats_print();
	cr_assert(strstr(fake_output(), " strays=0 preempts=0 "));
}

static void strays(int call, int n)
{
	while (n--)
		stat_stray(call);
}

Test(stats, strays_are_listed_most_frequent_first)
{
	strays(0, 2);
	strays(202, 3);
	strays(PROBE_FAULT, 5);
	strays(7, 2);
	strays(PROBE_UNKNOWN, 1);
	stats_print();
	cr_assert(strstr(fake_output(), " strays=13 [pf:5 202:3 0:2 7:2 ?:1] "));
}

Test(stats, calls_with_numbers_beyond_the_table_are_counted_together)
{
	strays(509, 1);
	strays(PROBE_ASLEEP, 1);
	strays(100000, 2);
	stats_print();
	cr_assert(strstr(fake_output(), " strays=4 [?:3 509:1] "));
}

Test(stats, the_list_of_strays_ends_after_eight)
{
	for (int call = 0; call < 20; call++)
		strays(call, 20 - call);
	stats_print();
	cr_assert(strstr(fake_output(),
			 " strays=210 [0:20 1:19 2:18 3:17 4:16 5:15 6:14 7:13] preempts="));
}

Test(stats, a_maximum_only_rises)
{
	stat_max(maxwait_ns, 5);
	stat_max(maxwait_ns, 3);
	cr_assert_eq(stat_get(maxwait_ns), 5);
	stat_max(maxwait_ns, 6);
	cr_assert_eq(stat_get(maxwait_ns), 6);
}

/* What programs and scrapers hold on to. */
Test(stats, metrics_are_pairs_with_names_of_their_own_and_fit_the_room)
{
	struct gmp_stat all[64], few[3] = { [2] = { "not touched", 7 } };
	int n = gmp_read_stats(all, 64);

	cr_assert(n > 10 && n < 64);
	for (int i = 0; i < n; i++) {
		cr_assert(all[i].name[0] == '/' && strchr(all[i].name, ':'), "%s", all[i].name);
		for (int j = 0; j < i; j++)
			cr_assert_str_neq(all[i].name, all[j].name);
	}
	cr_assert_eq(gmp_read_stats(few, 2), n);
	cr_assert_str_eq(few[1].name, all[1].name);
	cr_assert_str_eq(few[2].name, "not touched");
	cr_assert_eq(gmp_read_stats(NULL, 0), n);
}

Test(stats, metrics_show_what_is_counted)
{
	struct gmp_stat all[64];
	int n;

	stat_add(handoffs, 5);
	n = gmp_read_stats(all, 64);
	for (int i = 0; i < n; i++)
		if (strcmp(all[i].name, "/gmp/handoffs:events") == 0)
			cr_assert_eq(all[i].value, 5);
		else if (strcmp(all[i].name, "/sched/gomaxprocs:threads") == 0)
			cr_assert_eq(all[i].value, 2);
}

Test(stats, latencies_lie_in_the_bucket_that_says_so)
{
	struct gmp_latency l[LATENCIES];

	cr_assert_eq(gmp_read_latencies(NULL, 0), LATENCIES);
	stat_waited(0);
	stat_waited(1000000);
	cr_assert_eq(gmp_read_latencies(l, LATENCIES), LATENCIES);
	cr_assert_eq(l[0].from_ns, 0);
	cr_assert_eq(l[0].count, 1);
	for (int i = 1; i < LATENCIES; i++) {
		bool here = l[i].from_ns <= 1000000 &&
			    (i + 1 == LATENCIES || l[i + 1].from_ns > 1000000);

		cr_assert_lt(l[i - 1].from_ns, l[i].from_ns);
		cr_assert_eq(l[i].count, here, "bucket %d from %lu ns", i, l[i].from_ns);
	}
}

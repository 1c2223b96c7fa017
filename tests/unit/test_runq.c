/*
 * runtime/runq.c: Go's runtime/proc_runtime_test.go (Queue, Empty, Steal) and what is ours: the
 * share of the global queue, overflow, and the order of those that yield.
 */
#include "runtime/runq.h"

#include <criterion/criterion.h>

#include "runtime/opts.h"
#include "runtime/cpu.h"
#include "tests/unit/fake_os.h"

#define GS 700

static struct g gs[GS];
static struct p p1, p2;

static void setup(void)
{
	fake_reset(0);
	memset(&p1, 0, sizeof(p1));
	memset(&p2, 0, sizeof(p2));
	memset(gs, 0, sizeof(gs));
	store_rlx(&sched.gomaxprocs, 1);
}

TestSuite(runq, .init = setup);

static u32 index_of(struct g *g)
{
	return (u32)(g - gs);
}

static void put_globally(u32 n)
{
	for (u32 i = 0; i < n; i++)
		fake_queue(&gs[i]);
}

Test(runq, is_a_fifo_through_every_wrap)
{
	u32 in = 0, out = 0;

	for (u32 n = 0; n < RUNQ_SIZE; n++) {
		cr_assert_null(runq_get(&p1));
		for (u32 i = 0; i < n; i++)
			cr_assert(runq_put(&p1, &gs[in++ % GS]));
		cr_assert_eq(runq_size(&p1), n);
		for (u32 i = 0; i < n; i++)
			cr_assert_eq(runq_get(&p1), &gs[out++ % GS], "%u of %u", i, n);
		cr_assert_null(runq_get(&p1));
	}
}

static void put_looking(u32 i, enum looks looks)
{
	gs[i].looks = looks;
	fake_queue(&gs[i]);
}

static void expect_next(u32 i)
{
	struct g *g = globrunq_get(&p1, 0);

	cr_assert(g);
	cr_assert_eq(index_of(g), i, "%u, not %u", index_of(g), i);
	cr_assert_eq(runq_size(&p1), 0, "who yields keeps no place in a ring");
}

Test(runq, who_looked_in_vain_is_asked_again_when_another_has_found)
{
	put_looking(2, LOOKS_MOVED);
	put_looking(0, LOOKS_IN_VAIN);
	put_looking(1, LOOKS_IN_VAIN);
	put_looking(3, LOOKS_IN_VAIN);
	cr_assert_eq(globrunq_size(), 4);
	expect_next(2);
	expect_next(0); /* nobody else is left */
	put_looking(0, LOOKS_IN_VAIN);
	expect_next(1); /* each was asked before one is asked twice */
	put_looking(1, LOOKS_FOUND);
	expect_next(0);
	expect_next(3);
	expect_next(1);
	cr_assert_eq(globrunq_size(), 0);
	cr_assert_null(globrunq_get(&p1, 0));
}

/* The first look in vain, some others find, the rest compute: each has half of its share. */
static void expect_shares(u32 in_vain, u32 find, u32 compute)
{
	u32 all = in_vain + find + compute, had[GS] = { 0 };

	setup();
	for (u32 i = 0; i < all; i++)
		put_looking(i, LOOKS_NOT);
	for (u32 n = 1; n <= 100 * all; n++) {
		u32 i = index_of(globrunq_get(&p1, 1));

		had[i]++;
		gs[i].ready_ns = n;
		put_looking(i, i < in_vain	    ? LOOKS_IN_VAIN
			       : i < in_vain + find ? LOOKS_FOUND
						    : LOOKS_NOT);
	}
	for (u32 i = 0; i < all; i++)
		cr_assert(had[i] >= 49, "%u of %u, %u and %u: %u", i, in_vain, find, compute,
			  had[i]);
}

/* Whatever the answers are: what they wait for may be the slice of one of the others. */
Test(runq, turns_out_of_turn_are_half_of_all_at_most)
{
	expect_shares(8, 8, 2);
	expect_shares(8, 0, 8);
	expect_shares(1, 8, 0);
}

Test(runq, takes_256_and_says_when_it_is_full)
{
	for (u32 i = 0; i < RUNQ_SIZE; i++)
		cr_assert(runq_put(&p1, &gs[i]));
	cr_assert_not(runq_put(&p1, &gs[RUNQ_SIZE]));
	cr_assert_eq(runq_get(&p1), &gs[0], "the one too many did no harm");
	cr_assert(runq_put(&p1, &gs[RUNQ_SIZE]));
	cr_assert_eq(runq_size(&p1), RUNQ_SIZE);
}

Test(runq, indices_survive_the_wrap_of_32_bits)
{
	store_rlx(&p1.runqhead, ~0u - 3);
	store_rlx(&p1.runqtail, ~0u - 3);
	for (u32 i = 0; i < 10; i++)
		cr_assert(runq_put(&p1, &gs[i]));
	cr_assert_eq(runq_size(&p1), 10);
	for (u32 i = 0; i < 10; i++)
		cr_assert_eq(runq_get(&p1), &gs[i]);
}

/* As Go's TestRunqSteal: every G is somewhere, once. */
Test(runq, steals_half_rounded_up)
{
	for (u32 n = 0; n <= RUNQ_SIZE; n++) {
		u8 seen[GS] = { 0 };
		struct g *g, *first;
		u32 left;

		for (u32 i = 0; i < n; i++)
			runq_put(&p1, &gs[i]);
		first = runq_steal(&p2, &p1);
		cr_assert_eq(first, n ? &gs[0] : NULL, "the oldest of %u", n);
		left = runq_size(&p1);
		cr_assert_eq(left, n / 2, "%u left of %u", left, n);
		cr_assert_eq(runq_size(&p2) + (first != NULL), n - n / 2);
		if (first)
			seen[index_of(first)]++;
		while ((g = runq_get(&p1)) || (g = runq_get(&p2)))
			seen[index_of(g)]++;
		for (u32 i = 0; i < n; i++)
			cr_assert_eq(seen[i], 1, "%u of %u seen %u times", i, n, seen[i]);
	}
}

Test(runq, steals_no_more_than_its_own_ring_has_room_for)
{
	for (u32 i = 0; i < 100; i++)
		runq_put(&p1, &gs[i]);
	for (u32 i = 0; i < RUNQ_SIZE - 10; i++)
		runq_put(&p2, &gs[200 + i]);
	cr_assert_eq(runq_steal(&p2, &p1), &gs[0]);
	cr_assert_eq(runq_size(&p2), RUNQ_SIZE);
	cr_assert_eq(runq_size(&p1), 89, "11 of 50 stolen: 1 returned, 10 had room");
	cr_assert_eq(runq_get(&p1), &gs[11]);
}

Test(runq, the_global_queue_is_a_fifo)
{
	put_globally(3);
	cr_assert_eq(load_rlx(&sched.runq.size), 3);
	for (u32 i = 0; i < 3; i++)
		cr_assert_eq(globrunq_get(&p1, 1), &gs[i]);
	cr_assert_null(globrunq_get(&p1, 1));
	cr_assert_null(globrunq_get(&p1, 0));
	put_globally(1);
	cr_assert_eq(globrunq_get(&p1, 1), &gs[0], "usable after it was empty");
}

Test(runq, takes_a_fair_share_of_the_global_queue)
{
	store_rlx(&sched.gomaxprocs, 4);
	put_globally(100);
	cr_assert_eq(globrunq_get(&p1, 0), &gs[0]);
	cr_assert_eq(runq_size(&p1), 25, "100 / 4 + 1, one of them returned");
	cr_assert_eq(load_rlx(&sched.runq.size), 74);
	cr_assert_eq(runq_get(&p1), &gs[1], "in order");
}

Test(runq, takes_no_more_than_half_a_ring_at_once)
{
	put_globally(600);
	cr_assert_eq(globrunq_get(&p1, 0), &gs[0]);
	cr_assert_eq(runq_size(&p1), RUNQ_SIZE / 2 - 1);
}

Test(runq, takes_no_more_than_it_is_told_or_has_room_for)
{
	put_globally(20);
	cr_assert_eq(globrunq_get(&p1, 5), &gs[0]);
	cr_assert_eq(runq_size(&p1), 4);
	for (u32 i = 0; i < RUNQ_SIZE - 2; i++)
		runq_put(&p2, &gs[100 + i]);
	cr_assert_eq(globrunq_get(&p2, 10), &gs[5]);
	cr_assert_eq(runq_size(&p2), RUNQ_SIZE);
	cr_assert_eq(load_rlx(&sched.runq.size), 12);
	cr_assert_eq(globrunq_get(&p1, 1), &gs[8], "the one without room is still the next");
}

/* ---- near: the CPU that we run on is 1 ---- */

/* Computes, as those do that gave way at the end of a slice. */
static void put_computing(u32 i, u32 cpu, u64 ready_ns)
{
	gs[i].cpu = cpu;
	gs[i].ready_ns = ready_ns;
	fake_queue(&gs[i]);
}

Test(runq, among_those_that_compute_a_p_takes_who_ran_on_its_cpu)
{
	store_rlx(&sched.gomaxprocs, 2);
	fake_set_cpu(1);
	for (u32 i = 0; i < 6; i++)
		put_computing(i, i % 2, i * MS);
	cr_assert_eq(globrunq_get(&p1, 0), &gs[1]);
	cr_assert_eq(runq_get(&p1), &gs[3]);
	cr_assert_eq(runq_get(&p1), &gs[5]);
	cr_assert_null(runq_get(&p1), "the others are the other P's");
	cr_assert_eq(globrunq_get(&p2, 1), &gs[0], "but for want of better ones");
}

Test(runq, not_for_longer_than_two_slices)
{
	store_rlx(&sched.gomaxprocs, 2);
	fake_set_cpu(1);
	put_computing(0, 0, 0);
	put_computing(1, 1, 2 * opts.slice_us * US + 1);
	cr_assert_eq(globrunq_get(&p1, 1), &gs[0]);
}

Test(runq, nor_with_one_p)
{
	fake_set_cpu(1);
	put_computing(0, 0, 0);
	put_computing(1, 1, 0);
	cr_assert_eq(globrunq_get(&p1, 1), &gs[0]);
}

Test(runq, yielders_keep_their_order_on_any_cpu)
{
	store_rlx(&sched.gomaxprocs, 2);
	fake_set_cpu(1);
	put_looking(0, LOOKS_MOVED);
	gs[1].cpu = 1;
	put_looking(1, LOOKS_MOVED);
	cr_assert_eq(globrunq_get(&p1, 0), &gs[0]);
	put_computing(2, 0, 0);
	gs[3].cpu = 1;
	put_looking(3, LOOKS_MOVED);
	cr_assert_eq(globrunq_get(&p1, 0), &gs[1]);
	cr_assert_eq(globrunq_get(&p1, 0), &gs[2]);
	cr_assert_eq(globrunq_get(&p1, 0), &gs[3]);
}

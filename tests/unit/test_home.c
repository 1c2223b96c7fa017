/* runtime/home.c: who goes first in a home, for how long, and which home a P serves. */
#include "runtime/home.h"

#include <criterion/criterion.h>

#include "runtime/cpu.h"
#include "runtime/opts.h"
#include "runtime/runq.h"
#include "tests/unit/fake_os.h"

#define GS 20

static struct g gs[GS];
static struct p p1;

static void setup(void)
{
	fake_reset(0);
	memset(&p1, 0, sizeof(p1));
	memset(gs, 0, sizeof(gs));
	store_rlx(&sched.gomaxprocs, 1);
	store_rlx(&sched.nhome, 1);
}

TestSuite(home, .init = setup);

Test(home, a_g_goes_where_it_says_it_belongs)
{
	gs[0].back = true;
	fake_queue(&gs[0]);
	fake_queue(&gs[1]);
	cr_assert_eq(homes_back(), 1);
	cr_assert_eq(load_rlx(&sched.runq.size), 1);
	cr_assert_eq(home_get(&p1, fake.now), &gs[0]);
	cr_assert_null(home_get(&p1, fake.now));
}

Test(home, who_holds_a_lock_goes_first_of_all)
{
	gs[0].back = gs[1].back = gs[2].back = true;
	gs[1].holder = gs[2].holder = true;
	for (u32 i = 0; i < 4; i++) {
		gs[i].ready_ns = fake.now;
		fake_queue(&gs[i]);
	}
	cr_assert_eq(globrunq_size() + homes_size(), 4);
	cr_assert_eq(home_get(&p1, fake.now), &gs[1]);
	cr_assert_eq(home_get(&p1, fake.now), &gs[2]);
	cr_assert_eq(home_get(&p1, fake.now), &gs[0]);
	cr_assert_null(home_get(&p1, fake.now));
	cr_assert_eq(globrunq_size(), 1);
}

/* Eight threads that hold a lock whenever they come back. */
Test(home, who_holds_no_lock_has_a_turn_after_a_slice)
{
	u64 start = fake.now, slice = opts.slice_us * US, now = start;
	u32 locked = 0, free = 0;

	for (u32 i = 0; i < 12; i++) {
		gs[i].back = true;
		gs[i].holder = i < 8;
		gs[i].ready_ns = start;
		fake_queue(&gs[i]);
	}
	for (; free < 4 && locked < 1000; now += 50 * US) {
		struct g *g = home_get(&p1, now);

		cr_assert(now - start >= slice || g->holder, "too early");
		cr_assert_leq(free, locked);
		if (!g->holder) {
			cr_assert_eq(g, &gs[8 + free], "in their order");
			free++;
			continue;
		}
		locked++;
		g->ready_ns = now;
		fake_queue(g);
	}
	cr_assert_eq(free, 4, "nobody waits for ever");
	cr_assert_leq(now - start, slice + 8 * 50 * US);
}

Test(home, prefers_those_who_come_back_for_one_slice)
{
	u64 start = fake.now, slice = opts.slice_us * US;

	for (u32 i = 0; i < 4; i++) {
		gs[i].back = true;
		fake_queue(&gs[i]);
	}
	fake_queue(&gs[9]);
	cr_assert_eq(home_get(&p1, start), &gs[0], "a row begins");
	p1.boost_ns = start;
	cr_assert_eq(home_get(&p1, start + slice - 1), &gs[1]);
	cr_assert_null(home_get(&p1, start + slice), "now it is the turn of the others");
	cr_assert_eq(globrunq_get(&p1, 1), &gs[9]);
	cr_assert_eq(home_get(&p1, start + slice), &gs[2], "who are none: nothing to be fair to");
	runq_put(&p1, &gs[9]);
	cr_assert_null(home_get(&p1, start + slice), "others in the ring count as well");
}

/* ---- near: the CPU that we run on is 1 ---- */

static void put_back(u32 i, u32 cpu, u64 ready_ns)
{
	gs[i].back = true;
	gs[i].cpu = cpu;
	gs[i].ready_ns = ready_ns;
	fake_queue(&gs[i]);
}

static void expect_order(u32 a, u32 b, u32 c)
{
	cr_assert_eq(home_get(&p1, fake.now), &gs[a]);
	cr_assert_eq(home_get(&p1, fake.now), &gs[b]);
	cr_assert_eq(home_get(&p1, fake.now), &gs[c]);
	cr_assert_null(home_get(&p1, fake.now));
	cr_assert_eq(globrunq_size(), 0);
}

Test(home, who_ran_on_this_cpu_goes_before_who_came_just_before)
{
	fake_set_cpu(1);
	put_back(0, 0, 10 * US);
	put_back(1, 1, 11 * US);
	put_back(2, 0, 12 * US);
	expect_order(1, 0, 2);
}

Test(home, the_last_may_be_taken_first)
{
	fake_set_cpu(1);
	put_back(0, 0, 10 * US);
	put_back(1, 1, 11 * US);
	cr_assert_eq(home_get(&p1, fake.now), &gs[1]);
	put_back(1, 0, 12 * US);
	put_back(2, 0, 13 * US);
	expect_order(0, 1, 2);
}

Test(home, nobody_is_passed_by_who_came_a_millisecond_later)
{
	fake_set_cpu(1);
	put_back(0, 0, 10 * US);
	put_back(1, 0, 20 * US);
	put_back(2, 1, 1011 * US);
	expect_order(0, 2, 1);
}

Test(home, only_the_first_sixteen_are_looked_at)
{
	fake_set_cpu(1);
	for (u32 i = 0; i < 16; i++)
		put_back(i, 0, 10 * US);
	put_back(16, 1, 10 * US);
	cr_assert_eq(home_get(&p1, fake.now), &gs[0]);
	cr_assert_eq(home_get(&p1, fake.now), &gs[16]);
}

Test(home, where_nobody_knows_the_cpu_they_go_in_their_order)
{
	fake_set_cpu(CPU_NONE);
	put_back(0, 0, 10 * US);
	put_back(1, CPU_NONE, 11 * US);
	put_back(2, 0, 12 * US);
	expect_order(0, 1, 2);
}
/* ---- several homes ---- */

static void put_at(u32 home, u32 i, u64 ready_ns)
{
	gs[i].home = home;
	put_back(i, CPU_NONE, ready_ns);
}

static void three_homes(void)
{
	fake_set_cpu(CPU_NONE);
	store_rlx(&sched.nhome, 3);
	p1.id = HOME_PS + 1;
}

Test(home, a_p_serves_its_own_first)
{
	three_homes();
	put_at(0, 0, 10 * US);
	put_at(1, 1, 20 * US);
	put_at(2, 2, 10 * US);
	cr_assert_eq(home_get(&p1, fake.now), &gs[1]);
	cr_assert_eq(homes_back(), 2);
}

Test(home, and_then_the_others)
{
	three_homes();
	put_at(0, 0, 10 * US);
	put_at(2, 2, 10 * US);
	cr_assert_eq(home_get(&p1, fake.now), &gs[2]);
	cr_assert_eq(home_get(&p1, fake.now), &gs[0]);
	cr_assert_null(home_get(&p1, fake.now));
}

/* At each third grant it looks at the home in question. */
Test(home, but_those_elsewhere_wait_no_more_than_a_slice_longer)
{
	u64 slice = opts.slice_us * US;

	three_homes();
	put_at(2, 0, 0 + 1);
	put_at(1, 1, slice + 1);
	put_at(1, 2, slice + 2);
	store_rlx(&p1.schedtick, 2);
	cr_assert_eq(home_get(&p1, fake.now), &gs[1], "a slice is not longer than a slice");
	cr_assert_eq(home_get(&p1, fake.now), &gs[0]);
	cr_assert_eq(home_get(&p1, fake.now), &gs[2]);
}

/* The number of Ps was lowered, and those who come back here have a lock each time. */
Test(home, nor_where_there_are_but_holders_here)
{
	three_homes();
	store_rlx(&p1.schedtick, 2);
	put_at(2, 0, fake.now);
	gs[1].holder = true;
	put_at(1, 1, fake.now);
	cr_assert_eq(home_get(&p1, fake.now + opts.slice_us * US + 1), &gs[0]);
	cr_assert_eq(home_get(&p1, fake.now), &gs[1]);
}

Test(home, holders_elsewhere_are_served_where_the_own_one_is_empty)
{
	three_homes();
	gs[0].holder = true;
	put_at(0, 0, 10 * US);
	cr_assert_eq(homes_holders(), 1);
	cr_assert_eq(home_get(&p1, fake.now), &gs[0]);
	cr_assert_null(home_get(&p1, fake.now));
}

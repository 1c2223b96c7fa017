/* runtime/loan.c: who gets a P on loan, step by step; test_sim.c has it at random. */
#include "runtime/loan.h"

#include <criterion/criterion.h>

#include "runtime/entersyscall.h"
#include "runtime/fence.h"
#include "runtime/hold.h"
#include "runtime/home.h"
#include "runtime/procs.h"
#include "runtime/runq.h"
#include "tests/unit/fake_g.h"

static struct m *m; /* has the only P */
static struct p *p;

static void setup(void)
{
	fake_reset(0);
	m = g_here(1);
	p = m->p;
	store_rlx(&p->served_ns, fake.now);
	fake_set_cpu(0);
	fence_busy();
}

TestSuite(loan, .init = setup);

static struct g *somebody_waits(void)
{
	struct g *other = g_puppet();

	store_rlx(&other->status, G_RUNNABLE);
	other->m->queued = true;
	other->back = true;
	other->ready_ns = fake.now;
	fake_queue(other);
	add_sc(&sched.nwait, 1);
	return other;
}

/* The P has been picked up n times. */
static void lucky(int n)
{
	while (n--) {
		entersyscall(m, MAY_WAIT, 0);
		cr_assert_eq(loan_take(m), p);
		/* And is ours again. */
		store_rlx(&m->g->status, G_RUNNING);
		store_rlx(&m->g->hold, hold_make(n, p->id, HOLD_KEPT));
	}
}

Test(loan, is_none_of_one_that_runs)
{
	u64 word = load_rlx(&m->g->hold);

	cr_assert_not(seize_loan(p));
	cr_assert_eq(load_rlx(&m->g->hold), word, "asked for still: its next exit would be slow");
}

Test(loan, is_picked_up_where_the_lender_ran)
{
	entersyscall(m, MAY_WAIT, 0);
	cr_assert_eq(loan_take(m), p);
	cr_assert_eq(hold_of(load_rlx(&m->g->hold)), HOLD_LOST);
	cr_assert_eq(stat_get(pickups), 1);
}

Test(loan, is_not_robbed_on_another_cpu)
{
	entersyscall(m, MAY_WAIT, 0);
	fake_set_cpu(1);
	cr_assert_null(loan_take(m));
	cr_assert_eq(hold_of(load_rlx(&m->g->hold)), HOLD_KEPT);
}

Test(loan, of_one_that_waits_is_taken_on_any_cpu)
{
	entersyscall(m, WILL_WAIT, 0);
	fake_set_cpu(1);
	cr_assert_eq(loan_take(m), p);
}

Test(loan, is_left_and_nobody_is_asked_while_a_p_is_idle)
{
	procresize(2);
	fake.nonblocking = false;
	entersyscall(m, MAY_READ(5), 0);
	fake_set_cpu(1);
	fake.would_block_asked = 0;
	cr_assert_null(loan_take(m));
	cr_assert_eq(fake.would_block_asked, 0);
	cr_assert(g_has_p(m->g));
}

Test(loan, of_one_that_waits_is_not_taken_past_others)
{
	entersyscall(m, WILL_WAIT, 0);
	somebody_waits();
	fake_set_cpu(1);
	cr_assert_null(loan_take(m));
}

static bool would_block(int fd, bool write)
{
	return fd == 3 && !write;
}

Test(loan, of_one_whose_descriptor_says_that_it_waits_is_taken_on_any_cpu)
{
	entersyscall(m, MAY_READ(3), 0);
	fake_set_cpu(1);
	cr_assert_null(loan_take(m), "it has its data");
	fake.would_block = would_block;
	fake.nonblocking = true;
	cr_assert_null(loan_take(m));
	fake.nonblocking = false;
	cr_assert_eq(loan_take(m), p);
}

Test(loan, of_a_running_g_is_none)
{
	cr_assert_null(loan_take(m));
}

Test(loan, is_not_picked_up_where_nobody_knows_the_cpu)
{
	fake_set_cpu(CPU_NONE);
	entersyscall(m, MAY_WAIT, 0);
	cr_assert_null(loan_take(m));
}

Test(loan, is_not_picked_up_in_quiet_times)
{
	fence_quiet();
	entersyscall(m, MAY_WAIT, 0);
	cr_assert_null(loan_take(m));
}

Test(loan, is_left_by_a_p_with_luck)
{
	struct g *other;

	lucky(1);
	other = somebody_waits();
	entersyscall(m, WILL_WAIT, 0);
	cr_assert_eq(hold_of(load_rlx(&m->g->hold)), HOLD_KEPT);
	cr_assert_eq(load_rlx(&other->m->park.key), 0);
}

Test(loan, is_left_by_a_p_with_luck_without_a_question)
{
	struct g *other;

	lucky(1);
	other = somebody_waits();
	entersyscall(m, MAY_READ(3), 0);
	cr_assert_eq(fake.would_block_asked, 0);
	cr_assert_eq(hold_of(load_rlx(&m->g->hold)), HOLD_KEPT);
	cr_assert_eq(load_rlx(&other->m->park.key), 0);
}

Test(loan, that_lapses_ends_the_luck)
{
	lucky(3);
	loan_lapsed(p);
	somebody_waits();
	entersyscall(m, WILL_WAIT, 0);
	cr_assert_eq(hold_of(load_rlx(&m->g->hold)), HOLD_LOST);
}

Test(loan, is_tried_now_and_then_without_luck)
{
	int left = 0;

	somebody_waits();
	for (int i = 0; i < 64; i++)
		left += loan_leave(m);
	cr_assert_eq(left, 4);
}

Test(loan, goes_to_the_queue_when_its_first_has_waited_long)
{
	struct g *other = somebody_waits();

	lucky(1);
	fake.now += 3 * MS;
	cr_assert_not(loan_leave(m));
	entersyscall(m, MAY_WAIT, 0);
	cr_assert_null(loan_take(m));
	cr_assert_eq(load_rlx(&other->m->park.key), p->id + 1);
}

Test(loan, goes_to_those_who_compute_once_a_slice)
{
	struct g *other = somebody_waits();

	lucky(1);
	other->ready_ns = 0;
	store_rlx(&home_of(p)->first_ns, 0); /* as if it were not one back from a call */
	cr_assert(loan_leave(m));
	fake.now += opts.slice_us * US + 1;
	cr_assert_not(loan_leave(m));
}

Test(loan, goes_to_the_queue_at_once_when_one_with_a_lock_waits)
{
	struct g *other = g_puppet();

	lucky(1);
	other->back = other->holder = true;
	other->ready_ns = fake.now;
	fake_queue(other);
	add_sc(&sched.nwait, 1);
	cr_assert_not(loan_leave(m), "others may wait for that lock");
}

Test(loan, is_not_left_where_sysmon_comes_late)
{
	somebody_waits();
	lucky(1);
	opts.retake_us = 200;
	cr_assert(loan_leave(m));
	opts.retake_us = 201;
	cr_assert_not(loan_leave(m));
}

Test(loan, is_not_picked_up_while_the_world_stops)
{
	entersyscall(m, MAY_WAIT, 0);
	store_rlx(&sched.stopping, 1);
	cr_assert_null(loan_take(m));
	store_rlx(&sched.stopping, 0);
	cr_assert_eq(loan_take(m), p);
}

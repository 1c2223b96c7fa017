/* runtime/holder.c: whom a lock's holder is held up by, seen by who only tries for the lock. */
#include "runtime/holder.h"

#include <criterion/criterion.h>

#include "tests/unit/fake_g.h"
#include "tests/unit/fake_threads.h"

#define LOCK 0x5000ul
#define OTHER 0x6000ul
#define TID 77

static struct m *m;

static void setup(void)
{
	fake_reset(0);
	m = g_here(1);
	m->tid = TID;
	holder_named(m);
}

TestSuite(holder, .init = setup);

static void in_a_call(u64 class)
{
	store_rlx(&m->class, class);
	store_rlx(&m->g->status, G_SYSCALL);
	m->depth = 1;
}

static void without_p(enum g_status status)
{
	u64 w = load_rlx(&m->g->hold);

	store_rlx(&m->g->hold, hold_make(hold_serial(w), hold_pid(w), HOLD_LOST));
	store_rlx(&m->g->status, status);
}

Test(holder, one_that_runs_is_not)
{
	cr_assert_not(holder_held_up(TID, LOCK));
}

Test(holder, one_that_waits_for_a_p_is)
{
	without_p(G_RUNNABLE);
	cr_assert(holder_held_up(TID, LOCK));
}

Test(holder, so_is_one_about_to)
{
	without_p(G_RUNNING);
	cr_assert(holder_held_up(TID, LOCK));
}

Test(holder, one_that_blocks_with_it_is_not_whoever_has_its_p)
{
	in_a_call(MAY_WAIT);
	cr_assert_not(holder_held_up(TID, LOCK));
	without_p(G_SYSCALL);
	cr_assert_not(holder_held_up(TID, LOCK));
}

Test(holder, one_on_its_way_through_a_wait_for_this_mutex_is)
{
	in_a_call(WILL_WAIT | ON(WAIT_MUTEX, LOCK));
	cr_assert(holder_held_up(TID, LOCK));
	cr_assert_not(holder_held_up(TID, OTHER), "it has that one, and waits for this");
}

Test(holder, so_is_one_that_waits_for_a_condition_with_it)
{
	in_a_call(WILL_WAIT | ON(WAIT_COND, OTHER));
	store_rlx(&m->with, LOCK);
	cr_assert(holder_held_up(TID, LOCK));
	cr_assert_not(holder_held_up(TID, OTHER));
}

Test(holder, its_last_wait_is_forgotten)
{
	in_a_call(WILL_WAIT | ON(WAIT_MUTEX, LOCK));
	store_rlx(&m->g->status, G_RUNNING);
	cr_assert(holder_held_up(TID, LOCK), "not before it is out of the gate");
	m->depth = 0;
	cr_assert_not(holder_held_up(TID, LOCK));
}

Test(holder, nobody_is_who_needs_no_p)
{
	without_p(G_RUNNING);
	store_rlx(&sched.dissolved, 1);
	cr_assert_not(holder_held_up(TID, LOCK));
}

Test(holder, who_is_not_known_is_not)
{
	without_p(G_RUNNABLE);
	cr_assert_not(holder_held_up(0, LOCK), "no owner");
	cr_assert_not(holder_held_up(TID + 1, LOCK));
	cr_assert_not(holder_held_up(TID + (1 << 20), LOCK), "the same low bits");
	cr_assert_not(holder_held_up(-TID, LOCK), "what libc writes for a mutex that is lost");
	store_rlx(&m->live, 0);
	cr_assert_not(holder_held_up(TID, LOCK), "it has ended");
}

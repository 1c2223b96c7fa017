/* runtime/check.c: each way in which the books can be wrong is found, and the right ones are not.
 */
#include <criterion/criterion.h>

#include "runtime/runq.h"
#include "tests/unit/fake_g.h"

static struct m *m;

static void setup(void)
{
	fake_reset(0);
	m = g_here(3);
	opts.on_bug = ON_BUG_DISSOLVE;
}

TestSuite(check, .init = setup);

static u32 some_idle(void)
{
	return m->p->id == 0;
}

static void finds(const char *what)
{
	cr_assert_eq(sched_check(), -1);
	cr_assert(strstr(fake_output(), what), "not found: %s", what);
	cr_assert_eq(load_rlx(&sched.dissolved), 1);
	cr_assert_eq(load_rlx(&sched.lock.key), 0);
}

Test(check, is_content_with_what_is_right)
{
	cr_assert_eq(sched_check(), 0);
	g_puppet();
	cr_assert_eq(sched_check(), 0);
	entersyscall(m, MAY_WAIT, 0);
	cr_assert_eq(sched_check(), 0);
	cr_assert_str_eq(fake_output(), "");
}

Test(check, finds_a_p_that_fell_out_of_the_idle_mask)
{
	and_sc(&sched.pidle[0], ~(1ul << some_idle()));
	finds("idle mask and its count differ: handed out 1, idle 1, lent 3 of 3");
}

Test(check, finds_a_p_that_is_neither_idle_nor_handed_out)
{
	and_sc(&sched.pidle[0], ~(1ul << some_idle()));
	store_rlx(&sched.npidle, load_rlx(&sched.npidle) - 1);
	finds("a P is lost: handed out 1, idle 1, lent 3 of 3");
}

Test(check, finds_a_p_that_was_counted_twice)
{
	store_rlx(&sched.allp[some_idle()]->status, P_RUNNING);
	finds("a P is lost: handed out 2, idle 2, lent 3 of 3");
}

Test(check, finds_a_g_that_waits_beside_an_idle_p)
{
	fake_queue(newg(NULL, NULL));
	finds("a G waits while a P is idle");
}

Test(check, finds_a_g_that_waits_in_a_ring_beside_an_idle_p)
{
	runq_put(m->p, newg(NULL, NULL));
	finds("a G waits while a P is idle");
}

Test(check, finds_a_p_that_nobody_holds)
{
	store_rlx(&m->g->hold, load_rlx(&m->g->hold) | HOLD_LOST);
	fake.cpus = 1;
	finds("nobody holds a P that is handed out");
}

Test(check, waits_for_a_p_that_is_on_its_way)
{
	struct g *g = newg(NULL, NULL);
	struct p *p = m->p;

	store_rlx(&m->g->hold, load_rlx(&m->g->hold) | HOLD_LOST);
	store_rel(&p->g, g);
	store_rlx(&g->m->park.key, p->id + 1);
	cr_assert_eq(sched_check(), 0, "granted, not yet awake");
}

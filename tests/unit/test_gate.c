/* runtime/gate.c: gates in gates, gates that a jump left open, and threads that are nobody's. */
#include "runtime/gate.h"

#include <criterion/criterion.h>

#include "runtime/hooks.h"
#include "runtime/runq.h"
#include "tests/unit/fake_g.h"
#include "tests/unit/fake_threads.h"

#define SP 0x7000000ul /* of the frame whose gate is open; stacks grow down */
#define ALT_LO 0x100000ul
#define ALT_HI 0x110000ul

static struct m *m;
static struct g *g;

static void setup(void)
{
	fake_reset(0);
	m = g_here(1);
	g = m->g;
	fake_test.alt_lo = ALT_LO;
	fake_test.alt_hi = ALT_HI;
}

TestSuite(gate, .init = setup);

static u32 status(void)
{
	return load_rlx(&g->status);
}

static u32 ticks(void)
{
	return load_rlx(&g->syscalltick);
}

Test(gate, the_outermost_is_a_bracket)
{
	struct gate gate = gate_open(MAY_WAIT, 17, SP);

	cr_assert(gate.bracket);
	cr_assert_eq(status(), G_SYSCALL);
	cr_assert_eq(m->depth, 1);
	cr_assert_not(gate_active());
	gate_close(&gate);
	cr_assert_eq(status(), G_RUNNING);
	cr_assert_eq(m->depth, 0);
	cr_assert(gate_active());
}

Test(gate, a_call_that_cannot_wait_has_none)
{
	struct gate gate = gate_open(NEVER, 17, SP);

	cr_assert_null(gate.m);
	cr_assert_eq(m->depth, 0);
	cr_assert_eq(ticks(), 0);
	gate_close(&gate);
	cr_assert_eq(status(), G_RUNNING);
}

Test(gate, a_handler_inside_the_call_passes_through)
{
	struct gate outer = gate_open(MAY_WAIT, 1, SP), mid, inner;
	u32 tick = ticks();

	mid = gate_open(WILL_WAIT, 2, SP - 100);
	inner = gate_open(WILL_WAIT, 3, SP - 200);
	cr_assert_not(mid.bracket);
	cr_assert_not(inner.bracket);
	cr_assert_eq(m->depth, 3);
	cr_assert_eq(ticks(), tick, "the outer call is still the one that sysmon sees");
	gate_close(&inner);
	cr_assert_eq(m->depth, 2);
	gate_close(&mid);
	cr_assert_eq(m->depth, 1);
	cr_assert_eq(status(), G_SYSCALL, "the outer call goes on");
	gate_close(&outer);
	cr_assert_eq(status(), G_RUNNING);
	cr_assert_eq(m->depth, 0);
}

Test(gate, a_handler_of_a_parked_thread_passes_through)
{
	struct gate outer = gate_open_parked(m, SP), inner;

	store_rlx(&g->status, G_RUNNABLE);
	inner = gate_open(WILL_WAIT, 2, SP - 100);
	cr_assert_not(inner.bracket);
	gate_close(&inner);
	cr_assert_eq(status(), G_RUNNABLE);
	cr_assert_eq(m->depth, outer.depth + 1);
}

/* On its way in or out the thread has a P that would be blocked with it. */
Test(gate, a_handler_on_the_way_in_or_out_has_a_bracket_of_its_own)
{
	struct gate outer = gate_open(MAY_WAIT, 1, SP), inner;

	store_rlx(&g->status, G_RUNNING);
	inner = gate_open(WILL_WAIT, 2, SP - 100);
	cr_assert(inner.bracket);
	cr_assert_eq(status(), G_SYSCALL);
	cr_assert_eq(m->depth, 2);
	cr_assert_eq(m->gate_sp, SP, "the outermost is what a jump is measured by");
	gate_close(&inner);
	cr_assert_eq(status(), G_RUNNING);
	cr_assert_eq(m->depth, 1);
	gate_close(&outer);
	cr_assert_eq(m->depth, 0);
}

/* ---- jumps ---- */

Test(gate, a_jump_above_the_call_closes_it_and_one_below_does_not)
{
	gate_open(MAY_WAIT, 1, SP);
	gate_jump(SP - 8);
	cr_assert_eq(m->depth, 1);
	cr_assert_eq(status(), G_SYSCALL);
	gate_jump(SP);
	cr_assert_eq(m->depth, 0);
	cr_assert_eq(status(), G_RUNNING);
	gate_jump(SP + 8); /* nothing is open */
	cr_assert_eq(status(), G_RUNNING);
}

Test(gate, one_left_unseen_is_closed_by_the_next_from_above)
{
	struct gate next;

	gate_open(MAY_WAIT, 1, SP);
	gate_open(MAY_WAIT, 2, SP - 100);
	next = gate_open(MAY_WAIT, 3, SP + 100);
	cr_assert(next.bracket);
	cr_assert_eq(next.depth, 0);
	cr_assert_eq(m->depth, 1);
	cr_assert_eq(m->gate_sp, SP + 100);
	gate_close(&next);
	cr_assert_eq(m->depth, 0);
	cr_assert_eq(status(), G_RUNNING);
}

Test(gate, a_handler_on_the_alternate_stack_is_inside_whichever_side_that_lies)
{
	struct gate outer = gate_open(MAY_WAIT, 1, 0x1000), inner; /* below the alternate stack */

	inner = gate_open(MAY_WAIT, 2, ALT_HI - 1);
	cr_assert_not(inner.bracket);
	gate_close(&inner);
	gate_jump(ALT_LO);
	cr_assert_eq(status(), G_SYSCALL);
	/* Its end is not part of it: that is a frame above. */
	gate_jump(ALT_HI);
	cr_assert_eq(status(), G_RUNNING);
	cr_assert_eq(m->depth, outer.depth);
}

Test(gate, a_jump_off_the_alternate_stack_closes_what_was_open_there)
{
	gate_open(MAY_WAIT, 1, ALT_HI - 64);
	gate_jump(ALT_HI - 128);
	cr_assert_eq(m->depth, 1, "down on the same stack");
	gate_jump(0x1000);
	cr_assert_eq(m->depth, 0, "to the main stack, though that is lower");
	cr_assert_eq(status(), G_RUNNING);
}

Test(gate, a_jump_out_of_the_queue_waits_for_the_p_first)
{
	struct p *p = releasep(g, GO_STOP);

	gate_open_parked(m, SP);
	store_rlx(&g->status, G_RUNNABLE);
	m->queued = true;
	fake_queue(g);
	add_sc(&sched.nwait, 1);
	handoffp(p); /* on its way through our note */
	gate_jump(SP + 8);
	cr_assert(g_has_p(g));
	cr_assert_not(m->queued);
	cr_assert_eq(status(), G_RUNNING);
	cr_assert_eq(m->depth, 0);
}

/* ---- nobody's threads ---- */

Test(gate, a_forked_child_closes_nothing)
{
	struct gate gate = gate_open(MAY_WAIT, 1, SP), childs;

	store_rlx(&m->live, 0);
	gate_close(&gate);
	cr_assert_eq(m->depth, 1);
	cr_assert_eq(status(), G_SYSCALL);
	gate_jump(SP + 8);
	cr_assert_eq(status(), G_SYSCALL);
	childs = gate_open(MAY_WAIT, 2, SP - 100);
	cr_assert_null(childs.m);
	cr_assert_not(gate_active());
}

static u32 adopted;

static struct m *adopt(void)
{
	adopted++;
	return gmp_tls_m = m;
}

Test(gate, a_thread_not_born_through_us_is_adopted_once_there_is_a_scheduler)
{
	struct gate gate;

	adopted = 0;
	gmp_tls_m = NULL;
	rt_hooks.adopt = adopt;
	store_rlx(&sched.active, 0);
	gate = gate_open(MAY_WAIT, 1, SP);
	cr_assert_null(gate.m);
	cr_assert_eq(adopted, 0, "one thread: not our business");
	store_rlx(&sched.active, 1);
	gate = gate_open(MAY_WAIT, 1, SP);
	cr_assert_eq(adopted, 1);
	cr_assert(gate.bracket);
	cr_assert_eq(status(), G_SYSCALL);
	gate_close(&gate);
	gmp_tls_m = &m_off;
	gate = gate_open(MAY_WAIT, 1, SP);
	cr_assert_null(gate.m);
	cr_assert_eq(adopted, 1, "a thread of ours is left alone");
}

/* ---- yields ---- */

Test(gate, a_yield_asks_the_kernel_gives_way_or_does_nothing)
{
	u64 start = load_rlx(&m->p->granted_ns);

	cr_assert_eq(gate_yields(m, 0), YIELD_KERNEL);
	add_sc(&sched.nwait, 1);
	fake.now = start + 50 * US - 1;
	cr_assert_eq(gate_yields(m, 0), YIELD_NOT_YET);
	fake.now = start + 50 * US;
	cr_assert_eq(gate_yields(m, 0), YIELD_NOW);
	fake.now = start;
	store_rlx(&sched.nwait, 0);
	store_rlx(&sched.stopping, 1);
	cr_assert_eq(gate_yields(m, 0), YIELD_NOW, "the world stops");
	store_rlx(&sched.stopping, 0);
	releasep(g, GO_STOP);
	cr_assert_eq(gate_yields(m, 0), YIELD_NOW, "a stray needs a P");
}

static int yields_to_give_way(void)
{
	int n = 1;

	while (gate_yields(m, 0) == YIELD_NOT_YET && n < 1000)
		n++;
	return n;
}

Test(gate, the_turn_of_one_who_only_yields_is_short_but_with_a_lock)
{
	fake.now = load_rlx(&m->p->granted_ns);
	add_sc(&sched.nwait, 1);
	cr_assert_eq(yields_to_give_way(), 64);
	gate_locked();
	cr_assert_eq(yields_to_give_way(), 1000, "the next would run into the lock");
	gate_unlocked();
	cr_assert_eq(yields_to_give_way(), 1);
	store_rlx(&sched.nwait, 0);
	gosched(m, false);
	add_sc(&sched.nwait, 1);
	cr_assert_eq(yields_to_give_way(), 64, "and as long at the next turn");
	store_rlx(&sched.nwait, 0);
}

static enum looks looks_after(u64 first, u64 then, u64 woke_late_ns)
{
	u64 start = load_rlx(&m->p->granted_ns);

	m->began_ns = fake.now = start + woke_late_ns;
	store_rlx(&m->p->yields, 0);
	gate_yields(m, first);
	while (gate_yields(m, then) == YIELD_NOT_YET)
		;
	return g->looks;
}

Test(gate, who_comes_back_to_the_same_yield_looked_in_vain)
{
	add_sc(&sched.nwait, 1);
	cr_assert_eq(looks_after(1, 1, 0), LOOKS_MOVED, "the first");
	cr_assert_eq(looks_after(1, 1, 0), LOOKS_IN_VAIN);
	cr_assert_eq(looks_after(1, 1, 10 * MS), LOOKS_IN_VAIN, "without a CPU it did not look");
	cr_assert_eq(looks_after(1, 2, 0), LOOKS_FOUND);
	cr_assert_eq(looks_after(1, 2, 0), LOOKS_MOVED, "it did not wait before");
	cr_assert_eq(looks_after(2, 2, 0), LOOKS_IN_VAIN);
	cr_assert_eq(looks_after(0, 0, 0), LOOKS_FOUND, "nobody knows that it has not");
	m->yields_at = 3;
	m->began_ns = 0;
	fake.now = load_rlx(&m->p->granted_ns) + 200 * US;
	cr_assert_eq(gate_yields(m, 3), YIELD_NOW);
	cr_assert_eq(g->looks, LOOKS_MOVED, "it worked in between");
	store_rlx(&sched.nwait, 0);
}

/* ---- locks ---- */

Test(gate, an_unlock_in_a_gate_or_of_one_lock_of_two_does_not_give_way)
{
	u64 word = load_rlx(&g->hold);
	struct gate gate;

	store_rlx(&g->preempt, 1);
	add_sc(&sched.nwait, 1);
	gate_locked();
	gate_locked();
	g_unlocked();
	gate = gate_open(MAY_WAIT, 1, SP);
	g_unlocked(); /* by a handler that interrupted the call */
	cr_assert_eq(load_rlx(&m->held), 0);
	cr_assert_eq(status(), G_SYSCALL);
	store_rlx(&sched.nwait, 0);
	gate_close(&gate);
	cr_assert_eq(load_rlx(&g->hold), word);
}

Test(gate, a_forked_child_counts_no_locks)
{
	store_rlx(&m->live, 0);
	gate_locked();
	g_unlocked();
	cr_assert_eq(load_rlx(&m->held), 0);
	gmp_tls_m = NULL;
	gate_locked();
	g_unlocked();
	gmp_tls_m = &m_off;
	g_unlocked();
	gate_locked();
	cr_assert_eq(load_rlx(&m_off.held), 0);
}

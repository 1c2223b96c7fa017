/*
 * runtime/proc.c, one step at a time: who gets the P that comes free, in which order; seizing with
 * every late and stale answer; and the number of Ps up and down under running Gs.  The Gs are
 * puppets: they have no thread, so what happens to them is read off their words.  test_handoff.c
 * has the same with threads.
 */
#include "runtime/proc.h"

#include <criterion/criterion.h>

#include "runtime/note.h"
#include "runtime/gmprt.h"
#include "runtime/procs.h"
#include "runtime/runq.h"
#include "runtime/stw.h"
#include "tests/unit/fake_g.h"

static struct m *m;
static struct p *p;

static void start(u32 procs)
{
	fake_reset(0);
	m = g_here(procs);
	p = m->p;
}

static bool has_p(struct g *g)
{
	return g_has_p(g) && load_rlx(&sched.allp[hold_pid(g->hold.v)]->status) == P_RUNNING;
}

#define NOTHING (~0u)

/* The id of the P that is on its way to g. */
static u32 granted(struct g *g)
{
	return note_value(&g->m->park) - 1;
}

/* A puppet that waits in the global queue; back: as one from a call. */
static struct g *waiting(bool back)
{
	struct g *g = newg(NULL, NULL);

	g->m->tid = 1000 + (i32)g->goid;
	store_rlx(&g->m->live, 1);
	store_rlx(&g->status, G_RUNNABLE);
	g->m->queued = true;
	g->back = back;
	fake_queue(g);
	add_sc(&sched.nwait, 1);
	return g;
}

/* What the granted thread would do next. */
static void wake(struct g *g)
{
	acquirep(g->m, true);
	cr_assert(has_p(g));
}

static void give_up(struct g *g)
{
	struct p *mine = releasep(g, GO_STOP);

	cr_assert(mine);
	handoffp(mine);
}

/* ---- getting one ---- */

Test(proc, the_first_g_has_a_p_and_the_others_are_idle)
{
	start(4);
	cr_assert(has_p(m->g));
	cr_assert_eq(load_rlx(&sched.npidle), 3);
	cr_assert_eq(sched_check(), 0);
}

Test(proc, takes_an_idle_p_before_it_waits)
{
	struct g *g;

	start(2);
	g = g_puppet();
	cr_assert(has_p(g));
	cr_assert_neq(hold_pid(load_rlx(&g->hold)), p->id);
	cr_assert_eq(load_rlx(&sched.npidle), 0);
	cr_assert_eq(load_rlx(&g->status), G_RUNNING);
}

Test(proc, takes_the_p_it_had_last_when_that_is_idle)
{
	struct g *a, *b;
	u32 id;

	start(4);
	a = g_puppet();
	b = g_puppet();
	id = hold_pid(load_rlx(&a->hold));
	give_up(a);
	give_up(b);
	acquirep(a->m, true);
	cr_assert_eq(hold_pid(load_rlx(&a->hold)), id, "not the one that became idle last");
	cr_assert_eq(sched_check(), 0);
}

Test(proc, a_g_has_a_new_serial_each_time)
{
	u64 serial;

	start(1);
	serial = hold_serial(load_rlx(&m->g->hold));
	give_up(m->g);
	acquirep(m, true);
	cr_assert_gt(hold_serial(load_rlx(&m->g->hold)), serial);
}

/* ---- giving it on ---- */

Test(proc, a_p_that_nobody_wants_is_idle)
{
	start(1);
	give_up(m->g);
	cr_assert_eq(load_rlx(&sched.npidle), 1);
	cr_assert_eq(load_rlx(&p->status), P_IDLE);
	cr_assert_null(releasep(m->g, GO_STOP), "it can be given up once");
}

Test(proc, hands_on_in_the_order_of_arrival)
{
	struct g *gs[5];

	start(1);
	for (int i = 0; i < 5; i++)
		gs[i] = waiting(false);
	for (u32 i = 0; i < 5; i++) {
		give_up(i ? gs[i - 1] : m->g);
		cr_assert_eq(granted(gs[i]), p->id, "number %u", i);
		cr_assert_eq(load_rlx(&sched.nwait), 4 - i);
		wake(gs[i]);
	}
	cr_assert_eq(stat_get(handoffs), 5);
	cr_assert_eq(sched_check(), 0);
}

Test(proc, those_back_from_a_call_go_first)
{
	struct g *hog, *back;

	start(1);
	hog = waiting(false);
	back = waiting(true);
	give_up(m->g);
	cr_assert_eq(granted(back), 0);
	cr_assert_eq(granted(hog), NOTHING);
}

Test(proc, but_after_a_slice_of_them_it_is_a_hogs_turn)
{
	struct g *hog, *back[3];

	start(1);
	hog = waiting(false);
	for (int i = 0; i < 3; i++)
		back[i] = waiting(true);
	give_up(m->g);
	wake(back[0]);
	fake.now += opts.slice_us * US / 2;
	give_up(back[0]);
	wake(back[1]);
	fake.now += opts.slice_us * US / 2;
	give_up(back[1]);
	cr_assert_eq(granted(hog), 0, "although one more is back");
	wake(hog);
	give_up(hog);
	cr_assert_eq(granted(back[2]), 0, "and then the preference starts anew");
}

/* A row of such grants ends where somebody picks the P up, but not where that is the rule. */
Test(proc, the_preference_starts_anew_with_a_p_that_comes_by_itself)
{
	start(1);
	for (u32 luck = 0; luck < 2; luck++) {
		p->boost_ns = fake.now;
		store_rlx(&p->luck, luck);
		give_up(m->g);
		acquirep(m, true);
		cr_assert_eq(p->boost_ns, luck ? fake.now : 0);
	}
}

Test(proc, every_61st_grant_is_from_the_global_queue)
{
	struct g *local, *global;

	start(1);
	local = waiting(false);
	globrunq_get(p, 1);
	runq_put(p, local);
	global = waiting(false);
	store_rlx(&p->schedtick, 61 * 5);
	give_up(m->g);
	cr_assert_eq(granted(global), 0);
	wake(global);
	give_up(global);
	cr_assert_eq(granted(local), 0, "the other sixty from its own ring");
}

Test(proc, a_free_p_steals_from_the_ring_of_another)
{
	struct g *gs[4], *g;
	struct p *other;

	start(2);
	g = g_puppet();
	other = g->m->p;
	for (int i = 0; i < 4; i++) {
		gs[i] = waiting(false);
		globrunq_get(p, 1);
		runq_put(p, gs[i]);
	}
	give_up(g);
	cr_assert_eq(granted(gs[0]), other->id);
	cr_assert_eq(runq_size(other), 1);
	cr_assert_eq(runq_size(p), 2);
	cr_assert_eq(sched_check(), 0);
}

Test(proc, gives_nothing_out_of_its_ring_while_the_world_stops)
{
	struct g *local;

	start(1);
	local = waiting(false);
	globrunq_get(p, 1);
	runq_put(p, local);
	store_rlx(&p->schedtick, 1); /* not the global queue's turn */
	store_rlx(&sched.stopping, 1);
	give_up(m->g);
	cr_assert_eq(granted(local), NOTHING);
	cr_assert_eq(load_rlx(&p->status), P_IDLE);
	starttheworld();
	cr_assert_eq(granted(local), p->id);
}

Test(proc, who_yields_alone_goes_on_with_its_own_p)
{
	start(1);
	gosched(m, false);
	cr_assert(has_p(m->g));
	cr_assert_eq(load_rlx(&m->g->status), G_RUNNING);
	cr_assert_eq(load_rlx(&sched.nwait), 0);
	cr_assert_not(m->queued);
}

/* ---- seizing ---- */

Test(seize, who_takes_owns_the_p)
{
	struct seizure s;

	start(1);
	cr_assert(seize_ask(p, &s));
	cr_assert_eq(s.g, m->g);
	cr_assert(seize_take(&s));
	cr_assert_not(g_has_p(m->g));
	cr_assert_null(releasep(m->g, GO_STOP), "the owner has nothing left to give");
	cr_assert_not(seize_take(&s), "it can be taken once");
}

Test(seize, who_drops_leaves_it_as_it_was)
{
	struct seizure s, again;

	start(1);
	cr_assert(seize_ask(p, &s));
	cr_assert_not(seize_ask(p, &again), "one question at a time");
	seize_drop(&s);
	cr_assert(has_p(m->g));
	cr_assert(seize_ask(p, &again), "and then the next");
	cr_assert(seize_take(&again));
}

Test(seize, the_owner_may_give_up_while_it_is_asked)
{
	struct seizure s;

	start(1);
	cr_assert(seize_ask(p, &s));
	cr_assert_eq(releasep(m->g, GO_STOP), p);
	cr_assert_not(seize_take(&s));
	seize_drop(&s);
	cr_assert_not(g_has_p(m->g), "a late drop does not bring it back");
}

/* The owner refuses the first question; the second is open when the first asker answers. */
Test(seize, a_stale_answer_takes_nothing)
{
	struct seizure first, second;

	start(1);
	entersyscall(m, MAY_WAIT, 0);
	cr_assert(seize_ask(p, &first));
	exitsyscall(m);
	cr_assert(seize_ask(p, &second));
	cr_assert_not(seize_take(&first));
	seize_drop(&first);
	cr_assert_eq(hold_of(load_rlx(&m->g->hold)), HOLD_ASKED, "nor does a stale drop answer");
	cr_assert(seize_take(&second));
}

/* The owner lost its P, got the same one again, and is asked again: all the words look alike. */
Test(seize, a_stale_answer_takes_nothing_after_the_same_p_came_back)
{
	struct seizure first, second;

	start(1);
	cr_assert(seize_ask(p, &first));
	give_up(m->g);
	acquirep(m, true);
	cr_assert_eq(m->p, p);
	cr_assert(seize_ask(p, &second));
	cr_assert_not(seize_take(&first));
	cr_assert(seize_take(&second));
}

Test(seize, a_p_that_moved_on_is_not_asked_of_its_old_owner)
{
	struct seizure s;
	struct g *g;

	start(1);
	g = waiting(true);
	give_up(m->g);
	store_rel(&p->g, m->g); /* as a seizer that is late sees it */
	cr_assert_not(seize_ask(p, &s));
	store_rel(&p->g, NULL);
	cr_assert_not(seize_ask(p, &s));
	store_rel(&p->g, g);
	cr_assert_not(seize_ask(p, &s), "nor of one that has not woken yet");
	wake(g);
	cr_assert(seize_ask(p, &s));
}

Test(seize, a_g_that_holds_another_p_is_not_asked_for_this_one)
{
	struct seizure s;
	struct g *g;
	struct p *old;

	start(3);
	g = g_puppet();
	old = g->m->p;
	give_up(g);
	g_puppet(); /* takes it */
	acquirep(g->m, true);
	cr_assert_neq(g->m->p, old);
	store_rel(&old->g, g); /* as a seizer sees it that read p->g long ago */
	cr_assert_not(seize_ask(old, &s));
	cr_assert(has_p(g));
}

Test(seize, storage_of_a_dead_g_answers_no_old_question)
{
	struct seizure s;
	struct g *g, *next;

	start(2);
	g = g_puppet();
	cr_assert(seize_ask(g->m->p, &s));
	give_up(g);
	freeg(g);
	next = newg(NULL, NULL);
	cr_assert_eq(next, g, "the same storage");
	acquirep(next->m, true);
	cr_assert_not(seize_take(&s));
	cr_assert(has_p(next));
}

/* ---- how many ---- */

Test(procresize, more_ps_go_to_those_who_wait)
{
	struct g *a, *b;

	start(1);
	a = waiting(false);
	b = waiting(false);
	cr_assert_eq(procresize(4), 1, "says how many there were");
	cr_assert(granted(a) && granted(b) && granted(a) != granted(b));
	cr_assert(granted(a) != NOTHING && granted(b) != NOTHING);
	cr_assert_eq(load_rlx(&sched.npidle), 1);
	cr_assert_eq(load_rlx(&sched.gomaxprocs), 4);
	cr_assert_eq(sched_check(), 0);
}

Test(procresize, fewer_ps_end_the_idle_ones_at_once)
{
	start(4);
	cr_assert_eq(procresize(1), 4);
	cr_assert_eq(load_rlx(&sched.npidle), 0);
	for (u32 i = 1; i < 4; i++)
		cr_assert_eq(load_rlx(&sched.allp[i]->status), P_DEAD);
	cr_assert(has_p(m->g));
	cr_assert_eq(sched_check(), 0);
}

/* Three Gs on three Ps, then one P: which of them is over is a matter of P ids. */
static struct g *over(struct g **gs, u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (hold_pid(load_rlx(&gs[i]->hold)) == 2)
			return gs[i];
	return NULL;
}

Test(procresize, a_p_over_the_cap_ends_when_it_comes_free)
{
	struct g *gs[3], *last;

	start(3);
	gs[0] = m->g;
	gs[1] = g_puppet();
	gs[2] = g_puppet();
	last = over(gs, 3);
	fake.m[fake.nm++].tid = last->m->tid; /* a thread that computes */
	procresize(2);
	cr_assert(has_p(last), "nobody is stopped");
	cr_assert_gt(call_in_excess(fake.now), fake.now, "but asked, and once more");
	cr_assert_eq(load_rlx(&last->preempt), 1);
	give_up(last);
	cr_assert_eq(call_in_excess(fake.now), 0);
	cr_assert_eq(load_rlx(&sched.allp[2]->status), P_DEAD);
	cr_assert_eq(load_rlx(&sched.npidle), 0);
	cr_assert_eq(sched_check(), 0);
}

/* One of two has a P over the cap, and sleeps in a call that nobody announced. */
static void sleeps_over_the_cap(void)
{
	struct g *g;

	start(2);
	g = g_puppet();
	if (hold_pid(load_rlx(&m->g->hold)) == 1)
		g = m->g;
	fake.m[fake.nm++] = (struct fake_m){ .tid = g->m->tid, .state = FAKE_IN_CALL, .call = 35 };
	procresize(1);
}

Test(procresize, a_p_over_the_cap_is_taken_from_who_sleeps)
{
	sleeps_over_the_cap();
	cr_assert_eq(call_in_excess(fake.now), 0);
	cr_assert_eq(load_rlx(&sched.allp[1]->status), P_DEAD);
	cr_assert_eq(fake.signals_sent, 0, "its call would end with EINTR");
}

static void wakes_up(void)
{
	fake.m[0].state = FAKE_READY;
}

Test(procresize, who_wakes_while_it_is_looked_at_is_called_in_again)
{
	sleeps_over_the_cap();
	fake.on_probe = wakes_up;
	cr_assert_gt(call_in_excess(fake.now), fake.now, "it still has the P");
	cr_assert_eq(load_rlx(&sched.allp[1]->status), P_RUNNING);
}

Test(procresize, nobody_looks_at_the_ps_above_the_last_one_that_lives)
{
	struct g *held;
	struct p *p5;

	start(6);
	p5 = sched.allp[5];
	procresize(2);
	cr_assert_eq(sched.nallp.v, 2);
	procresize(6);
	cr_assert_eq(sched.nallp.v, 6);
	cr_assert_eq(sched.allp[5], p5, "none is made twice");
	for (held = g_puppet(); hold_pid(load_rlx(&held->hold)) != 3;)
		held = g_puppet();
	procresize(2);
	cr_assert_eq(sched.nallp.v, 4, "one is held still");
	give_up(held);
	cr_assert_eq(sched.nallp.v, 3, "and that of the one before it");
	cr_assert_eq(sched_check(), 0);
}

Test(procresize, what_waits_in_the_ring_of_a_p_that_ends_waits_on_elsewhere)
{
	struct g *gs[3], *last, *waiter;

	start(3);
	gs[0] = m->g;
	gs[1] = g_puppet();
	gs[2] = g_puppet();
	last = over(gs, 3);
	waiter = waiting(false);
	globrunq_get(sched.allp[2], 1);
	runq_put(sched.allp[2], waiter);
	procresize(2);
	give_up(last);
	cr_assert_eq(granted(waiter), NOTHING);
	cr_assert_eq(load_rlx(&sched.runq.size), 1);
	give_up(last == gs[0] ? gs[1] : gs[0]);
	cr_assert_neq(granted(waiter), NOTHING);
}

Test(procresize, down_and_up_again_keeps_the_p_that_was_never_given_up)
{
	struct g *gs[3], *last;

	start(3);
	gs[0] = m->g;
	gs[1] = g_puppet();
	gs[2] = g_puppet();
	last = over(gs, 3);
	procresize(1);
	procresize(3);
	cr_assert_eq(load_rlx(&sched.npidle), 0);
	cr_assert(has_p(last));
	cr_assert_eq(sched_check(), 0);
	give_up(last);
	cr_assert_eq(load_rlx(&sched.npidle), 1, "it is an ordinary P again");
}

Test(procresize, who_yields_over_the_cap_takes_the_idle_p)
{
	struct g *gs[3], *last, *first;

	start(3);
	gs[0] = m->g;
	gs[1] = g_puppet();
	gs[2] = g_puppet();
	last = over(gs, 3);
	first = last == gs[1] ? gs[2] : gs[1];
	give_up(first);
	cr_assert_eq(load_rlx(&sched.npidle), 1);
	procresize(2);
	/* On its own behalf: it may not sleep, or this thread would. */
	gosched(last->m, false);
	cr_assert(has_p(last));
	cr_assert_lt(hold_pid(load_rlx(&last->hold)), 2);
	cr_assert_eq(load_rlx(&sched.npidle), 0);
	cr_assert_eq(sched_check(), 0);
}

Test(procresize, makes_as_many_as_memory_allows)
{
	start(1);
	fake.pages_left = 2;
	procresize(4096);
	cr_assert_lt(load_rlx(&sched.gomaxprocs), 4096);
	cr_assert_gt(load_rlx(&sched.gomaxprocs), 8);
	cr_assert_eq(load_rlx(&sched.npidle) + 1, load_rlx(&sched.gomaxprocs));
	cr_assert_eq(sched_check(), 0);
}

Test(procresize, goes_up_and_down_at_random_and_loses_none)
{
	start(3);
	for (int i = 0; i < 500; i++) {
		procresize(1 + (u32)fake_random(9));
		if (fake_random(3) == 0) {
			give_up(m->g);
			acquirep(m, true);
		}
		cr_assert_eq(sched_check(), 0);
	}
}

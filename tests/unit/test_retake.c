/*
 * runtime/retake.c and slice.c, one round at a time: the test is the only G and holds the only P;
 * its thread is a fake one whose state and CPU clock the test sets, and another G waits.
 * test_sim.c has the same with threads.
 */
#include "runtime/retake.h"

#include <criterion/criterion.h>
#include <string.h>

#include "runtime/entersyscall.h"
#include "runtime/note.h"
#include "runtime/os.h"
#include "runtime/home.h"
#include "runtime/runq.h"
#include "runtime/stats.h"
#include "tests/unit/fake_g.h"

static struct m *m;
static struct g *g, *other;
static struct p *p;
static struct fake_m *thread, *on_its_way; /* to a CPU, for ever */

static void never_run(void *arg)
{
}

static void setup(void)
{
	fake_reset(0);
	m = g_here(1);
	g = m->g;
	p = m->p;
	other = NULL;
	thread = fake_spawn(never_run, NULL);
	m->tid = thread->tid;
	on_its_way = fake_spawn(never_run, NULL);
}

TestSuite(retake, .init = setup);

/* Another G queues, back from a call or not; its thread never runs. */
static void somebody_waits(bool back)
{
	other = g_puppet();
	other->m->tid = on_its_way->tid;
	store_rlx(&other->status, G_RUNNABLE);
	other->m->queued = true;
	other->back = back;
	fake_queue(other);
	add_sc(&sched.nwait, 1);
}

static void stop_clock(void)
{
	if (thread->state == FAKE_COMPUTING)
		thread->cpu_ns += fake.now - thread->cpu_since;
}

static void computes(void)
{
	stop_clock();
	thread->state = FAKE_COMPUTING;
	thread->cpu_since = fake.now;
}

static void sleeps_in(int call)
{
	stop_clock();
	thread->state = FAKE_IN_CALL;
	thread->call = call;
}

/* Its CPU goes to somebody else. */
static void stalls(void)
{
	stop_clock();
	thread->state = FAKE_READY;
}

static bool look_after(u64 ns)
{
	fake.now += ns;
	return retake(fake.now);
}

static bool was_taken(void)
{
	bool granted = note_value(&other->m->park) == p->id + 1;

	cr_assert_eq(granted, !g_has_p(g), "the P is with one of them");
	return granted;
}

/* ---- calls ---- */

Test(retake, takes_the_p_of_a_call_after_retake_us)
{
	somebody_waits(false);
	opts.retake_us = 50;
	store_rlx(&p->luck, 10);
	entersyscall(m, MAY_WAIT, 0);
	cr_assert(look_after(0), "it moved on");
	look_after(5 * US);
	cr_assert_not(look_after(50 * US - 1), "the same call");
	cr_assert_not(was_taken());
	look_after(1);
	cr_assert(was_taken());
	cr_assert_lt(load_rlx(&p->luck), 10, "nobody picked the loan up");
	cr_assert_eq(stat_get(retakes), 1);
	cr_assert_eq(load_rlx(&g->status), G_SYSCALL, "the call itself is not disturbed");
	cr_assert_eq(fake.signals_sent + fake.probes, 0);
	cr_assert_eq(sched.nstray, 0);
}

Test(retake, leaves_the_p_to_a_row_of_short_calls)
{
	somebody_waits(false);
	computes();
	for (int i = 0; i < 200; i++) {
		entersyscall(m, MAY_WAIT, 0);
		look_after(19 * US);
		exitsyscall(m);
	}
	cr_assert_not(was_taken());
	cr_assert_eq(stat_get(retakes), 0);
}

/* ---- grants ---- */

/* The P is granted to `first`, whose thread is ours to set; `other` waits behind it. */
static struct g *grants(void)
{
	struct g *first;

	somebody_waits(false);
	first = other;
	first->m->tid = thread->tid;
	somebody_waits(false);
	entersyscall(m, WILL_WAIT, 0);
	cr_assert_eq(note_value(&first->m->park), p->id + 1);
	look_after(0);
	return first;
}

static void assert_revoked(struct g *first)
{
	cr_assert_eq(note_value(&first->m->park), 0);
	cr_assert_eq(note_value(&other->m->park), p->id + 1, "the next one has it");
	cr_assert_eq(load_rlx(&sched.nwait), 1, "and the first waits again");
	cr_assert_eq(load_rlx(&first->status), G_RUNNABLE);
	cr_assert_eq(stat_get(revokes), 1);
}

Test(retake, takes_a_grant_back_when_a_handler_sleeps)
{
	struct g *first = grants();

	sleeps_in(130);
	look_after(opts.retake_us * US);
	assert_revoked(first);
}

Test(retake, takes_a_grant_back_when_a_handler_computes)
{
	struct g *first = grants();

	computes();
	look_after(opts.retake_us * US);
	cr_assert_eq(stat_get(revokes), 0, "it may be on its way");
	look_after(2 * MS);
	assert_revoked(first);
}

Test(retake, leaves_a_grant_to_a_thread_that_waits_for_a_cpu)
{
	struct g *first = grants();

	stalls();
	for (int i = 0; i < 100; i++)
		look_after(1 * MS);
	cr_assert_eq(note_value(&first->m->park), p->id + 1);
	cr_assert_eq(stat_get(revokes), 0);
}

Test(retake, without_proc_too_for_100_ms)
{
	struct g *first = grants();

	fake.blind = true;
	stalls();
	look_after(100 * MS - 1);
	cr_assert_eq(note_value(&first->m->park), p->id + 1);
	look_after(1);
	assert_revoked(first);
}

Test(retake, without_proc_takes_a_grant_back_when_a_handler_computes)
{
	struct g *first = grants();

	fake.blind = true;
	computes();
	look_after(opts.retake_us * US);
	look_after(2 * MS);
	assert_revoked(first);
}

Test(retake, without_proc_a_grant_to_a_thread_that_is_gone_does_not_queue_again)
{
	struct g *first = grants();

	fake.blind = true;
	thread->state = FAKE_DONE;
	look_after(opts.retake_us * US);
	cr_assert_eq(note_value(&first->m->park), 0);
	cr_assert_eq(note_value(&other->m->park), p->id + 1);
	cr_assert_eq(load_rlx(&sched.nwait), 0);
}

Test(retake, leaves_a_grant_that_was_taken_up)
{
	struct g *first = grants();

	acquirep(first->m, true); /* queued: it takes what its note says */
	cr_assert(g_has_p(first));
	cr_assert_not(grant_revoke(p, first, load_rlx(&first->hold), false));
	cr_assert(g_has_p(first));
}

/* While sysmon asks the kernel the thread takes up the P, ends, and the next gets its G and the
 * same P. */
static struct g *mortal;

static void next_life(void)
{
	struct g *first = mortal;

	fake.on_probe = NULL;
	acquirep(first->m, true);
	cr_assert(g_has_p(first));
	releasep(first, GO_STOP);
	store_rlx(&first->status, G_DEAD);
	store_rel(&first->hold, hold_make(hold_serial(load_rlx(&first->hold)) + 1, 0, HOLD_LOST));
	first->m->tid = on_its_way->tid;
	store_rlx(&first->status, G_RUNNABLE);
	first->m->queued = true;
	store_rlx(&p->g, first);
	note_wakeup(&first->m->park, p->id + 1);
}

Test(retake, leaves_the_grant_of_a_thread_born_while_it_looked_at_the_last_one)
{
	struct g *first = grants();

	mortal = first;
	thread->state = FAKE_DONE;
	fake.on_probe = next_life;
	look_after(opts.retake_us * US);
	cr_assert_eq(fake.on_probe, NULL, "it was asked");
	cr_assert_eq(note_value(&first->m->park), p->id + 1);
	cr_assert_eq(stat_get(revokes), 0);
}

Test(retake, a_word_of_an_earlier_wait_takes_nothing_back)
{
	struct g *first = grants();
	u64 w = load_rlx(&first->hold);

	mortal = first;
	next_life();
	cr_assert_not(grant_revoke(p, first, w, false));
	cr_assert_eq(note_value(&first->m->park), p->id + 1, "nor is its note emptied");
}

/* ---- blocked without a word ---- */

/* Two looks for the books, then the sleep. */
static void blocks(int call)
{
	somebody_waits(false);
	computes();
	look_after(20 * US);
	look_after(20 * US);
	sleeps_in(call);
}

Test(retake, finds_a_thread_that_blocks_outside_a_bracket)
{
	blocks(35);
	look_after(10 * US);
	cr_assert_not(was_taken(), "clocks are read one after the other");
	look_after(20 * US);
	cr_assert(was_taken());
	cr_assert_eq(stat_get(strays), 1);
	cr_assert_eq(load_rlx(&stats_now()->stray_calls[35 + 1]), 1);
	cr_assert_eq(sched.strays, g);
	cr_assert_eq(sched.nstray, 1);
	cr_assert_eq(load_rlx(&g->status), G_RUNNING, "it knows nothing of it");
}

Test(retake, finds_a_page_fault)
{
	blocks(PROBE_FAULT);
	look_after(20 * US);
	cr_assert(was_taken());
	cr_assert_eq(load_rlx(&stats_now()->stray_calls[0]), 1);
}

Test(retake, without_proc_a_clock_that_stands_still_for_5_ms_must_do)
{
	blocks(35);
	fake.blind = true;
	for (int i = 0; i < 49; i++)
		look_after(100 * US);
	cr_assert_not(was_taken());
	look_after(100 * US);
	look_after(100 * US);
	cr_assert(was_taken());
	cr_assert_eq(load_rlx(&stats_now()->stray_calls[STRAY_KINDS - 1]), 1);
}

Test(retake, leaves_a_running_thread_alone_and_does_not_probe_it)
{
	somebody_waits(false);
	computes();
	for (int i = 0; i < 180; i++)
		look_after(50 * US);
	cr_assert_not(was_taken());
	cr_assert_eq(fake.probes + fake.signals_sent + fake.membarriers, 0);
	cr_assert_eq(load_rlx(&g->preempt), 0);
}

Test(retake, leaves_the_p_to_a_thread_whose_cpu_the_kernel_gave_away)
{
	somebody_waits(false);
	computes();
	look_after(20 * US);
	look_after(20 * US);
	stalls();
	for (int i = 0; i < 10; i++)
		look_after(500 * US);
	cr_assert_gt(fake.probes, 0);
	cr_assert_not(was_taken());
	cr_assert_eq(stat_get(strays), 0);
}

static void one_goes_with_its_p(void)
{
	somebody_waits(false);
	computes();
	look_after(20 * US);
	thread->state = FAKE_DONE;
	look_after(20 * US);
	cr_assert(was_taken() && load_rlx(&g->status) == G_DEAD);
}

Test(retake, takes_the_p_of_a_thread_that_is_gone)
{
	one_goes_with_its_p();
	cr_assert_eq(stat_get(strays) + stat_get(overcap), 0);
}

Test(retake, without_proc_takes_the_p_of_a_thread_that_is_gone)
{
	fake.blind = true;
	one_goes_with_its_p();
}

/* ---- slices ---- */

/* Looks every 100 us until the owner is asked for its P; after how long since the grant. */
static u64 asked_after(void)
{
	computes();
	while (!load_rlx(&g->preempt) && fake.now < load_rlx(&p->granted_ns) + 100 * MS)
		look_after(100 * US);
	return fake.now - load_rlx(&p->granted_ns);
}

Test(retake, asks_for_the_p_at_the_end_of_the_slice)
{
	somebody_waits(false);
	cr_assert_eq(asked_after(), 10 * MS);
	cr_assert_eq(fake.signals_sent, 1);
	cr_assert_eq(thread->nsigs, 1);
	cr_assert_eq(thread->sigs[0].sig, PREEMPT_SIGNO);
	cr_assert_eq(thread->sigs[0].mark, &preempt_mark);
	cr_assert_not(was_taken(), "asked, not robbed");
}

Test(retake, who_sleeps_when_its_slice_ends_loses_its_p_and_gets_no_signal)
{
	blocks(35);
	store_rlx(&p->granted_ns, fake.now - 10 * MS);
	look_after(1 * US); /* its clock does not tell yet */
	cr_assert(was_taken());
	cr_assert_eq(fake.signals_sent, 0, "it would end the call with EINTR");
}

Test(retake, sends_no_signal_where_only_gates_may_preempt)
{
	somebody_waits(false);
	opts.preempt = PREEMPT_GATE;
	cr_assert_eq(asked_after(), 10 * MS);
	cr_assert_eq(fake.signals_sent, 0);
}

Test(retake, looks_for_spinners_within_the_slice_when_there_were_some)
{
	somebody_waits(false);
	look_after(190 * US);
	computes();
	store_rlx(&sched.spun_ns, fake.now);
	look_after(1 * US);
	cr_assert_eq(fake.signals_sent, 0, "it had its P this moment");
	store_rlx(&sched.spun_ns, 0);
	look_after(20 * US);
	cr_assert_eq(fake.signals_sent, 0);
	store_rlx(&sched.spun_ns, fake.now);
	look_after(1 * US);
	cr_assert_eq(fake.signals_sent, 1);
	cr_assert_eq(load_rlx(&g->preempt), 0, "who computes is not asked for its P");
}

Test(retake, asks_after_a_quarter_when_a_g_is_back_from_a_call)
{
	somebody_waits(true);
	cr_assert_eq(asked_after(), 2500 * US);
}

Test(retake, asks_later_where_it_took_long_to_wake_who_is_back)
{
	somebody_waits(true);
	store_rlx(&p->owed_ns, 75 * US);
	cr_assert_eq(asked_after(), 4500 * US);
}

Test(retake, asks_no_later_than_after_a_half)
{
	somebody_waits(true);
	store_rlx(&p->owed_ns, 9 * MS);
	cr_assert_eq(asked_after(), 5 * MS);
}

Test(retake, asks_soon_when_a_lock_is_held_by_who_waits)
{
	somebody_waits(true);
	home_get(p, fake.now);
	other->holder = true;
	fake_queue(other);
	look_after(0);
	cr_assert_eq(asked_after(), 100 * US);
}

Test(retake, asks_no_sooner_than_those_who_went_first_had_the_p)
{
	somebody_waits(true);
	home_get(p, fake.now);
	other->holder = true;
	fake_queue(other);
	store_rlx(&p->owed_ns, 700 * US);
	cr_assert_eq(asked_after(), 700 * US);
}

Test(retake, owes_no_more_than_a_quarter)
{
	somebody_waits(true);
	home_get(p, fake.now);
	other->holder = true;
	fake_queue(other);
	store_rlx(&p->owed_ns, 9 * MS);
	cr_assert_eq(asked_after(), 2500 * US);
}

Test(retake, lets_no_more_run_within_the_grace_of_a_lock)
{
	somebody_waits(false);
	thread->mask = ~0ul;
	gate_locked();
	asked_after();
	for (u64 ns = 0; ns < 30 * MS - 200 * US; ns += 100 * US) {
		computes();
		look_after(100 * US);
	}
	cr_assert_not(was_taken());
	look_after(100 * US);
	look_after(200 * US);
	cr_assert(was_taken());
}

static void go_on(u64 ns)
{
	for (; ns; ns -= 100 * US) {
		computes(); /* a signal that was queued makes the fake thread ready */
		look_after(100 * US);
	}
}

Test(retake, lets_one_more_run_when_the_owner_blocks_the_signal)
{
	somebody_waits(false);
	store_rlx(&preempt_signo, 40);
	thread->mask = ~0ul;
	asked_after();
	go_on(10 * MS - 100 * US);
	cr_assert_not(was_taken());
	go_on(200 * US);
	cr_assert(was_taken());
	cr_assert_eq(stat_get(overcap), 1);
	cr_assert_eq(fake.signals_sent, 1, "one in flight is enough");
	cr_assert_eq(sched.strays, g, "watched from now on");
}

Test(retake, lets_nobody_more_run_when_the_owner_hears)
{
	somebody_waits(false);
	asked_after();
	for (int i = 0; i < 50; i++) {
		thread->nsigs = 0;
		preempt_arrived(m, 0);
		store_rlx(&g->preempt, 0);
		go_on(1 * MS);
	}
	cr_assert_not(was_taken());
	cr_assert_eq(stat_get(overcap), 0);
	cr_assert_gt(fake.signals_sent, 25, "and is asked again");
}

Test(retake, takes_the_p_of_one_whom_the_kernel_gives_no_cpu)
{
	somebody_waits(false);
	asked_after();
	go_on(1 * MS);
	stalls();
	look_after(0);
	look_after(2 * MS - 1);
	cr_assert_not(was_taken());
	look_after(100 * US);
	cr_assert(was_taken());
	cr_assert_eq(thread->nsigs, 1, "it queues before it does anything else");
	cr_assert_eq(stat_get(overcap), 0);
	cr_assert_eq(sched.strays, g);
}

Test(retake, waits_for_a_cpu_for_who_has_a_lock_within_its_grace)
{
	somebody_waits(false);
	gate_locked();
	asked_after();
	stalls();
	look_after(0);
	look_after(20 * MS);
	cr_assert_not(was_taken());
	look_after(2 * MS);
	cr_assert(was_taken());
}

Test(retake, waits_for_a_cpu_for_whom_no_signal_would_stop_then)
{
	somebody_waits(false);
	opts.preempt = PREEMPT_GATE;
	asked_after();
	stalls();
	for (int i = 0; i < 50; i++)
		look_after(1 * MS);
	cr_assert_not(was_taken());
}

Test(retake, lets_nobody_more_run_for_100_ms_when_the_owner_could_hear)
{
	somebody_waits(false);
	asked_after();
	go_on(100 * MS - 200 * US);
	cr_assert_not(was_taken(), "its machine was taken off the CPU, for all we know");
	go_on(2 * MS);
	cr_assert(was_taken());
}

Test(retake, without_preemption_lets_one_more_run_after_100_ms)
{
	u64 asked;

	somebody_waits(false);
	opts.preempt = PREEMPT_OFF;
	asked = load_rlx(&p->granted_ns) + 10 * MS;
	while (!was_taken() && fake.now < asked + 200 * MS)
		go_on(100 * US);
	cr_assert_eq(fake.now, asked + 100 * MS);
	cr_assert_eq(load_rlx(&g->preempt), 0);
	cr_assert_eq(fake.signals_sent, 0);
	cr_assert_eq(stat_get(overcap), 1);
}

/*
 * runtime/preempt.c: the signal's flight, step by step.  The test is both the sender and the thread
 * that it is sent to; what is queued to it stays queued, as if it blocked the signal.
 */
#include "runtime/preempt.h"

#include <criterion/criterion.h>
#include <string.h>

#include "runtime/entersyscall.h"
#include "tests/unit/fake_g.h"
#include "tests/unit/fake_threads.h"

#define OTHERS_FLIGHT (77 << 1)

static struct m *m;
static struct g *g;
static struct m *other;

static void setup(void)
{
	fake_reset(0);
	m = g_here(1);
	g = m->g;
}

TestSuite(preempt, .init = setup);

static u32 flight(void)
{
	return load_rlx(&m->sig);
}

/* ---- starved ---- */

/* The CAS of who asked fails from then on: it saw this signal as not heard yet. */
Test(preempt, who_hears_and_goes_on_has_refused_those_who_asked)
{
	struct seizure s;

	cr_assert(preempt_send(g));
	cr_assert(seize_ask(m->p, &s));
	cr_assert_not(preempt_arrived(m, 0), "nobody asked it to give way");
	cr_assert_not(seize_take(&s));
	cr_assert(g_has_p(g));
}

/* ---- sending ---- */

Test(preempt, sends_one_at_a_time)
{
	cr_assert(preempt_send(g));
	cr_assert(flight() & SIG_SENT);
	cr_assert_not(preempt_send(g));
	cr_assert_eq(fake.signals_sent, 1);
	cr_assert_eq(stat_get(preempts), 1);
	cr_assert_eq(fake_test.sigs[0].sig, PREEMPT_SIGNO);
	cr_assert_eq(fake_test.sigs[0].mark, &preempt_mark);
}

Test(preempt, sends_none_to_a_g_in_a_bracket)
{
	entersyscall(m, MAY_WAIT, 0);
	cr_assert_not(preempt_send(g));
	cr_assert_eq(fake.signals_sent, 0);
	cr_assert_eq(flight(), SIG_NONE, "withdrawn");
	exitsyscall(m);
	cr_assert(preempt_send(g), "and can be sent again");
}

Test(preempt, sends_none_to_a_g_that_waits_or_has_ended)
{
	store_rlx(&g->status, G_RUNNABLE);
	cr_assert_not(preempt_send(g));
	store_rlx(&g->status, G_RUNNING);
	store_rlx(&m->live, 0);
	cr_assert_not(preempt_send(g));
	cr_assert_eq(fake.signals_sent, 0);
	cr_assert_eq(flight(), SIG_NONE);
}

Test(preempt, a_thread_that_is_gone_is_no_reason_to_warn)
{
	fake_output();
	m->tid = 999;
	cr_assert_not(preempt_send(g));
	cr_assert_eq(flight(), SIG_NONE);
	cr_assert_eq(stat_get(preempts), 0);
	cr_assert_str_eq(fake_output(), "");
}

static void moves_in_flight(void)
{
	if (other && load_rlx(&other->sig) != SIG_NONE)
		store_rlx(&preempt_signo, 41);
}

static void sends_to_itself(void *arg)
{
	other = getm();
	store_rlx(&fence_mode, FENCE_QUIET); /* the sender's barrier is a system call */
	fake_check(preempt_send(other->g), "it runs");
	fake_check(load_rlx(&other->signo) == 41, "the old number went out");
}

Test(preempt, a_number_that_changes_before_the_kernel_is_asked_is_the_new_one)
{
	fake_reset(0);
	other = NULL;
	g_first(1, sends_to_itself, NULL);
	fake.check = moves_in_flight;
	fake_run();
}

static u32 yields;

/* The sender of a flight is slow: it has not even said which number. */
static void told_and_arrived(void)
{
	yields++;
	if (yields == 3) {
		store_rlx(&other->signo, PREEMPT_SIGNO);
		store_rlx(&other->sig, OTHERS_FLIGHT | SIG_SENT);
	} else if (yields == 6) {
		store_rlx(&other->sig, SIG_NONE);
	}
}

Test(preempt, a_new_number_waits_for_the_flights_of_the_old_one)
{
	other = newg(NULL, NULL)->m;
	yields = 0;
	store_rlx(&other->signo, 40);
	store_rlx(&other->sig, OTHERS_FLIGHT);
	fake.on_yield = told_and_arrived;
	preempt_renumber(41);
	cr_assert_eq(yields, 6);
	cr_assert_eq(load_rlx(&preempt_signo), 41);
	store_rlx(&other->signo, 41);
	store_rlx(&other->sig, OTHERS_FLIGHT | SIG_SENT);
	preempt_renumber(42);
	cr_assert(preempt_send(g));
	preempt_renumber(43);
	cr_assert_eq(flight(), SIG_NONE, "who tells takes its own off: it may block it");
}

/* Its handler runs, and another sender sets out, before the first one is back from the kernel. */
static void arrives_at_once(void)
{
	fake.on_signal = NULL;
	fake_test.nsigs = 0;
	preempt_arrived(m, 0);
	store_rlx(&m->sig, OTHERS_FLIGHT);
}

Test(preempt, a_slow_sender_does_not_speak_for_the_next)
{
	fake.on_signal = arrives_at_once;
	cr_assert(preempt_send(g));
	cr_assert_eq(flight(), OTHERS_FLIGHT, "not sent, so nobody may look for it");
}

/* ---- taking it off the queue ---- */

static void arrives_and_is_followed(void)
{
	fake.on_signal = NULL;
	preempt_arrived(m, 0);
	cr_assert(preempt_send(g));
}

Test(preempt, settling_ends_no_flight_but_the_one_it_looked_for)
{
	cr_assert(preempt_send(g));
	fake.on_signal = arrives_and_is_followed;
	preempt_settle(m);
	cr_assert_eq(flight(), SIG_NONE);
	cr_assert_eq(fake.signals_sent, 2);
	cr_assert_eq(fake_test.nsigs, 0, "the second one would cut the call short");
}

Test(preempt, settling_takes_a_blocked_one_and_leaves_the_hosts)
{
	store_rlx(&preempt_signo, 40);
	fake_post_signal(&fake_test, 40, NULL);
	cr_assert(preempt_send(g));
	fake_post_signal(&fake_test, 40, NULL);
	store_rlx(&preempt_signo, 41); /* moved meanwhile: the one in flight has the old number */
	preempt_settle(m);
	cr_assert_eq(flight(), SIG_NONE);
	cr_assert_eq(fake_test.nsigs, 2);
	cr_assert_null(fake_test.sigs[0].mark);
	cr_assert_null(fake_test.sigs[1].mark);
}

Test(preempt, no_sigurg_stays_pending_in_the_place_of_the_hosts)
{
	fake_test.mask = ~0ul;
	preempt_note_mask(g->m, fake_test.mask);
	cr_assert_not(preempt_send(g));
	cr_assert_eq(flight(), SIG_NONE);
	store_rlx(&preempt_signo, 40);
	cr_assert(preempt_send(g), "these are queued one by one");
}

Test(preempt, who_never_blocked_it_is_not_asked_about)
{
	preempt_note_mask(g->m, 1);
	cr_assert_not(load_rlx(&g->m->masked));
	cr_assert(preempt_send(g));
	cr_assert_eq(fake.blocks_asked, 0);
}

Test(preempt, who_gets_a_p_with_all_blocked_is_asked_about)
{
	handoffp(releasep(g, GO_STOP));
	fake_test.mask = ~0ul;
	acquirep(g->m, true);
	cr_assert(load_rlx(&g->m->masked));
}

Test(preempt, settling_is_not_kept_up_by_one_that_the_kernel_merged)
{
	fake_post_signal(&fake_test, PREEMPT_SIGNO, NULL);
	cr_assert(preempt_send(g));
	cr_assert_eq(fake_test.nsigs, 1);
	preempt_settle(m);
	cr_assert_eq(flight(), SIG_NONE);
	cr_assert_eq(fake_test.nsigs, 1, "the host's own is still to come");
}

static void sends_nothing_after_all(void *arg)
{
	struct m *to = arg;

	fake_compute(3 * MS);
	store_rel(&to->sig, SIG_NONE);
}

static void settles_in_real_time(void *arg)
{
	store_rel(&getm()->sig, 7 << 1);
	fake_spawn(sends_nothing_after_all, getm());
	fake.realtime = true;
	preempt_settle(getm());
	fake.realtime = false;
}

Test(preempt, a_real_time_thread_that_settles_lets_the_sender_run)
{
	fake_reset(0);
	g_first(1, settles_in_real_time, NULL);
	fake_run();
}

Test(preempt, a_foreign_signal_may_stand_for_ours)
{
	fake_post_signal(&fake_test, PREEMPT_SIGNO, NULL);
	preempt_send(g);
	fake_test.nsigs = 0; /* the host's is delivered */
	preempt_foreign(m);
	cr_assert_eq(flight(), SIG_NONE);
	cr_assert(preempt_send(g), "the next one is not held back");
	preempt_foreign(m);
	cr_assert_eq(fake_test.nsigs, 0, "nor does it come twice");
}

Test(preempt, a_foreign_signal_leaves_one_that_is_being_sent)
{
	store_rlx(&m->sig, OTHERS_FLIGHT);
	preempt_foreign(m);
	cr_assert_eq(flight(), OTHERS_FLIGHT);
	store_rlx(&m->sig, SIG_NONE);
	preempt_foreign(m);
	cr_assert_eq(flight(), SIG_NONE);
}

/* ---- arriving ---- */

static bool arrives_at(const void *ip)
{
	bool gives_way;

	store_rlx(&m->sig, OTHERS_FLIGHT | SIG_SENT);
	gives_way = preempt_arrived(m, (uintptr_t)ip);
	cr_assert_eq(flight(), SIG_NONE);
	return gives_way;
}

static bool arrives(void)
{
	return arrives_at(NULL);
}

Test(preempt, gives_way_where_it_arrives_when_asked)
{
	cr_assert_not(arrives(), "the request is stale");
	preempt_request(g);
	cr_assert(arrives());
}

Test(preempt, gives_no_way_inside_a_gate)
{
	preempt_request(g);
	m->depth = 1;
	cr_assert_not(arrives());
	store_rlx(&g->status, G_SYSCALL);
	cr_assert_not(arrives());
	m->depth = 0; /* between the status and the depth */
	cr_assert_not(arrives());
	store_rlx(&g->status, G_RUNNABLE);
	cr_assert_not(arrives());
	cr_assert_eq(load_rlx(&g->preempt), 1, "the gate will see it");
}

Test(preempt, a_stray_gives_way_without_being_asked)
{
	struct p *p = releasep(g, GO_STOP);

	cr_assert(arrives());
	handoffp(p);
	preempt_park(m);
	cr_assert(g_has_p(g));
	cr_assert_eq(load_rlx(&sched.npidle), 0);
}

Test(preempt, keeps_the_p_when_nobody_wants_it)
{
	u64 word = load_rlx(&g->hold);

	preempt_request(g);
	preempt_park(m);
	cr_assert_eq(load_rlx(&g->hold), word);
	cr_assert_eq(load_rlx(&g->preempt), 0);
}

/* ---- locks ---- */

static u64 slice_ns(void)
{
	return opts.slice_us * US;
}

static void give_a_reason(void)
{
	preempt_request(g);
	add_sc(&sched.nwait, 1);
}

Test(preempt, who_holds_a_lock_is_not_stopped_until_the_grace_is_over)
{
	u64 start = load_rlx(&m->p->granted_ns);

	opts.lock_grace = 2;
	give_a_reason();
	gate_locked();
	gate_locked();
	fake.now = start + 3 * slice_ns() - 1;
	cr_assert_not(arrives());
	cr_assert_eq(load_rlx(&g->preempt), 1, "the last unlock will see it");
	fake.now = start + 3 * slice_ns();
	cr_assert(arrives());
	cr_assert_eq(load_rlx(&m->held), 0, "the count may be wrong: it starts again");
	g_unlocked();
	cr_assert_eq(load_rlx(&m->held), 0, "and does not go below nothing");
}

Test(preempt, without_a_grace_locks_do_not_matter)
{
	opts.lock_grace = 0;
	give_a_reason();
	gate_locked();
	cr_assert(arrives());
}

Test(preempt, who_holds_a_lock_keeps_its_p_at_gates)
{
	u64 word = load_rlx(&g->hold);

	give_a_reason();
	gate_locked();
	entersyscall(m, MAY_WAIT, 0);
	cr_assert(g_has_p(g), "on the way in");
	exitsyscall(m);
	cr_assert_eq(load_rlx(&g->hold), word, "and out");
	cr_assert_eq(load_rlx(&g->preempt), 1);
	entersyscall(m, WILL_WAIT, 0);
	cr_assert_not(g_has_p(g), "a wait is a wait");
}

Test(preempt, a_request_that_nobody_needs_is_dropped_also_with_a_lock)
{
	preempt_request(g);
	gate_locked();
	preempt_park(m);
	cr_assert_eq(load_rlx(&g->preempt), 0);
}

/* ---- spinners ---- */

/* lock; cmpxchg, pause, jmp: at the end of a page behind which there may be nothing. */
static const u8 *loop(bool pauses)
{
	static u8 page[2 * 4096] __attribute__((aligned(4096)));
	static const u8 code[] = { 0xf0, 0x0f, 0xb1, 0x0f, 0xf3, 0x90, 0xeb, 0xf8 };

	memset(page, 0x90, sizeof(page));
	if (pauses)
		memcpy(page + 4096 - sizeof(code), code, sizeof(code));
	return page + 4096;
}

Test(preempt, a_spinner_gives_way_before_it_is_asked)
{
	for (int at = 1; at <= 12; at++) {
		cr_assert(arrives_at(loop(true) - at), "%d bytes before the end", at);
		cr_assert_not(arrives_at(loop(false) - at));
	}
	cr_assert_not(arrives_at(loop(true)), "another page");
	cr_assert_not(arrives_at(loop(true) - 60));
}

Test(preempt, a_spinner_that_holds_a_lock_is_not_stopped)
{
	gate_locked();
	cr_assert_not(arrives_at(loop(true) - 4));
}

Test(preempt, while_some_spin_who_does_not_has_half_a_slice_more)
{
	u64 start = load_rlx(&m->p->granted_ns);

	give_a_reason();
	fake.now = start + slice_ns();
	arrives_at(loop(true) - 4);
	cr_assert_not(arrives());
	cr_assert_eq(load_rlx(&g->preempt), 1, "and is asked again");
	fake.now = start + slice_ns() * 3 / 2;
	cr_assert(arrives());
}

Test(preempt, spinners_are_forgotten)
{
	give_a_reason();
	arrives_at(loop(true) - 4);
	fake.now += 100 * MS;
	store_rlx(&m->p->granted_ns, fake.now - slice_ns());
	cr_assert_not(preempt_spinners(fake.now));
	cr_assert(arrives());
}

Test(preempt, without_a_grace_nobody_has_more_for_spinners)
{
	opts.lock_grace = 0;
	give_a_reason();
	arrives_at(loop(true) - 4);
	cr_assert(arrives());
}

/* ---- with threads ---- */

static u64 unlocked_at, other_ran_at;

static void notes_when_it_runs(void *arg)
{
	other_ran_at = fake.now;
}

static void unlocks_late(void *arg)
{
	g_create(notes_when_it_runs, NULL);
	fake_yield();
	gate_locked();
	gate_locked();
	fake_compute(15 * MS);
	g_unlocked();
	fake_compute(1 * MS);
	fake_check(!other_ran_at, "one is still held");
	unlocked_at = fake.now;
	g_unlocked();
	fake_check(other_ran_at, "the last unlock gave way");
}

Test(preempt, the_last_unlock_gives_way)
{
	fake_reset(0);
	other_ran_at = 0;
	g_first(1, unlocks_late, NULL);
	fake_run();
	cr_assert_lt(other_ran_at, unlocked_at + 1 * MS);
	cr_assert_eq(stat_get(overcap), 0);
}

static void locks_for_ever(void *arg)
{
	g_create(notes_when_it_runs, NULL);
	fake_yield();
	gate_locked();
	fake_compute(100 * MS);
	fake_check(other_ran_at, "it was stopped");
}

Test(preempt, one_that_never_unlocks_is_stopped_after_the_grace)
{
	fake_reset(0);
	other_ran_at = 0;
	g_first(1, locks_for_ever, NULL);
	fake_run();
	cr_assert_geq(other_ran_at, 1030 * MS);
	cr_assert_leq(other_ran_at, 1033 * MS);
	cr_assert_eq(stat_get(overcap), 0, "by a signal, not over the cap");
}

static u64 hogs_end;

static void hog(void *arg)
{
	fake_compute(25 * MS);
	hogs_end = fake.now;
}

static void blocks_the_signal(void *arg)
{
	g_create(hog, NULL);
	fake_yield();
	fake.self->mask = ~0ul;
	store_rlx(&preempt_signo, 40); /* SIGURG would not be sent */
	fake_compute(8 * MS);	       /* asked after 2.5: the hog is new */
	fake_check(getm()->sig.v & SIG_SENT, "the signal waits");
	g_call(WILL_WAIT, 7, 1 * MS); /* the fake fails the test when it meets the call */
	fake_check(fake.self->nsigs == 0, "taken off the queue");
	fake.self->mask = 0;
	g_call(WILL_WAIT, 7, 1 * MS);
}

Test(preempt, a_blocked_signal_never_reaches_a_later_call)
{
	fake_reset(0);
	g_first(1, blocks_the_signal, NULL);
	fake_run();
	cr_assert_eq(stat_get(overcap), 0);
	cr_assert_geq(hogs_end, 1033 * MS);
}

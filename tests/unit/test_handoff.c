/* runtime/proc.c with threads: parking, waking, yielding, dissolving, on the fake in order. */
#include <criterion/criterion.h>
#include <string.h>

#include "runtime/gmprt.h"
#include "tests/unit/fake_g.h"

static int order[32], norder;
static u32 most; /* that have computed at once */

static void note_turn(void *arg)
{
	order[norder++] = (int)(long)arg;
}

static void setup(void)
{
	fake_reset(0);
	norder = 0;
	most = 0;
	fake.check = NULL;
}

TestSuite(handoff, .init = setup);

/* Run by every switch point: who computes with a P counts. */
static void check_cap(void)
{
	u32 n = 0;

	for (u32 i = 0; i < fake.nm; i++) {
		struct fake_m *fm = &fake.m[i];
		struct m *m = fm == fake.self ? gmp_tls_m : fm->tls;

		n += fm->state == FAKE_COMPUTING && m && m->g && !m->depth;
	}
	if (n > sched.gomaxprocs.v && !sched.dissolved.v)
		fake_fail("%u compute on %u Ps", n, sched.gomaxprocs.v);
	if (n > most)
		most = n;
}

static void five_wait(void *arg)
{
	for (long i = 0; i < 5; i++) {
		g_create(note_turn, (void *)i);
		fake_yield();
	}
	fake_check(norder == 0, "somebody ran without a P");
	g_call(WILL_WAIT, 0, 1 * MS);
}

Test(handoff, new_threads_run_in_the_order_of_their_birth)
{
	g_first(1, five_wait, NULL);
	fake_run();
	cr_assert_eq(norder, 5);
	for (int i = 0; i < 5; i++)
		cr_assert_eq(order[i], i);
}

static void yields(void *arg)
{
	for (int i = 0; i < 3; i++) {
		note_turn(arg);
		fake_compute(100 * US); /* a yield right after the grant gives nothing away */
		g_yield();
	}
}

static void three_yield(void *arg)
{
	for (long i = 0; i < 3; i++) {
		g_create(yields, (void *)i);
		fake_yield();
	}
}

Test(handoff, who_yields_goes_behind_the_others)
{
	static const int want[] = { 0, 1, 2, 0, 1, 2, 0, 1, 2 };

	g_first(1, three_yield, NULL);
	fake_run();
	cr_assert_eq(norder, 9);
	cr_assert_arr_eq(order, want, sizeof(want));
}

enum { RING = 8, ROUNDS = 20 };
static long word;
static u64 round_began, round_ended;

/* Each waits for its number by yields, 50 ns a look, and passes the word on. */
static void passes_on(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		store_rlx(&sched.ncpu, 0); /* there is one clock: who waits must not use it up */
		while (word != (long)arg) {
			fake_compute(50);
			g_yield();
		}
		word = (word + 1) % RING;
	}
	round_ended = fake.now;
}

/* In the order that suits them least: whoever has the word is the last to get the P. */
static void eight_yield(void *arg)
{
	round_began = fake.now;
	for (long i = RING; i--;) {
		g_create(passes_on, (void *)i);
		fake_yield();
	}
}

Test(handoff, a_word_goes_round_those_who_yield_for_it)
{
	g_first(1, eight_yield, NULL);
	fake_run();
	/* At worst each of the others has the P in between, for 64 looks. */
	cr_assert((round_ended - round_began) < RING * ROUNDS * RING * 5 * US, "it took %lu us",
		  (round_ended - round_began) / US);
}

/* The same where it is known that they look in vain: the second word is that of the loop. */
static void passes_on_known(void *arg)
{
	for (u64 i = 1; i <= ROUNDS; i++) {
		while (word != (long)arg) {
			fake_compute(50);
			g_yield_at(i);
		}
		word = (word + 1) % RING;
	}
}

static void eight_are_known(void *arg)
{
	for (long i = RING; i--;) {
		g_create(passes_on_known, (void *)i);
		fake_yield();
	}
}

Test(handoff, the_order_of_those_who_pass_a_word_is_learned)
{
	for (u32 procs = 1; procs <= 2; procs++) {
		setup();
		word = 0;
		g_first(procs, eight_are_known, NULL);
		fake_run();
		cr_assert(stat_get(handoffs) < 2 * RING * ROUNDS, "%u Ps: %lu", procs,
			  stat_get(handoffs));
	}
}

static void hog(void *arg)
{
	fake_compute(20 * MS);
}

static void ten_hogs(void *arg)
{
	for (int i = 0; i < 10; i++)
		g_create(hog, NULL);
	fake_compute(20 * MS);
}

Test(handoff, no_more_than_gomaxprocs_run)
{
	for (u32 procs = 1; procs <= 4; procs++) {
		setup();
		fake.check = check_cap;
		g_first(procs, ten_hogs, NULL);
		fake_run();
		cr_assert_eq(stat_get(strays) + stat_get(overcap), 0);
	}
}

Test(handoff, all_ps_are_used)
{
	for (u32 procs = 1; procs <= 4; procs++) {
		setup();
		fake.check = check_cap;
		g_first(procs, ten_hogs, NULL);
		fake_run();
		cr_assert_eq(most, procs, "%u of %u", most, procs);
		cr_assert_leq(fake.now, 1000 * MS + 11 * 20 * MS / procs + 30 * MS);
	}
}

static u32 looks(bool unseen)
{
	setup();
	g_first(1, ten_hogs, NULL);
	sched.unseen_ns = unseen ? fake.now : 0;
	fake_run();
	return fake.cpu_asked;
}

/* 220 ms of computing. */
Test(handoff, who_computes_is_looked_at_each_millisecond_and_more_where_some_block_unseen)
{
	cr_assert_leq(looks(false), 300);
	cr_assert_geq(looks(true), 450);
}

static void resizes(void *arg)
{
	for (int i = 0; i < 6; i++)
		g_create(hog, NULL);
	fake_yield();
	fake_check(gmp_maxprocs(3) == 1, "the old number");
	fake_compute(1 * MS);
	gmp_maxprocs(1);
	fake_compute(1 * MS);
}

Test(handoff, a_smaller_cap_is_reached_within_a_slice)
{
	g_first(1, resizes, NULL);
	fake_run_for(25 * MS);
	fake.check = check_cap;
	fake_run();
	cr_assert_eq(most, 1);
	cr_assert_eq(stat_get(overcap), 0);
}

/* ---- a handler between two states ---- */

static struct fake_m *victim;
static u32 interrupted;

/* Home from its call without a P, and about to ask for one: the host's signal arrives. */
static void interrupt_between(void)
{
	struct m *m = gmp_tls_m;

	if (fake.self != victim || fake.self->mask || !m || !m->g || m->depth != 1 || interrupted)
		return;
	if (m->g->status.v == G_RUNNING && hold_of(m->g->hold.v) == HOLD_LOST && !m->queued) {
		interrupted++;
		fake_host_signal(victim, 10, NULL);
	}
}

static void makes_a_call(void)
{
	g_call(MAY_WAIT, 1, 1 * MS);
}

static void comes_home_late(void *arg)
{
	victim = fake.self;
	g_call(MAY_WAIT, 0, 5 * MS);
	fake_check(g_has_p(g_self()), "user code without a P");
}

static void short_hog(void *arg)
{
	fake_compute(3 * MS);
}

/* The short hog gets the victim's P and leaves it idle before the victim is home. */
static void keeps_one_p_busy(void *arg)
{
	g_create(comes_home_late, NULL);
	fake_compute(500 * US);
	g_create(short_hog, NULL);
	fake_compute(9 * MS);
}

Test(handoff, a_handler_on_the_way_home_takes_no_second_p)
{
	victim = NULL;
	interrupted = 0;
	fake.check = interrupt_between;
	fake.host_handler = makes_a_call;
	g_first(2, keeps_one_p_busy, NULL);
	fake_run();
	cr_assert_eq(interrupted, 1);
	cr_assert_eq(victim->host_signals, 1);
	cr_assert_eq(load_rlx(&sched.npidle), 2);
	cr_assert_eq(sched_check(), 0);
}

/* ---- failing open ---- */

static void dissolves(void *arg)
{
	for (int i = 0; i < 5; i++)
		g_create(hog, NULL);
	fake_yield();
	sched_dissolve();
	fake_compute(20 * MS);
	g_call(WILL_WAIT, 0, 1 * MS);
	fake_compute(1 * MS);
	g_yield();
}

Test(handoff, dissolving_lets_everybody_go_at_once)
{
	fake.check = check_cap;
	g_first(1, dissolves, NULL);
	fake_run();
	cr_assert_eq(most, 6);
	cr_assert_leq(fake.now, 1023 * MS);
}

static void loses_its_p(void *arg)
{
	releasep(g_self(), GO_STOP); /* and hands it to nobody */
	g_call(MAY_WAIT, 0, 1 * MS);
	fake_compute(1 * MS);
}

static void long_hog(void *arg)
{
	fake_compute(2000 * MS);
}

static void checks(void *arg)
{
	g_create(loses_its_p, NULL);
	g_call(MAY_WAIT, 0, 1 * MS);
	g_create(long_hog, NULL);
	fake_check(gmp_check() == -1, "the books");
	fake_compute(1 * MS);
}

Test(handoff, a_lost_p_dissolves_the_cap_and_the_program_lives_on)
{
	opts.on_bug = ON_BUG_DISSOLVE;
	fake.yield_ns = 100 * US;
	fake.check = check_cap;
	g_first(2, checks, NULL);
	fake_run();
	cr_assert(strstr(fake_output(),
			 "gmp: fatal: check: nobody holds a P that is handed out: handed out 2, "
			 "idle 0, lent 2 of 2\n"));
	cr_assert_geq(most, 2, "all run");
}

/*
 * runtime/hold.c: each change of hands is told in a trace, wherever a thread stands still or is led
 * away.  Built twice, as test_sim.c is: as unit_hold_model a thread can stand still between any two
 * of its atomic operations.
 */
#include "runtime/hold.h"

#include <criterion/criterion.h>
#include <setjmp.h>

#include "runtime/opts.h"
#include "runtime/page.h"
#include "runtime/trace.h"
#include "tests/unit/fake_g.h"
#include "tests/unit/fake_trace.h"

#define NEVER (1u << 31)
#ifdef TESTS_UNIT_MODEL_ATOMIC_H
#define STEPS 200 /* of a trace's begin */
#else
#define STEPS 20
#endif

static void fresh(u64 seed)
{
	fake_reset(seed);
	fake.share = true;
	opts.page = 1;
	fake.switch_odds = fake.stall_odds = fake.spurious_odds = NEVER;
}

TestSuite(hold, .timeout = 60);

/* ---- a handler that comes just when its thread has got its P ---- */

static jmp_buf out;
static u32 jumped;

static void call(void)
{
	g_call(WILL_WAIT, 0, 100 * US);
}

static void signal_who_got_it(void)
{
	struct m *m = getm();

	if (m && m->g && m->g->goid == 2 && m->queued && !jumped &&
	    hold_of(m->g->hold.v) == HOLD_KEPT && !fake.self->nsigs)
		fake_host_signal(fake.self, 34, NULL);
}

static void caller(void *arg)
{
	call();
	if (setjmp(out) == 0)
		fake.check = signal_who_got_it;
	call();
	call();
}

static void hog(void *arg)
{
	g_create(caller, NULL);
	call();
	fake_trace_ask();
	for (int i = 0; i < 20; i++) {
		fake_compute(1 * MS);
		call();
	}
}

static void jump(void)
{
	jumped++;
	fake.self->intercepted = false;
	fake.self->mask = 0;
	longjmp(out, 1);
}

Test(hold, a_jump_from_a_handler_takes_no_event_along)
{
	u32 all = 0;

	for (u64 seed = 0; seed < 40; seed++) {
		fresh(seed);
		jumped = 0;
		fake.host_handler = jump;
		g_first(1, hog, NULL);
		fake_run();
		all += jumped;
		cr_assert_gt(fake_trace_check(), 4);
	}
	cr_assert_gt(all, 10);
}

/* ---- a trace whose begin takes long, while threads come and go ---- */

/* At its step `at` sysmon stands still until others have come. */
static u32 at, steps;

static void sysmon_stands_still(void)
{
	bool others_came = sched.goidgen.v >= 6 || fake.now > 1020 * MS;

	fake.stall_odds = NEVER;
	if (fake.self == fake.sysmon && sched.tracing.v && ++steps >= at && !others_came)
		fake.stall_odds = 1;
}

static void comes(void *arg)
{
	call();
}

static void come_and_go(void *arg)
{
	g_create(comes, NULL);
	call();
	fake_trace_ask();
	for (int i = 0; i < 8; i++) {
		g_create(comes, NULL);
		g_call(WILL_WAIT, 0, 400 * US);
	}
}

Test(hold, a_trace_that_begins_slowly_takes_nobody_for_another)
{
	for (at = 1; at <= STEPS; at++) {
		fresh(at);
		steps = 0;
		fake.check = sysmon_stands_still;
		g_first(2, come_and_go, NULL);
		fake_run();
		cr_assert_gt(fake_trace_check(), 4);
	}
}

/* ---- single steps ---- */

static void start(void)
{
	cr_assert_eq(trace_start("/a/file", 16ul * TRACE_CHUNK), 0);
}

Test(hold, what_was_under_way_when_a_trace_began_begins_again)
{
	struct seizure s;
	struct m *m;
	u64 w;

	fresh(0);
	m = g_here(1);
	cr_assert(seize_ask(m->p, &s));
	start();
	cr_assert_eq(hold_of(load_rlx(&m->g->hold)), HOLD_KEPT, "nobody asks any more");
	cr_assert_not(seize_take(&s));
	trace_stop();
	releasep(m->g, GO_STOP);
	w = load_rlx(&m->g->hold);
	start();
	cr_assert_eq(hold_of(load_rlx(&m->g->hold)), HOLD_LOST);
	cr_assert_not(hold_gain(m->g, w, 0));
	cr_assert(hold_gain(m->g, load_rlx(&m->g->hold), 0));
	trace_stop();
}

Test(hold, who_has_just_got_its_p_runs_when_a_trace_begins)
{
	struct trace_event *e;
	struct m *m;

	fresh(0);
	m = g_here(1);
	store_rlx(&m->g->status, G_RUNNABLE);
	start();
	e = (struct trace_event *)((char *)fake.mapped + TRACE_CHUNK + sizeof(struct trace_chunk));
	while (e->type != GO_STATUS_THREAD)
		e++;
	cr_assert_eq(e->a, G_RUNNING << 13);
	trace_stop();
}

Test(hold, who_is_no_g_tells_what_it_takes)
{
	struct m *const others[] = { &m_off, NULL };
	struct seizure s;
	struct m *m;

	fresh(0);
	m = g_here(1);
	start();
	for (int i = 0; i < 2; i++) {
		cr_assert(seize_ask(m->p, &s));
		gmp_tls_m = others[i];
		cr_assert(seize_take(&s));
		handoffp(s.p);
		gmp_tls_m = m;
		acquirep(m, true);
	}
	cr_assert_eq(fake_trace_check(), 3);
	cr_assert_eq(((struct trace_chunk *)(m_off.trace_at.v & ~(u64)(TRACE_CHUNK - 1)))->mid,
		     TRACE_OTHERS);
	trace_stop();
}

Test(hold, who_is_buried_has_no_p)
{
	struct g *g;

	fresh(0);
	g_here(2);
	g = g_puppet();
	start();
	bury(g, g->goid);
	cr_assert_eq(fake_trace_check(), 2);
	trace_stop();
}

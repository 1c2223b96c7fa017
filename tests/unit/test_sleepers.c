/* runtime/preempt.c: those that sleep in calls that nobody announced, and how the signal comes to
 * them.  The test is both the sender and the thread, as in test_preempt.c.
 */
#include <criterion/criterion.h>

#include "runtime/hold.h"
#include "runtime/preempt.h"
#include "tests/unit/fake_g.h"
#include "tests/unit/fake_threads.h"

static struct m *m;
static struct g *g;

static void setup(void)
{
	fake_reset(0);
	m = g_here(1);
	g = m->g;
}

TestSuite(sleepers, .init = setup);

static u32 flight(void)
{
	return load_rlx(&m->sig);
}

Test(sleepers, get_it_by_their_own_clock)
{
	store_rlx(&m->sleeper, SLEEPER_CUT);
	cr_assert(preempt_send(g));
	cr_assert(flight() & SIG_SENT);
	cr_assert_eq(fake.signals_sent, 0);
	cr_assert_eq(fake_test.nsigs, 1);
}

Test(sleepers, in_a_futex_alone_get_it_at_once_while_they_have_a_p)
{
	struct seizure s;

	store_rlx(&m->sleeper, SLEEPER_FUTEX);
	cr_assert(preempt_send(g));
	cr_assert_eq(fake.signals_sent, 1);
	cr_assert_not(preempt_arrived(m, 0));
	cr_assert(seize_ask(m->p, &s));
	cr_assert(seize_take(&s));
	cr_assert(preempt_send(g));
	cr_assert_eq(fake.signals_sent, 1, "without a P it is in nobody's way");
}

Test(sleepers, get_nothing_before_they_run)
{
	store_rlx(&m->sleeper, SLEEPER_CUT);
	fake_test.state = FAKE_IN_CALL;
	cr_assert(preempt_send(g));
	cr_assert_eq(fake_test.nsigs, 0);
}

Test(sleepers, get_nothing_when_its_flight_is_over)
{
	store_rlx(&m->sleeper, SLEEPER_CUT);
	fake_test.state = FAKE_IN_CALL;
	cr_assert(preempt_send(g));
	fake_test.state = FAKE_READY;
	preempt_foreign(m);
	cr_assert_eq(flight(), SIG_NONE);
	cr_assert_not(fake_test.armed, "it would end a call that the kernel goes on with");
}

static void sends_once_more(u32 timers_made)
{
	preempt_arrived(m, 0);
	cr_assert(preempt_send(g));
	cr_assert_eq(fake.timers_made, timers_made);
	cr_assert_eq(fake.timers, 1, "the one before is left over");
}

Test(sleepers, have_one_timer_for_each_number)
{
	store_rlx(&m->sleeper, SLEEPER_CUT);
	sends_once_more(1);
	sends_once_more(1);
	store_rlx(&preempt_signo, 34);
	sends_once_more(2);
	cr_assert_eq(fake_test.timer.sig, 34);
	m->timer_tid = 999; /* that of m's thread before */
	sends_once_more(3);
	store_rlx(&preempt_signo, PREEMPT_SIGNO);
}

Test(sleepers, get_it_as_ever_where_there_is_no_timer)
{
	store_rlx(&m->sleeper, SLEEPER_CUT);
	fake.no_timers = true;
	cr_assert(preempt_send(g));
	cr_assert_eq(fake.signals_sent, 1);
}

/*
 * runtime/life.c, alloc.c, fork.c: birth and death of the scheduler and of Gs; what is left of them
 * in storage that is used again, past the limit, without memory, in a thread that has ended and in
 * a forked child.
 */
#include "runtime/life.h"

#include <criterion/criterion.h>
#include <setjmp.h>
#include <string.h>

#include "runtime/alloc.h"
#include "runtime/fork.h"
#include "runtime/gmprt.h"
#include "tests/unit/fake_g.h"

static void setup(void)
{
	fake_reset(0);
}

TestSuite(life, .init = setup);

/* ---- the scheduler ---- */

Test(life, the_scheduler_starts_with_the_first_g_running)
{
	struct m *m = g_here(3);

	cr_assert_eq(load_rlx(&sched.active), 1);
	cr_assert_eq(load_rlx(&sched.gomaxprocs), 3);
	cr_assert_eq(load_rlx(&sched.ng), 1);
	cr_assert_eq(m->tid, 1);
	cr_assert_eq(m->depth, 0);
	cr_assert_eq(load_rlx(&m->live), 1);
	cr_assert_eq(load_rlx(&m->g->status), G_RUNNING);
	cr_assert(g_has_p(m->g));
	cr_assert_eq(m->g->m, m);
	cr_assert_eq(stat_get(peak_gs), 1);
}

Test(life, uses_membarrier_when_the_kernel_has_it)
{
	g_here(1);
	cr_assert_eq(load_rlx(&fence_mode), FENCE_QUIET);
	fence_heavy();
	cr_assert_eq(fake.membarriers, 1);
	fake_reset(0);
	fake.no_membarrier = true;
	g_here(1);
	cr_assert_eq(load_rlx(&fence_mode), FENCE_BUSY);
	fence_heavy();
	cr_assert_eq(fake.membarriers, 0);
}

Test(life, without_memory_there_is_no_scheduler)
{
	fake.pages_left = 0;
	cr_assert_eq(sched_start(1), -12);
	cr_assert_eq(load_rlx(&sched.active), 0);
	cr_assert_null(getm());
}

Test(life, with_little_memory_there_are_fewer_ps)
{
	u32 more;

	fake.pages_left = 2; /* one of them for births */
	cr_assert_eq(sched_start(4096), 0);
	cr_assert_gt(load_rlx(&sched.gomaxprocs), 0);
	cr_assert_lt(load_rlx(&sched.gomaxprocs), 100);
	cr_assert_eq(sched_check(), 0);
	for (more = 1; newg(NULL, NULL); more++)
		cr_assert_lt(more, 100);
	cr_assert_eq(load_rlx(&sched.ng), more, "the G that had no room is not counted");
	cr_assert_eq(load_rlx(&sched.lock.key), 0);
}

/* ---- Gs ---- */

Test(life, every_g_has_a_number_of_its_own)
{
	struct g *a, *b;

	g_here(1);
	a = newg(setup, &a);
	b = newg(NULL, NULL);
	cr_assert_eq(a->m->birth->start, (void *)setup);
	cr_assert_eq(a->m->birth->arg, &a);
	cr_assert_neq(a->goid, b->goid);
	cr_assert_neq(a->m->id, b->m->id);
	cr_assert_eq(load_rlx(&a->status), G_IDLE);
	cr_assert_not(g_has_p(a));
	cr_assert_eq(load_rlx(&sched.ng), 3);
	cr_assert_eq(stat_get(peak_gs), 3);
}

Test(life, past_the_limit_there_is_none_and_one_warning)
{
	struct g *g;

	opts.maxthreads = 3;
	g_here(1);
	newg(NULL, NULL);
	g = newg(NULL, NULL);
	cr_assert_null(newg(NULL, NULL));
	cr_assert_str_eq(fake_output(), "gmp: threads: the program wants more than "
					"GMP_MAXTHREADS=3; pthread_create now returns EAGAIN\n");
	cr_assert_null(newg(NULL, NULL));
	cr_assert_str_eq(fake_output(), "", "said once");
	freeg(g);
	cr_assert_not_null(newg(NULL, NULL), "one ended: one may begin");
	cr_assert_eq(stat_get(peak_gs), 3);
}

Test(life, storage_is_used_again_and_its_serial_goes_on)
{
	struct g *g, *again;
	u64 serial;

	g_here(2);
	g = g_puppet();
	preempt_request(g);
	serial = hold_serial(load_rlx(&g->hold));
	handoffp(releasep(g, GO_STOP));
	freeg(g);
	cr_assert_eq(load_rlx(&g->status), G_DEAD);
	again = newg(NULL, NULL);
	cr_assert_eq(again, g);
	cr_assert_gt(hold_serial(load_rlx(&g->hold)), serial);
	cr_assert_eq(load_rlx(&g->preempt), 0);
	cr_assert_eq(load_rlx(&g->status), G_IDLE);
}

Test(life, storage_does_not_overlap)
{
	struct g *gs[300];

	g_here(1);
	for (u32 i = 0; i < 300; i++) {
		gs[i] = newg(NULL, NULL);
		memset(&gs[i]->m->park, (int)i, sizeof(gs[i]->m->park));
		gs[i]->goid = i;
	}
	for (u32 i = 0; i < 300; i++) {
		cr_assert_eq(gs[i]->goid, i);
		cr_assert_eq((uintptr_t)gs[i] % 64, 0, "no false sharing");
		cr_assert_eq((uintptr_t)gs[i]->m % 64, 0);
		cr_assert_eq(gs[i]->m->g, gs[i]);
	}
}

/* ---- threads ---- */

static bool was_last[3];
static u64 started;

static void ends(void *arg)
{
	fake_check(g_has_p(g_self()), "user code without a P");
	fake_check(getm()->depth == 0, "user code in a gate");
	started = fake.now;
}

static void creates(void *arg)
{
	fake_check(g_create(ends, NULL), "no memory");
	fake_yield();
	fake_check(!started, "it ran without a P");
	fake_compute(1 * MS);
}

Test(life, a_new_thread_waits_for_its_first_p)
{
	started = 0;
	fake.cpus = 1; /* nobody spins */
	g_first(1, creates, NULL);
	fake_run();
	cr_assert_eq(started, 1001 * MS + fake.yield_ns, "when the first has ended");
	cr_assert_eq(load_rlx(&sched.ng), 0);
	cr_assert_eq(load_rlx(&sched.npidle), 1);
}

static void ends_by_hand(void *arg)
{
	struct g *g = arg;

	mstart(g);
	fake_compute(1 * MS);
	was_last[1] = mexit();
	fake_check(getm() == &m_off, "a thread that ended is no G");
	fake_check(!gate_active(), "its gates pass through");
	g_call(WILL_WAIT, 0, 1 * MS);
	gmp_entersyscall();
	gmp_exitsyscall();
}

static void first_ends_first(void *arg)
{
	fake_check(sched_start(2) == 0, "no memory");
	fake_spawn(ends_by_hand, newg(NULL, NULL));
	fake_yield();
	was_last[0] = mexit();
}

Test(life, the_last_to_end_is_told_so)
{
	was_last[0] = was_last[1] = false;
	fake_spawn(first_ends_first, NULL);
	fake_run();
	cr_assert_not(was_last[0]);
	cr_assert(was_last[1]);
	cr_assert_eq(load_rlx(&sched.npidle), 2, "both gave their P back");
	cr_assert_eq(sched_check(), 0);
}

/* An M is used again: what it knew was of another thread. */
static void begins_anew(void *arg)
{
	struct g *g = newg(NULL, NULL);
	struct m *m = g->m;

	m->tried = m->lent_ns = 1;
	m->eager = m->blocking_fd = 1;
	m->queued = m->cut = true;
	store_rlx(&m->held, 1);
	store_rlx(&m->masked, 1);
	store_rlx(&m->sleeper, SLEEPER_CUT);
	store_rlx(&m->altstack, 1);
	mstart(g);
	fake_check(!m->tried && !m->lent_ns && !m->eager && !m->blocking_fd, "of its reads");
	fake_check(!m->queued && !m->cut, "of its waits");
	fake_check(!load_rlx(&m->held) && !load_rlx(&m->masked), "of its locks and its mask");
	fake_check(!load_rlx(&m->sleeper) && !load_rlx(&m->altstack), "of its signals");
	mexit();
}

static void is_followed(void *arg)
{
	fake_check(sched_start(1) == 0, "no memory");
	fake_spawn(begins_anew, NULL);
	mexit();
}

Test(life, a_new_thread_knows_nothing_of_the_one_before)
{
	fake_spawn(is_followed, NULL);
	fake_run();
	cr_assert_eq(load_rlx(&sched.ng), 0);
}

static jmp_buf out;

static void leaves_its_place(void)
{
	longjmp(out, 1);
}

/* pthread_exit() in a handler that found the thread parked. */
static void ends_while_queued(void *arg)
{
	mstart(arg);
	fake.host_handler = leaves_its_place;
	if (!setjmp(out))
		g_call(WILL_WAIT, 0, 1 * MS);
	fake.self->mask = 0;
	fake_check(getm()->queued, "it was parked");
	mexit();
}

static void keeps_the_p(void *arg)
{
	struct fake_m *other;

	fake_check(sched_start(1) == 0, "no memory");
	other = fake_spawn(ends_while_queued, newg(NULL, NULL));
	fake_yield();
	g_call(WILL_WAIT, 0, 500 * US); /* the other runs, and makes its call */
	fake_compute(2 * MS);		/* it is back and parked */
	fake_host_signal(other, 10, NULL);
	fake_compute(1 * MS);
	fake_check(other->state == FAKE_FUTEX, "it waits for its turn to end");
	mexit();
}

Test(life, who_ends_while_it_is_queued_waits_for_its_turn)
{
	fake_spawn(keeps_the_p, NULL);
	fake_run();
	cr_assert_eq(load_rlx(&sched.nwait), 0);
	cr_assert_eq(load_rlx(&sched.ng), 0);
	cr_assert_eq(load_rlx(&sched.npidle), 1);
	cr_assert_eq(sched_check(), 0);
}

static void ends_with_a_signal_in_flight(void *arg)
{
	struct m *m;

	fake_check(sched_start(1) == 0, "no memory");
	m = getm();
	fake.self->mask = ~0ul; /* so that it stays pending */
	store_rlx(&preempt_signo, 40);
	fake_check(preempt_send(m->g), "not sent");
	fake_check(fake.self->nsigs == 1, "not pending");
	mexit();
	fake_check(fake.self->nsigs == 0, "it outlived the G");
	fake_check(load_rlx(&m->sig) == SIG_NONE, "still in flight");
}

Test(life, no_signal_of_ours_outlives_a_g)
{
	fake_spawn(ends_with_a_signal_in_flight, NULL);
	fake_run();
}

/* ---- forks ---- */

Test(life, a_forked_child_is_wiped_by_hand_when_the_kernel_cannot)
{
	struct m *m;

	fake.no_wipe = true;
	fork_prepare();
	m = g_here(2);
	fork_child();
	cr_assert_null(getm());
	cr_assert_eq(load_rlx(&sched.active), 0);
	cr_assert_eq(load_rlx(&sched.ng), 0);
	cr_assert_eq(load_rlx(&m->live), 0, "the frames that still know the M pass through");
	cr_assert_neq(load_rlx(&m->park.key), 0, "and nobody sleeps on it");
}

/* To write zeroes where zeroes are is ten page faults for each child of a shell. */
Test(life, a_child_of_a_process_that_had_no_threads_writes_nothing)
{
	store_rlx(&sched.ng, 7);
	fork_child();
	cr_assert_eq(load_rlx(&sched.ng), 7);
}

Test(life, a_forked_child_becomes_a_program_with_a_scheduler_of_its_own)
{
	fake.no_wipe = true;
	fork_prepare();
	g_here(2);
	fork_child();
	fork_child();
	cr_assert_eq(fake.registrations, 1);
	cr_assert_eq(g_here(1)->g->goid, 1);
	cr_assert_eq(fake.registrations, 2, "a child may not have its parent's");
	cr_assert_eq(sched_check(), 0);
}

/* runtime/entersyscall.c: what a bracket does with the P, on the way in and on the way out. */
#include "runtime/entersyscall.h"

#include <criterion/criterion.h>

#include "runtime/note.h"
#include "runtime/home.h"
#include "runtime/runq.h"
#include "tests/unit/fake_g.h"

static struct m *m;
static struct g *g;
static struct p *p;

static void setup(void)
{
	fake_reset(0);
	m = g_here(1);
	g = m->g;
	p = m->p;
}

TestSuite(entersyscall, .init = setup);

static enum hold held(void)
{
	return hold_of(load_rlx(&g->hold));
}

/* Somebody waits: one more G, whose thread does not exist, goes on the queue. */
static struct g *somebody_waits(void)
{
	struct g *other = g_puppet();

	store_rlx(&other->status, G_RUNNABLE);
	other->m->queued = true;
	fake_queue(other);
	add_sc(&sched.nwait, 1);
	return other;
}

static bool was_granted(struct g *other)
{
	return note_value(&other->m->park) == p->id + 1;
}

Test(entersyscall, keeps_the_p_on_loan_and_enters_no_kernel)
{
	u64 word = load_rlx(&g->hold);

	fake.membarriers = fake.wakes = 0;
	entersyscall(m, MAY_WAIT, 17);
	cr_assert_eq(load_rlx(&g->status), G_SYSCALL);
	cr_assert_eq(load_rlx(&g->hold), word);
	cr_assert_eq(load_rlx(&p->status), P_RUNNING);
	exitsyscall(m);
	cr_assert_eq(load_rlx(&g->status), G_RUNNING);
	cr_assert_eq(load_rlx(&g->hold), word);
	cr_assert_eq(fake.membarriers + fake.wakes, 0);
}

Test(entersyscall, says_what_the_call_is)
{
	u32 tick = load_rlx(&g->syscalltick);

	entersyscall(m, MAY_READ(9), 0x12345);
	cr_assert_eq(call_class(g), MAY_WAIT);
	cr_assert_eq(load_rlx(&g->callno) & 0xffff, 0x2345);
	cr_assert_eq(load_rlx(&m->class), MAY_READ(9));
	cr_assert_eq(load_rlx(&g->syscalltick), tick + 1);
	exitsyscall(m);
	entersyscall(m, COMPOSE, CALL_NONE);
	cr_assert_eq(call_class(g), COMPOSE);
	exitsyscall(m);
	cr_assert_eq(load_rlx(&g->syscalltick), tick + 2);
}

Test(entersyscall, a_wait_hands_the_p_on_at_once_when_somebody_wants_it)
{
	struct g *other = somebody_waits();

	entersyscall(m, WILL_WAIT, 0);
	cr_assert_eq(held(), HOLD_LOST);
	cr_assert(was_granted(other));
	cr_assert_eq(load_rlx(&sched.nwait), 0);
}

Test(entersyscall, a_wait_keeps_the_p_when_nobody_wants_it)
{
	entersyscall(m, WILL_WAIT, 0);
	cr_assert_eq(held(), HOLD_KEPT);
	exitsyscall(m);
	cr_assert_eq(held(), HOLD_KEPT);
}

Test(entersyscall, a_call_that_may_wait_keeps_the_p_and_tells_sysmon)
{
	struct g *other = somebody_waits();
	u32 wakes = fake.wakes;

	store_rlx(&sched.sysmon_asleep, SYSMON_DOZES);
	entersyscall(m, MAY_WAIT, 0);
	cr_assert_eq(held(), HOLD_KEPT);
	cr_assert_not(was_granted(other));
	cr_assert_eq(fake.wakes, wakes + 1);
	cr_assert_eq(load_rlx(&sched.sysmon_asleep), SYSMON_AWAKE);
}

static int asked_fd;
static bool asked_write, answer;

static bool ask(int fd, bool write)
{
	asked_fd = fd;
	asked_write = write;
	return answer;
}

Test(entersyscall, a_read_that_would_block_hands_the_p_on_at_once)
{
	struct g *other = somebody_waits();

	fake.would_block = ask;
	answer = true;
	entersyscall(m, MAY_READ(1234567), 0);
	cr_assert_eq(asked_fd, 1234567);
	cr_assert_not(asked_write);
	cr_assert(was_granted(other));
}

Test(entersyscall, a_write_that_has_room_keeps_the_p)
{
	struct g *other = somebody_waits();

	fake.would_block = ask;
	asked_fd = -1;
	answer = false;
	entersyscall(m, MAY_WRITE(3), 0);
	cr_assert_eq(asked_fd, 3);
	cr_assert(asked_write);
	cr_assert_not(was_granted(other));
	cr_assert_eq(held(), HOLD_KEPT);
}

static void waits_for_data(u64 class, bool data)
{
	struct g *other = somebody_waits();

	fake.would_block = ask;
	answer = !data;
	entersyscall(m, class, 0);
	cr_assert_eq(was_granted(other), !data);
	cr_assert_eq(held(), data ? HOLD_KEPT : HOLD_LOST);
}

Test(entersyscall, a_wait_for_a_descriptor_that_is_ready_keeps_the_p)
{
	waits_for_data(READY(3), true);
	cr_assert_eq(asked_fd, 3);
}

Test(entersyscall, one_for_a_descriptor_that_is_not_hands_it_on)
{
	waits_for_data(READY(3), false);
}

Test(entersyscall, a_poll_of_one_that_is_ready_keeps_the_p)
{
	waits_for_data(WILL_WAIT | ON(WAIT_POLL, &answer), true);
}

Test(entersyscall, a_poll_of_one_that_is_not_hands_it_on)
{
	waits_for_data(WILL_WAIT | ON(WAIT_POLL, &answer), false);
}

Test(entersyscall, asks_nothing_when_nobody_waits)
{
	fake.would_block = ask;
	entersyscall(m, MAY_READ(3), 0);
	exitsyscall(m);
	cr_assert_eq(fake.would_block_asked, 0);
}

Test(entersyscall, who_was_asked_to_give_way_does_so_at_its_next_call)
{
	struct g *other = somebody_waits();

	preempt_request(g);
	entersyscall(m, MAY_WAIT, 0);
	cr_assert_eq(held(), HOLD_LOST);
	cr_assert(was_granted(other));
}

Test(entersyscall, a_request_that_nobody_needs_any_more_is_dropped_on_the_way_out)
{
	preempt_request(g);
	entersyscall(m, MAY_WAIT, 0);
	exitsyscall(m);
	cr_assert_eq(held(), HOLD_KEPT);
	cr_assert_eq(load_rlx(&g->preempt), 0);
}

Test(entersyscall, who_comes_home_first_refuses)
{
	struct seizure s;
	u64 serial = hold_serial(load_rlx(&g->hold));

	entersyscall(m, MAY_WAIT, 0);
	cr_assert(seize_ask(p, &s));
	exitsyscall(m);
	cr_assert_eq(load_rlx(&g->hold), hold_make(serial + 1, p->id, HOLD_KEPT));
	cr_assert_not(seize_take(&s));
	cr_assert_eq(held(), HOLD_KEPT);
}

Test(entersyscall, who_comes_home_late_takes_an_idle_p)
{
	struct seizure s;

	entersyscall(m, MAY_WAIT, 0);
	cr_assert(seize_ask(p, &s));
	cr_assert(seize_take(&s));
	handoffp(p);
	cr_assert_eq(load_rlx(&sched.npidle), 1);
	preempt_request(g);
	m->lent_ns = fake.now;
	exitsyscall(m);
	cr_assert_eq(load_rlx(&g->preempt), 0, "that was for the P it lost");
	cr_assert_eq(m->lent_ns, 0, "the next call may be no read");
	cr_assert_eq(held(), HOLD_KEPT);
	cr_assert_eq(m->p, p);
	cr_assert_eq(load_rlx(&sched.npidle), 0);
	cr_assert_eq(load_rlx(&g->status), G_RUNNING);
}

/* ---- with threads ---- */

static u64 home[4];

static void computes(void *arg)
{
	fake_compute(2 * MS);
	home[1] = fake.now;
}

static void waits_then_returns(void *arg)
{
	g_create(computes, NULL);
	fake_yield();
	home[3] = fake.now;
	g_call(WILL_WAIT, 7, 1 * MS);
	home[0] = fake.now;
	fake_check(g_has_p(g_self()), "home without a P");
}

Test(entersyscall, who_comes_home_late_waits_for_a_p_and_gets_it)
{
	fake_reset(0);
	g_first(1, waits_then_returns, NULL);
	fake_run();
	cr_assert_eq(home[1], home[3] + 2 * MS, "the other ran at once and undisturbed");
	cr_assert_eq(home[0], home[1], "and handed its P on when it ended");
	cr_assert_eq(stat_get(parks), 2);
}

static void long_wait(void *arg)
{
	g_call(WILL_WAIT, 7, 20 * MS);
}

static void takes_from_a_waiter(void *arg)
{
	g_create(long_wait, NULL);
	g_call(WILL_WAIT, 7, 1 * MS); /* the new one takes the P, and waits too */
	home[2] = fake.now;
}

Test(entersyscall, who_comes_home_takes_the_p_of_one_that_said_it_would_wait)
{
	fake_reset(0);
	g_first(1, takes_from_a_waiter, NULL);
	fake_run();
	cr_assert_eq(home[2], 1001 * MS, "without waiting for sysmon");
	cr_assert_eq(stat_get(pickups), 2, "the new one took it in the same way");
}

#define IN_FLIGHT (1 << 1)

static struct m *target;
static bool entered;

static void enters_with_a_signal_in_flight(void *arg)
{
	target = getm();
	store_rlx(&target->sig, IN_FLIGHT);
	g_call(MAY_WAIT, 0, 0);
	entered = true;
}

static void withdraws(void *arg)
{
	while (!target || target->sig.v != IN_FLIGHT)
		fake_yield();
	for (int i = 0; i < 10; i++)
		fake_yield();
	fake_check(!entered, "entered with a signal in flight");
	fake_check(load_rlx(&target->g->status) == G_RUNNING, "open to the signal while it waits");
	store_rel(&target->sig, SIG_NONE);
}

Test(entersyscall, no_bracket_is_entered_with_a_signal_in_flight)
{
	fake_reset(0);
	target = NULL;
	entered = false;
	g_first(1, enters_with_a_signal_in_flight, NULL);
	fake_spawn(withdraws, NULL);
	fake_run();
	cr_assert(entered);
}

/* A read by one whose turn is over: does it learn which comes sooner, data or a P? */
static bool read_learns(bool nonblocking)
{
	struct g *other = somebody_waits();

	other->back = true;
	fake_queue(globrunq_get(p, 1)); /* now as one back from a call */
	fake.now += opts.slice_us * US;
	fake.nonblocking = nonblocking;
	entersyscall(m, MAY_READ(3), 0);
	cr_assert(was_granted(other));
	return m->lent_ns == fake.now;
}

Test(entersyscall, a_read_after_its_turn_learns_like_any_other)
{
	cr_assert(read_learns(false));
}

Test(entersyscall, but_not_one_that_never_waits)
{
	cr_assert_not(read_learns(true));
}

/* ---- reads that queue first ---- */

static u64 data_at; /* when there is something to read */
static u32 slept, interrupted;
static struct fake_m *signal_to;

static bool no_data(int fd, bool write)
{
	return fake.now < data_at;
}

static void one_read(u64 data_ns)
{
	struct gate gate;

	data_at = fake.now + data_ns;
	gate = gate_open(MAY_READ(3), 0, (uintptr_t)__builtin_frame_address(0));
	fake_check(load_rlx(&getm()->sig) == SIG_NONE, "a signal would cut the call short");
	if (gate_cut(&gate)) {
		interrupted++;
	} else if (fake.now < data_at) {
		slept++;
		fake_sleep_in_gate(0, data_at - fake.now);
	}
	gate_close(&gate);
	fake_check(g_has_p(g_self()), "home without a P");
}

/* Holds the P for 2 ms at a time; with two of them one always waits. */
static void computes_and_waits(void *times)
{
	for (u64 n = (u64)times; n; n--) {
		fake_compute(2 * MS);
		if (signal_to)
			fake_host_signal(signal_to, 10, NULL);
		signal_to = NULL;
		g_call(WILL_WAIT, 7, 1 * US);
	}
}

static void reads(void (*then)(void))
{
	fake.would_block = no_data;
	slept = interrupted = 0;
	g_create(computes_and_waits, (void *)20);
	g_create(computes_and_waits, (void *)20);
	fake_yield();
	one_read(100 * US);
	one_read(100 * US);
	fake_check(slept == 2, "no reason to queue yet");
	then();
}

static void reads_soon(void)
{
	for (int i = 0; i < 3; i++)
		one_read(100 * US);
	fake_check(slept == 2, "data was there when the P was");
	fake_check(stat_get(retakes) == 0 && stat_get(overcap) == 0, "by itself");
}

static void reads_at_once(void)
{
	u64 began = fake.now;

	one_read(0);
	fake_check(fake.now == began, "queued although its data was there");
}

/* The target was sent a signal while it ran, on its way from the queue into the call. */
static void arrives(void *arg)
{
	while (load_rlx(&target->g->status) != G_RUNNABLE)
		fake_yield();
	store_rlx(&target->sig, IN_FLIGHT);
	while (load_rlx(&target->g->status) != G_RUNNING)
		fake_yield();
	store_rel(&target->sig, SIG_NONE);
}

static void reads_signalled(void)
{
	target = getm();
	fake_spawn(arrives, NULL);
	one_read(100 * US);
	fake_check(slept == 2, "queued first");
}

static void reads_late(void)
{
	one_read(5 * MS);
	fake_check(slept == 3, "queued first, for nothing");
	fake_check(getm()->eager == 0, "so it will not again");
	one_read(100 * US);
	fake_check(slept == 4, "it did");
}

static void reads_interrupted(void)
{
	signal_to = fake.self; /* when the next one has computed: the read waits for its turn */
	one_read(50 * MS);
	fake_check(interrupted == 1, "the read began after its handler had run");
	fake_check(slept == 2, "it was made all the same");
	one_read(0);
	fake_check(interrupted == 1, "once is enough");
}

static void reads_timed(void)
{
	fake.timed = true;
	one_read(100 * US);
	fake_check(slept == 3, "its limit begins at once");
	fake.timed = false;
	one_read(100 * US);
	fake_check(slept == 3, "any other queues first");
}

/* The descriptor's number was another's, which did wait. */
static void reads_without_waiting(void)
{
	signal_to = fake.self;
	fake.nonblocking = true;
	one_read(50 * MS);
	fake_check(interrupted == 0, "EINTR from a read that never waits");
}

static void reader(void *then)
{
	reads(then);
}

static void run_reader(void (*then)(void))
{
	fake_reset(0);
	g_first(1, reader, then);
	fake_run();
}

Test(entersyscall, a_read_queues_first_where_data_is_sooner_there_than_a_p)
{
	run_reader(reads_soon);
}

Test(entersyscall, one_whose_data_is_there_does_not)
{
	run_reader(reads_at_once);
}

Test(entersyscall, no_signal_is_in_flight_behind_the_queue)
{
	run_reader(reads_signalled);
}

Test(entersyscall, one_whose_data_is_late_does_not_again)
{
	run_reader(reads_late);
}

Test(entersyscall, one_with_a_time_limit_does_not_queue_first)
{
	run_reader(reads_timed);
}

Test(entersyscall, one_that_never_waits_is_made_whatever_came_in_the_queue)
{
	run_reader(reads_without_waiting);
}

Test(entersyscall, one_that_a_handler_interrupts_in_the_queue_is_not_made)
{
	run_reader(reads_interrupted);
}

/* runtime/trace.c and the latency buckets: events in place, chunks taken again, on and off. */
#include "runtime/trace.h"

#include <criterion/criterion.h>
#include <string.h>

#include "runtime/entersyscall.h"
#include "runtime/limit.h"
#include "runtime/opts.h"
#include "runtime/page.h"
#include "runtime/preempt.h"
#include "runtime/stats.h"
#include "tests/unit/fake_g.h"

#define SIZE (16ul * TRACE_CHUNK)

static void setup(void)
{
	fake_reset(0);
	g_here(2);
}

TestSuite(trace, .init = setup);
TestSuite(latency, .init = setup);

static struct trace_chunk *chunk(void)
{
	return (struct trace_chunk *)(load_rlx(&getm()->trace_at) & ~(u64)(TRACE_CHUNK - 1));
}

static struct trace_event *event(u32 i)
{
	return (struct trace_event *)(chunk() + 1) + i;
}

static void start(void)
{
	cr_assert_eq(trace_start("/a/file", SIZE), 0);
	/* What the start itself said is not what we look for. */
	store_rlx(&getm()->trace_at, 0);
}

Test(trace, an_event_is_where_and_what_it_should_be)
{
	trace(GO_START, 1, 1);
	cr_assert_eq(load_rlx(&getm()->trace_at), 0, "off: nothing happens");
	start();
	trace(GO_START, 7, 12345);
	trace(GO_STOP, 7, 12345);
	cr_assert_eq(chunk()->mid, getm()->id + 1);
	cr_assert_eq(chunk()->goid, getm()->g->goid);
	cr_assert_eq(event(0)->type, GO_START);
	cr_assert_eq(event(0)->a, 7);
	cr_assert_eq(event(0)->b, 12345);
	cr_assert_eq(event(0)->tag, (u8)(getm()->id + 1));
	cr_assert_neq(load_rlx(&event(0)->ticks), 0);
	cr_assert_eq(event(1)->type, GO_STOP);
	cr_assert_eq(event(2)->type, TRACE_NONE);
	trace_stop();
	cr_assert_eq(fake.blanked, 1, "memory of our own takes the file's place");
	trace(GO_START, 1, 1);
	cr_assert_eq(event(2)->type, TRACE_NONE);
}

Test(trace, what_was_decided_before_the_begin_is_no_event)
{
	struct trace_head *head;
	u64 before = trace_clock();

	start();
	head = fake.mapped;
	trace_dated(before, GO_START, 7, 1);
	trace_dated(0, GO_START, 7, 1);
	trace_dated(head->begin.ticks + 3, GO_STOP, 7, 1);
	cr_assert_eq(event(0)->type, GO_STOP);
	cr_assert_eq(load_rlx(&event(0)->ticks), head->begin.ticks + 3);
	trace_stop();
}

Test(trace, a_full_chunk_is_followed_by_another_and_the_oldest_is_taken_again)
{
	struct trace_chunk *first;
	u32 turn;

	start();
	trace(GO_START, 0, 0);
	first = chunk();
	turn = load_rlx(&first->turn);
	for (u32 i = 1; i < TRACE_EVENTS; i++)
		trace(GO_START, 0, i);
	cr_assert_eq(((struct trace_event *)(first + 1))[TRACE_EVENTS - 1].b, TRACE_EVENTS - 1);
	trace(GO_START, 0, TRACE_EVENTS);
	cr_assert_neq(chunk(), first);
	cr_assert_eq(event(0)->b, TRACE_EVENTS);
	for (u32 i = 0; i < 15 * TRACE_EVENTS; i++)
		trace(GO_STOP, 0, i);
	cr_assert_neq(load_rlx(&first->turn), turn, "the file is a ring of chunks");
	trace_stop();
}

Test(trace, a_chunk_that_was_taken_by_another_is_left_alone)
{
	struct trace_chunk *mine;

	start();
	trace(GO_START, 0, 1);
	mine = chunk();
	mine->mid = 99;
	trace(GO_STOP, 0, 2);
	cr_assert_neq(chunk(), mine);
	cr_assert_eq(((struct trace_event *)(mine + 1))[1].type, TRACE_NONE);
	trace_stop();
}

Test(trace, a_bracket_is_two_events)
{
	struct m *m = getm();

	start();
	entersyscall(m, MAY_WAIT, 17);
	exitsyscall(m);
	cr_assert_eq(event(0)->type, GO_SYSCALL_BEGIN);
	cr_assert_eq(event(0)->a, 17);
	cr_assert_eq(event(1)->type, GO_SYSCALL_END);
	cr_assert_eq(event(2)->type, TRACE_NONE);
	trace_stop();
	entersyscall(m, MAY_WAIT, 17);
	exitsyscall(m);
	cr_assert_eq(event(2)->type, TRACE_NONE);
}

Test(trace, one_that_begins_in_a_bracket_does_not_see_its_end)
{
	struct m *m = getm();

	entersyscall(m, MAY_WAIT, 17);
	start();
	exitsyscall(m);
	cr_assert_eq(load_rlx(&m->trace_at), 0);
	trace_stop();
}

Test(trace, what_cannot_be_is_an_error)
{
	fake.map_error = -28;
	cr_assert_eq(trace_start("/a/file", SIZE), -28);
	cr_assert_eq(load_rlx(&sched.tracing), 0);
	fake.map_error = 0;
	cr_assert_eq(trace_start("/a/file", TRACE_CHUNK), -22, "too small");
	cr_assert_eq(trace_start("/a/file", TRACE_MAX * 2), -22);
	start();
	cr_assert_eq(trace_start("/a/file", SIZE), -16, "one at a time");
	trace_stop();
}

Test(trace, a_full_disk_is_one_line_and_no_trace)
{
	strcpy(opts.trace, "/a/file");
	fake.map_error = -28;
	trace_from_start();
	cr_assert_str_eq(fake_output(),
			 "gmp: trace: /a/file: the disk is full; running without a trace\n");
}

Test(latency, buckets_are_gos)
{
	cr_assert_eq(latency_bucket(0), 0);
	cr_assert_eq(latency_bucket(63), 0);
	cr_assert_eq(latency_bucket(64), 1);
	cr_assert_eq(latency_bucket(255), 3);
	cr_assert_eq(latency_bucket(256), 4);
	cr_assert_eq(latency_bucket(511), 7);
	cr_assert_eq(latency_bucket(512), 8);
	cr_assert_eq(latency_bucket(1ul << 47), LATENCIES - 1);
	cr_assert_eq(latency_bucket(~0ul), LATENCIES - 1);
	for (u32 i = 1; i < LATENCIES; i++) {
		cr_assert_eq(latency_bucket(latency_floor(i)), i, "%u", i);
		cr_assert_eq(latency_bucket(latency_floor(i) - 1), i - 1, "%u", i);
	}
}

Test(latency, a_wait_is_counted_once)
{
	stat_waited(1000);
	stat_waited(300);
	cr_assert_eq(stat_get(latency[latency_bucket(1000)]), 1);
	cr_assert_eq(stat_get(latency[latency_bucket(300)]), 1);
	cr_assert_eq(stat_get(latency_ns), 1300);
	cr_assert_eq(stat_get(maxwait_ns), 1000);
}

Test(latency, counters_move_into_the_page_and_a_forked_child_has_none)
{
	fake.share = true;
	stat_add(handoffs, 3);
	opts.page = 1;
	page_open();
	cr_assert(load_rlx(&sched.page));
	cr_assert_eq(load_rlx(&sched.page.v->stats.handoffs), 3);
	stat_add(handoffs, 1);
	cr_assert_eq(load_rlx(&sched.page.v->stats.handoffs), 4);
	store_rlx(&sched.page.v->wants, WANT_ROWS);
	page_serve(5);
	cr_assert_eq(load_rlx(&sched.page.v->answered), 1);
	cr_assert_eq(sched.page.v->gauges.gomaxprocs, 2);
	cr_assert_eq(sched.page.v->ng, 1);
	cr_assert_eq(load_rlx(&sched.page.v->seq), 2);
	page_close();
	cr_assert_str_eq(fake.shared, "", "the file is gone");
	page_forget();
	cr_assert_eq(fake.blanked, 1);
}

Test(latency, a_process_whose_pid_namespace_is_unknown_has_no_page)
{
	fake.share = fake.no_pidns = true;
	opts.page = 1;
	page_open();
	cr_assert_not(load_rlx(&sched.page));
	cr_assert_str_eq(fake.shared, "");
}

/* ---- gmp set ---- */

static struct knobs *serve(u32 maxprocs, u32 slice_us, u32 preempt)
{
	struct statpage *page = sched.page.v;

	store_rlx(&page->asked.maxprocs, maxprocs);
	store_rlx(&page->asked.slice_us, slice_us);
	store_rlx(&page->asked.preempt, preempt);
	store_rlx(&page->wants, WANT_SET);
	page_serve(5);
	return &page->in_force;
}

static void page_here(void)
{
	fake.share = true;
	opts.page = 1;
	page_open();
	cr_assert(load_rlx(&sched.page));
}

Test(latency, what_a_tool_asks_is_in_force_when_it_is_answered)
{
	struct knobs *now;

	page_here();
	now = serve(3, 500, PREEMPT_OFF);
	cr_assert_eq(load_rlx(&now->maxprocs), 3);
	cr_assert_eq(load_rlx(&sched.gomaxprocs), 3);
	cr_assert_not(limit_followed());
	cr_assert_eq(load_rlx(&now->slice_us), 500);
	cr_assert_eq(opts.slice_us, 500);
	cr_assert_eq(load_rlx(&now->preempt), PREEMPT_OFF);
	cr_assert_eq(opts.preempt, PREEMPT_OFF);
}

Test(latency, what_no_option_may_be_and_keep_change_nothing)
{
	static const u32 bad[][3] = {
		{ 0, 0, 3 }, { 4097, 99, 4 }, { 1u << 31, 1000001, 100 }, { KEEP, KEEP, KEEP }
	};
	struct knobs *now;

	page_here();
	serve(2, 500, PREEMPT_GATE);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		now = serve(bad[i][0], bad[i][1], bad[i][2]);
		cr_assert_eq(load_rlx(&now->maxprocs), 2);
		cr_assert_eq(load_rlx(&now->slice_us), 500);
		cr_assert_eq(load_rlx(&now->preempt), PREEMPT_GATE);
	}
}

Test(latency, the_signal_is_used_only_where_its_handler_is)
{
	page_here();
	serve(KEEP, KEEP, PREEMPT_GATE);
	cr_assert_eq(load_rlx(&serve(KEEP, KEEP, PREEMPT_SIGNAL)->preempt), PREEMPT_GATE);
	store_rlx(&preempt_handled, 1);
	cr_assert_eq(load_rlx(&serve(KEEP, KEEP, PREEMPT_SIGNAL)->preempt), PREEMPT_SIGNAL);
}

/*
 * The simulated threads: coroutines, one at a time, and the virtual clock.
 *
 * A switch point costs a little time, may change the thread (random runs) and delivers a signal.
 * The clock jumps only when nobody is ready.  A thread that computes is not "ready": its CPU runs
 * it, so its CPU clock is the virtual clock, until a deadline or a signal makes it ready.
 */
#include "tests/unit/fake_threads.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "runtime/cpu.h"
#include "runtime/gate.h"
#include "runtime/home.h"
#include "runtime/hooks.h"
#include "runtime/life.h"
#include "runtime/note.h"
#include "runtime/opts.h"
#include "runtime/os.h"
#include "runtime/preempt.h"
#include "runtime/sysmon.h"
#include "tests/unit/fake_fiber.h"

#define STACK (256 * 1024)
#define PAGES 64
#define TRACE 3000

struct fake fake;
struct fake_m fake_test;

static char *stacks[FAKE_MS];
static struct page {
	void *at;
	size_t len;
} pages[PAGES];
static u32 npages;
static u64 rng, ready_seq;
static char failure[1 << 18];
static bool failed;
static bool checking; /* the laws: what they read with atomics is no step of anybody */
static bool (*stop_when)(void);
static u64 stop_at;

static struct {
	u64 now;
	i32 tid;
	const char *what;
} trace[TRACE];
static u32 ntrace;

/* splitmix64: every seed is as good as any other, 0 and 1 included. */
u64 fake_random(u64 below)
{
	u64 z = (rng += 0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return below ? (z ^ (z >> 31)) % below : 0;
}

void *fake_page(size_t len)
{
	cr_assert(npages < PAGES);
	pages[npages].at = calloc(1, len + 64);
	pages[npages].len = len;
	return (void *)(((uintptr_t)pages[npages++].at + 63) & ~63ul);
}

static void throw_hook(void)
{
	fake_fail("the library threw: %s", fake_output());
}

static void fresh_library(void)
{
	memset(&sched, 0, sizeof(sched));
	while (npages)
		free(pages[--npages].at);
	gmp_tls_m = NULL;
	store_rlx(&fence_mode, FENCE_BUSY);
	fake_set_cpu(CPU_NONE);
	store_rlx(&preempt_signo, PREEMPT_SIGNO);
	rt_hooks = (struct rt_hooks){ .abort = throw_hook };
	opts = (struct opts){
#define OPT(name, def, min, max, unit, help) .name = (def),
#define CHOICE(name, def, help, ...)
#define TEXT(name, help)
#include "runtime/opts.def"
#undef OPT
#undef CHOICE
#undef TEXT
		.on_bug = ON_BUG_ABORT,
		.preempt = PREEMPT_SIGNAL,
	};
}

void fake_reset(u64 seed)
{
	for (u32 i = 0; i < fake.nm; i++)
		fiber_destroy(&fake.m[i]);
	memset(&fake, 0, sizeof(fake));
	memset(&fake_test, 0, sizeof(fake_test));
	fresh_library();
	fake_test.tid = FAKE_TEST_TID;
	fake.seed = seed;
	rng = seed;
	fake.now = 1000 * MS;
	fake.max_steps = 2000000;
	fake.switch_odds = 2u << fake_random(6);
	fake.stall_odds = 200u << fake_random(8);
	fake.spurious_odds = 50;
	fake.yield_ns = 1 * US;
	fake.cpus = 4;
	fake.read_most = 4096;
	fake.pages_left = PAGES;
	ready_seq = ntrace = 0;
	failed = checking = false;
	stop_when = NULL;
	stop_at = NEVER_NS;
}

/* ---- failing ---- */

static size_t put(size_t n, const char *fmt, ...)
{
	va_list ap;
	int more;

	va_start(ap, fmt);
	more = vsnprintf(failure + n, sizeof(failure) - n, fmt, ap);
	va_end(ap);
	n += more > 0 ? (size_t)more : 0;
	return n < sizeof(failure) ? n : sizeof(failure) - 1;
}

static size_t dump_thread(size_t n, const struct fake_m *m)
{
	static const char *const states[] = { "ready", "computing", "stalled",
					      "futex", "in call",   "done" };
	struct m *rm = m == fake.self ? gmp_tls_m : m->tls;

	n = put(n, "thread %d: %s call=%d deadline=%ld mask=%#lx pending=%u user=%d stores=%u",
		m->tid, states[m->state], m->call, (long)(m->deadline - fake.now), m->mask,
		m->nsigs, m->user, m->nstores);
	if (rm && rm->g)
		n = put(n,
			"; g%lu status=%u hold=%lu:%u:%u preempt=%u tick=%u depth=%u queued=%d "
			"sig=%u park=%d live=%u",
			rm->g->goid, rm->g->status.v, hold_serial(rm->g->hold.v),
			hold_pid(rm->g->hold.v), hold_of(rm->g->hold.v), rm->g->preempt.v,
			rm->g->syscalltick.v, rm->depth, rm->queued, rm->sig.v,
			(int)note_value(&rm->park), rm->live.v);
	return put(n, "\n");
}

static void dump(size_t n)
{
	n = put(n, "\nseed %lu, %lu ns, step %lu, switch odds %u, stall odds %u\n", fake.seed,
		fake.now, fake.steps, fake.switch_odds, fake.stall_odds);
	for (u32 i = 0; i < fake.nm; i++)
		n = dump_thread(n, &fake.m[i]);
	n = put(n,
		"sched: gomaxprocs=%u npidle=%u nwait=%u runq=%u backq=%u ng=%u lock=%u "
		"asleep=%u\n",
		sched.gomaxprocs.v, sched.npidle.v, sched.nwait.v, sched.runq.size.v, homes_back(),
		sched.ng.v, sched.lock.key.v, sched.sysmon_asleep.v);
	for (u32 i = 0; i < sched.nallp.v; i++)
		n = put(n, "p%u: status=%u g%lu tick=%u ring=%u\n", i, sched.allp[i]->status.v,
			sched.allp[i]->g.v ? sched.allp[i]->g.v->goid : 0,
			sched.allp[i]->schedtick.v,
			sched.allp[i]->runqtail.v - sched.allp[i]->runqhead.v);
	for (u32 i = ntrace > TRACE ? ntrace - TRACE : 0; i < ntrace; i++)
		n = put(n, "%lu %d %s\n", trace[i % TRACE].now, trace[i % TRACE].tid,
			trace[i % TRACE].what);
}

void fake_fail(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(failure, sizeof(failure), fmt, ap);
	va_end(ap);
	failed = true;
	fake.check = NULL;
	dump(n > 0 ? (size_t)n : 0);
	if (fake.self)
		fiber_switch(fake.self, &fake_test);
	fprintf(stderr, "%s\n", failure);
	cr_assert_fail("%s", failure);
	abort();
}

/* ---- switching ---- */

/* The threads' stores are drained by whoever wakes them: a kernel's switch is a barrier. */
/* What the kernel would register for each thread; here one for all, for one runs at a time. */
static __thread struct {
	u32 cpu_id_start, cpu_id;
} rseq __attribute__((tls_model("initial-exec")));

void fake_set_cpu(u32 cpu)
{
	char *tp;

	__asm__("movq %%fs:0, %0" : "=r"(tp));
	rseq.cpu_id = cpu;
	cpu_init((char *)&rseq - tp);
}

static void switch_to(struct fake_m *to)
{
	struct fake_m *from = fake.self ? fake.self : &fake_test;

	if (to == from)
		return;
	if (fake.seed)
		fake_set_cpu((u32)fake_random(2));
	from->tls = gmp_tls_m;
	gmp_tls_m = to->tls;
	fake.self = to == &fake_test ? NULL : to;
	fiber_switch(from, to);
}

void fake_make_ready(struct fake_m *m)
{
	if (m->state == FAKE_COMPUTING)
		m->cpu_ns += fake.now - m->cpu_since;
	m->state = FAKE_READY;
	m->ready_seq = ++ready_seq;
}

static bool live_left(void)
{
	for (u32 i = 0; i < fake.nm; i++)
		if (fake.m[i].state != FAKE_DONE && &fake.m[i] != fake.sysmon)
			return true;
	return false;
}

static void expire(void)
{
	for (u32 i = 0; i < fake.nm; i++) {
		struct fake_m *m = &fake.m[i];

		if (m->state > FAKE_READY && m->state < FAKE_DONE && m->deadline <= fake.now)
			fake_make_ready(m);
	}
}

static struct fake_m *pick_ready(void)
{
	struct fake_m *best = NULL, *ready[FAKE_MS];
	u32 n = 0;

	expire();
	for (u32 i = 0; i < fake.nm; i++)
		if (fake.m[i].state == FAKE_READY) {
			ready[n++] = &fake.m[i];
			if (!best || fake.m[i].ready_seq < best->ready_seq)
				best = &fake.m[i];
		}
	return fake.seed && n ? ready[fake_random(n)] : best;
}

static u64 first_deadline(void)
{
	u64 first = NEVER_NS;

	for (u32 i = 0; i < fake.nm; i++)
		if (fake.m[i].state > FAKE_READY && fake.m[i].state < FAKE_DONE &&
		    fake.m[i].deadline < first)
			first = fake.m[i].deadline;
	return first;
}

/* Who runs next; the clock jumps when all sleep.  The test itself when it wants to have the word.
 */
static struct fake_m *pick(void)
{
	for (;;) {
		struct fake_m *m = pick_ready();
		u64 next;

		if (m && fake.now <= stop_at)
			return m;
		next = first_deadline();
		if (next > stop_at || fake.now > stop_at) {
			if (fake.now < stop_at)
				fake.now = stop_at;
			return &fake_test;
		}
		if (next == NEVER_NS)
			return live_left() ? NULL : &fake_test;
		fake.now = next + fake.coarse_ns;
	}
}

static void reschedule(void)
{
	struct fake_m *next;

	if ((stop_when && stop_when()) || (fake.sysmon && !stop_when && stop_at == NEVER_NS &&
					   !sched.sysmon_quit.v && !live_left()))
		next = &fake_test;
	else
		next = pick();
	if (!next)
		fake_fail("deadlock: nobody can run");
	switch_to(next);
}

/* ---- signals ---- */

/* The handler of preload/signal.c, after its first instruction: everything is blocked. */
static void on_preempt(u64 mask)
{
	struct m *m = getm();
	struct gate gate;

	if (!m || !m->live.v || !preempt_arrived(m, 0))
		return;
	gate = gate_open_parked(m, (uintptr_t)__builtin_frame_address(0));
	os_restore_signals(mask);
	preempt_park(m);
	gate_close(&gate);
}

static void on_signal(struct fake_sig sig, u64 mask)
{
	struct fake_m *m = fake.self;
	struct m *rm = getm();
	bool user = m->user, ours = sig.mark == &preempt_mark;

	m->user = false;
	fake_check(!ours || !m->intercepted, "a stray EINTR in thread %d", m->tid);
	if (ours)
		on_preempt(mask);
	else if (rm && rm->live.v)
		preempt_foreign(rm);
	m->user = user;
	/* retake_starved() may have counted on this signal, and here nobody looks. */
	m->stray |= rm && rm->g && (!ours || rm->depth) && hold_of(rm->g->hold.v) == HOLD_LOST;
	if (ours)
		return;
	m->host_signals++;
	m->mask = mask | 1ul << (sig.sig - 1); /* no SA_NODEFER */
	if (fake.host_handler)
		fake.host_handler();
}

static void deliver(void)
{
	struct fake_m *m = fake.self;
	int i;

	while ((i = fake_deliverable(m)) >= 0) {
		struct fake_sig sig = m->sigs[i];
		u64 mask = m->mask;

		fake_remove_signal(m, (u32)i);
		m->mask = ~0ul;
		on_signal(sig, mask);
		m->mask = mask;
	}
}

int fake_post_signal(struct fake_m *m, int sig, const void *mark)
{
	for (u32 i = 0; i < m->nsigs; i++)
		if (sig < 32 && m->sigs[i].sig == sig)
			return 0;
	if (m->nsigs == FAKE_SIGS)
		return -11;
	m->sigs[m->nsigs++] = (struct fake_sig){ sig, mark };
	if (m != &fake_test && fake_deliverable(m) >= 0 &&
	    (m->state == FAKE_COMPUTING || m->state == FAKE_FUTEX || m->state == FAKE_IN_CALL))
		fake_make_ready(m);
	return 0;
}

void fake_host_signal(struct fake_m *to, int sig, const void *value)
{
	fake_post_signal(to, sig, value);
}

/* ---- switch points ---- */

void fake_block(enum fake_state state, u64 deadline)
{
	struct fake_m *m = fake.self;

	model_drain(m);
	m->ready_seq = ++ready_seq;
	m->deadline = deadline;
	m->cpu_since = fake.now;
	m->state = state;
	if (fake_deliverable(m) >= 0)
		fake_make_ready(m);
	reschedule();
	deliver();
}

void fake_yield(void)
{
	fake.now += fake.yield_ns;
	if (!fake.self)
		return;
	fake_make_ready(fake.self);
	if (!fake.realtime)
		reschedule();
	deliver();
}

static void cost(void)
{
	struct fake_m *m = fake.self;
	u64 ns = fake_random(100);

	fake.now += ns;
	m->cpu_ns += ns;
	if (fake_random(fake.stall_odds) == 0) {
		u64 stall = fake_random(fake_random(4) ? 50 * US : 4 * MS);

		fake.stalled_ns += stall;
		fake_block(FAKE_STALLED, fake.now + stall);
	} else if (fake_random(fake.switch_odds) == 0) {
		reschedule();
	}
}

void fake_switch(const char *what)
{
	if (!fake.self || checking)
		return;
	trace[ntrace % TRACE].now = fake.now;
	trace[ntrace % TRACE].tid = fake.self->tid;
	trace[ntrace++ % TRACE].what = what;
	if (++fake.steps > fake.max_steps)
		fake_fail("no end in sight");
	if (fake.check) {
		checking = true;
		fake.check();
		checking = false;
	}
	if (fake.seed) {
		model_drain_some();
		cost();
	}
	deliver();
}

/* ---- what simulated threads do ---- */

void fake_compute(u64 ns)
{
	struct fake_m *m = fake.self;

	while (ns) {
		u64 start = m->cpu_ns, ran;

		fake_block(FAKE_COMPUTING, fake.now + ns);
		ran = m->cpu_ns - start;
		ns -= ran < ns ? ran : ns;
	}
	fake_switch("computed");
}

void fake_stall(u64 ns)
{
	fake_block(FAKE_STALLED, fake.now + ns);
}

static void asleep(int call, u64 ns)
{
	struct fake_m *m = fake.self;
	u64 end = ns == NEVER_NS ? ns : fake.now + ns;

	fake_switch("call");
	m->call = call;
	while (fake.now < end)
		fake_block(FAKE_IN_CALL, end);
	m->call = 0;
	fake_switch("returned");
}

void fake_sleep(int call, u64 ns)
{
	asleep(call, ns);
}

void fake_sleep_in_gate(int call, u64 ns)
{
	bool nested = fake.self->intercepted;

	fake.self->intercepted = true;
	asleep(call, ns);
	fake.self->intercepted = nested;
}

/* ---- running ---- */

static void thread_main(void)
{
	struct fake_m *m = fake.self;

	fiber_entered(m);
	m->fn(m->arg);
	model_drain(m);
	m->state = FAKE_DONE;
	reschedule();
	abort();
}

struct fake_m *fake_spawn(void (*fn)(void *), void *arg)
{
	struct fake_m *m = &fake.m[fake.nm];

	cr_assert(fake.nm < FAKE_MS);
	if (fake.self)
		model_drain(fake.self);
	if (!stacks[fake.nm])
		stacks[fake.nm] = malloc(STACK);
	m->stack = stacks[fake.nm];
	m->tid = 100 + (i32)fake.nm++;
	m->fn = fn;
	m->arg = arg;
	m->mask = fake.self ? fake.self->mask : 0;
	fiber_create(m, STACK, thread_main);
	fake_make_ready(m);
	return m;
}

static void sysmon_thread(void *arg)
{
	gmp_tls_m = &m_sysmon;
	sysmon_main();
}

struct fake_m *fake_spawn_sysmon(void)
{
	fake.sysmon = fake_spawn(sysmon_thread, NULL);
	fake.sysmon->mask = ~0ul;
	return fake.sysmon;
}

static void run(void)
{
	struct fake_m *first = pick();

	if (!first)
		fake_fail("deadlock: nobody can run");
	switch_to(first);
	if (!failed)
		return;
	fprintf(stderr, "%s\n", failure);
	cr_assert_fail("%s", failure);
}

void fake_run_until(bool (*done)(void))
{
	stop_when = done;
	run();
	stop_when = NULL;
}

void fake_run_for(u64 ns)
{
	stop_at = fake.now + ns;
	run();
	stop_at = NEVER_NS;
}

void fake_run(void)
{
	run();
	if (!fake.sysmon || fake.sysmon->state == FAKE_DONE)
		return;
	sysmon_stop();
	run();
	cr_assert_eq(fake.sysmon->state, FAKE_DONE, "sysmon ends when it is told to");
}

/*
 * The whole scheduler at random: threads that compute, call, block unseen, yield, jump, create and
 * end, while the number of Ps changes, one run a seed.  After every step of every thread the laws
 * of laws.h are checked; and
 *
 *   - no call in a bracket is cut short by a signal of ours;
 *   - in a trace, by its events' dates, no P has two Gs and no G two Ps;
 *   - everybody finishes, waits for a P no longer than the slices before it, and the books are
 * empty.
 *
 * Built twice.  As unit_sim, threads change at calls of the OS layer.  As unit_model, at every
 * atomic operation, and stores are seen late as a store buffer makes them: that checks the fences.
 * SIM_SEED=n repeats one run, SIM_SEEDS=n runs so many.
 */
#include <criterion/criterion.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/gmprt.h"
#include "runtime/os.h"
#include "runtime/runq.h"
#include "tests/unit/fake_g.h"
#include "tests/unit/fake_trace.h"
#include "tests/unit/laws.h"

#define THREADS_MAX 10
#define RT_SIGNO 64
#define LEN(array) (sizeof(array) / sizeof((array)[0]))

/* Of one run, drawn from the seed. */
static struct {
	u32 procs, procs_max, threads, ops;
	u64 slice_ns;
	u32 created;
	bool jumps, resizes, masks, tight;
	bool life;   /* sysmon is there when it is needed */
	bool traced; /* somebody asks for a trace */
} plan;

/* Where a handler that leaves by longjmp goes to, by simulated thread. */
static struct jump {
	jmp_buf to;
	bool open; /* `to` is valid */
	u64 mask;
	uintptr_t frame; /* of the thread's own gates */
} jumps[FAKE_MS];

/* ---- in and out of user code ---- */

static bool blocks_ours(void)
{
	return fake.self->mask >> (PREEMPT_SIGNO - 1) & 1 || fake.self->mask >> (RT_SIGNO - 1) & 1;
}

/* Blind, sysmon takes a thread whose CPU the kernel gave away for 5 ms for one that blocks. */
static void enter_user(void)
{
	fake.self->excused = fake.blind || blocks_ours() || opts.preempt != PREEMPT_SIGNAL;
	fake.self->user = true;
}

static void leave_user(void)
{
	fake.self->user = fake.self->stray = false;
}

/* All gates of a thread have one frame, those of its handlers their own, which lie below. */
static uintptr_t frame(void)
{
	return jumps[fake.self - fake.m].frame;
}

static void call(u64 class, u64 ns)
{
	struct gate gate;

	leave_user();
	gate = gate_open(class, 0, frame());
	if (!gate_cut(&gate))
		fake_sleep_in_gate(0, ns);
	gate_close(&gate);
	enter_user();
}

static u64 some_ns(void)
{
	switch (fake_random(6)) {
	case 0:
	case 1:
		return fake_random(5 * US);
	case 2:
	case 3:
		return fake_random(60 * US);
	case 4:
		return fake_random(1 * MS);
	default:
		return fake_random(2 * plan.slice_ns);
	}
}

/* ---- what threads do ---- */

static void op_compute(void)
{
	fake_compute(some_ns());
}

static void op_call(void)
{
	static const u64 classes[] = { MAY_WAIT,    WILL_WAIT,	  COMPOSE,
				       MAY_READ(5), MAY_WRITE(6), READY(7) };

	call(classes[fake_random(6)], some_ns());
}

static void op_short_calls(void)
{
	for (u64 n = fake_random(20); n; n--) {
		call(MAY_WAIT, fake_random(2 * US));
		fake_compute(fake_random(2 * US));
	}
}

static void op_block_unseen(void)
{
	fake.self->excused = true;
	fake_sleep(fake_random(4) ? 202 : PROBE_FAULT, some_ns());
}

/* A yield that gives nothing up answers no question: sysmon may have seen it asleep, and be about
 * to take its P. */
static void op_yield(void)
{
	bool excused = fake.self->excused;

	leave_user();
	g_yield();
	enter_user();
	if (hold_of(laws_hold_seen_by_owner(getm()->g)) != HOLD_KEPT)
		fake.self->excused |= excused;
}

/* A lock of the host's; sometimes its release is not seen, or there is one too many. */
static void op_lock(void)
{
	u64 releases = fake_random(8) ? 1 : fake_random(3);

	gate_locked();
	op_compute();
	if (fake_random(2))
		call(fake_random(2) ? MAY_WAIT : WILL_WAIT, some_ns());
	while (releases--)
		g_unlocked();
}

/* The host blocks all signals for a while, and may run over its slice and into a call so. */
static void op_mask(void)
{
	u64 old = fake.self->mask;

	if (!plan.masks)
		return;
	fake.self->excused = true;
	fake.self->mask = ~0ul;
	op_compute();
	call(MAY_WAIT, some_ns());
	op_compute();
	fake.self->mask = old;
	fake_switch("host unblocks");
}

/* These take sched.lock while in user code; asleep on its futex they look like any other stray. */
static void op_resize(void)
{
	fake.self->excused = true;
	if (plan.resizes)
		gmp_maxprocs(1 + (int)fake_random(plan.procs_max));
}

/* The host shows an interest in SIGURG: preload/ moves us to a signal that is queued one by one. */
static void op_move_signal(void)
{
	store_rlx(&preempt_signo, RT_SIGNO);
}

static void op_check(void)
{
	fake.self->excused = true;
	fake_check(gmp_check() == 0, "the books");
}

/* A collector's pause.  Nobody runs in it; who does not hear in time lets it fail. */
static void op_stop_the_world(void)
{
	struct jump *j = &jumps[fake.self - fake.m];

	leave_user();
	j->open = false;
	if (gmp_stop_the_world(1 + (unsigned)fake_random(20)) == 0) {
		laws.world_stopped = true;
		fake_sleep_in_gate(0, fake_random(30 * US));
		laws.world_stopped = false;
		gmp_start_the_world();
	}
	j->open = true;
	enter_user();
}

/* The first of those threads that get here: a trace begins anywhere. */
static void op_trace(void)
{
	fake.self->excused = true;
	if (plan.traced)
		fake_trace_ask();
}

/* A signal of the host's to anybody, itself included. */
static void op_signal(void)
{
	struct fake_m *m = &fake.m[fake_random(fake.nm)];

	if (!(m->mask == ~0ul && (m->tls == &m_off || m->tls == &m_sysmon)))
		fake_host_signal(m, fake_random(2) ? PREEMPT_SIGNO : 34,
				 fake_random(2) ? &plan : NULL);
	fake_switch("host signals");
}

/* The gate is left by a jump that nobody saw; the next gate finds out. */
static void op_jump_out_of_gate(void)
{
	if (!plan.jumps)
		return;
	leave_user();
	gate_open(MAY_WAIT, 0, frame());
	fake_sleep_in_gate(0, some_ns());
	if (fake_random(2)) {
		gate_jump(frame() + 64);
		enter_user();
	}
	fake_compute(fake_random(20 * US));
	if (!fake.self->user)
		call(MAY_WAIT, fake_random(20 * US));
}

static void worker(void *arg);

static void op_create(void)
{
	if (plan.created >= plan.threads)
		return;
	plan.created++;
	fake.self->excused = true;
	jumps[fake.self - fake.m].open = false; /* pthread_create() cannot be left by longjmp */
	fake_check(g_create(worker, NULL), "no memory");
	jumps[fake.self - fake.m].open = true;
}

/* Long enough for sysmon to leave, or nearly. */
static void op_linger(void)
{
	if (plan.life)
		call(WILL_WAIT, 8 * MS + fake_random(5 * MS));
}

static const struct op {
	void (*run)(void);
	const char *name;
} ops[] = {
#define OP(name) \
	{ \
		op_##name, "op " #name \
	}
	OP(compute), OP(compute),	 OP(compute),
	OP(call),    OP(call),		 OP(call),
	OP(call),    OP(short_calls),	 OP(block_unseen),
	OP(yield),   OP(mask),		 OP(resize),
	OP(check),   OP(signal),	 OP(create),
	OP(create),  OP(move_signal),	 OP(jump_out_of_gate),
	OP(lock),    OP(lock),		 OP(linger),
	OP(trace),   OP(stop_the_world),
};

/* Close races: calls about as long as sysmon's rounds, many of them, and few things else. */
static void op_tight_calls(void)
{
	for (u64 n = 1 + fake_random(10); n; n--) {
		call(fake_random(2) ? WILL_WAIT : MAY_WAIT, fake_random(40 * US));
		fake_compute(fake_random(30 * US));
	}
}

static const struct op tight_ops[] = {
	OP(tight_calls), OP(tight_calls), OP(tight_calls), OP(create),
	OP(yield),	 OP(lock),	  OP(trace),	   OP(stop_the_world),
#undef OP
};

/* A handler of the host: computes, makes a call, and may leave by longjmp. */
static void host_handler(void)
{
	struct fake_m *m = fake.self;
	struct jump *j = &jumps[m - fake.m];
	bool user = m->user;
	struct gate gate;

	fake_compute(fake_random(5 * US));
	if (fake_random(2)) {
		m->user = false;
		gate = gate_open(MAY_WAIT, 1, (uintptr_t)__builtin_frame_address(0));
		fake_sleep_in_gate(1, fake_random(50 * US));
		gate_close(&gate);
		m->user = user;
	}
	if (!plan.jumps || !j->open || fake_random(4))
		return;
	m->intercepted = false; /* the call is over, whatever comes */
	if (fake_random(2))
		gate_jump(frame() + 64);
	m->mask = j->mask;
	longjmp(j->to, 1);
}

/* Back from a jump: outside of user code until a gate has closed. */
static void after_jump(void)
{
	fake.self->intercepted = false;
	fake.self->user = false;
	call(MAY_WAIT, fake_random(5 * US));
}

static void worker(void *arg)
{
	struct jump *j = &jumps[fake.self - fake.m];
	volatile u64 left = fake_random(plan.ops) + 1;

	j->mask = fake.self->mask;
	j->frame = (uintptr_t)__builtin_frame_address(0);
	enter_user();
	if (setjmp(j->to))
		after_jump();
	j->open = true;
	while (left) {
		const struct op *op = plan.tight ? &tight_ops[fake_random(LEN(tight_ops))]
						 : &ops[fake_random(LEN(ops))];

		left--;
		fake_switch(op->name);
		op->run();
	}
	j->open = false;
	leave_user();
}

static bool sometimes_blocks(int fd, bool write)
{
	return fake_random(2);
}

/* ---- one run ---- */

static void draw_plan(void)
{
	plan.procs_max = 1 + (u32)fake_random(5);
	plan.procs = 1 + (u32)fake_random(plan.procs_max);
	plan.threads = 1 + (u32)fake_random(THREADS_MAX - 1);
	plan.ops = 5 + (u32)fake_random(40);
	plan.jumps = fake_random(3) == 0;
	plan.resizes = fake_random(2);
	plan.masks = fake_random(2);
	plan.created = 0;
	laws.world_stopped = false;
	plan.tight = false;
	plan.life = laws.life = fake_random(2);
	plan.traced = !fake_random(4);
	fake.share = plan.traced;
	opts.page = plan.traced;
	memset(jumps, 0, sizeof(jumps));
	opts.slice_us = fake_random(2) ? 10000 : 100 + (u32)fake_random(2000);
	opts.lock_grace = (u32)fake_random(4);
	opts.retake_us = fake_random(4) ? 20 : (u32)fake_random(200);
	opts.preempt = fake_random(4) ? PREEMPT_SIGNAL : (u32)fake_random(3);
	plan.slice_ns = opts.slice_us * US;
	fake.no_membarrier = fake_random(4) == 0;
	fake.blind = fake_random(10) == 0;
	fake.would_block = sometimes_blocks;
	fake.host_handler = host_handler;
	fake.check = laws_check;
}

static void draw_tight_plan(void)
{
	draw_plan();
	plan.tight = true;
	plan.life = laws.life = false;
	plan.procs = 1 + (u32)fake_random(2);
	plan.threads = 2 + (u32)fake_random(3);
	plan.ops = 20;
	opts.slice_us = 100 + (u32)fake_random(100);
	opts.retake_us = (u32)fake_random(3);
	opts.preempt = PREEMPT_SIGNAL;
	plan.slice_ns = opts.slice_us * US;
	fake.no_membarrier = fake.blind = false;
	fake.switch_odds = 2u << fake_random(4);
	if (plan.traced) /* between what is done and the event that tells of it, for one */
		fake.stall_odds = 8u << fake_random(4);
	fake.coarse_ns = fake_random(4) * 5 * US; /* things happen at the same moment */
}

static void check_end(void)
{
	cr_assert_eq(sched.nwait.v, 0, "seed %lu: nwait=%u", fake.seed, sched.nwait.v);
	cr_assert_eq(sched.ng.v, 0, "seed %lu: ng=%u", fake.seed, sched.ng.v);
	cr_assert_eq(sched.npidle.v, sched.gomaxprocs.v, "seed %lu: idle %u", fake.seed,
		     sched.npidle.v);
	cr_assert_eq(fake.outlen, 0, "seed %lu said %s", fake.seed, fake_output());
}

/* Each waits for those before it: a slice, the time to be asked, and what the kernel took from
 * them. */
static void check_wait(void)
{
	u64 turn = (2 + opts.lock_grace) * plan.slice_ns + 2 * MS;

	if (opts.preempt == PREEMPT_OFF)
		turn += 100 * MS;
	turn *= 2 * THREADS_MAX;
	cr_assert_leq(stat_get(maxwait_ns), turn + fake.stalled_ns, "seed %lu: waited %lu ns",
		      fake.seed, stat_get(maxwait_ns));
}

static u64 changes; /* of Ps from hand to hand, in all traces */

static void run_seed(u64 seed, void (*draw)(void))
{
	fake_reset(seed);
	draw();
	(plan.life ? g_alone : g_first)(plan.procs, worker, NULL);
	fake_run();
	check_end();
	check_wait();
	changes += fake_trace_check();
}

static u64 from_env(const char *name, u64 def)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 10) : def;
}

#ifdef TESTS_UNIT_MODEL_ATOMIC_H
#define SEEDS 3000
#else
#define SEEDS 6000
#endif

static void run_seeds(u64 first, void (*draw)(void))
{
	u64 one = from_env("SIM_SEED", 0), n = from_env("SIM_SEEDS", SEEDS) / 2;

	if (one) {
		run_seed(one, draw);
		return;
	}
	for (u64 seed = first; seed < first + n; seed++)
		run_seed(seed, draw);
	cr_assert_gt(changes, n, "traces are looked at");
}

Test(sim, laws_hold_at_random, .timeout = 600)
{
	run_seeds(1, draw_plan);
}

Test(sim, laws_hold_at_random_elsewhere, .timeout = 600)
{
	run_seeds(1ul << 32, draw_plan);
}

Test(sim, laws_hold_in_close_races, .timeout = 600)
{
	run_seeds(1, draw_tight_plan);
}

Test(sim, laws_hold_in_close_races_elsewhere, .timeout = 600)
{
	run_seeds(1ul << 32, draw_tight_plan);
}

/* See fake_g.h. */
#include "tests/unit/fake_g.h"

#include <criterion/criterion.h>

#include "runtime/hooks.h"
#include "runtime/sysmon_life.h"
#include "tests/unit/fake_threads.h"

struct start {
	void (*fn)(void *);
	void *arg;
	u32 procs;
	struct g *g;
};

/* By thread: alive until the thread has read it. */
static struct start starts[FAKE_MS];

static void end(void)
{
	if (mexit())
		sysmon_end(0);
}

static int start_sysmon(void (*fn)(void))
{
	fake_spawn_sysmon();
	return 0;
}

static void join_sysmon(void)
{
	while (fake.sysmon->state != FAKE_DONE)
		fake_yield();
}

static void first_thread(void *arg)
{
	struct start s = *(struct start *)arg;

	fake_check(sched_start(s.procs) == 0, "no memory");
	s.fn(s.arg);
	end();
}

struct fake_m *g_alone(u32 procs, void (*fn)(void *), void *arg)
{
	struct start *s = &starts[fake.nm];

	rt_hooks.thread_start = start_sysmon;
	rt_hooks.thread_join = join_sysmon;
	*s = (struct start){ fn, arg, procs, NULL };
	return fake_spawn(first_thread, s);
}

struct fake_m *g_first(u32 procs, void (*fn)(void *), void *arg)
{
	struct fake_m *m = g_alone(procs, fn, arg);

	rt_hooks.thread_start = NULL;
	fake_spawn_sysmon();
	return m;
}

static void later_thread(void *arg)
{
	struct start s = *(struct start *)arg;

	mstart(s.g);
	s.fn(s.arg);
	end();
}

struct fake_m *g_create(void (*fn)(void *), void *arg)
{
	struct g *g = newg((void *)fn, arg);
	struct start *s;

	if (!g)
		return NULL;
	if (rt_hooks.thread_start)
		sysmon_need();
	s = &starts[fake.nm];
	*s = (struct start){ fn, arg, 0, g };
	return fake_spawn(later_thread, s);
}

struct m *g_here(u32 procs)
{
	cr_assert_eq(sched_start(procs), 0);
	return getm();
}

struct g *g_puppet(void)
{
	struct g *g = newg(NULL, NULL);

	cr_assert(g);
	g->m->tid = 1000 + (i32)g->goid;
	if (load_rlx(&sched.npidle))
		acquirep(g->m, true);
	store_rlx(&g->m->live, 1);
	return g;
}

void g_call(u64 class, u32 nr, u64 ns)
{
	struct gate gate = gate_open(class, nr, (uintptr_t)__builtin_frame_address(0));

	fake_sleep_in_gate((int)nr, ns);
	gate_close(&gate);
}

bool g_yield(void)
{
	return g_yield_at(0);
}

bool g_yield_at(u64 at)
{
	struct m *m = getm();
	enum yield yield = gate_active() ? gate_yields(m, at) : YIELD_KERNEL;
	struct gate gate;

	if (yield != YIELD_NOW)
		return yield == YIELD_NOT_YET;
	gate = gate_open_parked(m, (uintptr_t)__builtin_frame_address(0));
	gosched(m, false);
	gate_close(&gate);
	return true;
}

void g_unlocked(void)
{
	struct m *m = getm();
	struct gate gate;

	if (!gate_unlocked())
		return;
	gate = gate_open_parked(m, (uintptr_t)__builtin_frame_address(0));
	preempt_park(m);
	gate_close(&gate);
}

struct g *g_self(void)
{
	return getm()->g;
}

bool g_has_p(struct g *g)
{
	return hold_of(load_rlx(&g->hold)) != HOLD_LOST;
}

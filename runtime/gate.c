/* Gates that nest, gates that were jumped out of, and the public form of them. */
#include "runtime/gate.h"

#include "runtime/gmprt.h"
#include "runtime/hooks.h"
#include "runtime/limit.h"
#include "runtime/os.h"
#include "runtime/preempt.h"
#include "runtime/proc.h"
#include "runtime/stw.h"

/*
 * Has control left the open gate for a frame at sp, by longjmp?  A handler's frame lies below the
 * call that it interrupted, or on the alternate stack.  Wrong answers (a host with stacks of its
 * own) are harmless: a thread taken for running while it blocks becomes a stray, one taken for
 * blocked lends its P.
 */
static bool abandoned(struct m *m, uintptr_t sp)
{
	uintptr_t lo, hi;
	bool to_alt, gate_alt;

	os_altstack(&lo, &hi);
	to_alt = sp >= lo && sp < hi;
	gate_alt = m->gate_sp >= lo && m->gate_sp < hi;
	if (to_alt != gate_alt)
		return gate_alt;
	return sp >= m->gate_sp;
}

/* Finishes the exit that the jump skipped, wherever it was. */
static void repair(struct m *m)
{
	if (m->queued)
		acquirep(m, true);
	exitsyscall(m);
	m->depth = 0;
}

void gate_jump(uintptr_t sp)
{
	struct m *m = getm();

	if (m && load_rlx(&m->live) && m->depth && abandoned(m, sp))
		repair(m);
}

void gate_switch(void)
{
	struct m *m = getm();

	if (m && load_rlx(&m->live) && m->depth)
		repair(m);
}

static struct gate gate_bracket(struct m *m, u64 class, u32 nr, uintptr_t sp)
{
	u32 depth = m->depth;

	if (!depth)
		m->gate_sp = sp;
	m->depth = depth + 1;
	entersyscall(m, class, nr);
	return (struct gate){ m, depth, 1 };
}

struct gate gate_open_slow(u64 class, u32 nr, uintptr_t sp)
{
	struct m *m = getm();

	if (!m && rt_hooks.adopt)
		m = rt_hooks.adopt();
	if (!m || !load_rlx(&m->live))
		return (struct gate){ 0 };
	if (m->depth && abandoned(m, sp))
		repair(m);
	if (m->depth && load_rlx(&m->g->status) != G_RUNNING) {
		m->depth++;
		return (struct gate){ m, m->depth - 1, 0 };
	}
	/* A handler may also find its thread on the way in or out, still or again with a P. */
	return gate_bracket(m, class, nr, sp);
}

#define YIELD_NS 50000 /* about five hand-offs */
#define YIELDS 64      /* of one that only looks: less than a hand-off */

/*
 * Who works between its yields has its P for a turn.  Who yields that often in it does not: it
 * waits, maybe for one that is queued, and every other that waits as it does comes first.  One with
 * a lock is let finish: the next would run into that.
 */
static bool yielder_had_turn(struct m *m, u64 now)
{
	if (now - load_rlx(&m->p->granted_ns) >= YIELD_NS)
		return true;
	if (load_rlx(&m->held))
		return false;
	store_rlx(&m->p->yields, load_rlx(&m->p->yields) + 1);
	return load_rlx(&m->p->yields) >= YIELDS;
}

/* For as long as a spinner may, or it works: who was granted a P may have woken late with it. */
static void end_turn(struct m *m, u64 now)
{
	u64 began = max_u64(m->began_ns, load_rlx(&m->p->granted_ns));
	bool in_vain = !m->moved && now - began < SPINS_NS;

	m->g->looks = in_vain ? LOOKS_IN_VAIN : m->in_vain ? LOOKS_FOUND : LOOKS_MOVED;
	m->in_vain = in_vain;
	m->moved = false;
}

enum yield gate_yields(struct m *m, u64 at)
{
	u64 now;

	m->moved |= !at || at != m->yields_at;
	m->yields_at = at;
	if (load_rlx(&sched.dissolved))
		return YIELD_KERNEL;
	if (hold_of(load_rlx(&m->g->hold)) == HOLD_LOST)
		return YIELD_NOW;
	if (load_rlx(&sched.stopping))
		return YIELD_NOW;
	if (!load_rlx(&sched.nwait))
		return YIELD_KERNEL;
	now = os_nanotime();
	if (!yielder_had_turn(m, now))
		return YIELD_NOT_YET;
	end_turn(m, now);
	return YIELD_NOW;
}

/* ---- the public form: gmprt.h ---- */

void gmp_entersyscall(void)
{
	/* The frame that calls us outlives the bracket. */
	struct gate gate = gate_open(MAY_WAIT, CALL_NONE, (uintptr_t)__builtin_frame_address(0));

	if (gate.m)
		gate.m->api_brackets = gate.m->api_brackets << 1 | gate.bracket;
}

void gmp_exitsyscall(void)
{
	struct m *m = getm();
	struct gate gate;

	if (!m || !load_rlx(&m->live) || !m->depth)
		return;
	gate = (struct gate){ m, m->depth - 1, m->api_brackets & 1 };
	m->api_brackets >>= 1;
	gate_close(&gate);
}

int gmp_maxprocs(int n)
{
	if (!load_acq(&sched.active)) /* @pair active */
		return 0;
	if (n < 1)
		return (int)load_rlx(&sched.gomaxprocs);
	return (int)limit_set(n < MAXPROCS_MAX ? (u32)n : MAXPROCS_MAX);
}

int gmp_stop_the_world(unsigned timeout_ms)
{
	return stoptheworld(timeout_ms);
}

void gmp_start_the_world(void)
{
	starttheworld();
}

/* In this mode each G has its own thread anyway. */
void gmp_lock_os_thread(void)
{
}

void gmp_unlock_os_thread(void)
{
}

int gmp_check(void)
{
	return load_acq(&sched.active) ? sched_check() : 0; /* @pair active */
}

/* Ms by the low bits of their tids. */
#include "runtime/holder.h"

/* Of two that are alike in these the later one is known. */
#define NAMES 4096

static ATOMIC(struct m *) names[NAMES];

void holder_named(struct m *m)
{
	/* release, @pair holder: its tid.  In a forked child an old one's M is there, and wiped. */
	store_rel(&names[(u32)m->tid % NAMES], m);
}

static struct m *find(i32 tid)
{
	struct m *m = load_acq(&names[(u32)tid % NAMES]); /* @pair holder */

	return m && load_rlx(&m->live) && m->tid == tid ? m : NULL;
}

/* By its open gate's class: it waits for that lock, or has it and has not come out yet. */
static bool is_about(struct m *m, uintptr_t lock)
{
	u64 class = load_rlx(&m->class); /* relaxed: a hint */

	if (class_wait(class) == WAIT_COND)
		return load_rlx(&m->with) == lock;
	return class_wait(class) == WAIT_MUTEX && class_object(class) == lock;
}

bool holder_held_up(i32 tid, uintptr_t lock)
{
	struct m *m = find(tid);

	/* relaxed, all: hints. */
	if (!m || load_rlx(&sched.dissolved)) /* then nobody has a P, and all run */
		return false;
	if (__atomic_load_n(&m->depth, __ATOMIC_RELAXED) && is_about(m, lock))
		return true;
	return load_rlx(&m->g->status) != G_SYSCALL && hold_of(load_rlx(&m->g->hold)) == HOLD_LOST;
}

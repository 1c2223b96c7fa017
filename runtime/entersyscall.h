/*
 * The bracket: entersyscall() before a call that may block, exitsyscall() after it.
 *
 * entersyscall leaves the P on loan: the G's status says SYSCALL and whoever wants the P asks
 * g->hold. Both ways are plain stores.  The pair that makes it safe (docs/MEMORY_MODEL.md, @pair
 * loan):
 *
 *      exit:   status = RUNNING;  fence_light;  read hold
 *      seizer: hold |= ASKED;     fence_heavy;  read status
 *
 * At least one of the two sees the other.  If the exit sees ASKED it refuses by CAS; if the seizer
 * sees SYSCALL it takes by CAS; one of the two CAS wins.
 *
 * These functions are the only place that knows how the bracket works.  Async-signal-safe.
 */
#ifndef GMP_RUNTIME_ENTERSYSCALL_H
#define GMP_RUNTIME_ENTERSYSCALL_H

#include "runtime/cpu.h"
#include "runtime/types.h"

void entersyscall_slow(struct m *m);
void exitsyscall_slow(struct m *m);
/* G: syscall, its P handed on (Go's entersyscallblock).  By: its own M. */
void entersyscallblock(struct m *m);

static inline enum call_class call_class(struct g *g)
{
	return (enum call_class)(load_rlx(&g->callno) >> 16 & CLASS_MASK);
}

/*
 * G: running -> syscall.  By: its own M.  After: the P, if held, is on loan: touch nothing in it.
 */
static inline void entersyscall(struct m *m, u64 class, u32 nr)
{
	struct g *g = m->g;

	store_rlx(&m->cpu, cpu_here()); /* relaxed: a hint, loan.h */
	/* relaxed, all three: sysmon only compares and names. */
	store_rlx(&g->callno, ((u32) class & CLASS_MASK) << 16 | (nr & 0xffff));
	store_rlx(&m->class, class);
	store_rlx(&g->syscalltick, load_rlx(&g->syscalltick) + 1);
	/* release, @pair hold: what we did before is done when the P changes hands. */
	store_rel(&g->status, G_SYSCALL);
	fence_light(); /* @pair signal: with preempt_send() */
	if (unlikely(load_rlx(&m->sig) | load_rlx(&sched.nwait) | load_rlx(&sched.tracing)))
		entersyscall_slow(m);
}

/* G: syscall -> running, with a P.  By: its own M.  May park. */
static inline void exitsyscall(struct m *m)
{
	struct g *g = m->g;

	store_rlx(&g->status, G_RUNNING); /* relaxed: the fence below orders it */
	fence_light();			  /* @pair loan */
	if (unlikely((load_rlx(&g->hold) & HOLD_MASK) | load_rlx(&g->preempt) | m->traced))
		exitsyscall_slow(m);
}

#endif

/*
 * The gate: a bracket that nests, closes in every way a C function can be left, and costs nothing
 * in a process without threads.
 *
 * Only the outermost gate of a thread is a bracket.  A gate opened inside it belongs to a signal
 * handler that interrupted the blocked call: it passes through, and the handler runs at once,
 * without a P. A gate that is left by longjmp is closed on the way (gate_jump), and one that was
 * left unseen, by swapcontext say, by the next gate, whose stack pointer gives it away.
 *
 * Async-signal-safe.  Touches no errno.
 */
#ifndef GMP_RUNTIME_GATE_H
#define GMP_RUNTIME_GATE_H

#include "runtime/entersyscall.h"

struct gate {
	struct m *m; /* NULL: nothing to close */
	u32 depth;   /* of the thread before this gate */
	u32 bracket; /* closing it is an exitsyscall */
};

struct gate gate_open_slow(u64 class, u32 nr, uintptr_t sp);

/* One thread: nothing is our business. */
static inline bool gate_lone(void)
{
	return !getm() && !load_rlx(&sched.active);
}

/* sp: frame address of the interceptor, for finding a gate that was jumped out of. */
ALWAYS_INLINE struct gate gate_open(u64 class, u32 nr, uintptr_t sp)
{
	struct m *m = getm();

	if (class == NEVER)
		return (struct gate){ 0 };
	if (unlikely(!m || !load_rlx(&m->live) || m->depth)) {
		if (gate_lone())
			return (struct gate){ 0 };
		return gate_open_slow(class, nr, sp);
	}
	m->gate_sp = sp;
	m->depth = 1;
	entersyscall(m, class, nr);
	return (struct gate){ m, 0, 1 };
}

ALWAYS_INLINE void gate_close(struct gate *gate)
{
	struct m *m = gate->m;

	/* Not live: this is a forked child, made by a handler that interrupted the call. */
	if (!m || unlikely(!load_rlx(&m->live)))
		return;
	if (likely(gate->bracket))
		exitsyscall(m);
	m->depth = gate->depth;
}

/*
 * A read that queued for a P before it began, where a handler without SA_RESTART ran meanwhile and
 * no data came: it must fail with EINTR.  Once.  By: who opened the gate, before the call.
 */
static inline bool gate_cut(const struct gate *gate)
{
	if (likely(!gate->m || !gate->m->cut || gate->depth)) /* a handler's own reads are not */
		return false;
	gate->m->cut = false;
	return true;
}

/* A gate without a bracket: the thread is about to wait for a P.  Needs gate_active(). */
static inline struct gate gate_open_parked(struct m *m, uintptr_t sp)
{
	m->gate_sp = sp;
	m->depth = 1;
	return (struct gate){ m, 0, 1 };
}

/* The calling thread's M, NULL unless it is a G outside of any gate. */
static inline struct m *gate_self(void)
{
	struct m *m = getm();

	return m && load_rlx(&m->live) && !m->depth ? m : NULL;
}

static inline bool gate_active(void)
{
	return gate_self();
}

/* The calling thread is about to longjmp to a frame at sp: closes the gate if that is outside of
 * it. */
void gate_jump(uintptr_t sp);

/*
 * The calling thread is about to go on in another context (swapcontext, out of a handler): what it
 * left open is closed, for what comes now is user code.  When it comes back the gate closes again.
 */
void gate_switch(void);

/*
 * Locks of the host's that this thread holds are counted, so that one who holds any is not stopped
 * for long (preempt_put_off) and gets a P soon (runq.h).  The count may be wrong: a lock may be
 * released by another thread, destroyed, or left by longjmp.  One too few costs a late unlock, one
 * too many a grace, after which it is forgotten.  Handlers leave it as they found it, or as wrong.
 */
static inline void gate_count_lock(struct m *m)
{
	store_rlx(&m->held, load_rlx(&m->held) + 1); /* relaxed: sysmon guesses by it */
}

static inline void gate_locked(void)
{
	struct m *m = getm();

	if (m && load_rlx(&m->live))
		gate_count_lock(m);
}

/* True: the last one, and a preemption was put off for it, which should happen now. */
static inline bool gate_unlocked(void)
{
	struct m *m = getm();
	u32 held = m ? load_rlx(&m->held) : 0;

	if (!held)
		return false;
	store_rlx(&m->held, held - 1);
	return held == 1 && unlikely(load_rlx(&m->g->preempt)) && !m->depth;
}

/*
 * What a yield of m's should do.  Nobody waits for a P: the kernel may know somebody.  Within the
 * first turn after a grant it returns at once: a hand-off costs ten times the yield of a spinner.
 * A turn is short for who yields without a pause: who has what it waits for may be queued.
 */
enum yield { YIELD_KERNEL, YIELD_NOT_YET, YIELD_NOW };
/*
 * at: which yield of the host's it is, with the registers of its loop; 0: not known.  Who comes
 * back to the same one has not got any further.  A wrong answer costs the order of those who yield,
 * within bounds (runq.h), no more.
 */
enum yield gate_yields(struct m *m, u64 at);

#endif

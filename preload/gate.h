/*
 * What an interceptor opens its call with; see runtime/gate.h.
 *
 * The cleanups run on return and, with -fexceptions, when a cancelled thread unwinds.
 */
#ifndef GMP_PRELOAD_GATE_H
#define GMP_PRELOAD_GATE_H

#include "runtime/gate.h"
#include "runtime/proc.h"

#define GATE_GUARD struct gate gate_ __attribute__((cleanup(gate_close), unused))

/* Brackets the rest of the enclosing block. */
#define GATE(class, nr) GATE_GUARD = gate_open((class), (nr), (uintptr_t)__builtin_frame_address(0))

/* One thread: a jump to libc's, whose return is the only one. */
#define LONE(name, args) \
	if (gate_lone()) \
	return real_##name args

/* sched_yield: true when others had a turn, false when the caller should ask the kernel.
 * at: gate_yields(). */
static inline bool gate_yield(u64 at)
{
	struct m *m = getm();
	enum yield yield = gate_active() ? gate_yields(m, at) : YIELD_KERNEL;

	if (yield != YIELD_NOW)
		return yield == YIELD_NOT_YET;
	GATE_GUARD = gate_open_parked(m, (uintptr_t)__builtin_frame_address(0));
	gosched(m, false);
	return true;
}

#endif

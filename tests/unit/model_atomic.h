/*
 * runtime/atomic.h for the model checker: put before a source by -include, it replaces each atomic
 * operation by one that the fake can interleave and delay.  The order of an operation counts as on
 * x86: a store of any order is buffered, whatever has a lock prefix empties the buffer, loads are
 * in order.  So a missing fence_light() or fence_heavy() shows, a missing acquire does not.
 */
#ifndef TESTS_UNIT_MODEL_ATOMIC_H
#define TESTS_UNIT_MODEL_ATOMIC_H

#include "runtime/atomic.h"
#include "tests/unit/model.h"

#undef load_rlx
#undef load_acq
#undef store_rlx
#undef store_rel
#undef xchg_ar
#undef add_rlx
#undef add_ar
#undef add_sc
#undef or_sc
#undef and_sc
#undef cas_order
#define load_rlx(a) ((__typeof__((a)->v))model_load(&(a)->v, sizeof((a)->v)))
#define load_acq(a) load_rlx(a)
#define store_rlx(a, x) \
	({ \
		__typeof__((a)->v) new_ = (x); \
		model_store(&(a)->v, (uint64_t)new_, sizeof(new_)); \
	})
#define store_rel(a, x) store_rlx(a, x)
#define model_rmw(op, a, x) \
	({ \
		__typeof__((a)->v) with_ = (x); \
		model_barrier(); \
		op(&(a)->v, with_, __ATOMIC_SEQ_CST); \
	})
#define xchg_ar(a, x) model_rmw(__atomic_exchange_n, a, x)
#define add_rlx(a, x) model_rmw(__atomic_fetch_add, a, x)
#define add_ar(a, x) model_rmw(__atomic_fetch_add, a, x)
#define add_sc(a, x) model_rmw(__atomic_fetch_add, a, x)
#define or_sc(a, x) model_rmw(__atomic_fetch_or, a, x)
#define and_sc(a, x) model_rmw(__atomic_fetch_and, a, x)
#define cas_order(a, old, new, order) \
	({ \
		__typeof__((a)->v) old_ = (old), with_ = (new); \
		model_barrier(); \
		__atomic_compare_exchange_n(&(a)->v, &old_, with_, false, __ATOMIC_SEQ_CST, \
					    __ATOMIC_RELAXED); \
	})

#define fence_full model_fence_full
static inline void model_fence_full(void)
{
	model_barrier();
}

/* With membarrier this side is nothing but a switch point: that is what the model is for. */
#define fence_light model_fence_light
static inline void model_fence_light(void)
{
	if (load_rlx(&fence_mode) == FENCE_QUIET)
		model_point();
	else
		model_barrier();
}

#endif

/*
 * Atomic words whose memory order is in every operation's name.
 *
 * A field of type au32, au64 or ATOMIC(T) cannot be used as a plain value: `x = g->status` does not
 * compile, so every access says what it needs.  _rlx relaxed, _acq acquire, _rel release, _ar both.
 *
 * fence_light() and fence_heavy() are the two sides of one StoreLoad pair.  While nobody waits for
 * a P the fast side (a bracket, millions a second) pays a compiler barrier and the slow side (a
 * seizer) membarrier(2); while Gs wait, or without membarrier, both are full fences (fence.h).
 * docs/MEMORY_MODEL.md lists the pairs.
 */
#ifndef GMP_RUNTIME_ATOMIC_H
#define GMP_RUNTIME_ATOMIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int32_t i32;
typedef int64_t i64;

/* clang-format off */
#define ATOMIC(T) struct { T v; }
/* clang-format on */
typedef ATOMIC(u32) au32;
typedef ATOMIC(u64) au64;

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
/* For the bracket's fast path: more interceptors use it than the compiler would inline it into. */
#define ALWAYS_INLINE static inline __attribute__((always_inline))

#define load_rlx(a) __atomic_load_n(&(a)->v, __ATOMIC_RELAXED)
#define load_acq(a) __atomic_load_n(&(a)->v, __ATOMIC_ACQUIRE)
#define store_rlx(a, x) __atomic_store_n(&(a)->v, (x), __ATOMIC_RELAXED)
#define store_rel(a, x) __atomic_store_n(&(a)->v, (x), __ATOMIC_RELEASE)
#define xchg_ar(a, x) __atomic_exchange_n(&(a)->v, (x), __ATOMIC_ACQ_REL)
#define add_rlx(a, x) __atomic_fetch_add(&(a)->v, (x), __ATOMIC_RELAXED)
#define add_ar(a, x) __atomic_fetch_add(&(a)->v, (x), __ATOMIC_ACQ_REL)
/* Full barriers as well: for the StoreLoad side of an enqueue, and of a P that goes idle. */
#define add_sc(a, x) __atomic_fetch_add(&(a)->v, (x), __ATOMIC_SEQ_CST)
#define or_sc(a, x) __atomic_fetch_or(&(a)->v, (x), __ATOMIC_SEQ_CST)
#define and_sc(a, x) __atomic_fetch_and(&(a)->v, (x), __ATOMIC_SEQ_CST)

/* cas_*(a, old, new): true when the word was `old` and is now `new`. */
#define cas_order(a, old, new, order) \
	({ \
		__typeof__((a)->v) old_ = (old); \
		__atomic_compare_exchange_n(&(a)->v, &old_, (new), false, order, \
					    __ATOMIC_RELAXED); \
	})
#define cas_acq(a, old, new) cas_order(a, old, new, __ATOMIC_ACQUIRE)
#define cas_rel(a, old, new) cas_order(a, old, new, __ATOMIC_RELEASE)
#define cas_ar(a, old, new) cas_order(a, old, new, __ATOMIC_ACQ_REL)

#if defined(__SANITIZE_THREAD__)
#define GMP_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GMP_TSAN 1
#endif
#endif

/* Who pays for a StoreLoad pair; fence.h has the rules.  Written by sysmon. */
enum fence_mode { FENCE_BUSY, FENCE_TURNING, FENCE_QUIET };
extern au32 fence_mode;

static inline void fence_full(void)
{
#ifdef GMP_TSAN
	/* tsan does not model fences: one word that every fence passes through orders them. */
	extern au32 fence_word;
	__atomic_fetch_add(&fence_word.v, 1, __ATOMIC_SEQ_CST);
#else
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

static inline void fence_light(void)
{
#ifndef GMP_TSAN
	if (likely(load_rlx(&fence_mode) == FENCE_QUIET)) {
		__asm__ volatile("" ::: "memory");
		return;
	}
#endif
	fence_full();
}

/* The other side of every fence_light().  Async-signal-safe.  0.3 us alone, 1-8 us among others. */
void fence_heavy(void);

static inline void cpu_pause(void)
{
	__asm__ volatile("pause");
}

#endif

/*
 * Locks: try, then gate.  And the two ways to spin: pthread_spin_lock and sched_yield.
 *
 * Taking a free lock is user-mode work and must cost no bracket, so a TRY row makes libc's own try
 * call first. Only success (0 in every type) is believed: whatever else it says, libc's blocking
 * call is made in a bracket and decides, so every error (EDEADLK, EINVAL, EAGAIN, ...) is libc's
 * own. The one thing to know is which arguments libc refuses although the lock is free; a row
 * whose try would skip such a check names it (clock_known, time_valid).
 *
 * A thread that spins holds its P while the thread it waits for may have none. So the spinners
 * here give the P up after a bounded number of turns.
 */
#include "preload/interpose.h"

#include "preload/gate.h"
#include "runtime/gmprt.h"
#include "runtime/holder.h"
#include "runtime/os.h"
#include "runtime/preempt.h"

/* About 3 us of turns: longer than a short critical section, much shorter than a hand-off pays. */
#define SPIN_TURNS 64
#define SPIN_PAUSES 16

/*
 * As Go's sync_runtime_doSpin.  While Gs wait for a P, to wait for a lock is a hand-over, and who
 * is woken with the lock then waits for a P with it: others queue up behind.  A holder that runs is
 * mostly done before that, but with one P no holder runs.
 */
#define ACTIVE_SPIN 4
#define ACTIVE_SPIN_PAUSES 30

static bool lock_spin(u32 turn)
{
	/* relaxed, both: hints. */
	if (turn == ACTIVE_SPIN || !load_rlx(&sched.nwait) || load_rlx(&sched.nlent) < 2 ||
	    !gate_active())
		return false;
	for (int i = 0; i < ACTIVE_SPIN_PAUSES; i++)
		__builtin_ia32_pause();
	return true;
}

#define BUSY_errnum EBUSY
#define BUSY_thrd_res thrd_busy

/* A call that takes a lock said r. */
static inline errnum took_errnum(errnum r)
{
	if (r == 0 || r == EOWNERDEAD)
		gate_locked();
	return r;
}

static inline thrd_res took_thrd_res(thrd_res r)
{
	if (r == thrd_success)
		gate_locked();
	return r;
}

/* The clocks that glibc's clock* locks take. */
static inline bool clock_known(clockid_t clock)
{
	return clock == CLOCK_REALTIME || clock == CLOCK_MONOTONIC;
}

/* The check that rwlocks make before they look at the lock; no time means wait for ever. */
static inline bool time_valid(const struct timespec *t)
{
	return !t || (t->tv_nsec >= 0 && t->tv_nsec < 1000000000);
}

/*
 * Only plain mutexes are tried. glibc's trylock of an unrecoverable robust mutex says so and
 * leaves it locked; the first lock of a priority ceiling one has effects whether it succeeds or
 * not (both seen with 2.36); priority inheritance goes to the kernel for either. The bits of the
 * kind are ABI: static initialisers have them in them.
 */
#define KIND_ROBUST 16
#define KIND_PRIO_INHERIT 32
#define KIND_PRIO_PROTECT 64

static inline bool mutex_plain(pthread_mutex_t *m)
{
	/* relaxed: the kind never changes while the mutex is in use. */
	int kind = __atomic_load_n(&m->__data.__kind, __ATOMIC_RELAXED);

	return !(kind & (KIND_ROBUST | KIND_PRIO_INHERIT | KIND_PRIO_PROTECT));
}

/* tryjoin, unlike join, trusts its argument. */
static inline errnum join_try(pthread_t thread, void **result)
{
	return thread ? real_pthread_tryjoin_np(thread, result) : ESRCH;
}

/* Busy: it will wait.  Any other failure: libc most likely returns one, too. */
#define TRY(type, name, version, attempt, nr, on, params, args) \
	EXPORT type shim_##name params __asm__(#name); \
	type shim_##name params \
	{ \
		type r; \
\
		LONE(name, args); \
		r = gate_active() ? (attempt) : BUSY_##type; \
		if (r == 0) \
			return 0; \
		GATE((r == BUSY_##type ? WILL_WAIT : MAY_WAIT) | (on), nr); \
		return real_##name args; \
	}
#define TRY_ALIAS(alias, target) EXPORT_ALIAS(alias, target)

/* The thread is about to wait for a lock; see only_tries(). */
static void locks_it(u64 on)
{
	struct m *m = getm();

	if (m && m->tried == class_object(on))
		m->tried = 0;
}

/*
 * Counted before the gate closes, which may wait for a P: the holder of a lock gets one soon.  The
 * wait is called, not jumped to: by this frame dumps and checkdead name the call.
 */
#define LOCK(type, name, version, tried, attempt, nr, on, params, args) \
	static __attribute__((noinline)) type wait_##name params \
	{ \
		locks_it(on); \
		for (u32 turn = 0; (tried) && lock_spin(turn); turn++) \
			if ((attempt) == 0) \
				return took_##type(0); \
		GATE(((tried) ? WILL_WAIT : MAY_WAIT) | (on), nr); \
		return took_##type(real_##name args); \
	} \
	EXPORT type shim_##name params __asm__(#name); \
	type shim_##name params \
	{ \
		struct m *self = gate_self(); \
		type r; \
\
		LONE(name, args); \
		if (likely(self && (tried) && (attempt) == 0)) { \
			gate_count_lock(self); \
			return 0; \
		} \
		r = wait_##name args; \
		__asm__ volatile("" : "+r"(r)); \
		return r; \
	}

/* The gate closes on return, and when the thread is cancelled while it is parked here. */
static __attribute__((noinline)) void give_way(void)
{
	struct m *m = getm();
	GATE_GUARD = gate_open_parked(m, (uintptr_t)__builtin_frame_address(0));

	preempt_park(m);
}

/*
 * A try failed.  Who only tries comes back at its next event, maybe a second later, and counts on
 * the lock's being free by then.  Natively it is held for an instant; with us its holder may wait
 * for a P with it, or may have lost its CPU to us by the very hand-off that woke us (squid's disk
 * threads).  Such a holder is waited for as it would be by a lock, but only for so long, and not by
 * who has a lock itself: the holder may be after that one.  Nor by who locks after a try in vain,
 * which then was a question (mariadb counts them to know its locks' contention).
 */
#define SOON_NS 1000000

static bool only_tries(struct m *m, const void *mutex)
{
	bool only = m->tried;

	m->tried = (uintptr_t)mutex;
	return only;
}

static __attribute__((noinline)) errnum mutex_soon(pthread_mutex_t *m)
{
	/* relaxed, both: hints. */
	i32 owner = __atomic_load_n(&m->__data.__owner, __ATOMIC_RELAXED);
	struct m *self = gate_self();
	struct timespec until;
	u64 ns;

	if (!self || !only_tries(self, m) || load_rlx(&self->held) || !mutex_plain(m) ||
	    !holder_held_up(owner, (uintptr_t)m))
		return EBUSY;
	ns = os_nanotime() + SOON_NS;
	until = (struct timespec){ (time_t)(ns / 1000000000), (long)(ns % 1000000000) };
	GATE(WILL_WAIT | ON(WAIT_MUTEX, m), SYS_futex);
	return real_pthread_mutex_clocklock(m, CLOCK_MONOTONIC, &until) == 0 ? 0 : EBUSY;
}

/* glibc's mtx_t is a mutex of its own. */
static thrd_res thrd_soon(mtx_t *m)
{
	return mutex_soon((pthread_mutex_t *)m) == 0 ? thrd_success : thrd_busy;
}

#define TAKE(type, name, version, soon, params, args) \
	EXPORT type shim_##name params __asm__(#name); \
	type shim_##name params \
	{ \
		type r; \
\
		LONE(name, args); \
		r = real_##name args; \
		return took_##type(r == BUSY_##type ? (soon) : r); \
	}

#define DROP(type, name, version, params, args) \
	EXPORT type shim_##name params __asm__(#name); \
	type shim_##name params \
	{ \
		type r; \
\
		LONE(name, args); \
		r = real_##name args; \
		if (r == 0 && gate_unlocked()) \
			give_way(); \
		return r; \
	}
#define LOCK_ALIAS(alias, target) EXPORT_ALIAS(alias, target)
#include "preload/calls.def"

/*
 * The caller's stack pointer, but for what our frame adds, where it comes back to, and the
 * registers that calls preserve, its frame pointer from where ours has put it: a loop that waits
 * has the same ones at each yield, one that counts what it does has not.
 */
ALWAYS_INLINE u64 caller_at(void)
{
	const u64 *frame = __builtin_frame_address(0);
	u64 at = ((u64)frame ^ frame[1]) << 9 ^ frame[0];

	__asm__ volatile("rol $9, %0\n\txor %%rbx, %0\n\trol $9, %0\n\txor %%r12, %0\n\t"
			 "rol $9, %0\n\txor %%r13, %0\n\trol $9, %0\n\txor %%r14, %0\n\t"
			 "rol $9, %0\n\txor %%r15, %0"
			 : "+r"(at)
			 :
			 : "cc");
	return at;
}

/* Calls of their own: so who calls them leaves the registers as they came. */
static __attribute__((noinline)) bool yields(u64 at)
{
	return gate_yield(at);
}

static __attribute__((noinline)) int yields_or(u64 at, int (*real)(void))
{
	return yields(at) ? 0 : real();
}

void gmp_gosched(void)
{
	yields(caller_at());
}

int shim_sched_yield(void)
{
	u64 at = caller_at();

	return yields_or(at, real_sched_yield);
}
EXPORT_ALIAS(__sched_yield, sched_yield)

void shim_thrd_yield(void)
{
	u64 at = caller_at();

	if (!yields(at))
		real_thrd_yield();
}

errnum shim_pthread_yield(void)
{
	u64 at = caller_at();

	return yields_or(at, real_pthread_yield);
}

errnum shim_pthread_spin_lock(pthread_spinlock_t *l)
{
	if (!gate_active())
		return took_errnum(real_pthread_spin_lock(l));
	for (;;) {
		for (int turn = 0; turn < SPIN_TURNS; turn++) {
			if (real_pthread_spin_trylock(l) == 0)
				return took_errnum(0);
			for (int i = 0; i < SPIN_PAUSES; i++)
				__builtin_ia32_pause();
		}
		if (!gate_yield(0))
			real_sched_yield();
	}
}

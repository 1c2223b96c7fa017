/*
 * gmprt.h - the optional API of libgmp, the G-M-P scheduler for pthread programs.
 *
 * Programs need nothing of this: preloading is enough.  Every symbol is weak, so a program that is
 * linked against this header runs without the library; test the address first, or use the inline
 * gmp_present().  All functions are thread-safe and, unless said otherwise, async-signal-safe.
 */
#ifndef GMPRT_H
#define GMPRT_H

#ifdef __cplusplus
extern "C" {
#endif

#define GMPRT_WEAK __attribute__((weak, visibility("default")))

/*
 * Bracket your own blocking region: between the two the calling thread needs no P.
 * They nest, up to 64 deep.  A thread that leaves by longjmp is repaired at its next intercepted
 * call.
 */
GMPRT_WEAK void gmp_entersyscall(void);
GMPRT_WEAK void gmp_exitsyscall(void);

/*
 * A system call by number, bracketed (gmp_syscall, gmp_syscall6) or bare (gmp_raw...), as Go's
 * Syscall, Syscall6, RawSyscall, RawSyscall6.  Returns the kernel's result: -4095..-1 means -errno,
 * and errno is not touched.  No cancellation point.  Not for calls that return on another stack or
 * in another process: clone, vfork, rt_sigreturn.
 */
GMPRT_WEAK long gmp_syscall(long nr, long a1, long a2, long a3);
GMPRT_WEAK long gmp_syscall6(long nr, long a1, long a2, long a3, long a4, long a5, long a6);
GMPRT_WEAK long gmp_rawsyscall(long nr, long a1, long a2, long a3);
GMPRT_WEAK long gmp_rawsyscall6(long nr, long a1, long a2, long a3, long a4, long a5, long a6);

/* Lets others run: to the tail of the queue when somebody waits for a P, else returns at once. */
GMPRT_WEAK void gmp_gosched(void);

/* Sets the number of Ps, at once and without stopping anybody; n < 1 only asks, and a larger one
 * than 4096 is 4096.  From then on CPUs and quota are not followed.  Returns the old number; 0,
 * and sets nothing, while the process has never had two threads.  Not signal-safe. */
GMPRT_WEAK int gmp_maxprocs(int n);

/*
 * Stops every other thread of the program: it returns when none runs user code any more, 0, or
 * -ETIMEDOUT after timeout_ms (0: no limit) with the world as it was, or -EOPNOTSUPP where the
 * library has given the cap up (a broken invariant, a sandbox).  0 also while the process has never
 * had two threads.  Who comes while another thread has stopped it waits for its turn; by the thread
 * that has stopped it already it is never had, so do not call it from a signal handler.  Threads
 * that block the preemption signal and make no calls cannot be stopped.  Until
 * gmp_start_the_world(), by the same thread, call only what is async-signal-safe: a stopped thread
 * may hold any lock, malloc's too.  A thread that is blocked where the library cannot see it (an
 * inline system call) is stopped as long as it is blocked.
 */
GMPRT_WEAK int gmp_stop_the_world(unsigned timeout_ms);
GMPRT_WEAK void gmp_start_the_world(void);

/*
 * The counters, as Go's runtime/metrics has them: a name that says what is counted and in which
 * unit, Go's own where Go has the thing ("/sched/gomaxprocs:threads"), and its value.  Fills at
 * most room of them, always in the same order, and returns how many there are.  The names live as
 * long as the library.  All values are 0 while the process has never had two threads.
 */
struct gmp_stat {
	const char *name;
	unsigned long value;
};
GMPRT_WEAK int gmp_read_stats(struct gmp_stat *stats, int room);

/*
 * Go's histogram /sched/latencies:seconds: count waits for a P took from_ns and longer, but not as
 * long as the next bucket's from_ns.  Fills at most room buckets and returns how many there are.
 */
struct gmp_latency {
	unsigned long from_ns;
	unsigned long count;
};
GMPRT_WEAK int gmp_read_latencies(struct gmp_latency *buckets, int room);

/*
 * Writes every thread to fd as Go prints goroutines: state, what it waits for, stack.  The world is
 * stopped for it, for a moment; who has stopped it may call it, too.  0, or what
 * gmp_stop_the_world() said when it did not stop within 0.3 s: then it is written all the same, and
 * says so.  Needs no heap and no lock.
 */
GMPRT_WEAK int gmp_dump(int fd);

/* Go's LockOSThread.  Every thread keeps its OS thread in this mode, so they do nothing. */
GMPRT_WEAK void gmp_lock_os_thread(void);
GMPRT_WEAK void gmp_unlock_os_thread(void);

/* 0 when the scheduler's books balance (Ps handed out + idle = maxprocs); else reports and acts as
 * GMP_ON_BUG says.  May take up to a second on a loaded host.  Not signal-safe. */
GMPRT_WEAK int gmp_check(void);

static inline int gmp_present(void)
{
	return gmp_maxprocs != 0;
}

#ifdef __cplusplus
}
#endif

#endif

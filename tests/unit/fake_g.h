/*
 * Simulated threads that are Gs: what preload/ does at birth, at death and around a call, on the
 * fake.
 */
#ifndef TESTS_UNIT_FAKE_G_H
#define TESTS_UNIT_FAKE_G_H

#include "runtime/gate.h"
#include "runtime/hold.h"
#include "runtime/life.h"
#include "runtime/opts.h"
#include "runtime/preempt.h"
#include "runtime/proc.h"
#include "runtime/stats.h"
#include "runtime/sysmon.h"
#include "tests/unit/fake_os.h"

/* The process's first thread: makes the scheduler, runs fn(arg), ends.  sysmon comes and goes. */
struct fake_m *g_alone(u32 procs, void (*fn)(void *), void *arg);
/* The same, with a sysmon from the start to the end of the run. */
struct fake_m *g_first(u32 procs, void (*fn)(void *), void *arg);
/* pthread_create(); NULL past the limit.  By a G. */
struct fake_m *g_create(void (*fn)(void *), void *arg);
/* A scheduler and one running G for the test itself, no simulated threads: for single steps. */
struct m *g_here(u32 procs);
/* One more G with a thread that does not exist, and a P when one is idle.  For single steps. */
struct g *g_puppet(void);

/* An intercepted call that sleeps for ns. */
void g_call(u64 class, u32 nr, u64 ns);

/* sched_yield(), as preload/gate.h has it; false: the kernel would be asked. */
bool g_yield(void);
/* The same, where it is known which: gate_yields(). */
bool g_yield_at(u64 at);

/* The end of pthread_mutex_unlock(), as preload/sync.c has it. */
void g_unlocked(void);

/* This thread's G; whether it may run user code by the books. */
struct g *g_self(void);
bool g_has_p(struct g *g);

#endif

/*
 * The page that a process shows to tools: a file of its own user alone, named by its pid, that both
 * map.  Layout only: tools/ include this header and link nothing of the runtime.
 *
 * The counters are the scheduler's own words, so they are always current and cost nothing to show.
 * What would cost the program something (states, rows) is written only when a tool asks: it sets a
 * bit of `wants`, adds 1 to `bell` and wakes it (FUTEX_WAKE, shared); sysmon sleeps on `bell`, so
 * an idle program answers as soon as a busy one.  Then `answered` changes and is woken.  A
 * program that is stopped or has one thread again does not answer; the counters can be read all
 * the same.
 */
#ifndef GMP_RUNTIME_STATPAGE_H
#define GMP_RUNTIME_STATPAGE_H

#include "runtime/atomic.h"

/*
 * The directory of a user, and the file in it: pid, and inode of its pid namespace in hex, for the
 * containers of a pod share /dev/shm and all have a process 1.
 */
#define STATPAGE_DIR "/dev/shm/gmp-%u"
#define STATPAGE_NAME "%d-%x"
#define STATPAGE_TRACE ".trace"		  /* what a tool appends to name the file of WANT_TRACE */
#define STATPAGE_MAGIC 0x31746174737067ul /* "gpstat1" */
#define STATPAGE_VERSION 3

#define STRAY_KINDS 512 /* syscall numbers counted one by one; slot 0 = page fault */

/*
 * Waiting times as in Go's /sched/latencies: 40 powers of two from 2^8 ns on (the first starts at
 * 0), four linear parts each, and one for what is longer.
 */
enum { LATENCY_MIN_BITS = 9, LATENCY_POWERS = 40, LATENCY_PARTS = 4 };
#define LATENCIES (LATENCY_POWERS * LATENCY_PARTS + 1)

static inline u32 latency_bucket(u64 ns)
{
	u32 bits = ns >> (LATENCY_MIN_BITS - 1) ? 64 - (u32)__builtin_clzl(ns) : 0;
	u32 power = bits ? bits - LATENCY_MIN_BITS + 1 : 0;

	if (power >= LATENCY_POWERS)
		return LATENCIES - 1;
	if (!bits)
		bits = LATENCY_MIN_BITS;
	return power * LATENCY_PARTS + (u32)(ns >> (bits - 3)) % LATENCY_PARTS;
}

/* The shortest time of a bucket. */
static inline u64 latency_floor(u32 bucket)
{
	u32 power = bucket / LATENCY_PARTS;
	u64 part = bucket % LATENCY_PARTS;

	return power ? (LATENCY_PARTS + part) << (power + LATENCY_MIN_BITS - 4)
		     : part << (LATENCY_MIN_BITS - 3);
}

struct stats {
#define STAT(name, kind, metric, help) au64 name;
#define GAUGE(name, metric, help)
#include "runtime/stats.def"
#undef STAT
#undef GAUGE
	au64 latency[LATENCIES];
	au32 stray_calls[STRAY_KINDS];
};

struct gauges {
#define STAT(name, kind, metric, help)
#define GAUGE(name, metric, help) u64 name;
#include "runtime/stats.def"
#undef STAT
#undef GAUGE
};

enum { NO_P = 0xffff };

struct row_p {
	u64 goid; /* who was given it last; 0 = nobody */
	u64 granted_ns;
	u32 status; /* enum p_status */
	u32 schedtick;
	u32 runq;
	u32 in_call; /* on loan: its G is in a call */
};

struct row_g {
	u64 goid;
	i32 tid;
	u16 status; /* enum g_status */
	u16 callno; /* of the last bracket */
	u16 p;	    /* NO_P: none */
	u16 preempt;
	u32 calls;    /* brackets entered */
	u64 since_ns; /* runnable: queued since */
};

#define ROWS_P 512
#define ROWS_G 1024

enum statpage_want { WANT_ROWS = 1, WANT_TRACE = 2, WANT_TRACE_END = 4, WANT_SET = 8 };

/* What WANT_SET changes; KEEP, or a value outside of the range in opts.def, leaves one as it is. */
#define KEEP (~0u)

struct knobs {
	au32 maxprocs;
	au32 slice_us;
	au32 preempt; /* enum preempt_mode */
};

struct statpage {
	/* Written once, magic last. */
	au64 magic;
	u32 version, size;
	i32 pid;
	u32 uid;
	u64 starttime; /* of the process, as in /proc/PID/stat */
	u64 start_ns;  /* CLOCK_MONOTONIC of the scheduler's start */
	/* Tools write. */
	au32 bell __attribute__((aligned(64)));
	au32 wants;
	au64 trace_until_ns; /* the trace ends by itself then: its tool may be gone */
	au64 trace_size;
	struct knobs asked;
	/* sysmon answers, while it is there: with one thread there is none (sysmon_life.h). */
	au32 watched;
	au32 answered;
	au32 trace_error; /* errno of the last WANT_TRACE */
	au32 tracing;
	struct knobs in_force; /* after the last WANT_SET, and when sysmon left */
	struct stats stats __attribute__((aligned(64)));
	/* Rows: odd while sysmon writes. */
	au32 seq __attribute__((aligned(64)));
	u32 np, ng; /* rows that follow; there may be more than fit */
	u64 now_ns;
	struct gauges gauges;
	struct row_p p[ROWS_P];
	struct row_g g[ROWS_G];
};

#endif

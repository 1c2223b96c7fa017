/*
 * The trace file.  Layout only: tools/ include this header and link nothing of the runtime.
 *
 * The file is the buffer: the program maps it and writes events in place, so there is no thread
 * that drains, no lock and no copy, and what was written survives a crash of the program.  It is
 * a head and chunks of TRACE_CHUNK bytes.  A thread takes a chunk by one atomic add, fills it
 * alone, and takes another; when all are taken the oldest are taken again, so the file holds the
 * end of a long run.  Each chunk says whose it is and what its G was doing when it began.
 *
 * Times are ticks of one clock (head.clock); every chunk, and the head for begin and end, has the
 * same moment in ticks and in ns of CLOCK_MONOTONIC, from which a reader knows the rate.
 *
 * An event is valid when its ticks are not 0 and its tag is its chunk's.
 */
#ifndef GMP_RUNTIME_TRACE_FILE_H
#define GMP_RUNTIME_TRACE_FILE_H

#include "runtime/atomic.h"

#define TRACE_MAGIC "gmptrac1"
#define TRACE_VERSION 1
#define TRACE_CHUNK 8192
#define TRACE_SYSMON 0xffffffffu /* mid of sysmon's chunks */
#define TRACE_OTHERS 0xfffffffeu /* of those that threads that are no G write to */
#define TRACE_MAX (1ul << 28)

enum trace_clock { TRACE_CLOCK_NS, TRACE_CLOCK_TSC };

struct trace_moment {
	u64 ticks, ns;
};

struct trace_head {
	char magic[8];
	u32 version, chunk_size;
	u64 size;
	i32 pid;
	u32 clock; /* enum trace_clock */
	u64 starttime;
	struct trace_moment begin, end;		 /* end.ns 0: the program did not come to say */
	au32 taken __attribute__((aligned(64))); /* chunks handed out so far */
};

struct trace_chunk {
	au32 turn; /* the number of its taking, from 1; 0 = never used */
	u32 mid;
	i32 tid;
	u16 status; /* enum g_status of its G when the chunk began */
	u16 callno; /* of its last bracket */
	u64 goid;
	struct trace_moment begin;
	u16 p; /* NO_P: none */
	u16 unused[11];
};

struct trace_event {
	au64 ticks;
	u8 type;
	u8 tag; /* low bits of mid */
	u16 a;
	u32 b;
};

#define TRACE_EVENTS ((TRACE_CHUNK - sizeof(struct trace_chunk)) / sizeof(struct trace_event))

enum trace_type {
	TRACE_NONE, /* a slot that nobody wrote */
#define EVENT(name, go, a, b) name,
#include "runtime/trace.def"
#undef EVENT
	TRACE_TYPES
};

#endif

/*
 * A trace file read and replayed: events in order of time become what people look at.  A span is a
 * thread in one state, or a P in the hands of one G; a flow is a P handed to a waiting G.
 */
#ifndef GMP_TOOLS_REPLAY_H
#define GMP_TOOLS_REPLAY_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/statpage.h"
#include "runtime/trace_file.h"

enum state { S_NONE, S_RUN, S_CALL, S_WAIT, S_STRAY, STATES };

struct span {
	u64 begin, end; /* ns from the trace's begin */
	u32 track;	/* index of a thread, or a P */
	u32 g;
	u16 state; /* enum state; of a P: S_RUN */
	u16 call;  /* S_CALL, S_STRAY: which; S_WAIT: the call it came back from; 0xffff: none */
	u16 p;	   /* S_RUN */
	bool lost; /* S_CALL: the P was gone at its end */
	bool open; /* the trace begins or ends in it */
};

struct flow {
	u64 from_ns, to_ns;
	u32 from, to; /* threads */
	u16 p;
};

struct count { /* a step of a counter */
	u64 ns;
	u32 runnable, idle;
};

struct thread_track {
	u32 goid;
	i32 tid;
};

#define LIST(type) \
	struct { \
		type *at; \
		size_t n, room; \
	}

struct replay {
	struct trace_head head;
	u64 length_ns;
	size_t events, lost_chunks, bad_events;
	bool cut;      /* the file is shorter than it says */
	size_t doubts; /* a P that had another G, a G that had another P: events are missing */
	u32 nprocs;
	u64 number[TRACE_TYPES]; /* of events, by type */
	LIST(struct thread_track) threads;
	LIST(struct span) spans;   /* of threads */
	LIST(struct span) p_spans; /* of Ps */
	LIST(struct flow) flows;
	LIST(struct count) counts;
};

/* Fails with one line when path is no trace, or none that can be used. */
void replay_file(struct replay *r, const char *path);
/* "read", "page-fault", "other": the name of a span's call. */
const char *span_call(const struct span *s);

/* Appends to a list; fails without memory. */
void *list_add(void *list, size_t size);
#define LIST_ADD(list, ...) \
	(*(__typeof__((list)->at))list_add((list), sizeof(*(list)->at)) = \
		 (__typeof__(*(list)->at))__VA_ARGS__)

void trace_json(const struct replay *r);
void trace_summary(const struct replay *r);
/* The window [from, from + length) in ns. */
void trace_svg(const struct replay *r, u64 from, u64 length);

#endif

/* Between replay_read.c, which finds the events, and replay.c, which makes sense of them. */
#ifndef GMP_TOOLS_REPLAY_READ_H
#define GMP_TOOLS_REPLAY_READ_H

#include "tools/replay.h"

struct raw_event {
	u64 ns;	   /* from the trace's begin */
	u64 order; /* of two of one moment; by thread */
	u32 mid;
	u8 type;
	u16 a;
	u32 b;
	i32 tid; /* as its chunk says */
	u32 goid;
};

struct raw {
	struct raw_event *at;
	size_t n, room;
};

/* A descriptor of a regular file that begins as a trace does; else fails with one line. */
int trace_open(const char *path, size_t *len);
void replay_read(struct replay *r, struct raw *raw, const char *path);

#endif

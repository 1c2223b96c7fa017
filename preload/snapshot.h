/* All Gs at one moment, in memory that a forked child keeps: what a dump is printed from. */
#ifndef GMP_PRELOAD_SNAPSHOT_H
#define GMP_PRELOAD_SNAPSHOT_H

#include "runtime/types.h"

struct shot {
	const struct m *m; /* an address to compare */
	u64 goid;	   /* 0: a thread without a G */
	u64 hold, class, ready_ns;
	uintptr_t fp; /* frame of our function that its caller waits in; 0: not known */
	uintptr_t pc; /* in the kernel's entry, where fp is not known; 0: it runs */
	i32 tid;
	i32 blocked; /* system call that it is found in outside of a bracket; -1: none */
	u32 status, callno, depth, sig, park;
	bool self;
};

struct snapshot {
	au32 done; /* steps printed, by whoever prints */
	i32 pid;
	u64 now_ns;
	size_t len; /* of the mapping */
	bool books; /* print the scheduler's own words too */
	u32 n;
	struct shot at[];
};

/* The caller first, then by goid; NULL: no memory.  Takes no lock. */
struct snapshot *snapshot_take(void);
void snapshot_free(struct snapshot *s);

#endif

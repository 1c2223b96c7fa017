/* A dump once gathered: what dump.c collects and dump_text.c and dump_json.c print. */
#ifndef GMP_TOOLS_DUMP_H
#define GMP_TOOLS_DUMP_H

#include "tools/unwind.h"
#include "tools/waits.h"

/* One goroutine with its thread, or (g NULL) a thread that has none. */
struct entry {
	const struct goroutine *g;
	const struct thread *thread; /* NULL: its thread has ended */
	struct frames frames;
	char call[64];	/* libc function or system call it is in, or "" */
	bool stray;	/* runs without a P: blocked where no bracket is, or over the cap */
	double since_s; /* runnable or asleep for so long; < 0: not known */
	struct wait wait;
};

struct dump {
	struct target target;
	struct freeze freeze;
	struct entry *entries;
	size_t n;
};

/* "running", "runnable", "syscall", ... */
const char *entry_status(const struct entry *e);
bool entry_answered(const struct entry *e);

void dump_text(const struct dump *d);
void dump_json(const struct dump *d);

#endif

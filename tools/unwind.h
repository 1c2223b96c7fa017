/* Call frames out of the copies that freeze.h made, with names and lines by elfutils. */
#ifndef GMP_TOOLS_UNWIND_H
#define GMP_TOOLS_UNWIND_H

#include "tools/freeze.h"

/* What one address means; shared by all frames that have it. */
struct place {
	uint64_t pc;
	char *function; /* or the module's name in brackets */
	unsigned long offset;
	char *file; /* NULL: not known */
	int line;
	char *module;
	bool ours; /* in the library itself */
};

#define FRAMES_MAX 100

struct frames {
	size_t n;
	bool cut; /* there are more */
	const struct place *at[FRAMES_MAX];
};

struct unwinder;

/* Fails with a line when pid's files cannot be read. */
struct unwinder *unwind_begin(struct freeze *f, const char *library);
void unwind_thread(struct unwinder *u, struct thread *t, struct frames *ret);
void unwind_end(struct unwinder *u);

#endif

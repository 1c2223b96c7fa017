/* Another process that runs under the library, seen from outside: its memory and its Gs. */
#ifndef GMP_TOOLS_TARGET_H
#define GMP_TOOLS_TARGET_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "runtime/types.h"
#include "tools/tids.h"

struct goroutine {
	struct g g;
	struct m m;	/* m.tid is the number that we know it by */
	uintptr_t park; /* address of its M's note in the target */
};

struct target {
	pid_t pid;
	char library[4096];
	uintptr_t layout; /* address of gmp_layout */
	bool active;	  /* has had two threads */
	struct sched sched;
	struct goroutine *gs; /* by goid */
	size_t ngs;
	struct tids tids;
};

/* Finds the library in pid; fails with one line when it is not there or not of this version. */
void target_find(struct target *t, pid_t pid);
/* Copies the Gs as they are now: consistent only while the target is stopped. */
void target_read_gs(struct target *t);
const struct goroutine *target_g_of(const struct target *t, pid_t tid);

/* False when not all of it can be read. */
bool target_read(pid_t pid, uintptr_t at, void *buf, size_t len);
/* Opens /proc/PID/file; file is a format. */
FILE *proc_open(pid_t pid, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/*
 * What follows the name in /proc/PID/stat, from the state on; NULL: it has ended.  The name may
 * hold any byte, brackets and newlines too.
 */
const char *proc_stat(pid_t pid, char *buf, size_t size);
/* First line of /proc/PID/file without its newline; "" when there is none. */
void proc_line(pid_t pid, const char *file, char *buf, size_t size);

#endif

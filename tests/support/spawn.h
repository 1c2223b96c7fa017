/* Running a victim: the only way a test starts one.
 *
 * The library is preloaded into the victim alone: the driver, and a debugger that looks at a
 * hung victim, run without it.  The victim gets an environment without any GMP_ variable of the
 * caller, plus GMP_ON_BUG=abort, plus what the test asks for.  It leads its own process group: at
 * its timeout the stacks of all its threads go to stderr (gdb, when there is one) and the whole
 * group is killed, so that a hang leaves a message and nothing else.
 */
#ifndef TESTS_SUPPORT_SPAWN_H
#define TESTS_SUPPORT_SPAWN_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

#define RUN_ENV_MAX 16

struct run {
	/* In. */
	const char *const *argv; /* argv[0] is the path */
	const char *const *env;	 /* NAME=value ..., NULL ends; may be NULL */
	const char *preload;	 /* library, or NULL: natively */
	const char *cwd;
	int timeout_ms; /* 0: 20 s */
	/* Out. */
	int status; /* of waitpid */
	bool hung;
	char *out, *err; /* NUL-terminated, never NULL */
	int64_t wall_ns;
	struct rusage usage;
};

/* Path of the library under test: environment LIBGMP_SO, else the one the build names. */
const char *libgmp_so(void);
/* Path of a victim: environment VICTIM_DIR, else the build's. */
const char *victim_path(const char *name, char *buf, unsigned size);

void run_program(struct run *r);
void run_free(struct run *r);

/* One line "exit 0", "signal 6 (Aborted)" or "hung". */
const char *run_outcome(const struct run *r, char *buf, unsigned size);

/* Convenience: victim `name` with up to 6 arguments (NULL ends), preloaded, at maxprocs Ps
 * (0: natively). */
void run_victim(struct run *r, int maxprocs, const char *name, ...);
bool run_ok(const struct run *r); /* exited with 0 */

#endif

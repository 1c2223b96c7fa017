/* The page of a running program (runtime/statpage.h), mapped by a tool.  It is never stopped. */
#ifndef GMP_TOOLS_VIEW_H
#define GMP_TOOLS_VIEW_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "runtime/statpage.h"

struct view {
	pid_t pid;
	struct statpage *page;
	char path[PATH_MAX]; /* of the file, as we can open it */
	char name[64];	     /* of the program */
};

/* Maps pid's page; or returns why not, in words that follow "process N ". */
const char *view_try(struct view *v, pid_t pid);
/* The same, and fails with one line. */
void view_open(struct view *v, pid_t pid);
void view_close(struct view *v);
/* False when the process ended, or executed something else. */
bool view_alive(const struct view *v);

/* Asks the program and waits for its answer at most ms.  False: it does not answer. */
bool view_ask(struct view *v, u32 wants, int ms);
/* Takes back what view_ask() asked in vain.  False: too late, the program has begun with it. */
bool view_withdraw(struct view *v, u32 wants);
/* A consistent copy of the rows; false when sysmon keeps writing. */
bool view_rows(const struct view *v, struct statpage *ret);
/* All processes of ours that have a page; returns how many. */
size_t view_pids(pid_t *ret, size_t max);

#endif

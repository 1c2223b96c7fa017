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
	char path[PATH_MAX]; /* of the file, as we can open it, and */
	ino_t ino;	     /* its number: the next program's may have the same path */
	char name[64];	     /* of the program */
};

/* Maps pid's page; or returns why not, in words that follow "process N ". */
const char *view_try(struct view *v, pid_t pid);
/* The same, and fails with one line. */
void view_open(struct view *v, pid_t pid);
void view_close(struct view *v);
/* Has the process ended?  Also when nobody has asked for its status yet. */
bool view_ended(const struct view *v);
/* False when the process ended, or executed something else. */
bool view_alive(const struct view *v);

/* ALONE: the program has one thread and nobody who answers until its next; the page is true. */
enum view_answer { VIEW_ANSWERED, VIEW_ALONE, VIEW_SILENT };

/* Asks the program; returns what view_await() needs to tell this answer from those before. */
u32 view_request(struct view *v, u32 wants);
/* Waits for the answer at most ms, and not for another thread. */
enum view_answer view_await(struct view *v, u32 wants, u32 request, int ms);
/* Both. */
enum view_answer view_ask(struct view *v, u32 wants, int ms);
/* Takes back what was asked in vain.  False: too late, the program has begun with it. */
bool view_withdraw(struct view *v, u32 wants);
/*
 * A consistent copy of the rows, with the threads' numbers as we know them; false, and nothing is
 * copied, when sysmon keeps writing.
 */
bool view_rows(const struct view *v, struct statpage *ret);
/* All processes of ours that have a page; returns how many. */
size_t view_pids(pid_t *ret, size_t max);

#endif

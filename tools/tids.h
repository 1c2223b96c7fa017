/*
 * A thread has two numbers when its program runs in another pid namespace than we (a container):
 * its own, which the library and glibc's locks hold, and the one that /proc and ptrace(2) know.
 * Tools show the second; what they read in the program goes through here.
 */
#ifndef GMP_TOOLS_TIDS_H
#define GMP_TOOLS_TIDS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct tids {
	bool same; /* no other namespace: nothing to translate */
	size_t n;
	struct tid_pair {
		pid_t inner, outer;
	} * at; /* by inner */
};

/* The number that a process or thread of process pid has for itself. */
pid_t tid_inner(pid_t pid, pid_t tid);
/* The threads that pid has now; what was in t is let go. */
void tids_read(struct tids *t, pid_t pid);
/* Ours for a number of the program's own; 0: none of its threads. */
pid_t tid_outer(const struct tids *t, pid_t inner);

#endif

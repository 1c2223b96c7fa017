/* What a thread that sleeps in the kernel waits for, in words. */
#ifndef GMP_TOOLS_WAITS_H
#define GMP_TOOLS_WAITS_H

#include "tools/freeze.h"
#include "tools/target.h"

struct wait {
	char kind[16];	 /* "fd", "mutex", "cond", "futex", "pid", "thread", "time", ... or "" */
	char text[300];	 /* "fd 5 (socket 127.0.0.1:80 to 127.0.0.1:4711)" */
	int fd;		 /* -1: none */
	uint64_t object; /* address of the lock or word, 0: none */
	pid_t owner;	 /* tid of a lock's holder or of the thread that is joined, 0: none */
};

/* "read" of 0; "call 471" where there is no name. */
const char *syscall_name(long nr);
/* api: the libc function that the thread called, "" when it did not call through us. */
void wait_describe(const struct target *t, const struct thread *th, const char *api,
		   struct wait *ret);

#endif

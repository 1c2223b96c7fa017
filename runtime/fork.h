/* What a forked child keeps: nothing.  It starts as a program with one thread and no scheduler. */
#ifndef GMP_RUNTIME_FORK_H
#define GMP_RUNTIME_FORK_H

#include "runtime/types.h"

/*
 * Arranges that every child with its own memory (fork, _Fork, clone, the raw system calls) finds
 * the scheduler's state zeroed by the kernel.  Before anything is written there: a handler may fork
 * at any time, and a child of a process that never came here has nothing to forget.
 */
void fork_prepare(void);
/* In the child, where atfork handlers run: the same by hand, for kernels that could not. */
void fork_child(void);

#endif

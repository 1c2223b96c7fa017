/* Stacks of this process by libunwind.  Not safe where a lock may be held: see traceback.c. */
#ifndef GMP_PRELOAD_FRAMES_H
#define GMP_PRELOAD_FRAMES_H

#include "runtime/atomic.h"

/* Loads libunwind; false: there is none. */
bool frames_prepare(void);
/* The caller's own stack, in Go's form. */
void frames_here(int fd);
/* The stack above the function whose frame pointer is fp. */
void frames_above(int fd, uintptr_t fp);
/* One place, as the others are printed. */
void frames_place(int fd, uintptr_t pc);

#endif

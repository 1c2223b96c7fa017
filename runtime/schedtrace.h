/*
 * Go's GODEBUG=schedtrace=MS[,scheddetail=1]: a line on the scheduler, and below it one for each P,
 * M and G.  The form is Go's to the letter, for tools that read it.  By: sysmon alone.
 */
#ifndef GMP_RUNTIME_SCHEDTRACE_H
#define GMP_RUNTIME_SCHEDTRACE_H

#include "runtime/atomic.h"

/* Opens GMP_SCHEDTRACE_FILE, when there is one and lines are wanted. */
void schedtrace_open(void);
/* Where it is open, else on stderr. */
void schedtrace(u64 now);

#endif

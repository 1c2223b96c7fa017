/*
 * How many Ps: GMP_MAXPROCS, else the CPUs in the affinity mask.  At least 1, at most MAXPROCS_MAX.
 */
#ifndef GMP_RUNTIME_LIMIT_H
#define GMP_RUNTIME_LIMIT_H

#include "runtime/types.h"

u32 limit_procs(void);

#endif

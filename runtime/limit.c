/* The one place that decides how many Ps there are. */
#include "runtime/limit.h"

#include "runtime/opts.h"
#include "runtime/os.h"

u32 limit_procs(void)
{
	u32 cpus;

	if (opts.maxprocs)
		return opts.maxprocs;
	cpus = (u32)os_cpu_count();
	return cpus < MAXPROCS_MAX ? cpus : MAXPROCS_MAX;
}

/* The CPU quota that is in force for this process, for people to read. */
#ifndef GMP_TOOLS_CGROUP_H
#define GMP_TOOLS_CGROUP_H

#include <limits.h>
#include <stdbool.h>

struct quota {
	double cpus;
	char path[PATH_MAX];
};

/* The tightest quota of our cgroup and all above it; false when there is none. */
bool quota_read(struct quota *ret);

#endif

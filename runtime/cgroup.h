/*
 * The CPU quota of the cgroup that we are in: the least over it and all its ancestors that can be
 * seen, of version 1 or 2, whichever has the cpu controller.
 *
 * Reads through os.h into the caller's storage.  Whatever is missing, odd, cut off or too long for
 * us means that there is no limit.
 */
#ifndef GMP_RUNTIME_CGROUP_H
#define GMP_RUNTIME_CGROUP_H

#include "runtime/types.h"

#define CGROUP_PATH 4096    /* as long as the kernel's paths */
#define CGROUP_FILE 32	    /* and the longest name of a file in it */
#define QUOTA_UNIT 1000000u /* limits are in millionths of a CPU */
#define QUOTA_NONE (~0ul)

enum cgroup_version { CGROUP_NONE, CGROUP_V1, CGROUP_V2 };

/* All zero at first.  Kept between calls: only a process that has moved is looked up again. */
struct cgroup {
	enum cgroup_version version, had_version;
	char path[CGROUP_PATH]; /* of the group, as /proc names it */
	char had[CGROUP_PATH];	/* the one that dir belongs to */
	char dir[CGROUP_PATH];	/* where its files are; empty: nowhere */
	size_t top;		/* length of the mount point in dir: the walk up ends there */
	char text[CGROUP_PATH + CGROUP_FILE]; /* what is being read */
};

/* The limit now, or QUOTA_NONE. */
u64 cgroup_limit(struct cgroup *c);

#endif

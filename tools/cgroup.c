/*
 * Quotas as cgroup v2 (cpu.max) and v1 (cpu.cfs_quota_us) show them under their usual mounts.  The
 * library reads them itself; this is only what `gmp doctor` shows beside the cap that it chose.
 */
#include "tools/cgroup.h"

#include <stdio.h>
#include <string.h>

static bool read_line(const char *dir, const char *file, char *buf, int size)
{
	char path[PATH_MAX + 64];
	FILE *f;
	bool ok;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	f = fopen(path, "re");
	if (!f)
		return false;
	ok = fgets(buf, size, f);
	fclose(f);
	return ok;
}

/* CPUs that one cgroup allows; 0: no limit. */
static double quota_of(const char *dir)
{
	char line[64], period_line[64];
	double quota = 0, period = 0;

	if (read_line(dir, "cpu.max", line, sizeof(line)))
		return sscanf(line, "%lf %lf", &quota, &period) == 2 && period > 0 ? quota / period
										   : 0;
	if (read_line(dir, "cpu.cfs_quota_us", line, sizeof(line)) &&
	    read_line(dir, "cpu.cfs_period_us", period_line, sizeof(period_line)) &&
	    sscanf(line, "%lf", &quota) == 1 && sscanf(period_line, "%lf", &period) == 1 &&
	    quota > 0 && period > 0)
		return quota / period;
	return 0;
}

/* From the leaf up to the mount. */
static void walk_up(const char *mount, const char *cgroup, struct quota *best)
{
	char dir[PATH_MAX];

	snprintf(dir, sizeof(dir), "%s%s", mount, strcmp(cgroup, "/") == 0 ? "" : cgroup);
	while (strlen(dir) >= strlen(mount)) {
		double cpus = quota_of(dir);

		if (cpus > 0 && (best->cpus == 0 || cpus < best->cpus)) {
			best->cpus = cpus;
			snprintf(best->path, sizeof(best->path), "%s", dir);
		}
		*strrchr(dir, '/') = 0;
	}
}

/* "4:cpu,cpuacct:/a/b" or "0::/a/b" */
static void one_hierarchy(char *line, struct quota *best)
{
	char *controllers = strchr(line, ':');
	char *path = controllers ? strchr(controllers + 1, ':') : NULL;
	char list[256];

	if (!path)
		return;
	*path++ = 0;
	snprintf(list, sizeof(list), ",%s,", controllers + 1);
	if (!controllers[1])
		walk_up("/sys/fs/cgroup", path, best);
	else if (strstr(list, ",cpu,"))
		walk_up("/sys/fs/cgroup/cpu", path, best);
}

bool quota_read(struct quota *ret)
{
	FILE *f = fopen("/proc/self/cgroup", "re");
	char line[PATH_MAX];

	ret->cpus = 0;
	while (f && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = 0;
		one_hierarchy(line, ret);
	}
	if (f)
		fclose(f);
	return ret->cpus > 0;
}

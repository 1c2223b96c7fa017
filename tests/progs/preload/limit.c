/* Victim: the number of Ps follows a CPU quota, a move to another cgroup, and the affinity mask.
 *
 * Makes cgroups of its own below the one of cpu that is mounted (version 1 or 2), moves itself
 * about and rewrites quotas.  Exits with 77 where that cannot be done.
 *   limit              its other thread sleeps
 *   limit busy         it computes
 *   limit elsewhere    the cgroups are mounted under a name with a space, a colon and a backslash
 *   limit namespace    in a cgroup namespace its mounts are of "/..": no limit that it can see
 */
#include "runtime/gmprt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/support/wait.h"

static const char *const roots[] = { "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/cpu,cpuacct",
				     "/sys/fs/cgroup" };
static char root[256], outer[300], inner[330], odd[64];
static int v1, want;
static volatile bool busy;

static int put(const char *dir, const char *file, const char *text)
{
	char path[512];
	int fd, n;

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -1;
	n = (int)write(fd, text, strlen(text));
	close(fd);
	return n < 0 ? -1 : 0;
}

static int quota(const char *dir, int percent)
{
	char text[64];

	if (v1)
		snprintf(text, sizeof(text), "%d", percent < 0 ? -1 : percent * 1000);
	else if (percent < 0)
		strcpy(text, "max 100000");
	else
		snprintf(text, sizeof(text), "%d 100000", percent * 1000);
	return put(dir, v1 ? "cpu.cfs_quota_us" : "cpu.max", text);
}

static void move(const char *dir)
{
	char pid[32];

	snprintf(pid, sizeof(pid), "%d", getpid());
	if (put(dir, "cgroup.procs", pid) != 0)
		die("cannot move to %s: %s", dir, strerror(errno));
}

static void clean(void)
{
	if (!outer[0])
		return;
	move(root);
	rmdir(inner);
	rmdir(outer);
	if (odd[0]) {
		umount2(odd, MNT_DETACH);
		rmdir(odd);
	}
}

/* From now on the cgroups of root are seen at an odd name alone. */
static int go_elsewhere(void)
{
	snprintf(odd, sizeof(odd), "/tmp/gmp te:st \\040 %d", getpid());
	if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mkdir(odd, 0700) != 0)
		return -1;
	if (mount(root, odd, NULL, MS_BIND, NULL) != 0 || umount2(root, MNT_DETACH) != 0)
		return -1;
	snprintf(outer, sizeof(outer), "%s/gmp-test-%d", odd, getpid());
	snprintf(inner, sizeof(inner), "%s/in ner", outer);
	snprintf(root, sizeof(root), "%s", odd);
	return 0;
}

/* Groups outer and outer/inner that a quota can be written to. */
static int make(void)
{
	for (size_t i = 0; i < sizeof(roots) / sizeof(*roots); i++) {
		snprintf(root, sizeof(root), "%s", roots[i]);
		snprintf(outer, sizeof(outer), "%s/gmp-test-%d", root, getpid());
		snprintf(inner, sizeof(inner), "%s/in ner", outer);
		if (mkdir(outer, 0755) != 0)
			continue;
		v1 = i < 2;
		if (!v1)
			put(outer, "cgroup.subtree_control", "+cpu");
		if (mkdir(inner, 0755) == 0 && quota(outer, 100) == 0 && quota(inner, -1) == 0)
			return 0;
		rmdir(inner);
		rmdir(outer);
	}
	outer[0] = 0;
	return -1;
}

static bool as_wanted(void *arg)
{
	return gmp_maxprocs(0) == want;
}

static void becomes(int procs, const char *what)
{
	int64_t began = now_ns();

	want = procs;
	if (!wait_until(as_wanted, NULL, DEADLINE_NS))
		die("%s: %d Ps, want %d", what, gmp_maxprocs(0), want);
	fprintf(stderr, "%s: %d Ps after %lld ms\n", what, procs, (now_ns() - began) / NS_PER_MS);
}

/* As `taskset -a` from outside: all threads. */
static void affinity(const cpu_set_t *set)
{
	DIR *tasks = opendir("/proc/self/task");

	for (struct dirent *e; (e = readdir(tasks));)
		if (e->d_name[0] != '.')
			sched_setaffinity(atoi(e->d_name), sizeof(*set), set);
	closedir(tasks);
}

static void *sleeps(void *arg)
{
	for (;;)
		if (!busy)
			pause();
	return NULL;
}

static int prepare(const char *how)
{
	if (make() != 0)
		return -1;
	atexit(clean);
	busy = strcmp(how, "busy") == 0;
	if (strcmp(how, "elsewhere") == 0 && go_elsewhere() != 0)
		return -1;
	move(inner);
	return strcmp(how, "namespace") == 0 ? unshare(CLONE_NEWCGROUP) : 0;
}

int main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	cpu_set_t all, one;
	pthread_t t;
	int cpus, first = 0;

	sched_getaffinity(0, sizeof(all), &all);
	cpus = CPU_COUNT(&all);
	if (!gmp_present())
		die("the library is not there");
	if (cpus < 2 || prepare(how) != 0)
		return 77;
	if (pthread_create(&t, NULL, sleeps, NULL) != 0)
		die("pthread_create");
	if (strcmp(how, "namespace") == 0) {
		becomes(cpus, "no mount of ours");
		return gmp_check();
	}
	if (gmp_maxprocs(0) != 1)
		die("%d Ps at the start, want the 1 of the outer group", gmp_maxprocs(0));
	quota(outer, 150);
	becomes(2, "outer quota 1.5");
	quota(inner, 50);
	becomes(1, "inner quota 0.5");
	move(root);
	becomes(cpus, "moved to the root");
	while (!CPU_ISSET(first, &all))
		first++;
	CPU_ZERO(&one);
	CPU_SET(first, &one);
	affinity(&one);
	becomes(1, "one CPU");
	affinity(&all);
	becomes(cpus, "all CPUs");
	if (gmp_maxprocs(3) != cpus || gmp_check() != 0)
		die("cannot be set any more");
	return 0;
}

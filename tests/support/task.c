/* task.h: reading /proc.  Nothing here keeps state; every question is a fresh look. */
#include "tests/support/task.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static int slurp(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	close(fd);
	if (n < 0)
		return -errno;
	buf[n] = 0;
	return n;
}

void task_read_syscall(pid_t pid, pid_t tid, struct task_syscall *out)
{
	char path[64], buf[256];

	memset(out, 0, sizeof(*out));
	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", pid, tid);
	if (slurp(path, buf, sizeof(buf)) <= 0) {
		out->nr = TASK_GONE;
		return;
	}
	if (!strncmp(buf, "running", 7)) {
		out->nr = TASK_RUNNING;
		return;
	}
	if (sscanf(buf, "%ld %lx %lx %lx %lx %lx %lx %lx %lx", &out->nr, &out->arg[0], &out->arg[1],
		   &out->arg[2], &out->arg[3], &out->arg[4], &out->arg[5], &out->sp, &out->pc) == 9)
		return;
	/* Blocked outside a syscall: "-1 sp pc". */
	if (sscanf(buf, "%ld %lx %lx", &out->nr, &out->sp, &out->pc) != 3)
		out->nr = TASK_RUNNING;
}

struct text_range task_library_text(pid_t pid)
{
	struct text_range r = { 0, 0 };
	char path[64], line[512];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	f = fopen(path, "re");
	if (!f)
		return r;
	while (fgets(line, sizeof(line), f)) {
		unsigned long lo, hi;
		char perm[8];

		if (!strstr(line, "/libgmp.so") && !strstr(line, "/libgmp-sched.so"))
			continue;
		/* GNU MP is /libgmp.so.10: the stem is the same, the suffix is not. */
		if (strstr(line, "/libgmp.so.1"))
			continue;
		if (sscanf(line, "%lx-%lx %7s", &lo, &hi, perm) == 3 && perm[2] == 'x')
			r = (struct text_range){ lo, hi };
	}
	fclose(f);
	return r;
}

bool task_blocked(pid_t pid, pid_t tid, struct text_range lib, const void *own, size_t own_size)
{
	struct task_syscall s;
	unsigned long base = (unsigned long)own;

	task_read_syscall(pid, tid, &s);
	if (s.nr == TASK_RUNNING || s.nr == TASK_GONE)
		return false;
	if (s.nr != SYS_futex)
		return true;
	if (s.arg[0] >= base && s.arg[0] < base + own_size)
		return true;
	return !(s.pc >= lib.lo && s.pc < lib.hi);
}

/* Calls fn with every tid of pid. */
static void each_task(pid_t pid, void (*fn)(pid_t pid, pid_t tid, void *arg), void *arg)
{
	char path[64];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	d = opendir(path);
	if (!d)
		return;
	while ((e = readdir(d)))
		if (e->d_name[0] != '.')
			fn(pid, atoi(e->d_name), arg);
	closedir(d);
}

void task_add_delay(struct task_delays *d, pid_t tid, int64_t ns)
{
	for (int i = 0; i < d->n; i++)
		if (d->of[i].tid == tid)
			return;
	if (d->n == 64)
		return;
	d->of[d->n].tid = tid;
	d->of[d->n++].ns = ns;
}

static void add_delay(pid_t pid, pid_t tid, void *arg)
{
	char path[64], buf[128];
	struct task_delays *d = arg;
	long long cpu, delay;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", pid, tid);
	if (slurp(path, buf, sizeof(buf)) > 0 && sscanf(buf, "%lld %lld", &cpu, &delay) == 2)
		task_add_delay(d, tid, delay);
}

void task_read_delays(pid_t pid, struct task_delays *out)
{
	out->n = 0;
	each_task(pid, add_delay, out);
}

int64_t task_delay_ns(pid_t tid)
{
	struct task_delays d = { .n = 0 };

	add_delay(getpid(), tid, &d);
	return d.n ? d.of[0].ns : 0;
}

int64_t task_delay_between(const struct task_delays *before, const struct task_delays *after)
{
	int64_t sum = 0;

	for (int i = 0; i < after->n; i++) {
		int64_t was = 0;

		for (int k = 0; k < before->n; k++)
			if (before->of[k].tid == after->of[i].tid)
				was = before->of[k].ns;
		sum += after->of[i].ns - was;
	}
	return sum;
}

static void add_one(pid_t pid, pid_t tid, void *arg)
{
	++*(int *)arg;
}

int task_count(pid_t pid)
{
	int n = 0;

	each_task(pid, add_one, &n);
	return n;
}

bool task_alive(pid_t pid, pid_t tid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/task/%d", pid, tid);
	return access(path, F_OK) == 0;
}

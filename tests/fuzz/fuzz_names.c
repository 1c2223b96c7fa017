/*
 * Fuzzes runtime/cgroup.c with files as the kernel writes them, of names of any kind.  An input is
 * three names with a form feed between them: the group that a mount shows, what is below it, and
 * the mount point.
 *
 * Where the names fit and do not climb, the limit must be found, in that very place.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cgroup.h"
#include "runtime/os.h"

#define NAME 300
#define must_hold(cond) \
	do { \
		if (!(cond)) \
			abort(); \
	} while (0)

static char root[NAME], below[NAME], point[NAME];
static char own[3 * NAME], mounts[9 * NAME], file[3 * NAME];
static bool v1;

i64 os_read_file(const char *path, u64 offset, char *buf, size_t len)
{
	const char *text = "";
	size_t n;

	if (strcmp(path, "/proc/thread-self/cgroup") == 0)
		text = own;
	else if (strcmp(path, "/proc/thread-self/mountinfo") == 0)
		text = mounts;
	else if (strcmp(path, file) == 0)
		text = v1 ? "150000\n" : "150000 100000\n";
	else if (v1 && strncmp(path, file, strlen(file) - 8) == 0 &&
		 strstr(path, "cpu.cfs_period_us"))
		text = "100000\n";
	n = strlen(text);
	if (offset >= n)
		return 0;
	n = n - offset < len ? n - offset : len;
	memcpy(buf, text + offset, n);
	return (i64)n;
}

/* "/x/y", of what may be in a path; "" for the root. */
static void name(char *to, const uint8_t *data, size_t size)
{
	size_t n = 0;

	if (size)
		to[n++] = '/';
	for (size_t i = 0; i < size && n + 1 < NAME; i++)
		if (data[i] && !(data[i] == '/' && to[n - 1] == '/'))
			to[n++] = (char)data[i];
	while (n && to[n - 1] == '/')
		n--;
	to[n] = 0;
}

static bool climbs(const char *path)
{
	const char *up = strstr(path, "/..");

	while (up && up[3] && up[3] != '/')
		up = strstr(up + 1, "/..");
	return up;
}

/* As the kernel's mangle(). */
static char *escaped(char *to, const char *path)
{
	if (!*path)
		path = "/";
	for (; *path; path++)
		if (strchr(" \t\n\\", *path))
			to += sprintf(to, "\\%03o", *path);
		else
			*to++ = *path;
	*to = 0;
	return to;
}

static void write_files(void)
{
	char *to = mounts + sprintf(mounts, "25 1 0:5 / /proc rw - proc proc rw\n30 23 0:26 ");

	to = escaped(to, root);
	*to++ = ' ';
	to = escaped(to, point);
	sprintf(to, v1 ? " rw shared:4 - cgroup my\\040source rw,cpu,cpuacct\n"
		       : " rw,nosuid - cgroup2 cgroup2 rw\n");
	sprintf(own, "%s%s%s%s\n", v1 ? "4:cpuacct,cpu:" : "0::", root, below,
		*root || *below ? "" : "/");
	sprintf(file, "%s%s/%s", point, below, v1 ? "cpu.cfs_quota_us" : "cpu.max");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct cgroup c;
	char *const names[] = { root, below, point };
	bool want;

	for (int i = 0; i < 3; i++) {
		const uint8_t *end = i < 2 && size ? memchr(data, '\f', size) : NULL;
		size_t n = end ? (size_t)(end - data) : size;

		name(names[i], data, n);
		data += n + (end != NULL);
		size -= n + (end != NULL);
	}
	/* A newline would end the line of the group; the kernel makes no such group. */
	want = !climbs(root) && !climbs(below) && !climbs(point) && *point && !strchr(root, '\n') &&
	       !strchr(below, '\n');
	for (int version = 1; version <= 2; version++) {
		memset(&c, 0, sizeof(c));
		v1 = version == 1;
		write_files();
		must_hold(!want || cgroup_limit(&c) == QUOTA_UNIT * 3 / 2);
	}
	return 0;
}

/*
 * Fuzzes runtime/cgroup.c.  An input is four files with a form feed between them: the group of the
 * process, its mounts, and what every cpu.max (or quota) and every period says.
 *
 * A limit is one that libc reads in those files too, whatever pieces they are read in, and no path
 * climbs.  That a limit which is there is found, under names of any kind, is fuzz_names.c's.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cgroup.h"
#include "runtime/os.h"

#define must_hold(cond) \
	do { \
		if (!(cond)) \
			abort(); \
	} while (0)

enum { OWN, MOUNTS, QUOTA, PERIOD, FILES };

static const uint8_t *files[FILES];
static size_t sizes[FILES];
static size_t piece;
static bool v2; /* a file of version 2 was asked for */

static bool ends(const char *path, const char *end)
{
	size_t n = strlen(path), m = strlen(end);

	return n > m && strcmp(path + n - m, end) == 0;
}

static int which(const char *path)
{
	if (strcmp(path, "/proc/thread-self/cgroup") == 0)
		return OWN;
	if (strcmp(path, "/proc/thread-self/mountinfo") == 0)
		return MOUNTS;
	must_hold(strlen(path) < CGROUP_PATH + CGROUP_FILE);
	must_hold(path[0] == '/' && !strstr(path, "/../"));
	v2 = ends(path, "/cpu.max");
	must_hold(v2 || ends(path, "/cpu.cfs_quota_us") || ends(path, "/cpu.cfs_period_us"));
	return ends(path, "_period_us") ? PERIOD : QUOTA;
}

/* The two long ones come in pieces; what the buffer holds behind them is rubbish. */
i64 os_read_file(const char *path, u64 offset, char *buf, size_t len)
{
	int i = which(path);
	size_t n;

	if (offset >= sizes[i])
		return 0;
	n = sizes[i] - offset < len ? sizes[i] - offset : len;
	if (i < QUOTA && n > piece)
		n = piece;
	memset(buf, '7', len);
	memcpy(buf, files[i] + offset, n);
	return (i64)n;
}

/* What is behind the number at *at and `end` there; NULL when that is not how it begins. */
static const char *skip_number(const char *at, char end, unsigned long long *n)
{
	size_t digits = strspn(at, "0123456789");

	*n = strtoull(at, NULL, 10);
	return at[digits] == end ? at + digits + 1 : NULL;
}

/* What the last two files say. */
static u64 expected(void)
{
	unsigned long long quota = 0, period = 0;
	char text[2][64] = { 0 };
	const char *at = text[0];

	for (int i = 0; i < 2; i++)
		if (sizes[QUOTA + i] < sizeof(text[i]))
			memcpy(text[i], files[QUOTA + i], sizes[QUOTA + i]);
	at = skip_number(at, v2 ? ' ' : '\n', &quota);
	must_hold(at && (v2 || at == text[0] + sizes[QUOTA]));
	if (!v2)
		at = text[1];
	at = skip_number(at, '\n', &period);
	must_hold(at && at == (v2 ? text[0] + sizes[QUOTA] : text[1] + sizes[PERIOD]));
	must_hold(quota && period && quota / period < MAXPROCS_MAX);
	return (u64)((unsigned __int128)quota * QUOTA_UNIT / period);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cgroup *c = calloc(1, sizeof(*c));
	u64 limit;

	for (int i = 0; i < FILES; i++) {
		const uint8_t *end = i + 1 < FILES && size ? memchr(data, '\f', size) : NULL;

		files[i] = data;
		sizes[i] = end ? (size_t)(end - data) : size;
		data += sizes[i] + (end != NULL);
		size -= sizes[i] + (end != NULL);
	}
	piece = SIZE_MAX;
	limit = cgroup_limit(c);
	must_hold(limit == QUOTA_NONE || limit == expected());
	must_hold(cgroup_limit(c) == limit); /* what it keeps changes nothing */
	memset(c, 0, sizeof(*c));
	piece = 1 + (sizes[OWN] + sizes[MOUNTS]) % 61;
	must_hold(cgroup_limit(c) == limit);
	free(c);
	return 0;
}

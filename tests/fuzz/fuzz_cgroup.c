/*
 * Fuzzes runtime/cgroup.c.  An input is four files with a zero byte between them: the group of the
 * process, its mounts, and what every cpu.max (or quota) and every period says.
 *
 * With clang's libFuzzer (`sh tests/fuzz/run.sh SECONDS`) it looks for inputs by itself; else
 * main() tries a fixed number of mutations of the seeds, the same each time.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cgroup.h"
#include "runtime/os.h"

#define ROUNDS 100000

static const uint8_t *files[4];
static size_t sizes[4];
static uint64_t state = 1;

static int which(const char *path)
{
	size_t n = strlen(path);

	if (n >= CGROUP_PATH + CGROUP_FILE)
		abort();
	if (strcmp(path, "/proc/thread-self/cgroup") == 0)
		return 0;
	if (strcmp(path, "/proc/thread-self/mountinfo") == 0)
		return 1;
	return n > 10 && strcmp(path + n - 10, "_period_us") == 0 ? 3 : 2;
}

i64 os_read_file(const char *path, u64 offset, char *buf, size_t len)
{
	int i = which(path);

	if (offset >= sizes[i])
		return 0;
	if (len > sizes[i] - offset)
		len = sizes[i] - offset;
	memcpy(buf, files[i] + offset, len);
	return (i64)len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cgroup *c = calloc(1, sizeof(*c));
	u64 limit;

	for (int i = 0; i < 4; i++) {
		const uint8_t *end = i < 3 ? memchr(data, 0, size) : NULL;

		files[i] = data;
		sizes[i] = end ? (size_t)(end - data) : size;
		data += sizes[i] + (end != NULL);
		size -= sizes[i] + (end != NULL);
	}
	limit = cgroup_limit(c);
	if (limit != QUOTA_NONE && limit / QUOTA_UNIT >= MAXPROCS_MAX)
		abort();
	if (cgroup_limit(c) != limit) /* what it keeps changes nothing */
		abort();
	free(c);
	return 0;
}

#ifndef LIBFUZZER
#define SEED(text) \
	{ \
		text, sizeof(text) - 1 \
	}
#define MOUNT(rest) "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - " rest "\n"

static const struct {
	const char *text;
	size_t size;
} seeds[] = {
	SEED("0::/a/b\n\0" MOUNT("cgroup2 none rw") "\000150000 100000\n"),
	SEED("9:cpuset:/\n4:cpu,cpuacct:/a:b\n0::/\n\0" MOUNT(
		"cgroup my\\040source rw,cpu,cpuacct") "\00050000\n\000100000\n"),
	SEED("4:cpu:/x/y z\n\0"
	     "1 2 0:3 /x /m\\040n\\134o rw a:1 b:2 - cgroup s rw,cpu\n\000-1\n\000100000\n"),
	SEED("0::/../a\n\0" MOUNT("cgroup2 none rw") "\000max 100000\n"),
};

static size_t below(size_t n)
{
	state = state * 6364136223846793005u + 1442695040888963407u;
	return (size_t)(state >> 33) % n;
}

/* A few bytes of it change, go, or come again and again. */
static size_t mutate(uint8_t *data, size_t size, size_t room)
{
	static const char interesting[] = "\0\n /:.\\,-0123456789acpu";

	for (size_t n = below(6); n && size > 1; n--) {
		size_t at = below(size), len = 1 + below(size - at);

		switch (below(4)) {
		case 0:
			data[at] = (uint8_t)interesting[below(sizeof(interesting))];
			break;
		case 1:
			data[at] = (uint8_t)below(256);
			break;
		case 2:
			memmove(data + at, data + at + len, size - at - len);
			size -= len;
			break;
		default:
			for (size_t times = below(60); times && size + len <= room; times--) {
				memmove(data + at + len, data + at, size - at);
				size += len;
			}
		}
	}
	return size;
}

int main(void)
{
	static uint8_t data[65536];

	for (int i = 0; i < ROUNDS; i++) {
		size_t seed = (size_t)i % (sizeof(seeds) / sizeof(*seeds)), size = seeds[seed].size;

		memcpy(data, seeds[seed].text, size);
		if (i >= 4)
			size = mutate(data, size, sizeof(data));
		/* Exactly as long as it is, for the address sanitizer. */
		uint8_t *copy = malloc(size);

		memcpy(copy, data, size);
		LLVMFuzzerTestOneInput(copy, size);
		free(copy);
	}
	printf("1 passed, 0 failed\n");
	return 0;
}
#endif

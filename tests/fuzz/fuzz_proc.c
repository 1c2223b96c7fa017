/*
 * Fuzzes runtime/os_proc.c and runtime/text.c.  An input is three files with a form feed between
 * them: a thread's syscall (empty: it may not be read), its stat, its status.
 *
 * What the answers must be is worked out here by libc's means.  What a buffer holds behind the end
 * of a file is rubbish, another each time, and must change nothing.
 */
#include <asm/errno.h>
#include <asm/unistd.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "asm/asm.h"
#include "runtime/os.h"

#define TID 4711
#define FILES 3
#define must_hold(cond) \
	do { \
		if (!(cond)) \
			abort(); \
	} while (0)

enum { SYSCALL, STAT, STATUS, DIRECTORY };

static const uint8_t *files[FILES];
static size_t sizes[FILES];
static int rubbish, opened;

/* ---- what it needs ---- */

bool os_own_table(bool keep_stderr)
{
	return true;
}

bool os_fds_are_private(void)
{
	return true;
}

bool os_thread_gone(i32 tid)
{
	return false;
}

i32 os_getpid(void)
{
	return TID;
}

i32 os_gettid(void)
{
	return TID;
}

static long openat(const char *path)
{
	static const char *const names[FILES] = { "4711/syscall", "4711/stat", "4711/status" };

	for (int i = 0; i < FILES; i++)
		if (strcmp(path, names[i]) == 0 && (sizes[i] || i != SYSCALL)) {
			opened++;
			return i;
		}
	must_hold(strcmp(path, names[SYSCALL]) == 0);
	return -EACCES;
}

static long pread64(long fd, char *buf, size_t len)
{
	size_t n = sizes[fd] < len ? sizes[fd] : len;

	memset(buf, rubbish, len);
	memcpy(buf, files[fd], n);
	return (long)n;
}

long gmp_rawsyscall6(long nr, long a, long b, long c, long d, long e, long f)
{
	switch (nr) {
	case __NR_open:
		return DIRECTORY;
	case __NR_openat:
		return openat((const char *)b);
	case __NR_pread64:
		return pread64(a, (char *)b, (size_t)c);
	case __NR_close:
		opened--;
		return 0;
	}
	abort();
}

/* ---- what must come out ---- */

static char *text(int file, size_t most)
{
	char *s = malloc(most + 1);
	size_t n = sizes[file] < most ? sizes[file] : most;

	memcpy(s, files[file], n);
	s[n] = 0;
	return s;
}

static int in_stat(void)
{
	char *s = text(STAT, 127), *end = s, *next;
	int is = PROBE_UNKNOWN;

	while ((next = strstr(end, ") ")))
		end = next + 1;
	if (end > s)
		is = end[1] == 'R'		      ? PROBE_RUNNING
		     : end[1] == 'Z' || end[1] == 'X' ? PROBE_GONE
						      : PROBE_ASLEEP;
	free(s);
	return is;
}

static int in_syscall(void)
{
	char *s = text(SYSCALL, 127);
	unsigned long n = strtoul(s, NULL, 10);
	int is = PROBE_UNKNOWN;

	if (s[0] == 'r')
		is = PROBE_RUNNING;
	else if (s[0] == '-')
		is = PROBE_FAULT;
	else if (s[0] >= '0' && s[0] <= '9' && n <= INT_MAX)
		is = (int)n;
	free(s);
	return is;
}

static int blocked(int signo)
{
	static const char key[] = "\nSigBlk:\t";
	char *s = text(STATUS, 4095), *at = strstr(s, key);
	int is = -1;

	if (at) {
		at += sizeof(key) - 1;
		at[strspn(at, "0123456789abcdef")] = 0;
		if (*at) /* what does not fit is its largest */
			is = (int)(strtoull(at, NULL, 16) >> (signo - 1) & 1);
	}
	free(s);
	return is;
}

static void check(int with)
{
	int signo = 1 + (int)(sizes[STATUS] % 64);

	rubbish = with;
	must_hold(os_probe(TID) == (sizes[SYSCALL] ? in_syscall() : in_stat()));
	must_hold(os_thread_ended(TID) == (in_stat() == PROBE_GONE));
	must_hold(os_blocks(TID, signo) == blocked(signo));
	must_hold(os_blocks(TID, 64) == blocked(64));
	must_hold(opened <= 1); /* the probe's */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	files[SYSCALL] = (const uint8_t *)"running\n";
	sizes[SYSCALL] = 8;
	opened = 0;
	must_hold(os_private_fds(false)); /* a new table: those that it knew are forgotten */
	for (int i = 0; i < FILES; i++) {
		const uint8_t *end = i + 1 < FILES && size ? memchr(data, '\f', size) : NULL;

		files[i] = data;
		sizes[i] = end ? (size_t)(end - data) : size;
		data += sizes[i] + (end != NULL);
		size -= sizes[i] + (end != NULL);
	}
	check('7');
	check(')');
	return 0;
}

/* Messages, arguments, and where the library is. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tools/gmp.h"
#include "tools/text.h"

static void say(const char *fmt, va_list ap, const char *hint)
{
	char *text;

	fflush(stdout);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	if (text)
		make_plain(text); /* one line, whatever the names in it are */
	fprintf(stderr, "gmp: %s%s%s%s\n", subcommand ? subcommand : "", subcommand ? ": " : "",
		text ? text : "no memory", hint);
	free(text);
}

void complain(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap, "");
	va_end(ap);
}

void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say(fmt, ap, "");
	va_end(ap);
	exit(EXIT_OURS);
}

void usage(const char *fmt, ...)
{
	va_list ap;
	char hint[64];

	snprintf(hint, sizeof(hint), "; see `gmp %s%s--help`", subcommand ? subcommand : "",
		 subcommand ? " " : "");
	va_start(ap, fmt);
	say(fmt, ap, hint);
	va_end(ap);
	exit(EXIT_OURS);
}

int cannot_execute(const char *command)
{
	int err = errno;

	complain("cannot execute '%s': %s", command, strerror(err));
	return err == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXEC;
}

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

bool parse_count(const char *text, long min, long max, long *ret)
{
	char *end;
	long n;

	errno = 0;
	n = strtol(text, &end, 10);
	if (errno || end == text || *end || text[0] < '0' || text[0] > '9' || n < min || n > max)
		return false;
	*ret = n;
	return true;
}

pid_t need_pid(const char *text)
{
	long pid;

	if (!parse_count(text, 1, INT_MAX, &pid))
		usage("'%s' is not a process id", text);
	if (kill((pid_t)pid, 0) != 0 && errno == ESRCH)
		fail("no process %ld", pid);
	return (pid_t)pid;
}

/* The path `to`, relative to the directory that holds this executable, when it can be read. */
static const char *beside(const char *to, char *buf)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	if (n <= 0)
		return NULL;
	path[n] = 0;
	slash = strrchr(path, '/');
	if (!slash || (size_t)(slash - path) + strlen(to) + 2 > sizeof(path))
		return NULL;
	strcpy(slash + 1, to);
	return realpath(path, buf) && access(buf, R_OK) == 0 ? buf : NULL;
}

const char *library_path(void)
{
	static char path[PATH_MAX];

	/* Relative first: an installation may have been moved as a whole. */
	if (!beside("../libgmp.so", path) && !beside(GMP_LIBRARY_FROM_BIN, path) &&
	    !(realpath(GMP_LIBRARY, path) && access(path, R_OK) == 0))
		fail("cannot find the library; it is neither beside this command nor at %s",
		     GMP_LIBRARY);
	/* The loader ends an entry of LD_PRELOAD at these, and knows no quoting. */
	if (strpbrk(path, ": "))
		fail("the library's path, '%s', has a space or a colon in it, which LD_PRELOAD "
		     "cannot hold",
		     path);
	return path;
}

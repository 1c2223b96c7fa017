/* wait.h: polling with a deadline.  The poll interval is short because every test of ours pays it
 * some hundred times, and not zero because the machine has few CPUs and the awaited thread needs
 * one of them.
 */
#include "tests/support/wait.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int64_t clock_ns(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

int64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

int64_t thread_cpu_ns(void)
{
	return clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

bool wait_until(bool (*cond)(void *), void *arg, int64_t ns)
{
	const struct timespec pause = { .tv_nsec = 100 * NS_PER_US };
	int64_t end = now_ns() + ns;

	for (;;) {
		if (cond(arg))
			return true;
		if (now_ns() > end)
			return false;
		nanosleep(&pause, NULL);
	}
}

struct word_wait {
	volatile int *word;
	int value;
};

static bool word_reached(void *arg)
{
	struct word_wait *w = arg;

	return __atomic_load_n(w->word, __ATOMIC_ACQUIRE) >= w->value;
}

bool wait_word(volatile int *word, int value, int64_t ns)
{
	struct word_wait w = { word, value };

	return wait_until(word_reached, &w, ns);
}

void must_reach(const char *what, bool (*cond)(void *), void *arg)
{
	if (!wait_until(cond, arg, DEADLINE_NS))
		die("timed out waiting for: %s", what);
}

void must_word(const char *what, volatile int *word, int value)
{
	if (!wait_word(word, value, DEADLINE_NS))
		die("timed out waiting for: %s (is %d, want %d)", what, *word, value);
}

void die(const char *fmt, ...)
{
	char line[512];
	va_list ap;
	int n;

	/* write(2), not stdio: a thread of the victim may hold the lock of stderr. */
	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(line) - 2)
		n = sizeof(line) - 2;
	line[n++] = '\n';
	fflush(stdout);
	if (write(STDERR_FILENO, line, n) < 0)
		_exit(98);
	_exit(99);
}

extern const char *strerrorname_np(int err) __attribute__((weak));

const char *error_name(int err)
{
	return strerrorname_np ? strerrorname_np(err) : strerror(err);
}

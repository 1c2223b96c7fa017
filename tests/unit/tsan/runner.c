/*
 * Runs the tests of one program, each in a child, so that a crash or a race ends one test alone.
 * The summary line has Criterion's form.  See criterion/criterion.h for why this exists.
 */
#include <errno.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/tsan/criterion/criterion.h"

#define SKIPPED 77
#define TIMEOUT_S 60

static struct lite_test *tests, *suites;

void lite_add_test(struct lite_test *test)
{
	test->next = tests;
	tests = test;
}

void lite_add_suite(struct lite_test *suite)
{
	suite->next = suites;
	suites = suite;
}

void lite_fail(const char *file, int line, const char *what, const char *fmt, ...)
{
	va_list ap;

	fprintf(stderr, "%s:%d: Assertion Failed: %s", file, line, what);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
	_exit(1);
}

void lite_skip(void)
{
	_exit(SKIPPED);
}

static const struct lite_data *suite_of(const struct lite_test *t)
{
	static const struct lite_data none;

	for (struct lite_test *s = suites; s; s = s->next)
		if (!strcmp(s->suite, t->suite))
			return s->data;
	return &none;
}

/* In the child.  exit(), not _exit(): the sanitizer's own verdict is the exit status. */
static void run(const struct lite_test *t)
{
	const struct lite_data *suite = suite_of(t), *own = t->data;

	alarm(own->timeout > 0 ? (unsigned)own->timeout + 1 : TIMEOUT_S);
	if (suite->init)
		suite->init();
	if (own->init)
		own->init();
	t->run();
	if (own->fini)
		own->fini();
	if (suite->fini)
		suite->fini();
	exit(0);
}

/* Did the child end as the test wants?  abort_on_error is off, so a race is exit code 66. */
static bool as_wanted(const struct lite_test *t, int status)
{
	const struct lite_data *suite = suite_of(t);
	int signal = t->data->signal ? t->data->signal : suite->signal;
	int code = t->data->exit_code ? t->data->exit_code : suite->exit_code;

	if (signal)
		return WIFSIGNALED(status) && WTERMSIG(status) == signal;
	return WIFEXITED(status) && WEXITSTATUS(status) == code;
}

int main(void)
{
	int tested = 0, passing = 0, crashing = 0;

	for (struct lite_test *t = tests; t; t = t->next) {
		int status = 0;

		if (t->data->disabled || suite_of(t)->disabled)
			continue;
		pid_t pid = fork();

		if (pid == 0)
			run(t);
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
		if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED)
			continue;
		tested++;
		if (as_wanted(t, status)) {
			passing++;
			continue;
		}
		crashing += WIFSIGNALED(status) != 0;
		fprintf(stderr, "[FAIL] %s::%s: status %#x\n", t->suite, t->name, status);
	}
	fprintf(stderr, "[====] Synthesis: Tested: %d | Passing: %d | Failing: %d | Crashing: %d\n",
		tested, passing, tested - passing, crashing);
	return tested == passing ? 0 : 1;
}

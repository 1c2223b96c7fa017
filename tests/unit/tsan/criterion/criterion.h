/*
 * As much of Criterion as the unit tests use, for the thread sanitizer alone: Criterion keeps an
 * arena at an address where that sanitizer wants its shadow, and does not start under it.  The same
 * test files compile against this one; runner.c runs each test in a child of its own.
 */
#ifndef TESTS_UNIT_TSAN_CRITERION_H
#define TESTS_UNIT_TSAN_CRITERION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a test or suite may say about itself. */
struct lite_data {
	void (*init)(void);
	void (*fini)(void);
	int signal;	/* the test must die by it */
	int exit_code;	/* or end with this */
	double timeout; /* seconds */
	const char *description;
	bool disabled;
};

struct lite_test {
	const char *suite, *name;
	void (*run)(void);
	const struct lite_data *data;
	struct lite_test *next;
};

void lite_add_test(struct lite_test *test);
void lite_add_suite(struct lite_test *suite);
void lite_fail(const char *file, int line, const char *what, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 4, 5)));
void lite_skip(void) __attribute__((noreturn));

#define Test(s, n, ...) \
	static void s##_##n##_body(void); \
	static const struct lite_data s##_##n##_data = { __VA_ARGS__ }; \
	static struct lite_test s##_##n##_test = { #s, #n, s##_##n##_body, &s##_##n##_data, \
						   NULL }; \
	__attribute__((constructor)) static void s##_##n##_register(void) \
	{ \
		lite_add_test(&s##_##n##_test); \
	} \
	static void s##_##n##_body(void)

#define TestSuite(s, ...) \
	static const struct lite_data s##_suite_data = { __VA_ARGS__ }; \
	static struct lite_test s##_suite = { #s, NULL, NULL, &s##_suite_data, NULL }; \
	__attribute__((constructor)) static void s##_suite_register(void) \
	{ \
		lite_add_suite(&s##_suite); \
	} \
	struct lite_test

#define LITE_CHECK(ok, what, ...) \
	do { \
		if (!(ok)) \
			lite_fail(__FILE__, __LINE__, what, " " __VA_ARGS__); \
	} while (0)

#define cr_fail(...) lite_fail(__FILE__, __LINE__, "failed", " " __VA_ARGS__)
#define cr_assert_fail(...) cr_fail(__VA_ARGS__)
#define cr_skip(...) lite_skip()
#define cr_skip_test(...) lite_skip()
#define cr_log_info(...) ((void)0)
#define cr_assert(c, ...) LITE_CHECK(c, #c, __VA_ARGS__)
#define cr_assert_not(c, ...) LITE_CHECK(!(c), "not " #c, __VA_ARGS__)
#define cr_assert_eq(a, b, ...) LITE_CHECK((a) == (b), #a " == " #b, __VA_ARGS__)
#define cr_assert_neq(a, b, ...) LITE_CHECK((a) != (b), #a " != " #b, __VA_ARGS__)
#define cr_assert_lt(a, b, ...) LITE_CHECK((a) < (b), #a " < " #b, __VA_ARGS__)
#define cr_assert_leq(a, b, ...) LITE_CHECK((a) <= (b), #a " <= " #b, __VA_ARGS__)
#define cr_assert_gt(a, b, ...) LITE_CHECK((a) > (b), #a " > " #b, __VA_ARGS__)
#define cr_assert_geq(a, b, ...) LITE_CHECK((a) >= (b), #a " >= " #b, __VA_ARGS__)
#define cr_assert_null(p, ...) LITE_CHECK((p) == NULL, #p " is null", __VA_ARGS__)
#define cr_assert_not_null(p, ...) LITE_CHECK((p) != NULL, #p " is not null", __VA_ARGS__)
#define cr_assert_str_eq(a, b, ...) LITE_CHECK(!strcmp(a, b), #a " equals " #b, __VA_ARGS__)
#define cr_assert_str_neq(a, b, ...) LITE_CHECK(strcmp(a, b), #a " differs from " #b, __VA_ARGS__)
#define cr_assert_arr_eq(a, b, n, ...) LITE_CHECK(!memcmp(a, b, n), #a " equals " #b, __VA_ARGS__)

/* The forms that go on after a failure stop here too: a stricter test is still the same test. */
#define cr_expect cr_assert
#define cr_expect_not cr_assert_not
#define cr_expect_eq cr_assert_eq
#define cr_expect_neq cr_assert_neq
#define cr_expect_lt cr_assert_lt
#define cr_expect_leq cr_assert_leq
#define cr_expect_gt cr_assert_gt
#define cr_expect_geq cr_assert_geq
#define cr_expect_null cr_assert_null
#define cr_expect_not_null cr_assert_not_null
#define cr_expect_str_eq cr_assert_str_eq
#define cr_expect_arr_eq cr_assert_arr_eq

#endif

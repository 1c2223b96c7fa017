/* runtime/print.c: the formatter never overruns, a message is one write, and throw does as it is
 * told. */
#include "runtime/print.h"

#include <criterion/criterion.h>
#include <stdio.h>

#include "runtime/hooks.h"
#include "runtime/opts.h"
#include "tests/unit/fake_os.h"

static char buf[128];

static void setup(void)
{
	fake_reset(0);
	memset(buf, '#', sizeof(buf));
}

TestSuite(print, .init = setup);

Test(print, knows_its_directives)
{
	cr_assert_eq(gmp_format(buf, sizeof(buf), "a%sb%cc", "xyz", '!'), 8 - 1);
	cr_assert_str_eq(buf, "axyzb!c");
	gmp_format(buf, sizeof(buf), "%d %u %x", -5, 7u, 0xbeefu);
	cr_assert_str_eq(buf, "-5 7 beef");
	gmp_format(buf, sizeof(buf), "%ld %lu %lx", -5000000000l, 18446744073709551615ul, ~0ul);
	cr_assert_str_eq(buf, "-5000000000 18446744073709551615 ffffffffffffffff");
	gmp_format(buf, sizeof(buf), "100%%");
	cr_assert_str_eq(buf, "100%");
}

Test(print, knows_the_ends_of_the_ranges)
{
	gmp_format(buf, sizeof(buf), "%d %d", -2147483647 - 1, 2147483647);
	cr_assert_str_eq(buf, "-2147483648 2147483647");
	gmp_format(buf, sizeof(buf), "%ld", -9223372036854775807l - 1);
	cr_assert_str_eq(buf, "-9223372036854775808");
	gmp_format(buf, sizeof(buf), "%u %x %d", 0u, 0u, 0);
	cr_assert_str_eq(buf, "0 0 0");
}

Test(print, cuts_at_the_end_of_the_buffer_and_terminates)
{
	for (size_t len = 1; len < 16; len++) {
		memset(buf, '#', sizeof(buf));
		cr_assert_eq(gmp_format(buf, len, "%s-%d", "abcdefgh", 123456),
			     len - 1 < 15 ? len - 1 : 15);
		cr_assert_eq(strlen(buf), len - 1 < 15 ? len - 1 : 15);
		cr_assert_eq(buf[len], '#', "nothing behind the end was touched");
	}
}

Test(print, agrees_with_printf_on_random_numbers)
{
	char want[128];

	for (int i = 0; i < 2000; i++) {
		u64 n = fake_random(~0ul) >> fake_random(64);

		gmp_format(buf, sizeof(buf), "%ld %lu %lx %d %u %x", (i64)n, n, n, (i32)n, (u32)n,
			   (u32)n);
		snprintf(want, sizeof(want), "%ld %lu %lx %d %u %x", (i64)n, n, n, (i32)n, (u32)n,
			 (u32)n);
		cr_assert_str_eq(buf, want);
	}
}

Test(print, a_warning_is_one_line_in_one_write)
{
	gmp_warn("part: %d things; going on", 3);
	cr_assert_eq(fake.writes, 1);
	cr_assert_str_eq(fake_output(), "gmp: part: 3 things; going on\n");
}

Test(print, a_long_warning_is_cut_but_stays_a_line)
{
	char longer[2000];
	const char *out;

	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	gmp_warn("%s", longer);
	out = fake_output();
	cr_assert_leq(strlen(out), 512);
	cr_assert_eq(out[strlen(out) - 1], '\n');
}

Test(print, throwing_dissolves_the_cap_when_told_so)
{
	opts.on_bug = ON_BUG_DISSOLVE;
	gmp_throw("x: %d", 1);
	cr_assert_str_eq(fake_output(), "gmp: fatal: x: 1\n");
	cr_assert_eq(load_rlx(&sched.dissolved), 1);
}

static bool aborted;

static void on_abort(void)
{
	aborted = true;
}

Test(print, throwing_aborts_when_told_so)
{
	opts.on_bug = ON_BUG_ABORT;
	rt_hooks.abort = on_abort;
	gmp_throw("x");
	cr_assert(aborted);
	aborted = false;
	opts.on_bug = ON_BUG_DISSOLVE;
	gmp_throw("x");
	cr_assert_not(aborted);
}

static void needs(int n)
{
	must(n > 3);
}

Test(print, must_names_the_function_and_the_condition)
{
	opts.on_bug = ON_BUG_DISSOLVE;
	needs(4);
	cr_assert_str_eq(fake_output(), "");
	needs(3);
	cr_assert_str_eq(fake_output(), "gmp: fatal: needs: n > 3 does not hold\n");
}

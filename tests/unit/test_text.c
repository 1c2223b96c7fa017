/* runtime/text.c: numbers and keys in texts. */
#include "runtime/text.h"

#include <criterion/criterion.h>

#include "tests/unit/fake_os.h"

/* The number that text begins with; *left is how much of it is behind that. */
static u64 number(const char *text, u32 base, const char **left)
{
	*left = text;
	return text_number(left, base);
}

static const struct {
	const char *text, *left;
	u32 base;
	u64 is;
} numbers[] = { { "", "", 10, 0 },
		{ "x1", "x1", 10, 0 },
		{ "-1", "-1", 10, 0 },
		{ " 1", " 1", 10, 0 },
		{ "0", "", 10, 0 },
		{ "007:", ":", 10, 7 },
		{ "12a", "a", 10, 12 },
		{ "12ag", "g", 16, 0x12a },
		{ "fFf", "Ff", 16, 15 },
		{ "4294967296 ", " ", 10, 1ul << 32 },
		{ "18446744073709551614", "", 10, ~0ul - 1 },
		{ "18446744073709551615", "", 10, ~0ul },
		{ "18446744073709551616", "", 10, ~0ul },
		{ "18446744073709551620 ", " ", 10, ~0ul },
		{ "99999999999999999999999", "", 10, ~0ul },
		{ "ffffffffffffffff\n", "\n", 16, ~0ul },
		{ "10000000000000000\n", "\n", 16, ~0ul } };

Test(text, a_number_ends_before_what_is_no_digit_and_never_wraps)
{
	const char *left;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		cr_assert_eq(number(numbers[i].text, numbers[i].base, &left), numbers[i].is, "'%s'",
			     numbers[i].text);
		cr_assert_str_eq(left, numbers[i].left);
	}
}

Test(text, what_is_behind_a_key_is_found_at_its_first_place)
{
	cr_assert_str_eq(text_behind("a\nKey:\t7\nKey:\t8", "\nKey:\t"), "7\nKey:\t8");
	cr_assert_str_eq(text_behind("aab", "ab"), "");
	cr_assert_str_eq(text_behind("Key:\t7", "\nKey:\t"), "");
	cr_assert_str_eq(text_behind("\nKe", "\nKey:\t"), "");
	cr_assert_str_eq(text_behind("", "\nKey:\t"), "");
}

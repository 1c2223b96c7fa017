/* Numbers and keys in texts; text.h says whose. */
#include "runtime/text.h"

static u32 digit(char c)
{
	if (c >= '0' && c <= '9')
		return (u32)(c - '0');
	return c >= 'a' && c <= 'f' ? (u32)(c - 'a' + 10) : ~0u;
}

u64 text_number(const char **at, u32 base)
{
	u64 n = 0;

	for (u32 d; (d = digit(**at)) < base; ++*at)
		if (__builtin_mul_overflow(n, base, &n) || __builtin_add_overflow(n, d, &n))
			n = ~0ul;
	return n;
}

const char *text_behind(const char *text, const char *key)
{
	for (; *text; text++) {
		size_t n = 0;

		while (key[n] && text[n] == key[n])
			n++;
		if (!key[n])
			return text + n;
	}
	return text;
}

/* One decoder of UTF-8, and what each form of output makes of a character. */
#include "tools/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define NO_CHARACTER "\xef\xbf\xbd" /* U+FFFD */

/* Its bytes if s begins with a character, shortest form, no surrogate; else 0.  Not of "". */
static size_t utf8_length(const char *s, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *at = (const unsigned char *)s;
	size_t n = *at < 0x80	? 1
		   : *at < 0xc0 ? 0
		   : *at < 0xe0 ? 2
		   : *at < 0xf0 ? 3
		   : *at < 0xf8 ? 4
				: 0;
	uint32_t c = n == 1 ? *at : n ? *at & (0x7fu >> n) : 0;

	for (size_t i = 1; i < n; i++) {
		if ((at[i] & 0xc0) != 0x80) /* the end of the string, too */
			return 0;
		c = c << 6 | (at[i] & 0x3f);
	}
	*ret = c;
	return n && c >= least[n] && c <= 0x10ffff && (c < 0xd800 || c > 0xdfff) ? n : 0;
}

/* Of Latin-1's, too: a terminal may obey those. */
static bool is_control(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

static void put_escaped(const char *s, const char *(*escape)(uint32_t c))
{
	size_t n;
	uint32_t c;

	putchar('"');
	for (; *s; s += n ? n : 1) {
		const char *instead;

		n = utf8_length(s, &c);
		instead = n ? escape(c) : NO_CHARACTER;
		if (instead)
			fputs(instead, stdout);
		else
			fwrite(s, 1, n, stdout);
	}
	putchar('"');
}

/* NULL: as it is. */
static const char *json_escape(uint32_t c)
{
	static char code[8];

	if (c == '"' || c == '\\')
		return c == '"' ? "\\\"" : "\\\\";
	if (!is_control(c))
		return NULL;
	snprintf(code, sizeof(code), "\\u%04x", c);
	return code;
}

static const char *label_escape(uint32_t c)
{
	return c == '"' ? "\\\"" : c == '\\' ? "\\\\" : c == '\n' ? "\\n" : NULL;
}

void put_json(const char *s)
{
	put_escaped(s, json_escape);
}

void put_label(const char *s)
{
	put_escaped(s, label_escape);
}

/* How many bytes at s can be shown; *skip: how many they are. */
static size_t plain_length(const char *s, size_t *skip)
{
	uint32_t c;
	size_t n = utf8_length(s, &c);

	*skip = n ? n : 1;
	return n && !is_control(c) ? n : 0;
}

void put_plain(const char *s)
{
	size_t n, skip;

	for (; *s; s += skip) {
		n = plain_length(s, &skip);
		fwrite(n ? s : "?", 1, n ? n : 1, stdout);
	}
}

void make_plain(char *s)
{
	char *to = s;
	size_t n, skip;

	for (; *s; s += skip) {
		n = plain_length(s, &skip);
		if (n)
			memmove(to, s, n);
		else
			*to = '?';
		to += n ? n : 1;
	}
	*to = 0;
}

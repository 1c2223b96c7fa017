/* The table of opts.def once more, for the command line: what the library refuses gmp refuses, but
 * before the program runs. */
#include "tools/options.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "runtime/opts.h"
#include "tools/gmp.h"

const struct option_row option_rows[] = {
#define OPT(name, def, min, max, unit, help) { #name, unit, help, #def, min, max, NULL },
#define CHOICE(name, def, help, ...) { #name, "word", help, #def, 0, 0, #__VA_ARGS__ },
#define TEXT(name, help) { #name, "text", help, "", 0, OPT_TEXT_MAX - 1, NULL },
#include "runtime/opts.def"
#undef OPT
#undef CHOICE
#undef TEXT
};

const size_t option_count = sizeof(option_rows) / sizeof(option_rows[0]);

static bool same_name(const char *name, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (name[i] != (text[i] == '-' ? '_' : text[i]))
			return false;
	return strlen(name) == len;
}

const struct option_row *option_find(const char *name, size_t len)
{
	for (size_t i = 0; i < option_count; i++)
		if (same_name(option_rows[i].name, name, len))
			return &option_rows[i];
	return NULL;
}

/* Which of the words it is, -1 for none. */
static int word_index(const char *words, const char *value)
{
	size_t len = strlen(value);

	for (int i = 0; *words; i++) {
		size_t n = strcspn(words, ", ");

		if (n == len && n && strncasecmp(words, value, n) == 0)
			return i;
		words += n + strspn(words + n, ", ");
	}
	return -1;
}

static bool option_takes(const struct option_row *o, const char *value)
{
	long n;

	if (strcmp(o->unit, "text") == 0)
		return strlen(value) <= o->max;
	return o->words ? word_index(o->words, value) >= 0
			: parse_count(value, (long)o->min, (long)o->max, &n);
}

const char *option_refuses(const struct option_row *o, const char *value)
{
	static char want[128];

	if (option_takes(o, value))
		return NULL;
	if (strcmp(o->unit, "text") == 0)
		snprintf(want, sizeof(want), "a text of at most %lu bytes", o->max);
	else if (o->words)
		snprintf(want, sizeof(want), "one of %s", o->words);
	else
		snprintf(want, sizeof(want), "a number in %lu..%lu (%s)", o->min, o->max, o->unit);
	for (char *at = want; *at; at++)
		*at = (char)tolower(*at);
	return want;
}

unsigned option_number(const struct option_row *o, const char *value)
{
	return o->words ? (unsigned)word_index(o->words, value) : (unsigned)atol(value);
}

const char *option_word(const struct option_row *o, unsigned number)
{
	static char word[16];
	const char *words = o->words;

	for (; number && *words; number--) {
		words += strcspn(words, ",");
		words += strspn(words, ", ");
	}
	snprintf(word, sizeof(word), "%.*s", (int)strcspn(words, ","), words);
	for (char *at = word; *at; at++)
		*at = (char)tolower(*at);
	return word[0] ? word : "?";
}

void option_set(const struct option_row *o, const char *as, const char *value)
{
	const char *want = option_refuses(o, value);
	char variable[64] = "GMP_";

	if (want)
		usage("%.*s '%s' is not %s", (int)strcspn(as, "="), as, value, want);
	for (size_t i = 0; o->name[i] && i + 5 < sizeof(variable); i++)
		variable[i + 4] = (char)toupper(o->name[i]);
	if (setenv(variable, value, 1) != 0)
		fail("no memory for %s", variable);
}

/* One parser for the table of opts.def: numbers, words, texts; a bad one is one line on stderr. */
#include "runtime/opts.h"

#include "runtime/limit.h"
#include "runtime/os.h"
#include "runtime/print.h"
#include "runtime/text.h"

enum kind { NUMBER, WORD, STRING };

struct option {
	const char *name, *unit, *help;
	enum kind kind;
	u32 def, min, max;
	const char *words[4];
	u32 *value; /* STRING: the text */
};

struct opts opts = {
#define OPT(name, def, min, max, unit, help) .name = (def),
#define CHOICE(name, def, help, ...) .name = CHOICE_##name(def),
#define TEXT(name, help) .name = "",
#define CHOICE_on_bug(def) ON_BUG_##def
#define CHOICE_preempt(def) PREEMPT_##def
#define CHOICE_quota_round(def) QUOTA_ROUND_##def
#define CHOICE_pace(def) PACE_##def
#include "runtime/opts.def"
#undef OPT
#undef CHOICE
#undef TEXT
};

#define WORDS_2(a, b) \
	{ \
#a, #b, NULL, NULL \
	}
#define WORDS_3(a, b, c) \
	{ \
#a, #b, #c, NULL \
	}
#define WORDS_N(a, b, c, n, ...) n
#define WORDS(...) WORDS_N(__VA_ARGS__, WORDS_3, WORDS_2, )(__VA_ARGS__)

static const struct option table[] = {
#define OPT(name, def, min, max, unit, help) \
	{ #name, unit, help, NUMBER, def, min, max, { 0 }, &opts.name },
#define CHOICE(name, def, help, ...) \
	{ #name, "word", help, WORD, CHOICE_##name(def), 0, 0, WORDS(__VA_ARGS__), &opts.name },
#define TEXT(name, help) { #name, "text", help, STRING, 0, 0, 0, { 0 }, (u32 *)opts.name },
#include "runtime/opts.def"
#undef OPT
#undef CHOICE
#undef TEXT
};

#define OPT(name, def, min, max, unit, help) \
	_Static_assert((def) <= (max) && (min) <= (max), "range of " #name);
#define CHOICE(name, def, help, ...)
#define TEXT(name, help)
#include "runtime/opts.def"
#undef OPT
#undef CHOICE
#undef TEXT

#define OPTIONS (sizeof(table) / sizeof(table[0]))

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Copies s through change, which must keep it one printable line. */
static const char *copy(char *buf, size_t len, const char *s, char (*change)(char))
{
	size_t i = 0;

	for (; i + 1 < len && s[i]; i++)
		buf[i] = change(s[i]);
	buf[i] = 0;
	return buf;
}

static char printable(char c)
{
	return c >= ' ' && c <= '~' ? c : '?';
}

static bool same_word(const char *a, const char *b)
{
	while (*a && upper(*a) == upper(*b))
		a++, b++;
	return *a == *b;
}

/* The text after "GMP_NAME=", or NULL when entry is another variable. */
static const char *value_of(const char *entry, const char *name)
{
	const char *prefix = "GMP_";

	while (*prefix)
		if (*entry++ != *prefix++)
			return NULL;
	while (*name)
		if (*entry++ != upper(*name++))
			return NULL;
	return *entry == '=' ? entry + 1 : NULL;
}

static bool set_number(const struct option *o, const char *text)
{
	const char *end = text;
	u64 n = text_number(&end, 10);

	if (end == text || *end || n < o->min || n > o->max)
		return false;
	*o->value = (u32)n;
	return true;
}

static bool set_word(const struct option *o, const char *text)
{
	for (u32 i = 0; i < 4 && o->words[i]; i++)
		if (same_word(text, o->words[i])) {
			*o->value = i;
			return true;
		}
	return false;
}

/* Copied: the host may write over its environment. */
static bool set_string(const struct option *o, const char *text)
{
	char *to = (char *)o->value;
	size_t len = 0;

	while (text[len])
		len++;
	if (len >= OPT_TEXT_MAX)
		return false;
	__builtin_memcpy(to, text, len + 1);
	return true;
}

static bool set(const struct option *o, const char *text)
{
	if (o->kind == STRING)
		return set_string(o, text);
	return o->kind == NUMBER ? set_number(o, text) : set_word(o, text);
}

/* "signal|gate|off" */
static void all_words(const struct option *o, char *buf, size_t len)
{
	char word[16];
	size_t n = 0;

	for (u32 i = 0; i < 4 && o->words[i]; i++)
		n += gmp_format(buf + n, len - n, "%s%s", i ? "|" : "",
				copy(word, sizeof(word), o->words[i], lower));
}

/* A value in words.  A number below the minimum is one that nobody can set: chosen for you. */
static void value_text(const struct option *o, u32 value, char *buf, size_t len)
{
	if (o->kind == WORD)
		copy(buf, len, o->words[value], lower);
	else if (value < o->min)
		gmp_format(buf, len, "%u", limit_procs());
	else
		gmp_format(buf, len, "%u", value);
}

static void complain(const struct option *o, const char *text)
{
	char name[32], shown[64], range[64], def[32];

	copy(name, sizeof(name), o->name, upper);
	copy(shown, sizeof(shown), text, printable);
	value_text(o, o->def, def, sizeof(def));
	all_words(o, range, sizeof(range));
	if (o->kind == NUMBER)
		gmp_format(range, sizeof(range), "a number in %u..%u (%s)", o->min, o->max,
			   o->unit);
	if (o->kind == STRING) {
		gmp_format(range, sizeof(range), "a text of less than %d bytes", OPT_TEXT_MAX);
		gmp_format(def, sizeof(def), "none");
	}
	gmp_warn("opts: GMP_%s='%s' is not %s%s; using %s", name, shown,
		 o->kind == WORD ? "one of " : "", range, def);
}

/* The first entry counts, as for getenv(). */
static void parse_one(const struct option *o, char *const *envp)
{
	const char *text = NULL;

	while (*envp && !text)
		text = value_of(*envp++, o->name);
	if (text && !set(o, text))
		complain(o, text);
}

/* ---- names that are nearly ours ---- */

#define NAME_MAX 24 /* longer than any of ours */

#define OPT(name, ...) _Static_assert(sizeof(#name) <= NAME_MAX, "length of " #name);
#define CHOICE(name, ...) OPT(name)
#define TEXT(name, help) OPT(name)
#include "runtime/opts.def"
#undef OPT
#undef CHOICE
#undef TEXT

static u32 least(u32 a, u32 b, u32 c)
{
	u32 n = a < b ? a : b;

	return n < c ? n : c;
}

/* How many letters must be put in, left out or changed to make the option's name of text[len]? */
static u32 distance(const char *text, u32 len, const char *name)
{
	u32 row[NAME_MAX + 1]; /* row[i]: from the first i letters of text to the name so far */

	for (u32 i = 0; i <= len; i++)
		row[i] = i;
	for (; *name; name++) {
		u32 diagonal = row[0]++;

		for (u32 i = 1; i <= len; i++) {
			u32 change = diagonal + (text[i - 1] != upper(*name));

			diagonal = row[i];
			row[i] = least(row[i] + 1, row[i - 1] + 1, change);
		}
	}
	return row[len];
}

static bool begins(const char *name, const char *text, u32 len)
{
	for (u32 i = 0; i < len; i++)
		if (text[i] != upper(name[i])) /* also where the name ends */
			return false;
	return true;
}

/*
 * Others have names with GMP_, too, and mean GNU MP: GMP_PATH, GMP_LIB, GMP_CPU_TYPE.  So one that
 * is meant for us differs by a letter, or by two where it is long, or is the first half of ours.
 */
static bool nearly(const char *text, u32 len, const char *name)
{
	return (len >= 5 && begins(name, text, len)) || distance(text, len, name) <= 1 + (len >= 6);
}

static bool is_option(const char *entry)
{
	for (size_t i = 0; i < OPTIONS; i++)
		if (value_of(entry, table[i].name))
			return true;
	return false;
}

static void doubt(const char *text, u32 len)
{
	char wrong[NAME_MAX + 1], right[NAME_MAX];

	for (size_t i = 0; i < OPTIONS; i++)
		if (nearly(text, len, table[i].name)) {
			copy(wrong, len + 1, text, printable);
			copy(right, sizeof(right), table[i].name, upper);
			gmp_warn("opts: GMP_%s is not an option, GMP_%s is; ignoring it", wrong,
				 right);
			return;
		}
}

static void doubt_all(char *const *envp)
{
	for (; *envp; envp++) {
		const char *text;
		u32 len = 0;

		if (!begins("gmp_", *envp, 4))
			continue;
		text = *envp + 4;
		while (len <= NAME_MAX && text[len] && text[len] != '=')
			len++;
		if (len <= NAME_MAX && text[len] && !is_option(*envp))
			doubt(text, len);
	}
}

void opts_parse(char *const *envp)
{
	if (!envp)
		return;
	for (size_t i = 0; i < OPTIONS; i++)
		parse_one(&table[i], envp);
	doubt_all(envp);
}

bool opts_takes(const u32 *option, u32 value)
{
	const struct option *o = table;

	while (o->value != option)
		o++;
	if (o->kind == WORD)
		return value < 4 && o->words[value];
	return value >= o->min && value <= o->max;
}

static void help_line(const struct option *o)
{
	char name[32], value[32], range[64], line[256];
	size_t n;

	copy(name, sizeof(name), o->name, upper);
	if (o->kind == STRING)
		copy(value, sizeof(value), (char *)o->value, printable);
	else
		value_text(o, *o->value, value, sizeof(value));
	gmp_format(range, sizeof(range), "text");
	if (o->kind == WORD)
		all_words(o, range, sizeof(range));
	if (o->kind == NUMBER)
		gmp_format(range, sizeof(range), "%s %u..%u", o->unit, o->min, o->max);
	n = gmp_format(line, sizeof(line), "GMP_%s=%s", name, value);
	while (n < 24)
		line[n++] = ' ';
	n += gmp_format(line + n, sizeof(line) - n, " %s: %s\n", range, o->help);
	os_write(os_stderr(), line, n);
}

void opts_help(void)
{
	for (size_t i = 0; i < OPTIONS; i++)
		help_line(&table[i]);
}

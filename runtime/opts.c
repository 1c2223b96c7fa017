#include "runtime/opts.h"

#include "runtime/print.h"
#include "runtime/os.h"

enum kind { NUMBER, WORD };

struct option {
	const char *name, *unit, *help;
	enum kind kind;
	u32 def, min, max;
	const char *words[4];
	u32 *value;
};

struct opts opts = {
#define OPT(name, def, min, max, unit, help) .name = (def),
#define CHOICE(name, def, help, ...) .name = CHOICE_##name(def),
#define CHOICE_on_bug(def) ON_BUG_##def
#define CHOICE_preempt(def) PREEMPT_##def
#include "runtime/opts.def"
#undef OPT
#undef CHOICE
};

#define WORDS_2(a, b) {#a, #b}
#define WORDS_3(a, b, c) {#a, #b, #c}
#define WORDS_N(a, b, c, n, ...) n
#define WORDS(...) WORDS_N(__VA_ARGS__, WORDS_3, WORDS_2, )(__VA_ARGS__)

static const struct option table[] = {
#define OPT(name, def, min, max, unit, help)                                                       \
	{#name, unit, help, NUMBER, def, min, max, {0}, &opts.name},
#define CHOICE(name, def, help, ...)                                                               \
	{#name, "word", help, WORD, CHOICE_##name(def), 0, 0, WORDS(__VA_ARGS__), &opts.name},
#include "runtime/opts.def"
#undef OPT
#undef CHOICE
};

#define OPT(name, def, min, max, unit, help)                                                       \
	_Static_assert((def) <= (max) && (min) <= (max), "range of " #name);
#define CHOICE(name, def, help, ...)
#include "runtime/opts.def"
#undef OPT
#undef CHOICE

static char upper(char c)
{
	return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
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

static bool parse_number(const char *s, u64 *ret)
{
	u64 n = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		if (*s < '0' || *s > '9' || n > 1000000000)
			return false;
		n = n * 10 + (u64)(*s - '0');
	}
	*ret = n;
	return true;
}

static bool set_number(const struct option *o, const char *text)
{
	u64 n;

	if (!parse_number(text, &n) || n < o->min || n > o->max)
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

static void lower_name(const struct option *o, char *buf, size_t len)
{
	size_t i = 0;

	for (; i + 1 < len && o->name[i]; i++)
		buf[i] = upper(o->name[i]);
	buf[i] = 0;
}

/* The default in words: a 0 that no user may set means "chosen for you". */
static void default_text(const struct option *o, char *buf, size_t len)
{
	if (o->kind == WORD)
		gmp_format(buf, len, "%s", o->words[o->def]);
	else if (o->def < o->min)
		gmp_format(buf, len, "its default");
	else
		gmp_format(buf, len, "%u", o->def);
}

static void complain(const struct option *o, const char *text)
{
	char name[32], def[32], shown[64];

	lower_name(o, name, sizeof(name));
	default_text(o, def, sizeof(def));
	gmp_format(shown, sizeof(shown), "%s", text);
	if (o->kind == NUMBER)
		gmp_warn("opts: GMP_%s='%s' is not a %s in %u..%u; using %s", name, shown, o->unit,
			 o->min, o->max, def);
	else
		gmp_warn("opts: GMP_%s='%s' is not one of %s|%s%s%s; using %s", name, shown,
			 o->words[0], o->words[1], o->words[2] ? "|" : "",
			 o->words[2] ? o->words[2] : "", def);
}

static void parse_one(const char *entry)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct option *o = &table[i];
		const char *text = value_of(entry, o->name);

		if (text && !(o->kind == NUMBER ? set_number(o, text) : set_word(o, text)))
			complain(o, text);
	}
}

void opts_parse(char *const *envp)
{
	for (; envp && *envp; envp++)
		parse_one(*envp);
}

void opts_help(void)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct option *o = &table[i];
		char name[32], line[256];
		size_t n;

		lower_name(o, name, sizeof(name));
		n = gmp_format(line, sizeof(line), "GMP_%s=", name);
		if (o->kind == WORD)
			n += gmp_format(line + n, sizeof(line) - n, "%s", o->words[*o->value]);
		else if (*o->value >= o->min)
			n += gmp_format(line + n, sizeof(line) - n, "%u", *o->value);
		else
			n += gmp_format(line + n, sizeof(line) - n, "auto");
		while (n < 24)
			line[n++] = ' ';
		if (o->kind == NUMBER)
			n += gmp_format(line + n, sizeof(line) - n, " %s %u..%u: %s\n", o->unit,
					o->min, o->max, o->help);
		else
			n += gmp_format(line + n, sizeof(line) - n, " %s|%s%s%s: %s\n", o->words[0],
					o->words[1], o->words[2] ? "|" : "",
					o->words[2] ? o->words[2] : "", o->help);
		os_write(2, line, n);
	}
}

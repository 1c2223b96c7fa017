/*
 * Fuzzes runtime/opts.c.  An input is an environment, a form feed between two entries.
 *
 * What each option is afterwards is worked out here by libc's means: its first entry says it when
 * that is good, else it is the default.  Each entry costs one printable line at most.
 */
#include <ctype.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "runtime/hooks.h"
#include "runtime/limit.h"
#include "runtime/opts.h"
#include "runtime/os.h"
#include "runtime/proc.h"

#define ENTRIES 32
#define must_hold(cond) \
	do { \
		if (!(cond)) \
			abort(); \
	} while (0)

static char *envp[ENTRIES + 1];
static size_t lines, entries;

/* ---- what it needs ---- */

struct rt_hooks rt_hooks;

void sched_dissolve(void)
{
	abort();
}

u32 limit_procs(void)
{
	return 7;
}

int os_stderr(void)
{
	return 2;
}

/* One printable line a call. */
void os_write(int fd, const char *text, size_t len)
{
	must_hold(len > 1 && len <= 512 && text[len - 1] == '\n');
	for (size_t i = 0; i + 1 < len; i++)
		must_hold(text[i] >= ' ' && text[i] <= '~');
	lines++;
}

/* ---- what must come out ---- */

/* What the environment says of GMP_NAME; NULL: nothing. */
static const char *said(const char *name)
{
	char want[64];
	size_t n = 4;

	strcpy(want, "GMP_");
	for (; *name; name++)
		want[n++] = (char)toupper(*name);
	want[n++] = '=';
	for (char **e = envp; *e; e++)
		if (strncmp(*e, want, n) == 0)
			return *e + n;
	return NULL;
}

static u32 number(const char *text, u32 def, u32 min, u32 max)
{
	unsigned long long n;

	if (!text || !*text || strspn(text, "0123456789") != strlen(text))
		return def;
	n = strtoull(text, NULL, 10); /* its largest, where it does not fit */
	return n >= min && n <= max ? (u32)n : def;
}

static u32 choice(const char *text, u32 def, const char *words)
{
	u32 i = 0;

	for (; text && *words; i++) {
		size_t n = strcspn(words, ", ");

		if (strlen(text) == n && strncasecmp(text, words, n) == 0)
			return i;
		words += n + strspn(words + n, ", ");
	}
	return def;
}

static const char *text_or_none(const char *text)
{
	return text && strlen(text) < OPT_TEXT_MAX ? text : "";
}

static void check(const struct opts *defaults)
{
#define OPT(name, def, min, max, unit, help) \
	must_hold(opts.name == number(said(#name), def, min, max)); \
	must_hold(opts.name == defaults->name || opts_takes(&opts.name, opts.name));
#define CHOICE(name, def, help, ...) \
	must_hold(opts.name == choice(said(#name), defaults->name, #__VA_ARGS__)); \
	must_hold(opts_takes(&opts.name, opts.name));
#define TEXT(name, help) must_hold(strcmp(opts.name, text_or_none(said(#name))) == 0);
#include "runtime/opts.def"
#undef OPT
#undef CHOICE
#undef TEXT
	must_hold(lines <= entries);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct opts defaults = opts;

	lines = entries = 0;
	while (size && entries < ENTRIES) {
		const uint8_t *end = memchr(data, '\f', size);
		size_t n = end ? (size_t)(end - data) : size;

		envp[entries++] = strndup((const char *)data, n);
		data += n + (end != NULL);
		size -= n + (end != NULL);
	}
	envp[entries] = NULL;
	opts_parse(envp);
	check(&defaults);
	opts = defaults;
	for (size_t i = 0; i < entries; i++)
		free(envp[i]);
	return 0;
}

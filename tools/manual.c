/*
 * The parts of the manual pages that are said elsewhere already, as troff: `gmp help --troff`
 * prints the subcommands for gmp(1), `gmp help --troff-options` opts.def for libgmp-sched(7).
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "tools/gmp.h"
#include "tools/options.h"

/* Text as it stands, in a block that is not filled. */
static void literal(const char *text)
{
	bool begins = true;

	for (; *text; text++) {
		if (begins && (*text == '.' || *text == '\''))
			printf("\\&");
		begins = *text == '\n';
		if (*text == '\\')
			printf("\\e");
		else if (*text == '-')
			printf("\\-");
		else if (*text == '\t')
			printf("        ");
		else
			putchar(*text);
	}
}

static void upper(const char *name)
{
	for (; *name; name++)
		putchar(toupper((unsigned char)*name));
}

static void one_subcommand(const char *name, const char *args, const char *what, const char *help)
{
	printf(".SS gmp %s\n%c%s.\n.PP\n.nf\ngmp %s ", name, toupper((unsigned char)what[0]),
	       what + 1, name);
	literal(args);
	printf("\n.sp\n");
	literal(help);
	printf(".fi\n");
}

void manual_subcommands(void)
{
#define SUBCOMMAND(name, args, what) one_subcommand(#name, args, what, help_##name);
#include "tools/subcommands.def"
#undef SUBCOMMAND
}

static bool has_default(const struct option_row *o)
{
	long n;

	return !parse_count(o->def, 0, 1000000000, &n) || n >= (long)o->min;
}

static void one_option(const struct option_row *o)
{
	printf(".TP\n.B GMP_");
	upper(o->name);
	if (o->words)
		printf("\nOne of %s; default %s.\n", o->words, o->def);
	else if (strcmp(o->unit, "text") == 0)
		printf("\nA text of at most %lu bytes; default: none.\n", o->max);
	else if (strcmp(o->unit, "flag") == 0)
		printf("\n0 or 1; default %s.\n", o->def);
	else
		printf("\n%s, %lu..%lu; default: %s.\n", o->unit, o->min, o->max,
		       has_default(o) ? o->def : "as described");
	printf("%c", toupper((unsigned char)o->help[0]));
	literal(o->help + 1);
	printf(".\n");
}

void manual_options(void)
{
	for (size_t i = 0; i < option_count; i++)
		one_option(&option_rows[i]);
}

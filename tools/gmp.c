/* The gmp command: finds the subcommand, answers --help and --version. */
#include "tools/gmp.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct subcommand {
	const char *name, *args, *what, *help;
	int (*main)(int argc, char **argv);
} table[] = {
#define SUBCOMMAND(name, args, what) { #name, args, what, help_##name, cmd_##name },
#include "tools/subcommands.def"
#undef SUBCOMMAND
};

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

const char *subcommand;

static const struct subcommand *find(const char *name)
{
	for (size_t i = 0; i < LENGTH(table); i++)
		if (strcmp(table[i].name, name) == 0)
			return &table[i];
	return NULL;
}

static int help_all(void)
{
	printf("Usage: gmp SUBCOMMAND [ARG]...\n"
	       "Go's G-M-P scheduler under unmodified pthread programs.\n\n");
	for (size_t i = 0; i < LENGTH(table); i++)
		printf("  gmp %-8s %s\n", table[i].name, table[i].what);
	printf("\n`gmp SUBCOMMAND --help` has options and examples; gmp(1) has it all.\n"
	       "Exit status: 125 when gmp itself fails, 126 and 127 when a command cannot be\n"
	       "executed or is not found, else as the subcommand says.\n");
	return 0;
}

static int help_one(const struct subcommand *s)
{
	printf("Usage: gmp %s %s\n%c%s.\n\n%s", s->name, s->args, s->what[0] & ~0x20, s->what + 1,
	       s->help);
	return 0;
}

/* For the build of the manual pages. */
static bool print_manual(const char *part)
{
	if (strcmp(part, "--troff") == 0)
		manual_subcommands();
	else if (strcmp(part, "--troff-options") == 0)
		manual_options();
	else
		return false;
	return true;
}

/* --help counts where an option of gmp's own may stand: not after `--` or in a command's words. */
static bool wants_help(int argc, char **argv)
{
	return argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
}

static int dispatch(int argc, char **argv)
{
	const struct subcommand *s = find(argv[0]);

	if (!s)
		usage("no subcommand '%s'", argv[0]);
	subcommand = s->name;
	return wants_help(argc, argv) ? help_one(s) : s->main(argc, argv);
}

/*
 * What was closed is taken, by what cannot be written: else the first file that we open, a trace
 * that its program writes to, gets our output.  A command that we execute finds it closed.
 */
static void fill_closed(void)
{
	int fd;

	while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0 && fd <= STDERR_FILENO)
		;
	if (fd >= 0)
		close(fd);
}

int main(int argc, char **argv)
{
	int status;

	fill_closed();
	if (argc < 2)
		usage("no subcommand");
	if (strcmp(argv[1], "--version") == 0)
		status = printf("gmp %s\n", GMP_VERSION) < 0;
	else if (wants_help(argc, argv) || (strcmp(argv[1], "help") == 0 && argc == 2))
		status = help_all();
	else if (strcmp(argv[1], "help") == 0 && print_manual(argv[2]))
		status = 0;
	else if (strcmp(argv[1], "help") == 0 && find(argv[2]))
		status = help_one(find(argv[2]));
	else if (strcmp(argv[1], "help") == 0)
		usage("no subcommand '%s'", argv[2]);
	else
		status = dispatch(argc - 1, argv + 1);
	/* A full disk must not look like an answer. */
	if (fflush(stdout) != 0 || ferror(stdout))
		fail("cannot write the output");
	return status;
}

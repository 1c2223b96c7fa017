/*
 * gmp run: options into the environment, the library into LD_PRELOAD, and exec.
 *
 * Nothing of gmp is left in between: the program has our process id, our parent, our descriptors.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/binary.h"
#include "tools/gmp.h"
#include "tools/options.h"

const char help_run[] =
	"  -p N                   number of Ps; the same as --maxprocs N\n"
	"  -q                     do not say when the program cannot be preloaded\n"
	"and every option of the library (libgmp-sched(7)), which sets GMP_<NAME>:\n"
#define OPT(name, def, min, max, unit, help) "  --" #name " (" unit ")\n\t\t\t " help "\n"
#define CHOICE(name, def, help, ...) "  --" #name " (" #__VA_ARGS__ ")\n\t\t\t " help "\n"
#define TEXT(name, help) "  --" #name " (text)\n\t\t\t " help "\n"
#include "runtime/opts.def"
#undef OPT
#undef CHOICE
#undef TEXT
	"An option takes its value as the next word or after `=`; a flag may stand alone.\n"
	"`-` and `_` in its name are the same.\n"
	"\n"
	"Examples:\n"
	"  gmp run -p 4 -- ./server --port 8080\n"
	"  gmp run --schedtrace 1000 --stats -- make -j\n"
	"  gmp run -p 2 --preempt=gate -- python3 work.py\n"
	"\n"
	"Exit status: the command's own; 125 gmp failed, 126 cannot execute, 127 not found.\n";

static const struct option_row *known(const char *name, size_t len)
{
	const struct option_row *o = option_find(name, len);

	if (!o)
		usage("no option '--%.*s'", (int)len, name);
	return o;
}

/* "--name value", "--name=value", "--flag"; returns how many words it was. */
static int long_option(char **argv)
{
	const char *name = argv[0] + 2, *equals = strchr(name, '=');
	const struct option_row *o = known(name, equals ? (size_t)(equals - name) : strlen(name));

	if (equals)
		option_set(o, argv[0], equals + 1);
	else if (strcmp(o->unit, "flag") == 0)
		option_set(o, argv[0], "1");
	else if (!argv[1])
		usage("%s needs a value", argv[0]);
	else
		option_set(o, argv[0], argv[1]);
	return equals || strcmp(o->unit, "flag") == 0 ? 1 : 2;
}

/* "-p N" or "-pN" */
static int procs_option(char **argv)
{
	const struct option_row *o = option_find("maxprocs", strlen("maxprocs"));

	if (argv[0][2]) {
		option_set(o, "-p", argv[0] + 2);
		return 1;
	}
	if (!argv[1])
		usage("-p needs a number");
	option_set(o, "-p", argv[1]);
	return 2;
}

/* Reads our options; returns the command's words. */
static char **parse(char **argv, bool *quiet)
{
	while (*argv && argv[0][0] == '-') {
		if (strcmp(*argv, "--") == 0)
			return argv + 1;
		if (strncmp(*argv, "--", 2) == 0)
			argv += long_option(argv);
		else if (argv[0][1] == 'p')
			argv += procs_option(argv);
		else if (strcmp(*argv, "-q") == 0)
			*quiet = true, argv++;
		else
			usage("no option '%s'", *argv);
	}
	return argv;
}

/* Once, and before what the caller preloads already: our names must be found first. */
static void preload(const char *library)
{
	const char *old = getenv("LD_PRELOAD");
	size_t size = strlen(library) + (old ? strlen(old) : 0) + 2;
	char *list = malloc(size);

	if (!list)
		fail("no memory");
	snprintf(list, size, "%s%s%s", library, old && *old ? ":" : "", old ? old : "");
	if (setenv("LD_PRELOAD", list, 1) != 0)
		fail("no memory");
	free(list);
}

/* A program that the loader will not preload runs all the same; but nobody should wonder why. */
static void warn(const char *command)
{
	char path[BINARY_PATH_MAX];
	struct finding found[BINARY_FINDINGS_MAX];
	size_t n = binary_find(command, path) ? binary_examine(path, found) : 0;

	for (size_t i = 0; i < n; i++)
		if (found[i].weight == FINDING_PREVENTS)
			complain("%s; it runs without the library", found[i].text);
}

int cmd_run(int argc, char **argv)
{
	bool quiet = false;
	char **command = parse(argv + 1, &quiet);

	if (!*command)
		usage("no command");
	if (!quiet)
		warn(*command);
	preload(library_path());
	execvp(*command, command);
	return cannot_execute(*command);
}

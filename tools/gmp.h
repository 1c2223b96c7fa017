/*
 * What the subcommands of `gmp` share: the table of them, how they fail, where the library is.
 *
 * Exit codes are those of env(1) and timeout(1): 125 when gmp itself fails (bad usage, no such
 * process), 126 and 127 when a command is found but cannot be executed, or is not found.  Failures
 * are one line on stderr: `gmp: SUBCOMMAND: what`.
 */
#ifndef GMP_TOOLS_GMP_H
#define GMP_TOOLS_GMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define EXIT_OURS 125
#define EXIT_CANNOT_EXEC 126
#define EXIT_NOT_FOUND 127

/* One file a subcommand, tools/NAME.c, with these two; subcommands.def is the table. */
#define SUBCOMMAND(name, args, what) \
	int cmd_##name(int argc, char **argv); /* argv[0] is the subcommand's name */ \
	extern const char help_##name[];       /* what `gmp NAME --help` prints below the usage */
#include "tools/subcommands.def"
#undef SUBCOMMAND

/* manual.c: troff of what this command and opts.def say. */
void manual_subcommands(void);
void manual_options(void);

/* The running subcommand's name, for messages. */
extern const char *subcommand;

/* One line on stderr, "gmp: run: ..."; fail() then exits with 125. */
void complain(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void fail(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* fail() with a hint at --help: for arguments that make no sense. */
_Noreturn void usage(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Says that the command cannot be executed, and why (errno); the exit code for that. */
int cannot_execute(const char *command);

/* The monotonic clock, which is the library's as well. */
uint64_t now_ns(void);
/* A whole number in min..max, else false. */
bool parse_count(const char *text, long min, long max, long *ret);
/* A process id; fails with a line when it is none or no such process exists. */
pid_t need_pid(const char *text);
/*
 * Where libgmp.so is: beside the build, else in the private directory it was installed into.  The
 * path is absolute and contains no character that ends an entry of LD_PRELOAD.  Fails when there
 * is none.
 */
const char *library_path(void);

#endif

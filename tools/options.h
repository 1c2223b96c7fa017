/* The library's options as the command line sees them; all of it comes from runtime/opts.def. */
#ifndef GMP_TOOLS_OPTIONS_H
#define GMP_TOOLS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

struct option_row {
	const char *name; /* as in opts.def: slice_us */
	const char *unit; /* "flag": takes no value; "word": one of words; "text" */
	const char *help;
	const char *def;
	unsigned long min, max;
	const char *words; /* "signal, gate, off" */
};

extern const struct option_row option_rows[];
extern const size_t option_count;

/* By its name, in any mix of '-' and '_'; NULL: there is none. */
const struct option_row *option_find(const char *name, size_t len);
/* NULL when the library would take the value, else what it should have been. */
const char *option_refuses(const struct option_row *o, const char *value);
/* A value that it takes as the library keeps it: the number, or which of the words. */
unsigned option_number(const struct option_row *o, const char *value);
/* The word of such a number, in lower case; "?" for none. */
const char *option_word(const struct option_row *o, unsigned number);
/* Sets GMP_<NAME> in our environment, or fails with one line; as: how the user spelled the name. */
void option_set(const struct option_row *o, const char *as, const char *value);

#endif

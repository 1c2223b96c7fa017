/* Options from the environment, read once at load.  opts.def is the table. */
#ifndef GMP_RUNTIME_OPTS_H
#define GMP_RUNTIME_OPTS_H

#include "runtime/atomic.h"

enum on_bug { ON_BUG_DISSOLVE, ON_BUG_ABORT };
enum quota_round { QUOTA_ROUND_CEIL, QUOTA_ROUND_FLOOR };
enum preempt_mode { PREEMPT_SIGNAL, PREEMPT_GATE, PREEMPT_OFF };

#define OPT_TEXT_MAX 256

struct opts {
#define OPT(name, def, min, max, unit, help) u32 name;
#define CHOICE(name, def, help, ...) u32 name;
#define TEXT(name, help) char name[OPT_TEXT_MAX];
#include "runtime/opts.def"
#undef OPT
#undef CHOICE
#undef TEXT
};

extern struct opts opts;

/*
 * Reads GMP_* from envp (NULL-terminated).  Each bad value costs one warning and keeps its default.
 */
void opts_parse(char *const *envp);

/* Prints the table with the values in force to stderr. */
void opts_help(void);

#endif

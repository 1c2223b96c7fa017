/* Options from the environment, read once at load.  opts.def is the table. */
#ifndef GMP_RUNTIME_OPTS_H
#define GMP_RUNTIME_OPTS_H

#include "runtime/atomic.h"

enum on_bug { ON_BUG_DISSOLVE, ON_BUG_ABORT };
enum quota_round { QUOTA_ROUND_CEIL, QUOTA_ROUND_FLOOR };
enum pace_mode { PACE_OFF, PACE_ON };
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

/* `gmp set` changes slice_us and preempt while everybody runs; relaxed: any round may be the first
 * that goes by the new value. */
#define opt_now(name) __atomic_load_n(&opts.name, __ATOMIC_RELAXED)

/*
 * Reads GMP_* from envp (NULL-terminated).  Each bad value costs one warning and keeps its default,
 * each name that is nearly one of ours a warning, too.
 */
void opts_parse(char *const *envp);

/* May the option, a member of opts that is no text, have this value? */
bool opts_takes(const u32 *option, u32 value);

/* Prints the table with the values in force to stderr. */
void opts_help(void);

#endif

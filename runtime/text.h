/*
 * What the readers of text that others write (/proc, cgroups, the environment, names of files) have
 * in common.  Pure; the text ends with a zero.
 */
#ifndef GMP_RUNTIME_TEXT_H
#define GMP_RUNTIME_TEXT_H

#include "runtime/types.h"

/*
 * The number that *at begins with, in base 10 or 16 (lower case); *at goes behind its last digit.
 * No digit: 0, and *at stays.  One that does not fit: ~0.
 */
u64 text_number(const char **at, u32 base);

/* What comes behind the first `key` in text; empty where it has none. */
const char *text_behind(const char *text, const char *key);

#endif

/*
 * Output without libc: a small formatter into a fixed buffer, one write(2) a message, no malloc.
 * Directives: %s %d %u %x %c, and %l{d,u,x} for 64 bits.  All functions are async-signal-safe.
 */
#ifndef GMP_RUNTIME_PRINT_H
#define GMP_RUNTIME_PRINT_H

#include <stdarg.h>

#include "runtime/atomic.h"

#define PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Formats into buf (always terminated); returns the length, at most len - 1. */
size_t gmp_format(char *buf, size_t len, const char *fmt, ...) PRINTF(3, 4);
size_t gmp_vformat(char *buf, size_t len, const char *fmt, va_list ap);

/* Why a file cannot be opened, in words; buf is for those of a rare error. */
const char *gmp_error(int err, char *buf, size_t len);

/* One line on stderr, with "gmp: " before and a newline after. */
void gmp_warn(const char *fmt, ...) PRINTF(1, 2);

/*
 * A broken invariant: prints "gmp: fatal: ..." and then, as GMP_ON_BUG says, dissolves the cap (and
 * returns) or aborts with a dump.
 */
void gmp_throw(const char *fmt, ...) PRINTF(1, 2);

/* Documentation first: states what the reader cannot see.  Stays in release. */
#define must(cond) \
	do { \
		if (unlikely(!(cond))) \
			gmp_throw("%s: %s does not hold", __func__, #cond); \
	} while (0)

#if GMP_DEBUG
#define dassert(cond) must(cond)
#else
#define dassert(cond) ((void)0)
#endif

#endif

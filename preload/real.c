/*
 * Finding libc's functions.  The rules:
 *
 * - dlsym(RTLD_NEXT) asks "after whom?" by its return address, so no call of it may become a jump:
 *   a tail call makes the loader the caller and crashes at start-up. keep() stops the compiler.
 * - Versioned rows go through dlvsym: before glibc 2.36 dlsym could return another version.
 * - dlsym allocates only to describe a failure.  A row that a program calls exists, or the program
 *   would not have started; rows that do not exist are met by real_init() alone, outside malloc.
 * - A pointer is stored once with its final value, whoever gets there first, so nothing is locked.
 */
#include "preload/real.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>

/* How a function says ENOSYS, by the result type of its row. */
#define FAIL_ERRNO(value) \
	do { \
		errno = ENOSYS; \
		return value; \
	} while (0)
#define FAIL_int FAIL_ERRNO(-1)
#define FAIL_long FAIL_ERRNO(-1)
#define FAIL_ssize_t FAIL_ERRNO(-1)
#define FAIL_pid_t FAIL_ERRNO(-1)
#define FAIL_unsigned FAIL_ERRNO(0)
#define FAIL_ptr FAIL_ERRNO(NULL)
#define FAIL_off_t FAIL_ERRNO(-1)
#define FAIL_size_t FAIL_ERRNO(0)
#define FAIL_wint_t FAIL_ERRNO(WEOF)
#define FAIL_dir_ptr FAIL_ERRNO(NULL)
#define FAIL_dirent_ptr FAIL_ERRNO(NULL)
#define FAIL_sighandler_t FAIL_ERRNO(SIG_ERR)
#define FAIL_errnum return ENOSYS
#define FAIL_thrd_res return thrd_error
/* These have no way to say it, and what they would have done (random bytes) must not be missing. */
#define FAIL_void abort()
#define FAIL_uint32_t abort()

/* Returns its argument, and is opaque: what produced it cannot have been a tail call. */
static inline void *keep(void *p)
{
	__asm__ volatile("" : "+r"(p));
	return p;
}

static void *look_up(const char *symbol, const char *version)
{
	if (version)
		return keep(dlvsym(RTLD_NEXT, symbol, version));
	return keep(dlsym(RTLD_NEXT, symbol));
}

/* False: this libc lacks it, or the library that has it is not loaded yet (before 2.34 some of the
 * rows live in libresolv or libutil): the slot keeps its resolver, and a later call asks again. */
static bool find(void *slot, const char *symbol, const char *version)
{
	void *p = look_up(symbol, version);

	if (!p) {
		/* A miss must not be the answer to the program's own dlerror(). */
		dlerror();
		return false;
	}
	/* relaxed: the value alone matters, and every writer stores the same one. */
	__atomic_store_n((void **)slot, p, __ATOMIC_RELAXED);
	return true;
}

#define ROW(type, name, symbol, version, params, args) \
	static type resolve_##name params \
	{ \
		if (!find(&real_##name, symbol, version)) \
			FAIL_##type; \
		return real_##name args; \
	} \
	type(*real_##name) params = resolve_##name;
#include "preload/calls.def"

static const struct row {
	const char *symbol, *version;
	void *slot;
} rows[] = {
#define ROW(type, name, symbol, version, params, args) { symbol, version, &real_##name },
#include "preload/calls.def"
};

void real_init(void)
{
	int saved = errno;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		find(rows[i].slot, rows[i].symbol, rows[i].version);
	errno = saved;
}

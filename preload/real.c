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
#include <string.h>

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
/* These have no way to say it. */
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

/* Before 2.34 libc was several libraries.  One that came with a plug-in, by dlopen without
 * RTLD_GLOBAL, is in nobody's scope but the plug-in's; its functions call us all the same, for we
 * stand before it.  The handles stay open: the pointers found by them must remain good. */
static void *look_up_apart(const char *symbol, const char *version)
{
	static const char *const parts[] = { "libpthread.so.0", "librt.so.1", "libresolv.so.2",
					     "libanl.so.1", "libutil.so.1" };
	void *p = NULL;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && !p; i++) {
		void *part = dlopen(parts[i], RTLD_LAZY | RTLD_NOLOAD);

		if (part)
			p = version ? dlvsym(part, symbol, version) : dlsym(part, symbol);
	}
	return p;
}

/*
 * What libc does since 2.36.  A program that looks whether it is there (dlsym, a weak reference)
 * finds it always, for we have the name; and random bytes must not be missing.
 */
static void own_arc4random_buf(void *buf, size_t n)
{
	char *p = buf;

	while (n > 0) {
		ssize_t got = real_getrandom(p, n, 0);

		if (got < 0 && errno != EINTR)
			abort();
		p += got > 0 ? got : 0;
		n -= got > 0 ? got : 0;
	}
}

static uint32_t own_arc4random(void)
{
	uint32_t r;

	own_arc4random_buf(&r, sizeof(r));
	return r;
}

static uint32_t own_arc4random_uniform(uint32_t bound)
{
	uint32_t r, uneven = bound < 2 ? 0 : -bound % bound;

	do
		r = own_arc4random();
	while (r < uneven);
	return bound < 2 ? 0 : r % bound;
}

static void *look_up_own(const char *symbol)
{
	static const struct {
		const char *symbol;
		void *function;
	} own[] = {
		{ "arc4random", own_arc4random },
		{ "arc4random_buf", own_arc4random_buf },
		{ "arc4random_uniform", own_arc4random_uniform },
	};

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		if (!strcmp(own[i].symbol, symbol))
			return own[i].function;
	return NULL;
}

/* False: this libc lacks it, or the part of it that has it is not loaded yet: the slot keeps its
 * resolver, and a later call asks again. */
static bool find(void *slot, const char *symbol, const char *version, bool apart)
{
	void *p = look_up(symbol, version);

	if (!p && apart)
		p = look_up_apart(symbol, version);
	if (!p)
		p = look_up_own(symbol);
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
		if (!find(&real_##name, symbol, version, true)) \
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
		find(rows[i].slot, rows[i].symbol, rows[i].version, false);
	errno = saved;
}

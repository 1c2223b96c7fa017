/*
 * Finding libc's functions.  The rules:
 *
 * - Nothing that allocates or that a row stands for is called on the way: a program's allocator or
 *   constructor may ask for a row before ours has run, and for the next while that is looked for.
 * - Versioned rows are looked for by their version, all others get what a new program gets.
 * - A pointer is stored once with its final value, whoever gets there first, so nothing is locked.
 * - A program that asks the loader for a function that libc lacks must not be given ours.  A weak
 *   reference is bound before any code of ours runs, and stays: that call fails (FAIL_ERRNO).
 */
#include "preload/real.h"

#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "preload/objects.h"

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

/* What there was at the start has been looked through. */
static bool init_done;

/* What libc does since 2.36, for a weak reference that was bound to us: it has no way to fail. */
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

static void publish(void *slot, void *p)
{
	/* relaxed: the value alone matters, and every writer stores the same one. */
	__atomic_store_n((void **)slot, p, __ATOMIC_RELAXED);
}

struct wanted {
	const char *symbol, *version, *object;
	void *p;
};

static bool look_into(const struct object *o, void *arg)
{
	struct wanted *w = arg;

	w->p = object_symbol(o, w->symbol, w->version);
	w->object = o->name;
	return w->p;
}

/*
 * False: this libc lacks it, or the part of it that has it is not loaded yet: the slot keeps its
 * resolver, and a later call asks again.  Before 2.34 libc was several libraries, and one of them
 * may come with a plug-in, in whose scope alone it then is; its functions call us all the same, for
 * we stand before them.  It must not go any more: others have the pointer, too.
 */
static bool find(void *slot, const char *symbol, const char *version)
{
	struct wanted w = { .symbol = symbol, .version = version };

	objects_behind(look_into, &w);
	if (w.p && init_done)
		dlopen(w.object, RTLD_LAZY | RTLD_NOLOAD);
	if (!w.p)
		w.p = look_up_own(symbol);
	if (w.p)
		publish(slot, w.p);
	return w.p;
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

static const char *const young[] = {
#define YOUNG(name) #name,
#include "preload/young.def"
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]), YOUNGS = sizeof(young) / sizeof(young[0]) };

struct found {
	bool row[ROWS], young[YOUNGS];
};

static bool fill_from(const struct object *o, void *arg)
{
	struct found *found = arg;
	bool all = true;

	for (size_t i = 0; i < ROWS; i++) {
		void *p = found->row[i] ? NULL : object_symbol(o, rows[i].symbol, rows[i].version);

		if (p)
			publish(rows[i].slot, p);
		found->row[i] |= p != NULL;
		all &= found->row[i];
	}
	for (size_t i = 0; i < YOUNGS; i++) {
		found->young[i] |= object_symbol(o, young[i], NULL) != NULL;
		all &= found->young[i];
	}
	return all;
}

void real_init(void)
{
	struct found found = { 0 };
	const char *missing[YOUNGS];
	unsigned n = 0;

	objects_behind(fill_from, &found);
	for (size_t i = 0; i < YOUNGS; i++)
		if (!found.young[i])
			missing[n++] = young[i];
	objects_disown(missing, n);
	init_done = true;
}

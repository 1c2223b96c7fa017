/*
 * What dlsym(RTLD_NEXT) does, without what it costs: before glibc 2.34 dlsym allocates, and an
 * allocator that locks by pthread_mutex_trylock would come back to us for that very function; in
 * any version a look-up that fails allocates and is the program's next dlerror().
 */
#ifndef GMP_PRELOAD_OBJECTS_H
#define GMP_PRELOAD_OBJECTS_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>

/* A program or library in memory, as far as its symbols go. */
struct object {
	uintptr_t base;
	const char *name, *strings;
	const Elf64_Sym *symbols;
	const uint32_t *gnu_hash, *hash;
	const uint16_t *versions; /* NULL: it has none */
	const Elf64_Verdef *defined;
};

/*
 * Calls each(object, arg) for those behind our own in the loader's order, until it returns true; if
 * libc is not among them, because we were not preloaded but opened, for all others.
 */
void objects_behind(bool (*each)(const struct object *o, void *arg), void *arg);

/*
 * version NULL: the one that a new program gets; an object without versions, or a symbol without
 * one, has them all.
 */
void *object_symbol(const struct object *o, const char *symbol, const char *version);

/*
 * Takes n symbols of ours out of what the loader finds: from now on it looks on behind us.  Where
 * the kernel does not let us write to them they stay.
 */
void objects_disown(const char *const *symbols, unsigned n);

#endif

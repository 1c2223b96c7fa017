/*
 * The loader's tables, read in place.  dl_iterate_phdr lists the objects under the loader's lock,
 * in the order in which it searches them: those of the start, then what dlopen brought, local or
 * not.  Nothing here allocates, and nothing is called that we have a name for.
 */
#include "preload/objects.h"

#include <link.h>
#include <stddef.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#define HIDDEN 0x8000 /* in a symbol's version: not the one for new programs */

struct walk {
	bool (*each)(const struct object *o, void *arg);
	void *arg;
	bool behind; /* our own has been seen */
	bool libc;   /* and libc behind it */
};

/* The loader has added the base to the addresses of a dynamic section, unless that is read-only. */
static const void *address(const struct object *o, Elf64_Addr a)
{
	return (const void *)(a < o->base ? o->base + a : a);
}

static void read_dynamic(struct object *o, const Elf64_Dyn *d)
{
	for (; d->d_tag != DT_NULL; d++) {
		const void *p = address(o, d->d_un.d_ptr);

		switch (d->d_tag) {
		case DT_STRTAB:
			o->strings = p;
			break;
		case DT_SYMTAB:
			o->symbols = p;
			break;
		case DT_GNU_HASH:
			o->gnu_hash = p;
			break;
		case DT_HASH:
			o->hash = p;
			break;
		case DT_VERSYM:
			o->versions = p;
			break;
		case DT_VERDEF:
			o->defined = p;
			break;
		}
	}
}

static const Elf64_Phdr *segment(const struct dl_phdr_info *info, uintptr_t address)
{
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const Elf64_Phdr *ph = &info->dlpi_phdr[i];

		if (ph->p_type == PT_LOAD && address - info->dlpi_addr - ph->p_vaddr < ph->p_memsz)
			return ph;
	}
	return NULL;
}

static bool is_in(const struct dl_phdr_info *info, uintptr_t address)
{
	return segment(info, address);
}

static struct object object_of(const struct dl_phdr_info *info)
{
	struct object o = { .base = info->dlpi_addr, .name = info->dlpi_name };

	for (int i = 0; i < info->dlpi_phnum; i++)
		if (info->dlpi_phdr[i].p_type == PT_DYNAMIC)
			read_dynamic(&o, (const void *)(o.base + info->dlpi_phdr[i].p_vaddr));
	return o;
}

static int visit(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct walk *w = arg;
	bool ours = is_in(info, (uintptr_t)visit);
	struct object o;

	w->behind |= ours;
	/* The kernel's own functions, in the vDSO, answer to names like libc's. */
	if (!w->behind || ours || is_in(info, getauxval(AT_SYSINFO_EHDR)))
		return 0;
	w->libc |= is_in(info, (uintptr_t)getauxval);
	o = object_of(info);
	return o.symbols && o.strings && w->each(&o, w->arg);
}

void objects_behind(bool (*each)(const struct object *o, void *arg), void *arg)
{
	struct walk w = { .each = each, .arg = arg };

	if (dl_iterate_phdr(visit, &w) || w.libc)
		return;
	w.behind = true;
	dl_iterate_phdr(visit, &w);
}

static bool version_is(const struct object *o, uint32_t index, const char *version)
{
	const Elf64_Verdef *d = o->defined;

	while (d) {
		const Elf64_Verdaux *name = (const void *)((const char *)d + d->vd_aux);

		if (d->vd_ndx == index)
			return !strcmp(o->strings + name->vda_name, version);
		d = d->vd_next ? (const void *)((const char *)d + d->vd_next) : NULL;
	}
	return false;
}

static bool is_wanted(const struct object *o, uint32_t n, const char *symbol, const char *version)
{
	const Elf64_Sym *s = &o->symbols[n];

	if (s->st_shndx == SHN_UNDEF || strcmp(o->strings + s->st_name, symbol))
		return false;
	if (!o->versions)
		return true;
	if (!version)
		return !(o->versions[n] & HIDDEN);
	/* Without a version it answers to all, as with the loader: another's interposer. */
	return o->versions[n] == VER_NDX_GLOBAL || version_is(o, o->versions[n] & ~HIDDEN, version);
}

static uint32_t find_by_gnu_hash(const struct object *o, const char *symbol, const char *version)
{
	const uint32_t *head = o->gnu_hash;
	const uint64_t *filter = (const uint64_t *)(head + 4);
	const uint32_t *buckets = (const uint32_t *)(filter + head[2]), *chain = buckets + head[0];
	uint32_t hash = 5381, n;
	uint64_t word;

	for (const char *c = symbol; *c; c++)
		hash = hash * 33 + (unsigned char)*c;
	word = filter[hash / 64 % head[2]];
	if (!(word >> hash % 64 & word >> (hash >> head[3]) % 64 & 1))
		return 0;
	n = buckets[hash % head[0]];
	if (n < head[1])
		return 0;
	for (;; n++) {
		uint32_t other = chain[n - head[1]];

		if ((other | 1) == (hash | 1) && is_wanted(o, n, symbol, version))
			return n;
		if (other & 1)
			return 0;
	}
}

static uint32_t find_by_hash(const struct object *o, const char *symbol, const char *version)
{
	const uint32_t *buckets = o->hash + 2, *chain = buckets + o->hash[0];
	uint32_t hash = 0, n;

	for (const char *c = symbol; *c; c++) {
		hash = (hash << 4) + (unsigned char)*c;
		hash = (hash ^ (hash >> 24 & 0xf0)) & 0x0fffffff;
	}
	n = o->hash[0] ? buckets[hash % o->hash[0]] : 0;
	while (n && !is_wanted(o, n, symbol, version))
		n = chain[n];
	return n;
}

static uint32_t find_symbol(const struct object *o, const char *symbol, const char *version)
{
	if (o->gnu_hash)
		return find_by_gnu_hash(o, symbol, version);
	return o->hash ? find_by_hash(o, symbol, version) : 0;
}

void *object_symbol(const struct object *o, const char *symbol, const char *version)
{
	uint32_t n = find_symbol(o, symbol, version);
	void *p;

	if (!n)
		return NULL;
	p = (void *)(o->base + o->symbols[n].st_value);
	if (ELF64_ST_TYPE(o->symbols[n].st_info) == STT_GNU_IFUNC)
		p = ((void *(*)(void))p)();
	return p;
}

struct disowned {
	const char *const *symbols;
	unsigned n;
};

static void disown(const struct object *o, const char *symbol)
{
	uint32_t n = find_symbol(o, symbol, NULL);
	Elf64_Sym *s = (Elf64_Sym *)&o->symbols[n];

	if (!n)
		return;
	/* Relaxed: a look-up by another thread finds it still, or not any more. */
	__atomic_store_n(&s->st_shndx, SHN_UNDEF, __ATOMIC_RELAXED);
	__atomic_store_n(&s->st_value, 0, __ATOMIC_RELAXED);
}

static int disown_in(struct dl_phdr_info *info, size_t size, void *arg)
{
	const struct disowned *d = arg;
	uintptr_t page = (uintptr_t)getpagesize(), start, end;
	const Elf64_Phdr *ph;
	struct object o;
	int rights;

	if (!is_in(info, (uintptr_t)disown_in))
		return 0;
	o = object_of(info);
	ph = segment(info, (uintptr_t)o.symbols);
	start = (o.base + ph->p_vaddr) & -page;
	end = (o.base + ph->p_vaddr + ph->p_memsz + page - 1) & -page;
	/* An old linker puts code and symbols into one segment: it runs on meanwhile. */
	rights = PROT_READ | (ph->p_flags & PF_X ? PROT_EXEC : 0);
	if (mprotect((void *)start, end - start, rights | PROT_WRITE) != 0)
		return 1;
	for (unsigned i = 0; i < d->n; i++)
		disown(&o, d->symbols[i]);
	mprotect((void *)start, end - start, rights);
	return 1;
}

void objects_disown(const char *const *symbols, unsigned n)
{
	struct disowned d = { symbols, n };

	if (n)
		dl_iterate_phdr(disown_in, &d);
}

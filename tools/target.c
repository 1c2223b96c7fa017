/* Finding the library by its exported gmp_layout, and copying what it points to. */
#include "tools/target.h"

#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "runtime/layout.h"
#include "tools/gmp.h"

bool target_read(pid_t pid, uintptr_t at, void *buf, size_t len)
{
	struct iovec to = { buf, len }, from = { (void *)at, len };

	return process_vm_readv(pid, &to, 1, &from, 1, 0) == (ssize_t)len;
}

FILE *proc_open(pid_t pid, const char *fmt, ...)
{
	char path[128];
	int n = snprintf(path, sizeof(path), "/proc/%d/", pid);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path + n, sizeof(path) - (size_t)n, fmt, ap);
	va_end(ap);
	return fopen(path, "re");
}

void proc_line(pid_t pid, const char *file, char *buf, size_t size)
{
	FILE *f = proc_open(pid, "%s", file);

	if (!f || !fgets(buf, (int)size, f))
		buf[0] = 0;
	if (f)
		fclose(f);
	buf[strcspn(buf, "\n")] = 0;
}

const char *proc_stat(pid_t pid, char *buf, size_t size)
{
	FILE *f = proc_open(pid, "stat");
	size_t n = f ? fread(buf, 1, size - 1, f) : 0;
	const char *end;

	if (f)
		fclose(f);
	buf[n] = 0;
	end = strrchr(buf, ')');
	return end && end[1] == ' ' ? end + 2 : NULL;
}

/* ---- the symbol ---- */

/* What the loader needs of a library's dynamic section, as addresses in the target. */
struct dynamic {
	uintptr_t symbols, names, end;
};

static bool read_dynamic(pid_t pid, uintptr_t base, struct dynamic *ret)
{
	Elf64_Ehdr head;
	Elf64_Phdr ph = { 0 };
	Elf64_Dyn d = { 0 };
	uintptr_t at;

	*ret = (struct dynamic){ 0 };
	if (!target_read(pid, base, &head, sizeof(head)) ||
	    memcmp(head.e_ident, ELFMAG, SELFMAG) != 0)
		return false;
	for (int i = 0; i < head.e_phnum && ph.p_type != PT_DYNAMIC; i++)
		if (!target_read(pid, base + head.e_phoff + (size_t)i * sizeof(ph), &ph,
				 sizeof(ph)))
			return false;
	if (ph.p_type != PT_DYNAMIC)
		return false;
	for (at = base + ph.p_vaddr; target_read(pid, at, &d, sizeof(d)) && d.d_tag;
	     at += sizeof(d))
		if (d.d_tag == DT_SYMTAB)
			ret->symbols = d.d_un.d_ptr;
		else if (d.d_tag == DT_STRTAB)
			ret->names = d.d_un.d_ptr;
		else if (d.d_tag == DT_STRSZ)
			ret->end = d.d_un.d_val;
	ret->end += ret->names;
	return ret->symbols && ret->names > ret->symbols;
}

/*
 * Address of a dynamic symbol of the library that is mapped at base; 0: it has none of that name.
 * From its memory: the file may have been replaced since, or be out of our sight.  The names follow
 * the symbols, as all linkers lay them out.
 */
static uintptr_t symbol_at(pid_t pid, uintptr_t base, const char *want)
{
	struct dynamic d;
	Elf64_Sym sym;
	char name[32];

	if (!read_dynamic(pid, base, &d))
		return 0;
	for (uintptr_t at = d.symbols; at + sizeof(sym) <= d.names; at += sizeof(sym)) {
		if (!target_read(pid, at, &sym, sizeof(sym)))
			return 0;
		if (sym.st_shndx == SHN_UNDEF || d.names + sym.st_name + strlen(want) >= d.end ||
		    !target_read(pid, d.names + sym.st_name, name, strlen(want) + 1))
			continue;
		if (memcmp(name, want, strlen(want) + 1) == 0)
			return base + sym.st_value;
	}
	return 0;
}

/* The first mapping of a file that is called like us and has our symbol. */
static bool find_library(struct target *t, FILE *maps)
{
	char line[PATH_MAX + 128], path[PATH_MAX];
	unsigned long start, offset;

	while (fgets(line, sizeof(line), maps)) {
		const char *base;

		if (sscanf(line, "%lx-%*x %*s %lx %*s %*u %4095[^\n]", &start, &offset, path) != 3)
			continue;
		base = strrchr(path, '/');
		if (offset || !base || strncmp(base, "/libgmp", 7) != 0)
			continue;
		t->layout = symbol_at(t->pid, start, "gmp_layout");
		if (!t->layout)
			continue;
		snprintf(t->library, sizeof(t->library), "%s", path);
		return true;
	}
	return false;
}

static void explain_refusal(pid_t pid)
{
	char path[32];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/%d", pid);
	if (stat(path, &st) != 0)
		fail("no process %d", pid);
	if (geteuid() != 0 && st.st_uid != geteuid())
		fail("process %d belongs to another user (uid %u)", pid, st.st_uid);
	fail("not allowed to look into process %d (kernel.yama.ptrace_scope, a container or a "
	     "process without core dumps)",
	     pid);
}

static void check(struct target *t)
{
	static const struct gmp_layout ours = { LAYOUT_SIZES };
	struct gmp_layout layout;

	if (!target_read(t->pid, t->layout, &layout, sizeof(layout)))
		explain_refusal(t->pid);
	if (memcmp(&layout, &ours, offsetof(struct gmp_layout, sched)) != 0)
		fail("process %d runs under another version of the library (%s)", t->pid,
		     t->library);
	if (!target_read(t->pid, (uintptr_t)layout.sched, &t->sched, sizeof(t->sched)))
		explain_refusal(t->pid);
	t->active = load_rlx(&t->sched.active) != 0;
}

void target_find(struct target *t, pid_t pid)
{
	char first[16];
	FILE *maps = proc_open(pid, "maps");
	bool found;

	memset(t, 0, sizeof(*t));
	t->pid = pid;
	if (!maps)
		explain_refusal(pid);
	found = find_library(t, maps);
	rewind(maps);
	if (!found && !fgets(first, sizeof(first), maps))
		fail("process %d has no memory: it has ended, or is the kernel's", pid);
	fclose(maps);
	if (!found)
		fail("process %d does not run under the library", pid);
	check(t);
}

/* ---- Gs ---- */

static int by_goid(const void *a, const void *b)
{
	const struct goroutine *x = a, *y = b;

	return x->g.goid < y->g.goid ? -1 : x->g.goid > y->g.goid;
}

/* A list in memory that may be broken: it ends at the first M that cannot be. */
static bool read_one(struct target *t, struct m *at, struct goroutine *ret)
{
	if (!target_read(t->pid, (uintptr_t)at, &ret->m, sizeof(ret->m)) ||
	    !target_read(t->pid, (uintptr_t)ret->m.g, &ret->g, sizeof(ret->g)) || ret->g.m != at)
		return false;
	ret->park = (uintptr_t)at + offsetof(struct m, park);
	return true;
}

void target_read_gs(struct target *t)
{
	struct gmp_layout layout;
	size_t room = 64;

	if (!target_read(t->pid, t->layout, &layout, sizeof(layout)) ||
	    !target_read(t->pid, (uintptr_t)layout.sched, &t->sched, sizeof(t->sched)))
		explain_refusal(t->pid);
	tids_read(&t->tids, t->pid);
	t->gs = calloc(room, sizeof(*t->gs));
	for (struct m *at = t->sched.allm.v; t->gs && at;) {
		struct goroutine one;

		if (!read_one(t, at, &one))
			break;
		at = one.m.alllink;
		if (!load_rlx(&one.m.live))
			continue;
		one.m.tid = tid_outer(&t->tids, one.m.tid);
		if (t->ngs == room)
			t->gs = reallocarray(t->gs, room *= 2, sizeof(*t->gs));
		if (t->gs)
			t->gs[t->ngs++] = one;
	}
	if (!t->gs)
		fail("no memory");
	qsort(t->gs, t->ngs, sizeof(*t->gs), by_goid);
}

const struct goroutine *target_g_of(const struct target *t, pid_t tid)
{
	for (size_t i = 0; i < t->ngs; i++)
		if (t->gs[i].m.tid == tid)
			return &t->gs[i];
	return NULL;
}

/*
 * A program's file: the loader preloads only into a dynamic x86-64 glibc program without special
 * rights, and the library works only where calls go through libc.
 */
#include "tools/binary.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

struct list {
	struct finding *at;
	size_t n;
};

__attribute__((format(printf, 3, 4))) static void add(struct list *l, enum weight weight,
						      const char *fmt, ...)
{
	va_list ap;

	if (l->n == BINARY_FINDINGS_MAX)
		return;
	l->at[l->n].weight = weight;
	va_start(ap, fmt);
	vsnprintf(l->at[l->n].text, sizeof(l->at[l->n].text), fmt, ap);
	va_end(ap);
	l->n++;
}

/* ---- finding it ---- */

static bool is_program(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		return false;
	if (!S_ISREG(st.st_mode))
		errno = EACCES;
	return S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

bool binary_find(const char *command, char path[BINARY_PATH_MAX])
{
	const char *dirs = getenv("PATH");
	int err = ENOENT;

	if (strchr(command, '/')) {
		snprintf(path, BINARY_PATH_MAX, "%s", command);
		return is_program(path);
	}
	for (dirs = dirs ? dirs : "/bin:/usr/bin"; *command && *dirs;) {
		size_t len = strcspn(dirs, ":");

		snprintf(path, BINARY_PATH_MAX, "%.*s%s%s", (int)len, dirs, len ? "/" : "",
			 command);
		if (is_program(path))
			return true;
		if (errno != ENOENT && errno != ENOTDIR)
			err = errno;
		dirs += len + (dirs[len] == ':');
	}
	errno = err;
	return false;
}

/* ---- what it is ---- */

struct facts {
	bool has_interp, go, has_section_names;
	char interp[128];
	char sanitizer[64]; /* the library it needs, or "" */
};

static void look_segments(Elf *elf, struct facts *f)
{
	size_t n = 0, size;
	const char *raw = elf_rawfile(elf, &size);

	elf_getphdrnum(elf, &n);
	for (size_t i = 0; i < n; i++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(elf, (int)i, &ph) || ph.p_type != PT_INTERP)
			continue;
		f->has_interp = true;
		if (raw && ph.p_offset < size && ph.p_filesz < sizeof(f->interp) &&
		    ph.p_filesz <= size - ph.p_offset)
			memcpy(f->interp, raw + ph.p_offset, ph.p_filesz);
	}
}

static bool is_sanitizer(const char *name)
{
	static const char *const names[] = {
		"libasan.", "libtsan.", "liblsan.", "libmsan.", "libhwasan.", "libclang_rt.",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strncmp(name, names[i], strlen(names[i])) == 0)
			return true;
	return strcmp(name, "__asan_init") == 0 || strcmp(name, "__tsan_init") == 0 ||
	       strcmp(name, "__msan_init") == 0;
}

static void keep_sanitizer(struct facts *f, const char *name)
{
	if (name && !f->sanitizer[0] && is_sanitizer(name))
		snprintf(f->sanitizer, sizeof(f->sanitizer), "%s", name);
}

static void look_dynamic(Elf *elf, const GElf_Shdr *sh, Elf_Data *data, struct facts *f)
{
	GElf_Dyn dyn;

	for (int i = 0; gelf_getdyn(data, i, &dyn); i++)
		if (dyn.d_tag == DT_NEEDED)
			keep_sanitizer(f, elf_strptr(elf, sh->sh_link, dyn.d_un.d_val));
}

/* clang links its runtime statically: then its names are in the table of dynamic symbols. */
static void look_symbols(Elf *elf, const GElf_Shdr *sh, Elf_Data *data, struct facts *f)
{
	GElf_Sym sym;

	for (int i = 0; gelf_getsym(data, i, &sym); i++)
		keep_sanitizer(f, elf_strptr(elf, sh->sh_link, sym.st_name));
}

static void look_sections(Elf *elf, struct facts *f)
{
	size_t names;
	Elf_Scn *scn = NULL;

	f->has_section_names = elf_getshdrstrndx(elf, &names) == 0;
	while ((scn = elf_nextscn(elf, scn))) {
		GElf_Shdr sh;
		Elf_Data *data;
		const char *name;

		if (!gelf_getshdr(scn, &sh))
			continue;
		name = f->has_section_names ? elf_strptr(elf, names, sh.sh_name) : NULL;
		if (name && (!strcmp(name, ".go.buildinfo") || !strcmp(name, ".note.go.buildid")))
			f->go = true;
		if (sh.sh_type != SHT_DYNAMIC && sh.sh_type != SHT_DYNSYM)
			continue;
		data = elf_getdata(scn, NULL);
		if (data && sh.sh_type == SHT_DYNAMIC)
			look_dynamic(elf, &sh, data, f);
		else if (data)
			look_symbols(elf, &sh, data, f);
	}
}

static void judge_elf(struct list *l, const char *path, Elf *elf)
{
	struct facts f = { 0 };
	size_t before = l->n;
	GElf_Ehdr eh;

	if (!gelf_getehdr(elf, &eh)) {
		add(l, FINDING_PREVENTS, "%s is a damaged ELF file", path);
		return;
	}
	if (eh.e_machine != EM_X86_64 || gelf_getclass(elf) != ELFCLASS64) {
		add(l, FINDING_PREVENTS, "%s is %s-bit for machine %u, not x86-64", path,
		    gelf_getclass(elf) == ELFCLASS64 ? "64" : "32", eh.e_machine);
		return;
	}
	look_segments(elf, &f);
	look_sections(elf, &f);
	if (!f.has_interp)
		add(l, FINDING_PREVENTS, "%s is static: no loader reads LD_PRELOAD", path);
	else if (strstr(f.interp, "musl"))
		add(l, FINDING_PREVENTS, "%s needs musl (%s), not glibc", path, f.interp);
	if (f.go)
		add(l, FINDING_PREVENTS,
		    "%s is a Go program: it has Go's scheduler and makes its own system calls",
		    path);
	if (f.sanitizer[0])
		add(l, FINDING_PREVENTS, "%s has a sanitizer (%s), which wants to be first", path,
		    f.sanitizer);
	if (l->n == before)
		add(l, FINDING_FINE, "%s is a dynamic x86-64 program", path);
}

/* ---- rights ---- */

static void judge_rights(struct list *l, const char *path, int fd)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return;
	if (((st.st_mode & S_ISUID) && st.st_uid != geteuid()) ||
	    ((st.st_mode & S_ISGID) && st.st_gid != getegid()))
		add(l, FINDING_PREVENTS,
		    "%s is set-user-ID or set-group-ID: the loader ignores "
		    "LD_PRELOAD (AT_SECURE)",
		    path);
	if (geteuid() != 0 && fgetxattr(fd, "security.capability", NULL, 0) > 0)
		add(l, FINDING_PREVENTS,
		    "%s has file capabilities: the loader ignores LD_PRELOAD (AT_SECURE)", path);
}

/* ---- all of it ---- */

#define SCRIPTS_MAX 4 /* as the kernel: interpreters of interpreters */

static void examine(struct list *l, const char *path, int depth);

/* "#! /usr/bin/env -S python3": the interpreter is what gets preloaded, and what env runs. */
static void judge_script(struct list *l, const char *path, char *line, int depth)
{
	char *save, *word = strtok_r(line + 2, " \t\n", &save);
	char found[BINARY_PATH_MAX];

	if (word && strlen(word) > 4 && strcmp(word + strlen(word) - 4, "/env") == 0) {
		do
			word = strtok_r(NULL, " \t\n", &save);
		while (word && word[0] == '-');
	}
	if (!word || depth == SCRIPTS_MAX || !binary_find(word, found)) {
		add(l, FINDING_PREVENTS, "%s is a script without an interpreter here", path);
		return;
	}
	add(l, FINDING_FINE, "%s is a script for %s", path, found);
	examine(l, found, depth + 1);
}

static void judge_file(struct list *l, const char *path, int fd, int depth)
{
	char line[256] = "";
	Elf *elf;

	if (pread(fd, line, sizeof(line) - 1, 0) >= 2 && memcmp(line, "#!", 2) == 0) {
		line[strcspn(line, "\n")] = 0;
		judge_script(l, path, line, depth);
		return;
	}
	judge_rights(l, path, fd);
	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF)
		judge_elf(l, path, elf);
	else
		add(l, FINDING_PREVENTS, "%s is no ELF program", path);
	elf_end(elf);
}

static void examine(struct list *l, const char *path, int depth)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		/* May be executed and not read: nothing is known, and nothing known against it. */
		add(l, FINDING_NOTE, "%s cannot be read: %s", path, strerror(errno));
		return;
	}
	judge_file(l, path, fd, depth);
	close(fd);
}

size_t binary_examine(const char *path, struct finding *found)
{
	struct list l = { found, 0 };

	examine(&l, path, 0);
	return l.n;
}

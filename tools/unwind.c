/*
 * elfutils unwinds by the files' own call frame information and asks us for registers and memory:
 * both come from the copies, so the program runs on meanwhile and all stacks are of one moment.
 */
#include "tools/unwind.h"

#include <dwarf.h>
#include <elfutils/libdwfl.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/gmp.h"
#include "tools/target.h"

#define PLACES 16384 /* a power of two */

struct unwinder {
	Dwfl *dwfl;
	struct freeze *freeze;
	const char *library;
	struct thread *now; /* being unwound */
	struct place *places[PLACES];
};

/* ---- files ---- */

static char no_path[] = "";
static char *debug_path = no_path;

static pid_t target; /* elfutils hands the callback for files nothing of ours */

/* In the target's view of the files, which may be a container's. */
static int find_elf(Dwfl_Module *mod, void **userdata, const char *name, Dwarf_Addr base,
		    char **file, Elf **elf)
{
	char path[PATH_MAX];
	int fd;

	if (name[0] == '/') {
		snprintf(path, sizeof(path), "/proc/%d/root%s", target, name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			*file = strdup(name);
			return fd;
		}
	}
	return dwfl_linux_proc_find_elf(mod, userdata, name, base, file, elf);
}

static const Dwfl_Callbacks files = {
	.find_elf = find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
	.debuginfo_path = &debug_path,
};

/* ---- registers and memory ---- */

static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread)
{
	struct unwinder *u = arg;

	*thread = *thread ? NULL : u->now;
	return *thread ? u->now->tid : 0;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *arg, void **thread)
{
	struct unwinder *u = arg;

	*thread = u->now;
	return true;
}

static bool read_word(Dwfl *dwfl, Dwarf_Addr at, Dwarf_Word *ret, void *arg)
{
	struct unwinder *u = arg;
	struct thread *t = u->now;

	if (at >= t->stack_at && at - t->stack_at + sizeof(*ret) <= t->stack_len) {
		memcpy(ret, t->stack + (at - t->stack_at), sizeof(*ret));
		return true;
	}
	/* Another stack (a signal handler's), or what does not change: as it is now. */
	return target_read(u->freeze->pid, at, ret, sizeof(*ret));
}

/* In DWARF's order. */
static bool set_registers(Dwfl_Thread *thread, void *arg)
{
	const struct user_regs_struct *r = &((struct thread *)arg)->regs;
	const Dwarf_Word words[] = { r->rax, r->rdx, r->rcx, r->rbx, r->rsi, r->rdi,
				     r->rbp, r->rsp, r->r8,  r->r9,  r->r10, r->r11,
				     r->r12, r->r13, r->r14, r->r15, r->rip };

	return dwfl_thread_state_registers(thread, 0, sizeof(words) / sizeof(words[0]), words);
}

static const Dwfl_Thread_Callbacks memory = {
	.next_thread = next_thread,
	.get_thread = get_thread,
	.memory_read = read_word,
	.set_initial_registers = set_registers,
};

/* ---- names ---- */

static char *copy(const char *s)
{
	char *p = strdup(s);

	if (!p)
		fail("no memory");
	return p;
}

static void name_place(struct unwinder *u, struct place *p, uint64_t pc)
{
	Dwfl_Module *mod = dwfl_addrmodule(u->dwfl, pc);
	const char *file = NULL, *name, *symbol;
	Dwarf_Addr start;
	Dwfl_Line *line;
	GElf_Off offset = 0;
	GElf_Sym sym;

	if (!mod) {
		p->function = copy("?");
		return;
	}
	name = dwfl_module_info(mod, NULL, &start, NULL, NULL, NULL, NULL, NULL);
	p->module = copy(name ? name : "?");
	p->ours = strcmp(p->module, u->library) == 0;
	symbol = dwfl_module_addrinfo(mod, pc, &offset, &sym, NULL, NULL, NULL);
	p->function = copy(symbol ? symbol : "?");
	p->function[strcspn(p->function, "@")] = 0; /* a symbol's version */
	p->offset = symbol ? offset : pc - start;
	line = dwfl_module_getsrc(mod, pc);
	if (line)
		file = dwfl_lineinfo(line, NULL, &p->line, NULL, NULL, NULL);
	if (file)
		p->file = copy(file);
}

static const struct place *place_of(struct unwinder *u, uint64_t pc)
{
	size_t slot = pc * 0x9e3779b97f4a7c15ul >> 50 & (PLACES - 1);

	/* Full is slow, not wrong: the last slot is used again. */
	for (size_t i = 0; i < 64 && u->places[slot]; i++, slot = (slot + 1) & (PLACES - 1))
		if (u->places[slot]->pc == pc)
			return u->places[slot];
	u->places[slot] = calloc(1, sizeof(struct place));
	if (!u->places[slot])
		fail("no memory");
	u->places[slot]->pc = pc;
	name_place(u, u->places[slot], pc);
	return u->places[slot];
}

/* ---- frames ---- */

struct walk {
	struct unwinder *u;
	struct frames *frames;
};

static int one_frame(Dwfl_Frame *frame, void *arg)
{
	struct walk *w = arg;
	Dwarf_Addr pc;
	bool activation;

	if (!dwfl_frame_pc(frame, &pc, &activation))
		return DWARF_CB_ABORT;
	if (w->frames->n == FRAMES_MAX) {
		w->frames->cut = true;
		return DWARF_CB_ABORT;
	}
	/* A return address may be the next function's first. */
	w->frames->at[w->frames->n++] = place_of(w->u, activation ? pc : pc - 1);
	return DWARF_CB_OK;
}

void unwind_thread(struct unwinder *u, struct thread *t, struct frames *ret)
{
	struct walk w = { u, ret };

	ret->n = 0;
	ret->cut = false;
	if (!t->done)
		return;
	u->now = t;
	dwfl_getthread_frames(u->dwfl, t->tid, one_frame, &w);
}

struct unwinder *unwind_begin(struct freeze *f, const char *library)
{
	struct unwinder *u = calloc(1, sizeof(*u));

	if (!u)
		fail("no memory");
	u->freeze = f;
	u->library = library;
	target = f->pid;
	unsetenv("DEBUGINFOD_URLS"); /* a dump asks no server */
	u->dwfl = dwfl_begin(&files);
	if (!u->dwfl || dwfl_linux_proc_report(u->dwfl, f->pid) != 0 ||
	    dwfl_report_end(u->dwfl, NULL, NULL) != 0 ||
	    !dwfl_attach_state(u->dwfl, NULL, f->pid, &memory, u))
		fail("cannot read the files of process %d: %s", f->pid, dwfl_errmsg(-1));
	return u;
}

void unwind_end(struct unwinder *u)
{
	for (size_t i = 0; i < PLACES; i++) {
		if (!u->places[i])
			continue;
		free(u->places[i]->function);
		free(u->places[i]->module);
		free(u->places[i]->file);
		free(u->places[i]);
	}
	dwfl_end(u->dwfl);
	free(u);
}

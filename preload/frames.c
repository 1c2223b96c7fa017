/*
 * libunwind is opened at run time and for us alone (RTLD_LOCAL): linked, it would put its _Unwind_*
 * before the host's and hijack C++ exceptions, and the distribution's static one is no PIC.
 */
#define UNW_LOCAL_ONLY
#include "preload/frames.h"

#include <dlfcn.h>
#include <libunwind.h>
#include <link.h>
#include <string.h>
#include <ucontext.h>

#include "runtime/os.h"
#include "runtime/print.h"

#define FRAMES_MAX 64

static struct {
	bool tried, ready;
	int (*getcontext)(unw_context_t *);
	__typeof__(unw_init_local) *init_local;
	__typeof__(unw_step) *step;
	__typeof__(unw_get_reg) *get_reg;
	__typeof__(unw_get_proc_name) *get_proc_name;
} unw;

#define NAME_OF(x) #x
#define FIND(lib, name) dlsym(lib, NAME_OF(name))

bool frames_prepare(void)
{
	void *lib;

	if (unw.tried)
		return unw.ready;
	unw.tried = true;
	lib = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);
	if (!lib)
		return false;
	unw.init_local = FIND(lib, UNW_OBJ(init_local));
	unw.step = FIND(lib, UNW_OBJ(step));
	unw.get_reg = FIND(lib, UNW_OBJ(get_reg));
	unw.get_proc_name = FIND(lib, UNW_OBJ(get_proc_name));
	unw.getcontext = dlsym(lib, "_Ux86_64_getcontext");
	unw.ready = unw.getcontext && unw.init_local && unw.step && unw.get_reg &&
		    unw.get_proc_name;
	return unw.ready;
}

/*
 * A file without its full table of symbols names everything after the nearest one that it exports:
 * better no name than that of a function which has ended before.
 */
static bool is_past(uintptr_t start, uintptr_t offset)
{
	const ElfW(Sym) *sym = NULL;
	Dl_info info = { 0 };

	return dladdr1((void *)start, &info, (void **)&sym, RTLD_DL_SYMENT) && sym &&
	       (uintptr_t)info.dli_saddr == start && offset > sym->st_size;
}

static void put(int fd, const char *function, uintptr_t pc, uintptr_t offset)
{
	Dl_info info = { 0 };
	char line[512];

	dladdr((void *)(pc - 1), &info); /* of a return address: the call's own place */
	if (function[0] && is_past(pc - offset, offset))
		function = "";
	if (!function[0] && info.dli_sname) {
		function = info.dli_sname;
		offset = pc - (uintptr_t)info.dli_saddr;
	} else if (!function[0]) {
		offset = pc - (uintptr_t)info.dli_fbase;
	}
	os_write(fd, line,
		 gmp_format(line, sizeof(line), "%s(...)\n\t%s +0x%lx\n",
			    function[0] ? function : "?", info.dli_fname ? info.dli_fname : "?",
			    offset));
}

void frames_place(int fd, uintptr_t pc)
{
	put(fd, "", pc, 0);
}

static uintptr_t register_of(unw_cursor_t *at, int reg)
{
	unw_word_t value = 0;

	unw.get_reg(at, reg, &value);
	return value;
}

/*
 * For each name libunwind opens and reads the program's file again, and in a dump many threads wait
 * in the same places.  Only the child that prints one dump comes here, so no name is of a library
 * that has gone since.
 */
struct name {
	uintptr_t pc;
	unw_word_t offset;
	char text[240];
};

static const struct name *name_of(unw_cursor_t *at, uintptr_t pc)
{
	static struct name known[256];
	struct name *n = &known[pc * 0x9e3779b97f4a7c15 >> 56];

	if (n->pc == pc)
		return n;
	*n = (struct name){ .pc = pc };
	if (unw.get_proc_name(at, n->text, sizeof(n->text), &n->offset) < 0)
		n->text[0] = 0;
	return n;
}

static void walk(int fd, unw_cursor_t *at)
{
	for (int i = 0; i < FRAMES_MAX; i++) {
		uintptr_t pc = register_of(at, UNW_REG_IP);
		const struct name *name;

		if (!pc)
			return;
		name = name_of(at, pc);
		put(fd, name->text, pc, name->offset);
		if (unw.step(at) <= 0)
			return;
	}
	os_write(fd, "...additional frames elided...\n", 31);
}

void frames_here(int fd)
{
	unw_context_t context;
	unw_cursor_t at;

	unw.getcontext(&context);
	if (unw.init_local(&at, &context) == 0 && unw.step(&at) > 0)
		walk(fd, &at);
}

/*
 * The function is one of ours and keeps a frame pointer: the caller's address, stack and frame
 * pointer are where it put them.  The caller's other registers are not known; hardly any function
 * needs them to be unwound.
 */
void frames_above(int fd, uintptr_t fp)
{
	const uintptr_t *frame = (const uintptr_t *)fp;
	unw_context_t context;
	unw_cursor_t at;

	memset(&context, 0, sizeof(context));
	context.uc_mcontext.gregs[REG_RBP] = (greg_t)frame[0];
	context.uc_mcontext.gregs[REG_RIP] = (greg_t)frame[1];
	context.uc_mcontext.gregs[REG_RSP] = (greg_t)(fp + 16);
	if (unw.init_local(&at, &context) == 0)
		walk(fd, &at);
}

/*
 * What is said when the scheduler's own state is broken: who is where, and our stack.
 *
 * libunwind is opened at run time and for us alone (RTLD_LOCAL): linked, it would put its _Unwind_*
 * before the host's and hijack C++ exceptions, and the distribution's static one is no PIC.  It is
 * opened when the scheduler starts with GMP_ON_BUG=abort, because a dump may come where dlopen
 * cannot be called.
 */
#define UNW_LOCAL_ONLY
#include <dlfcn.h>
#include <libunwind.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "asm/asm.h"
#include "preload/lifecycle.h"
#include "runtime/entersyscall.h"
#include "runtime/note.h"
#include "runtime/os.h"
#include "runtime/print.h"

#define FRAMES_MAX 64
#define GS_MAX 200

static struct {
	int (*getcontext)(unw_context_t *);
	__typeof__(unw_init_local) *init_local;
	__typeof__(unw_step) *step;
	__typeof__(unw_get_reg) *get_reg;
	__typeof__(unw_get_proc_name) *get_proc_name;
} unw;

#define NAME_OF(x) #x
#define FIND(lib, name) dlsym(lib, NAME_OF(name))

void dump_prepare(void)
{
	void *lib = dlopen("libunwind.so.8", RTLD_NOW | RTLD_LOCAL);

	if (!lib)
		return;
	unw.init_local = FIND(lib, UNW_OBJ(init_local));
	unw.step = FIND(lib, UNW_OBJ(step));
	unw.get_reg = FIND(lib, UNW_OBJ(get_reg));
	unw.get_proc_name = FIND(lib, UNW_OBJ(get_proc_name));
	unw.getcontext = dlsym(lib, "_Ux86_64_getcontext");
}

static const char *status_word(struct g *g)
{
	static const char *const words[] = { "idle",	"runnable", "running",
					     "syscall", "waiting",  "dead" };
	u32 status = load_rlx(&g->status);

	return status < sizeof(words) / sizeof(words[0]) ? words[status] : "?";
}

static void say(const char *line, size_t len)
{
	os_write(2, line, len);
}

static void dump_frames(void)
{
	unw_context_t context;
	unw_cursor_t cursor;
	char name[128], line[256];

	if (!unw.getcontext || !unw.init_local || !unw.step || !unw.get_reg || !unw.get_proc_name)
		return;
	unw.getcontext(&context);
	unw.init_local(&cursor, &context);
	for (int i = 0; i < FRAMES_MAX && unw.step(&cursor) > 0; i++) {
		unw_word_t pc = 0, off = 0;

		unw.get_reg(&cursor, UNW_REG_IP, &pc);
		if (unw.get_proc_name(&cursor, name, sizeof(name), &off) < 0)
			gmp_format(name, sizeof(name), "?");
		say(line,
		    gmp_format(line, sizeof(line), "%s(...)\n\t0x%lx +0x%lx\n", name, pc, off));
	}
}

/* The book-keeping of one G; only racy reads of type-stable memory. */
static void dump_g(struct m *m)
{
	struct g *g = m->g;
	u64 hold = load_rlx(&g->hold);
	static const char *const holds[] = { "kept", "asked", "lost", "?" };
	char line[256];

	say(line, gmp_format(line, sizeof(line),
			     "goroutine %lu [%s, locked to thread]: tid=%d p=%u %s depth=%u sig=%u "
			     "call=%u park=%u\n",
			     g->goid, status_word(g), m->tid, hold_pid(hold), holds[hold_of(hold)],
			     m->depth, load_rlx(&m->sig), load_rlx(&g->callno) & 0xffff,
			     note_value(&m->park)));
}

void dump_and_abort(void)
{
	int n = 0;

	os_block_signals();
	dump_frames();
	for (struct m *m = sched.allm; m && n < GS_MAX; m = m->alllink)
		if (load_rlx(&m->live)) {
			dump_g(m);
			n++;
		}
	/* The kernel's own default: no handler of the host may carry on. */
	signal(SIGABRT, SIG_DFL);
	os_restore_signals(0);
	raise(SIGABRT);
	_exit(134);
}

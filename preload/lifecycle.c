/*
 * From load to exit.  Until the host makes its second thread all that happens is reading options
 * and looking up libc's symbols: no thread, no lock, no handler, no mapping.
 */
#include "preload/lifecycle.h"

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "asm/asm.h"
#include "preload/host.h"
#include "preload/interpose.h"
#include "preload/traceback.h"
#include "preload/waits.h"
#include "runtime/cpu.h"
#include "runtime/fence.h"
#include "runtime/fork.h"
#include "runtime/gate.h"
#include "runtime/gmprt.h"
#include "runtime/hooks.h"
#include "runtime/life.h"
#include "runtime/opts.h"
#include "runtime/os.h"
#include "runtime/page.h"
#include "runtime/stats.h"
#include "runtime/trace.h"

static u64 vdso_nanotime(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000u + (u64)ts.tv_nsec;
}

/* glibc 2.35 and later say where a thread's rseq area is, and by size 0 that there is none. */
static void find_rseq(void)
{
	const ptrdiff_t *offset = dlsym(RTLD_DEFAULT, "__rseq_offset");
	const unsigned *size = dlsym(RTLD_DEFAULT, "__rseq_size");

	dlerror(); /* a miss must not be the answer to the program's own */
	cpu_init(offset && size && *size ? *offset : 0);
}

/* Cuts our path out of "LD_PRELOAD=a:b c" in place, so that what we execute runs without us. */
static void unpreload(char *list, const char *self)
{
	char *out = list;

	while (*list) {
		size_t len = strcspn(list, ": ");
		bool ours = len == strlen(self) && memcmp(list, self, len) == 0;

		if (!ours) {
			memmove(out, list, len);
			out += len;
		}
		list += len;
		if (*list && !ours)
			*out++ = *list;
		if (*list)
			list++;
	}
	*out = 0;
}

static void stop_following(void)
{
	char *list = getenv("LD_PRELOAD");
	Dl_info info;

	if (list && dladdr((void *)stop_following, &info))
		unpreload(list, info.dli_fname);
}

/* Who says the last words of the process: its tid, 0 before and SPOKEN after. */
static au32 speaker;
#define SPOKEN (~0u)
#define WORDS_NS 100000000

void forked(void)
{
	store_rlx(&speaker, 0); /* the parent's may be about to */
	fork_child();
	signals_forked();
}

void gmp_init(void)
{
	static bool done;

	if (done)
		return;
	done = true;
	os_note_stderr();
	opts_parse(environ);
	if (opts.help) {
		opts_help();
		fence_help();
	}
	real_init();
	if (opts.verbose)
		host_report();
	find_rseq();
	os_set_clock(vdso_nanotime);
	rt_hooks.abort = dump_and_abort;
	rt_hooks.wait_is_private = wait_is_private;
	rt_hooks.signal_may_wake = traceback_signal_may_wake;
	rt_hooks.dead = traceback_dead;
	threads_init();
	traceback_init();
	pthread_atfork(NULL, NULL, forked);
	if (!opts.follow)
		stop_following();
}

__attribute__((constructor)) static void load(void)
{
	gmp_init();
}

bool on_borrowed_memory(void)
{
	return getm() == &m_vfork || (load_rlx(&sched.active) && sched.pid != os_getpid());
}

au32 handlers_shared;

bool has_other_handlers(void)
{
	/* relaxed: of who made us, before we were. */
	return on_borrowed_memory() && (getm() == &m_vfork || !load_rlx(&handlers_shared));
}

/*
 * True for the first alone.  The others come back when it has said them: each may end the process,
 * in the midst of a line.  A handler may jump out of them: nobody waits for long.  Nothing is read
 * of what the speaker wrote: relaxed would do for all.
 */
static bool first_to_speak(void)
{
	u32 me = (u32)os_gettid(), who;
	u64 end;

	if (cas_acq(&speaker, 0, me))
		return true;
	end = os_nanotime() + WORDS_NS;
	while ((who = load_rlx(&speaker)) != SPOKEN && who != me && os_nanotime() < end)
		os_futex_wait(&speaker, who, WORDS_NS);
	return false;
}

/* The books, when a broken one must not pass unseen, and the counters. */
void last_words(void)
{
	if (!load_rlx(&sched.active) || on_borrowed_memory() || !first_to_speak())
		return;
	if (opts.on_bug == ON_BUG_ABORT)
		gmp_check();
	if (opts.stats)
		stats_print();
	trace_stop();
	page_close();
	store_rlx(&speaker, SPOKEN);
	os_futex_wake(&speaker, ~0u >> 1);
}

__attribute__((destructor)) static void unload(void)
{
	last_words();
}

void shim__exit(int status)
{
	last_words();
	real__exit(status);
}
EXPORT_ALIAS(_Exit, _exit)

/* No atfork handler runs for this one. */
pid_t shim__Fork(void)
{
	pid_t pid = real__Fork();

	if (pid == 0)
		forked();
	return pid;
}

/* ---- vfork: asm/vfork_amd64.S calls these in the parent, around the system call ---- */

/*
 * The child runs on our memory and our TLS until it executes or exits: it gets an M that is never
 * live, so its calls pass through, and the parent, which sleeps meanwhile, is in a bracket.
 */
struct m *gmp_vfork_enter(void)
{
	struct m *m = getm();

	if (m && load_rlx(&m->live) && m->depth++ == 0) {
		m->gate_sp = (uintptr_t)__builtin_frame_address(0);
		entersyscall(m, WILL_WAIT, SYS_vfork);
	}
	gmp_tls_m = &m_vfork;
	return m;
}

void gmp_vfork_leave(struct m *m)
{
	gmp_tls_m = m;
	if (!m || !load_rlx(&m->live))
		return;
	if (m->depth == 1)
		exitsyscall(m);
	m->depth--;
}

long gmp_syscall_errno(long result)
{
	errno = (int)-result;
	return -1;
}

/*
 * The dump is printed by a child: a bare copy of the process with one thread, in which nothing
 * moves.  There libunwind may take locks that are held for ever, follow pointers into nowhere or
 * find the heap wrecked: the child hangs or dies, and the parent, which only watches how far it
 * came, says so and makes another for the rest.  The parent itself does nothing that is not
 * async-signal-safe.  No handler of pthread_atfork() runs, the host's wait() does not see the child
 * (it has no exit signal), and the scheduler's own pages, wiped in a child, are copied before.
 *
 * Rejected: to unwind in the process (the loader's lock may be with a stopped thread); each thread
 * unwinding itself in a signal handler (cuts blocked calls short, and who blocks the signal does
 * not answer).
 */
#include "preload/traceback.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "asm/asm.h"
#include "preload/frames.h"
#include "preload/interpose.h"
#include "preload/lifecycle.h"
#include "preload/syscall_names.h"
#include "preload/waits.h"
#include "runtime/gmprt.h"
#include "runtime/opts.h"
#include "runtime/os.h"
#include "runtime/page.h"
#include "runtime/print.h"
#include "runtime/stw.h"
#include "runtime/trace.h"

#define STOP_MS 300
#define HUNG_NS 2000000000ul /* a child that gets no further for so long */
#define LOOK_NS 500000
#define DEATHS_MAX 8

static long sys(long nr, long a, long b, long c, long d)
{
	return gmp_rawsyscall6(nr, a, b, c, d, 0, 0);
}

static void say(int fd, const char *text)
{
	os_write(fd, text, __builtin_strlen(text));
}

/* ---- one G ---- */

static void print_head(int fd, const struct shot *t)
{
	static const char *const words[] = { "idle",	"runnable", "running",
					     "syscall", "waiting",  "dead" };
	bool call = t->status == G_SYSCALL;
	const char *name = syscall_name(call ? t->callno & 0xffff : (unsigned)t->blocked);
	bool lost = t->status == G_RUNNING && hold_of(t->hold) == HOLD_LOST;
	char line[256];

	if (!t->goid) {
		os_write(fd, line,
			 gmp_format(line, sizeof(line), "thread %d [no goroutine]:\n", t->tid));
		return;
	}
	os_write(fd, line,
		 gmp_format(line, sizeof(line), "goroutine %lu [%s%s%s%s, locked to thread]:\n",
			    t->goid, t->status <= G_DEAD ? words[t->status] : "?",
			    !name  ? ""
			    : call ? ": "
				   : ", blocked in ",
			    name ? name : "", lost && !t->self ? ", without a P" : ""));
}

static void print_thread(int fd, const struct snapshot *s, const struct shot *t)
{
	char path[64], name[32], what[256], line[400];
	i64 n;

	gmp_format(path, sizeof(path), "/proc/%d/task/%d/comm", s->pid, t->tid);
	n = os_read_file(path, 0, name, sizeof(name) - 1);
	name[n > 0 ? n - 1 : 0] = 0; /* its newline */
	wait_text(s, t, what, sizeof(what));
	os_write(fd, line,
		 gmp_format(line, sizeof(line), "thread %d \"%s\"%s%s\n", t->tid, name,
			    what[0] ? ": waits for " : "", what));
}

static void print_books(int fd, const struct shot *t)
{
	static const char *const holds[] = { "kept", "asked", "lost", "?" };
	char line[160];

	os_write(fd, line,
		 gmp_format(line, sizeof(line), "\tp=%u %s depth=%u sig=%u call=%u park=%u\n",
			    hold_pid(t->hold), holds[hold_of(t->hold)], t->depth, t->sig,
			    t->callno & 0xffff, t->park));
}

static void print_frames(int fd, const struct shot *t)
{
	bool unwinds = frames_prepare();

	if (t->self && unwinds)
		frames_here(fd);
	else if (t->fp && unwinds)
		frames_above(fd, t->fp);
	else if (t->fp)
		frames_place(fd, ((const uintptr_t *)t->fp)[1]);
	else if (t->pc)
		frames_place(fd, t->pc);
	else
		say(fd, t->self ? "\tlibunwind.so.8 is not there; stack unavailable\n"
				: "\tgoroutine running on other thread; stack unavailable\n");
}

static void print_shot(int fd, const struct snapshot *s, const struct shot *t)
{
	print_head(fd, t);
	print_thread(fd, s, t);
	if (s->books)
		print_books(fd, t);
	print_frames(fd, t);
	say(fd, "\n");
}

/* ---- rings of Gs that wait for each other ---- */

/* Does following the owners from t lead back to t, and is t the first of the ring in the list? */
static bool begins_ring(const struct snapshot *s, const struct shot *t)
{
	const struct shot *at = wait_owner(s, t);

	for (u32 steps = 0; at && steps < s->n; steps++, at = wait_owner(s, at)) {
		if (at == t)
			return true;
		if (at < t)
			return false;
	}
	return false;
}

static void print_ring(int fd, const struct snapshot *s, const struct shot *first)
{
	const struct shot *at = first;
	char what[256], line[320];

	say(fd, "deadlock!\n");
	do {
		wait_text(s, at, what, sizeof(what));
		os_write(fd, line,
			 gmp_format(line, sizeof(line), "\tgoroutine %lu waits for %s\n", at->goid,
				    what));
		at = wait_owner(s, at);
	} while (at && at != first);
	say(fd, "\n");
}

static void print_rings(int fd, const struct snapshot *s)
{
	for (u32 i = 0; i < s->n; i++)
		if (begins_ring(s, &s->at[i]))
			print_ring(fd, s, &s->at[i]);
}

/* ---- the child ---- */

/* Step 0: the rings; then a step for each G. */
static void print_step(int fd, const struct snapshot *s, u32 step)
{
	if (step == 0)
		print_rings(fd, s);
	else
		print_shot(fd, s, &s->at[step - 1]);
}

static void child(int fd, struct snapshot *s)
{
	for (u32 step = load_rlx(&s->done); step <= s->n; step++) {
		print_step(fd, s, step);
		store_rlx(&s->done, step + 1); /* relaxed: the parent only counts */
	}
	sys(SYS_exit_group, 0, 0, 0, 0);
}

/* Until the child ends; false: it got no further and was ended. */
static bool watch(long pid, const struct snapshot *s)
{
	au32 never = { 0 };
	u32 seen = load_rlx(&s->done);
	u64 end = os_nanotime() + HUNG_NS;

	while (sys(SYS_wait4, pid, 0, WNOHANG | __WALL, 0) == 0) {
		if (load_rlx(&s->done) != seen) {
			seen = load_rlx(&s->done);
			end = os_nanotime() + HUNG_NS;
		} else if (os_nanotime() > end) {
			sys(SYS_kill, pid, SIGKILL, 0, 0);
			sys(SYS_wait4, pid, 0, __WALL, 0);
			return false;
		}
		os_futex_wait(&never, 0, LOOK_NS);
	}
	return true;
}

/* What the parent can say without risk of the G that its child did not survive. */
static void print_lost(int fd, struct snapshot *s, u32 step, bool tried)
{
	if (step && !tried) {
		print_head(fd, &s->at[step - 1]);
		print_thread(fd, s, &s->at[step - 1]);
	}
	if (step)
		say(fd, "\tstack unavailable\n\n");
	store_rlx(&s->done, step + 1);
}

static void print_all(int fd, struct snapshot *s, bool stopped)
{
	u32 deaths = os_seccomp() ? DEATHS_MAX : 0; /* a sandbox may end who forks */

	while (load_rlx(&s->done) <= s->n) {
		long pid = deaths < DEATHS_MAX ? sys(SYS_clone, 0, 0, 0, 0) : -EAGAIN;

		if (pid == 0)
			child(fd, s);
		if (stopped) /* the child has its copy */
			starttheworld();
		stopped = false;
		/* What one hangs on, a lock of the loader's say, will be there for the next. */
		deaths += pid > 0 && watch(pid, s) ? 1 : DEATHS_MAX / 2;
		if (load_rlx(&s->done) <= s->n)
			print_lost(fd, s, load_rlx(&s->done), pid > 0);
	}
}

int traceback(int fd, enum traceback_how how)
{
	u64 mask = os_block_signals();
	/* Who has stopped it may ask, too. */
	bool stand = load_rlx(&sched.stopping);
	int err = how & TB_STOP && !stand ? stoptheworld(STOP_MS) : 0;
	bool stopped = how & TB_STOP && !stand && err == 0;
	struct snapshot *s = snapshot_take();

	if (err)
		say(fd, "the world did not stop: stacks may be of different moments\n\n");
	if (!s)
		say(fd, "no memory for a dump\n");
	if (s) {
		s->books = how & TB_BOOKS;
		print_all(fd, s, stopped);
		snapshot_free(s);
	} else if (stopped) {
		starttheworld();
	}
	os_restore_signals(mask);
	return err;
}

int gmp_dump(int fd)
{
	return traceback(fd, TB_STOP);
}

void dump_and_abort(void)
{
	os_block_signals();
	traceback(os_stderr(), TB_BOOKS);
	/* The kernel's own default: no handler of the host may carry on. */
	signal(SIGABRT, SIG_DFL);
	os_restore_signals(0);
	raise(SIGABRT);
	_exit(134);
}

static void end_like_go(void)
{
	trace_stop();
	page_close();
	sys(SYS_exit_group, 2, 0, 0, 0);
}

/* ---- SIGQUIT ---- */

static void on_quit(int sig, siginfo_t *info, void *context)
{
	static au32 busy;
	const ucontext_t *at = context;
	int saved = errno;
	struct m *m = getm();
	int fd = os_stderr();
	char line[128];

	/* acquire and release below: one dump after the other, and one at a time. */
	if (!cas_acq(&busy, 0, 1))
		return;
	os_write(fd, line,
		 gmp_format(line, sizeof(line), "SIGQUIT: quit\nPC=0x%lx m=%u sigcode=%d\n\n",
			    (u64)at->uc_mcontext.gregs[REG_RIP],
			    m && load_rlx(&m->live) ? m->id : 0, info->si_code));
	traceback(fd, TB_STOP);
	if (opts.traceback == 1)
		end_like_go();
	store_rel(&busy, 0);
	errno = saved;
}

void traceback_init(void)
{
	struct sigaction act = { .sa_sigaction = on_quit,
				 .sa_flags = SA_SIGINFO | SA_RESTART | SA_ONSTACK },
			 old;

	if (opts.traceback || opts.checkdead)
		frames_prepare(); /* a child can do it, too, but not with a wrecked heap */
	if (!opts.traceback || real_sigaction(SIGQUIT, NULL, &old) != 0 ||
	    (old.sa_handler != SIG_DFL && old.sa_handler != SIG_IGN))
		return;
	sigfillset(&act.sa_mask); /* one dump at a time in a thread, whole */
	real_sigaction(SIGQUIT, &act, NULL);
}

/* ---- all asleep for ever ---- */

/* What a handler gets for what its own thread did wakes nobody who sleeps. */
static bool is_synchronous(int sig)
{
	return sig == SIGILL || sig == SIGTRAP || sig == SIGABRT || sig == SIGBUS ||
	       sig == SIGFPE || sig == SIGSEGV || sig == SIGSYS;
}

bool traceback_signal_may_wake(void)
{
	struct sigaction act;

	/* Ours, which shows what the host sees; and libc refuses its own two. */
	for (int sig = 1; sig <= SIGRTMAX; sig++)
		if (!is_synchronous(sig) && sigaction(sig, NULL, &act) == 0 &&
		    act.sa_handler != SIG_DFL && act.sa_handler != SIG_IGN &&
		    act.sa_sigaction != on_quit)
			return true;
	return false;
}

void traceback_dead(void)
{
	say(os_stderr(), "fatal error: all goroutines are asleep - deadlock!\n\n");
	traceback(os_stderr(), TB_PLAIN);
	end_like_go();
}

/*
 * The preemption signal: ours in the kernel, the host's in its own eyes.
 *
 * From activation on the kernel's action for our signal is on_preempt().  What the host sets and
 * reads for that number is kept in `host`, and every delivery that does not carry our mark is
 * passed on to it.  The number is SIGURG, or GMP_PREEMPT_SIGNAL's.  A host that shows an interest
 * in SIGURG (a handler, a mask that names it, a call that fetches it) makes us move to a real-time
 * signal: the kernel would merge its SIGURG with ours (preempt.h).
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <ucontext.h>

#include "preload/gate.h"
#include "preload/interpose.h"
#include "preload/lifecycle.h"
#include "preload/restart.h"
#include "preload/signal.h"
#include "runtime/lock.h"
#include "runtime/opts.h"
#include "runtime/os.h"
#include "runtime/preempt.h"
#include "runtime/print.h"

#define RT_FIRST 40	   /* the real-time signals below are the ones that programs pick */
#define HANDLER_DEPTH 2048 /* we need a quarter of it */
#define OLD_FRAME 4096	   /* the kernel's for a signal, where it does not say: before 5.14 */

/* The numbers we have taken: SIGURG, then perhaps a real-time one.  Kept across fork. */
static struct taken {
	au32 signo;	       /* 0: not taken yet; written last */
	struct sigaction host; /* guarded by sched.host, signals blocked */
} taken[2];

au32 wants_sigurg; /* the host has an interest in it */
/* Of the alternate stack: */
static au32 altstack_wanted; /* the host has put a handler on it */
static au32 altstack_unfit;  /* and others not; or some thread's is another's too, or too small */

static void on_preempt(int sig, siginfo_t *info, void *context);

static struct taken *find_taken(int sig)
{
	for (u32 i = 0; i < 2; i++)
		if (sig > 0 && load_acq(&taken[i].signo) == (u32)sig) /* @pair taken */
			return &taken[i];
	return NULL;
}

static bool is_handler(const struct sigaction *act)
{
	return act->sa_handler != SIG_DFL && act->sa_handler != SIG_IGN;
}

/* ---- taking a number ---- */

/*
 * On the alternate stack where the host has its own handlers there: a thread that runs with a stack
 * pointer of its own making (Erlang's compiled code has nothing free below it, OCaml's little) has
 * one for that reason.  Not where it takes what may come at any time on the threads' own: then the
 * other is for crashes, and may be of any size, and freed (Prolog, whose ending threads do not tell
 * the kernel).  With the host's handler in place its choice of restart and stack is the kernel's
 * too.
 */
static int install(int sig, const struct sigaction *host)
{
	struct sigaction act = { .sa_sigaction = on_preempt, .sa_flags = SA_SIGINFO | SA_RESTART };

	if (load_rlx(&altstack_wanted) && !load_rlx(&altstack_unfit))
		act.sa_flags |= SA_ONSTACK;

	/*
	 * All 64, also the two that sigfillset() leaves out: a cancellation that came on top of our
	 * first instruction would unwind a handler that has not taken note of its signal yet.
	 */
	memset(&act.sa_mask, 0xff, sizeof(act.sa_mask));
	if (is_handler(host))
		act.sa_flags = SA_SIGINFO | (host->sa_flags & (SA_RESTART | SA_ONSTACK));
	return real_sigaction(sig, &act, NULL);
}

/*
 * What the host wants of a number, and what from now on if act says so.  False: it is none that we
 * took, or is none any more.
 */
static bool swap_host(int sig, const struct sigaction *act, struct sigaction *old)
{
	u64 mask = crit_enter();
	struct taken *t;

	mutex_lock(&sched.host);
	t = find_taken(sig);
	if (t)
		*old = t->host;
	if (t && act) {
		t->host = *act;
		install(sig, act);
	}
	mutex_unlock(&sched.host);
	crit_leave(mask);
	return t;
}

static bool take(struct taken *t, int sig)
{
	if (real_sigaction(sig, NULL, &t->host) != 0 || install(sig, &t->host) != 0)
		return false;
	store_rel(&t->signo, (u32)sig); /* release, @pair taken: the host's action first */
	return true;
}

/* A real-time number that the host does not use. */
static int free_rt(void)
{
	struct sigaction act;

	for (int sig = SIGRTMAX; sig >= RT_FIRST; sig--)
		if (real_sigaction(sig, NULL, &act) == 0 && act.sa_handler == SIG_DFL)
			return sig;
	return 0;
}

/* 0: there is none, or we have it already. */
static int take_rt(void)
{
	u64 mask = crit_enter();
	int sig;

	mutex_lock(&sched.host);
	sig = load_rlx(&taken[1].signo) ? 0 : free_rt();
	if (sig && !take(&taken[1], sig))
		sig = 0;
	mutex_unlock(&sched.host);
	crit_leave(mask);
	return sig;
}

/*
 * The host cares for SIGURG: from now on, or from activation, leave it alone.  One that was
 * real-time from the start is in nobody's way.
 */
void note_sigurg(void)
{
	int sig;

	if (has_other_handlers())
		return;
	store_rlx(&wants_sigurg, 1);
	if (load_rlx(&sched.active) && load_acq(&taken[0].signo) == SIGURG && /* @pair taken */
	    !load_acq(&taken[1].signo)) {
		sig = take_rt();
		if (sig) /* the kernel would merge the host's next one with ours */
			preempt_renumber((u32)sig);
	}
}

/* Back to the kernel, with what the host wants of it, when it is ours no more. */
static void give_back_sigurg(void)
{
	u64 mask = crit_enter();
	struct taken *t = &taken[0];

	mutex_lock(&sched.host);
	if (load_rlx(&t->signo) == SIGURG && real_sigaction(SIGURG, &t->host, NULL) == 0)
		store_rel(&t->signo, 0); /* @pair taken */
	mutex_unlock(&sched.host);
	crit_leave(mask);
}

/*
 * Somebody sends a SIGURG that the host does not care for: the kernel would throw it away, and with
 * our handler it cuts poll() short.  This one has, and no other will.  Or the host asks the kernel
 * for its action behind libc's back.
 */
void leave_sigurg(void)
{
	if (has_other_handlers())
		return;
	note_sigurg();
	/* acquire, @pair taken: where no real-time signal is free we stay. */
	if (!load_rlx(&sched.active) || load_acq(&taken[1].signo))
		give_back_sigurg();
}

/* In a forked child, until it has threads. */
void signals_forked(void)
{
	if (load_rlx(&taken[0].signo)) /* relaxed: of this thread's own past */
		give_back_sigurg();
}

/* ---- delivery ---- */

/* Our handler starts with everything blocked; the host's gets the mask that it would have had. */
static void call_host(const struct sigaction *act, int sig, siginfo_t *info, ucontext_t *context)
{
	u64 mask = context->uc_sigmask.__val[0] | act->sa_mask.__val[0];

	if (!(act->sa_flags & SA_NODEFER))
		mask |= 1ul << (sig - 1);
	os_restore_signals(mask);
	if (act->sa_flags & SA_SIGINFO)
		act->sa_sigaction(sig, info, context);
	else
		act->sa_handler(sig);
}

static void pass_on(int sig, siginfo_t *info, ucontext_t *context)
{
	static const struct sigaction dfl = { .sa_handler = SIG_DFL };
	struct sigaction act = dfl;

	swap_host(sig, NULL, &act);
	if (sig == SIGURG && !is_handler(&act))
		leave_sigurg();
	if (act.sa_handler == SIG_IGN || (act.sa_handler == SIG_DFL && sig == SIGURG))
		return;
	if (act.sa_handler == SIG_DFL) { /* a real-time signal ends the process */
		real_sigaction(sig, &dfl, NULL);
		raise(sig);
		return; /* blocked until we return */
	}
	if (act.sa_flags & SA_RESETHAND)
		shim_sigaction(sig, &dfl, NULL);
	call_host(&act, sig, info, context);
}

static bool on_altstack(const ucontext_t *context, uintptr_t sp)
{
	return sp - (uintptr_t)context->uc_stack.ss_sp < context->uc_stack.ss_size;
}

/*
 * The gate closes on return, and when the thread is cancelled while it is parked here.  The host's
 * alternate stack has room for the host's handlers, but not for ours below them: there they wait
 * until the thread has its P.
 */
static void give_way(struct m *m, const ucontext_t *context)
{
	uintptr_t sp = (uintptr_t)__builtin_frame_address(0);
	GATE_GUARD = gate_open_parked(m, sp);

	if (!on_altstack(context, sp))
		os_restore_signals(context->uc_sigmask.__val[0]);
	preempt_park(m);
}

/*
 * Ours by its mark.  Where RLIMIT_SIGPENDING is used up the kernel delivers without any siginfo:
 * then it is ours if one is on its way here and nobody else signed it.
 */
static bool is_ours(struct m *m, const siginfo_t *info)
{
	if (os_is_marked(info, &preempt_mark))
		return true;
	return m && load_rlx(&m->sig) != SIG_NONE && info->si_code == SI_USER && !info->si_pid;
}

static uintptr_t interrupted_at(const ucontext_t *context)
{
	return (uintptr_t)context->uc_mcontext.gregs[REG_RIP];
}

/* Where the host's handlers would have no room below ours a call that was cut short stays so. */
static void arrived(struct m *m, ucontext_t *context)
{
	bool asked = preempt_arrived(m, interrupted_at(context));

	if (!on_altstack(context, (uintptr_t)__builtin_frame_address(0)) &&
	    restart_cut_call(m, context))
		return;
	if (asked)
		give_way(m, context);
}

static void on_preempt(int sig, siginfo_t *info, void *context)
{
	int saved = errno;
	struct m *m = getm();
	bool live = m && load_rlx(&m->live);

	if (!is_ours(m, info)) {
		if (live)
			preempt_foreign(m);
		pass_on(sig, info, context);
	} else if (live) {
		arrived(m, context);
	}
	errno = saved;
}

/* ---- the start ---- */

/* No signal that means something by itself: its default action would be ours to play. */
static int first_signal(void)
{
	int sig = (int)opts.preempt_signal;

	if (sig == SIGURG || (sig >= SIGRTMIN && sig <= SIGRTMAX))
		return sig;
	gmp_warn("preempt: GMP_PREEMPT_SIGNAL=%d is neither SIGURG (%d) nor a real-time signal "
		 "(%d..%d); using SIGURG",
		 sig, SIGURG, SIGRTMIN, SIGRTMAX);
	return SIGURG;
}

void signals_activate(void)
{
	struct sigaction act;
	int sig;

	if (opts.preempt != PREEMPT_SIGNAL || load_rlx(&taken[0].signo) ||
	    load_rlx(&taken[1].signo))
		return;
	sig = first_signal();
	store_rlx(&preempt_signo, (u32)sig);
	if (take(&taken[0], sig))
		store_rlx(&preempt_handled, 1); /* before sysmon runs */
	else
		opts.preempt = PREEMPT_GATE;
	if (swap_host(sig, NULL, &act) && is_handler(&act))
		store_rlx(&wants_sigurg, 1);
}

/* ---- the alternate stack ---- */

static bool shares_altstack(struct m *self, u64 stack)
{
	for (struct m *m = allm(); m; m = m->alllink)
		if (m != self && load_rlx(&m->live) && load_rlx(&m->altstack) == stack)
			return true;
	return false;
}

/* The kernel's frame, and what our handler has below it until the thread has its P. */
static size_t handler_needs(void)
{
	size_t frame = getauxval(AT_MINSIGSTKSZ);

	return (frame ? frame : OLD_FRAME) + HANDLER_DEPTH;
}

/* After the answer to where has changed.  By: who has sched.host, signals blocked. */
static void install_again_locked(void)
{
	for (u32 i = 0; i < 2; i++) {
		u32 sig = load_acq(&taken[i].signo); /* @pair taken */

		if (sig)
			install((int)sig, &taken[i].host);
	}
}

/*
 * One stack for all threads (varnish) does for handlers that never return, but two threads parked
 * on it would overwrite each other.  One of MINSIGSTKSZ does for a handler of three lines, which
 * comes when the thread crashes.  Our signal is blocked until the kernel knows better.
 */
static void note_altstack(struct m *m)
{
	uintptr_t lo, hi;

	os_altstack(&lo, &hi);
	mutex_lock(&sched.host);
	store_rlx(&m->altstack, lo);
	if (lo && (hi - lo < handler_needs() || shares_altstack(m, lo))) {
		store_rlx(&altstack_unfit, 1);
		install_again_locked();
	}
	mutex_unlock(&sched.host);
}

/* The thread's own doing: where that is handled says nothing of signals at any time. */
static bool is_crash(int sig)
{
	return sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE || sig == SIGILL ||
	       sig == SIGTRAP || sig == SIGSYS || sig == SIGABRT;
}

static void note_handler(int sig, const struct sigaction *act)
{
	bool there = act->sa_flags & SA_ONSTACK;
	au32 *says = there ? &altstack_wanted : &altstack_unfit;
	u64 mask;

	if (!is_handler(act) || (!there && is_crash(sig)) || load_rlx(says) || has_other_handlers())
		return;
	store_rlx(says, 1);
	if (!load_rlx(&sched.active)) /* one thread, and nothing is installed */
		return;
	mask = crit_enter();
	mutex_lock(&sched.host);
	install_again_locked();
	mutex_unlock(&sched.host);
	crit_leave(mask);
}

int shim_sigaltstack(const stack_t *stack, stack_t *old)
{
	u64 mask = crit_enter();
	struct m *m = getm();
	int r = real_sigaltstack(stack, old);

	if (stack && r == 0 && m && load_rlx(&m->live))
		note_altstack(m);
	crit_leave(mask);
	return r;
}

void signals_activated(void)
{
	u64 mask = crit_enter();

	if (getm() && load_rlx(&getm()->live))
		note_altstack(getm());
	crit_leave(mask);
	if (load_rlx(&wants_sigurg))
		note_sigurg();
}

/* ---- what the host sees ---- */

/*
 * The kernel's table is the caller's own, and the record is its parent's: what the caller sets is
 * set in the kernel alone, and where that still is our handler the record says what it stands for.
 */
static int action_of_other_handlers(int sig, const struct sigaction *act, struct sigaction *old)
{
	struct sigaction was;
	int r = real_sigaction(sig, act, &was);

	if (r == 0 && was.sa_sigaction == on_preempt)
		swap_host(sig, NULL, &was);
	if (r == 0 && old)
		*old = was;
	return r;
}

int shim_sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
	struct sigaction was;

	if (act)
		note_handler(sig, act);
	if (sig == SIGURG && act && is_handler(act))
		note_sigurg();
	if (find_taken(sig) && has_other_handlers())
		return action_of_other_handlers(sig, act, old);
	if (!find_taken(sig) || !swap_host(sig, act, &was))
		return real_sigaction(sig, act, old);
	if (old)
		*old = was;
	return 0;
}
EXPORT_ALIAS(__sigaction, sigaction)

static sighandler_t set_handler(int sig, sighandler_t handler, int flags)
{
	struct sigaction act = { .sa_handler = handler, .sa_flags = flags }, old;

	sigemptyset(&act.sa_mask);
	if (!(flags & SA_RESETHAND))
		sigaddset(&act.sa_mask, sig);
	shim_sigaction(sig, &act, &old);
	return old.sa_handler;
}

/* libc's own goes by numbers, and never asks for the alternate stack. */
static void note_plain(int sig, sighandler_t handler)
{
	note_handler(sig, &(struct sigaction){ .sa_handler = handler });
}

sighandler_t shim_signal(int sig, sighandler_t handler)
{
	note_plain(sig, handler);
	if (sig != SIGURG && !find_taken(sig))
		return real_signal(sig, handler);
	return set_handler(sig, handler, SA_RESTART);
}
EXPORT_ALIAS(bsd_signal, signal)
EXPORT_ALIAS(ssignal, signal)

sighandler_t shim_sysv_signal(int sig, sighandler_t handler)
{
	note_plain(sig, handler);
	if (sig != SIGURG && !find_taken(sig))
		return real_sysv_signal(sig, handler);
	return set_handler(sig, handler, SA_RESETHAND | SA_NODEFER);
}
EXPORT_ALIAS(__sysv_signal, sysv_signal)

/* ---- System V and BSD: libc's own call each other and not us ---- */

sighandler_t shim_sigset(int sig, sighandler_t handler)
{
	struct sigaction act = { .sa_handler = handler }, was;
	bool hold = handler == SIG_HOLD;
	sigset_t old;

	if (!hold)
		note_plain(sig, handler);
	if (sig != SIGURG && !find_taken(sig))
		return real_sigset(sig, handler);
	shim_sigaction(sig, hold ? NULL : &act, &was);
	signal_block(sig, hold ? SIG_BLOCK : SIG_UNBLOCK, &old);
	return sigismember(&old, sig) ? SIG_HOLD : was.sa_handler;
}

int shim_sigignore(int sig)
{
	struct sigaction act = { .sa_handler = SIG_IGN };

	return find_taken(sig) ? shim_sigaction(sig, &act, NULL) : real_sigignore(sig);
}

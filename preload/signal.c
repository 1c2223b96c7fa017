/*
 * The preemption signal: ours in the kernel, the host's in its own eyes.
 *
 * From activation on the kernel's action for PREEMPT_SIGNO is on_preempt().  What the host sets and
 * reads for that signal is kept in host_action, and every delivery that does not carry our mark is
 * passed on to it.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <ucontext.h>

#include "preload/gate.h"
#include "preload/interpose.h"
#include "preload/lifecycle.h"
#include "runtime/lock.h"
#include "runtime/preempt.h"
#include "runtime/proc.h"
#include "runtime/opts.h"
#include "runtime/os.h"

static struct sigaction host_action; /* guarded by sched.host, signals blocked */
static bool installed;		     /* kept across fork, like the kernel's action */

static struct sigaction swap_host(const struct sigaction *act)
{
	u64 mask = crit_enter();
	struct sigaction old;

	mutex_lock(&sched.host);
	old = host_action;
	if (act)
		host_action = *act;
	mutex_unlock(&sched.host);
	crit_leave(mask);
	return old;
}

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
	struct sigaction act = swap_host(NULL);

	/* The default action of this signal is to ignore it. */
	if (act.sa_handler == SIG_DFL || act.sa_handler == SIG_IGN)
		return;
	if (act.sa_flags & SA_RESETHAND) {
		struct sigaction dfl = { .sa_handler = SIG_DFL };

		swap_host(&dfl);
	}
	call_host(&act, sig, info, context);
}

/* The gate closes on return, and when the thread is cancelled while it is parked here. */
static void give_way(struct m *m, const ucontext_t *context)
{
	GATE_GUARD = gate_open_parked(m, (uintptr_t)__builtin_frame_address(0));

	os_restore_signals(context->uc_sigmask.__val[0]);
	preempt_park(m);
}

static void on_preempt(int sig, siginfo_t *info, void *context)
{
	int saved = errno;
	struct m *m = getm();

	if (info->si_code != SI_QUEUE || info->si_ptr != (void *)&preempt_mark)
		pass_on(sig, info, context);
	else if (m && load_rlx(&m->live) && preempt_arrived(m))
		give_way(m, context);
	errno = saved;
}

/* With the host's handler in place its choice of restart and stack is the kernel's too. */
static int install(const struct sigaction *host)
{
	struct sigaction act = { .sa_sigaction = on_preempt, .sa_flags = SA_SIGINFO | SA_RESTART };
	bool handled = host->sa_handler != SIG_DFL && host->sa_handler != SIG_IGN;

	/* All 64, also the two that sigfillset() leaves out: a cancellation that came on top of our
	 * first instruction would unwind a handler that has not taken note of its signal yet. */
	memset(&act.sa_mask, 0xff, sizeof(act.sa_mask));
	if (handled)
		act.sa_flags = SA_SIGINFO | (host->sa_flags & (SA_RESTART | SA_ONSTACK));
	return real_sigaction(PREEMPT_SIGNO, &act, NULL);
}

void signals_activate(void)
{
	if (installed || opts.preempt != PREEMPT_SIGNAL)
		return;
	real_sigaction(PREEMPT_SIGNO, NULL, &host_action);
	if (install(&host_action) == 0)
		installed = true;
	else
		opts.preempt = PREEMPT_GATE;
}

EXPORT int shim_sigaction(int sig, const struct sigaction *act,
			  struct sigaction *old) __asm__("sigaction");
EXPORT int shim_sigaction(int sig, const struct sigaction *act, struct sigaction *old)
{
	struct sigaction was;

	if (sig != PREEMPT_SIGNO || !installed)
		return real_sigaction(sig, act, old);
	was = swap_host(act);
	if (act)
		install(act);
	if (old)
		*old = was;
	return 0;
}
extern __typeof__(shim_sigaction) shim___sigaction __asm__("__sigaction") EXPORT
	__attribute__((alias("sigaction")));

static sighandler_t set_handler(sighandler_t handler, int flags)
{
	struct sigaction act = { .sa_handler = handler, .sa_flags = flags }, old;

	sigemptyset(&act.sa_mask);
	if (!(flags & SA_RESETHAND))
		sigaddset(&act.sa_mask, PREEMPT_SIGNO);
	shim_sigaction(PREEMPT_SIGNO, &act, &old);
	return old.sa_handler;
}

EXPORT sighandler_t shim_signal(int sig, sighandler_t handler) __asm__("signal");
EXPORT sighandler_t shim_signal(int sig, sighandler_t handler)
{
	if (sig != PREEMPT_SIGNO || !installed)
		return real_signal(sig, handler);
	return set_handler(handler, SA_RESTART);
}
extern __typeof__(shim_signal) shim_bsd_signal __asm__("bsd_signal") EXPORT
	__attribute__((alias("signal")));
extern __typeof__(shim_signal) shim_ssignal __asm__("ssignal") EXPORT
	__attribute__((alias("signal")));

EXPORT sighandler_t shim_sysv_signal(int sig, sighandler_t handler) __asm__("sysv_signal");
EXPORT sighandler_t shim_sysv_signal(int sig, sighandler_t handler)
{
	if (sig != PREEMPT_SIGNO || !installed)
		return real_sysv_signal(sig, handler);
	return set_handler(handler, SA_RESETHAND | SA_NODEFER);
}
extern __typeof__(shim_sysv_signal) shim___sysv_signal __asm__("__sysv_signal") EXPORT
	__attribute__((alias("sysv_signal")));

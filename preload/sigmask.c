/*
 * The masks of the host, and what it fetches: does it name SIGURG?  Then it has an interest in it
 * (signal.c).  Who blocks everything may fetch it too, and name it not before then.
 */
#include <signal.h>

#include "preload/gate.h"
#include "preload/interpose.h"
#include "preload/lifecycle.h"
#include "preload/signal.h"
#include "runtime/os.h"
#include "runtime/preempt.h"

#define FULL_MASK 48 /* a mask of so many signals names none of them in particular */

static bool blocks_sigurg(int how, const sigset_t *set)
{
	return set && how != SIG_UNBLOCK && sigismember(set, SIGURG) == 1;
}

/* Names SIGURG, and not just everything. */
static bool names_sigurg(int how, const sigset_t *set)
{
	return blocks_sigurg(how, set) && __builtin_popcountl(set->__val[0]) < FULL_MASK;
}

/* The set at an address that is the kernel's to refuse names SIGURG. */
static void note_set(int how, uintptr_t at)
{
	sigset_t set = { 0 };

	if (!load_rlx(&wants_sigurg) && os_peek(at, &set.__val[0], sizeof(u64)) == 0 &&
	    names_sigurg(how, &set))
		note_sigurg();
}

void signals_by_number(long nr, long a1, long a2)
{
	if (nr == SYS_rt_sigaction && a1 == SIGURG)
		leave_sigurg();
	else if (nr == SYS_rt_sigprocmask)
		note_set((int)a1, (uintptr_t)a2);
	else if (nr == SYS_rt_sigtimedwait)
		note_set(SIG_BLOCK, (uintptr_t)a1);
	else if (nr == SYS_signalfd || nr == SYS_signalfd4)
		note_set(SIG_BLOCK, (uintptr_t)a2);
}

/*
 * Who fetches signals may have blocked them all, and named none until now.  Alone it will be back
 * here when it has threads.
 */
void signals_fetched(const sigset_t *set)
{
	if (load_rlx(&sched.active))
		note_set(SIG_BLOCK, (uintptr_t)set);
}

int shim_signalfd(int fd, const sigset_t *set, int flags)
{
	int r = real_signalfd(fd, set, flags);

	if (r >= 0 && names_sigurg(SIG_BLOCK, set)) /* the kernel has read it */
		note_sigurg();
	return r;
}

/*
 * Before a call that blocks everything, SIGURG too, which the host names later, if ever.  A bracket
 * is not entered with one of ours in flight, and none is sent to who blocks it: so the kernel has
 * room for the host's.  Not known are the masks that come with a handler, and by a system call of
 * the host's own: there ours may be pending, and a SIGURG that was never named be one with it.
 */
#define GATE_BLOCKING(blocks) GATE(blocking_class(blocks), SYS_rt_sigprocmask)

static u64 blocking_class(bool blocks)
{
	struct m *m = getm();

	if (!blocks || load_rlx(&preempt_signo) != SIGURG)
		return NEVER;
	if (m && load_rlx(&m->live))
		preempt_note_mask(m, ~0ul);
	return MAY_WAIT | PROBE_DONE;
}

/* By number: libc does not read it. */
u64 mask_class(int how, uintptr_t at)
{
	sigset_t set = { 0 };

	return blocking_class(getm() && load_rlx(&preempt_signo) == SIGURG &&
			      os_peek(at, &set.__val[0], sizeof(u64)) == 0 &&
			      blocks_sigurg(how, &set));
}

/* libc sets the mask ahead of a jump, too. */
void signals_jump(const sigset_t *set)
{
	if (blocks_sigurg(SIG_SETMASK, set))
		shim_sigprocmask(SIG_SETMASK, set, NULL);
}

int shim_sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	if (names_sigurg(how, set))
		note_sigurg();
	GATE_BLOCKING(blocks_sigurg(how, set));
	return real_sigprocmask(how, set, old);
}

errnum shim_pthread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	if (names_sigurg(how, set))
		note_sigurg();
	GATE_BLOCKING(blocks_sigurg(how, set));
	return real_pthread_sigmask(how, set, old);
}

/* ---- System V and BSD: libc's own call each other and not us ---- */

int signal_block(int sig, int how, sigset_t *old)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	return shim_sigprocmask(how, &set, old);
}

int shim_sighold(int sig)
{
	return sig == SIGURG ? signal_block(sig, SIG_BLOCK, NULL) : real_sighold(sig);
}

/* The signals below 33, and not just all of them. */
static void note_mask(int mask)
{
	if (mask >> (SIGURG - 1) & 1 && mask != -1)
		note_sigurg();
}

int shim_sigblock(int mask)
{
	note_mask(mask);
	GATE_BLOCKING(mask >> (SIGURG - 1) & 1);
	return real_sigblock(mask);
}

int shim_sigsetmask(int mask)
{
	note_mask(mask);
	GATE_BLOCKING(mask >> (SIGURG - 1) & 1);
	return real_sigsetmask(mask);
}

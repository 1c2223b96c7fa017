/*
 * clone(2): children that are no pthread of libc's.
 *
 *   own memory               as fork: the child starts inactive.
 *   CLONE_VM, CLONE_VFORK    as vfork: the parent sleeps in a bracket, the child's gates pass.
 *   CLONE_VM                 the child shares its parent's thread-local data, where the M is: two
 *                            threads would be one G.  So the parent is none from then on: its gates
 *                            and the child's pass, without a P (fail open, for this thread).
 *   with CLONE_SETTLS        the child has thread-local data of its own, laid out by the host.
 *
 * Rejected: to compare the thread's number at each gate, a system call.
 */
#include <sched.h>

#include "asm/asm.h"
#include "preload/gate.h"
#include "preload/interpose.h"
#include "preload/lifecycle.h"
#include "runtime/fork.h"
#include "runtime/opts.h"
#include "runtime/os.h"
#include "runtime/print.h"

/* The calling thread is about to share its thread-local data.  Before the second thread there is no
 * G yet, and there will be none. */
static void shares_tls(void)
{
	bool was = gthread_leave();

	if (!was && !load_rlx(&sched.active))
		opts.disable = 1;
	if ((was || opts.disable) && opts.verbose)
		gmp_warn("clone: thread %d shares its thread-local data with a child; %s",
			 os_gettid(),
			 was ? "it runs without a P from now on" : "running without the scheduler");
}

static void note_handlers(u64 flags)
{
	if (flags & CLONE_SIGHAND && !(flags & CLONE_THREAD))
		store_rlx(&handlers_shared, 1);
}

struct child {
	int (*fn)(void *);
	void *arg;
};

/* In memory of its own: the child's copy of the parent's frame. */
static int start_forked(void *copied)
{
	struct child child = *(struct child *)copied;
	int status;

	forked();
	status = child.fn(child.arg);
	gthread_leave(); /* libc ends it by the raw system call */
	return status;
}

static int clone_forked(int (*fn)(void *), void *stack, int flags, void *arg, pid_t *ptid,
			void *tls, pid_t *ctid)
{
	struct child child = { fn, arg };

	/* libc refuses these two, and must see them. */
	if (!fn || !stack)
		return real_clone(fn, stack, flags, arg, ptid, tls, ctid);
	return real_clone(start_forked, stack, flags, &child, ptid, tls, ctid);
}

static int clone_vforked(int (*fn)(void *), void *stack, int flags, void *arg, pid_t *ptid,
			 void *tls, pid_t *ctid)
{
	struct m *m = gmp_vfork_enter();
	int pid = real_clone(fn, stack, flags, arg, ptid, tls, ctid);

	gmp_vfork_leave(m);
	return pid;
}

EXPORT_ALIAS(__clone, clone)
int shim_clone(int (*fn)(void *), void *stack, int flags, void *arg, pid_t *ptid, void *tls,
	       pid_t *ctid)
{
	note_handlers((u64)flags);
	if (flags & CLONE_SETTLS) {
		GATE(flags & CLONE_VFORK ? WILL_WAIT : NEVER, SYS_clone);
		return real_clone(fn, stack, flags, arg, ptid, tls, ctid);
	}
	if (!(flags & CLONE_VM))
		return clone_forked(fn, stack, flags, arg, ptid, tls, ctid);
	if (flags & CLONE_VFORK)
		return clone_vforked(fn, stack, flags, arg, ptid, tls, ctid);
	shares_tls();
	return real_clone(fn, stack, flags, arg, ptid, tls, ctid);
}

/* Of clone3; a bad address is for the kernel to refuse. */
static u64 clone3_flags(long args)
{
	u64 flags;

	return os_peek((uintptr_t)args, &flags, sizeof(flags)) == 0 ? flags : 0;
}

/*
 * syscall(SYS_clone, ...) and its kin, before the call: it returns twice and cannot be wrapped (see
 * shim_syscall), so even a parent that would sleep is no G any more.
 */
void clone_by_number(long nr, long a1) __attribute__((used, visibility("hidden")));
void clone_by_number(long nr, long a1)
{
	u64 flags = CLONE_VM | CLONE_VFORK;

	if (nr == SYS_clone)
		flags = (u64)a1;
	else if (nr == SYS_clone3)
		flags = clone3_flags(a1);
	note_handlers(flags);
	if (flags & CLONE_VM && !(flags & CLONE_SETTLS))
		shares_tls();
}

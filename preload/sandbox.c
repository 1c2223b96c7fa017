/*
 * seccomp's strict mode: read, write, exit and sigreturn, and death for every other call.  A G
 * waits for its P in a futex and pays for a seizure with membarrier, so a thread that locks itself
 * in is none any more: its gates pass, without a P (fail open, for this thread).
 *
 * A filter of the host's is up to the host; what it refuses of ours by an error is answered in the
 * runtime.  But one that kills, or sends SIGSYS, for a call that the host never makes and we do,
 * would end the host for our sake (Chromium's does).  So we ask it before the kernel has it
 * (filter.c), and where it would, we are gone by then (threads_retire).  It holds for threads and
 * processes made later, and, if it wants, for all threads at once: so we go as a whole.
 *
 * So it is where a thread dispatches its own system calls: it takes for a guest's, and answers, all
 * that are not made from the text that it named, libc's at most.  Or where it may not read the
 * CPU's counter: the clocks of the vDSO do, and we read them in places where it does not.
 *
 * Programs also ask for filters to be refused, to learn what the kernel has: wrong flags, no right
 * to do so, a pointer to nowhere.  We stay then, and the kernel alone reads through the pointer.
 */
#include <linux/seccomp.h>
#include <sys/prctl.h>

#include "asm/asm.h"
#include "preload/filter.h"
#include "preload/interpose.h"
#include "preload/lifecycle.h"
#include "runtime/numbers.h"
#include "runtime/opts.h"
#include "runtime/os.h"

static bool readable(uintptr_t at, size_t len)
{
	char buf[1024];
	int err = 0;

	for (size_t n; len && err != -EFAULT; at += n, len -= n) {
		n = len < sizeof(buf) ? len : sizeof(buf);
		err = os_peek(at, buf, n);
	}
	return err != -EFAULT; /* else a filter has something against the question */
}

/*
 * The same call for a program that cannot be read: the kernel looks at that last, so any other
 * answer is the one that the host will get.
 */
static bool refused(long nr, long a1, long a2, const struct sock_fprog *prog)
{
	struct sock_fprog nowhere = { prog->len, (void *)-4096L };
	long r = gmp_rawsyscall6(nr, a1, a2, (long)&nowhere, 0, 0, 0);

	return r == -EACCES || r == -EINVAL;
}

static void filter_comes(long nr, long a1, long a2, uintptr_t at)
{
	const struct sock_fprog *prog = (const struct sock_fprog *)at;

	if (opts.disable) /* gone, and perhaps for a filter that minds the questions below */
		return;
	if (!readable(at, sizeof(*prog)) || refused(nr, a1, a2, prog) ||
	    !readable((uintptr_t)prog->filter, prog->len * sizeof(*prog->filter)))
		return;
	if (!filter_spares_us(prog))
		threads_retire("its seccomp filter would end it for calls of the library");
}

void sandbox_by_number(long nr, long a1, long a2, long a3)
{
	if (nr == SYS_prctl && a1 == PR_SET_SECCOMP && a2 == SECCOMP_MODE_STRICT)
		gthread_leave();
	if (nr == SYS_prctl && a1 == PR_SET_SECCOMP && a2 == SECCOMP_MODE_FILTER)
		filter_comes(nr, a1, a2, (uintptr_t)a3);
	if (nr == SYS_prctl && a1 == PR_SET_SYSCALL_USER_DISPATCH && a2 != PR_SYS_DISPATCH_OFF)
		threads_retire("it dispatches its own system calls");
	if (nr == SYS_prctl && a1 == PR_SET_TSC && a2 == PR_TSC_SIGSEGV)
		threads_retire("to read a clock is a fault in it");
	if (nr == SYS_seccomp && a1 == SECCOMP_SET_MODE_STRICT)
		gthread_leave();
	if (nr == SYS_seccomp && a1 == SECCOMP_SET_MODE_FILTER)
		filter_comes(nr, a1, a2, (uintptr_t)a3);
}

int shim_prctl(int option, long a2, long a3, long a4, long a5)
{
	sandbox_by_number(SYS_prctl, option, a2, a3);
	return real_prctl(option, a2, a3, a4, a5);
}

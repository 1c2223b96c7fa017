/*
 * A process is dead when each of its threads waits without a time limit for what only another of
 * them could give: a lock, a condition, a semaphore, a barrier, a thread's end (ON_EVER in
 * calls.def), none of it shared with other processes.  Whatever else a thread is in, a call on a
 * descriptor, a sleep, a wait for a signal or a child, a wait that is not intercepted, means alive.
 * So does a handler for a signal that may come from outside or by a timer: it may post a semaphore.
 * And a thread that is no G.
 *
 * A G that has just been woken still looks as if it waited.  So one look proves nothing: at two
 * looks in a row the kernel must say of each G that it is asleep, in the same bracket, and then
 * that its CPU clock stands where it stood.  Nobody ran between the two looks, then, so nobody can
 * have been woken since the first; and who was woken before that would be on a run queue at the
 * second, which is not asleep.  DEAD_LOOKS of them in a row, for a thread that the kernel keeps in
 * a futex call while it fetches a page from a slow disk is asleep as well.
 *
 * Not seen: a process that was made by a bare clone(CLONE_VM) and shares this one's memory.
 */
#include "runtime/dead.h"

#include <asm/unistd.h>

#include "runtime/hooks.h"
#include "runtime/os.h"
#include "runtime/text.h"

#define DEAD_LOOKS 10

/* In a bracket that only a thread of this process can end; the cheap half of the look. */
static bool waits_for_us(struct m *m)
{
	/* relaxed, all: two looks must agree. */
	return load_rlx(&m->g->status) == G_SYSCALL && load_rlx(&m->class) & ON_EVER &&
	       __atomic_load_n(&m->depth, __ATOMIC_RELAXED) == 1;
}

/* False: the kernel says it does not sleep.  *same: as at the last look, and has not run since. */
static bool sleeps(struct m *m, bool *same)
{
	bool asleep = os_probe(m->tid) == __NR_futex;
	u32 tick = load_rlx(&m->g->syscalltick);
	i64 cpu = os_thread_cpu(m->tid); /* in this order, see above */

	*same &= tick == m->dead_tick && cpu == m->dead_cpu;
	m->dead_tick = tick;
	m->dead_cpu = cpu;
	return asleep && cpu >= 0;
}

/* Has the process no threads but its Gs and sysmon?  A main thread that has ended still counts. */
static bool only_gs(u32 gs, bool main_is_g)
{
	static char text[4096];
	i64 n = os_read_file("/proc/self/status", 0, text, sizeof(text) - 1);
	const char *threads;

	text[n > 0 ? n : 0] = 0;
	threads = text_behind(text, "\nThreads:\t");
	return text_number(&threads, 10) == gs + 1 + !main_is_g;
}

static bool objects_are_private(void)
{
	for (struct m *m = allm(); m; m = m->alllink)
		if (load_rlx(&m->live) && !rt_hooks.wait_is_private(load_rlx(&m->class)))
			return false;
	return true;
}

/* The number of live Gs when all are asleep, else 0. */
static u32 all_asleep(bool *same, bool *main_is_g)
{
	i32 pid = os_getpid();
	u32 n = 0;
	struct m *all = allm();

	for (struct m *m = all; m; m = m->alllink)
		if (load_rlx(&m->live) && !waits_for_us(m))
			return 0;
	for (struct m *m = all; m; m = m->alllink) {
		if (!load_rlx(&m->live))
			continue;
		if (!waits_for_us(m) || !sleeps(m, same))
			return 0;
		*main_is_g |= m->tid == pid;
		n++;
	}
	return n;
}

bool dead_look(void)
{
	bool same = true, main_is_g = false;
	u32 gs = all_asleep(&same, &main_is_g);

	/* A thread on its way in or out is in the kernel's count, and not in ours. */
	if (!gs || !same || gs != sched.dead_gs)
		sched.dead_looks = 0;
	sched.dead_gs = gs;
	if (!gs || ++sched.dead_looks < DEAD_LOOKS)
		return false;
	return only_gs(gs, main_is_g) && objects_are_private() && !rt_hooks.signal_may_wake();
}

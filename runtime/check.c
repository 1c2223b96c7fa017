/* The books of the scheduler: Ps handed out + idle = gomaxprocs; and what happens when they fail. */
#include "runtime/lock.h"
#include "runtime/note.h"
#include "runtime/os.h"
#include "runtime/print.h"
#include "runtime/proc.h"
#include "runtime/runq.h"

void sched_dissolve(void)
{
	u64 mask = crit_enter();

	if (xchg_ar(&sched.dissolved, 1) == 0)
		/* The list only grows at its head and Ms are never freed: no lock, which the
		 * thread that found the bug may hold. */
		for (struct m *m = sched.allm; m; m = m->alllink)
			note_wakeup(&m->park, NOTE_DISSOLVED);
	crit_leave(mask);
}

static u32 queued_locked(void)
{
	u32 n = sched.runqsize;

	for (u32 i = 0; i < sched.nallp; i++)
		n += runq_size(sched.allp[i]);
	return n;
}

static const char *check_locked(u32 *handed, u32 *idle)
{
	u32 procs = load_rlx(&sched.gomaxprocs);

	*handed = *idle = 0;
	for (struct p *p = sched.pidle; p; p = p->link)
		(*idle)++;
	if (*idle != sched.npidle)
		return "idle list and its count differ";
	for (u32 i = 0; i < procs; i++)
		*handed += load_rlx(&sched.allp[i]->status) == P_RUNNING;
	if (*handed + *idle != procs)
		return "a P is lost";
	if (*idle && queued_locked())
		return "a G waits while a P is idle";
	return NULL;
}

int sched_check(void)
{
	u64 mask = crit_enter();
	const char *wrong;
	u32 handed, idle;

	mutex_lock(&sched.lock);
	wrong = check_locked(&handed, &idle);
	mutex_unlock(&sched.lock);
	crit_leave(mask);
	if (wrong)
		gmp_throw("check: %s: handed out %u, idle %u, gomaxprocs %u", wrong, handed, idle,
			  load_rlx(&sched.gomaxprocs));
	return wrong ? -1 : 0;
}

/*
 * The books of the scheduler: Ps handed out + idle = nlent; and what happens when they fail.
 */
#include "runtime/note.h"
#include "runtime/os.h"
#include "runtime/pidle.h"
#include "runtime/print.h"
#include "runtime/proc.h"

void sched_dissolve(void)
{
	u64 mask = crit_enter();

	if (xchg_ar(&sched.dissolved, 1) == 0)
		/* Without the lock, which the thread that found the bug may hold. */
		for (struct m *m = allm(); m; m = m->alllink)
			note_wakeup(&m->park, NOTE_DISSOLVED);
	crit_leave(mask);
}

#define ANSWER_NS 1000000000ul

struct books {
	u32 handed, idle;
};

/* What is wrong, at this moment; some of it is so for an instant whenever a P changes hands. */
static const char *look(struct books *ret)
{
	u32 procs = load_rlx(&sched.nlent);

	*ret = (struct books){ 0 };
	for (u32 i = 0; i < load_rlx(&sched.nallp); i++)
		ret->idle += pidle_has(i);
	for (u32 i = 0; i < procs; i++)
		ret->handed += load_rlx(&sched.allp[i]->status) == P_RUNNING;
	if (ret->idle != load_rlx(&sched.npidle))
		return "idle mask and its count differ";
	if (ret->handed + ret->idle != procs)
		return "a P is lost";
	if (ret->idle && sched_any_queued() && !load_rlx(&sched.stopping))
		return "a G waits while a P is idle";
	return NULL;
}

/* What stays wrong. */
static const char *check_books(struct books *ret)
{
	u64 end = os_nanotime() + ANSWER_NS;
	const char *wrong;

	while ((wrong = look(ret)) && os_nanotime() <= end)
		os_yield();
	return wrong;
}

/*
 * Does somebody answer for a P that is handed out?  No while it is on its way from one to the next.
 */
static bool answered(struct p *p)
{
	struct g *g = load_acq(&p->g); /* @pair owner */
	u64 w;

	if (load_rlx(&p->status) != P_RUNNING)
		return true;
	if (!g)
		return false;
	w = load_acq(&g->hold); /* @pair hold */
	return (hold_of(w) != HOLD_LOST && hold_pid(w) == p->id) ||
	       note_value(&g->m->park) == p->id + 1;
}

/* A P on its way arrives within a time slice of the kernel's; one that is lost never does. */
static bool all_answered(void)
{
	u64 end = os_nanotime() + ANSWER_NS;

	for (u32 i = 0; i < load_rlx(&sched.nlent); i++)
		while (!answered(sched.allp[i])) {
			if (os_nanotime() > end)
				return false;
			os_yield();
		}
	return true;
}

int sched_check(void)
{
	struct books books;
	const char *wrong = check_books(&books);

	if (!wrong && !load_rlx(&sched.dissolved) && !all_answered())
		wrong = "nobody holds a P that is handed out";
	if (wrong)
		gmp_throw("check: %s: handed out %u, idle %u, lent %u of %u", wrong, books.handed,
			  books.idle, load_rlx(&sched.nlent), load_rlx(&sched.gomaxprocs));
	return wrong ? -1 : 0;
}

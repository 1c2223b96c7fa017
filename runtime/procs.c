/* How many Ps there are, and how many of them are lent: procs.h. */
#include "runtime/procs.h"

#include "runtime/alloc.h"
#include "runtime/lock.h"
#include "runtime/pidle.h"
#include "runtime/proc.h"
#include "runtime/runq.h"
#include "runtime/sysmon.h"
#include "runtime/trace.h"

static struct p *newp(u32 id)
{
	struct p *p = alloc_p();

	if (!p)
		return NULL;
	p->id = id;
	store_rlx(&p->status, P_DEAD);
	sched.allp[id] = p;
	return p;
}

/* Makes Ps up to n; fewer when memory ends.  Under sched.lock.  Returns how many there are. */
static u32 grow_to(u32 n)
{
	for (u32 id = 0; id < n; id++)
		if (!sched.allp[id] && !newp(id))
			return id;
	return n;
}

/* P: running -> dead.  By: its owner, under sched.lock; its ring is empty. */
static void die_locked(struct p *p)
{
	store_rlx(&p->status, P_DEAD);
	while (load_rlx(&sched.nallp) &&
	       load_rlx(&sched.allp[load_rlx(&sched.nallp) - 1]->status) == P_DEAD)
		store_rlx(&sched.nallp, load_rlx(&sched.nallp) - 1);
}

bool procs_retire(struct p *p)
{
	struct g *g;
	bool dies;

	while ((g = runq_get(p)))
		globrunq_put(g);
	mutex_lock(&sched.lock);
	dies = p->id >= load_rlx(&sched.nlent);
	if (dies)
		die_locked(p);
	mutex_unlock(&sched.lock);
	return dies;
}

static void link_to(struct p **list, struct p *p)
{
	p->link = *list;
	*list = p;
}

/*
 * The Ps from n on die when they are handed on, those below n that were dead live.  Returns the
 * ones that nobody held, linked and owned by the caller, who hands them on.  Under sched.lock.
 */
static struct p *lend_locked(u32 n)
{
	struct p *ret = NULL;

	store_rlx(&sched.nlent, n);
	fence_full(); /* @pair lend: who lets one of them go idle from here on knows */
	for (u32 i = load_rlx(&sched.nallp); i-- > n;)
		if (pidle_remove(sched.allp[i]))
			link_to(&ret, sched.allp[i]);
	if (load_rlx(&sched.nallp) < n)
		store_rlx(&sched.nallp, n);
	for (u32 i = 0; i < n; i++) {
		struct p *p = sched.allp[i];

		if (load_rlx(&p->status) != P_DEAD)
			continue;
		store_rlx(&p->status, P_RUNNING);
		link_to(&ret, p);
	}
	return ret;
}

static void hand_out(struct p *loose)
{
	struct p *p;

	while ((p = loose)) {
		loose = p->link;
		handoffp(p);
	}
}

void procs_lend(u32 n)
{
	u64 mask = crit_enter();
	struct p *loose;

	mutex_lock(&sched.lock);
	if (n > load_rlx(&sched.gomaxprocs))
		n = load_rlx(&sched.gomaxprocs);
	loose = lend_locked(n);
	mutex_unlock(&sched.lock);
	hand_out(loose);
	crit_leave(mask);
}

u32 procresize(u32 n)
{
	u64 mask = crit_enter();
	struct p *loose;
	u32 old;

	mutex_lock(&sched.lock);
	old = load_rlx(&sched.gomaxprocs);
	n = grow_to(n);
	if (load_rlx(&sched.nhome) * HOME_PS < n)
		store_rlx(&sched.nhome, (n + HOME_PS - 1) / HOME_PS);
	store_rlx(&sched.gomaxprocs, n);
	trace(PROCS_CHANGE, 0, n);
	loose = lend_locked(n);
	mutex_unlock(&sched.lock);
	hand_out(loose);
	if (n < old)
		sysmon_call_in();
	crit_leave(mask);
	return old;
}

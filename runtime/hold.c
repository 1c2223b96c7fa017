/* Gaining, giving up, seizing and renewing a G's word; hold.h has the rule. */
#include "runtime/hold.h"

#include "runtime/fence.h"
#include "runtime/proc.h"
#include "runtime/trace.h"

/*
 * g->hold: w -> to, with the event of it.  False: it is w no more.  The date is read after w and
 * before this: at that date it was so still.
 */
static bool change(struct g *g, u64 w, u64 to, u64 date, enum trace_type type)
{
	u64 goid = g->goid;

	/* acq_rel, @pair hold: what either side did to the P before is seen by the other after. */
	if (!cas_ar(&g->hold, w, to))
		return false;
	trace_dated(date, type, hold_pid(to), goid);
	return true;
}

static u64 lost(u64 w)
{
	return (w & ~(u64)HOLD_MASK) | HOLD_LOST;
}

/* ---- the owner ---- */

/* With signals on a handler of the host might come before the event, and leave by longjmp. */
bool hold_gain(struct g *g, u64 w, u32 pid)
{
	u64 date = trace_date(), mask = date ? crit_enter() : 0;
	bool gained = change(g, w, hold_make(hold_serial(w) + 1, pid, HOLD_KEPT), date, GO_START);

	if (date)
		crit_leave(mask);
	return gained;
}

struct p *releasep(struct g *g, enum trace_type why)
{
	u64 w;

	do {
		w = load_acq(&g->hold); /* @pair hold: before the clock */
		if (hold_of(w) == HOLD_LOST)
			return NULL;
	} while (!change(g, w, lost(w), trace_date(), why));
	return sched.allp[hold_pid(w)];
}

u64 refuse_seizers(struct g *g)
{
	u64 w = load_acq(&g->hold); /* @pair hold */

	/* acq_rel, @pair hold. */
	while (hold_of(w) == HOLD_ASKED &&
	       !cas_ar(&g->hold, w, hold_make(hold_serial(w) + 1, hold_pid(w), HOLD_KEPT)))
		w = load_acq(&g->hold);
	return w;
}

/* ---- the seizer ---- */

bool seize_ask(struct p *p, struct seizure *ret)
{
	/* acquire, @pair owner. */
	struct g *g = load_acq(&p->g);
	u64 w;

	if (!g)
		return false;
	w = load_rlx(&g->hold);
	if (hold_of(w) != HOLD_KEPT || hold_pid(w) != p->id)
		return false;
	*ret = (struct seizure){ p, g, w };
	/* acq_rel, @pair hold.  The store half is one side of @pair loan (StoreLoad). */
	return cas_ar(&g->hold, w, w | HOLD_ASKED);
}

bool seize_take(struct seizure *s)
{
	u64 asked = s->word | HOLD_ASKED;

	return change(s->g, asked, lost(asked), trace_date(), PROC_STEAL);
}

void seize_drop(struct seizure *s)
{
	/* Fails when the owner refused already, which is as good. */
	(void)cas_ar(&s->g->hold, s->word | HOLD_ASKED, s->word);
}

bool seize_if(struct seizure *s, bool so)
{
	if (so && seize_take(s))
		return true;
	seize_drop(s);
	return false;
}

bool seize_loan(struct p *p)
{
	struct seizure s;

	if (!seize_ask(p, &s))
		return false;
	fence_heavy(); /* @pair loan */
	return seize_if(&s, load_acq(&s.g->status) == G_SYSCALL);
}

/* ---- the trace ---- */

u64 hold_renew(struct g *g, u64 *date)
{
	u64 w, same;

	do {
		w = load_acq(&g->hold);
		same = hold_of(w) == HOLD_LOST ? HOLD_LOST : HOLD_KEPT;
		*date = trace_date();
		/* acq_rel, @pair hold: who reads the new word knows that a trace has begun. */
	} while (!cas_ar(&g->hold, w, hold_make(hold_serial(w) + 1, hold_pid(w), same)));
	return w;
}

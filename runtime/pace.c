/* Credit and debt of a process under a CPU quota; pace.h says why. */
#include "runtime/pace.h"

#include "runtime/cgroup.h"
#include "runtime/limit.h"
#include "runtime/opts.h"
#include "runtime/os.h"
#include "runtime/proc.h"
#include "runtime/procs.h"
#include "runtime/stats.h"
#include "runtime/stw.h"

#define MS 1000000l
#define DEBT_NS (2 * MS)   /* a P rests for each of these, and for less the next one works on */
#define CREDIT_NS (5 * MS) /* saved up at most: what a period may be overrun by */
#define ASK_NS (1 * MS)	   /* who is to give its P back is asked this often */
#define REST_MIN_NS (MS / 5)
#define REST_MAX_NS (5 * MS)
#define WORK_MIN_NS (1 * MS)
#define IDLE_NS (100 * MS)

static i64 at_least(i64 a, i64 b)
{
	return a > b ? a : b;
}

static i64 at_most(i64 a, i64 b)
{
	return a < b ? a : b;
}

static void make_up(struct pace *a, u64 now, u64 share)
{
	i64 cpu = os_process_cpu();
	i64 earned = at_most((i64)(now - a->at_ns), 1000 * MS) * (i64)share / QUOTA_UNIT;
	i64 spent = cpu - a->cpu_ns;

	if (!a->at_ns)
		earned = spent = 0;
	a->credit = at_most(a->credit + earned - spent, CREDIT_NS);
	a->little = spent < earned / 2;
	a->at_ns = now;
	a->cpu_ns = cpu;
}

/* More of them the deeper the debt, all of them back when it is paid. */
static void rest(struct pace *a, u32 procs)
{
	u32 want = a->credit < 0 ? (u32)at_most(-a->credit / DEBT_NS, procs) : 0;

	if (want == a->resting || (want < a->resting && a->credit < 0))
		return;
	if (want > a->resting)
		stat_add(rests, 1);
	a->resting = want;
	procs_lend(procs - want);
}

/* From now to when the debt is paid, or may be too deep at the earliest. */
static i64 until_due(struct pace *a, u32 procs, u64 share)
{
	if (a->resting) {
		u64 mask = crit_enter();
		u32 held = call_in(procs - a->resting, true);

		crit_leave(mask);
		return held ? ASK_NS
			    : at_most(at_least(-a->credit * QUOTA_UNIT / (i64)share, REST_MIN_NS),
				      REST_MAX_NS);
	}
	a->interval = a->little ? at_most(at_least(a->interval * 2, WORK_MIN_NS), IDLE_NS) : 0;
	/* At the worst each P, and a call beside it, uses a CPU. */
	return at_least(a->interval, at_least((a->credit + DEBT_NS) / (2 * procs), WORK_MIN_NS));
}

void pace_stop(struct pace *a)
{
	if (a->resting)
		procs_lend(load_rlx(&sched.gomaxprocs));
	*a = (struct pace){ 0 };
}

u64 pace_round(struct pace *a, u64 now)
{
	u64 share = limit_share();
	u32 procs = load_rlx(&sched.gomaxprocs);

	if (share == QUOTA_NONE || opts.pace == PACE_OFF || load_rlx(&sched.dissolved)) {
		pace_stop(a);
		return 0;
	}
	if (now < a->due_ns)
		return a->due_ns;
	make_up(a, now, share);
	/* Whoever changed the number of Ps meanwhile has lent them all. */
	if (load_rlx(&sched.nlent) == procs)
		a->resting = 0;
	rest(a, procs);
	a->due_ns = now + (u64)until_due(a, procs, share);
	return a->due_ns;
}

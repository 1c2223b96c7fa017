/* The one place that decides how many Ps there are. */
#include "runtime/limit.h"

#include "runtime/cgroup.h"
#include "runtime/lock.h"
#include "runtime/opts.h"
#include "runtime/os.h"
#include "runtime/proc.h"
#include "runtime/procs.h"

#define ASKED_MAX 64 /* threads whose masks are read and tell nothing new: 20 us in all */
#define FIRST_NS 10000000ul

static struct cgroup cgroup; /* here, because the stack is the host's and may be small */
static u64 mask[CPU_WORDS];
static au32 followed;
static u64 cpus, quota = QUOTA_NONE; /* at the last look */

/*
 * CPUs that some thread of ours may use.  One thread's mask does not do: a host may pin each of its
 * threads to a CPU of its own, and the first of them starts us.
 */
static u64 cpus_usable(void)
{
	u64 count = 0;
	u32 left = ASKED_MAX;

	__builtin_memset(mask, 0, sizeof(mask));
	os_cpu_mask(0, mask);
	for (struct m *m = allm(); m && left; m = m->alllink)
		if (load_acq(&m->live)) /* @pair live */
			left = os_cpu_mask(m->tid, mask) ? ASKED_MAX : left - 1;
	for (u32 i = 0; i < CPU_WORDS; i++)
		for (u64 bits = mask[i]; bits; bits &= bits - 1)
			count++;
	return count;
}

/* The quota, where it is less than the CPUs. */
static u64 binding(void)
{
	return quota < cpus * QUOTA_UNIT ? quota : QUOTA_NONE;
}

void limit_look(void)
{
	cpus = cpus_usable();
	quota = cgroup_limit(&cgroup);
	/* relaxed: spin.c's hint. */
	store_rlx(&sched.ncpu, binding() == QUOTA_NONE ? (u32)cpus : 0);
}

u32 limit_procs(void)
{
	u64 up = opts.quota_round == QUOTA_ROUND_CEIL ? QUOTA_UNIT - 1 : 0, procs;

	if (opts.maxprocs)
		return opts.maxprocs;
	limit_look();
	procs = cpus;
	if (binding() != QUOTA_NONE)
		procs = (quota + up) / QUOTA_UNIT;
	if (procs > MAXPROCS_MAX)
		procs = MAXPROCS_MAX;
	return procs ? (u32)procs : 1;
}

u32 limit_start(void)
{
	store_rlx(&followed, !opts.maxprocs);
	return limit_procs();
}

u64 limit_share(void)
{
	return limit_followed() ? binding() : QUOTA_NONE;
}

bool limit_followed(void)
{
	return load_rlx(&followed); /* relaxed: the lock decides in the end */
}

u64 limit_next(u64 now)
{
	u64 in = 9 * (now - sched.start_ns);

	if (in < FIRST_NS)
		in = FIRST_NS;
	return now + (in < LIMIT_EVERY_NS ? in : LIMIT_EVERY_NS);
}

void limit_follow(void)
{
	u32 n = limit_procs();
	u64 signals = crit_enter();

	mutex_lock(&sched.limit);
	if (load_rlx(&followed) && n != load_rlx(&sched.gomaxprocs))
		procresize(n);
	mutex_unlock(&sched.limit);
	crit_leave(signals);
}

u32 limit_set(u32 n)
{
	u64 signals = crit_enter();
	u32 old;

	mutex_lock(&sched.limit);
	limit_freeze();
	old = procresize(n);
	mutex_unlock(&sched.limit);
	crit_leave(signals);
	return old;
}

void limit_freeze(void)
{
	store_rlx(&followed, 0);
}

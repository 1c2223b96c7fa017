/* The scheduler's laws; laws.h. */
#include "tests/unit/laws.h"

#include "tests/unit/fake_g.h"

struct laws laws;

u64 laws_hold_seen_by_owner(struct g *g)
{
	for (u32 i = 0; i < fake.nm; i++) {
		struct fake_m *m = &fake.m[i];

		if ((m == fake.self ? gmp_tls_m : m->tls) == g->m)
			return model_view(m, &g->hold, sizeof(g->hold));
	}
	return g->hold.v;
}

static void check_holders(void)
{
	struct g *owner[MAXPROCS_MAX > 64 ? 64 : MAXPROCS_MAX] = { 0 };

	for (struct m *m = allm(); m; m = m->alllink) {
		u64 w = laws_hold_seen_by_owner(m->g);
		u32 id = hold_pid(w);

		if (hold_of(w) == HOLD_LOST || hold_serial(w) == 0)
			continue;
		if (owner[id])
			fake_fail("g%lu and g%lu both hold p%u", m->g->goid, owner[id]->goid, id);
		if (sched.allp[id]->status.v != P_RUNNING)
			fake_fail("g%lu holds p%u, whose status is %u", m->g->goid, id,
				  sched.allp[id]->status.v);
		if (laws.world_stopped)
			fake_fail("g%lu holds p%u in a stopped world", m->g->goid, id);
		if (sched.pidle[0].v >> id & 1)
			fake_fail("g%lu holds p%u, which is idle", m->g->goid, id);
		owner[id] = m->g;
	}
}

static void check_users(void)
{
	for (u32 i = 0; i < fake.nm; i++) {
		struct fake_m *m = &fake.m[i];
		struct m *rm = m == fake.self ? gmp_tls_m : m->tls;

		if (!m->user || m->excused || m->stray || !rm->g || rm->depth)
			continue;
		if (m != fake.self && (m->armed || fake_deliverable(m) >= 0))
			continue; /* the handler comes before its next instruction */
		if (hold_of(laws_hold_seen_by_owner(rm->g)) == HOLD_LOST)
			fake_fail("g%lu (thread %d) runs without a P", rm->g->goid, m->tid);
	}
}

/* Its sections block all signals.  Inside of them what is checked below may be so for a moment. */
static bool outside_of_scheduler(void)
{
	for (u32 i = 0; i < fake.nm; i++) {
		struct fake_m *m = &fake.m[i];
		bool sysmon = m == fake.sysmon;

		if (m->mask == ~0ul && (!sysmon || m->state < FAKE_FUTEX) && m->state != FAKE_DONE)
			return false;
	}
	return true;
}

static void check_books(void)
{
	u32 queued = sched.runq.size.v + sched.vainq.size.v, handed = 0;

	if (!outside_of_scheduler())
		return;
	for (u32 i = 0; i < MAXPROCS_MAX / HOME_PS; i++)
		queued += sched.homes[i].backq.size.v + sched.homes[i].lockq.size.v;
	for (u32 i = 0; i < sched.nallp.v; i++) {
		struct p *p = sched.allp[i];

		queued += p->runqtail.v - p->runqhead.v;
		handed += i < sched.nlent.v && p->status.v == P_RUNNING;
	}
	if (handed + sched.npidle.v != sched.nlent.v)
		fake_fail("a P is lost: handed out %u, idle %u", handed, sched.npidle.v);
	if (queued && sched.npidle.v && !sched.stopping.v)
		fake_fail("%u wait and %u Ps are idle", queued, sched.npidle.v);
	if (sched.nwait.v < queued)
		fake_fail("nwait=%u and %u are queued", sched.nwait.v, queued);
}

/* Who waits for a P has a sysmon to see to it, unless nobody else could have one. */
static void check_life(void)
{
	if (laws.life && sched.life.key.v == 0 && sched.sysmon_on.v != SYSMON_ON && sched.nwait.v &&
	    sched.ng.v > 1)
		fake_fail("%u wait and there is no sysmon", sched.nwait.v);
}

/* Who is queued and asleep has kicked sysmon, so sysmon must not sleep longer than its back-off. */
static void check_doze(void)
{
	struct fake_m *m = fake.sysmon;
	u32 awake = 0;

	if (!m || m->state != FAKE_FUTEX || m->deadline <= fake.now + 1100 * US)
		return;
	for (u32 i = 0; i < fake.nm; i++) {
		struct m *rm = &fake.m[i] == fake.self ? gmp_tls_m : fake.m[i].tls;

		if (fake.m[i].state > FAKE_STALLED && fake.m[i].mask != ~0ul)
			continue; /* not: one that waits for a queue's lock, and will look then */
		if (sched.sysmon_asleep.v < SYSMON_LINGERS)
			return; /* may be about to wake it */
		awake += rm && rm->queued;
	}
	if (sched.nwait.v > awake)
		fake_fail("sysmon sleeps and %u wait", sched.nwait.v - awake);
}

void laws_check(void)
{
	check_doze();
	check_life();
	check_holders();
	check_users();
	check_books();
}

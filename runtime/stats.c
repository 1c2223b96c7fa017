/* The counters in words: one line at exit, and by name for programs. */
#include "runtime/stats.h"

#include "runtime/fence.h"
#include "runtime/gmprt.h"
#include "runtime/home.h"
#include "runtime/os.h"
#include "runtime/print.h"
#include "runtime/runq.h"

#define STRAYS_SHOWN 8

void stat_raise(au64 *a, u64 n)
{
	u64 old = load_rlx(a);

	while (n > old && !cas_acq(a, old, n))
		old = load_rlx(a);
}

void stat_stray(int call)
{
	u32 slot = call == PROBE_UNKNOWN ? STRAY_KINDS - 1 : (u32)(call + 1);

	stat_add(strays, 1);
	add_rlx(&stats_now()->stray_calls[slot < STRAY_KINDS ? slot : STRAY_KINDS - 1], 1);
}

void stat_waited(u64 ns)
{
	struct stats *s = stats_now();

	add_rlx(&s->latency[latency_bucket(ns)], 1);
	add_rlx(&s->latency_ns, ns);
	stat_raise(&s->maxwait_ns, ns);
}

static void count_g(struct g *g, struct gauges *ret)
{
	switch (load_rlx(&g->status)) {
	case G_RUNNABLE:
		ret->runnable++;
		break;
	case G_SYSCALL:
		ret->in_call++;
		break;
	case G_RUNNING:
		if (hold_of(load_rlx(&g->hold)) == HOLD_LOST)
			ret->stray++;
		else
			ret->running++;
		break;
	case G_DEAD:
		return;
	default:
		ret->waiting++;
	}
	ret->gs++;
}

void stats_gauges(struct gauges *ret)
{
	*ret = (struct gauges){ .gomaxprocs = load_rlx(&sched.gomaxprocs),
				.idle = load_rlx(&sched.npidle),
				.threads = load_rlx(&sched.ng) +
					   (load_rlx(&sched.sysmon_on) == SYSMON_ON),
				.runq = globrunq_size(),
				.backq = homes_back(),
				.membarrier = fence_is_cheap() };
	for (struct m *m = allm(); m; m = m->alllink)
		count_g(m->g, ret);
}

/* The syscall slot with the next lower count than (count, slot), or -1. */
static int next_stray(u32 *count, int slot)
{
	int best = -1;
	u32 most = 0;

	for (int i = 0; i < STRAY_KINDS; i++) {
		u32 n = load_rlx(&stats_now()->stray_calls[i]);

		if (n <= most || n > *count || (n == *count && i <= slot))
			continue;
		most = n;
		best = i;
	}
	*count = most;
	return best;
}

static size_t format_strays(char *buf, size_t len)
{
	u32 count = ~0u;
	size_t n = 0;
	int slot = -1;

	for (int shown = 0; shown < STRAYS_SHOWN; shown++) {
		slot = next_stray(&count, slot);
		if (slot < 0)
			break;
		n += gmp_format(buf + n, len - n, "%s", shown ? " " : " [");
		if (slot == STRAY_KINDS - 1)
			n += gmp_format(buf + n, len - n, "?:%u", count);
		else if (slot == 0)
			n += gmp_format(buf + n, len - n, "pf:%u", count);
		else
			n += gmp_format(buf + n, len - n, "%d:%u", slot - 1, count);
	}
	if (n)
		n += gmp_format(buf + n, len - n, "]");
	return n;
}

void stats_print(void)
{
	char strays[256] = "";

	format_strays(strays, sizeof(strays));
	gmp_warn("stats: maxprocs=%u threads=%lu handoffs=%lu pickups=%lu retakes=%lu strays=%lu%s "
		 "preempts=%lu overcap=%lu parks=%lu maxwait=%luus",
		 load_rlx(&sched.gomaxprocs), stat_get(peak_gs), stat_get(handoffs),
		 stat_get(pickups), stat_get(retakes), stat_get(strays), strays, stat_get(preempts),
		 stat_get(overcap), stat_get(parks), stat_get(maxwait_ns) / 1000);
}

/* ---- the public form: gmprt.h ---- */

struct list {
	struct gmp_stat *at;
	int room, n;
};

static void put(struct list *l, const char *name, u64 value)
{
	if (l->n++ < l->room)
		*l->at++ = (struct gmp_stat){ name, value };
}

int gmp_read_stats(struct gmp_stat *stats, int room)
{
	struct list l = { stats, room, 0 };
	struct gauges now;

	stats_gauges(&now);
#define STAT(name, kind, metric, help) put(&l, metric, stat_get(name));
#define GAUGE(name, metric, help) put(&l, metric, now.name);
#include "runtime/stats.def"
#undef STAT
#undef GAUGE
	return l.n;
}

int gmp_read_latencies(struct gmp_latency *buckets, int room)
{
	for (int i = 0; i < room && i < LATENCIES; i++)
		buckets[i] = (struct gmp_latency){ latency_floor((u32)i), stat_get(latency[i]) };
	return LATENCIES;
}

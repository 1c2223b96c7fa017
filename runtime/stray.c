/* The list of strays: who is on it, who has run since; stray.h. */
#include "runtime/stray.h"

#include <asm/unistd.h>

#include "runtime/life.h"
#include "runtime/opts.h"
#include "runtime/os.h"
#include "runtime/preempt.h"
#include "runtime/proc.h"
#include "runtime/stats.h"
#include "runtime/trace.h"

#define MS 1000000ul
/* How often: those that come and go, those that sleep, and those that sleep while nobody waits. */
#define MIN_NS (1 * MS)
#define MAX_NS (20 * MS)
#define QUIET_NS (250 * MS)
#define QUIET_SHARE 16 /* parts of the time that all have slept: so long one may run unseen */
/* Plus so much for each: a look takes below a microsecond, and shall be below 0.1 % of a CPU while
 * they sleep, and a few percent while they move. */
#define EACH_NS (1 * MS)
#define EACH_MOVES_NS (MS / 100)

void stray_add(struct g *g)
{
	if (g->on_strays)
		return;
	g->on_strays = true;
	g->stray_cpu = os_thread_cpu(g->m->tid);
	g->stray_sent_ns = 0;
	g->straylink = sched.strays;
	sched.strays = g;
	sched.nstray++;
}

void stray_found(struct g *g, int call)
{
	stat_stray(call);
	trace(GO_STRAY, (u32)call, g->goid);
	/* relaxed, both: a hint, preempt.h says what of. */
	if (call >= 0 && load_rlx(&g->m->sleeper) != SLEEPER_CUT)
		store_rlx(&g->m->sleeper, call == __NR_futex ? SLEEPER_FUTEX : SLEEPER_CUT);
	stray_add(g);
}

static bool is_stray(struct g *g)
{
	return load_acq(&g->status) == G_RUNNING && hold_of(load_rlx(&g->hold)) == HOLD_LOST &&
	       load_rlx(&g->m->live);
}

/* A stray that is seen running again needs a P like everybody: the signal brings it home. */
static bool look(struct g *g, u64 now)
{
	u64 goid = g->goid;
	i64 cpu = os_thread_cpu(g->m->tid);

	if (cpu < 0 && os_thread_gone(g->m->tid)) {
		bury(g, goid);
		return true;
	}
	if (cpu == g->stray_cpu)
		return false;
	g->stray_cpu = cpu;
	if (opt_now(preempt) == PREEMPT_SIGNAL && now - g->stray_sent_ns >= RESEND_NS &&
	    os_probe(g->m->tid) == PROBE_RUNNING) {
		g->stray_sent_ns = now;
		preempt_send(g);
	}
	return true;
}

bool strays_look(u64 now)
{
	struct g **at = &sched.strays, *g;
	bool moved = false;

	while ((g = *at)) {
		if (is_stray(g)) {
			moved |= look(g, now);
			at = &g->straylink;
			continue;
		}
		*at = g->straylink;
		g->on_strays = false;
		sched.nstray--;
		moved = true;
	}
	return moved;
}

/*
 * Who runs while nobody waits for a P is over the cap at most, and it is an idle program that is
 * woken to look: a server with a thread in io_uring_enter() has a stray all its life.
 */
u64 strays_delay(u64 last, bool moved)
{
	u64 n = sched.nstray, most = MAX_NS + n * EACH_NS, next = last + last / QUIET_SHARE;

	if (moved || last < MIN_NS)
		return MIN_NS + n * EACH_MOVES_NS;
	if (last < most)
		return last * 2 < most ? last * 2 : most;
	/* relaxed: a guess, corrected at the next look. */
	if (most > QUIET_NS || load_rlx(&sched.nwait))
		return most;
	return next < QUIET_NS ? next : QUIET_NS;
}

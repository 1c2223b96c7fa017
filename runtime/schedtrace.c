/*
 * Racy reads of guarded words: lines for people, as in Go.  What is not there has the value that it
 * would have in Go: nobody spins for work, a P has no timers and no dead Gs of its own.  A G that
 * waits for a P is in Go's words one that is locked to an idle M.
 */
#include "runtime/schedtrace.h"

#include "runtime/home.h"
#include "runtime/opts.h"
#include "runtime/os.h"
#include "runtime/print.h"
#include "runtime/runq.h"

#define LINE 4096
#define DETAIL_MAX 256 /* no line below the first is longer */

/* Whole lines, as many as fit, are one write: other processes may append to the same file. */
struct text {
	char buf[LINE];
	size_t n;
};

static int file = -1;

void schedtrace_open(void)
{
	static bool said;
	char why[32];
	int err;

	if (!opts.schedtrace || !opts.schedtrace_file[0])
		return;
	err = file = os_append(opts.schedtrace_file);
	if (err < 0 && !said)
		gmp_warn("schedtrace: %s: %s; using stderr", opts.schedtrace_file,
			 gmp_error(-err, why, sizeof(why)));
	said |= err < 0;
}

static void flush(struct text *t)
{
	os_write(file < 0 ? os_stderr() : file, t->buf, t->n);
	t->n = 0;
}

PRINTF(2, 3) static void put(struct text *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	t->n += gmp_vformat(t->buf + t->n, LINE - 1 - t->n, fmt, ap);
	va_end(ap);
}

static void end_line(struct text *t)
{
	t->buf[t->n++] = '\n';
	if (LINE - t->n < DETAIL_MAX)
		flush(t);
}

/* Go's "nil" for what is not there. */
static void put_id(struct text *t, const char *name, bool there, u64 id)
{
	if (there)
		put(t, " %s=%lu", name, id);
	else
		put(t, " %s=nil", name);
}

/* Ms that sleep in the kernel without a P: Go's idle threads have nothing to run either. */
static u32 idle_threads(u32 procs)
{
	u32 busy = procs - load_rlx(&sched.npidle) + load_rlx(&sched.nwait),
	    all = load_rlx(&sched.ng);

	return all > busy ? all - busy : 0;
}

static void put_head(struct text *t, u64 now, u32 procs)
{
	put(t,
	    "SCHED %lums: gomaxprocs=%u idleprocs=%u threads=%u spinningthreads=0 "
	    "needspinning=0 idlethreads=%u runqueue=%u",
	    (now - sched.start_ns) / 1000000, procs, load_rlx(&sched.npidle),
	    load_rlx(&sched.ng) + 1, idle_threads(procs), globrunq_size() + homes_size());
}

static void put_lists(struct text *t, u32 procs)
{
	put(t, " [");
	for (u32 i = 0; i < procs; i++)
		put(t, " %u", runq_size(sched.allp[i]));
	put(t, " ] schedticks=[");
	for (u32 i = 0; i < procs; i++)
		put(t, " %u", load_rlx(&sched.allp[i]->schedtick));
	put(t, " ]");
	end_line(t);
}

static void put_p(struct text *t, struct p *p)
{
	static const u32 gos[] = { [P_IDLE] = 0, [P_RUNNING] = 1, [P_DEAD] = 4 };
	u32 status = load_rlx(&p->status);
	/* acquire, @pair owner. */
	struct g *g = status == P_RUNNING ? load_acq(&p->g) : NULL;

	put(t, "  P%u: status=%u schedtick=%u syscalltick=%u", p->id, gos[status],
	    load_rlx(&p->schedtick), g ? load_rlx(&g->syscalltick) : 0);
	put_id(t, "m", g, g ? g->m->id : 0);
	put(t, " runqsize=%u gfreecnt=0 timerslen=0", runq_size(p));
	end_line(t);
}

static void put_m(struct text *t, struct m *m)
{
	u32 status = load_rlx(&m->g->status);
	u64 hold = load_rlx(&m->g->hold);

	put(t, "  M%u:", m->id);
	put_id(t, "p", hold_of(hold) != HOLD_LOST, hold_pid(hold));
	put(t,
	    " curg=%lu mallocing=0 throwing=0 preemptoff= locks=%u dying=0 spinning=false "
	    "blocked=%s lockedg=%lu",
	    m->g->goid, load_rlx(&m->held),
	    status == G_RUNNABLE || status == G_WAITING ? "true" : "false", m->g->goid);
	end_line(t);
}

static void put_g(struct text *t, struct g *g)
{
	u32 status = load_rlx(&g->status), nr = load_rlx(&g->callno) & 0xffff;

	put(t, "  G%lu: status=%u(", g->goid, status);
	if (status == G_SYSCALL && nr != CALL_NONE)
		put(t, "syscall %u", nr);
	else if (status == G_RUNNING && hold_of(load_rlx(&g->hold)) == HOLD_LOST)
		put(t, "stray");
	put(t, ") m=%u lockedm=%u", g->m->id, g->m->id);
	end_line(t);
}

static void put_detail(struct text *t, u32 procs)
{
	struct m *all = allm();

	put(t, " gcwaiting=%s nmidlelocked=%u stopwait=0 sysmonwait=false",
	    load_rlx(&sched.stopping) ? "true" : "false", load_rlx(&sched.nwait));
	end_line(t);
	for (u32 i = 0; i < procs; i++)
		put_p(t, sched.allp[i]);
	for (struct m *m = all; m; m = m->alllink)
		if (load_rlx(&m->g->status) != G_DEAD)
			put_m(t, m);
	for (struct m *m = all; m; m = m->alllink)
		if (load_rlx(&m->g->status) != G_DEAD)
			put_g(t, m->g);
}

void schedtrace(u64 now)
{
	u32 procs = load_rlx(&sched.gomaxprocs);
	struct text t = { .n = 0 };

	put_head(&t, now, procs);
	if (opts.scheddetail)
		put_detail(&t, procs);
	else
		put_lists(&t, procs);
	if (t.n)
		flush(&t);
}

/* The page's birth and end, and sysmon's answers to what tools ask through it. */
#include "runtime/page.h"

#include "runtime/limit.h"
#include "runtime/opts.h"
#include "runtime/os.h"
#include "runtime/preempt.h"
#include "runtime/print.h"
#include "runtime/runq.h"
#include "runtime/stats.h"
#include "runtime/trace.h"

/* Not in sched: a forked child must find its parent's mapping, to get rid of it. */
static struct statpage *mapped;
static char path[64];
static u64 trace_until_ns; /* of the trace that a tool asked for: the tool may be gone; 0 = none */
static int sandbox;	   /* the kernel's seccomp mode when the page was made */

static void fill(struct statpage *page, u32 uid)
{
	page->version = STATPAGE_VERSION;
	page->size = sizeof(*page);
	page->pid = os_getpid();
	page->uid = uid;
	page->starttime = os_starttime();
	page->start_ns = sched.start_ns;
	/* One G is alive, and it waits for us: nobody counts meanwhile. */
	__builtin_memcpy(&page->stats, &sched.own_stats, sizeof(page->stats));
	store_rel(&page->magic, STATPAGE_MAGIC); /* @pair page: with the tools */
}

static void make(void)
{
	u32 uid = os_geteuid(), ns = os_pidns();
	char dir[48];

	gmp_format(dir, sizeof(dir), STATPAGE_DIR, uid);
	gmp_format(path, sizeof(path), "%s/" STATPAGE_NAME, dir, os_getpid(), ns);
	/* Without /proc nobody knows whose pid it is: no tool finds us, and others may sweep us. */
	mapped = ns ? os_share(dir, path, sizeof(*mapped)) : NULL;
	if (!mapped) {
		if (opts.verbose)
			gmp_warn("page: %s cannot be made; no gmp top for this process", path);
		return;
	}
	sandbox = os_seccomp();
	fill(mapped, uid);
	store_rel(&sched.page, mapped); /* @pair page */
}

void page_open(void)
{
	struct statpage *page;

	if (opts.page && !load_rlx(&sched.page))
		make();
	page = load_rlx(&sched.page);
	if (page)
		store_rlx(&page->watched,
			  1); /* relaxed: a tool asks, and then looks again and again */
}

void page_close(void)
{
	struct statpage *page = load_acq(&sched.page); /* @pair page */

	if (!page || page->pid != os_getpid() || os_seccomp() != sandbox)
		return;
	os_unlink(path);
}

void page_forget(void)
{
	if (mapped)
		os_blank(mapped, sizeof(*mapped));
	mapped = NULL;
	trace_until_ns = 0;
}

/* ---- rows ---- */

static void row_p(struct row_p *row, struct p *p)
{
	/* acquire, @pair owner. */
	struct g *g = load_rlx(&p->status) == P_RUNNING ? load_acq(&p->g) : NULL;

	*row = (struct row_p){ .goid = g ? g->goid : 0,
			       .granted_ns = load_rlx(&p->granted_ns),
			       .status = load_rlx(&p->status),
			       .schedtick = load_rlx(&p->schedtick),
			       .runq = runq_size(p),
			       .in_call = g && load_rlx(&g->status) == G_SYSCALL };
}

static void row_g(struct row_g *row, struct g *g)
{
	u64 hold = load_rlx(&g->hold);
	u32 status = load_rlx(&g->status);

	*row = (struct row_g){ .goid = g->goid,
			       .tid = g->m->tid,
			       .status = (u16)status,
			       .callno = (u16)load_rlx(&g->callno),
			       .p = hold_of(hold) == HOLD_LOST ? NO_P : (u16)hold_pid(hold),
			       .preempt = (u16)load_rlx(&g->preempt),
			       .calls = load_rlx(&g->syscalltick),
			       .since_ns = status == G_RUNNABLE ? g->ready_ns : 0 };
}

static void write_rows(struct statpage *page, u64 now)
{
	u32 np = load_rlx(&sched.gomaxprocs), ng = 0;

	store_rlx(&page->seq, load_rlx(&page->seq) + 1);
	fence_full(); /* @pair rows: odd before the first change */
	page->now_ns = now;
	stats_gauges(&page->gauges);
	page->np = np < ROWS_P ? np : ROWS_P;
	for (u32 i = 0; i < page->np; i++)
		row_p(&page->p[i], sched.allp[i]);
	for (struct m *m = allm(); m && ng < ROWS_G; m = m->alllink)
		if (load_rlx(&m->g->status) != G_DEAD)
			row_g(&page->g[ng++], m->g);
	page->ng = ng;
	store_rel(&page->seq, load_rlx(&page->seq) + 1); /* @pair rows */
}

/* ---- answers ---- */

bool page_wanted(void)
{
	struct statpage *page = load_acq(&sched.page); /* @pair page */

	return page && load_acq(&page->wants); /* @pair wants */
}

static void serve_trace(struct statpage *page, u32 wants)
{
	char file[sizeof(path) + sizeof(STATPAGE_TRACE)];
	int err;

	if (wants & WANT_TRACE) {
		gmp_format(file, sizeof(file), "%s" STATPAGE_TRACE, path);
		err = trace_start(file, load_rlx(&page->trace_size));
		store_rlx(&page->trace_error, (u32)-err);
		if (!err)
			trace_until_ns = load_rlx(&page->trace_until_ns);
	}
	if (wants & WANT_TRACE_END && trace_until_ns) {
		trace_stop();
		trace_until_ns = 0;
	}
}

static void change(u32 *option, u32 value)
{
	if (opts_takes(option, value))
		__atomic_store_n(option, value, __ATOMIC_RELAXED); /* see opt_now() */
}

static void say_knobs(struct knobs *in_force)
{
	store_rlx(&in_force->maxprocs, load_rlx(&sched.gomaxprocs));
	store_rlx(&in_force->slice_us, opts.slice_us);
	store_rlx(&in_force->preempt, opts.preempt);
}

/* Whatever an honest tool would not write changes nothing; it sees that by what is in force. */
static void serve_set(struct knobs *asked)
{
	u32 maxprocs = load_rlx(&asked->maxprocs), preempt = load_rlx(&asked->preempt);

	if (opts_takes(&opts.maxprocs, maxprocs))
		limit_set(maxprocs);
	change(&opts.slice_us, load_rlx(&asked->slice_us));
	if (preempt != PREEMPT_SIGNAL || load_rlx(&preempt_handled))
		change(&opts.preempt, preempt);
}

void page_serve(u64 now)
{
	struct statpage *page = load_acq(&sched.page); /* @pair page */
	u32 wants;

	if (trace_until_ns && now > trace_until_ns) {
		trace_stop();
		trace_until_ns = 0;
	}
	if (!page || !load_rlx(&page->wants))
		return;
	wants = xchg_ar(&page->wants, 0); /* @pair wants */
	if (wants & WANT_ROWS)
		write_rows(page, now);
	serve_trace(page, wants);
	if (wants & WANT_SET) {
		serve_set(&page->asked);
		say_knobs(&page->in_force);
	}
	add_ar(&page->answered, 1); /* @pair wants */
	os_futex_wake_shared(&page->answered, ~0u >> 1);
}

void page_leave(u64 now)
{
	struct statpage *page = load_acq(&sched.page); /* @pair page */

	if (!page)
		return;
	write_rows(page, now);
	say_knobs(&page->in_force);
	store_rel(&page->watched, 0); /* release, @pair rows: whoever sees it finds them */
}

/* Reserving and writing events, and turning the whole on and off; trace.h has the rules. */
#include "runtime/trace.h"

#include <asm/errno.h>
#include <cpuid.h>
#include <x86intrin.h>

#include "runtime/fence.h"
#include "runtime/hold.h"
#include "runtime/life.h"
#include "runtime/lock.h"
#include "runtime/opts.h"
#include "runtime/os.h"
#include "runtime/pidle.h"
#include "runtime/print.h"

#define MB (1ul << 20)
#define INVARIANT_TSC (1u << 8) /* cpuid 0x80000007, edx */

/* Address space for the largest file, kept for ever, also across fork: see trace_forget(). */
static char *range;
static u32 nchunks; /* of the file, the head not counted */
static u64 mapped;
static u32 clock;

/* Behind all loads: a P that was found granted was given up before this, on whatever CPU. */
u64 trace_clock(void)
{
	if (clock != TRACE_CLOCK_TSC)
		return os_nanotime();
	_mm_lfence();
	return __rdtsc();
}

static struct trace_moment moment(void)
{
	return (struct trace_moment){ trace_clock(), os_nanotime() };
}

static struct trace_head *head(void)
{
	return (struct trace_head *)range;
}

/* One instruction, so atomic to a handler on this thread, and a tenth of the price of a locked one.
 * Nobody else writes the word, but for trace_start(), when no thread is expected to trace.  All who
 * are no G have one track, and share it. */
static bool cas_at(struct m *m, u64 old, u64 new)
{
	au64 *word = &m->trace_at;
	bool done;

	if (m == &m_off)
		return cas_ar(word, old, new);
	__asm__ volatile("cmpxchgq %3, %1"
			 : "=@ccz"(done), "+m"(word->v), "+a"(old)
			 : "r"(new)
			 : "memory");
	return done;
}

static struct trace_chunk *chunk_of(u64 at)
{
	return (struct trace_chunk *)(at & ~(u64)(TRACE_CHUNK - 1));
}

static u32 mid_of(struct m *m)
{
	if (m == &m_off)
		return TRACE_OTHERS;
	return m == &m_sysmon ? TRACE_SYSMON : m->id + 1; /* 0 is a chunk being cleared */
}

/* A chunk of m's own; returns where its first event goes. */
static u64 take_chunk(struct m *m)
{
	u32 turn = add_rlx(&head()->taken, 1);
	struct trace_chunk *c =
		(struct trace_chunk *)(range + (u64)(1 + turn % nchunks) * TRACE_CHUNK);

	__builtin_memset(c, 0, TRACE_CHUNK);
	c->mid = mid_of(m);
	c->tid = m->tid;
	c->begin = moment();
	c->p = NO_P;
	if (m->g) {
		c->goid = m->g->goid;
		c->status = (u16)load_rlx(&m->g->status);
		c->callno = (u16)load_rlx(&m->g->callno);
		c->p = (u16)trace_p(m->g);
	}
	/* release, @pair trace: with who reads the file while we live. */
	store_rel(&c->turn, turn + 1);
	return (u64)(c + 1);
}

/* Where m's next event goes; a chunk that is full, or was taken again since, is left. */
static u64 place(struct m *m)
{
	u64 at = load_rlx(&m->trace_at);

	if (likely(at % TRACE_CHUNK && chunk_of(at)->mid == mid_of(m)))
		return at;
	/* A handler may be faster than we, here and in reserve(); then a chunk stays empty. */
	cas_at(m, at, take_chunk(m));
	return load_rlx(&m->trace_at);
}

static struct trace_event *reserve(struct m *m)
{
	for (;;) {
		u64 at = place(m);

		if (at % TRACE_CHUNK && cas_at(m, at, at + sizeof(struct trace_event)))
			return (struct trace_event *)at;
	}
}

void trace_event(enum trace_type type, u64 date, u32 a, u64 b)
{
	struct m *m = getm() ? getm() : &m_off;
	struct trace_event *e;

	/* acquire, @pair trace: the file is mapped. */
	if (!load_acq(&sched.tracing) || m == &m_vfork)
		return;
	if (date < head()->begin.ticks) /* decided before it began, which trace_status() tells */
		return;
	e = reserve(m);
	e->type = (u8)type;
	e->tag = (u8)mid_of(m);
	e->a = (u16)a;
	e->b = (u32)b;
	store_rel(&e->ticks, date); /* @pair trace */
}

/* ---- on and off ---- */

static u32 best_clock(void)
{
	u32 a, b, c, d;

	return __get_cpuid(0x80000007, &a, &b, &c, &d) && d & INVARIANT_TSC ? TRACE_CLOCK_TSC
									    : TRACE_CLOCK_NS;
}

/* Under sched.lock: who is live is this G until it takes the lock to go. */
static void trace_g_locked(struct m *m)
{
	struct g *g = m->g;
	u32 status, p;
	u64 date;

	if (!load_acq(&m->live)) /* first, @pair live: a new G's words are none yet */
		return;
	p = trace_held(hold_renew(g, &date));
	status = load_rlx(&g->status);
	if (status == G_RUNNABLE && p != NO_P)
		status = G_RUNNING; /* it has just got it */
	trace_dated(date, GO_STATUS, load_rlx(&g->callno) & 0xffff, g->goid);
	trace_dated(date, GO_STATUS_THREAD, status << 13 | (p & 0x1fff), (u32)m->tid);
}

/*
 * What is so at the start: who waits in which call, and who has which P.  What changes meanwhile is
 * an event of its own: a change that was under way without the clock was made before its G's word
 * was renewed, which tells of it, or begins again.
 */
static void trace_status(void)
{
	trace(PROCS_CHANGE, 0, load_rlx(&sched.gomaxprocs));
	for (struct m *m = allm(); m; m = m->alllink) {
		mutex_lock(&sched.lock);
		trace_g_locked(m);
		mutex_unlock(&sched.lock);
	}
	for (u32 i = 0; i < load_rlx(&sched.gomaxprocs); i++) {
		u64 date = trace_date(); /* before the look: what comes after it is an event */

		if (pidle_has(i))
			trace_dated(date, PROC_STATUS, i, 0);
	}
}

static void begin(void)
{
	struct trace_head *h = head();

	clock = best_clock();
	*h = (struct trace_head){ .version = TRACE_VERSION,
				  .chunk_size = TRACE_CHUNK,
				  .size = mapped,
				  .pid = os_getpid(),
				  .clock = clock,
				  .starttime = os_starttime(),
				  .begin = moment() };
	__builtin_memcpy(h->magic, TRACE_MAGIC, sizeof(h->magic));
	nchunks = (u32)(mapped / TRACE_CHUNK) - 1;
	m_sysmon.tid = os_gettid();
	store_rlx(&m_sysmon.trace_at, 0);
	store_rlx(&m_off.trace_at, 0);
	for (struct m *m = allm(); m; m = m->alllink)
		store_rlx(&m->trace_at, 0);
	store_rel(&sched.tracing, 1); /* @pair trace */
	/* @pair trace: who does not see it yet is seen to be live, or to have got its P. */
	fence_heavy();
	if (sched.page.v)
		store_rlx(&sched.page.v->tracing, 1);
	trace_status();
}

static int start(const char *path, u64 size, bool create)
{
	int err;

	if (load_rlx(&sched.tracing))
		return -EBUSY;
	size &= ~(u64)(TRACE_CHUNK - 1);
	if (size < 16 * TRACE_CHUNK || size > TRACE_MAX)
		return -EINVAL;
	if (!range) {
		range = os_reserve(TRACE_MAX + TRACE_CHUNK);
		if (!range)
			return -ENOMEM;
		range += -(uintptr_t)range % TRACE_CHUNK;
	}
	err = os_map_file(path, size, create, range);
	if (err)
		return err;
	mapped = size;
	begin();
	return 0;
}

int trace_start(const char *path, u64 size)
{
	return start(path, size, false);
}

/* Several programs may have been given the same name, by the environment: the first gets it. */
static bool taken_by_another(const char *path)
{
	struct trace_head h;

	return os_fds_are_private() && os_read_file(path, 0, (char *)&h, sizeof(h)) == sizeof(h) &&
	       __builtin_memcmp(h.magic, TRACE_MAGIC, sizeof(h.magic)) == 0 && h.end.ns == 0 &&
	       h.pid != os_getpid() && os_process_alive(h.pid);
}

void trace_from_start(void)
{
	static i32 done; /* by this pid: a forked child makes a file of its own */
	char path[sizeof(opts.trace) + 16], why[32];
	int err;

	if (!opts.trace[0] || done == os_getpid())
		return;
	done = os_getpid();
	gmp_format(path, sizeof(path), "%s", opts.trace);
	if (taken_by_another(path))
		gmp_format(path, sizeof(path), "%s.%d", opts.trace, os_getpid());
	err = -start(path, opts.trace_mb * MB, true);
	if (err)
		gmp_warn("trace: %s: %s; running without a trace", path,
			 gmp_error(err, why, sizeof(why)));
}

void trace_stop(void)
{
	struct trace_head *h = head();
	u64 used;

	if (xchg_ar(&sched.tracing, 0) == 0)
		return;
	h->end = moment();
	used = (1 + (u64)load_rlx(&h->taken)) * TRACE_CHUNK;
	if (used < mapped)
		os_punch(range + used, mapped - used);
	if (sched.page.v)
		store_rlx(&sched.page.v->tracing, 0);
	os_blank(range, mapped);
}

void trace_forget(void)
{
	if (!mapped)
		return;
	os_blank(range, mapped);
	mapped = 0;
}

/*
 * Only racy reads of type-stable memory, so it may be taken anywhere; of one moment when the world
 * is stopped.
 */
#include "preload/snapshot.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#include "runtime/life.h"
#include "runtime/os.h"
#include "runtime/print.h"
#include "runtime/text.h"

#define SPARE 64 /* Gs that are born while we look */

/* Where a thread is that is asleep outside of our brackets; the kernel says it in one line. */
static void find_blocked(struct shot *t)
{
	char path[64], line[256];
	const char *at = line;
	i64 n;

	gmp_format(path, sizeof(path), "/proc/self/task/%d/syscall", t->tid);
	n = os_read_file(path, 0, line, sizeof(line) - 1);
	if (n <= 0 || line[0] < '0' || line[0] > '9')
		return;
	line[n] = 0;
	t->blocked = (i32)text_number(&at, 10);
	/* Six arguments, the stack pointer, and the program counter. */
	for (int word = 0; word < 8; word++)
		at = text_behind(at, " 0x");
	t->pc = text_number(&at, 16);
}

/*
 * Is m->gate_sp the frame of a function that has not returned?  It is not where the bracket is the
 * program's own (gmp_entersyscall), or vfork's.
 */
static bool has_frame(const struct m *m)
{
	return m->depth && m->gate_sp && m->gate_sp != UINTPTR_MAX && !(m->api_brackets & 1) &&
	       (load_rlx(&m->g->callno) & 0xffff) != SYS_vfork;
}

static void take(struct shot *t, struct m *m)
{
	struct g *g = m->g;

	*t = (struct shot){ .m = m,
			    .goid = g->goid,
			    .hold = load_rlx(&g->hold),
			    .class = load_rlx(&m->class),
			    .ready_ns = g->ready_ns,
			    .tid = m->tid,
			    .blocked = -1,
			    .status = load_rlx(&g->status),
			    .callno = load_rlx(&g->callno),
			    .depth = m->depth,
			    .sig = load_rlx(&m->sig),
			    .park = load_rlx(&m->park.key),
			    .self = m == getm() };
	if (t->self && m->api_brackets & 1)
		t->status = G_RUNNING; /* but for the bracket of who stops the world */
	if (t->self)
		return;
	if (has_frame(m))
		t->fp = m->gate_sp;
	else
		find_blocked(t);
}

static bool before(const struct shot *a, const struct shot *b)
{
	return a->self != b->self ? a->self : a->goid < b->goid;
}

/* Shell's sort: no recursion, no memory. */
static void sort(struct shot *at, u32 n)
{
	for (u32 gap = n / 2; gap; gap /= 2)
		for (u32 i = gap; i < n; i++) {
			struct shot x = at[i];
			u32 j = i;

			for (; j >= gap && before(&x, &at[j - gap]); j -= gap)
				at[j] = at[j - gap];
			at[j] = x;
		}
}

struct snapshot *snapshot_take(void)
{
	u32 room = load_rlx(&sched.ng) + SPARE;
	size_t len = sizeof(struct snapshot) + room * sizeof(struct shot);
	struct snapshot *s =
		mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct m *self = getm();

	if (s == MAP_FAILED)
		return NULL;
	s->pid = os_getpid();
	s->now_ns = os_nanotime();
	s->len = len;
	/* Who has no G, before the first thread or beside them, shows itself all the same. */
	if (self != &m_sysmon && !(self && load_rlx(&self->live)))
		s->at[s->n++] = (struct shot){ .tid = os_gettid(), .blocked = -1, .self = true };
	for (struct m *m = allm(); m && s->n < room; m = m->alllink)
		if (load_rlx(&m->live))
			take(&s->at[s->n++], m);
	sort(s->at, s->n);
	return s;
}

void snapshot_free(struct snapshot *s)
{
	munmap(s, s->len);
}

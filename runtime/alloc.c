/* Slabs of whole cache lines, carved once; free Gs keep their M for ever. */
#include "runtime/alloc.h"

#include "runtime/os.h"

#define SLAB (64 * 1024)
#define LINE 64

static void *carve(size_t size)
{
	void *at;

	size = (size + LINE - 1) & ~(size_t)(LINE - 1);
	if (!sched.slab_pos || sched.slab_pos + size > sched.slab_end) {
		char *slab = os_pages(SLAB);

		if (!slab)
			return NULL;
		sched.slab_pos = slab;
		sched.slab_end = slab + SLAB;
	}
	at = sched.slab_pos;
	sched.slab_pos += size;
	return at;
}

struct gm {
	struct g g;
	struct m m __attribute__((aligned(LINE)));
};

struct g *alloc_g(void)
{
	struct m *m = sched.mfree;
	struct gm *gm;

	if (m) {
		sched.mfree = m->freelink;
		return m->g;
	}
	gm = carve(sizeof(*gm));
	if (!gm)
		return NULL;
	gm->g.m = &gm->m;
	gm->m.g = &gm->g;
	gm->m.id = sched.mnext++;
	gm->m.alllink = sched.allm;
	/* release, @pair allm: sched_dissolve() walks the list without the lock. */
	__atomic_store_n(&sched.allm, &gm->m, __ATOMIC_RELEASE);
	return &gm->g;
}

void free_g(struct g *g)
{
	g->m->freelink = sched.mfree;
	sched.mfree = g->m;
}

struct p *alloc_p(void)
{
	return carve(sizeof(struct p));
}

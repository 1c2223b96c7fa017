/* Slabs of whole cache lines, carved once; free Gs keep their M for ever. */
#include "runtime/alloc.h"

#include "runtime/os.h"

#define SLAB (64 * 1024)
#define LINE 64

static void *carve(struct slab *slab, size_t size)
{
	void *at;

	size = (size + LINE - 1) & ~(size_t)(LINE - 1);
	if (!slab->pos || slab->pos + size > slab->end) {
		char *pages = os_pages(SLAB);

		if (!pages)
			return NULL;
		if (slab != &sched.kept)
			os_wipe_on_fork(pages, SLAB); /* refused: fork.c wipes by hand */
		*slab = (struct slab){ pages, pages + SLAB };
	}
	at = slab->pos;
	slab->pos += size;
	return at;
}

struct gm {
	struct g g;
	struct m m __attribute__((aligned(LINE)));
};

struct g *alloc_g(void)
{
	struct m *m = sched.mfree;
	struct birth *birth;
	struct gm *gm;

	if (m) {
		sched.mfree = m->freelink;
		return m->g;
	}
	gm = carve(&sched.slab, sizeof(*gm));
	birth = carve(&sched.kept, sizeof(*birth));
	if (!gm || !birth)
		return NULL;
	gm->g.m = &gm->m;
	gm->m.g = &gm->g;
	gm->m.birth = birth;
	gm->m.id = sched.mnext++;
	gm->m.alllink = load_rlx(&sched.allm);
	/* release, @pair allm: complete before it is seen without the lock. */
	store_rel(&sched.allm, &gm->m);
	return &gm->g;
}

void free_g(struct g *g)
{
	g->m->freelink = sched.mfree;
	sched.mfree = g->m;
}

struct p *alloc_p(void)
{
	return carve(&sched.slab, sizeof(struct p));
}

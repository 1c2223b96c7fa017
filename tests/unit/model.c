/* The store buffers of model_atomic.h.  Without that header nobody calls model_store(). */
#include "tests/unit/model.h"

#include <string.h>

#include "tests/unit/fake_os.h"

#define BUFFER (sizeof(((struct fake_m *)0)->stores) / sizeof(struct fake_store))

static bool modelled(void)
{
	return fake.self && fake.seed;
}

static void drain_one(struct fake_m *m)
{
	struct fake_store *s = m->stores;

	memcpy(s->addr, &s->value, s->size);
	m->nstores--;
	memmove(s, s + 1, m->nstores * sizeof(*s));
}

void model_drain(struct fake_m *m)
{
	while (m->nstores)
		drain_one(m);
}

/* Every store gets out in the end; in some runs soon, in some late. */
void model_drain_some(void)
{
	for (u32 i = 0; i < fake.nm; i++)
		if (fake.m[i].nstores && fake_random(2u << (fake.seed & 3)) == 0)
			drain_one(&fake.m[i]);
}

uint64_t model_view(const struct fake_m *m, const void *addr, uint32_t size)
{
	uint64_t value = 0;

	for (u32 i = m ? m->nstores : 0; i-- > 0;)
		if (m->stores[i].addr == addr)
			return m->stores[i].value;
	memcpy(&value, addr, size);
	return value;
}

uint64_t model_load(const void *addr, uint32_t size)
{
	if (modelled())
		fake_switch("load");
	return model_view(modelled() ? fake.self : NULL, addr, size);
}

void model_store(void *addr, uint64_t value, uint32_t size)
{
	struct fake_m *m = fake.self;

	if (!modelled()) {
		memcpy(addr, &value, size);
		return;
	}
	fake_switch("store");
	if (m->nstores == BUFFER)
		drain_one(m);
	m->stores[m->nstores++] = (struct fake_store){ addr, value, size };
}

void model_barrier(void)
{
	if (!modelled())
		return;
	fake_switch("barrier");
	model_drain(fake.self);
}

void model_point(void)
{
	if (modelled())
		fake_switch("point");
}

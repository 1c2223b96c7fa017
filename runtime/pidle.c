/* The mask of idle Ps; pidle.h. */
#include "runtime/pidle.h"

#include "runtime/procs.h"
#include "runtime/trace.h"

#define BITS 64

static au64 *word_of(u32 id)
{
	return &sched.pidle[id / BITS];
}

static u64 bit_of(u32 id)
{
	return 1ul << id % BITS;
}

bool pidle_has(u32 id)
{
	return load_rlx(word_of(id)) & bit_of(id); /* relaxed: a hint, but where a fence precedes */
}

static void set(struct p *p)
{
	store_rlx(&p->status, P_IDLE); /* relaxed: the bit orders it */
	trace(PROC_STOP, p->id, 0);
	add_sc(&sched.npidle, 1); /* first, so that who finds 0 need not look for bits */
	or_sc(word_of(p->id), bit_of(p->id)); /* seq_cst, @pair idle (StoreLoad) */
}

/* Whoever lowered the number meanwhile may not have seen the bit: @pair lend. */
void pidleput(struct p *p)
{
	do
		set(p);
	while (unlikely(p->id >= load_rlx(&sched.nlent)) && pidle_remove(p) && !procs_retire(p));
}

bool pidle_remove(struct p *p)
{
	/* seq_cst, @pair idle: the owner before is done with it, and StoreLoad for pidleget(). */
	if (!pidle_has(p->id) || !(and_sc(word_of(p->id), ~bit_of(p->id)) & bit_of(p->id)))
		return false;
	add_rlx(&sched.npidle, (u32)-1);
	store_rlx(&p->status, P_RUNNING); /* relaxed: a stale one costs who looks a round */
	return true;
}

bool pidle_claim(struct p *p)
{
	if (!pidle_remove(p))
		return false;
	trace(PROC_START, p->id, 0);
	return true;
}

static struct p *claim_any(void)
{
	u32 words = (load_rlx(&sched.nallp) + BITS - 1) / BITS;
	u64 bits;

	for (u32 i = 0; i < words; i++)
		while ((bits = load_rlx(&sched.pidle[i]))) {
			struct p *p = sched.allp[i * BITS + (u32)__builtin_ctzl(bits)];

			if (pidle_claim(p))
				return p;
		}
	return NULL;
}

static struct p *claim(struct p *want)
{
	if (want && pidle_claim(want))
		return want;
	return load_acq(&sched.npidle) ? claim_any() : NULL; /* acquire, @pair idle */
}

struct p *pidleget(struct p *want)
{
	struct p *p;

	while (!load_rlx(&sched.stopping) && (p = claim(want))) {
		/* After the claim, @pair stopping: that is seen, or we see it. */
		if (likely(!load_rlx(&sched.stopping)))
			return p;
		pidleput(p);
	}
	return NULL;
}

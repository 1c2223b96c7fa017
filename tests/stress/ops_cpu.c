/*
 * Operations that use the CPU or let it go: bursts without any call, waits for a flag in a loop
 * (with and without a yield), futex ping-pong, naps, yields.
 *
 * Only a few threads burn or spin at a time (burn_begin): the harness wants many threads in many
 * states, not one state for everybody.
 */
#include "stress.h"

#include <linux/futex.h>
#include <sched.h>
#include <sys/syscall.h>

void op_burst(struct rng *r)
{
	unsigned us = chance(r, 80) ? within(r, 100, 3000) : within(r, 3000, 30000);

	if (!burn_begin(r))
		return;
	burn(us);
	burn_end();
	step();
}

struct flag {
	struct rng rng;
	_Atomic int set, seen;
};

static void *flag_setter(void *arg)
{
	struct flag *f = arg;

	dawdle(&f->rng);
	f->set = 1;
	return NULL;
}

/* The setter may have no P while we spin: only a preemption or a yield lets it on. */
void op_spin_flag(struct rng *r)
{
	struct flag f = { .rng = derive(rnd(r), 6) };
	int how = below(r, 3);
	pthread_t t;

	if (!burn_begin(r))
		return;
	if (spawn(&t, flag_setter, &f)) {
		while (!f.set) {
			if (how == 0)
				sched_yield();
			else if (how == 1)
				__builtin_ia32_pause();
		}
		step();
		join(t);
	}
	burn_end();
}

struct ball {
	_Atomic uint32_t turn;
	unsigned rounds;
};

static void wait_turn(struct ball *b, uint32_t turn)
{
	while (b->turn != turn) {
		uint32_t other = turn ^ 1;

		WAIT(syscall(SYS_futex, &b->turn, FUTEX_WAIT_PRIVATE, other, NULL, NULL, 0));
	}
}

static void pass_turn(struct ball *b, uint32_t turn)
{
	b->turn = turn ^ 1;
	syscall(SYS_futex, &b->turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *player(void *arg)
{
	struct ball *b = arg;

	for (unsigned i = 0; i < b->rounds; i++) {
		wait_turn(b, 1);
		pass_turn(b, 1);
	}
	return NULL;
}

void op_pingpong(struct rng *r)
{
	struct ball b = { .rounds = within(r, 1, 100) };
	pthread_t t;

	if (!spawn(&t, player, &b))
		return;
	for (unsigned i = 0; i < b.rounds; i++) {
		wait_turn(&b, 0);
		pass_turn(&b, 0);
	}
	join(t);
}

void op_nap(struct rng *r)
{
	nap(chance(r, 80) ? within(r, 1000, 3000000) : within(r, 3000000, 40000000));
}

void op_yield(struct rng *r)
{
	for (int n = within(r, 1, 10); n; n--) {
		MUST(sched_yield() == 0);
		step();
	}
}

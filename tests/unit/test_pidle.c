/* runtime/pidle.c: the mask of idle Ps, at its edges; who races for it is test_sim.c's. */
#include "runtime/pidle.h"

#include <criterion/criterion.h>

#include "runtime/proc.h"
#include "runtime/procs.h"
#include "tests/unit/fake_g.h"

static struct m *m;

static void start(u32 procs)
{
	fake_reset(0);
	m = g_here(procs);
}

Test(pidle, each_p_is_taken_once_the_lowest_first)
{
	start(200);
	for (u32 n = 1, id = 0; n < 200; n++, id++) {
		id += id == m->p->id;
		cr_assert_eq(load_rlx(&sched.npidle), 200 - n);
		cr_assert(pidle_has(id));
		cr_assert_eq(pidleget(NULL), sched.allp[id]);
		cr_assert_not(pidle_has(id));
		cr_assert_eq(load_rlx(&sched.allp[id]->status), P_RUNNING);
	}
	cr_assert_null(pidleget(NULL));
	cr_assert_eq(load_rlx(&sched.npidle), 0);
}

Test(pidle, the_wanted_one_is_taken_when_it_is_idle)
{
	struct p *want;

	start(130);
	want = sched.allp[129];
	cr_assert_eq(pidleget(want), want);
	cr_assert_neq(pidleget(want), want, "it is ours");
	pidleput(want);
	cr_assert_eq(load_rlx(&want->status), P_IDLE);
	cr_assert_eq(pidleget(want), want);
}

Test(pidle, none_is_given_while_the_world_stops)
{
	start(2);
	store_rlx(&sched.stopping, 1);
	cr_assert_null(pidleget(NULL));
	cr_assert_null(pidleget(sched.allp[1]));
	cr_assert_eq(load_rlx(&sched.npidle), 1);
}

Test(pidle, one_above_the_number_dies)
{
	struct p *p;

	start(4);
	p = pidleget(sched.allp[3]);
	procresize(3);
	cr_assert_eq(load_rlx(&p->status), P_RUNNING, "it is ours");
	pidleput(p);
	cr_assert_eq(load_rlx(&p->status), P_DEAD);
	cr_assert_not(pidle_has(3));
	cr_assert_eq(sched_check(), 0);
}

Test(pidle, more_than_eight_ps_have_more_than_one_home)
{
	start(4);
	cr_assert_eq(load_rlx(&sched.nhome), 1);
	procresize(2 * HOME_PS + 1);
	cr_assert_eq(load_rlx(&sched.nhome), 3);
	procresize(1);
	cr_assert_eq(load_rlx(&sched.nhome), 3, "who waits there is found");
}

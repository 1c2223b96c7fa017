/* Start, leave, end: sysmon's thread, one at a time. */
#include "runtime/sysmon_life.h"

#include "runtime/hooks.h"
#include "runtime/lock.h"
#include "runtime/sysmon.h"

/* sysmon: on -> left, unless there are more than `most` Gs.  By: who holds sched.life. */
static bool let_go_locked(u32 most)
{
	if (load_rlx(&sched.sysmon_on) != SYSMON_ON)
		return false;
	store_rlx(&sched.sysmon_on, SYSMON_LEFT);
	fence_full(); /* @pair leave */
	if (load_rlx(&sched.ng) <= most)
		return true;
	store_rlx(&sched.sysmon_on, SYSMON_ON);
	return false;
}

/* sysmon: left -> none.  By: who holds sched.life. */
static bool join_locked(void)
{
	if (load_rlx(&sched.sysmon_on) != SYSMON_LEFT)
		return false;
	rt_hooks.thread_join();
	store_rlx(&sched.sysmon_on, SYSMON_NONE);
	return true;
}

/* sysmon: none -> on.  By: who holds sched.life. */
static bool start_locked(void)
{
	store_rlx(&sched.sysmon_quit, 0);
	store_rlx(&sched.sysmon_ready, 0);
	store_rlx(&sched.sysmon_on, SYSMON_ON); /* before it looks; it cannot leave yet */
	if (rt_hooks.thread_start(sysmon_main) != 0) {
		store_rlx(&sched.sysmon_on, SYSMON_NONE);
		return false;
	}
	sysmon_await_start();
	return true;
}

bool sysmon_need(void)
{
	bool ok = true;

	fence_full(); /* @pair leave */
	if (load_rlx(&sched.sysmon_on) == SYSMON_ON || load_rlx(&sched.ng) <= 1)
		return true;
	mutex_lock(&sched.life);
	join_locked();
	if (load_rlx(&sched.sysmon_on) == SYSMON_NONE && load_rlx(&sched.ng) > 1 &&
	    !load_rlx(&sched.dissolved))
		ok = start_locked();
	mutex_unlock(&sched.life);
	return ok;
}

bool sysmon_end(u32 most)
{
	bool ended;

	mutex_lock(&sched.life);
	if (let_go_locked(most))
		sysmon_stop();
	ended = join_locked();
	mutex_unlock(&sched.life);
	return ended;
}

bool sysmon_leave(void)
{
	bool left;

	/* Its holder may wait for us, or for a P that only we would find. */
	if (!mutex_try(&sched.life))
		return false;
	left = let_go_locked(1);
	mutex_unlock(&sched.life);
	return left;
}

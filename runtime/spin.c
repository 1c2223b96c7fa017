/* Looking out for a P; spin.h says when and why. */
#include "runtime/spin.h"

#include "runtime/note.h"
#include "runtime/os.h"

#define TURNS 30 /* of about 2 us, most of it the yield's system call */
#define TURN_PAUSES 20
#define SOON_NS 60000	 /* TURNS of them */
#define CROWDED_NS 20000 /* a turn of so long let somebody else run */

/* relaxed, throughout: all of it is hints. */

static bool worth_it(const struct m *m)
{
	return !m->late && load_rlx(&sched.ncpu) > load_rlx(&sched.nlent) &&
	       load_rlx(&sched.nwait) <= 1;
}

bool spin_for_grant(struct m *m)
{
	u64 began = worth_it(m) ? os_nanotime() : 0, now;

	for (u32 turn = 0; began && turn < TURNS; turn++) {
		for (int i = 0; i < TURN_PAUSES; i++)
			__builtin_ia32_pause();
		if (note_value(&m->park))
			return true;
		os_yield();
		now = os_nanotime();
		began = now - began < CROWDED_NS && worth_it(m) ? now : 0;
	}
	return false;
}

void spin_learn(struct m *m, u64 waited)
{
	m->late = waited > SOON_NS;
}

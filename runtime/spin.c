/* Looking out for a P; spin.h says when and why. */
#include "runtime/spin.h"

#include "runtime/note.h"
#include "runtime/os.h"

#define TURNS 30 /* of about 2 us, most of it the yield's system call */
#define TURN_PAUSES 20
#define SOON_NS 60000	  /* TURNS of them */
#define CROWDED_NS 20000  /* a turn of so long let somebody else run */
#define YIELDING_NS 50000 /* of one that yields: longer than those need who wait for each other */

/* relaxed, throughout: all of it is hints. */

static bool worth_it(const struct m *m)
{
	return !m->late && load_rlx(&sched.ncpu) > load_rlx(&sched.nlent) &&
	       load_rlx(&sched.nwait) <= 1;
}

static bool spin(struct m *m)
{
	u64 last = os_nanotime(), now;

	for (u32 turn = 0; turn < TURNS && worth_it(m); turn++) {
		for (int i = 0; i < TURN_PAUSES; i++)
			__builtin_ia32_pause();
		if (note_value(&m->park))
			return true;
		os_yield();
		now = os_nanotime();
		if (now - last > CROWDED_NS)
			return false;
		last = now;
	}
	return false;
}

/* Others may well run meanwhile, that is what the host asks for. */
static bool yield(struct m *m)
{
	u64 end = os_nanotime() + YIELDING_NS;

	do {
		if (note_value(&m->park))
			return true;
		os_yield();
	} while (os_nanotime() < end);
	return false;
}

bool spin_for_grant(struct m *m, u64 mask, bool yields)
{
	bool granted;

	if (!(yields ? load_rlx(&sched.ncpu) != 0 : worth_it(m)))
		return false;
	granted = yields ? yield(m) : spin(m);
	if (os_will_cut(mask)) /* note_sleep() would have seen it */
		m->cuts++;
	return granted;
}

void spin_learn(struct m *m, u64 waited)
{
	m->late = waited > SOON_NS;
}

/* A futex word that is the value; note.h says why it outlives an interrupted sleep. */
#include "runtime/note.h"

#include "runtime/os.h"
#include "runtime/print.h"

u32 note_sleep(struct note *n, au32 *live)
{
	u32 value;

	/* acquire, @pair note: all that the waker did to the P is ours. */
	while ((value = load_acq(&n->key)) == 0 && load_rlx(live))
		os_futex_wait(&n->key, 0, -1);
	return value;
}

void note_wakeup(struct note *n, u32 value)
{
	/* release, @pair note. */
	u32 old = xchg_ar(&n->key, value);

	/* A second value would lose the first P; dissolving may meet a grant on its way. */
	must(old == 0 || value == NOTE_DISSOLVED || old == NOTE_DISSOLVED);
	os_futex_wake(&n->key, 1);
}

void note_clear(struct note *n)
{
	/* relaxed: only we sleep on it, and the next waker is ordered by the queue's lock. */
	store_rlx(&n->key, 0);
}

/* A futex word that is the value; note.h says why it outlives an interrupted sleep. */
#include "runtime/note.h"

#include <asm/errno.h>

#include "runtime/os.h"
#include "runtime/print.h"

u32 note_sleep(struct m *m)
{
	const volatile bool *queued = &m->queued;
	struct note *n = &m->park;
	u32 key;

	/* acquire, @pair note: all that the waker did to the P is ours.  The word first: when a
	 * handler comes in after that, the sleep does not begin. */
	while (((key = load_acq(&n->key)) & NOTE_VALUE) == 0 && load_rlx(&m->live) && *queued)
		if (os_futex_wait(&n->key, key, -1) == -EINTR)
			m->cuts++;
	return key & NOTE_VALUE;
}

void note_wakeup(struct note *n, u32 value)
{
	u32 old;

	do
		old = load_rlx(&n->key);
	while (!cas_ar(&n->key, old, (old & ~NOTE_VALUE) | value)); /* release, @pair note. */
	old &= NOTE_VALUE;
	/* A second value would lose the first P; dissolving may meet a grant on its way. */
	must(old == 0 || value == NOTE_DISSOLVED || old == NOTE_DISSOLVED);
	os_futex_wake(&n->key, 1);
}

bool note_withdraw(struct note *n, u32 key)
{
	/* The count of waits makes this very value, not one like it. */
	return cas_ar(&n->key, key, key & ~NOTE_VALUE);
}

void note_clear(struct note *n)
{
	/* relaxed: only we sleep on it, and the next waker is ordered by the queue's lock. */
	store_rlx(&n->key, (load_rlx(&n->key) & ~NOTE_VALUE) + NOTE_VALUE + 1);
}

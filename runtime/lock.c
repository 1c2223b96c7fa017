/* Three-state futex mutex: 0 free, 1 held, 2 held and somebody may sleep. */
#include "runtime/lock.h"

#include "runtime/os.h"

#define SPINS 40 /* critical sections are tens of instructions: about one of them */

static bool spin(struct mutex *l)
{
	for (int i = 0; i < SPINS; i++) {
		/* acquire, @pair mutex. */
		if (load_rlx(&l->key) == 0 && cas_acq(&l->key, 0, 1))
			return true;
		cpu_pause();
	}
	return false;
}

void mutex_lock(struct mutex *l)
{
	if (spin(l))
		return;
	/* acquire, @pair mutex.  We may be one of many from here on, so we always leave a 2. */
	while (xchg_ar(&l->key, 2) != 0)
		os_futex_wait(&l->key, 2, -1);
}

bool mutex_try(struct mutex *l)
{
	return cas_acq(&l->key, 0, 1); /* acquire, @pair mutex */
}

void mutex_unlock(struct mutex *l)
{
	/* release, @pair mutex. */
	if (xchg_ar(&l->key, 0) == 2)
		os_futex_wake(&l->key, 1);
}

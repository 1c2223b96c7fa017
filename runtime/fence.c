/* The mode of the StoreLoad pairs: fence.h says why there are two. */
#include "runtime/fence.h"

#include "runtime/os.h"

au32 fence_mode;
#ifdef GMP_TSAN
au32 fence_word;
#endif
static bool have_membarrier; /* written by fence_init() */

void fence_init(void)
{
	have_membarrier = os_membarrier_register() == 0;
	store_rlx(&fence_mode, have_membarrier ? FENCE_QUIET : FENCE_BUSY);
}

bool fence_is_cheap(void)
{
	return have_membarrier;
}

void fence_heavy(void)
{
	fence_full();
	/* relaxed: after the fence, @pair mode. */
	if (load_rlx(&fence_mode) != FENCE_BUSY)
		os_membarrier();
}

void fence_busy(void)
{
	if (load_rlx(&fence_mode) != FENCE_QUIET)
		return;
	store_rlx(&fence_mode, FENCE_TURNING);
	fence_full();
	os_membarrier(); /* @pair mode: no light side is without a fence from here on */
	store_rlx(&fence_mode, FENCE_BUSY);
}

void fence_quiet(void)
{
	if (have_membarrier)
		store_rlx(&fence_mode, FENCE_QUIET); /* relaxed: @pair mode */
}

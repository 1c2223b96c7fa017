/*
 * MADV_WIPEONFORK does the work: sched and all slabs read as zero in the child, so `active` is 0,
 * no lock is held by a dead thread, and the forking thread's M, which its TLS still points to, is
 * not live.
 */
#include "runtime/fork.h"

#include "runtime/note.h"
#include "runtime/os.h"
#include "runtime/page.h"
#include "runtime/trace.h"

static bool prepared, wiped_by_kernel;

void fork_prepare(void)
{
	prepared = true;
	wiped_by_kernel = os_wipe_on_fork(&sched, sizeof(sched)) == 0;
}

void fork_child(void)
{
	struct m *m = gmp_tls_m;

	gmp_tls_m = NULL;
	if (!prepared) /* every page that the child writes to costs it a fault */
		return;
	page_forget();
	trace_forget();
	if (!wiped_by_kernel)
		__builtin_memset(&sched, 0, sizeof(sched));
	if (!m)
		return;
	/*
	 * When a handler forked while its thread was parked, the child goes back to that sleep,
	 * which the kernel restarts: it must find a value.
	 */
	store_rlx(&m->live, 0);
	store_rlx(&m->park.key, NOTE_DISSOLVED);
}

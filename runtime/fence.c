/* The mode of the StoreLoad pairs: fence.h says why there are two. */
#include "runtime/fence.h"

#include "runtime/os.h"
#include "runtime/print.h"
#include "runtime/sysmon.h"

au32 fence_mode;
#ifdef GMP_TSAN
au32 fence_word;
#endif
static au32 have_membarrier;

static au32 questions; /* asked so far; relaxed, a hint */

#define DRAIN_NS 1000000
#define MANY 16 /* questions in FENCE_WATCH_NS for which busy is the cheaper mode */

void fence_init(void)
{
	store_rlx(&questions, 0);
	store_rlx(&have_membarrier, os_membarrier_register() == 0);
	store_rlx(&fence_mode, load_rlx(&have_membarrier) ? FENCE_QUIET : FENCE_BUSY);
}

/* No message of the form of a complaint: it is the last line of the options' table. */
void fence_help(void)
{
	char line[64];

	fence_init();
	os_write(os_stderr(), line,
		 gmp_format(line, sizeof(line), "membarrier: %s\n",
			    fence_is_cheap() ? "there; brackets are plain stores"
					     : "none; each bracket pays two full fences"));
}

bool fence_is_cheap(void)
{
	return load_rlx(&have_membarrier);
}

/*
 * The kernel refuses it of late: a filter of the host's.  A light side that saw quiet is through
 * after this wait: its store buffer drains in less than a microsecond, and a switch of threads
 * drains it too.  Whoever turned to quiet meanwhile only brings the next one who asks here.
 */
static void wait_for_drain(void)
{
	u64 end = os_nanotime() + DRAIN_NS, now;
	au32 word = { 0 };

	store_rlx(&have_membarrier, 0);
	store_rlx(&fence_mode, FENCE_BUSY);
	fence_full(); /* @pair mode */
	while ((now = os_nanotime()) < end)
		os_futex_wait(&word, 0, (i64)(end - now));
}

static void membarrier_or_wait(void)
{
	if (os_membarrier() != 0)
		wait_for_drain();
}

void fence_heavy(void)
{
	u32 asked = add_rlx(&questions, 1);

	fence_full();
	/* relaxed: after the fence, @pair mode. */
	if (load_rlx(&fence_mode) == FENCE_BUSY)
		return;
	membarrier_or_wait();
	if (asked % MANY == MANY - 1) /* it may sleep, for nobody waits */
		sysmon_kick();
}

void fence_busy(void)
{
	if (load_rlx(&fence_mode) != FENCE_QUIET)
		return;
	store_rlx(&fence_mode, FENCE_TURNING);
	fence_full();
	membarrier_or_wait(); /* @pair mode: no light side is without a fence from here on */
	store_rlx(&fence_mode, FENCE_BUSY);
}

void fence_quiet(void)
{
	if (load_rlx(&have_membarrier))
		store_rlx(&fence_mode, FENCE_QUIET); /* relaxed: @pair mode */
}

bool fence_settle(struct fence_watch *w, u64 now)
{
	u32 asked = load_rlx(&questions);

	if (!load_rlx(&have_membarrier))
		return true; /* there is but one mode */
	if (fence_is_busy() && now - w->since_ns < FENCE_WATCH_NS)
		return false;
	if (asked - w->asked < MANY)
		fence_quiet();
	else
		fence_busy();
	*w = (struct fence_watch){ asked, now };
	return !fence_is_busy();
}

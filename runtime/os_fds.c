/*
 * sysmon reads /proc.  In the host's descriptor table a descriptor of ours would, for a moment,
 * take the lowest free number away from a host that counts on getting it; so the thread gets a
 * table of its own, empty, so that no pipe of the host is kept open by us.
 *
 * The kernel copies the first 64 all the same, for sysmon to close.  But a message queue that is
 * closed in any table of a process tells that process nothing more (mq_notify): such a one stays
 * open, and sysmon with it, who would close it by its end.
 */
#include "runtime/os.h"

#include <asm/errno.h>
#include <asm/stat.h>
#include <linux/stat.h>

#include "asm/asm.h"
#include "runtime/numbers.h"
#include "runtime/text.h"

#define CLOSE_UNSHARE 2 /* CLOSE_RANGE_UNSHARE */
#define COPIED 64	/* NR_OPEN_DEFAULT of the kernel */
#define QUEUE_TEXT 80	/* FILENT_SIZE of its ipc/mqueue.c: what a queue's descriptor reads as */

static bool fds_are_private, fds_stay; /* sysmon only */

bool os_fds_are_private(void)
{
	return fds_are_private;
}

bool os_keeps_fds(void)
{
	return fds_stay;
}

static long sys(long nr, long a, long b, long c, long d)
{
	return gmp_rawsyscall6(nr, a, b, c, d, 0, 0);
}

/* "... NOTIFY_PID:1234  ", whom it tells; 0: nobody. */
static u64 told_by(const char *text)
{
	text = text_behind(text, "NOTIFY_PID:");
	return text_number(&text, 10);
}

/* Whoever may only write to a queue cannot read whom it tells. */
static bool tells_us(long fd, const struct stat *st)
{
	char text[QUEUE_TEXT + 1];
	long n;

	if (!S_ISREG(st->st_mode) || st->st_size != QUEUE_TEXT || st->st_blocks)
		return false;
	n = sys(__NR_pread64, fd, (long)text, QUEUE_TEXT, 0);
	text[n > 0 ? n : 0] = 0;
	return n < 0 || told_by(text) == (u64)os_getpid();
}

static void leave(long fd)
{
	struct stat st = { 0 };

	if (sys(__NR_fstat, fd, (long)&st, 0, 0) == -EBADF)
		return;
	if (tells_us(fd, &st))
		fds_stay = true;
	else
		sys(__NR_close, fd, 0, 0, 0);
}

bool os_own_table(bool keep_stderr)
{
	fds_stay = false;
	fds_are_private = sys(__NR_close_range, COPIED, ~0u, CLOSE_UNSHARE, 0) == 0;
	for (long fd = 0; fds_are_private && fd < COPIED; fd++)
		if (fd != 2 || !keep_stderr)
			leave(fd);
	return fds_are_private;
}

/*
 * The page that tools read (statpage.h): made when the scheduler starts, by sysmon, whose
 * descriptor table is its own, so the host's numbers are not disturbed even for a moment; removed
 * at exit.
 *
 * Anything in the way (no /dev/shm or /proc, full, somebody else's directory, a kernel or sandbox
 * that forbids) leaves the process without a page and without a word; GMP_VERBOSE=1 says so.  A
 * program that installs a seccomp filter after its second thread was made keeps its file for a
 * later process of its user to sweep: the unlink could be what the filter kills for.  The directory
 * stays, empty: the name belongs to who makes it first, and would be anybody's again.
 *
 * A forked child finds sched.page NULL and the parent's mapping replaced by memory of its own: a
 * handler that forks may return into an add that has the address in a register.
 */
#ifndef GMP_RUNTIME_PAGE_H
#define GMP_RUNTIME_PAGE_H

#include "runtime/types.h"

/* Makes the page, once a process, and says that it is served.  By: sysmon, before it is ready. */
void page_open(void);
/* Nobody serves it now: leaves the rows of the one thread there is.  By: sysmon, last thing. */
void page_leave(u64 now);
/* Removes the file; the page stays mapped, for others still count.  By: who ends the process. */
void page_close(void);
/* In a forked child. */
void page_forget(void);

/* Answers what tools ask.  By: sysmon, each round. */
void page_serve(u64 now);
/* Does a tool ask?  Read after the futex word, before sleeping on it. */
bool page_wanted(void);

/* The futex word that sysmon sleeps on. */
static inline au32 *page_bell(void)
{
	struct statpage *page = load_acq(&sched.page); /* @pair page */

	return page ? &page->bell : &sched.sysmon_seq;
}

#endif

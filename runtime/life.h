/* Birth and death of the scheduler, of Gs and of their threads. */
#ifndef GMP_RUNTIME_LIFE_H
#define GMP_RUNTIME_LIFE_H

#include "runtime/types.h"

/* The M of threads that are no G: never live. */
extern struct m m_off;
/* The same for a vfork child, which runs on its parent's memory. */
extern struct m m_vfork;
/* And for sysmon, whose events have a track of their own. */
extern struct m m_sysmon;

/*
 * Makes procs Ps and the caller's G and M, with a P.  By: the only thread there is.  0 or -ENOMEM.
 */
int sched_start(u32 procs);

/* G idle, not yet on a thread.  NULL past GMP_MAXTHREADS (warned once) or without memory. */
struct g *newg(void *start, void *arg);
/* Takes back a G whose thread could not be made. */
void freeg(struct g *g);
/*
 * Binds g to the calling thread and waits for its first P.  By: the new thread, first thing, and
 * who starts the scheduler.
 */
void mstart(struct g *g);
/* The calling thread's G ends: gives the P on.  True when it was the last G. */
bool mexit(void);

/*
 * G: running or syscall -> dead: its thread has ended without telling us, by a system call that is
 * not libc's.  goid: which thread that was.  By: anybody who knows that it is gone, signals
 * blocked.
 */
void bury(struct g *g, u64 goid);
/* The same of one that was granted p: hold was w when its thread was looked at. */
void bury_granted(struct p *p, struct g *g, u64 w);
/* All such that there are; a system call for each G.  By: anybody. */
void bury_gone(void);
/* The same if no thread of a G is left at all, but the main one as a zombie: true.  By: sysmon. */
bool bury_all(void);

#endif

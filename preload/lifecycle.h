/* Load, first thread, fork, vfork, exit. */
#ifndef GMP_PRELOAD_LIFECYCLE_H
#define GMP_PRELOAD_LIFECYCLE_H

#include <stdbool.h>

#include "runtime/atomic.h"

struct m;

/* ---- lifecycle.c ---- */

/* Options, libc's symbols, hooks.  Idempotent; our constructor calls it, or whoever comes first. */
void gmp_init(void);
/* In a child with memory of its own. */
void forked(void);
/* The books and the counters, once. */
void last_words(void);
/*
 * The caller runs on the memory of another process, as a child by vfork does, and one by clone with
 * CLONE_VM: what our words say, of signals, threads and counters, is not of this process, and must
 * be as it was when the other one goes on.
 */
bool on_borrowed_memory(void);
/*
 * The same, with signal handlers that are not the other's.  Not so a child by clone with
 * CLONE_SIGHAND, which sets them for both: once there was one, all but those by vfork are its like.
 */
bool has_other_handlers(void);
extern au32 handlers_shared; /* there was one */
/* The parent's side of a child that shares its memory and thread-local data while it sleeps. */
struct m *gmp_vfork_enter(void);
void gmp_vfork_leave(struct m *m);

/* ---- pthread.c ---- */

/* Fills its part of rt_hooks. */
void threads_init(void);
/* Makes the scheduler when it does not exist.  False: it cannot or must not; no gates. */
bool threads_activate(void);
/* The calling thread is no G from now on, but runs on, or ends without destructors.  False: it was
 * none. */
bool gthread_leave(void);
/* Ends our own thread if the host has no second one. */
void threads_quiesce(void);
/*
 * The program goes on as if the library was not there, for the reason why: no Ps, no sysmon, no new
 * Gs.  The last words are said now.
 */
void threads_retire(const char *why);

/* ---- signal.c ---- */

/* Installs the preemption signal's handler, */
void signals_activate(void);
/* and what of that can wait until sched.life is free. */
void signals_activated(void);
/* In a forked child, which has no use for it yet, the kernel gets SIGURG back. */
void signals_forked(void);

/* ---- what a system call by number is going to do; before it ---- */

/* sigmask.c: it may ask for our signal's action, block or fetch it. */
void signals_by_number(long nr, long a1, long a2);
/* sandbox.c: it may lock the calling thread in. */
void sandbox_by_number(long nr, long a1, long a2, long a3);

/* traceback.c: what is said when the scheduler's own state is broken. */
void dump_and_abort(void);

#endif

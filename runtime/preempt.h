/*
 * Taking the P from a G that runs: a request flag for its next gate, and a signal for one that
 * makes no calls.  The signal's handler parks the thread inside itself until it has a P again.
 *
 * No stray EINTR: a signal is never sent to a G in a bracket, and a G never enters one with a
 * signal in flight (@pair signal, StoreLoad):
 *
 *      sender: m->sig = flight;   fence_heavy;  read status  (RUNNING: send, SENT; else withdraw)
 *      entry:  status = SYSCALL;  fence_light;  read m->sig  (set: back to RUNNING, settle, again)
 *
 * A call that nobody announces is in no bracket.  sysmon looks first whether the thread sleeps, but
 * it may fall asleep between the look and the signal.  What the kernel cannot begin again then goes
 * on inside the handler, if it can (preload/restart.c).  A thread that was seen asleep so, or has
 * had a call cut short that cannot go on, is a sleeper: it gets its signals by a timer on its own
 * CPU clock, up to a tick later (4 ms at 250 Hz), and only where it runs.  Who settles stops it.
 * One that was only seen asleep in futex waits, which go on, is sent them at once while it has a P:
 * many a runtime's locks and barriers spin before they sleep in one, in the way of whom they wait
 * for.  Without a P it is in nobody's.
 *
 * A spinner waits for another thread by asking again and again, in a loop of the host's own.  The
 * signal finds it beside a PAUSE: it gives way at once, slice or not, for whom it waits for may
 * wait for its P.  While there are spinners, one that is found elsewhere at the end of its slice
 * may hold what they spin for: it has half a slice more to be found beside a PAUSE.
 *
 * The sender is sysmon.  It may be slow, and find that its signal has arrived: it knows by the
 * number.  So does the thread that looks for one, when the next one is under way by then.
 */
#ifndef GMP_RUNTIME_PREEMPT_H
#define GMP_RUNTIME_PREEMPT_H

#include "runtime/types.h"

#define RESEND_NS 1000000ul /* a signal that met an open gate is repeated */
#define SPINS_NS 200000ul   /* after a grant: is it to one that spins?  Twenty hand-offs. */

/* Marks our signals: si_value of each one we send. */
extern const char preempt_mark;

/*
 * SIGURG, as in Go: ignored by default, seldom used, and harmless when it is pending over an exec.
 * But the kernel merges standard signals: a host with an interest in SIGURG would lose its own to
 * ours.  For such a host preload/ moves us to a real-time signal, which is queued one by one.
 */
#define PREEMPT_SIGNO 23
extern au32 preempt_signo;
/* The handler is in place: what was started without it cannot change to GMP_PREEMPT=signal. */
extern au32 preempt_handled;

/*
 * From now on the signal has this number.  After: none with the old one is under way, but to
 * threads that block it for long.  By: anybody, when the new one's handler is in place.
 */
void preempt_renumber(u32 signo);

/* Asks g to give way at its next gate.  By: anybody. */
void preempt_request(struct g *g);
/*
 * g runs user code and sleeps there: in a call that nobody announced, which the signal would end
 * with EINTR, or for a page.  So its P can be taken without asking.  By: sysmon.
 */
bool preempt_would_cut(struct g *g);
/* Sends the signal to g's thread unless one is on its way: true when it did.  By: sysmon. */
bool preempt_send(struct g *g);
/* m blocks these, or is about to, in a bracket: from here on the sender asks.  By: m itself. */
static inline void preempt_note_mask(struct m *m, u64 mask)
{
	if (unlikely(mask >> (PREEMPT_SIGNO - 1) & 1))
		store_rlx(&m->masked, 1); /* relaxed: before the status that the sender reads */
}

/*
 * Waits until no signal is in flight to m.  By: m itself, status not RUNNING-and-open to new ones.
 */
void preempt_settle(struct m *m);
/* The same for m, whose thread has ended without telling us.  By: who buries it, when m is not live
 * any more. */
void preempt_forget(struct m *m);
/* Was one found spinning lately?  Anybody. */
bool preempt_spinners(u64 now);
/*
 * The handler, in two steps.  First, with every signal blocked so that no other handler can come
 * before it: the signal is no longer in flight; true when the thread, which it found at ip, should
 * give way here.
 */
bool preempt_arrived(struct m *m, uintptr_t ip);
/* A signal of our number that is not ours arrived: the kernel may have merged ours with it. */
void preempt_foreign(struct m *m);
/* Then, with the host's mask restored and a gate open: parks until the thread has a P again. */
void preempt_park(struct m *m);
/* Yields when somebody waits; clears the request, unless that is put off. */
void preempt_yield(struct m *m);
/*
 * A G that holds a lock of the host's is not stopped: others would only spin for it, or queue up.
 * The request stays, and the last unlock honours it (gate_unlocked).  True for GMP_LOCK_GRACE
 * slices; then the locks count no more, in case that the count is wrong.  By: m.
 */
bool preempt_put_off(struct m *m);

#endif

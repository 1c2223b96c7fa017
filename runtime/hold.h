/*
 * g->hold, the word that says whether a G has its P; every change of it but newg()'s and a revoked
 * grant's is here.
 *
 * Each function that gives a P to a G or takes it from one writes the event of it, and nobody else
 * does (trace.h): so a trace tells of every change of hands that was decided with the clock.
 */
#ifndef GMP_RUNTIME_HOLD_H
#define GMP_RUNTIME_HOLD_H

#include "runtime/trace_file.h"
#include "runtime/types.h"

/* G: without a P -> has P pid, which is the caller's.  False: its word is w no more.  By: its M. */
bool hold_gain(struct g *g, u64 w, u32 pid);
/* Takes g's P off its word.  NULL when it was seized before.  By: its M, or who buries it. */
struct p *releasep(struct g *g, enum trace_type why);
/* Whoever asked for g's P finds it at home.  Returns g->hold, KEPT or LOST.  By: its own M. */
u64 refuse_seizers(struct g *g);

/*
 * Seizer's side: seize_ask(), then fence_heavy(), then read what decides, then take or drop.
 * seize_take() false: the owner came home first.  True: the P is the caller's.
 */
struct seizure {
	struct p *p;
	struct g *g;
	u64 word;
};
bool seize_ask(struct p *p, struct seizure *ret);
bool seize_take(struct seizure *s);
void seize_drop(struct seizure *s);
/* Takes, if it is so, or drops. */
bool seize_if(struct seizure *s, bool so);
/* All of it for a P on loan: true when its G is in a bracket; the P is the caller's then. */
bool seize_loan(struct p *p);

/*
 * The word, and when it was so.  It says the same afterwards, but is another: whoever had read it
 * and is about to change it fails, and begins again.  By: sysmon, under sched.lock, so that no
 * grant is revoked meanwhile.
 */
u64 hold_renew(struct g *g, u64 *date);

#endif

/*
 * A FIFO of Gs that wait for a P.  All functions need the lock that guards the queue; its size may
 * be read without it, as a hint.
 */
#ifndef GMP_RUNTIME_GQUEUE_H
#define GMP_RUNTIME_GQUEUE_H

#include "runtime/types.h"

void gqueue_push(struct gqueue *q, struct g *g);
/* The one behind `before`, NULL: the first. */
struct g *gqueue_take(struct gqueue *q, struct g *before);

/*
 * Whose thread ran last on this CPU, where that which hands its P on is about to sleep: it is woken
 * here, while the other CPU would be interrupted, and this one idle.  Returns who stands before it,
 * for gqueue_take().  It may have come later_ns after the first, no more; each G passes the first
 * once at most, and those who come later do not.  Yielders keep their order.
 */
struct g *gqueue_before_near(const struct gqueue *q, u64 later_ns);

/* All of `from` goes ahead of q's, in the order in which they are. */
void gqueue_prepend(struct gqueue *q, struct gqueue *from);

#endif

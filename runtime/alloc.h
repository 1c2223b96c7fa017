/*
 * Type-stable storage: a G, M or P is never given back to the kernel, so a racy pointer to one is
 * always safe to read.  All functions need sched.lock.
 */
#ifndef GMP_RUNTIME_ALLOC_H
#define GMP_RUNTIME_ALLOC_H

#include "runtime/types.h"

/* A G with its M, fresh or used before (its hold serial goes on); NULL without memory. */
struct g *alloc_g(void);
void free_g(struct g *g);
struct p *alloc_p(void);

#endif

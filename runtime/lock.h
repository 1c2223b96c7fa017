/*
 * The scheduler's lock.  A thread of the host takes it only with all its signals blocked: a handler
 * that blocked, or left by longjmp, inside would stop the whole scheduler.  Rank: the
 * others (life, host, limit) are taken before it, and never two of them.
 */
#ifndef GMP_RUNTIME_LOCK_H
#define GMP_RUNTIME_LOCK_H

#include "runtime/types.h"

void mutex_lock(struct mutex *l);
bool mutex_try(struct mutex *l);
void mutex_unlock(struct mutex *l);

#endif

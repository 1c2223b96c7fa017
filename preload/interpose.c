/*
 * The interceptors of calls.def's CALL, VCALL and VARIADIC rows, and their other names.
 *
 * Each one is a bracket round libc's own function: cancellation, restart, errno and every check of
 * the arguments stay libc's. The bracket closes on return and when a cancelled thread unwinds
 * through it (this file is built with -fexceptions).
 */
#include "preload/interpose.h"

#include <errno.h>

#include "preload/gate.h"
#include "preload/stream.h"
#include "runtime/cold_return.h"

/* A token at hand: most likely no wait, and if another thread takes it first the loan covers it. */
static u64 sem_class(sem_t *s, u64 ever)
{
	int value = 0;

	if (!gate_active())
		return NEVER;
	real_sem_getvalue(s, &value);
	return (value > 0 ? MAY_WAIT : WILL_WAIT) | ON(WAIT_SEM, s) | ever;
}

/* Once it has a P again libc may have given it the mutex long before: holder.h. */
static u64 cond_class(const void *c, const void *mutex)
{
	struct m *self = gate_self();

	if (self)
		store_rlx(&self->with, (uintptr_t)mutex);
	return WILL_WAIT | ON(WAIT_COND, c);
}

#define CALL(type, name, version, class, nr, params, args) \
	EXPORT RETURNS type shim_##name params __asm__(#name); \
	type shim_##name params \
	{ \
		LONE(name, args); \
		GATE(class, nr); \
		return real_##name args; \
	}

static int interrupted(void)
{
	errno = EINTR;
	return -1;
}

#define READ(type, name, version, class, nr, params, args) \
	EXPORT RETURNS type shim_##name params __asm__(#name); \
	type shim_##name params \
	{ \
		LONE(name, args); \
		GATE(class, nr); \
		if (unlikely(gate_cut(&gate_))) \
			return interrupted(); \
		return real_##name args; \
	}

/* .symver gives the versioned name and takes the assembler's own one away. */
#define VCALL(type, name, symbol, version, at, class, nr, params, args) \
	EXPORT type shim_##name params; \
	type shim_##name params \
	{ \
		GATE(class, nr); \
		return real_##name args; \
	} \
	__asm__(".symver shim_" #name ", " symbol at version ", remove");

#define VALIAS(name, target, symbol, version, at) \
	extern __typeof__(shim_##target) shim_##name EXPORT \
		__attribute__((alias("shim_" #target))); \
	__asm__(".symver shim_" #name ", " symbol at version ", remove");

#define VARIADIC(type, name, target, class, nr, params, args) \
	EXPORT type shim_##name params __asm__(#name); \
	type shim_##name params \
	{ \
		va_list ap; \
		type r; \
\
		GATE(class, nr); \
		va_start(ap, format); \
		r = real_##target args; \
		va_end(ap); \
		return r; \
	}

#define ALIAS(alias, target) EXPORT_ALIAS(alias, target)
#include "preload/calls.def"

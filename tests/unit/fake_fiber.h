/* One coroutine switch, told to the sanitizers, which would take it for a stack gone mad. */
#ifndef TESTS_UNIT_FAKE_FIBER_H
#define TESTS_UNIT_FAKE_FIBER_H

#include "tests/unit/fake_threads.h"

#if defined(__has_feature)
#define FIBER_FEATURE(x) __has_feature(x)
#else
#define FIBER_FEATURE(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || FIBER_FEATURE(address_sanitizer)
#define FIBER_ASAN 1
#include <sanitizer/common_interface_defs.h>
#endif
#if defined(__SANITIZE_THREAD__) || FIBER_FEATURE(thread_sanitizer)
#define FIBER_TSAN 1
#include <sanitizer/tsan_interface.h>
#endif

static inline void fiber_create(struct fake_m *m, size_t stack, void (*entry)(void))
{
	getcontext(&m->context);
	m->context.uc_stack.ss_sp = m->stack;
	m->context.uc_stack.ss_size = stack;
	m->context.uc_link = NULL;
	makecontext(&m->context, entry, 0);
#ifdef FIBER_TSAN
	m->fiber = __tsan_create_fiber(0);
#endif
}

static inline void fiber_destroy(struct fake_m *m)
{
#ifdef FIBER_TSAN
	if (m->fiber)
		__tsan_destroy_fiber(m->fiber);
	m->fiber = NULL;
#endif
}

/* First thing on a new stack. */
static inline void fiber_entered(struct fake_m *m)
{
#ifdef FIBER_ASAN
	const void *bottom;
	size_t size;

	__sanitizer_finish_switch_fiber(m->fake_stack, &bottom, &size);
	/* The first to be entered in a run comes from the test's own stack. */
	if (!fake_test.context.uc_stack.ss_sp) {
		fake_test.context.uc_stack.ss_sp = (void *)bottom;
		fake_test.context.uc_stack.ss_size = size;
	}
#endif
}

static inline void fiber_switch(struct fake_m *from, struct fake_m *to)
{
#ifdef FIBER_TSAN
	if (!from->fiber)
		from->fiber = __tsan_get_current_fiber();
	__tsan_switch_to_fiber(to->fiber, 0);
#endif
#ifdef FIBER_ASAN
	const void *bottom = to->context.uc_stack.ss_sp;
	size_t size = to->context.uc_stack.ss_size;

	__sanitizer_start_switch_fiber(&from->fake_stack, bottom, size);
#endif
	swapcontext(&from->context, &to->context);
#ifdef FIBER_ASAN
	__sanitizer_finish_switch_fiber(from->fake_stack, NULL, NULL);
#endif
}

#endif

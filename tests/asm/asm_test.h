/*
 * What the assembler tests share: running a call one instruction at a time, and unwinding from a
 * signal handler.
 *
 * step_call() sets the trap flag round a call, so SIGTRAP arrives after every instruction.  The
 * handler calls step_hook for each PC inside [lo, hi), and the hook may change the registers.
 */
#ifndef TESTS_ASM_ASM_TEST_H
#define TESTS_ASM_ASM_TEST_H

#include <stdbool.h>
#include <stddef.h>
#include <ucontext.h>

struct step {
	const char *lo; /* the function under test, and its end */
	const char *hi;
	void (*hook)(ucontext_t *uc, int n); /* n counts the PCs inside, from 0 */
	int seen;			     /* how many PCs were inside */
};

extern struct step step;

/* Where an assembler function ends: its FDE says so.  Fails the test when there is none. */
const char *function_end(const void *fn);

void step_begin(const void *fn, void (*hook)(ucontext_t *uc, int n));
int step_end(void);

/* Set and clear the trap flag: these two bracket the call that is stepped. */
static inline __attribute__((always_inline)) void trap_on(void)
{
	__asm__ volatile("leaq -128(%%rsp), %%rsp\n\tpushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n\t"
			 "leaq 128(%%rsp), %%rsp" ::
				 : "memory", "cc");
}

static inline __attribute__((always_inline)) void trap_off(void)
{
	__asm__ volatile("leaq -128(%%rsp), %%rsp\n\tpushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq\n\t"
			 "leaq 128(%%rsp), %%rsp" ::
				 : "memory", "cc");
}

/* The functions of the innermost frames, by libunwind, from an interrupted context. */
int unwind_from(ucontext_t *uc, const void **functions, int max);

#endif

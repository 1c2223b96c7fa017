/* Single stepping and unwinding for the assembler tests; see asm_test.h. */
#define UNW_LOCAL_ONLY
#include <libunwind.h>

#include <criterion/criterion.h>
#include <signal.h>
#include <stdint.h>

#include "tests/asm/asm_test.h"

struct step step;

static void on_trap(int sig, siginfo_t *si, void *ctx)
{
	ucontext_t *uc = ctx;
	const char *pc = (const char *)uc->uc_mcontext.gregs[REG_RIP];

	if (pc >= step.lo && pc < step.hi)
		step.hook(uc, step.seen++);
}

const char *function_end(const void *fn)
{
	unw_proc_info_t pi;
	int rc = unw_get_proc_info_by_ip(unw_local_addr_space, (unw_word_t)fn, &pi, NULL);

	cr_assert_eq(rc, 0, "no CFI for the function at %p", fn);
	cr_assert_eq(pi.start_ip, (unw_word_t)fn);
	return (const char *)pi.end_ip;
}

void step_begin(const void *fn, void (*hook)(ucontext_t *uc, int n))
{
	struct sigaction sa = { .sa_sigaction = on_trap, .sa_flags = SA_SIGINFO };

	step.lo = fn;
	step.hi = function_end(fn);
	step.hook = hook;
	step.seen = 0;
	cr_assert_eq(sigaction(SIGTRAP, &sa, NULL), 0);
}

int step_end(void)
{
	signal(SIGTRAP, SIG_DFL);
	return step.seen;
}

int unwind_from(ucontext_t *uc, const void **functions, int max)
{
	unw_cursor_t cursor;
	int n = 0;

	if (unw_init_local2(&cursor, (unw_context_t *)uc, UNW_INIT_SIGNAL_FRAME))
		return 0;
	do {
		unw_proc_info_t pi;

		if (unw_get_proc_info(&cursor, &pi))
			break;
		functions[n++] = (const void *)pi.start_ip;
	} while (n < max && unw_step(&cursor) > 0);
	return n;
}

/* Which way back from a system call is cheaper; cold_return.h says why that is a question. */
#include "runtime/cold_return.h"

#include "asm/asm.h"
#include "runtime/os.h"
#include "runtime/types.h"

#define TRIES 6
#define CALLS 8	    /* at once: the clock may have steps of 10 ns */
#define RETURNS 3   /* of call() and the two below it */
#define DEARER_NS 2 /* a misprediction is 5 and more */

#define NESTED static __attribute__((noinline)) AFTER_SYSCALL i32

/* A system call and three returns of the kind that gmp_return_jumps says. */
NESTED bottom(void)
{
	i32 pid = os_getpid();

	__asm__ volatile("" : "+r"(pid)); /* no tail call */
	return pid;
}

NESTED middle(void)
{
	i32 pid = bottom();

	__asm__ volatile("" : "+r"(pid));
	return pid;
}

NESTED call(void)
{
	i32 pid = middle();

	__asm__ volatile("" : "+r"(pid));
	return pid;
}

static u64 took_ns(unsigned char jumps)
{
	u64 began;

	gmp_return_jumps = jumps;
	began = os_nanotime();
	for (int i = 0; i < CALLS; i++)
		(void)call();
	return os_nanotime() - began;
}

/* A ret to another address than the call's is a fault where the CPU keeps a shadow stack. */
static bool shadow_stack(void)
{
	u64 ssp = 0;

	__asm__("rdsspq %0" : "+r"(ssp)); /* does nothing where there is none */
	return ssp != 0;
}

void cold_return_init(void)
{
	u64 ret = ~0ul, jump = ~0ul;

	if (shadow_stack())
		return;
	/* The least of each, for whoever interrupts us only adds; by turns, for clocks change. */
	for (int i = 0; i < TRIES; i++) {
		ret = min_u64(ret, took_ns(0));
		jump = min_u64(jump, took_ns(1));
	}
	gmp_return_jumps = ret >= jump + CALLS * RETURNS * DEARER_NS;
}

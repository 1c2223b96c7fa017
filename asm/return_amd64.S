/*
 * How an interceptor comes back from a call that was in the kernel: gcc puts a jump here in place
 * of the `ret` of each function that has AFTER_SYSCALL (runtime/cold_return.h, which says why).
 */
#include "asm/asm.h"

/* Clobbers: rcx, which no result is in.  Unwinds: yes; at the jump, through rcx. */
FUNC __x86_return_thunk
	cmpb	$0, gmp_return_jumps(%rip)
	je	1f
	popq	%rcx
	.cfi_remember_state
	.cfi_adjust_cfa_offset -8
	.cfi_register %rip, %rcx
	notrack jmp *%rcx		/* a return address has no endbr64 */
	.cfi_restore_state
1:	ret
ENDFUNC __x86_return_thunk

/* Settled before there is a second thread; either value is right at any time. */
	.hidden	gmp_return_jumps
	.globl	gmp_return_jumps
	.type	gmp_return_jumps, @object
	.size	gmp_return_jumps, 1
	.bss
gmp_return_jumps:
	.zero	1

GNU_STACK

/*
 * vfork: the one libc function that cannot be wrapped in C.  The child runs on the parent's stack,
 * returns through our frame first, and then overwrites it; the parent comes back to the same stack
 * when the child has exec'd or exited.  So between the two returns nothing may live in memory that
 * the child can reach from our frame: the return address waits in rdx and the saved struct m in r8,
 * which SYSCALL keeps (it changes rax, rcx and r11 only).
 *
 * gmp_vfork_enter() runs before the return address leaves the stack: an ordinary call, which turns
 * the gates off for the child (it shares the parent's TLS) and puts the parent into a bracket.
 * Rejected: vfork as fork (slow, and children that must share memory break); calling libc's vfork
 * (our frame would be the one that returns twice).
 */
#include "asm/asm.h"

	.hidden	gmp_vfork_enter
	.hidden	gmp_vfork_leave
	.hidden	gmp_syscall_errno

/* pid_t vfork(void)
 * Clobbers: caller-saved.  Unwinds: yes; while the return address is in rdx, through rdx. */
FUNC_EXPORT vfork
	subq	$8, %rsp
	.cfi_adjust_cfa_offset 8
	call	gmp_vfork_enter
	addq	$8, %rsp
	.cfi_adjust_cfa_offset -8
	movq	%rax, %r8		/* struct m, for gmp_vfork_leave */
	popq	%rdx			/* the slot belongs to the child from here */
	.cfi_adjust_cfa_offset -8
	.cfi_register %rip, %rdx
	movl	$58, %eax		/* __NR_vfork */
LABEL gmp_vfork_start
	syscall
LABEL gmp_vfork_end
	pushq	%rdx
	.cfi_adjust_cfa_offset 8
	.cfi_offset %rip, -8
	testq	%rax, %rax
	jz	1f			/* the child: nothing more of ours may run */
	pushq	%rax
	.cfi_adjust_cfa_offset 8
	movq	%r8, %rdi
	call	gmp_vfork_leave
	popq	%rax
	.cfi_adjust_cfa_offset -8
	cmpq	$-4095, %rax
	jae	2f
1:	ret
2:	movq	%rax, %rdi
	jmp	gmp_syscall_errno	/* sets errno, returns -1 */
ENDFUNC vfork

	.globl	__vfork
	.set	__vfork, vfork

GNU_STACK

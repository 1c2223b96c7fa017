/*
 * The SYSCALL stubs.  The kernel takes the number in rax and the arguments in rdi rsi rdx r10 r8 r9
 * (not rcx: SYSCALL puts the return address there, and rflags in r11), returns in rax, and keeps
 * every other register.  None of these functions moves rsp, so the CFI of the prologue holds
 * throughout.
 */
#include "asm/asm.h"

/* long gmp_rawsyscall6(nr [rdi], a1 [rsi], a2 [rdx], a3 [rcx], a4 [r8], a5 [r9], a6 [8(%rsp)])
 * Clobbers: rax rdi rsi rdx rcx r8 r9 r10 r11.  Unwinds: yes. */
FUNC_PUBLIC gmp_rawsyscall6
	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
	movq	%r8, %r10
	movq	%r9, %r8
	movq	8(%rsp), %r9
LABEL gmp_syscall_start
	syscall
LABEL gmp_syscall_end
	ret
ENDFUNC gmp_rawsyscall6

/* long gmp_rawsyscall3(nr [rdi], a1 [rsi], a2 [rdx], a3 [rcx])
 * Clobbers: rax rdi rsi rdx rcx r11.  Unwinds: yes. */
FUNC gmp_rawsyscall3
	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
LABEL gmp_syscall3_start
	syscall
LABEL gmp_syscall3_end
	ret
ENDFUNC gmp_rawsyscall3

/* long gmp_cancelsyscall6(flag [rdi], nr [rsi], a1 [rdx], a2 [rcx], a3 [r8], a4 [r9],
 *                         a5 [8(%rsp)], a6 [16(%rsp)])
 * The flag's address stays in r11 until it has been read: the window begins before the read, and
 * from there to SYSCALL nothing is done that cannot be dropped.
 * Clobbers: rax rdi rsi rdx rcx r8 r9 r10 r11.  Unwinds: yes. */
FUNC gmp_cancelsyscall6
	movq	%rdi, %r11
	movq	%rsi, %rax
	movq	%rdx, %rdi
	movq	%rcx, %rsi
	movq	%r8, %rdx
	movq	%r9, %r10
	movq	8(%rsp), %r8
	movq	16(%rsp), %r9
LABEL gmp_cancelsyscall_start
	cmpl	$0, (%r11)
	jne	gmp_cancelsyscall_cancel
	syscall
LABEL gmp_cancelsyscall_end
	ret
LABEL gmp_cancelsyscall_cancel
	movq	$-4096, %rax
	ret
ENDFUNC gmp_cancelsyscall6

GNU_STACK

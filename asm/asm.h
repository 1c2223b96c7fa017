/*
 * The leaf layer: what C cannot say.  One header for both sides.
 *
 * Assembler side: FUNC/ENDFUNC give a function its label, type, size, hidden visibility, CFI and
 * endbr64; FUNC_EXPORT the same with default visibility, FUNC_PUBLIC protected.  Every .S file ends
 * with GNU_STACK. C side: the prototypes, and the labels of the PC windows.
 *
 * Rules: no stack protector, no TLS, no libc.  Each function unwinds at every instruction.  Marked
 * for IBT through <cet.h>; no shadow-stack claim, because vfork returns twice.
 */
#ifndef GMP_ASM_ASM_H
#define GMP_ASM_ASM_H

#ifdef __ASSEMBLER__

#if defined(__CET__) && defined(__has_include)
#if __has_include(<cet.h>)
#include <cet.h>
#endif
#endif

/* clang-format off */
.macro FUNC_EXPORT name
	.text
	.p2align 4
	.globl	\name
	.type	\name, @function
\name:
	.cfi_startproc
	endbr64
.endm

.macro FUNC name
	.hidden	\name
	FUNC_EXPORT \name
.endm

/* Part of gmprt.h: exported, yet our own calls reach our own copy and need no PLT. */
.macro FUNC_PUBLIC name
	.protected \name
	FUNC_EXPORT \name
.endm

.macro ENDFUNC name
	.cfi_endproc
	.size	\name, . - \name
.endm

/* A place in a function that C compares with a PC. */
.macro LABEL name
	.globl	\name
	.hidden	\name
	.type	\name, @notype
\name:
.endm

.macro GNU_STACK
	.section .note.GNU-stack, "", @progbits
.endm
/* clang-format on */

#else

struct m;

/*
 * The bare system call.  Returns what the kernel returns: -4095..-1 is a negated errno.
 * The SYSCALL instruction lies in [gmp_syscall_start, gmp_syscall_end): a signal handler that finds
 * the PC there knows that the call has not begun; one that finds it at gmp_syscall_end, that it is
 * in the kernel or over.
 */
long gmp_rawsyscall6(long nr, long a1, long a2, long a3, long a4, long a5, long a6);
long gmp_rawsyscall3(long nr, long a1, long a2, long a3);

/*
 * The same with a way out: *flag is looked at inside the window, so that a signal handler which
 * sets *flag and moves a PC inside [gmp_cancelsyscall_start, gmp_cancelsyscall_end) to
 * gmp_cancelsyscall_cancel leaves no moment in which the flag is set and the call still begins.
 * A PC at gmp_cancelsyscall_end is left alone: the call has a result, or returns -EINTR by itself.
 * Cancelled, it returns GMP_SYSCALL_CANCELLED, which the kernel never does, and nothing was done.
 */
long gmp_cancelsyscall6(const volatile int *flag, long nr, long a1, long a2, long a3, long a4,
			long a5, long a6);

#define GMP_SYSCALL_CANCELLED (-4096L)

extern const char gmp_syscall_start[] __attribute__((visibility("hidden")));
extern const char gmp_syscall_end[] __attribute__((visibility("hidden")));
extern const char gmp_syscall3_start[] __attribute__((visibility("hidden")));
extern const char gmp_syscall3_end[] __attribute__((visibility("hidden")));
extern const char gmp_cancelsyscall_start[] __attribute__((visibility("hidden")));
extern const char gmp_cancelsyscall_end[] __attribute__((visibility("hidden")));
extern const char gmp_cancelsyscall_cancel[] __attribute__((visibility("hidden")));
extern const char gmp_vfork_start[] __attribute__((visibility("hidden")));
extern const char gmp_vfork_end[] __attribute__((visibility("hidden")));

/*
 * vfork (vfork_amd64.S) calls these, which preload/ defines.
 * enter: before the fork, in the parent.  Its result survives in a register and comes to leave.
 * leave: after it, in the parent alone, when the child has exec'd or exited.
 * errno: result of a system call to libc's convention: sets errno and gives -1 on error.
 */
struct m *gmp_vfork_enter(void);
void gmp_vfork_leave(struct m *saved);
long gmp_syscall_errno(long result);

/* return_amd64.S: 1: by an indirect jump; 0: by ret. */
extern unsigned char gmp_return_jumps __attribute__((visibility("hidden")));
void __x86_return_thunk(void) __attribute__((visibility("hidden")));

#endif
#endif

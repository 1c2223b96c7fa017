/*
 * A return right after a system call.
 *
 * Some kernels leave the CPU's stack of return addresses worthless (AMD: "Safe RET"), and then each
 * ret that follows a system call is mispredicted, for 6 ns or more.  Natively there is one, libc's
 * own; an interceptor adds a second, and that is most of what it costs (docs/decisions/0005).  An
 * indirect jump is predicted by other means.
 *
 * Where the stack of return addresses is sound, the jump would leave it one too deep, and every
 * outer ret would be mispredicted in turn.  So: only in functions that always were in the kernel,
 * and only where a ret is measured to be the dearer one.
 */
#ifndef GMP_RUNTIME_COLD_RETURN_H
#define GMP_RUNTIME_COLD_RETURN_H

/* Of a function: it returns as was measured; by ret where the compiler cannot say this. */
#if defined(__has_attribute) && !defined(__clang__)
#if __has_attribute(function_return)
#define AFTER_SYSCALL __attribute__((function_return("thunk-extern")))
#endif
#endif
#ifndef AFTER_SYSCALL
#define AFTER_SYSCALL
#endif

/* Measures which is cheaper, in some microseconds.  By: who starts the scheduler, alone. */
void cold_return_init(void);

#endif

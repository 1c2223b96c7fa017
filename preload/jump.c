/*
 * The longjmp family: a jump out of a blocked call closes the gate that it leaves behind.  So does
 * a change of context in a handler that interrupted such a call; the handler may be gone on with.
 *
 * Where a jump leads is in the buffer, as glibc's setjmp mangles it: xor with the thread's pointer
 * guard (%fs:0x30), then rotated left by 17.  Slot 6 is the stack pointer.  The same since
 * glibc 2.4.
 */
#include <setjmp.h>

#include "preload/interpose.h"
#include "runtime/gate.h"

#define SLOT_SP 6

static uintptr_t target_sp(const struct __jmp_buf_tag *env)
{
	uintptr_t sp = (uintptr_t)env->__jmpbuf[SLOT_SP];

	__asm__("rorq $0x11, %0\n\txorq %%fs:0x30, %0" : "+r"(sp));
	return sp;
}

#define JUMP(name) \
	_Noreturn void shim_##name(struct __jmp_buf_tag *env, int value) \
	{ \
		gate_jump(target_sp(env)); \
		if (env->__mask_was_saved) \
			signals_jump((const sigset_t *)&env->__saved_mask); \
		real_##name(env, value); \
		__builtin_unreachable(); \
	}

JUMP(longjmp)
JUMP(_longjmp)
JUMP(siglongjmp)
JUMP(__longjmp_chk)

int shim_swapcontext(ucontext_t *from, const ucontext_t *to)
{
	gate_switch();
	return real_swapcontext(from, to);
}

int shim_setcontext(const ucontext_t *to)
{
	gate_switch();
	return real_setcontext(to);
}

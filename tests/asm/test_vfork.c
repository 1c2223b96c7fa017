/*
 * vfork: returns twice, keeps registers and the stack although the child wrecks it, calls enter and
 * leave once each, in the parent.  The two calls upward are played by this file.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "asm/asm.h"
#include "tests/asm/asm_test.h"

pid_t __vfork(void);

static struct {
	int enters, leaves;
	pid_t leave_pid;
	struct m *left;
} log_;

#define SAVED ((struct m *)0x5a5a5a5a12345678)

struct m *gmp_vfork_enter(void)
{
	log_.enters++;
	return SAVED;
}

void gmp_vfork_leave(struct m *saved)
{
	log_.leaves++;
	log_.leave_pid = getpid();
	log_.left = saved;
}

long gmp_syscall_errno(long result)
{
	errno = (int)-result;
	return -1;
}

/* Overwrites a good piece of the stack below its caller, as a busy child would. */
static __attribute__((noinline)) void wreck_stack(void)
{
	volatile char junk[8192];

	for (size_t i = 0; i < sizeof(junk); i++)
		junk[i] = (char)0xee;
}

static int exit_status(pid_t pid)
{
	int status = -1;

	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert(WIFEXITED(status), "status %#x", status);
	return WEXITSTATUS(status);
}

static void one_round(pid_t (*fork_fn)(void))
{
	volatile int child_ran = 0;
	pid_t self = getpid();

	memset(&log_, 0, sizeof(log_));
	pid_t pid = fork_fn();

	if (pid == 0) {
		wreck_stack();
		child_ran = log_.enters == 1 && log_.leaves == 0 && getpid() != self;
		_exit(42);
	}
	cr_assert_gt(pid, 0);
	cr_assert_eq(child_ran, 1, "the child shares our memory and ran before us");
	cr_assert_eq(exit_status(pid), 42);
	cr_assert_eq(log_.enters, 1);
	cr_assert_eq(log_.leaves, 1);
	cr_assert_eq(log_.leave_pid, self);
	cr_assert_eq(log_.left, SAVED);
}

Test(vfork, returns_in_child_then_in_parent_over_a_wrecked_stack)
{
	for (int i = 0; i < 100; i++)
		one_round(vfork);
	one_round(__vfork);
}

Test(vfork, lets_the_child_exec)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", "exit 7", (char *)NULL);
		_exit(1);
	}
	cr_assert_eq(exit_status(pid), 7);
}

/* Calls vfork with known callee-saved registers; the child exits at once.  Bits of the result: a
 * register that changed in the parent; rsp is bit 6. */
static unsigned changed_in_parent(pid_t *pid)
{
	unsigned bad;
	long r;

	__asm__ volatile("pushq %%rbx\n\tpushq %%rbp\n\t"
			 "leaq -128(%%rsp), %%rsp\n\t"
			 "movq %%rsp, %%r15\n\tandq $-16, %%rsp\n\tpushq $0\n\tpushq %%r15\n\t"
			 "movq $0x1b, %%rbx\n\tmovq $0x1c, %%rbp\n\tmovq $0x1d, %%r12\n\t"
			 "movq $0x1e, %%r13\n\tmovq $0x1f, %%r14\n\tmovq %%rsp, %%r15\n\t"
			 "call vfork\n\t"
			 "testq %%rax, %%rax\n\tjnz 2f\n\t"
			 "movl $60, %%eax\n\tmovl $9, %%edi\n\tsyscall\n2:\t"
			 "movq %%rax, %%rdx\n\txorl %%eax, %%eax\n\t"
			 "cmpq $0x1b, %%rbx\n\tje 1f\n\torl $1, %%eax\n1:\t"
			 "cmpq $0x1c, %%rbp\n\tje 1f\n\torl $2, %%eax\n1:\t"
			 "cmpq $0x1d, %%r12\n\tje 1f\n\torl $4, %%eax\n1:\t"
			 "cmpq $0x1e, %%r13\n\tje 1f\n\torl $8, %%eax\n1:\t"
			 "cmpq $0x1f, %%r14\n\tje 1f\n\torl $16, %%eax\n1:\t"
			 "cmpq %%rsp, %%r15\n\tje 1f\n\torl $64, %%eax\n\tmovq %%r15, %%rsp\n1:\t"
			 "movq (%%rsp), %%rsp\n\tleaq 128(%%rsp), %%rsp\n\tpopq %%rbp\n\tpopq %%rbx"
			 : "=a"(bad), "=d"(r)
			 :
			 : "rcx", "rdi", "rsi", "r8", "r9", "r10", "r11", "r12", "r13", "r14",
			   "r15", "memory", "cc");
	*pid = (pid_t)r;
	return bad;
}

Test(vfork, keeps_callee_saved_registers_and_the_stack_pointer)
{
	pid_t pid;

	cr_assert_eq(changed_in_parent(&pid), 0);
	cr_assert_gt(pid, 0);
	cr_assert_eq(exit_status(pid), 9);
}

Test(vfork, sets_errno_and_still_leaves_when_the_kernel_refuses)
{
	const struct rlimit none = { 0, 0 };

	/* Root is not bound by RLIMIT_NPROC; any other user is. */
	if (getuid() == 0)
		cr_assert_eq(setuid(65534), 0);
	cr_assert_eq(setrlimit(RLIMIT_NPROC, &none), 0);
	memset(&log_, 0, sizeof(log_));
	errno = 0;
	pid_t pid = vfork();

	if (pid == 0)
		_exit(0);
	cr_assert_eq(pid, -1);
	cr_assert_eq(errno, EAGAIN);
	cr_assert_eq(log_.enters, 1);
	cr_assert_eq(log_.leaves, 1);
	cr_assert_eq(log_.left, SAVED);
}

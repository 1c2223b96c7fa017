/*
 * The SYSCALL stubs: arguments, results, kept registers, and the PC windows.  Where a signal may
 * come at any instruction, the test brings one at every instruction.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "asm/asm.h"
#include "tests/asm/asm_test.h"

/* No system call has this number: only the trap below answers it. */
#define NR_PROBE 0x2345

static struct {
	int calls;
	long nr;
	long args[6];
} seen;

static void on_sigsys(int sig, siginfo_t *si, void *ctx)
{
	greg_t *r = ((ucontext_t *)ctx)->uc_mcontext.gregs;
	const int order[6] = { REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9 };

	seen.calls++;
	seen.nr = si->si_syscall;
	for (int i = 0; i < 6; i++)
		seen.args[i] = r[order[i]];
	r[REG_RAX] = 0x1122334455667788;
}

/* From here to the end of the test's process, NR_PROBE records its registers. */
static void trap_probe(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, NR_PROBE, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { sizeof(code) / sizeof(code[0]), code };
	struct sigaction sa = { .sa_sigaction = on_sigsys, .sa_flags = SA_SIGINFO };

	cr_assert_eq(sigaction(SIGSYS, &sa, NULL), 0);
	cr_assert_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	cr_assert_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog), 0);
	memset(&seen, 0, sizeof(seen));
}

static const long probe[6] = { 0x1111111111111111, -2,
			       0x3333333333333333, 0x4444444444444444,
			       -0x5555555555,	   0x6666666666666666 };

Test(rawsyscall6, gives_the_kernel_all_six_arguments)
{
	trap_probe();
	long r = gmp_rawsyscall6(NR_PROBE, probe[0], probe[1], probe[2], probe[3], probe[4],
				 probe[5]);

	cr_assert_eq(seen.calls, 1);
	cr_assert_eq(seen.nr, NR_PROBE);
	cr_assert_arr_eq(seen.args, probe, sizeof(probe));
	cr_assert_eq(r, 0x1122334455667788, "the result has 64 bits");
}

Test(rawsyscall3, gives_the_kernel_its_three_arguments)
{
	trap_probe();
	long r = gmp_rawsyscall3(NR_PROBE, probe[0], probe[1], probe[2]);

	cr_assert_eq(seen.calls, 1);
	cr_assert_eq(seen.nr, NR_PROBE);
	cr_assert_arr_eq(seen.args, probe, 3 * sizeof(long));
	cr_assert_eq(r, 0x1122334455667788);
}

Test(cancelsyscall6, gives_the_kernel_all_six_arguments)
{
	int flag = 0;

	trap_probe();
	long r = gmp_cancelsyscall6(&flag, NR_PROBE, probe[0], probe[1], probe[2], probe[3],
				    probe[4], probe[5]);

	cr_assert_eq(seen.calls, 1);
	cr_assert_eq(seen.nr, NR_PROBE);
	cr_assert_arr_eq(seen.args, probe, sizeof(probe));
	cr_assert_eq(r, 0x1122334455667788);
}

/* Fills every callee-saved register, calls, and says which of them came back changed (a bit each),
 * plus bit 6: rsp, bit 7: the direction flag.  rbp and rbx are kept by hand. */
static unsigned changed_by(void *fn, const int *flag, long nr)
{
	unsigned bad = 0;

	__asm__ volatile(
		"pushq %%rbx\n\tpushq %%rbp\n\t"
		"leaq -128(%%rsp), %%rsp\n\t"
		"movq %%rsp, %%r15\n\tandq $-16, %%rsp\n\t"
		"pushq $0\n\tpushq $0\n\tpushq $0\n\tpushq %%r15\n\t"
		"movq $0x1b, %%rbx\n\tmovq $0x1c, %%rbp\n\tmovq $0x1d, %%r12\n\t"
		"movq $0x1e, %%r13\n\tmovq $0x1f, %%r14\n\tmovq %%rsp, %%r15\n\t"
		"call *%%rax\n\t"
		"xorl %%eax, %%eax\n\t"
		"cmpq $0x1b, %%rbx\n\tje 1f\n\torl $1, %%eax\n1:\t"
		"cmpq $0x1c, %%rbp\n\tje 1f\n\torl $2, %%eax\n1:\t"
		"cmpq $0x1d, %%r12\n\tje 1f\n\torl $4, %%eax\n1:\t"
		"cmpq $0x1e, %%r13\n\tje 1f\n\torl $8, %%eax\n1:\t"
		"cmpq $0x1f, %%r14\n\tje 1f\n\torl $16, %%eax\n1:\t"
		"cmpq %%rsp, %%r15\n\tje 1f\n\torl $64, %%eax\n\tmovq %%r15, %%rsp\n1:\t"
		"pushfq\n\tpopq %%rcx\n\ttestl $0x400, %%ecx\n\tje 1f\n\torl $128, %%eax\n1:\t"
		"movq (%%rsp), %%rsp\n\tleaq 128(%%rsp), %%rsp\n\tpopq %%rbp\n\tpopq %%rbx"
		: "=a"(bad)
		: "a"(fn), "D"(flag ? (long)flag : nr), "S"(flag ? nr : 0L), "d"(0L)
		: "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
	return bad;
}

Test(rawsyscall, keeps_callee_saved_registers_stack_and_direction_flag)
{
	static const int flag;
	static const int set = 1;

	cr_assert_eq(changed_by(gmp_rawsyscall6, NULL, SYS_getppid), 0);
	cr_assert_eq(changed_by(gmp_rawsyscall3, NULL, SYS_getppid), 0);
	cr_assert_eq(changed_by(gmp_cancelsyscall6, &flag, SYS_getppid), 0);
	cr_assert_eq(changed_by(gmp_cancelsyscall6, &set, SYS_getppid), 0);
}

Test(rawsyscall, returns_the_negated_errno_and_leaves_errno_alone)
{
	errno = 77;
	cr_assert_eq(gmp_rawsyscall6(SYS_read, -1, 0, 0, 0, 0, 0), -EBADF);
	cr_assert_eq(gmp_rawsyscall6(SYS_read, 0x7ffffff0, 0, 0, 0, 0, 0), -EBADF);
	cr_assert_eq(gmp_rawsyscall6(100000, 0, 0, 0, 0, 0, 0), -ENOSYS);
	cr_assert_eq(gmp_rawsyscall3(SYS_close, -1, 0, 0), -EBADF);
	cr_assert_eq(gmp_rawsyscall3(SYS_getpid, 0, 0, 0), getpid());
	cr_assert_eq(errno, 77);
}

Test(rawsyscall6, uses_the_sixth_argument_of_mmap)
{
	int fd = memfd_create("page", 0);
	char page[4096];

	for (int i = 0; i < 3; i++) {
		memset(page, 'a' + i, sizeof(page));
		cr_assert_eq(write(fd, page, sizeof(page)), (ssize_t)sizeof(page));
	}
	long p = gmp_rawsyscall6(SYS_mmap, 0, 4096, PROT_READ, MAP_SHARED, fd, 8192);

	cr_assert(p > 0 || p < -4095, "mmap gave %ld", p);
	cr_assert_eq(*(char *)p, 'c');
	munmap((void *)p, 4096);
	close(fd);
}

Test(rawsyscall, windows_are_named_in_order_and_end_behind_the_instruction)
{
	const struct {
		const void *fn;
		const char *start, *end;
	} w[] = {
		{ (void *)gmp_rawsyscall6, gmp_syscall_start, gmp_syscall_end },
		{ (void *)gmp_rawsyscall3, gmp_syscall3_start, gmp_syscall3_end },
		{ (void *)gmp_cancelsyscall6, gmp_cancelsyscall_start, gmp_cancelsyscall_end },
	};

	for (size_t i = 0; i < sizeof(w) / sizeof(w[0]); i++) {
		cr_assert(w[i].start > (const char *)w[i].fn);
		cr_assert(w[i].end > w[i].start);
		cr_assert(w[i].end < function_end(w[i].fn));
		cr_assert_arr_eq(w[i].end - 2, "\x0f\x05", 2, "a window ends behind its SYSCALL");
	}
	cr_assert(&gmp_cancelsyscall_cancel[0] >= w[2].end, "the way out is no window");
	cr_assert(gmp_cancelsyscall_cancel < function_end((void *)gmp_cancelsyscall6));
}

Test(asm, functions_begin_with_endbr64)
{
	const void *fns[] = { gmp_rawsyscall6, gmp_rawsyscall3, gmp_cancelsyscall6, vfork };

	for (size_t i = 0; i < sizeof(fns) / sizeof(fns[0]); i++)
		cr_assert_arr_eq((const char *)fns[i], "\xf3\x0f\x1e\xfa", 4);
}

/* Does fd hold a byte to read, now? */
static bool readable(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	return poll(&p, 1, 0) == 1;
}

Test(cancelsyscall6, does_nothing_when_the_flag_is_set_before)
{
	int flag = 1, p[2];

	cr_assert_eq(pipe(p), 0);
	cr_assert_eq(gmp_cancelsyscall6(&flag, SYS_write, p[1], (long)"x", 1, 0, 0, 0),
		     GMP_SYSCALL_CANCELLED);
	cr_assert_not(readable(p[0]));
	flag = 0;
	cr_assert_eq(gmp_cancelsyscall6(&flag, SYS_write, p[1], (long)"x", 1, 0, 0, 0), 1);
	cr_assert(readable(p[0]));
	cr_assert_eq(gmp_cancelsyscall6(&flag, SYS_write, -1, (long)"x", 1, 0, 0, 0), -EBADF);
}

static volatile int cancel_flag;
static int cancel_at; /* the PC number at which the cancellation arrives */

/* What a cancelling signal handler does, arriving at instruction cancel_at. */
static void cancel_here(ucontext_t *uc, int n)
{
	greg_t *pc = &uc->uc_mcontext.gregs[REG_RIP];

	if (n != cancel_at)
		return;
	cancel_flag = 1;
	if ((const char *)*pc >= gmp_cancelsyscall_start &&
	    (const char *)*pc < gmp_cancelsyscall_end)
		*pc = (greg_t)gmp_cancelsyscall_cancel;
}

/* Instructions before SYSCALL retires: endbr64, 8 moves, cmpl, jne, syscall = PCs 0..11. */
#define LAST_PC_BEFORE 11

Test(cancelsyscall6, is_cancelled_by_a_signal_at_any_instruction_before_the_call)
{
	int p[2], done = 0;

	cr_assert_eq(pipe(p), 0);
	for (cancel_at = 0; cancel_at <= LAST_PC_BEFORE + 1; cancel_at++) {
		cancel_flag = 0;
		step_begin(gmp_cancelsyscall6, cancel_here);
		trap_on();
		long r = gmp_cancelsyscall6(&cancel_flag, SYS_write, p[1], (long)"x", 1, 0, 0, 0);
		trap_off();
		int seen_pcs = step_end();

		if (cancel_at <= LAST_PC_BEFORE) {
			cr_assert_eq(r, GMP_SYSCALL_CANCELLED, "signal at instruction %d: %ld",
				     cancel_at, r);
			cr_assert_not(readable(p[0]), "cancelled at %d, yet written", cancel_at);
			done++;
		} else {
			cr_assert_eq(r, 1, "too late to cancel: the result counts");
			cr_assert(readable(p[0]));
		}
		cr_assert_geq(seen_pcs,
			      cancel_at < LAST_PC_BEFORE ? cancel_at + 1 : LAST_PC_BEFORE + 1);
	}
	cr_assert_eq(done, LAST_PC_BEFORE + 1);
}

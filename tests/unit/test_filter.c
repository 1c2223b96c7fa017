/* preload/filter.c: what a seccomp filter answers, compared with the kernel. */
#include "preload/filter.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <linux/audit.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define STMT(code, k) ((struct sock_filter)BPF_STMT(code, k))
#define JUMP(code, k, yes, no) ((struct sock_filter)BPF_JUMP(code, k, yes, no))
#define ANSWERS 0xfff /* errno values */

enum { ROUNDS = 300, BODY = 40, MOST = BODY + 64 };

static struct sock_filter code[MOST];
static struct sock_fprog prog = { 0, code };
static uint64_t seed;
static const struct seccomp_data call = {
	.nr = SYS_getppid,
	.arch = AUDIT_ARCH_X86_64,
	.args = { 1, 0xdeadbeefcafe, 0x7fffffff, ~0ul, 17, 0x80000000 },
};

static unsigned any(unsigned n)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (unsigned)(seed >> 33) % n;
}

static void emit(struct sock_filter i)
{
	code[prog.len++] = i;
}

/* Every other call passes; every cell of the memory is written, or the kernel refuses its use. */
static void prologue(void)
{
	prog.len = 0;
	emit(STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)));
	emit(JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 1, 0));
	emit(STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
	for (unsigned i = 0; i < BPF_MEMWORDS; i++) {
		emit(STMT(BPF_LD | BPF_IMM, any(1u << 31)));
		emit(STMT(i % 2 ? BPF_STX : BPF_ST, i));
	}
}

/* A's low bits are the answer. */
static void epilogue(void)
{
	emit(STMT(BPF_ALU | BPF_AND | BPF_K, ANSWERS));
	emit(STMT(BPF_ALU | BPF_OR | BPF_K, SECCOMP_RET_ERRNO));
	emit(STMT(BPF_RET | BPF_A, 0));
}

/* left: instructions after this one that a jump may skip. */
static struct sock_filter random_step(unsigned left)
{
	static const unsigned short ops[] = { BPF_ADD, BPF_SUB, BPF_MUL, BPF_DIV, BPF_OR,
					      BPF_AND, BPF_XOR, BPF_LSH, BPF_RSH };
	static const unsigned short conditions[] = { BPF_JEQ, BPF_JGT, BPF_JGE, BPF_JSET };
	unsigned op = ops[any(9)], source = op != BPF_DIV && any(2) ? BPF_X : BPF_K;
	unsigned word = any(14); /* not the instruction pointer, which we do not know */

	switch (any(9)) {
	case 0:
		return STMT(BPF_LD | BPF_W | BPF_ABS, (word < 2 ? word : word + 2) * 4);
	case 1:
		return STMT((any(2) ? BPF_LD : BPF_LDX) | BPF_MEM, any(BPF_MEMWORDS));
	case 2:
		return STMT((any(2) ? BPF_LD : BPF_LDX) | BPF_W | BPF_LEN, 0);
	case 3:
		return STMT(any(2) ? BPF_ST : BPF_STX, any(BPF_MEMWORDS));
	case 4:
		return STMT(BPF_MISC | (any(2) ? BPF_TAX : BPF_TXA), 0);
	case 5:
		return JUMP(BPF_JMP | conditions[any(4)] | (any(2) ? BPF_X : BPF_K), any(1u << 31),
			    (uint8_t)any(left), (uint8_t)any(left));
	case 6:
		return any(8) ? STMT(BPF_ALU | BPF_NEG, 0) : STMT(BPF_JMP | BPF_JA, any(left));
	default:
		return STMT(BPF_ALU | op | source,
			    op == BPF_LSH || op == BPF_RSH ? any(32) : any(1u << 31) + 1);
	}
}

/* The errno of the call in a child that is locked in, 0: none. */
static int kernel_says(void)
{
	int status = 0, to[2], err = -1;
	pid_t pid;

	cr_assert_eq(pipe(to), 0);
	pid = fork();
	if (pid == 0) {
		long r;

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
		    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) != 0)
			_exit(1);
		errno = 0;
		r = syscall(SYS_getppid, call.args[0], call.args[1], call.args[2], call.args[3],
			    call.args[4], call.args[5]);
		err = r < 0 ? errno : 0;
		_exit(write(to[1], &err, sizeof(err)) != sizeof(err));
	}
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	cr_assert_eq(status, 0, "the kernel refused the filter, or it killed: %x", status);
	cr_assert_eq(read(to[0], &err, sizeof(err)), (ssize_t)sizeof(err));
	close(to[0]);
	close(to[1]);
	return err;
}

Test(filter, answers_as_the_kernel_does)
{
	for (unsigned round = 0; round < ROUNDS; round++) {
		seed = round;
		prologue();
		for (unsigned left = BODY; left; left--)
			emit(random_step(left));
		epilogue();
		cr_assert_eq(filter_run(&prog, &call) & ANSWERS, kernel_says(), "seed %u", round);
	}
}

static unsigned answer(const struct sock_filter *steps, size_t n)
{
	const struct sock_fprog p = { (unsigned short)n, (struct sock_filter *)steps };

	return filter_run(&p, &call);
}

Test(filter, kills_where_the_kernel_would_not_have_it_or_divides_by_nothing)
{
	const struct sock_filter odd[] = { STMT(BPF_LD | BPF_W | BPF_ABS, 2) };
	const struct sock_filter beyond[] = { STMT(BPF_LD | BPF_W | BPF_ABS, 64) };
	const struct sock_filter far[] = { STMT(BPF_JMP | BPF_JA, ~0u) };
	const struct sock_filter divides[] = { STMT(BPF_ALU | BPF_DIV | BPF_X, 0),
					       STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW) };

	cr_assert_eq(answer(odd, 1), SECCOMP_RET_KILL_PROCESS);
	cr_assert_eq(answer(beyond, 1), SECCOMP_RET_KILL_PROCESS);
	cr_assert_eq(answer(far, 1), SECCOMP_RET_KILL_PROCESS);
	cr_assert_eq(answer(divides, 2), SECCOMP_RET_KILL_PROCESS);
}

/* One number is answered, every other one passes. */
static bool spares_us(unsigned nr, unsigned action)
{
	struct sock_filter steps[] = {
		STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),
		STMT(BPF_RET | BPF_K, action),
		STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog p = { 4, steps };

	return filter_spares_us(&p);
}

Test(filter, spares_us_unless_it_ends_one_of_our_calls)
{
	const struct sock_fprog none = { 0, NULL };

	cr_assert_not(spares_us(SYS_membarrier, SECCOMP_RET_KILL_PROCESS));
	cr_assert_not(spares_us(SYS_membarrier, SECCOMP_RET_TRAP));
	cr_assert_not(spares_us(SYS_rt_tgsigqueueinfo, SECCOMP_RET_TRACE));
	cr_assert(spares_us(SYS_membarrier, SECCOMP_RET_ERRNO | EPERM));
	cr_assert(spares_us(SYS_membarrier, SECCOMP_RET_LOG));
	cr_assert(spares_us(SYS_ptrace, SECCOMP_RET_KILL_PROCESS));
	cr_assert(filter_spares_us(&none), "the kernel will say no");
	cr_assert(filter_spares_us(NULL));
}

/* The classic BPF of seccomp(2), and our own system calls run through it. */
#include "preload/filter.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>

#include "runtime/numbers.h"
#include "runtime/os.h"

struct machine {
	unsigned a, x, mem[BPF_MEMWORDS];
};

static bool load(struct machine *m, const struct sock_filter *i, const struct seccomp_data *call)
{
	bool to_x = BPF_CLASS(i->code) == BPF_LDX;
	unsigned value;

	switch (BPF_MODE(i->code)) {
	case BPF_IMM:
		value = i->k;
		break;
	case BPF_LEN:
		value = sizeof(*call);
		break;
	case BPF_MEM:
		value = m->mem[i->k % BPF_MEMWORDS];
		break;
	case BPF_ABS:
		if (to_x || i->k % sizeof(value) || i->k >= sizeof(*call))
			return false;
		value = ((const unsigned *)call)[i->k / sizeof(value)];
		break;
	default:
		return false;
	}
	*(to_x ? &m->x : &m->a) = value;
	return true;
}

/* False: it ends here, and kills. */
static bool compute(struct machine *m, const struct sock_filter *i)
{
	unsigned a = m->a, b = BPF_SRC(i->code) == BPF_X ? m->x : i->k;
	const struct {
		unsigned op, result;
	} results[] = {
		{ BPF_ADD, a + b }, { BPF_SUB, a - b },
		{ BPF_MUL, a * b }, { BPF_DIV, b ? a / b : 0 },
		{ BPF_OR, a | b },  { BPF_LSH, a << (b & 31) },
		{ BPF_AND, a & b }, { BPF_RSH, a >> (b & 31) },
		{ BPF_XOR, a ^ b }, { BPF_NEG, -a },
	};

	if (BPF_OP(i->code) == BPF_DIV && !b)
		return false; /* it ends with 0, which kills */
	for (size_t n = 0; n < sizeof(results) / sizeof(results[0]); n++)
		if (results[n].op == BPF_OP(i->code)) {
			m->a = results[n].result;
			return true;
		}
	return false;
}

/* How many instructions to skip. */
static unsigned jump(const struct machine *m, const struct sock_filter *i)
{
	unsigned b = BPF_SRC(i->code) == BPF_X ? m->x : i->k;
	bool yes;

	switch (BPF_OP(i->code)) {
	case BPF_JA:
		return i->k;
	case BPF_JEQ:
		yes = m->a == b;
		break;
	case BPF_JGT:
		yes = m->a > b;
		break;
	case BPF_JGE:
		yes = m->a >= b;
		break;
	default:
		yes = m->a & b; /* BPF_JSET */
	}
	return yes ? i->jt : i->jf;
}

/* One that neither jumps nor returns.  False: it ends here, and kills. */
static bool step(struct machine *m, const struct sock_filter *i, const struct seccomp_data *call)
{
	switch (BPF_CLASS(i->code)) {
	case BPF_LD:
	case BPF_LDX:
		return load(m, i, call);
	case BPF_ST:
		m->mem[i->k % BPF_MEMWORDS] = m->a;
		return true;
	case BPF_STX:
		m->mem[i->k % BPF_MEMWORDS] = m->x;
		return true;
	case BPF_ALU:
		return compute(m, i);
	}
	if (BPF_MISCOP(i->code) == BPF_TAX)
		m->x = m->a;
	else
		m->a = m->x;
	return true;
}

unsigned filter_run(const struct sock_fprog *prog, const struct seccomp_data *call)
{
	struct machine m = { 0 };

	for (size_t pc = 0; pc < prog->len; pc++) {
		const struct sock_filter *i = &prog->filter[pc];

		if (BPF_CLASS(i->code) == BPF_RET)
			return BPF_RVAL(i->code) == BPF_A ? m.a : i->k;
		if (BPF_CLASS(i->code) == BPF_JMP)
			pc += jump(&m, i);
		else if (!step(&m, i, call))
			break;
	}
	return SECCOMP_RET_KILL_PROCESS;
}

static bool spares(const struct sock_fprog *prog, const struct seccomp_data *call)
{
	unsigned action = filter_run(prog, call) & SECCOMP_RET_ACTION_FULL;

	return action == SECCOMP_RET_ALLOW || action == SECCOMP_RET_LOG ||
	       action == SECCOMP_RET_ERRNO;
}

bool filter_spares_us(const struct sock_fprog *prog)
{
	unsigned tid = (unsigned)os_gettid(), pid = (unsigned)os_getpid();
	const struct {
		int nr;
		unsigned long args[6];
	} own[] = {
#define OWN(name, ...) { SYS_##name, { __VA_ARGS__ } },
#include "preload/own_calls.def"
	};
	struct seccomp_data call = { .arch = AUDIT_ARCH_X86_64 };

	if (!prog || !prog->filter || !prog->len || prog->len > BPF_MAXINSNS)
		return true;
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		call.nr = own[i].nr;
		for (int a = 0; a < 6; a++)
			call.args[a] = own[i].args[a];
		if (!spares(prog, &call))
			return false;
	}
	return true;
}

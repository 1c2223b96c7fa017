/* Where the rseq area is, or a stand-in that says "not known". */
#include "runtime/cpu.h"

static __thread struct {
	u32 cpu_id_start, cpu_id;
} none __attribute__((tls_model("initial-exec"))) = { CPU_NONE, CPU_NONE };

long cpu_rseq;

static long thread_pointer(void)
{
	long tp;

	__asm__("movq %%fs:0, %0" : "=r"(tp));
	return tp;
}

void cpu_init(long offset)
{
	/* The same in every thread: our TLS is in the static block. */
	cpu_rseq = offset ? offset : (long)&none - thread_pointer();
}

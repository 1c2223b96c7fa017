/*
 * The CPU that the calling thread runs on, for one load: the kernel keeps it in the rseq area that
 * glibc (2.35 and later) registers for every thread.  Without that area nobody knows, and what
 * depends on it is not done.
 */
#ifndef GMP_RUNTIME_CPU_H
#define GMP_RUNTIME_CPU_H

#include "runtime/atomic.h"

#define CPU_NONE 0xffffffffu

/* Offset of the thread's struct rseq from the thread pointer.  Set once, by cpu_init(). */
extern long cpu_rseq;

/* offset: glibc's __rseq_offset; 0: there is no area. */
void cpu_init(long offset);

/* The answer may be old by the time that it is used.  CPU_NONE and above: not known. */
static inline u32 cpu_here(void)
{
	u32 cpu;

	__asm__ volatile("movl %%fs:4(%1), %0" : "=r"(cpu) : "r"(cpu_rseq)); /* rseq.cpu_id */
	return cpu;
}

/* glibc writes -1 or -2 where the kernel registers none. */
static inline bool cpu_known(u32 cpu)
{
	return (i32)cpu >= 0;
}

#endif

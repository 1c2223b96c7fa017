/* A system call that no library sees: the instruction itself.  Returns what the kernel says. */
#ifndef TESTS_SUPPORT_UNSEEN_H
#define TESTS_SUPPORT_UNSEEN_H

static inline long unseen(long nr, long a, long b, long c, long d)
{
	register long r10 __asm__("r10") = d;
	long ret;

	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a), "S"(b), "d"(c), "r"(r10)
			 : "rcx", "r11", "memory");
	return ret;
}

#endif

/* Go's Syscall family over the asm stubs; see gmprt.h. */
#include "asm/asm.h"
#include "runtime/entersyscall.h"
#include "runtime/gmprt.h"

long gmp_rawsyscall(long nr, long a1, long a2, long a3)
{
	return gmp_rawsyscall6(nr, a1, a2, a3, 0, 0, 0);
}

long gmp_syscall6(long nr, long a1, long a2, long a3, long a4, long a5, long a6)
{
	long result;

	gmp_entersyscall();
	result = gmp_rawsyscall6(nr, a1, a2, a3, a4, a5, a6);
	gmp_exitsyscall();
	return result;
}

long gmp_syscall(long nr, long a1, long a2, long a3)
{
	return gmp_syscall6(nr, a1, a2, a3, 0, 0, 0);
}

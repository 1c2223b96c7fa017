/* A library whose constructor blocks, while its thread holds the loader's lock, until somebody
 * writes to a pipe.  The environment says which pipe, and where to say that it has begun.
 */
#include <stdlib.h>
#include <unistd.h>

__attribute__((constructor)) static void slow(void)
{
	const char *fd = getenv("SLOWLIB_FD"), *held = getenv("SLOWLIB_HELD");
	char c;

	if (!fd || !held)
		return;
	__atomic_store_n((volatile int *)strtoul(held, NULL, 0), 1, __ATOMIC_RELEASE);
	while (read(atoi(fd), &c, 1) < 0)
		;
}

/* Victim: linked against earlylib, which blocks and makes threads in constructor and destructor. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void early_call(void);

static void at_exit(void)
{
	dprintf(1, "atexit\n");
	early_call();
}

int main(void)
{
	atexit(at_exit);
	dprintf(1, "main\n");
	early_call();
	return 0;
}

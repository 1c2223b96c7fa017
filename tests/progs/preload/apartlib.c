/* A library that needs parts of libc which its program does not have before glibc 2.34, and which
 * are in nobody's scope but its own. */
#include <errno.h>
#include <mqueue.h>
#include <netdb.h>
#include <stddef.h>

int apart_mq(void);
int apart_gai(void);

int apart_mq(void)
{
	char c;

	return mq_receive(-1, &c, 1, NULL) == -1 ? errno : 0;
}

int apart_gai(void)
{
	return gai_suspend(NULL, 0, NULL);
}

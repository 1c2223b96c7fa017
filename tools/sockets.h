/* What is known of a socket beside its number. */
#ifndef GMP_TOOLS_SOCKETS_H
#define GMP_TOOLS_SOCKETS_H

#include <sys/types.h>

/* "tcp 127.0.0.1:80 to 127.0.0.1:4711", or NULL; in pid's network namespace. */
const char *socket_ends(pid_t pid, unsigned long inode);

#endif

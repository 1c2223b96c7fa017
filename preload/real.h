/*
 * libc's own functions behind our names: real_<name> for every row of calls.def.
 *
 * Each pointer can be called at any time. Until real_init() has run it leads to a resolver that
 * looks up its own symbol, so other libraries' constructors may call us before ours has. The
 * resolver takes no lock and allocates nothing for a symbol that exists, so it may be entered from
 * malloc. A function that this libc does not have fails with ENOSYS in that function's own way.
 */
#ifndef GMP_PRELOAD_REAL_H
#define GMP_PRELOAD_REAL_H

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <mqueue.h>
#include <poll.h>
#include <printf.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <termios.h>
#include <threads.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>
#include <wchar.h>

#include "runtime/numbers.h"

/* Result types of calls.def whose name says how the function reports an error. */
typedef int errnum;   /* 0 or an errno value */
typedef int thrd_res; /* thrd_success, thrd_error, ... */
typedef DIR *dir_ptr;
typedef struct dirent *dirent_ptr;
typedef void *ptr;
/* The callbacks of scandir. */
typedef int (*dir_filter)(const struct dirent *);
typedef int (*dir_compare)(const struct dirent **, const struct dirent **);

#define ROW(type, name, symbol, version, params, args) extern type(*real_##name) params;
#include "preload/calls.def"

/* Looks up every row.  Called once, by our constructor; a second call changes nothing. */
void real_init(void);

#endif

/* What signal.c and sigmask.c tell each other. */
#ifndef GMP_PRELOAD_SIGNAL_H
#define GMP_PRELOAD_SIGNAL_H

#include <signal.h>

#include "runtime/types.h"

extern au32 wants_sigurg; /* the host has an interest in it */

/* The host cares for SIGURG. */
void note_sigurg(void);
/* It is to be the kernel's again, with what the host wants of it. */
void leave_sigurg(void);
/* sigprocmask() of one signal. */
int signal_block(int sig, int how, sigset_t *old);

#endif

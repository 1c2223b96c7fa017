/* The names of system calls, without a relocation for each. */
#ifndef GMP_PRELOAD_SYSCALL_NAMES_H
#define GMP_PRELOAD_SYSCALL_NAMES_H

/* NULL: no such number. */
const char *syscall_name(unsigned nr);

#endif

/*
 * Numbers of the kernel's that are younger than the headers of the oldest libc and kernel that we
 * build with (glibc 2.31, Linux 5.4).  A running kernel that lacks one answers ENOSYS.
 */
#ifndef GMP_RUNTIME_NUMBERS_H
#define GMP_RUNTIME_NUMBERS_H

#include <asm/unistd.h>

#ifndef __NR_close_range
#define __NR_close_range 436
#endif
#ifndef __NR_openat2
#define __NR_openat2 437
#endif
#ifndef __NR_epoll_pwait2
#define __NR_epoll_pwait2 441
#endif
#ifndef __NR_futex_waitv
#define __NR_futex_waitv 449
#endif
#ifndef __NR_futex_wait
#define __NR_futex_wait 455
#endif

/* libc's names for the same: <sys/syscall.h> has those that its makers knew of. */
#ifndef SYS_close_range
#define SYS_close_range __NR_close_range
#endif
#ifndef SYS_openat2
#define SYS_openat2 __NR_openat2
#endif
#ifndef SYS_epoll_pwait2
#define SYS_epoll_pwait2 __NR_epoll_pwait2
#endif
#ifndef SYS_futex_waitv
#define SYS_futex_waitv __NR_futex_waitv
#endif
#ifndef SYS_futex_wait
#define SYS_futex_wait __NR_futex_wait
#endif

/* <linux/prctl.h> has them from Linux 5.11 on. */
#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_OFF 0
#define PR_SYS_DISPATCH_ON 1
#define SYSCALL_DISPATCH_FILTER_ALLOW 0
#define SYSCALL_DISPATCH_FILTER_BLOCK 1
#endif

#endif

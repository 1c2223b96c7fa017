/*
 * What the interceptors share: how a name is exported, and the class of a call whose arguments
 * decide whether it can block.
 *
 * Interceptors live under C names of their own (shim_read) and get their symbol by an asm label,
 * so that no macro, redirect, attribute or variadic prototype of a libc header has a say in them.
 * The functions here run in signal handlers and before any constructor: no lock, no malloc, no
 * stdio.
 */
#ifndef GMP_PRELOAD_INTERPOSE_H
#define GMP_PRELOAD_INTERPOSE_H

#include <aio.h>
#include <glob.h>

#include "preload/real.h"
#include "runtime/types.h"

#ifndef EXPORT
#define EXPORT __attribute__((visibility("default")))
#endif

/* Another exported name for shim_<target>, which must be defined in the same file. */
#define EXPORT_ALIAS(alias_name, target) \
	extern __typeof__(shim_##target) shim_##alias_name __asm__(#alias_name) EXPORT \
		__attribute__((alias(#target)));

/* Interceptors that are written out: the prototype with its symbol. */
#define HAND(type, name, version, params, args) EXPORT type shim_##name params __asm__(#name);
#define HOOK(type, name, version, params, args) EXPORT type shim_##name params __asm__(#name);
#include "preload/calls.def"

/* How a system call asked for by number may block; a[] are its six arguments. */
u64 syscall_class(long nr, const long a[6]);
u64 ioctl_class(unsigned long cmd);
u64 mask_class(int how, uintptr_t set); /* sigmask.c */

/* sigmask.c: the calling thread is about to fetch one of these, */
void signals_fetched(const sigset_t *set);
/* and to have this mask by a jump. */
void signals_jump(const sigset_t *set);

static inline u64 fetch_class(const sigset_t *set, u64 class)
{
	signals_fetched(set);
	return class;
}

static inline u64 open_class(int flags)
{
	return flags & (O_PATH | O_NONBLOCK) ? NEVER : MAY_WAIT;
}

static inline u64 fcntl_class(int cmd)
{
	return cmd == F_SETLKW || cmd == F_OFD_SETLKW ? MAY_WAIT : NEVER;
}

static inline u64 recv_class(int fd, int flags)
{
	return flags & MSG_DONTWAIT ? NEVER : MAY_READ(fd);
}

static inline u64 send_class(int fd, int flags)
{
	return flags & MSG_DONTWAIT ? NEVER : MAY_WRITE(fd);
}

static inline u64 timespec_class(const struct timespec *t)
{
	return t && t->tv_sec == 0 && t->tv_nsec == 0 ? BRIEF : WILL_WAIT;
}

static inline u64 timeval_class(const struct timeval *t)
{
	return t && t->tv_sec == 0 && t->tv_usec == 0 ? BRIEF : WILL_WAIT;
}

/* Composites with callbacks: no bracket round code of the host's.  Two of libc's own are known. */
static inline u64 scandir_class(dir_filter filter, dir_compare compare)
{
	bool ours = !compare || compare == alphasort || compare == versionsort;

	return filter || !ours ? NEVER : COMPOSE;
}

static inline u64 glob_class(int flags, const void *on_error)
{
	return on_error || flags & GLOB_ALTDIRFUNC ? NEVER : COMPOSE;
}

/* libc reads it as soon. */
static inline u64 fts_class(const FTS *fts)
{
	return fts->fts_compar ? NEVER : COMPOSE;
}

static inline u64 poll_class(struct pollfd *fds, nfds_t n, int timeout)
{
	if (timeout == 0)
		return BRIEF;
	return n == 1 ? WILL_WAIT | ON(WAIT_POLL, fds) : WILL_WAIT;
}

static inline u64 epoll_class(int fd, int timeout)
{
	return timeout == 0 ? BRIEF : READY(fd);
}

static inline u64 lio_class(int mode)
{
	return mode == LIO_WAIT ? WILL_WAIT : NEVER;
}

#endif

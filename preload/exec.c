/*
 * The exec family, in a bracket: a preemption signal that is pending when the new program starts
 * would reach it, and the real-time one (signal.c) would end it.  No signal is sent to a bracket.
 *
 * libc's own functions call execve() without asking us, so each name is here; the forms with a list
 * build their vector on the stack, for they may run between fork and exec.
 */
#include <alloca.h>
#include <stdarg.h>

#include "preload/gate.h"
#include "preload/interpose.h"

int shim_execve(const char *path, char *const *argv, char *const *envp)
{
	GATE(MAY_WAIT, SYS_execve);
	return real_execve(path, argv, envp);
}

EXPORT int shim_execv(const char *path, char *const *argv) __asm__("execv");
EXPORT int shim_execv(const char *path, char *const *argv)
{
	return shim_execve(path, argv, environ);
}

int shim_execvpe(const char *file, char *const *argv, char *const *envp)
{
	GATE(MAY_WAIT, SYS_execve);
	return real_execvpe(file, argv, envp);
}

EXPORT int shim_execvp(const char *file, char *const *argv) __asm__("execvp");
EXPORT int shim_execvp(const char *file, char *const *argv)
{
	return shim_execvpe(file, argv, environ);
}

int shim_fexecve(int fd, char *const *argv, char *const *envp)
{
	GATE(MAY_WAIT, SYS_execveat);
	return real_fexecve(fd, argv, envp);
}

int shim_execveat(int dir, const char *path, char *const *argv, char *const *envp, int flags)
{
	GATE(MAY_WAIT, SYS_execveat);
	return real_execveat(dir, path, argv, envp, flags);
}

/* Arguments from first to the NULL, which is counted. */
static size_t count_args(const char *first, va_list args)
{
	size_t n = 1;
	va_list ap;

	va_copy(ap, args);
	for (const char *arg = first; arg; arg = va_arg(ap, const char *))
		n++;
	va_end(ap);
	return n;
}

static void fill_args(char **argv, size_t n, const char *first, va_list *ap)
{
	argv[0] = (char *)first;
	for (size_t i = 1; i < n; i++)
		argv[i] = va_arg(*ap, char *);
}

/* In the caller's frame: an argument vector from `first` and what follows it. */
#define LIST_ARGS(argv, first, ap) \
	size_t n = count_args(first, ap); \
	char **argv = alloca(n * sizeof(*argv)); \
	fill_args(argv, n, first, &(ap))

EXPORT int shim_execl(const char *path, const char *arg, ...) __asm__("execl");
EXPORT int shim_execl(const char *path, const char *arg, ...)
{
	va_list ap;

	va_start(ap, arg);
	LIST_ARGS(argv, arg, ap);
	va_end(ap);
	return shim_execve(path, argv, environ);
}

EXPORT int shim_execle(const char *path, const char *arg, ...) __asm__("execle");
EXPORT int shim_execle(const char *path, const char *arg, ...)
{
	va_list ap;

	va_start(ap, arg);
	LIST_ARGS(argv, arg, ap);
	char *const *envp = va_arg(ap, char *const *);
	va_end(ap);
	return shim_execve(path, argv, envp);
}

EXPORT int shim_execlp(const char *path, const char *arg, ...) __asm__("execlp");
EXPORT int shim_execlp(const char *path, const char *arg, ...)
{
	va_list ap;

	va_start(ap, arg);
	LIST_ARGS(argv, arg, ap);
	va_end(ap);
	return shim_execvpe(path, argv, environ);
}

/* spawn.h: fork, exec, drain both pipes, reap.  poll(2) with the deadline is the only wait. */
#include "tests/support/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/numbers.h"
#include "tests/support/wait.h"

#ifndef LIBGMP_SO
#define LIBGMP_SO "build/libgmp.so"
#endif
#ifndef VICTIM_DIR
#define VICTIM_DIR "build/tests/preload"
#endif

extern char **environ;

struct buffer {
	char *data;
	size_t len, cap;
};

const char *libgmp_so(void)
{
	const char *path = getenv("LIBGMP_SO");

	return path && *path ? path : LIBGMP_SO;
}

const char *victim_path(const char *name, char *buf, unsigned size)
{
	const char *dir = getenv("VICTIM_DIR");

	snprintf(buf, size, "%s/%s", dir && *dir ? dir : VICTIM_DIR, name);
	return buf;
}

static char **build_env(const struct run *r)
{
	char **env, preload[4200];
	size_t n = 0, max = RUN_ENV_MAX + 4;

	for (char **e = environ; *e; e++)
		max++;
	env = calloc(max, sizeof(*env));
	for (char **e = environ; *e; e++)
		if (strncmp(*e, "GMP_", 4) && strncmp(*e, "LD_PRELOAD=", 11))
			env[n++] = *e;
	env[n++] = "GMP_ON_BUG=abort";
	if (r->preload) {
		snprintf(preload, sizeof(preload), "LD_PRELOAD=%s", r->preload);
		env[n++] = strdup(preload);
	}
	/* The test's word is the last: it may take GMP_ON_BUG back. */
	for (int i = 0; r->env && r->env[i]; i++) {
		size_t name = strchr(r->env[i], '=') - r->env[i] + 1;

		for (size_t k = 0; k < n; k++)
			if (!strncmp(env[k], r->env[i], name))
				env[k] = env[--n];
		env[n++] = (char *)r->env[i];
	}
	return env;
}

static pid_t start(const struct run *r, int out, int err)
{
	char **env = build_env(r);
	pid_t pid = fork();

	if (pid) {
		setpgid(pid, pid);
		free(env);
		return pid;
	}
	setpgid(0, 0);
	/* What the driver's framework did to signals is not the victim's business. */
	for (int s = 1; s < NSIG; s++)
		signal(s, SIG_DFL);
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	int null = open("/dev/null", O_RDONLY);
	dup2(null, 0);
	dup2(out, 1);
	dup2(err, 2);
	/* No inherited descriptor: fd numbers are part of the outputs that get compared. */
	syscall(SYS_close_range, 3, ~0U, 0);
	if (r->cwd && chdir(r->cwd) < 0)
		_exit(126);
	execve(r->argv[0], (char *const *)r->argv, env);
	_exit(127);
}

static void append(struct buffer *b, const char *p, size_t n)
{
	if (b->len + n + 1 > b->cap) {
		b->cap = (b->len + n + 1) * 2;
		b->data = realloc(b->data, b->cap);
	}
	memcpy(b->data + b->len, p, n);
	b->len += n;
	b->data[b->len] = 0;
}

/* Reads what is there; false at end of file. */
static bool drain(int fd, struct buffer *b)
{
	char chunk[65536];
	ssize_t n = read(fd, chunk, sizeof(chunk));

	if (n > 0)
		append(b, chunk, n);
	return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* The group of a hung victim may have several members: stacks of each. */
static void dump_group(pid_t pgid)
{
	char cmd[512];

	/* The debugger must not get our group's pipes or hang itself: hence timeout and stderr. */
	snprintf(cmd, sizeof(cmd),
		 "for p in $(ps -o pid= -g %d 2>/dev/null || echo %d); do"
		 " echo \"== stacks of $p\" >&2; for t in /proc/$p/task/*; do"
		 " echo \"${t##*/} $(cat $t/comm) [$(cat $t/syscall 2>&1)]\" >&2; done;"
		 " command -v gdb >/dev/null && timeout 20 gdb -nx -batch -p $p"
		 " -ex 'thread apply all bt 14' </dev/null 2>/dev/null"
		 " | grep -v '^\\[New' >&2; done",
		 pgid, pgid);
	if (system(cmd) < 0)
		perror("system");
}

/* Until both pipes are closed and the victim is a zombie; false: the deadline came first. */
static bool collect(pid_t pid, int fds[2], struct buffer bufs[2], int64_t end)
{
	int pidfd = syscall(SYS_pidfd_open, pid, 0);
	bool exited = false;

	for (;;) {
		struct pollfd p[3] = { { fds[0], POLLIN, 0 },
				       { fds[1], POLLIN, 0 },
				       { exited ? -1 : pidfd, POLLIN, 0 } };
		int64_t left = end - now_ns();

		if (left <= 0)
			break;
		/* After its death, what it wrote is in the pipe already; a grandchild that keeps
		 * the pipe open (daemon) is none of our concern. */
		int n = poll(p, 3, exited ? 0 : left / NS_PER_MS + 1);
		if (exited && n <= 0)
			break;
		for (int i = 0; i < 2; i++)
			if (p[i].revents && !drain(fds[i], &bufs[i]))
				fds[i] = -1;
		if (p[2].revents)
			exited = true;
		if (exited && fds[0] < 0 && fds[1] < 0)
			break;
	}
	close(pidfd);
	return exited;
}

void run_program(struct run *r)
{
	int out[2], err[2], fds[2];
	struct buffer bufs[2] = { 0 };
	int64_t t0 = now_ns();
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(err, O_CLOEXEC) < 0)
		die("spawn: pipe: %s", strerror(errno));
	pid = start(r, out[1], err[1]);
	close(out[1]);
	close(err[1]);
	fds[0] = out[0];
	fds[1] = err[0];
	append(&bufs[0], "", 0);
	append(&bufs[1], "", 0);
	r->hung =
		!collect(pid, fds, bufs, t0 + (r->timeout_ms ? r->timeout_ms : 20000) * NS_PER_MS);
	if (r->hung) {
		fprintf(stderr, "spawn: %s %s hangs; its stacks follow\n", r->argv[0],
			r->argv[1] ? r->argv[1] : "");
		dump_group(pid);
	}
	kill(-pid, SIGKILL);
	while (wait4(pid, &r->status, 0, &r->usage) < 0 && errno == EINTR)
		;
	r->wall_ns = now_ns() - t0;
	close(out[0]);
	close(err[0]);
	r->out = bufs[0].data;
	r->err = bufs[1].data;
}

void run_free(struct run *r)
{
	free(r->out);
	free(r->err);
	r->out = r->err = NULL;
}

const char *run_outcome(const struct run *r, char *buf, unsigned size)
{
	if (r->hung)
		snprintf(buf, size, "hung");
	else if (WIFSIGNALED(r->status))
		snprintf(buf, size, "signal %d (%s)", WTERMSIG(r->status),
			 strsignal(WTERMSIG(r->status)));
	else
		snprintf(buf, size, "exit %d", WEXITSTATUS(r->status));
	return buf;
}

bool run_ok(const struct run *r)
{
	return !r->hung && WIFEXITED(r->status) && WEXITSTATUS(r->status) == 0;
}

void run_victim(struct run *r, int maxprocs, const char *name, ...)
{
	const char *argv[8], *env[RUN_ENV_MAX], *const *asked = r->env;
	char path[4096], procs[32];
	int n = 0, k = 0;
	va_list ap;

	memset(argv, 0, sizeof(argv));
	argv[n++] = victim_path(name, path, sizeof(path));
	va_start(ap, name);
	while (n < 7 && (argv[n] = va_arg(ap, const char *)))
		n++;
	va_end(ap);
	snprintf(procs, sizeof(procs), "GMP_MAXPROCS=%d", maxprocs);
	if (maxprocs)
		env[k++] = procs;
	for (int i = 0; r->env && r->env[i] && k < RUN_ENV_MAX - 1; i++)
		env[k++] = r->env[i];
	env[k] = NULL;
	r->argv = argv;
	r->env = env;
	r->preload = maxprocs ? libgmp_so() : NULL;
	run_program(r);
	r->argv = NULL;
	r->env = asked; /* for the next run */
}

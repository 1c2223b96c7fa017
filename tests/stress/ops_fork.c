/*
 * Operations on processes: fork from a thread among hundreds, vfork, posix_spawn, popen, system.
 *
 * A forked child lives with what fork leaves it: one thread and copies. It uses nothing that
 * another thread may have held locked (no shared lock, no channel, no ledger), only things of its
 * own, creates threads itself, and tells by its exit status whether all went well.
 */
#include "stress.h"

#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

extern char **environ;

/* ---- the child ---- */

struct home {
	int fd[2];
	pthread_mutex_t lock;
	pthread_cond_t cond;
	int count, want;
	sem_t sem;
};

static void *child_thread(void *arg)
{
	struct home *h = arg;
	char c = 'c';

	if (WAIT(write(h->fd[1], &c, 1)) != 1)
		return (void *)1;
	burn(200);
	pthread_mutex_lock(&h->lock);
	h->count++;
	pthread_cond_broadcast(&h->cond);
	while (h->count < h->want)
		pthread_cond_wait(&h->cond, &h->lock);
	pthread_mutex_unlock(&h->lock);
	return WAIT(sem_wait(&h->sem)) ? (void *)1 : NULL;
}

static bool child_threads(struct rng *r)
{
	struct home h = { .lock = PTHREAD_MUTEX_INITIALIZER, .cond = PTHREAD_COND_INITIALIZER };
	pthread_t t[4];
	bool ok = true;
	int n = within(r, 1, 4);
	char c;

	h.want = n;
	sem_init(&h.sem, 0, 0);
	if (pipe2(h.fd, O_CLOEXEC))
		return true;
	for (int i = 0; i < n; i++) {
		if (pthread_create(&t[i], NULL, child_thread, &h))
			return true; /* no room for threads: the exit ends those that exist */
	}
	for (int i = 0; i < n; i++)
		ok = ok && WAIT(read(h.fd[0], &c, 1)) == 1 && c == 'c';
	for (int i = 0; i < n; i++)
		sem_post(&h.sem);
	for (int i = 0; i < n; i++) {
		void *ret = (void *)1;

		ok = ok && pthread_join(t[i], &ret) == 0 && ret == NULL;
	}
	return ok && h.count == n;
}

/* ---- ends of the child other than a plain _exit, all with status 42 ---- */

static void *burns_on(void *arg)
{
	for (;;)
		__asm__ volatile("" : : "r"(arg) : "memory");
	return NULL;
}

static void *waits_on(void *arg)
{
	for (;;)
		WAIT(sem_wait(arg));
	return NULL;
}

static void *exits(void *arg)
{
	dawdle(arg);
	exit(42);
}

static void *execs(void *arg)
{
	static char *const argv[] = { "sh", "-c", "exit 42", NULL };

	dawdle(arg);
	execve("/bin/sh", argv, environ);
	_exit(44);
}

/* With threads that compute and wait: exit or exec by this thread or by another. */
static void child_end(struct rng *r)
{
	static sem_t never;
	static struct rng later; /* outlives this thread's stack */
	pthread_t t;
	int n = below(r, 4);
	void *(*how)(void *) = chance(r, 60) ? exits : execs;

	later = *r;
	sem_init(&never, 0, 0);
	for (int i = 0; i < n; i++)
		pthread_create(&t, NULL, i % 2 ? burns_on : waits_on, &never);
	if (chance(r, 50) || pthread_create(&t, NULL, how, &later))
		how(&later);
	/* The thread that came with fork leaves; the others live on until one ends them all. */
	if (chance(r, 50))
		pthread_exit(NULL);
	pthread_join(t, NULL);
}

bool child_ops(struct rng *r)
{
	bool ok = true;
	void *p;

	if (chance(r, 50)) {
		p = malloc(within(r, 1, 100000));
		free(p);
	}
	if (chance(r, 40))
		nap(within(r, 1000, 5000000));
	if (chance(r, 30))
		burn(within(r, 1, 5000));
	if (chance(r, 60))
		ok = child_threads(r);
	if (chance(r, 15)) {
		pid_t pid = fork();
		int status = 0;

		if (pid == 0)
			_exit(child_threads(r) ? 42 : 43);
		if (pid > 0)
			ok = ok && WAIT(waitpid(pid, &status, 0)) == pid && WIFEXITED(status) &&
			     WEXITSTATUS(status) == 42;
	}
	return ok;
}

/* ---- the parent ---- */

static void reap(pid_t pid, struct rng *r, int want)
{
	siginfo_t info = { 0 };
	int status = 0, how = below(r, 5), pfd;

	if (how == 0) {
		MUST(WAIT(waitid(P_PID, pid, &info, WEXITED | WNOWAIT)) == 0);
		MUST(info.si_pid == pid);
	} else if (how == 1) {
		while (WAIT(waitpid(pid, &status, WNOHANG)) == 0)
			nap(500000);
		goto reaped;
	} else if (how == 2 && (pfd = syscall(SYS_pidfd_open, pid, 0)) >= 0) {
		MUST(WAITX(poll(&(struct pollfd){ pfd, POLLIN, 0 }, 1, -1)) == 1);
		close(pfd);
	}
	MUST(WAIT(how == 3 ? wait4(pid, &status, 0, NULL) : waitpid(pid, &status, 0)) == pid);
reaped:
	took(LAW_CHILDREN, 1);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != want)
		bad("child %d: status 0x%x, want exit %d", (int)pid, status, want);
	atomic_fetch_add(&page->forks, 1);
}

void op_fork(struct rng *r)
{
	struct rng mine = derive(rnd(r), 7);
	bool plain = chance(r, 30);
	pid_t pid = fork();

	if (pid == 0) {
		self.slot = NULL;
		if (plain)
			_exit(42);
		if (!child_ops(&mine))
			_exit(43);
		if (chance(&mine, 40))
			child_end(&mine);
		_exit(42);
	}
	if (pid < 0)
		return;
	gave(LAW_CHILDREN, 1);
	dawdle(r);
	reap(pid, r, 42);
}

void op_vfork(struct rng *r)
{
	static char *const argv[] = { "true", NULL };
	pid_t pid = vfork();

	if (pid == 0) {
		execve("/bin/true", argv, environ);
		_exit(127);
	}
	if (pid < 0)
		return;
	gave(LAW_CHILDREN, 1);
	reap(pid, r, 0);
}

void op_spawn(struct rng *r)
{
	static char *const argv[] = { "true", NULL };
	pid_t pid;

	if (posix_spawn(&pid, "/bin/true", NULL, NULL, argv, environ))
		return;
	gave(LAW_CHILDREN, 1);
	dawdle(r);
	reap(pid, r, 0);
}

static void pipe_in(void)
{
	char line[64] = "";
	FILE *f = popen("echo hello", "re");

	if (!f)
		return;
	for (;;) {
		struct mark m = mark();

		errno = 0;
		if (fgets(line, sizeof(line), f) || errno != EINTR)
			break;
		eintr_seen(m, EINTR_RESTARTS, "fgets from popen");
		clearerr(f);
	}
	if (strcmp(line, "hello\n"))
		bad("popen: read '%s'", line);
	if (pclose(f) != 0)
		bad("pclose: errno %d", errno);
	step();
}

void op_popen(struct rng *r)
{
	if (chance(r, 50))
		pipe_in();
	else if (system("exit 3") != 3 << 8)
		bad("system: did not give exit status 3");
	step();
}

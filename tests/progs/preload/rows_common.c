/* What several families of rows need: descriptors that block, and the acts that end it.
 * Everything here runs in setup() or in the agent, so a failure ends the victim with a message.
 */
#include "tests/progs/preload/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/wait.h"

void must(int ok, const char *what)
{
	if (!ok)
		die("victim: %s: %s", what, strerror(errno));
}

struct timespec rel_time(struct st *s)
{
	return (struct timespec){ s->dur_ns / NS_PER_S, s->dur_ns % NS_PER_S };
}

struct timespec abs_time(struct st *s, clockid_t clock)
{
	struct timespec ts;
	int64_t ns;

	clock_gettime(clock, &ts);
	ns = ts.tv_sec * NS_PER_S + ts.tv_nsec + s->dur_ns;
	return (struct timespec){ ns / NS_PER_S, ns % NS_PER_S };
}

long time_left(struct st *s, struct timespec left, int64_t began)
{
	int64_t passed = now_ns() - began, ns = left.tv_sec * NS_PER_S + left.tv_nsec;

	if (left.tv_nsec < 0)
		return LEFT_UNSAID;
	if (ns == 0)
		return LEFT_NOTHING;
	/* A millisecond for the timer's slack and for limits in microseconds. */
	return ns <= s->dur_ns + NS_PER_MS && ns + passed + NS_PER_MS >= s->dur_ns ? LEFT_RIGHT
										   : LEFT_WRONG;
}

long time_changed(struct st *s, struct timespec t)
{
	return t.tv_sec * NS_PER_S + t.tv_nsec == s->dur_ns ? 0 : TIME_CHANGED;
}

void setup_pipe(struct st *s)
{
	must(pipe(s->fd) == 0, "pipe");
}

static void fill(int fd)
{
	char block[4096];
	int flags = fcntl(fd, F_GETFL);

	memset(block, 'f', sizeof(block));
	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	while (write(fd, block, sizeof(block)) > 0)
		;
	must(errno == EAGAIN, "fill");
	while (write(fd, block, 1) > 0)
		;
	fcntl(fd, F_SETFL, flags);
}

void setup_full_pipe(struct st *s)
{
	setup_pipe(s);
	must(fcntl(s->fd[1], F_SETPIPE_SZ, 4096) > 0, "F_SETPIPE_SZ");
	fill(s->fd[1]);
}

void setup_pair(struct st *s)
{
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, s->fd) == 0, "socketpair");
}

void setup_full_pair(struct st *s)
{
	int size = 4096;

	setup_pair(s);
	setsockopt(s->fd[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	fill(s->fd[1]);
}

void setup_file(struct st *s)
{
	char name[] = "/tmp/gmp-row-XXXXXX";

	s->fd[0] = mkstemp(name);
	must(s->fd[0] >= 0, "mkstemp");
	unlink(name);
	must(write(s->fd[0], "0123456789", 10) == 10, "write");
	lseek(s->fd[0], 0, SEEK_SET);
}

void setup_shared_sync(struct st *s)
{
	pthread_mutexattr_t ma;
	pthread_condattr_t ca;
	pthread_rwlockattr_t ra;

	pthread_mutexattr_init(&ma);
	pthread_mutexattr_setpshared(&ma, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_settype(&ma, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&s->mutex, &ma);
	pthread_condattr_init(&ca);
	pthread_condattr_setpshared(&ca, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&s->cond, &ca);
	pthread_rwlockattr_init(&ra);
	pthread_rwlockattr_setpshared(&ra, PTHREAD_PROCESS_SHARED);
	pthread_rwlock_init(&s->rwlock, &ra);
	sem_init(&s->sem, 1, 0);
}

static void on_wait_signal(int sig)
{
}

void setup_signals(struct st *s)
{
	struct sigaction sa = { .sa_handler = on_wait_signal };
	sigset_t set;

	must(sigaction(SIG_WAIT, &sa, NULL) == 0, "sigaction");
	/* Blocked everywhere: it is there for the row's call to take or to unblock. */
	sigemptyset(&set);
	sigaddset(&set, SIG_WAIT);
	must(sigprocmask(SIG_BLOCK, &set, NULL) == 0, "sigprocmask");
}

/* A child that leaves with 7 when it is told. */
void setup_child(struct st *s)
{
	pid_t pid;
	char c;

	must(pipe(s->child_go) == 0, "pipe");
	pid = fork();
	must(pid >= 0, "fork");
	if (pid == 0) {
		int ok = close(s->child_go[1]) == 0 && read(s->child_go[0], &c, 1) == 1;

		/* What lets the caller go is this end, not the order to come to it: until here we
		 * may have waited for a CPU, which no noise of the victim's tells of. */
		s->t_release = now_ns();
		_exit(ok ? 7 : 8);
	}
	s->child = pid;
}

void release_child(struct st *s)
{
	must(write(s->child_go[1], "g", 1) == 1, "write to the child");
}

void release_write(struct st *s)
{
	must(write(s->fd[1], "x", 1) == 1, "release: write");
}

void release_drain(struct st *s)
{
	char block[65536];

	/* Once is enough for a pipe of a page; a socket needs to be read empty. */
	must(read(s->fd[0], block, sizeof(block)) > 0, "release: read");
	while (recv(s->fd[0], block, sizeof(block), MSG_DONTWAIT) > 0)
		;
}

void release_signal(struct st *s)
{
	must(syscall(SYS_tgkill, s->pid, s->tid, SIG_WAIT) == 0, "release: tgkill");
}

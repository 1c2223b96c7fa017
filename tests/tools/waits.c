/*
 * Victim: threads in every kind of wait, `waits N`: N of each.  Says "ready" when the kernel has
 * all of them asleep in the call that is meant; at the end of its input lets them go.  A wait that
 * ends before, or with EINTR, is a fault: whoever looked from outside disturbed it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/prctl.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/wait.h"

static int pipe_fd[2], epoll_fd, sock[2], sysv;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t cond_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static sem_t sem;
static unsigned word;
static pid_t child;
static pthread_t joined;
static volatile int over, faults;

static void check(const char *what, long ret)
{
	if (over && (ret >= 0 || errno != EINTR))
		return;
	printf("fault: %s returned %ld (%s) %s\n", what, ret, strerror(errno),
	       over ? "" : "too early");
	__atomic_add_fetch(&faults, 1, __ATOMIC_RELAXED);
}

static void in_read(void)
{
	char c;

	check("read", read(pipe_fd[0], &c, 1));
}

static void in_mutex(void)
{
	check("mutex", -pthread_mutex_lock(&mutex));
	pthread_mutex_unlock(&mutex);
}

static void in_cond(void)
{
	pthread_mutex_lock(&cond_mutex);
	check("cond", -pthread_cond_wait(&cond, &cond_mutex));
	pthread_mutex_unlock(&cond_mutex);
}

static void in_rwlock(void)
{
	check("rwlock", -pthread_rwlock_wrlock(&rwlock));
	pthread_rwlock_unlock(&rwlock);
}

static void in_sem(void)
{
	check("sem", sem_wait(&sem));
}

static void in_poll(void)
{
	struct pollfd p = { .fd = pipe_fd[0], .events = POLLIN };

	check("poll", poll(&p, 1, -1));
}

static void in_epoll(void)
{
	struct epoll_event e;

	check("epoll", epoll_wait(epoll_fd, &e, 1, -1));
}

static void in_recv(void)
{
	struct timeval limit = { .tv_sec = 1000 };
	char c;

	/* With a time-out the kernel's own restart would not do. */
	setsockopt(sock[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	check("recv", recv(sock[0], &c, 1, 0));
}

static void in_semop(void)
{
	struct sembuf op = { 0, -1, 0 };

	check("semop", semop(sysv, &op, 1));
}

static void in_futex(void)
{
	check("futex", syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0));
}

static void in_wait4(void)
{
	int status;
	pid_t pid = waitpid(child, &status, 0);

	check("wait4", pid < 0 && errno == ECHILD ? 0 : pid);
}

static void in_sleep(void)
{
	struct timespec ts = { 1000, 0 };
	long ret = nanosleep(&ts, NULL);

	check("sleep", over && ret < 0 && errno == EINTR ? 0 : ret);
}

static void *joinable(void *arg)
{
	in_read();
	return NULL;
}

static void in_join(void)
{
	check("join", -pthread_join(joined, NULL));
}

/* once: one thread alone may do it. */
static const struct kind {
	const char *name;
	void (*wait)(void);
	long call;
	int once;
} kinds[] = {
	{ "read", in_read, SYS_read, 0 },	  { "mutex", in_mutex, SYS_futex, 0 },
	{ "cond", in_cond, SYS_futex, 0 },	  { "rwlock", in_rwlock, SYS_futex, 0 },
	{ "sem", in_sem, SYS_futex, 0 },	  { "poll", in_poll, SYS_poll, 0 },
	{ "epoll", in_epoll, SYS_epoll_wait, 0 }, { "recv", in_recv, SYS_recvfrom, 0 },
	{ "semop", in_semop, SYS_semtimedop, 0 }, { "futex", in_futex, SYS_futex, 0 },
	{ "wait4", in_wait4, SYS_wait4, 0 },	  { "sleep", in_sleep, SYS_clock_nanosleep, 0 },
	{ "join", in_join, SYS_futex, 1 },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))

struct waiter {
	const struct kind *kind;
	volatile int tid;
	pthread_t thread;
};

static void *run(void *arg)
{
	struct waiter *w = arg;

	pthread_setname_np(pthread_self(), w->kind->name);
	w->tid = (int)syscall(SYS_gettid);
	w->kind->wait();
	return NULL;
}

static bool is_asleep(void *arg)
{
	struct waiter *w = arg;
	char path[64], line[128] = "";
	long call = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", w->tid);
	fd = open(path, O_RDONLY);
	if (read(fd, line, sizeof(line) - 1) > 0 && line[0] >= '0' && line[0] <= '9')
		call = atol(line);
	close(fd);
	/* semop is either of two calls, as libc likes. */
	return call == w->kind->call || (call == SYS_semop && w->kind->call == SYS_semtimedop);
}

static void prepare(int n)
{
	struct epoll_event e = { .events = EPOLLIN };

	if (pipe(pipe_fd) || socketpair(AF_UNIX, SOCK_STREAM, 0, sock))
		die("no descriptors");
	epoll_fd = epoll_create1(0);
	epoll_ctl(epoll_fd, EPOLL_CTL_ADD, pipe_fd[0], &e);
	sysv = semget(IPC_PRIVATE, 1, 0600);
	sem_init(&sem, 0, 0);
	child = fork();
	if (child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	pthread_create(&joined, NULL, joinable, NULL);
	pthread_mutex_lock(&mutex);
	pthread_rwlock_wrlock(&rwlock);
}

/* Everybody's wait ends, whatever it is for; those that sleep stay. */
static void let_go(struct waiter *w, size_t n)
{
	over = 1;
	close(pipe_fd[1]);
	kill(child, SIGKILL);
	semctl(sysv, 0, SETVAL, (int)n);
	shutdown(sock[0], SHUT_RDWR);
	for (size_t i = 0; i < n; i++)
		sem_post(&sem);
	word = 1;
	syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, (int)n, NULL, NULL, 0);
	pthread_mutex_unlock(&mutex);
	pthread_rwlock_unlock(&rwlock);
	pthread_mutex_lock(&cond_mutex);
	pthread_cond_broadcast(&cond);
	pthread_mutex_unlock(&cond_mutex);
	for (size_t i = 0; i < n; i++)
		if (w[i].kind->wait != in_sleep)
			pthread_join(w[i].thread, NULL);
	semctl(sysv, 0, IPC_RMID);
}

int main(int argc, char **argv)
{
	int each = argc > 1 ? atoi(argv[1]) : 1;
	struct waiter *w = calloc((size_t)each * KINDS, sizeof(*w));
	pthread_attr_t attr;
	size_t n = 0;
	char c;

	prepare(each);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (size_t k = 0; k < KINDS; k++)
		for (int i = 0; i < (kinds[k].once ? 1 : each); i++, n++) {
			w[n].kind = &kinds[k];
			pthread_create(&w[n].thread, &attr, run, &w[n]);
		}
	for (size_t i = 0; i < n; i++) {
		must_word(w[i].kind->name, &w[i].tid, 1);
		must_reach(w[i].kind->name, is_asleep, &w[i]);
	}
	printf("ready %zu mutex=%p cond=%p rwlock=%p sem=%p word=%p main=%d child=%d\n", n,
	       (void *)&mutex, (void *)&cond, (void *)&rwlock, (void *)&sem, (void *)&word,
	       (int)getpid(), (int)child);
	fflush(stdout);
	while (read(0, &c, 1) > 0)
		;
	let_go(w, n);
	printf("%d faults\n", faults);
	fflush(stdout);
	_exit(faults != 0);
}

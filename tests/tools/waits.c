/*
 * Victim: threads in every kind of wait, `waits N`: N of each.  Says "ready" when the kernel has
 * all of them asleep in the call that is meant, and on the object that is meant: those that still
 * wait for a P sleep on a futex too.  At the end of its input lets them go.  A wait that
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

struct waiter {
	const struct kind *kind;
	volatile int tid;
	pthread_t thread;
};

static struct waiter joined;

static void in_join(void)
{
	check("join", -pthread_join(joined.thread, NULL));
}

/* The first argument: any, or a word in an object. */
#define ANY NULL, 0, 0
#define IN(x) &x, sizeof(x), 0

/* once: one thread alone may do it. */
static struct kind {
	const char *name;
	void (*wait)(void);
	long call;
	const void *object;
	size_t size;
	int once;
} kinds[] = {
	{ "read", in_read, SYS_read, ANY },
	{ "mutex", in_mutex, SYS_futex, IN(mutex) },
	{ "cond", in_cond, SYS_futex, IN(cond) },
	{ "rwlock", in_rwlock, SYS_futex, IN(rwlock) },
	{ "sem", in_sem, SYS_futex, IN(sem) },
	{ "poll", in_poll, SYS_poll, ANY },
	{ "epoll", in_epoll, SYS_epoll_wait, ANY },
	{ "recv", in_recv, SYS_recvfrom, ANY },
	{ "semop", in_semop, SYS_semtimedop, ANY },
	{ "futex", in_futex, SYS_futex, IN(word) },
	{ "wait4", in_wait4, SYS_wait4, ANY },
	{ "sleep", in_sleep, SYS_clock_nanosleep, ANY },
	/* The last, because its object is found at run time. */
	{ "join", in_join, SYS_futex, NULL, 4096, 1 },
};
#define KINDS (sizeof(kinds) / sizeof(kinds[0]))
static const struct kind kind_joined = { "joined", in_read, SYS_read, ANY };

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
	const struct kind *k = w->kind;
	char path[64], line[128] = "";
	unsigned long first = 0;
	long call = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", w->tid);
	fd = open(path, O_RDONLY);
	if (fd < 0 || read(fd, line, sizeof(line) - 1) < 0)
		die("%s: cannot be read", path);
	close(fd);
	sscanf(line, "%ld %lx", &call, &first);
	/* semop is either of two calls, as libc likes. */
	if (call != k->call && !(call == SYS_semop && k->call == SYS_semtimedop))
		return false;
	return !k->size || first - (unsigned long)k->object < k->size;
}

static void must_sleep(struct waiter *w)
{
	must_word(w->kind->name, &w->tid, 1);
	must_reach(w->kind->name, is_asleep, w);
}

static void must_create(struct waiter *w, const struct kind *kind)
{
	pthread_attr_t attr;

	w->kind = kind;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	if (pthread_create(&w->thread, &attr, run, w) != 0)
		die("no thread for %s", kind->name);
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
	must_create(&joined, &kind_joined);
	kinds[KINDS - 1].object = (void *)joined.thread; /* its descriptor, with its id in it */
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
	size_t n = 0;
	char c;

	prepare(each);
	for (size_t k = 0; k < KINDS; k++)
		for (int i = 0; i < (kinds[k].once ? 1 : each); i++)
			must_create(&w[n++], &kinds[k]);
	must_sleep(&joined);
	for (size_t i = 0; i < n; i++)
		must_sleep(&w[i]);
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

/*
 * Operations with cancellation.
 *
 * A victim waits in one of many calls for something that never comes (everything it waits for is
 * its own), is cancelled at a random moment, and must come back as PTHREAD_CANCELED with its
 * cleanup handlers run. A victim that has ordered a message from a channel keeps the ledger even:
 * its cleanup handler looks whether the message had arrived already and, if not, reads it.
 */
#include "stress.h"

#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <threads.h>

struct victim {
	const struct way *way;
	sem_t ready, never;
	pthread_mutex_t lock;
	pthread_cond_t cond;
	mtx_t mtx;
	cnd_t cnd;
	int fd[2]; /* an empty pipe or socket pair */
	int extra; /* what the way needs besides */
	FILE *file;
	pthread_t other;
	_Atomic bool other_end;
};

struct way {
	const char *name;
	void (*wait)(struct victim *v);
};

/* ---- ways to wait for ever ---- */

static const struct timespec long_ts = { 1000, 0 };
static char sink[64];

static void w_read(struct victim *v)
{
	WAIT(read(v->fd[0], sink, 1));
}
static void w_readv(struct victim *v)
{
	WAIT(readv(v->fd[0], &(struct iovec){ sink, 1 }, 1));
}
static void w_recv(struct victim *v)
{
	WAIT(recv(v->fd[0], sink, 1, 0));
}
static void w_recvmsg(struct victim *v)
{
	struct iovec iov = { sink, 1 };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };

	WAIT(recvmsg(v->fd[0], &hdr, 0));
}
static void w_write(struct victim *v)
{
	char full[4096] = { 0 };

	fcntl(v->fd[1], F_SETFL, O_NONBLOCK);
	while (write(v->fd[1], full, sizeof(full)) > 0)
		;
	fcntl(v->fd[1], F_SETFL, 0);
	for (;;)
		WAIT(write(v->fd[1], full, sizeof(full)));
}
static void w_poll(struct victim *v)
{
	WAITX(poll(&(struct pollfd){ v->fd[0], POLLIN, 0 }, 1, 1000000));
}
static void w_ppoll(struct victim *v)
{
	WAITX(ppoll(&(struct pollfd){ v->fd[0], POLLIN, 0 }, 1, &long_ts, NULL));
}
static void w_select(struct victim *v)
{
	struct timeval tv = { 1000, 0 };

	(void)v;
	WAITX(select(0, NULL, NULL, NULL, &tv));
}
static void w_pselect(struct victim *v)
{
	(void)v;
	WAITX(pselect(0, NULL, NULL, NULL, &long_ts, NULL));
}
static void w_epoll(struct victim *v)
{
	struct epoll_event ev;

	WAITE(epoll_wait(v->extra, &ev, 1, -1));
}
static void w_accept(struct victim *v)
{
	WAIT(accept(v->extra, NULL, NULL));
}
static void w_sem(struct victim *v)
{
	WAIT(sem_wait(&v->never));
}
static void w_semtimed(struct victim *v)
{
	struct timespec ts = ts_of(now_ns() + 1000000000000ull);

	WAITX(sem_clockwait(&v->never, CLOCK_MONOTONIC, &ts));
}

static void unlock(void *arg)
{
	struct victim *v = arg;

	/* Cancelled in pthread_cond_wait: the mutex is ours again, and must be. */
	MUST(pthread_mutex_unlock(&v->lock) == 0);
	took(LAW_CLEANUPS, 1);
}

static void w_cond(struct victim *v)
{
	MUST(pthread_mutex_lock(&v->lock) == 0);
	gave(LAW_CLEANUPS, 1);
	pthread_cleanup_push(unlock, v);
	for (;;)
		PT(pthread_cond_wait(&v->cond, &v->lock));
	pthread_cleanup_pop(1);
}

static void w_condtimed(struct victim *v)
{
	struct timespec ts = ts_of(clock_ns(CLOCK_REALTIME) + 1000000000000ull);

	MUST(pthread_mutex_lock(&v->lock) == 0);
	gave(LAW_CLEANUPS, 1);
	pthread_cleanup_push(unlock, v);
	for (;;)
		PT(pthread_cond_timedwait(&v->cond, &v->lock, &ts));
	pthread_cleanup_pop(1);
}

static void cunlock(void *arg)
{
	mtx_unlock(&((struct victim *)arg)->mtx);
	took(LAW_CLEANUPS, 1);
}

static void w_cnd(struct victim *v)
{
	mtx_lock(&v->mtx);
	gave(LAW_CLEANUPS, 1);
	pthread_cleanup_push(cunlock, v);
	for (;;)
		cnd_wait(&v->cnd, &v->mtx);
	pthread_cleanup_pop(1);
}

static void w_nanosleep(struct victim *v)
{
	(void)v;
	WAITX(nanosleep(&long_ts, NULL));
}
static void w_clock(struct victim *v)
{
	(void)v;
	clock_nanosleep(CLOCK_MONOTONIC, 0, &long_ts, NULL);
}
static void w_sleep(struct victim *v)
{
	(void)v;
	sleep(1000);
}
static void w_pause(struct victim *v)
{
	(void)v;
	WAITX(pause());
}
static void w_sigsuspend(struct victim *v)
{
	sigset_t none;

	(void)v;
	pthread_sigmask(SIG_SETMASK, NULL, &none);
	WAITX(sigsuspend(&none));
}
static void w_sigwait(struct victim *v)
{
	sigset_t set;
	int sig;

	(void)v;
	sigemptyset(&set);
	sigaddset(&set, SIGRTMIN + 5);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	sigwait(&set, &sig);
}
static void w_join(struct victim *v)
{
	pthread_join(v->other, NULL);
	bad("cancel: a join of a thread that goes on came back");
}
static void w_open(struct victim *v)
{
	char path[64];

	/* The read end exists through an O_PATH descriptor only: an open for writing waits. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", v->extra);
	WAIT(open(path, O_WRONLY));
}
static void w_lock(struct victim *v)
{
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", v->extra);
	fd = open(path, O_RDWR | O_CLOEXEC);
	v->fd[1] = fd >= 0 ? dup2(fd, v->fd[1]) : v->fd[1];
	close(fd);
	WAIT(fcntl(v->fd[1], F_OFD_SETLKW, &fl));
}
static void w_fgets(struct victim *v)
{
	struct mark m = mark();

	if (!fgets(sink, sizeof(sink), v->file) && errno == EINTR)
		eintr_seen(m, EINTR_RESTARTS, "fgets");
	clearerr(v->file);
}

enum { W_JOIN = 0, W_OPEN, W_LOCK, W_FGETS, W_EPOLL, W_ACCEPT, W_RECV, W_RECVMSG, W_OTHERS };

static const struct way ways[] = {
	[W_JOIN] = { "join", w_join },
	[W_OPEN] = { "open", w_open },
	[W_LOCK] = { "lock", w_lock },
	[W_FGETS] = { "fgets", w_fgets },
	[W_EPOLL] = { "epoll", w_epoll },
	[W_ACCEPT] = { "accept", w_accept },
	[W_RECV] = { "recv", w_recv },
	[W_RECVMSG] = { "recvmsg", w_recvmsg },
	{ "read", w_read },
	{ "readv", w_readv },
	{ "write", w_write },
	{ "poll", w_poll },
	{ "ppoll", w_ppoll },
	{ "select", w_select },
	{ "pselect", w_pselect },
	{ "sem_wait", w_sem },
	{ "sem_clockwait", w_semtimed },
	{ "cond_wait", w_cond },
	{ "cond_timedwait", w_condtimed },
	{ "cnd_wait", w_cnd },
	{ "nanosleep", w_nanosleep },
	{ "clock_nanosleep", w_clock },
	{ "sleep", w_sleep },
	{ "pause", w_pause },
	{ "sigsuspend", w_sigsuspend },
	{ "sigwait", w_sigwait },
};
#define WAYS (sizeof(ways) / sizeof(ways[0]))

/* ---- one victim ---- */

static void *until_told(void *arg)
{
	struct victim *v = arg;

	while (!v->other_end)
		nap(1000000);
	return NULL;
}

static int make_fifo(void)
{
	static _Atomic unsigned number;
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/cancel%u", page->dir, atomic_fetch_add(&number, 1));
	if (mkfifo(path, 0600))
		return -1;
	fd = open(path, O_PATH | O_CLOEXEC);
	unlink(path);
	return fd;
}

static int make_extra(struct victim *v, int way)
{
	struct sockaddr_un un = { .sun_family =
					  AF_UNIX }; /* bound to a name of the kernel's choice */
	struct epoll_event ev = { .events = EPOLLIN };
	struct flock fl = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = -1;

	if (way == W_OPEN) {
		fd = make_fifo();
	} else if (way == W_LOCK) {
		fd = scratch_file(0);
		if (fd >= 0)
			MUST(fcntl(fd, F_OFD_SETLK, &fl) == 0);
	} else if (way == W_EPOLL) {
		fd = epoll_create1(EPOLL_CLOEXEC);
		if (fd >= 0)
			MUST(epoll_ctl(fd, EPOLL_CTL_ADD, v->fd[0], &ev) == 0);
	} else if (way == W_ACCEPT) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd >= 0)
			MUST(bind(fd, (void *)&un, sizeof(sa_family_t)) == 0 && listen(fd, 1) == 0);
	}
	return fd;
}

static bool victim_init(struct victim *v, int way)
{
	bool sock = way == W_RECV || way == W_RECVMSG;

	*v = (struct victim){ .way = &ways[way],
			      .lock = PTHREAD_MUTEX_INITIALIZER,
			      .cond = PTHREAD_COND_INITIALIZER,
			      .extra = -1 };
	sem_init(&v->ready, 0, 0);
	sem_init(&v->never, 0, 0);
	mtx_init(&v->mtx, mtx_plain);
	cnd_init(&v->cnd);
	if (sock ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, v->fd)
		 : pipe2(v->fd, O_CLOEXEC))
		return false;
	v->extra = make_extra(v, way);
	if (way == W_FGETS)
		v->file = fdopen(v->fd[0], "r");
	if ((way >= W_OPEN && way <= W_LOCK && v->extra < 0) || (way == W_FGETS && !v->file) ||
	    ((way == W_EPOLL || way == W_ACCEPT) && v->extra < 0) ||
	    (way == W_JOIN && !spawn(&v->other, until_told, v))) {
		close(v->fd[0]);
		close(v->fd[1]);
		return false;
	}
	return true;
}

static void victim_finish(struct victim *v)
{
	if (v->way == &ways[W_JOIN]) {
		v->other_end = true;
		join(v->other);
	}
	/* Whoever was cancelled under the lock has given it back. */
	MUST(pthread_mutex_trylock(&v->lock) == 0);
	MUST(mtx_trylock(&v->mtx) == thrd_success);
	if (v->file)
		fclose(v->file);
	else
		close(v->fd[0]);
	close(v->fd[1]);
	if (v->extra >= 0)
		close(v->extra);
}

static void cleaned(void *arg)
{
	(void)arg;
	took(LAW_CLEANUPS, 1);
}

static void *victim_body(void *arg)
{
	struct victim *v = arg;

	gave(LAW_CLEANUPS, 1);
	pthread_cleanup_push(cleaned, v);
	MUST(sem_post(&v->ready) == 0);
	for (;;)
		v->way->wait(v);
	pthread_cleanup_pop(1);
	return NULL;
}

void op_cancel(struct rng *r)
{
	struct victim v;
	pthread_t t;
	void *ret = NULL;
	int way = below(r, WAYS);
	bool started;

	if (!victim_init(&v, way))
		return;
	started = spawn(&t, victim_body, &v);
	if (started) {
		if (chance(r, 80))
			MUST(WAIT(sem_wait(&v.ready)) == 0);
		if (chance(r, 50))
			nap(within(r, 1000, 3000000));
		dawdle(r);
		MUST(pthread_cancel(t) == 0);
		ret = join(t);
		if (ret != PTHREAD_CANCELED)
			bad("cancel: %s came back with %p", v.way->name, ret);
	}
	victim_finish(&v);
	step();
}

/* ---- a victim with an order ---- */

struct reader {
	struct chan *c;
	int fd;
	volatile char buf[CHAN_MSG];
	bool done;
};

static void finish_order(void *arg)
{
	struct reader *d = arg;

	/* Cancelled after the kernel had copied the message: a read all the same. */
	while (d->buf[0] == 0)
		MUST(WAIT(read(d->fd, (void *)d->buf, CHAN_MSG)) == CHAN_MSG);
	chan_accept(d->c, (void *)d->buf, CHAN_MSG);
	took(LAW_CLEANUPS, 1);
}

static void *reader_body(void *arg)
{
	struct reader *d = arg;

	gave(LAW_CLEANUPS, 1);
	pthread_cleanup_push(finish_order, d);
	MUST(WAIT(read(d->fd, (void *)d->buf, CHAN_MSG)) == CHAN_MSG);
	pthread_cleanup_pop(1);
	return NULL;
}

void op_cancel_order(struct rng *r)
{
	struct reader d = { .c = chan_driven_pipe(r) };
	pthread_t t;

	if (!d.c)
		return;
	d.fd = chan_order(d.c);
	if (spawn(&t, reader_body, &d)) {
		dawdle(r);
		MUST(pthread_cancel(t) == 0);
		join(t);
	} else {
		gave(LAW_CLEANUPS, 1);
		finish_order(&d);
	}
	step();
}

/* ---- a victim that computes ---- */

static void *computes(void *arg)
{
	volatile int *how = arg;
	int old;

	gave(LAW_CLEANUPS, 1);
	pthread_cleanup_push(cleaned, NULL);
	if (*how == 0) {
		pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
		for (;;)
			__asm__ volatile("" ::: "memory");
	}
	if (*how == 1) {
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old);
		dawdle(&self.rng);
		nap(100000);
		pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &old);
	}
	for (;;) {
		burn(50);
		pthread_testcancel();
	}
	pthread_cleanup_pop(1);
	return NULL;
}

void op_cancel_cpu(struct rng *r)
{
	int how = below(r, 3);
	pthread_t t;

	if (!burn_begin(r))
		return;
	if (spawn(&t, computes, &how)) {
		dawdle(r);
		MUST(pthread_cancel(t) == 0);
		MUST(join(t) == PTHREAD_CANCELED);
	}
	burn_end();
	step();
}

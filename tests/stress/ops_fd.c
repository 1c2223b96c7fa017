/*
 * Operations on descriptors of their own: byte streams between two threads, TCP, splice, FIFO opens
 * that wait for each other, many descriptors in one poll, and waits that nothing ends but time.
 *
 * The two ends of a stream are the worker and a thread it has just created; each writes and reads
 * the same number of bytes, so neither depends on an end of file (which a forked child could delay
 * by holding a copy of the descriptor). If no thread can be had the operation does nothing.
 */
#include "stress.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

struct stream {
	struct rng rng;
	int in, out;
	size_t bytes;
	char path[128];
};

/* ---- one way ---- */

static void *write_all(void *arg)
{
	struct stream *s = arg;
	unsigned char buf[8192];
	uint64_t sum = 0;

	for (size_t done = 0; done < s->bytes;) {
		size_t n = within(&s->rng, 1, sizeof(buf));
		ssize_t put;
		struct iovec iov[2];

		n = n < s->bytes - done ? n : s->bytes - done;
		for (size_t i = 0; i < n; i++)
			buf[i] = (unsigned char)(done + i) * 31 + 7;
		iov[0] = (struct iovec){ buf, n / 3 };
		iov[1] = (struct iovec){ buf + n / 3, n - n / 3 };
		put = chance(&s->rng, 30) ? WAIT(writev(s->out, iov, 2))
					  : WAIT(write(s->out, buf, n));
		if (put <= 0) {
			bad("stream: write: %zd, error %d", put, errno);
			break;
		}
		for (ssize_t i = 0; i < put; i++)
			sum += buf[i];
		done += put;
		if (chance(&s->rng, 10))
			dawdle(&s->rng);
	}
	gave(LAW_BYTES, s->bytes);
	gave(LAW_BYTESUM, sum);
	return NULL;
}

static void read_all(struct stream *s, struct rng *r)
{
	unsigned char buf[8192];
	uint64_t sum = 0;

	for (size_t done = 0; done < s->bytes;) {
		size_t n = within(r, 1, sizeof(buf));
		ssize_t got;

		n = n < s->bytes - done ? n : s->bytes - done;
		got = chance(r, 20) ? WAIT(raw_read(s->in, buf, n)) : WAIT(read(s->in, buf, n));
		if (got <= 0) {
			bad("stream: read: %zd, error %d", got, errno);
			break;
		}
		for (ssize_t i = 0; i < got; i++) {
			if (buf[i] != (unsigned char)((done + i) * 31 + 7)) {
				bad("stream: byte %zu is %u", done + i, buf[i]);
				return;
			}
			sum += buf[i];
		}
		done += got;
		if (chance(r, 10))
			dawdle(r);
	}
	took(LAW_BYTES, s->bytes);
	took(LAW_BYTESUM, sum);
}

void op_bulk(struct rng *r)
{
	struct stream s = { .rng = derive(rnd(r), 1), .bytes = within(r, 1, 256 * 1024) };
	int fd[2];
	pthread_t t;
	bool sock = chance(r, 50);

	if (sock ? socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fd) : pipe2(fd, O_CLOEXEC))
		return;
	s.in = fd[0];
	s.out = fd[1];
	if (!sock && chance(r, 50))
		fcntl(fd[1], F_SETPIPE_SZ, 4096);
	if (spawn(&t, write_all, &s)) {
		read_all(&s, r);
		join(t);
	}
	close(fd[0]);
	close(fd[1]);
}

/* ---- TCP on the loopback: connect, accept, echo ---- */

static void *tcp_client(void *arg)
{
	struct stream *s = arg;
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = s->in };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct mark m = mark();
	char reply = 0;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	dawdle(&s->rng);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to))) {
		struct pollfd pfd = { fd, POLLOUT, 0 };

		/* An interrupted connect goes on by itself: wait for it as POSIX says. */
		if (errno == EINTR) {
			eintr_seen(m, EINTR_RESTARTS, "connect");
			MUST(WAITX(poll(&pfd, 1, -1)) == 1);
		} else {
			bad("tcp: connect: error %d", errno);
		}
	}
	s->out = fd;
	write_all(s);
	MUST(WAIT(read(fd, &reply, 1)) == 1 && reply == '!');
	close(fd);
	return NULL;
}

void op_tcp(struct rng *r)
{
	struct sockaddr_in at = { .sin_family = AF_INET };
	socklen_t len = sizeof(at);
	int lis = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stream s = { .rng = derive(rnd(r), 2), .bytes = within(r, 1, 64 * 1024) };
	pthread_t t;
	int fd;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (lis < 0 || bind(lis, (void *)&at, sizeof(at)) || listen(lis, 1) ||
	    getsockname(lis, (void *)&at, &len)) {
		close(lis);
		return;
	}
	s.in = at.sin_port;
	if (spawn(&t, tcp_client, &s)) {
		struct stream mine = { .bytes = s.bytes };

		fd = chance(r, 50) ? WAIT(accept(lis, NULL, NULL))
				   : WAIT(accept4(lis, NULL, NULL, SOCK_CLOEXEC));
		MUST(fd >= 0);
		mine.in = fd;
		read_all(&mine, r);
		dawdle(r);
		MUST(WAIT(send(fd, "!", 1, MSG_NOSIGNAL)) == 1);
		join(t);
		close(fd);
	}
	close(lis);
}

/* ---- splice and sendfile ---- */

static void *splicer(void *arg)
{
	struct stream *s = arg;

	for (size_t left = s->bytes; left;) {
		ssize_t n = WAIT(splice(s->in, NULL, s->out, NULL, left, SPLICE_F_MOVE));

		if (n <= 0) {
			bad("splice: %zd, error %d", n, errno);
			break;
		}
		left -= n;
	}
	return NULL;
}

/* writer thread -> pipe -> splicing thread -> pipe -> us */
void op_splice(struct rng *r)
{
	struct stream s = { .rng = derive(rnd(r), 3), .bytes = within(r, 1, 100000) }, mid = s;
	int a[2], b[2];
	pthread_t tw, ts;

	if (pipe2(a, O_CLOEXEC))
		return;
	if (pipe2(b, O_CLOEXEC)) {
		close(a[0]);
		close(a[1]);
		return;
	}
	s.out = a[1];
	mid.in = a[0];
	mid.out = b[1];
	s.in = b[0];
	if (spawn(&tw, write_all, &s)) {
		bool extra = spawn(&ts, splicer, &mid);

		if (!extra)
			s.in = a[0];
		read_all(&s, r);
		join(tw);
		if (extra)
			join(ts);
	}
	close(a[0]);
	close(a[1]);
	close(b[0]);
	close(b[1]);
}

/* ---- opens of a FIFO wait for each other ---- */

static void *fifo_writer(void *arg)
{
	struct stream *s = arg;

	dawdle(&s->rng);
	s->out = WAIT(open(s->path, O_WRONLY | O_CLOEXEC));
	MUST(s->out >= 0);
	write_all(s);
	return NULL;
}

void op_fifo_open(struct rng *r)
{
	static _Atomic unsigned number;
	struct stream s = { .rng = derive(rnd(r), 4), .bytes = within(r, 1, 20000) };
	pthread_t t;

	snprintf(s.path, sizeof(s.path), "%s/open%u", page->dir, atomic_fetch_add(&number, 1));
	if (mkfifo(s.path, 0600))
		return;
	if (spawn(&t, fifo_writer, &s)) {
		dawdle(r);
		s.in = chance(r, 50) ? WAIT(open(s.path, O_RDONLY | O_CLOEXEC))
				     : WAIT(openat(AT_FDCWD, s.path, O_RDONLY | O_CLOEXEC));
		MUST(s.in >= 0);
		read_all(&s, r);
		join(t);
		close(s.in);
		close(s.out);
	}
	unlink(s.path);
}

/* ---- many descriptors in one poll ---- */

struct many {
	struct rng rng;
	int fd[8][2];
	int n;
};

static void *many_writer(void *arg)
{
	struct many *m = arg;

	for (int i = 0; i < m->n; i++) {
		dawdle(&m->rng);
		MUST(WAIT(write(m->fd[i][1], "x", 1)) == 1);
		gave(LAW_BYTES, 1);
	}
	return NULL;
}

void op_pollmany(struct rng *r)
{
	struct many m = { .rng = derive(rnd(r), 5), .n = 0 };
	int seen = 0, want = within(r, 2, 8);
	pthread_t t;

	while (m.n < want && pipe2(m.fd[m.n], O_CLOEXEC | O_NONBLOCK) == 0)
		m.n++;
	if (m.n && spawn(&t, many_writer, &m)) {
		while (seen < m.n) {
			struct pollfd pfd[8];
			char x;

			for (int i = 0; i < m.n; i++)
				pfd[i] = (struct pollfd){ m.fd[i][0], POLLIN, 0 };
			MUST(WAITX(poll(pfd, m.n, -1)) > 0);
			for (int i = 0; i < m.n; i++)
				if (pfd[i].revents & POLLIN && read(pfd[i].fd, &x, 1) == 1)
					seen++;
		}
		took(LAW_BYTES, seen);
		join(t);
	}
	for (int i = 0; i < m.n; i++) {
		close(m.fd[i][0]);
		close(m.fd[i][1]);
	}
}

/* ---- only time ends these; they must neither come early nor see an EINTR of ours ---- */

/* glibc 2.35 */
extern int epoll_pwait2(int ep, struct epoll_event *events, int n, const struct timespec *t,
			const sigset_t *mask) __attribute__((weak));

static int wait_for_nothing(int how, int fd, unsigned ms)
{
	struct pollfd pfd = { fd, POLLIN, 0 };
	struct timespec ts = ts_of(ms * 1000000ull);
	struct timeval tv = { 0, ms * 1000 };
	struct epoll_event ev;
	int ep, rc, e;

	switch (how) {
	case 0:
		return poll(&pfd, 1, ms);
	case 1:
		return ppoll(&pfd, 1, &ts, NULL);
	case 2:
		return select(0, NULL, NULL, NULL, &tv);
	case 3:
		return pselect(0, NULL, NULL, NULL, &ts, NULL);
	default:
		ep = epoll_create1(EPOLL_CLOEXEC);
		rc = how == 4 || !epoll_pwait2 ? epoll_wait(ep, &ev, 1, ms)
					       : epoll_pwait2(ep, &ev, 1, &ts, NULL);
		e = errno;
		close(ep);
		errno = e;
		return rc;
	}
}

void op_io_timeout(struct rng *r)
{
	unsigned ms = within(r, 0, 12);
	int how = below(r, 6), fd[2], rc;
	uint64_t start;
	struct mark m;

	if (pipe2(fd, O_CLOEXEC))
		return;
	m = mark();
	start = now_ns();
	rc = wait_for_nothing(how, fd[0], ms);
	if (rc < 0 && errno == EINTR)
		eintr_seen(m, how < 4 ? EINTR_HANDLER : EINTR_SHARED,
			   how < 4 ? "poll or select with a time limit"
				   : "epoll_wait with a time limit");
	else if (rc == 0)
		not_early(start, ms * 1000000ull, "poll, select or epoll");
	else
		bad("wait %d for nothing: %d, error %d", how, rc, errno);
	close(fd[0]);
	close(fd[1]);
	step();
}

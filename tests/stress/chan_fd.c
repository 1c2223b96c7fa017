/*
 * Channels made of descriptors: pipes, FIFOs, socket pairs, eventfd, and a pipe read through stdio.
 *
 * Messages are whole: a pipe write of up to PIPE_BUF bytes is atomic and all messages of a channel
 * have one size that divides the page, a socket send of 64 bytes is one buffer. So a read by any of
 * many readers returns exactly one message, however it is made: plainly, after poll, select or
 * epoll, vectored, as a socket call, by syscall(2), or by an instruction of our own.
 */
#include "chan.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

/* ---- waiting for a descriptor ---- */

static void wait_select(int fd, bool plain)
{
	fd_set in;
	struct timeval tv = { 0, 30000 };

	do {
		FD_ZERO(&in);
		FD_SET(fd, &in);
		tv.tv_usec = 30000;
	} while (WAITX(plain ? select(fd + 1, &in, NULL, NULL, &tv)
			     : pselect(fd + 1, &in, NULL, NULL, NULL, NULL)) == 0);
}

static void wait_epoll(struct chan *c)
{
	struct epoll_event ev[2];
	int n;

	do
		n = WAITE(epoll_wait(c->epfd, ev, 2, 50));
	while (n == 0);
	MUST(n == 1);
}

/* Readable for somebody, at some moment: with a credit in hand a message of ours is yet to come. */
static void wait_readable(struct chan *c, struct rng *r)
{
	struct pollfd pfd = { c->fd[0], POLLIN, 0 };
	int how = below(r, 10);

	if (how == 0)
		MUST(WAITX(poll(&pfd, 1, -1)) == 1);
	else if (how == 1)
		while (WAITX(poll(&pfd, 1, 20)) == 0)
			;
	else if (how == 2)
		MUST(WAITX(ppoll(&pfd, 1, NULL, NULL)) == 1);
	else if (how == 3 && c->fd[0] < FD_SETSIZE)
		wait_select(c->fd[0], chance(r, 50));
	else if (how == 4 && c->epfd >= 0)
		wait_epoll(c);
}

static void epoll_make(struct chan *c)
{
	struct epoll_event ev = { .events = EPOLLIN };

	c->epfd = epoll_create1(EPOLL_CLOEXEC);
	if (c->epfd >= 0)
		MUST(epoll_ctl(c->epfd, EPOLL_CTL_ADD, c->fd[0], &ev) == 0);
}

/* ---- reading and writing ---- */

static void fd_recv(struct chan *c, struct rng *r, struct msg *m)
{
	size_t n = c->kind->size;
	struct iovec iov[2] = { { m->buf, n / 2 }, { m->buf + n / 2, n - n / 2 } };
	int fd = c->fd[0];
	ssize_t got;

	wait_readable(c, r);
	switch (below(r, 6)) {
	case 0:
		got = WAIT(readv(fd, iov, 2));
		break;
	case 1:
		got = WAIT(syscall(SYS_read, fd, m->buf, n));
		break;
	case 2:
		got = WAIT(raw_read(fd, m->buf, n));
		break;
	default:
		got = WAIT(read(fd, m->buf, n));
		break;
	}
	if (got != (ssize_t)n)
		bad("%s %d: read %zd of %zu, error %d", c->kind->name, c->index, got, n, errno);
}

static void fd_send(struct chan *c, struct rng *r, const struct msg *m)
{
	size_t n = c->kind->size;
	char *buf = (char *)m->buf;
	struct iovec iov[2] = { { buf, n / 2 }, { buf + n / 2, n - n / 2 } };
	struct pollfd pfd = { c->fd[1], POLLOUT, 0 };
	ssize_t put;

	if (chance(r, 20))
		MUST(WAITX(poll(&pfd, 1, -1)) == 1);
	if (chance(r, 30))
		put = WAIT(writev(c->fd[1], iov, 2));
	else
		put = WAIT(write(c->fd[1], m->buf, n));
	if (put != (ssize_t)n)
		bad("%s %d: wrote %zd of %zu, error %d", c->kind->name, c->index, put, n, errno);
}

static bool fd_rest(struct chan *c, struct msg *m)
{
	struct pollfd pfd = { c->fd[0], POLLIN, 0 };

	if (WAITX(poll(&pfd, 1, 0)) != 1)
		return false;
	return WAIT(read(c->fd[0], m->buf, c->kind->size)) == (ssize_t)c->kind->size;
}

static void fd_close(struct chan *c)
{
	close(c->fd[0]);
	if (c->fd[1] != c->fd[0])
		close(c->fd[1]);
	if (c->epfd >= 0)
		close(c->epfd);
}

/* ---- pipes and FIFOs ---- */

static bool pipe_open(struct chan *c)
{
	if (pipe2(c->fd, O_CLOEXEC))
		return false;
	epoll_make(c);
	return true;
}

/* A message is a page, a slot of the pipe is a page: room for exactly `cap`, then senders wait. */
static bool page_open(struct chan *c)
{
	int got;

	if (!pipe_open(c))
		return false;
	got = fcntl(c->fd[1], F_SETPIPE_SZ, c->cap * PAGE_MSG);
	if (got > 0) {
		c->cap = got / PAGE_MSG;
		c->space = c->cap;
	}
	return true;
}

static bool fifo_open(struct chan *c)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/fifo%d", page->dir, c->index);
	if (mkfifo(path, 0600))
		return false;
	c->fd[0] = open(path, O_RDWR | O_CLOEXEC);
	c->fd[1] = open(path, O_WRONLY | O_CLOEXEC);
	unlink(path);
	epoll_make(c);
	return c->fd[0] >= 0 && c->fd[1] >= 0;
}

const struct kind kind_pipe = { "pipe",	 LAW_PIPE, 60,	    CHAN_MSG, pipe_open,
				fd_send, fd_recv,  fd_rest, fd_close };
const struct kind kind_page = { "page",	 LAW_PAGE, 4,	    PAGE_MSG, page_open,
				fd_send, fd_recv,  fd_rest, fd_close };
const struct kind kind_fifo = { "fifo",	 LAW_FIFO, 60,	    CHAN_MSG, fifo_open,
				fd_send, fd_recv,  fd_rest, fd_close };

/* ---- stdio: readers share one FILE, and wait for its lock inside libc ---- */

static bool stdio_open(struct chan *c)
{
	FILE *f;

	if (pipe2(c->fd, O_CLOEXEC) || !(f = fdopen(c->fd[0], "r")))
		return false;
	/* A multiple of the message: no line is ever split over two reads, so EINTR loses none. */
	setvbuf(f, NULL, _IOFBF, 4096);
	c->p = f;
	return true;
}

static void stdio_recv(struct chan *c, struct rng *r, struct msg *m)
{
	char *line = m->buf;
	size_t size = 0;

	for (;;) {
		struct mark before = mark();
		int how = below(r, 3);
		ssize_t n = -1;

		errno = 0;
		if (how == 0) {
			n = fgets(line, CHAN_MSG + 1, c->p) ? (ssize_t)strlen(line) : -1;
		} else if (how == 1) {
			n = fread(line, CHAN_MSG, 1, c->p) == 1 ? CHAN_MSG : -1;
		} else {
			char *own = NULL;

			size = 0;
			n = getline(&own, &size, c->p);
			if (n == CHAN_MSG)
				memcpy(line, own, n);
			free(own);
		}
		if (n == CHAN_MSG)
			return;
		/* getline does not even try while the error of another reader stands. */
		if (n < 0 && (errno == EINTR || (errno == 0 && !feof(c->p)))) {
			if (errno == EINTR)
				eintr_seen(before, EINTR_RESTARTS, "stdio");
			clearerr(c->p);
			continue;
		}
		bad("stdio %d: read %zd of %d, error %d", c->index, n, CHAN_MSG, errno);
		return;
	}
}

static void stdio_send(struct chan *c, struct rng *r, const struct msg *m)
{
	fd_send(c, r, m);
}

static bool stdio_rest(struct chan *c, struct msg *m)
{
	fcntl(c->fd[0], F_SETFL, O_NONBLOCK);
	clearerr(c->p);
	return fread(m->buf, CHAN_MSG, 1, c->p) == 1;
}

static void stdio_close(struct chan *c)
{
	fclose(c->p);
	close(c->fd[1]);
}

const struct kind kind_stdio = { "stdio",    LAW_STDIO,	 60,	     CHAN_MSG,	 stdio_open,
				 stdio_send, stdio_recv, stdio_rest, stdio_close };

/* ---- socket pairs ---- */

static bool sock_open(struct chan *c)
{
	int type = c->kind == &kind_stream  ? SOCK_STREAM
		   : c->kind == &kind_dgram ? SOCK_DGRAM
					    : SOCK_SEQPACKET;

	if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, c->fd))
		return false;
	epoll_make(c);
	return true;
}

static void sock_recv(struct chan *c, struct rng *r, struct msg *m)
{
	size_t n = c->kind->size;
	struct iovec iov = { m->buf, n };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	int fd = c->fd[0];
	ssize_t got;

	switch (below(r, 6)) {
	case 0:
		wait_readable(c, r);
		got = WAIT(recvmsg(fd, &hdr, 0));
		break;
	case 1:
		wait_readable(c, r);
		got = WAIT(recvfrom(fd, m->buf, n, 0, NULL, NULL));
		break;
	case 2:
		got = WAIT(recv(fd, m->buf, n, 0));
		break;
	case 3:
		while ((got = WAIT(recv(fd, m->buf, n, MSG_DONTWAIT))) < 0 && errno == EAGAIN)
			WAITX(poll(&(struct pollfd){ fd, POLLIN, 0 }, 1, 20));
		break;
	case 4: {
		struct mmsghdr mm = { .msg_hdr = hdr };

		got = WAIT(recvmmsg(fd, &mm, 1, 0, NULL)) == 1 ? (ssize_t)mm.msg_len : -1;
		break;
	}
	default:
		fd_recv(c, r, m);
		return;
	}
	if (got != (ssize_t)n)
		bad("%s %d: received %zd of %zu, error %d", c->kind->name, c->index, got, n, errno);
}

static void sock_send(struct chan *c, struct rng *r, const struct msg *m)
{
	size_t n = c->kind->size;
	struct iovec iov = { (void *)m->buf, n };
	struct msghdr hdr = { .msg_iov = &iov, .msg_iovlen = 1 };
	int how = below(r, 4);
	ssize_t put;

	if (how == 0)
		put = WAIT(send(c->fd[1], m->buf, n, MSG_NOSIGNAL));
	else if (how == 1)
		put = WAIT(sendto(c->fd[1], m->buf, n, 0, NULL, 0));
	else if (how == 2)
		put = WAIT(sendmsg(c->fd[1], &hdr, 0));
	else
		put = WAIT(write(c->fd[1], m->buf, n));
	if (put != (ssize_t)n)
		bad("%s %d: sent %zd of %zu, error %d", c->kind->name, c->index, put, n, errno);
}

const struct kind kind_stream = { "stream",  LAW_STREAM, 60,	  CHAN_MSG, sock_open,
				  sock_send, sock_recv,	 fd_rest, fd_close };
const struct kind kind_dgram = { "dgram",   LAW_DGRAM, 8,	CHAN_MSG, sock_open,
				 sock_send, sock_recv, fd_rest, fd_close };
const struct kind kind_seq = { "seq",	  LAW_SEQ,   8,	      CHAN_MSG, sock_open,
			       sock_send, sock_recv, fd_rest, fd_close };

/* ---- eventfd: a count, not a message ---- */

static bool event_open(struct chan *c)
{
	c->fd[0] = c->fd[1] = eventfd(0, EFD_SEMAPHORE | EFD_CLOEXEC);
	if (c->fd[0] < 0)
		return false;
	epoll_make(c);
	return true;
}

static void event_recv(struct chan *c, struct rng *r, struct msg *m)
{
	eventfd_t v = 0;

	(void)m;
	wait_readable(c, r);
	if (chance(r, 30))
		MUST(WAIT(eventfd_read(c->fd[0], &v)) == 0);
	else
		MUST(WAIT(read(c->fd[0], &v, sizeof(v))) == sizeof(v));
	MUST(v == 1);
}

static void event_send(struct chan *c, struct rng *r, const struct msg *m)
{
	eventfd_t v = 1;

	(void)m;
	if (chance(r, 30))
		MUST(WAIT(eventfd_write(c->fd[1], v)) == 0);
	else
		MUST(WAIT(write(c->fd[1], &v, sizeof(v))) == sizeof(v));
}

static bool event_rest(struct chan *c, struct msg *m)
{
	struct pollfd pfd = { c->fd[0], POLLIN, 0 };
	eventfd_t v;

	(void)m;
	if (WAITX(poll(&pfd, 1, 0)) != 1)
		return false;
	return WAIT(read(c->fd[0], &v, sizeof(v))) == sizeof(v);
}

const struct kind kind_eventfd = { "eventfd",  LAW_EVENTFD, 100,	0,	 event_open,
				   event_send, event_recv,  event_rest, fd_close };

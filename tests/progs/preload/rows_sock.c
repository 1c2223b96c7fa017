/* Rows: sockets and file locks.  A stream pair blocks a receiver when empty and a sender when its
 * small buffer is full; accept waits for a connection; connect waits on a backlog that is full.
 */
#include "tests/progs/preload/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* --- receiving --- */

static long call_recv(struct st *s)
{
	FN(ssize_t, int, void *, size_t, int);
	return fn(s->fd[0], s->buf, 10, 0);
}
static long fail_recv(struct st *s)
{
	FN(ssize_t, int, void *, size_t, int);
	return fn(s->fd[0], s->buf, 10, MSG_DONTWAIT);
}
ROW(recv, POINT, .setup = setup_pair, .call = call_recv, .release = release_write,
    .fail = fail_recv);

static long call_recv_chk(struct st *s)
{
	FN(ssize_t, int, void *, size_t, size_t, int);
	return fn(s->fd[0], s->buf, 10, sizeof(s->buf), 0);
}
static long fail_recv_chk(struct st *s)
{
	FN(ssize_t, int, void *, size_t, size_t, int);
	return fn(s->fd[0], s->buf, 10, sizeof(s->buf), MSG_DONTWAIT);
}
ROW(__recv_chk, POINT, .setup = setup_pair, .call = call_recv_chk, .release = release_write,
    .fail = fail_recv_chk);

static long call_recvfrom(struct st *s)
{
	FN(ssize_t, int, void *, size_t, int, struct sockaddr *, socklen_t *);
	struct sockaddr_un a;
	socklen_t len = sizeof(a);
	long r = fn(s->fd[0], s->buf, 10, 0, (void *)&a, &len);
	s->extra = r >= 0 ? (long)len : -1;
	return r;
}
static long fail_recvfrom(struct st *s)
{
	FN(ssize_t, int, void *, size_t, int, struct sockaddr *, socklen_t *);
	return fn(-1, s->buf, 10, 0, NULL, NULL);
}
ROW(recvfrom, POINT, .setup = setup_pair, .call = call_recvfrom, .release = release_write,
    .fail = fail_recvfrom);

static long call_recvfrom_chk(struct st *s)
{
	FN(ssize_t, int, void *, size_t, size_t, int, struct sockaddr *, socklen_t *);
	return fn(s->fd[0], s->buf, 10, sizeof(s->buf), 0, NULL, NULL);
}
static long fail_recvfrom_chk(struct st *s)
{
	FN(ssize_t, int, void *, size_t, size_t, int, struct sockaddr *, socklen_t *);
	return fn(-1, s->buf, 10, sizeof(s->buf), 0, NULL, NULL);
}
ROW(__recvfrom_chk, POINT, .setup = setup_pair, .call = call_recvfrom_chk, .release = release_write,
    .fail = fail_recvfrom_chk);

static long call_recvmsg(struct st *s)
{
	FN(ssize_t, int, struct msghdr *, int);
	struct iovec v = { s->buf, 10 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	return fn(s->fd[0], &m, 0);
}
static long fail_recvmsg(struct st *s)
{
	FN(ssize_t, int, struct msghdr *, int);
	struct msghdr m = { 0 };
	return fn(s->fd[0], &m, MSG_DONTWAIT);
}
ROW(recvmsg, POINT, .setup = setup_pair, .call = call_recvmsg, .release = release_write,
    .fail = fail_recvmsg);

static long call_recvmmsg(struct st *s)
{
	FN(int, int, struct mmsghdr *, unsigned, int, struct timespec *);
	struct iovec v = { s->buf, 10 };
	struct mmsghdr m = { .msg_hdr = { .msg_iov = &v, .msg_iovlen = 1 } };
	long r = fn(s->fd[0], &m, 1, 0, NULL);
	s->extra = m.msg_len;
	return r;
}
static long fail_recvmmsg(struct st *s)
{
	FN(int, int, struct mmsghdr *, unsigned, int, struct timespec *);
	struct mmsghdr m = { 0 };
	return fn(s->fd[0], &m, 1, MSG_DONTWAIT, NULL);
}
ROW(recvmmsg, POINT, .setup = setup_pair, .call = call_recvmmsg, .release = release_write,
    .fail = fail_recvmmsg);

/* --- sending --- */

static long call_send(struct st *s)
{
	FN(ssize_t, int, const void *, size_t, int);
	return fn(s->fd[1], s->buf, 10, 0);
}
static long fail_send(struct st *s)
{
	FN(ssize_t, int, const void *, size_t, int);
	int p[2];
	must(socketpair(AF_UNIX, SOCK_STREAM, 0, p) == 0, "socketpair");
	close(p[0]);
	return fn(p[1], s->buf, 10, 0);
}
ROW(send, POINT, .setup = setup_full_pair, .call = call_send, .release = release_drain,
    .fail = fail_send);

static long call_sendto(struct st *s)
{
	FN(ssize_t, int, const void *, size_t, int, const struct sockaddr *, socklen_t);
	return fn(s->fd[1], s->buf, 10, 0, NULL, 0);
}
static long fail_sendto(struct st *s)
{
	FN(ssize_t, int, const void *, size_t, int, const struct sockaddr *, socklen_t);
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	return fn(s->fd[1], s->buf, 10, 0, (void *)&a, sizeof(a));
}
ROW(sendto, POINT, .setup = setup_full_pair, .call = call_sendto, .release = release_drain,
    .fail = fail_sendto);

static long call_sendmsg(struct st *s)
{
	FN(ssize_t, int, const struct msghdr *, int);
	struct iovec v = { s->buf, 10 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	return fn(s->fd[1], &m, 0);
}
static long fail_sendmsg(struct st *s)
{
	FN(ssize_t, int, const struct msghdr *, int);
	struct iovec v = { s->buf, 10 };
	struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1 };
	return fn(s->fd[1], &m, MSG_DONTWAIT);
}
ROW(sendmsg, POINT, .setup = setup_full_pair, .call = call_sendmsg, .release = release_drain,
    .fail = fail_sendmsg);

static long call_sendmmsg(struct st *s)
{
	FN(int, int, struct mmsghdr *, unsigned, int);
	struct iovec v = { s->buf, 10 };
	struct mmsghdr m = { .msg_hdr = { .msg_iov = &v, .msg_iovlen = 1 } };
	long r = fn(s->fd[1], &m, 1, 0);
	s->extra = m.msg_len;
	return r;
}
static long fail_sendmmsg(struct st *s)
{
	FN(int, int, struct mmsghdr *, unsigned, int);
	struct iovec v = { s->buf, 10 };
	struct mmsghdr m = { .msg_hdr = { .msg_iov = &v, .msg_iovlen = 1 } };
	return fn(s->fd[1], &m, 1, MSG_DONTWAIT);
}
ROW(sendmmsg, POINT, .setup = setup_full_pair, .call = call_sendmmsg, .release = release_drain,
    .fail = fail_sendmmsg);

/* --- connections --- */

static struct sockaddr_un address(struct st *s)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	/* Abstract name: nothing to remove. */
	snprintf(a.sun_path + 1, sizeof(a.sun_path) - 1, "gmp-row-%d", s->pid);
	return a;
}
static void setup_listener(struct st *s)
{
	struct sockaddr_un a = address(s);

	s->fd[0] = socket(AF_UNIX, SOCK_STREAM, 0);
	must(bind(s->fd[0], (void *)&a, sizeof(a)) == 0, "bind");
	must(listen(s->fd[0], 0) == 0, "listen");
}
static void release_connect(struct st *s)
{
	struct sockaddr_un a = address(s);

	s->fd[3] = socket(AF_UNIX, SOCK_STREAM, 0);
	must(connect(s->fd[3], (void *)&a, sizeof(a)) == 0, "connect");
}
static long accepted(struct st *s, int fd)
{
	s->extra = fd >= 0 ? fcntl(fd, F_GETFD) : -1;
	return fd >= 0 ? 0 : fd;
}
static long call_accept(struct st *s)
{
	FN(int, int, struct sockaddr *, socklen_t *);
	return accepted(s, fn(s->fd[0], NULL, NULL));
}
static long fail_accept(struct st *s)
{
	FN(int, int, struct sockaddr *, socklen_t *);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	return fn(fd, NULL, NULL);
}
ROW(accept, POINT, .setup = setup_listener, .call = call_accept, .release = release_connect,
    .fail = fail_accept);

static long call_accept4(struct st *s)
{
	FN(int, int, struct sockaddr *, socklen_t *, int);
	return accepted(s, fn(s->fd[0], NULL, NULL, SOCK_CLOEXEC));
}
static long fail_accept4(struct st *s)
{
	FN(int, int, struct sockaddr *, socklen_t *, int);
	return fn(s->fd[0], NULL, NULL, 0x40000000);
}
ROW(accept4, POINT, .setup = setup_listener, .call = call_accept4, .release = release_connect,
    .fail = fail_accept4);

/* A backlog of 0 takes one connection; the next one waits for an accept. */
static void setup_backlog(struct st *s)
{
	setup_listener(s);
	release_connect(s);
	s->fd[1] = socket(AF_UNIX, SOCK_STREAM, 0);
}
static void release_backlog(struct st *s)
{
	must(accept(s->fd[0], NULL, NULL) >= 0, "accept");
}
static long call_connect(struct st *s)
{
	FN(int, int, const struct sockaddr *, socklen_t);
	struct sockaddr_un a = address(s);
	return fn(s->fd[1], (void *)&a, sizeof(a));
}
static long fail_connect(struct st *s)
{
	FN(int, int, const struct sockaddr *, socklen_t);
	struct sockaddr_un a = { .sun_family = AF_UNIX, .sun_path = "/nonexistent" };
	return fn(s->fd[1], (void *)&a, sizeof(a));
}
ROW(connect, POINT, .setup = setup_backlog, .call = call_connect, .release = release_backlog,
    .fail = fail_connect);

/* --- file locks: the agent holds them --- */

static void setup_lock_file(struct st *s)
{
	snprintf(s->path, sizeof(s->path), "/tmp/gmp-lock-%d", s->pid);
	s->fd[0] = open(s->path, O_RDWR | O_CREAT, 0600);
	must(s->fd[0] >= 0, "open of the lock file");
}
static void hold_flock(struct st *s)
{
	s->fd[1] = open(s->path, O_RDWR);
	must(flock(s->fd[1], LOCK_EX) == 0, "flock");
	unlink(s->path);
}
static void release_flock(struct st *s)
{
	must(flock(s->fd[1], LOCK_UN) == 0, "flock");
}
static long call_flock(struct st *s)
{
	FN(int, int, int);
	return fn(s->fd[0], LOCK_EX);
}
static long fail_flock(struct st *s)
{
	FN(int, int, int);
	return fn(s->fd[0], LOCK_EX | LOCK_NB);
}
ROW(flock, 0, .setup = setup_lock_file, .hold = hold_flock, .call = call_flock,
    .release = release_flock, .fail = fail_flock);

static void hold_fcntl(struct st *s)
{
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	must(fcntl(s->fd[0], F_SETLK, &l) == 0, "F_SETLK");
	unlink(s->path);
}
static void release_fcntl(struct st *s)
{
	struct flock l = { .l_type = F_UNLCK, .l_whence = SEEK_SET };

	must(fcntl(s->fd[0], F_SETLK, &l) == 0, "F_SETLK");
}
static long call_fcntl(struct st *s)
{
	FN(int, int, int, ...);
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	return fn(s->fd[0], F_SETLKW, &l);
}
static long fail_fcntl(struct st *s)
{
	FN(int, int, int, ...);
	struct flock l = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	s->extra = fn(s->fd[0], F_GETFL); /* no third argument at all */
	return fn(s->fd[0], F_SETLK, &l);
}
ROW(fcntl, POINT, .setup = setup_lock_file, .hold = hold_fcntl, .call = call_fcntl,
    .release = release_fcntl, .fail = fail_fcntl);

static long call_lockf(struct st *s)
{
	FN(int, int, int, off_t);
	return fn(s->fd[0], F_LOCK, 0);
}
static long fail_lockf(struct st *s)
{
	FN(int, int, int, off_t);
	return fn(s->fd[0], F_TLOCK, 0);
}
ROW(lockf, POINT, .setup = setup_lock_file, .hold = hold_fcntl, .call = call_lockf,
    .release = release_fcntl, .fail = fail_lockf);

/* Rows: descriptor I/O that waits: pipes and eventfds, FIFO opens, close with linger, splices.
 * A reader waits on an empty pipe, a writer on a pipe of one page that is full.
 */
#include "tests/progs/preload/rows.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

static struct iovec one_byte(struct st *s)
{
	return (struct iovec){ s->buf, 1 };
}

/* --- read and kin --- */

static long call_read(struct st *s)
{
	FN(ssize_t, int, void *, size_t);
	return fn(s->fd[0], s->buf, 1);
}
static long fail_read(struct st *s)
{
	FN(ssize_t, int, void *, size_t);
	return fn(-1, s->buf, 1);
}
ROW(read, POINT, .setup = setup_pipe, .call = call_read, .release = release_write,
    .fail = fail_read);

static long call_read_chk(struct st *s)
{
	FN(ssize_t, int, void *, size_t, size_t);
	return fn(s->fd[0], s->buf, 1, sizeof(s->buf));
}
static long fail_read_chk(struct st *s)
{
	FN(ssize_t, int, void *, size_t, size_t);
	return fn(-1, s->buf, 1, sizeof(s->buf));
}
ROW(__read_chk, POINT | SINCE_2_34, .setup = setup_pipe, .call = call_read_chk,
    .release = release_write, .fail = fail_read_chk);

static long call_readv(struct st *s)
{
	FN(ssize_t, int, const struct iovec *, int);
	struct iovec v = one_byte(s);
	return fn(s->fd[0], &v, 1);
}
static long fail_readv(struct st *s)
{
	FN(ssize_t, int, const struct iovec *, int);
	struct iovec v = one_byte(s);
	return fn(s->fd[0], &v, -1);
}
ROW(readv, POINT, .setup = setup_pipe, .call = call_readv, .release = release_write,
    .fail = fail_readv);

static long call_preadv2(struct st *s)
{
	FN(ssize_t, int, const struct iovec *, int, off_t, int);
	struct iovec v = one_byte(s);
	return fn(s->fd[0], &v, 1, -1, 0);
}
static long fail_preadv2(struct st *s)
{
	FN(ssize_t, int, const struct iovec *, int, off_t, int);
	struct iovec v = one_byte(s);
	return fn(s->fd[0], &v, 1, -1, RWF_NOWAIT);
}
ROW(preadv2, POINT, .setup = setup_pipe, .call = call_preadv2, .release = release_write,
    .fail = fail_preadv2);

static void setup_eventfd(struct st *s)
{
	s->fd[0] = s->fd[1] = eventfd(0, 0);
	must(s->fd[0] >= 0, "eventfd");
}
static void setup_full_eventfd(struct st *s)
{
	setup_eventfd(s);
	must(eventfd_write(s->fd[0], 0xfffffffffffffffe) == 0, "eventfd_write");
}
static long call_eventfd_read(struct st *s)
{
	FN(int, int, eventfd_t *);
	eventfd_t v = 0;
	int r = fn(s->fd[0], &v);
	s->extra = v;
	return r;
}
static long fail_eventfd_read(struct st *s)
{
	FN(int, int, eventfd_t *);
	eventfd_t v;
	return fn(-1, &v);
}
static void release_eventfd(struct st *s)
{
	must(eventfd_write(s->fd[0], 3) == 0, "eventfd_write");
}
ROW(eventfd_read, POINT, .setup = setup_eventfd, .call = call_eventfd_read,
    .release = release_eventfd, .fail = fail_eventfd_read);

static long call_eventfd_write(struct st *s)
{
	FN(int, int, eventfd_t);
	return fn(s->fd[0], 5);
}
static long fail_eventfd_write(struct st *s)
{
	FN(int, int, eventfd_t);
	return fn(s->fd[0], -1);
}
static void release_full_eventfd(struct st *s)
{
	eventfd_t v;
	must(eventfd_read(s->fd[0], &v) == 0, "eventfd_read");
}
ROW(eventfd_write, POINT, .setup = setup_full_eventfd, .call = call_eventfd_write,
    .release = release_full_eventfd, .fail = fail_eventfd_write);

/* --- write and kin --- */

static long call_write(struct st *s)
{
	FN(ssize_t, int, const void *, size_t);
	return fn(s->fd[1], s->buf, 10);
}
/* EPIPE comes with SIGPIPE, which must arrive too. */
static long fail_write(struct st *s)
{
	FN(ssize_t, int, const void *, size_t);
	int p[2];
	must(pipe(p) == 0, "pipe");
	close(p[0]);
	return fn(p[1], s->buf, 10);
}
ROW(write, POINT, .setup = setup_full_pipe, .call = call_write, .release = release_drain,
    .fail = fail_write);

static long call_writev(struct st *s)
{
	FN(ssize_t, int, const struct iovec *, int);
	struct iovec v = one_byte(s);
	return fn(s->fd[1], &v, 1);
}
static long fail_writev(struct st *s)
{
	FN(ssize_t, int, const struct iovec *, int);
	struct iovec v = one_byte(s);
	return fn(s->fd[0], &v, 1);
}
ROW(writev, POINT, .setup = setup_full_pipe, .call = call_writev, .release = release_drain,
    .fail = fail_writev);

static long call_pwritev2(struct st *s)
{
	FN(ssize_t, int, const struct iovec *, int, off_t, int);
	struct iovec v = one_byte(s);
	return fn(s->fd[1], &v, 1, -1, 0);
}
static long fail_pwritev2(struct st *s)
{
	FN(ssize_t, int, const struct iovec *, int, off_t, int);
	struct iovec v = one_byte(s);
	return fn(s->fd[1], &v, 1, -1, 0x40000000);
}
ROW(pwritev2, POINT, .setup = setup_full_pipe, .call = call_pwritev2, .release = release_drain,
    .fail = fail_pwritev2);

/* --- at an offset: regular files, which cannot be made to wait --- */

static long call_pread(struct st *s)
{
	FN(ssize_t, int, void *, size_t, off_t);
	long r = fn(s->fd[0], s->buf, 4, 3);
	s->extra = s->buf[0];
	return r;
}
static long fail_pread(struct st *s)
{
	FN(ssize_t, int, void *, size_t, off_t);
	return fn(s->fd[0], s->buf, 4, -3);
}
ROW(pread, POINT | NOBLOCK, .setup = setup_file, .call = call_pread, .fail = fail_pread);

static long call_pread_chk(struct st *s)
{
	FN(ssize_t, int, void *, size_t, off_t, size_t);
	long r = fn(s->fd[0], s->buf, 4, 3, sizeof(s->buf));
	s->extra = s->buf[0];
	return r;
}
static long fail_pread_chk(struct st *s)
{
	FN(ssize_t, int, void *, size_t, off_t, size_t);
	return fn(s->fd[0], s->buf, 4, -3, sizeof(s->buf));
}
ROW(__pread_chk, POINT | NOBLOCK, .setup = setup_file, .call = call_pread_chk,
    .fail = fail_pread_chk);

static long call_pwrite(struct st *s)
{
	FN(ssize_t, int, const void *, size_t, off_t);
	long r = fn(s->fd[0], "zz", 2, 9);
	s->extra = lseek(s->fd[0], 0, SEEK_END);
	return r;
}
static long fail_pwrite(struct st *s)
{
	FN(ssize_t, int, const void *, size_t, off_t);
	return fn(-1, "zz", 2, 9);
}
ROW(pwrite, POINT | NOBLOCK, .setup = setup_file, .call = call_pwrite, .fail = fail_pwrite);

static long call_preadv(struct st *s)
{
	FN(ssize_t, int, const struct iovec *, int, off_t);
	struct iovec v = one_byte(s);
	long r = fn(s->fd[0], &v, 1, 4);
	s->extra = s->buf[0];
	return r;
}
static long fail_preadv(struct st *s)
{
	FN(ssize_t, int, const struct iovec *, int, off_t);
	struct iovec v = one_byte(s);
	return fn(-1, &v, 1, 4);
}
ROW(preadv, POINT | NOBLOCK, .setup = setup_file, .call = call_preadv, .fail = fail_preadv);

static long call_pwritev(struct st *s)
{
	FN(ssize_t, int, const struct iovec *, int, off_t);
	struct iovec v = { (void *)"zz", 2 };
	long r = fn(s->fd[0], &v, 1, 11);
	s->extra = lseek(s->fd[0], 0, SEEK_END);
	return r;
}
ROW(pwritev, POINT | NOBLOCK, .setup = setup_file, .call = call_pwritev, .fail = fail_preadv);

/* --- open of a FIFO: waits for the other end --- */

static void setup_fifo(struct st *s)
{
	snprintf(s->path, sizeof(s->path), "/tmp/gmp-fifo-%d", s->pid);
	unlink(s->path);
	must(mkfifo(s->path, 0600) == 0, "mkfifo");
}
/* The caller is in its open when this runs (or comes later: then it finds this end). */
static void release_fifo(struct st *s)
{
	must(open(s->path, O_RDWR) >= 0, "open of the other end");
	unlink(s->path);
}
static long opened(struct st *s, int fd)
{
	/* Descriptor numbers depend on what runs beside: only success is compared. */
	s->extra = fd >= 0 ? fcntl(fd, F_GETFL) & O_ACCMODE : -1;
	return fd >= 0 ? 0 : fd;
}
static long call_open(struct st *s)
{
	FN(int, const char *, int, ...);
	return opened(s, fn(s->path, O_RDONLY));
}
/* The mode is an optional argument: it must arrive. */
static long fail_open(struct st *s)
{
	FN(int, const char *, int, ...);
	struct stat st;
	char name[80];
	snprintf(name, sizeof(name), "%s.new", s->path);
	int fd = fn(name, O_RDWR | O_CREAT | O_EXCL, 0640);
	s->extra = fstat(fd, &st) == 0 ? (long)(st.st_mode & 07777) : -1;
	fd = fn(name, O_RDWR | O_CREAT | O_EXCL, 0640);
	int e = errno;
	unlink(name);
	errno = e;
	return fd;
}
ROW(open, POINT | NO_READY, .setup = setup_fifo, .call = call_open, .release = release_fifo,
    .fail = fail_open);

static long call_open_2(struct st *s)
{
	FN(int, const char *, int);
	return opened(s, fn(s->path, O_RDONLY));
}
static long fail_open_2(struct st *s)
{
	FN(int, const char *, int);
	return fn("/nonexistent", O_RDONLY);
}
ROW(__open_2, POINT | NO_READY, .setup = setup_fifo, .call = call_open_2, .release = release_fifo,
    .fail = fail_open_2);
ROW(__open64_2, POINT | NO_READY, .setup = setup_fifo, .call = call_open_2, .release = release_fifo,
    .fail = fail_open_2);

static long call_openat(struct st *s)
{
	FN(int, int, const char *, int, ...);
	return opened(s, fn(AT_FDCWD, s->path, O_WRONLY));
}
static long fail_openat(struct st *s)
{
	FN(int, int, const char *, int, ...);
	return fn(-1, "x", O_RDONLY);
}
ROW(openat, POINT | NO_READY, .setup = setup_fifo, .call = call_openat, .release = release_fifo,
    .fail = fail_openat);

static long call_openat_2(struct st *s)
{
	FN(int, int, const char *, int);
	return opened(s, fn(AT_FDCWD, s->path, O_RDONLY));
}
static long fail_openat_2(struct st *s)
{
	FN(int, int, const char *, int);
	return fn(-1, "x", O_RDONLY);
}
ROW(__openat_2, POINT | NO_READY, .setup = setup_fifo, .call = call_openat_2,
    .release = release_fifo, .fail = fail_openat_2);
ROW(__openat64_2, POINT | NO_READY, .setup = setup_fifo, .call = call_openat_2,
    .release = release_fifo, .fail = fail_openat_2);

static long call_creat(struct st *s)
{
	FN(int, const char *, mode_t);
	return opened(s, fn(s->path, 0600));
}
static long fail_creat(struct st *s)
{
	FN(int, const char *, mode_t);
	return fn("/nonexistent/x", 0600);
}
ROW(creat, POINT | NO_READY, .setup = setup_fifo, .call = call_creat, .release = release_fifo,
    .fail = fail_creat);

/* --- close: a socket with unsent data and SO_LINGER waits for its peer --- */

static void setup_linger(struct st *s)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct linger l = { 1, 1000 };
	socklen_t len = sizeof(a);
	/* What the sender's buffer holds is many times what the receiver's can take: the rest is
	 * unsent when the sender is full, and stays so until somebody reads. */
	int room = 2048, stock = 32768;
	char block[4096];

	memset(block, 'f', sizeof(block));
	s->fd[2] = socket(AF_INET, SOCK_STREAM, 0);
	must(bind(s->fd[2], (void *)&a, len) == 0, "bind");
	/* A small window, set before the connection: little data fills it. */
	setsockopt(s->fd[2], SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	must(listen(s->fd[2], 1) == 0, "listen");
	must(getsockname(s->fd[2], (void *)&a, &len) == 0, "getsockname");
	s->fd[1] = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(s->fd[1], SOL_SOCKET, SO_SNDBUF, &stock, sizeof(stock));
	must(connect(s->fd[1], (void *)&a, len) == 0, "connect");
	s->fd[0] = accept(s->fd[2], NULL, NULL);
	must(s->fd[0] >= 0, "accept");
	while (send(s->fd[1], block, sizeof(block), MSG_DONTWAIT) > 0)
		;
	setsockopt(s->fd[1], SOL_SOCKET, SO_LINGER, &l, sizeof(l));
}
/* The agent inherited this end by fork: as long as it is open there, the caller's close is not
 * the last and does not wait. */
static void hold_linger(struct st *s)
{
	close(s->fd[1]);
}
static void release_linger(struct st *s)
{
	char block[65536];

	while (recv(s->fd[0], block, sizeof(block), 0) > 0)
		;
}
static long call_close(struct st *s)
{
	FN(int, int);
	return fn(s->fd[1]);
}
static long fail_close(struct st *s)
{
	FN(int, int);
	return fn(-1);
}
ROW(close, POINT | NO_READY | SLOW_RELEASE, .setup = setup_linger, .hold = hold_linger,
    .call = call_close, .release = release_linger, .fail = fail_close);

static long call_ioctl(struct st *s)
{
	FN(int, int, unsigned long, ...);
	int n = -1, r = fn(s->fd[0], FIONREAD, &n);
	s->extra = n;
	return r;
}
static long fail_ioctl(struct st *s)
{
	FN(int, int, unsigned long, ...);
	return fn(s->fd[0], TIOCGWINSZ, s->buf);
}
ROW(ioctl, NOBLOCK, .setup = setup_pipe, .call = call_ioctl, .fail = fail_ioctl);

/* --- splices --- */

static void setup_sendfile(struct st *s)
{
	setup_file(s);
	s->fd[2] = s->fd[0];
	setup_full_pair(s);
}
static long call_sendfile(struct st *s)
{
	FN(ssize_t, int, int, off_t *, size_t);
	off_t at = 2;
	long r = fn(s->fd[1], s->fd[2], &at, 5);
	s->extra = at;
	return r;
}
static long fail_sendfile(struct st *s)
{
	FN(ssize_t, int, int, off_t *, size_t);
	return fn(s->fd[1], -1, NULL, 5);
}
ROW(sendfile, 0, .setup = setup_sendfile, .call = call_sendfile, .release = release_drain,
    .fail = fail_sendfile);

static void setup_two_pipes(struct st *s)
{
	setup_pipe(s);
	must(pipe(s->fd + 2) == 0, "pipe");
}
static long call_splice(struct st *s)
{
	FN(ssize_t, int, off64_t *, int, off64_t *, size_t, unsigned);
	return fn(s->fd[0], NULL, s->fd[3], NULL, 10, 0);
}
static long fail_splice(struct st *s)
{
	FN(ssize_t, int, off64_t *, int, off64_t *, size_t, unsigned);
	return fn(s->fd[0], NULL, s->fd[3], NULL, 10, SPLICE_F_NONBLOCK);
}
ROW(splice, POINT, .setup = setup_two_pipes, .call = call_splice, .release = release_write,
    .fail = fail_splice);

static long call_tee(struct st *s)
{
	FN(ssize_t, int, int, size_t, unsigned);
	return fn(s->fd[0], s->fd[3], 10, 0);
}
static long fail_tee(struct st *s)
{
	FN(ssize_t, int, int, size_t, unsigned);
	return fn(s->fd[0], s->fd[0], 10, 0);
}
ROW(tee, POINT, .setup = setup_two_pipes, .call = call_tee, .release = release_write,
    .fail = fail_tee);

static long call_vmsplice(struct st *s)
{
	FN(ssize_t, int, const struct iovec *, size_t, unsigned);
	struct iovec v = one_byte(s);
	return fn(s->fd[1], &v, 1, 0);
}
static long fail_vmsplice(struct st *s)
{
	FN(ssize_t, int, const struct iovec *, size_t, unsigned);
	struct iovec v = one_byte(s);
	return fn(s->fd[1], &v, 1, SPLICE_F_NONBLOCK);
}
ROW(vmsplice, POINT, .setup = setup_full_pipe, .call = call_vmsplice, .release = release_drain,
    .fail = fail_vmsplice);

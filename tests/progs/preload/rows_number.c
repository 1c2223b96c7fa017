/* Rows: syscall(2) by number.  One row of the table, many numbers: each blocking number that
 * programs really issue this way has an entry of its own (rows_extra in table.c).
 */
#include "tests/progs/preload/rows.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "runtime/numbers.h"
#include "tests/support/wait.h"

#define BY_NUMBER .symbol = "syscall"

/* Futex words are shared with the agent: no FUTEX_PRIVATE_FLAG. */
static void release_futex(struct st *s)
{
	s->word = 1;
	syscall(SYS_futex, &s->word, FUTEX_WAKE, 1, NULL, NULL, 0);
}
static long call_futex(struct st *s)
{
	FN(long, long, ...);
	return fn(SYS_futex, &s->word, FUTEX_WAIT, 0, NULL, NULL, 0);
}
static long fail_futex(struct st *s)
{
	FN(long, long, ...);
	return fn(SYS_futex, &s->word, FUTEX_WAIT, 5, NULL, NULL, 0);
}
ROW(syscall, NO_READY, .setup = NULL, .call = call_futex, .release = release_futex,
    .fail = fail_futex);

static long call_futex_bitset(struct st *s)
{
	FN(long, long, ...);
	struct timespec t = abs_time(s, CLOCK_MONOTONIC);
	return fn(SYS_futex, &s->word, FUTEX_WAIT_BITSET, 0, &t, NULL, ~0u);
}
static long fail_futex_bitset(struct st *s)
{
	FN(long, long, ...);
	return fn(SYS_futex, &s->word, FUTEX_WAIT_BITSET, 0, NULL, NULL, 0u);
}
ROW(syscall_futex_wait_bitset, TIMED | NO_READY, BY_NUMBER, .call = call_futex_bitset,
    .release = release_futex, .fail = fail_futex_bitset);

static long call_futex_waitv(struct st *s)
{
	FN(long, long, ...);
	/* struct futex_waitv, which headers of before Linux 5.16 lack; 2 is FUTEX_32. */
	struct {
		uint64_t val, uaddr;
		uint32_t flags, reserved;
	} v[2] = {
		{ .val = 0, .uaddr = (unsigned long)&s->flag, .flags = 2 },
		{ .val = 0, .uaddr = (unsigned long)&s->word, .flags = 2 },
	};
	return fn(SYS_futex_waitv, v, 2, 0, NULL, CLOCK_MONOTONIC);
}
static long fail_futex_waitv(struct st *s)
{
	FN(long, long, ...);
	return fn(SYS_futex_waitv, NULL, 0, 0, NULL, CLOCK_MONOTONIC);
}
ROW(syscall_futex_waitv, NO_READY, BY_NUMBER, .call = call_futex_waitv, .release = release_futex,
    .fail = fail_futex_waitv);

static void hold_pi(struct st *s)
{
	must(syscall(SYS_futex, &s->word, FUTEX_LOCK_PI, 0, NULL, NULL, 0) == 0, "LOCK_PI");
}
static void release_pi(struct st *s)
{
	must(syscall(SYS_futex, &s->word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0) == 0, "UNLOCK_PI");
}
static long call_lock_pi(struct st *s)
{
	FN(long, long, ...);
	long r = fn(SYS_futex, &s->word, FUTEX_LOCK_PI, 0, NULL, NULL, 0);
	s->extra = r == 0 && (s->word & FUTEX_TID_MASK) == s->tid;
	if (r == 0)
		syscall(SYS_futex, &s->word, FUTEX_UNLOCK_PI, 0, NULL, NULL, 0);
	return r;
}
static long fail_lock_pi(struct st *s)
{
	FN(long, long, ...);
	return fn(SYS_futex, &s->word, FUTEX_TRYLOCK_PI, 0, NULL, NULL, 0);
}
ROW(syscall_futex_lock_pi, 0, BY_NUMBER, .hold = hold_pi, .call = call_lock_pi,
    .release = release_pi, .fail = fail_lock_pi);

static long call_n_read(struct st *s)
{
	FN(long, long, ...);
	return fn(SYS_read, s->fd[0], s->buf, 1);
}
static long fail_n_read(struct st *s)
{
	FN(long, long, ...);
	return fn(SYS_read, -1, s->buf, 1);
}
ROW(syscall_read, 0, BY_NUMBER, .setup = setup_pipe, .call = call_n_read, .release = release_write,
    .fail = fail_n_read);

static long call_n_write(struct st *s)
{
	FN(long, long, ...);
	return fn(SYS_write, s->fd[1], s->buf, 10);
}
static long fail_n_write(struct st *s)
{
	FN(long, long, ...);
	return fn(SYS_write, -1, s->buf, 1);
}
ROW(syscall_write, 0, BY_NUMBER, .setup = setup_full_pipe, .call = call_n_write,
    .release = release_drain, .fail = fail_n_write);

static long call_n_recvfrom(struct st *s)
{
	FN(long, long, ...);
	return fn(SYS_recvfrom, s->fd[0], s->buf, 10, 0, NULL, NULL);
}
static long fail_n_recvfrom(struct st *s)
{
	FN(long, long, ...);
	return fn(SYS_recvfrom, -1, s->buf, 10, 0, NULL, NULL);
}
ROW(syscall_recvfrom, 0, BY_NUMBER, .setup = setup_pair, .call = call_n_recvfrom,
    .release = release_write, .fail = fail_n_recvfrom);

static long call_n_poll(struct st *s)
{
	FN(long, long, ...);
	struct pollfd p = { s->fd[0], POLLIN, 0 };
	return fn(SYS_poll, &p, 1, (int)(s->dur_ns / NS_PER_MS));
}
static long fail_n_poll(struct st *s)
{
	FN(long, long, ...);
	return fn(SYS_poll, 8L, 1, 1);
}
ROW(syscall_poll, TIMED, BY_NUMBER, .setup = setup_pipe, .call = call_n_poll,
    .release = release_write, .fail = fail_n_poll);

static long call_n_ppoll(struct st *s)
{
	FN(long, long, ...);
	struct pollfd p = { s->fd[0], POLLIN, 0 };
	struct timespec t = rel_time(s);
	int64_t began = now_ns();
	long r = fn(SYS_ppoll, &p, 1, &t, NULL, 8);
	s->extra = time_left(s, t, began);
	return r;
}
static long fail_n_ppoll(struct st *s)
{
	FN(long, long, ...);
	return fn(SYS_ppoll, 8L, 1, NULL, NULL, 8);
}
ROW(syscall_ppoll, TIMED, BY_NUMBER, .setup = setup_pipe, .call = call_n_ppoll,
    .release = release_write, .fail = fail_n_ppoll);

static void setup_n_epoll(struct st *s)
{
	struct epoll_event e = { .events = EPOLLIN };

	setup_pipe(s);
	s->fd[2] = epoll_create1(0);
	must(epoll_ctl(s->fd[2], EPOLL_CTL_ADD, s->fd[0], &e) == 0, "epoll_ctl");
}
static long call_n_epoll_wait(struct st *s)
{
	FN(long, long, ...);
	struct epoll_event e;
	return fn(SYS_epoll_wait, s->fd[2], &e, 1, -1);
}
static long fail_n_epoll_wait(struct st *s)
{
	FN(long, long, ...);
	return fn(SYS_epoll_wait, -1, s->buf, 1, 1);
}
ROW(syscall_epoll_wait, 0, BY_NUMBER, .setup = setup_n_epoll, .call = call_n_epoll_wait,
    .release = release_write, .fail = fail_n_epoll_wait);

static long call_n_nanosleep(struct st *s)
{
	FN(long, long, ...);
	struct timespec t = rel_time(s), left = NOTHING_SAID;
	int64_t began = now_ns();
	long r = fn(SYS_nanosleep, &t, &left);
	s->extra = time_left(s, left, began);
	return r;
}
static long fail_n_nanosleep(struct st *s)
{
	FN(long, long, ...);
	struct timespec t = { 0, -1 };
	return fn(SYS_nanosleep, &t, NULL);
}
ROW(syscall_nanosleep, SLEEP, BY_NUMBER, .call = call_n_nanosleep, .fail = fail_n_nanosleep);

static long call_n_wait4(struct st *s)
{
	FN(long, long, ...);
	int status = 0;
	long r = fn(SYS_wait4, s->child, &status, 0, NULL);
	s->extra = status;
	return r > 0 ? r == s->child : r;
}
static long fail_n_wait4(struct st *s)
{
	FN(long, long, ...);
	return fn(SYS_wait4, 1, NULL, 0, NULL);
}
ROW(syscall_wait4, 0, BY_NUMBER, .setup = setup_child, .call = call_n_wait4,
    .release = release_child, .fail = fail_n_wait4);

/* Numbers that never wait pass through bare, with all six arguments. */
static long call_n_getppid(struct st *s)
{
	FN(long, long, ...);
	char buf[4] = "";
	int fd = memfd_create("row", 0);
	pwrite(fd, "abcdef", 6, 0);
	s->extra = fn(SYS_pread64, fd, buf, 2, 3) * 1000 + buf[0];
	close(fd);
	return fn(SYS_getppid) == getppid();
}
static long fail_n_getppid(struct st *s)
{
	FN(long, long, ...);
	return fn(100000L, 1, 2, 3, 4, 5, 6);
}
ROW(syscall_bare, NOBLOCK, BY_NUMBER, .call = call_n_getppid, .fail = fail_n_getppid);

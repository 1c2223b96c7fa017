/* Rows: waiting for descriptors, time, signals and children. */
#include "tests/progs/preload/rows.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/wait.h"

static int dur_ms(struct st *s)
{
	return s->dur_ns / NS_PER_MS;
}

/* --- poll, select --- */

static long call_poll(struct st *s)
{
	FN(int, struct pollfd *, nfds_t, int);
	struct pollfd p = { s->fd[0], POLLIN, 0 };
	long r = fn(&p, 1, dur_ms(s));
	s->extra = p.revents;
	return r;
}
static long fail_poll(struct st *s)
{
	FN(int, struct pollfd *, nfds_t, int);
	return fn((void *)s->buf, 1u << 30, 1);
}
ROW(poll, POINT | TIMED, .setup = setup_pipe, .call = call_poll, .release = release_write,
    .fail = fail_poll);

static long call_poll_chk(struct st *s)
{
	FN(int, struct pollfd *, nfds_t, int, size_t);
	struct pollfd p = { s->fd[0], POLLIN, 0 };
	long r = fn(&p, 1, dur_ms(s), sizeof(p));
	s->extra = p.revents;
	return r;
}
static long fail_poll_chk(struct st *s)
{
	FN(int, struct pollfd *, nfds_t, int, size_t);
	return fn((void *)s->buf, 1u << 30, 1, -1);
}
ROW(__poll_chk, POINT | TIMED, .setup = setup_pipe, .call = call_poll_chk, .release = release_write,
    .fail = fail_poll_chk);

static long call_ppoll(struct st *s)
{
	FN(int, struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
	struct pollfd p = { s->fd[0], POLLIN, 0 };
	struct timespec t = rel_time(s);
	sigset_t mask;
	sigemptyset(&mask);
	sigaddset(&mask, SIGHUP);
	long r = fn(&p, 1, &t, &mask);
	s->extra = p.revents + time_changed(s, t);
	return r;
}
static long fail_ppoll(struct st *s)
{
	FN(int, struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);
	struct pollfd p = { s->fd[0], POLLIN, 0 };
	struct timespec t = { 0, -1 };
	return fn(&p, 1, &t, NULL);
}
ROW(ppoll, POINT | TIMED, .setup = setup_pipe, .call = call_ppoll, .release = release_write,
    .fail = fail_ppoll);

static long call_ppoll_chk(struct st *s)
{
	FN(int, struct pollfd *, nfds_t, const struct timespec *, const sigset_t *, size_t);
	struct pollfd p = { s->fd[0], POLLIN, 0 };
	struct timespec t = rel_time(s);
	long r = fn(&p, 1, &t, NULL, sizeof(p));
	s->extra = time_changed(s, t);
	return r;
}
static long fail_ppoll_chk(struct st *s)
{
	FN(int, struct pollfd *, nfds_t, const struct timespec *, const sigset_t *, size_t);
	struct pollfd p = { s->fd[0], POLLIN, 0 };
	struct timespec t = { 0, -1 };
	return fn(&p, 1, &t, NULL, sizeof(p));
}
ROW(__ppoll_chk, POINT | TIMED, .setup = setup_pipe, .call = call_ppoll_chk,
    .release = release_write, .fail = fail_ppoll_chk);

static long call_select(struct st *s)
{
	FN(int, int, fd_set *, fd_set *, fd_set *, struct timeval *);
	struct timeval t = { s->dur_ns / NS_PER_S, s->dur_ns % NS_PER_S / 1000 };
	fd_set r;
	FD_ZERO(&r);
	FD_SET(s->fd[0], &r);
	int64_t began = now_ns();
	long n = fn(s->fd[0] + 1, &r, NULL, NULL, &t);
	/* Linux counts the limit down in place. */
	s->extra = FD_ISSET(s->fd[0], &r) +
		   10 * time_left(s, (struct timespec){ t.tv_sec, t.tv_usec * 1000 }, began);
	return n;
}
static long fail_select(struct st *s)
{
	FN(int, int, fd_set *, fd_set *, fd_set *, struct timeval *);
	return fn(-1, NULL, NULL, NULL, NULL);
}
ROW(select, POINT | TIMED, .setup = setup_pipe, .call = call_select, .release = release_write,
    .fail = fail_select);

static long call_pselect(struct st *s)
{
	FN(int, int, fd_set *, fd_set *, fd_set *, const struct timespec *, const sigset_t *);
	struct timespec t = rel_time(s);
	fd_set r;
	FD_ZERO(&r);
	FD_SET(s->fd[0], &r);
	long n = fn(s->fd[0] + 1, &r, NULL, NULL, &t, NULL);
	s->extra = FD_ISSET(s->fd[0], &r) + time_changed(s, t);
	return n;
}
static long fail_pselect(struct st *s)
{
	FN(int, int, fd_set *, fd_set *, fd_set *, const struct timespec *, const sigset_t *);
	struct timespec t = { -1, 0 };
	return fn(0, NULL, NULL, NULL, &t, NULL);
}
ROW(pselect, POINT | TIMED, .setup = setup_pipe, .call = call_pselect, .release = release_write,
    .fail = fail_pselect);

static void setup_epoll(struct st *s)
{
	struct epoll_event e = { .events = EPOLLIN, .data.u32 = 42 };

	setup_pipe(s);
	s->fd[2] = epoll_create1(0);
	must(epoll_ctl(s->fd[2], EPOLL_CTL_ADD, s->fd[0], &e) == 0, "epoll_ctl");
}
static long call_epoll_wait(struct st *s)
{
	FN(int, int, struct epoll_event *, int, int);
	struct epoll_event e = { 0 };
	long r = fn(s->fd[2], &e, 1, dur_ms(s));
	s->extra = e.data.u32;
	return r;
}
static long fail_epoll_wait(struct st *s)
{
	FN(int, int, struct epoll_event *, int, int);
	struct epoll_event e;
	return fn(s->fd[0], &e, 1, 1);
}
ROW(epoll_wait, POINT | TIMED, .setup = setup_epoll, .call = call_epoll_wait,
    .release = release_write, .fail = fail_epoll_wait);

static long call_epoll_pwait(struct st *s)
{
	FN(int, int, struct epoll_event *, int, int, const sigset_t *);
	struct epoll_event e = { 0 };
	long r = fn(s->fd[2], &e, 1, dur_ms(s), NULL);
	s->extra = e.data.u32;
	return r;
}
static long fail_epoll_pwait(struct st *s)
{
	FN(int, int, struct epoll_event *, int, int, const sigset_t *);
	struct epoll_event e;
	return fn(s->fd[2], &e, 0, 1, NULL);
}
ROW(epoll_pwait, POINT | TIMED, .setup = setup_epoll, .call = call_epoll_pwait,
    .release = release_write, .fail = fail_epoll_pwait);

static long call_epoll_pwait2(struct st *s)
{
	FN(int, int, struct epoll_event *, int, const struct timespec *, const sigset_t *);
	struct epoll_event e = { 0 };
	struct timespec t = rel_time(s);
	long r = fn(s->fd[2], &e, 1, &t, NULL);
	s->extra = e.data.u32 + time_changed(s, t);
	return r;
}
static long fail_epoll_pwait2(struct st *s)
{
	FN(int, int, struct epoll_event *, int, const struct timespec *, const sigset_t *);
	struct epoll_event e;
	return fn(-1, &e, 1, NULL, NULL);
}
ROW(epoll_pwait2, POINT | TIMED, .setup = setup_epoll, .call = call_epoll_pwait2,
    .release = release_write, .fail = fail_epoll_pwait2);

/* --- sleeps --- */

static long call_nanosleep(struct st *s)
{
	FN(int, const struct timespec *, struct timespec *);
	struct timespec t = rel_time(s), left = NOTHING_SAID;
	int64_t began = now_ns();
	long r = fn(&t, &left);
	s->extra = time_left(s, left, began) + time_changed(s, t);
	return r;
}
static long fail_nanosleep(struct st *s)
{
	FN(int, const struct timespec *, struct timespec *);
	struct timespec t = { 0, -1 };
	return fn(&t, NULL);
}
ROW(nanosleep, POINT | SLEEP, .call = call_nanosleep, .fail = fail_nanosleep);
ROW(thrd_sleep, POINT | SLEEP, .call = call_nanosleep, .fail = fail_nanosleep);

static long call_clock_nanosleep(struct st *s)
{
	FN(int, clockid_t, int, const struct timespec *, struct timespec *);
	struct timespec t = abs_time(s, CLOCK_MONOTONIC), left = NOTHING_SAID;
	long r = fn(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, &left);
	/* A time of day has no rest. */
	s->extra = time_left(s, left, 0);
	return r;
}
static long call_clock_nanosleep_relative(struct st *s)
{
	FN(int, clockid_t, int, const struct timespec *, struct timespec *);
	struct timespec t = rel_time(s), left = NOTHING_SAID;
	int64_t began = now_ns();
	long r = fn(CLOCK_MONOTONIC, 0, &t, &left);
	s->extra = time_left(s, left, began) + time_changed(s, t);
	return r;
}
static long fail_clock_nanosleep(struct st *s)
{
	FN(int, clockid_t, int, const struct timespec *, struct timespec *);
	struct timespec t = { 0, 1 };
	return fn(CLOCK_THREAD_CPUTIME_ID, 0, &t, NULL);
}
ROW(clock_nanosleep, POINT | SLEEP, .call = call_clock_nanosleep, .fail = fail_clock_nanosleep);
ROW(clock_nanosleep_relative, POINT | SLEEP, .symbol = "clock_nanosleep",
    .call = call_clock_nanosleep_relative, .fail = fail_clock_nanosleep);

static long call_usleep(struct st *s)
{
	FN(int, useconds_t);
	return fn(s->dur_ns / 1000);
}
ROW(usleep, POINT | SLEEP, .call = call_usleep);

static long call_sleep(struct st *s)
{
	FN(unsigned, unsigned);
	unsigned time = (s->dur_ns + NS_PER_S - 1) / NS_PER_S;
	int64_t began = now_ns();
	unsigned left = fn(time);
	/* In whole seconds, rounded down. */
	if (left == 0)
		s->extra = LEFT_NOTHING;
	else if (left <= time && now_ns() - began + (left + 1) * NS_PER_S >= time * NS_PER_S)
		s->extra = LEFT_RIGHT;
	else
		s->extra = LEFT_WRONG;
	return 0;
}
ROW(sleep, POINT | SLEEP | SLOW, .call = call_sleep);

static long call_yield(struct st *s)
{
	FN(int, void);
	return fn();
}
static long call_yield_void(struct st *s)
{
	FN(void, void);
	fn();
	return 0;
}
ROW(sched_yield, NOBLOCK, .call = call_yield);
ROW(thrd_yield, NOBLOCK, .call = call_yield_void);
/* Only programs linked long ago can name it. */
extern int old_pthread_yield(void);
__asm__(".symver old_pthread_yield,pthread_yield@GLIBC_2.2.5");
ROW(pthread_yield, NOBLOCK, .address = (void *)old_pthread_yield, .call = call_yield);

/* --- signals: SIG_WAIT is blocked in the whole victim --- */

static void unblock_wait(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIG_WAIT);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
/* pause cannot unblock by itself; a signal before the pause would be lost, so these rows are
 * released only when the caller is seen in the kernel. */
static long call_pause(struct st *s)
{
	FN(int, void);
	unblock_wait();
	return fn();
}
ROW(pause, POINT | NO_READY, .setup = setup_signals, .call = call_pause, .release = release_signal);

static long call_sigsuspend(struct st *s)
{
	FN(int, const sigset_t *);
	sigset_t set;
	sigemptyset(&set);
	return fn(&set);
}
/* An address that the kernel refuses, and that nobody on the way may look at. */
#define NOWHERE ((sigset_t *)1)
static long fail_sigsuspend(struct st *s)
{
	FN(int, const sigset_t *);
	return fn(NOWHERE);
}
ROW(sigsuspend, POINT, .setup = setup_signals, .call = call_sigsuspend, .release = release_signal,
    .fail = fail_sigsuspend);

/* BSD: the argument is a mask of the first 32 signals, and sigpause unblocks all others. */
static long call_sigpause_mask(struct st *s)
{
	FN(int, int);
	return fn(0);
}
ROW(sigpause, POINT, .setup = setup_signals, .call = call_sigpause_mask, .release = release_signal);

static long call_xpg_sigpause(struct st *s)
{
	FN(int, int);
	return fn(SIG_WAIT);
}
static long fail_xpg_sigpause(struct st *s)
{
	FN(int, int);
	return fn(-1);
}
ROW(__xpg_sigpause, POINT, .setup = setup_signals, .call = call_xpg_sigpause,
    .release = release_signal, .fail = fail_xpg_sigpause);

static long call_sigpause2(struct st *s)
{
	FN(int, int, int);
	return fn(SIG_WAIT, 1);
}
static long fail_sigpause2(struct st *s)
{
	FN(int, int, int);
	return fn(-1, 1);
}
ROW(__sigpause, POINT, .setup = setup_signals, .call = call_sigpause2, .release = release_signal,
    .fail = fail_sigpause2);

static sigset_t wait_set(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIG_WAIT);
	return set;
}
static long call_sigwait(struct st *s)
{
	FN(int, const sigset_t *, int *);
	sigset_t set = wait_set();
	int sig = 0, r = fn(&set, &sig);
	s->extra = sig;
	return r;
}
static long fail_sigwait(struct st *s)
{
	FN(int, const sigset_t *, int *);
	int sig;
	return fn(NOWHERE, &sig);
}
ROW(sigwait, POINT, .setup = setup_signals, .call = call_sigwait, .release = release_signal,
    .fail = fail_sigwait);

static long call_sigwaitinfo(struct st *s)
{
	FN(int, const sigset_t *, siginfo_t *);
	sigset_t set = wait_set();
	siginfo_t i = { 0 };
	int r = fn(&set, &i);
	s->extra = i.si_signo;
	return r;
}
static long fail_sigwaitinfo(struct st *s)
{
	FN(int, const sigset_t *, siginfo_t *);
	return fn(NOWHERE, NULL);
}
ROW(sigwaitinfo, POINT, .setup = setup_signals, .call = call_sigwaitinfo, .release = release_signal,
    .fail = fail_sigwaitinfo);

static long call_sigtimedwait(struct st *s)
{
	FN(int, const sigset_t *, siginfo_t *, const struct timespec *);
	sigset_t set = wait_set();
	struct timespec t = rel_time(s);
	long r = fn(&set, NULL, &t);
	s->extra = time_changed(s, t);
	return r;
}
static long fail_sigtimedwait(struct st *s)
{
	FN(int, const sigset_t *, siginfo_t *, const struct timespec *);
	sigset_t set = wait_set();
	struct timespec t = { 0, -1 };
	return fn(&set, NULL, &t);
}
ROW(sigtimedwait, POINT | TIMED, .setup = setup_signals, .call = call_sigtimedwait,
    .release = release_signal, .fail = fail_sigtimedwait);

/* --- children --- */

static long waited(struct st *s, long r, int status)
{
	s->extra = status;
	return r > 0 ? r == s->child : r;
}
static long call_wait(struct st *s)
{
	FN(pid_t, int *);
	int status = 0;
	long r = fn(&status);
	return waited(s, r, status);
}
/* No child is left. */
static long fail_wait(struct st *s)
{
	FN(pid_t, int *);

	must(kill(s->child, SIGKILL) == 0, "kill");
	must(waitpid(s->child, NULL, 0) == s->child, "waitpid");
	return fn(NULL);
}
ROW(wait, POINT, .setup = setup_child, .call = call_wait, .release = release_child,
    .fail = fail_wait);

static long call_waitpid(struct st *s)
{
	FN(pid_t, pid_t, int *, int);
	int status = 0;
	long r = fn(s->child, &status, 0);
	return waited(s, r, status);
}
static long fail_waitpid(struct st *s)
{
	FN(pid_t, pid_t, int *, int);
	s->extra = fn(s->child, NULL, WNOHANG);
	return fn(1, NULL, 0);
}
ROW(waitpid, POINT, .setup = setup_child, .call = call_waitpid, .release = release_child,
    .fail = fail_waitpid);

static long call_wait3(struct st *s)
{
	FN(pid_t, int *, int, struct rusage *);
	struct rusage u;
	int status = 0;
	long r = fn(&status, 0, &u);
	return waited(s, r, status);
}
static long fail_wait3(struct st *s)
{
	FN(pid_t, int *, int, struct rusage *);
	return fn(NULL, 0x4000, NULL);
}
ROW(wait3, POINT, .setup = setup_child, .call = call_wait3, .release = release_child,
    .fail = fail_wait3);

static long call_wait4(struct st *s)
{
	FN(pid_t, pid_t, int *, int, struct rusage *);
	struct rusage u;
	int status = 0;
	long r = fn(-1, &status, 0, &u);
	return waited(s, r, status);
}
static long fail_wait4(struct st *s)
{
	FN(pid_t, pid_t, int *, int, struct rusage *);
	return fn(1, NULL, 0, NULL);
}
ROW(wait4, POINT, .setup = setup_child, .call = call_wait4, .release = release_child,
    .fail = fail_wait4);

static long call_waitid(struct st *s)
{
	FN(int, idtype_t, id_t, siginfo_t *, int);
	siginfo_t i = { 0 };
	int r = fn(P_PID, s->child, &i, WEXITED);
	s->extra = i.si_status;
	return r;
}
static long fail_waitid(struct st *s)
{
	FN(int, idtype_t, id_t, siginfo_t *, int);
	siginfo_t i;
	return fn(P_PID, 1, &i, WEXITED);
}
ROW(waitid, POINT, .setup = setup_child, .call = call_waitid, .release = release_child,
    .fail = fail_waitid);

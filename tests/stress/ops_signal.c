/*
 * Operations with signals and timers.
 *
 * Handlers do what handlers may: write to and read from a self-pipe that never blocks, post a
 * semaphore, count. All of them mask everything while they run, so none is torn by another. Each
 * counts itself in its thread (self.handlers), which is how an EINTR that nobody of ours caused
 * is found out. Real-time signals are queued, so every one sent must be handled, exactly.
 *
 * SIGCHLD and, with some seeds, an interval timer are for the whole process, and hit any thread.
 */
#include "stress.h"

#include <fcntl.h>
#include <poll.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>

#define SIG_READ (SIGRTMIN + 1)	 /* no SA_RESTART, alternate stack: reads the self-pipe */
#define SIG_POST (SIGRTMIN + 2)	 /* SA_RESTART: posts */
#define SIG_JUMP (SIGRTMIN + 3)	 /* no SA_RESTART: leaves a call by siglongjmp */
#define SIG_TIMER (SIGRTMIN + 4) /* timers of one thread */
#define SIG_WAIT (SIGRTMIN + 5)	 /* blocked and waited for */

_Atomic uint64_t shared_handlers;

static int selfpipe[2] = { -1, -1 };

static __thread volatile uintptr_t handler_sp;
static __thread volatile uint64_t timer_hits;

static void counted(bool hard)
{
	self.handlers++;
	if (hard)
		self.hard++;
	atomic_fetch_add_explicit(&page->signals, 1, memory_order_relaxed);
}

static void on_usr1(int sig)
{
	int e = errno;

	(void)sig;
	counted(true);
	if (write(selfpipe[1], "s", 1) == 1)
		gave(LAW_SELFPIPE, 1);
	errno = e;
}

static void on_usr2(int sig)
{
	int e = errno;

	(void)sig;
	counted(false);
	sig_post();
	errno = e;
}

static void on_read(int sig, siginfo_t *info, void *ctx)
{
	int e = errno;
	char buf[16];
	ssize_t n;

	(void)sig, (void)info, (void)ctx;
	counted(true);
	handler_sp = (uintptr_t)&n;
	took(LAW_RTSIG, 1);
	n = read(selfpipe[0], buf, sizeof(buf));
	if (n > 0)
		took(LAW_SELFPIPE, n);
	errno = e;
}

static void on_post(int sig, siginfo_t *info, void *ctx)
{
	int e = errno;

	(void)sig, (void)info, (void)ctx;
	counted(false);
	took(LAW_RTSIG, 1);
	sig_post();
	errno = e;
}

static void on_jump(int sig, siginfo_t *info, void *ctx)
{
	sigjmp_buf *to = self.jump;

	(void)sig, (void)ctx;
	counted(true);
	if (info->si_code != SI_TIMER)
		took(LAW_RTSIG, 1);
	if (!to)
		return;
	self.jump = NULL;
	siglongjmp(*to, 1);
}

static void on_timer(int sig)
{
	(void)sig;
	counted(false);
	timer_hits++;
}

static void on_process_soft(int sig)
{
	(void)sig;
	shared_handlers++;
	counted(false);
}

static void on_process_hard(int sig)
{
	(void)sig;
	shared_handlers++;
	counted(true);
}

static void install(int sig, void (*fn)(int), void (*fn3)(int, siginfo_t *, void *), int flags)
{
	struct sigaction sa = { .sa_flags = flags | (fn3 ? SA_SIGINFO : 0) };

	sigfillset(&sa.sa_mask);
	sigdelset(&sa.sa_mask, SIGSEGV);
	sigdelset(&sa.sa_mask, SIGABRT);
	if (fn3)
		sa.sa_sigaction = fn3;
	else
		sa.sa_handler = fn;
	MUST(sigaction(sig, &sa, NULL) == 0);
}

void signal_init(struct rng *r)
{
	bool hard = chance(r, 50);

	MUST(pipe2(selfpipe, O_CLOEXEC | O_NONBLOCK) == 0);
	install(SIGUSR1, on_usr1, NULL, 0);
	install(SIGUSR2, on_usr2, NULL, SA_RESTART);
	install(SIG_READ, NULL, on_read, SA_ONSTACK);
	install(SIG_POST, NULL, on_post, SA_RESTART);
	install(SIG_JUMP, NULL, on_jump, 0);
	install(SIG_TIMER, on_timer, NULL, SA_RESTART);
	install(SIGCHLD, hard ? on_process_hard : on_process_soft, NULL, hard ? 0 : SA_RESTART);
	hard = chance(r, 50);
	install(SIGALRM, hard ? on_process_hard : on_process_soft, NULL, hard ? 0 : SA_RESTART);
	if (chance(r, 25)) {
		unsigned us = within(r, 2000, 30000);
		struct itimerval it = { { 0, us }, { 0, us } };

		MUST(setitimer(ITIMER_REAL, &it, NULL) == 0);
	}
}

/* The workers are gone: nobody sends any more. */
void signal_settle(void)
{
	struct itimerval none = { { 0, 0 }, { 0, 0 } };
	char buf[256];
	ssize_t n;

	setitimer(ITIMER_REAL, &none, NULL);
	while ((n = read(selfpipe[0], buf, sizeof(buf))) > 0 || (n < 0 && errno == EINTR))
		if (n > 0)
			took(LAW_SELFPIPE, n);
}

/* ---- storms ---- */

void op_storm(struct rng *r)
{
	static const int kinds = 5;

	for (int n = within(r, 1, chance(r, 20) ? 30 : 4); n; n--) {
		switch (below(r, kinds)) {
		case 0:
			worker_kill(r, SIGUSR1);
			break;
		case 1:
			worker_kill(r, SIGUSR2);
			break;
		default: {
			int sig = SIG_READ + below(r, 3);

			if (worker_kill(r, sig))
				gave(LAW_RTSIG, 1);
		}
		}
		if (chance(r, 10))
			dawdle(r);
	}
	step();
}

void op_selfpipe(struct rng *r)
{
	char buf[64];
	ssize_t n;

	WAITX(poll(&(struct pollfd){ selfpipe[0], POLLIN, 0 }, 1, within(r, 0, 10)));
	n = WAIT(read(selfpipe[0], buf, sizeof(buf)));
	if (n > 0)
		took(LAW_SELFPIPE, n);
	else
		MUST(errno == EAGAIN);
}

/* ---- jumping out of a blocked read ---- */

static bool timer_for_me(timer_t *t, int sig, uint64_t first_ns, uint64_t every_ns)
{
	struct sigevent ev = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = sig };
	struct itimerspec its = { ts_of(every_ns), ts_of(first_ns) };

	ev._sigev_un._tid = syscall(SYS_gettid);
	if (timer_create(CLOCK_MONOTONIC, &ev, t))
		return false;
	MUST(timer_settime(*t, 0, &its, NULL) == 0);
	return true;
}

/* Reads the message unless a jump comes first. What the kernel copied before the jump counts. */
static void read_or_jump(int fd, volatile char *buf, int how)
{
	sigjmp_buf env;
	struct pollfd pfd = { fd, POLLIN, 0 };

	if (sigsetjmp(env, 1)) {
		int old;

		/* This libc leaves the thread asynchronously cancellable after such a jump. */
		pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &old);
		return;
	}
	self.jump = &env;
	atomic_signal_fence(memory_order_seq_cst);
	if (how == 0)
		WAIT(read(fd, (void *)buf, CHAN_MSG));
	else if (how == 1)
		WAIT(raw_read(fd, (void *)buf, CHAN_MSG));
	else if (WAITX(poll(&pfd, 1, 1)) == 1)
		WAIT(read(fd, (void *)buf, CHAN_MSG));
	atomic_signal_fence(memory_order_seq_cst);
	self.jump = NULL;
}

void op_jump(struct rng *r)
{
	struct chan *c = chan_driven_pipe(r);
	volatile char buf[CHAN_MSG];
	timer_t t;
	bool timed;
	int fd;

	if (!c)
		return;
	memset((void *)buf, 0, sizeof(buf));
	timed = timer_for_me(&t, SIG_JUMP, within(r, 10000, 2000000), 0);
	gave(LAW_JUMPS, 1);
	fd = chan_order(c);
	while (buf[0] == 0)
		read_or_jump(fd, buf, below(r, 3));
	took(LAW_JUMPS, 1);
	chan_accept(c, (void *)buf, CHAN_MSG);
	if (timed)
		timer_delete(t);
	step();
}

/* ---- accepting instead of handling ---- */

struct waiter {
	struct rng rng;
	sem_t ready;
	int want;
};

static int accept_one(const sigset_t *set, int how, int fd)
{
	siginfo_t info;
	struct signalfd_siginfo si;
	struct timespec ts = { 0, 5000000 };
	int sig = 0;

	switch (how) {
	case 0:
		MUST(sigwait(set, &sig) == 0);
		return sig;
	case 1:
		return WAITS(sigwaitinfo(set, &info));
	case 2:
		while ((sig = WAITS(sigtimedwait(set, &info, &ts))) < 0 && errno == EAGAIN)
			;
		return sig;
	default:
		return WAIT(read(fd, &si, sizeof(si))) == sizeof(si) ? (int)si.ssi_signo : -1;
	}
}

static void *waiter(void *arg)
{
	struct waiter *w = arg;
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIG_WAIT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	MUST(sem_post(&w->ready) == 0);
	for (int i = 0; i < w->want; i++) {
		int sig = accept_one(&set, below(&w->rng, fd < 0 ? 3 : 4), fd);

		if (sig == SIG_WAIT)
			took(LAW_SIGWAIT, 1);
		else
			bad("sigwait: got %d, errno %d", sig, errno);
		step();
	}
	close(fd);
	return NULL;
}

void op_sigwait(struct rng *r)
{
	struct waiter w = { .rng = derive(rnd(r), 8), .want = within(r, 1, 6) };
	pthread_t t;
	union sigval v = { .sival_int = 1 };

	sem_init(&w.ready, 0, 0);
	if (!spawn(&t, waiter, &w))
		return;
	MUST(WAIT(sem_wait(&w.ready)) == 0);
	for (int i = 0; i < w.want; i++) {
		int rc;

		dawdle(r);
		while ((rc = pthread_sigqueue(t, SIG_WAIT, v)) == EAGAIN)
			nap(1000000);
		MUST(rc == 0);
		gave(LAW_SIGWAIT, 1);
	}
	join(t);
}

/* ---- timers ---- */

void op_timer(struct rng *r)
{
	timer_t t;

	timer_hits = 0;
	if (!timer_for_me(&t, SIG_TIMER, 1000000, within(r, 300000, 3000000)))
		return;
	gave(LAW_TIMERS, 1);
	nap(within(r, 3000000, 15000000));
	timer_delete(t);
	if (timer_hits)
		took(LAW_TIMERS, 1);
	step();
}

static void timer_called(union sigval v)
{
	took(LAW_TIMERS, 1);
	MUST(sem_post(v.sival_ptr) == 0);
}

/* libc makes the thread for this one, past everybody who counts threads. */
void op_timer_thread(struct rng *r)
{
	sem_t done;
	struct sigevent ev = { .sigev_notify = SIGEV_THREAD };
	struct itimerspec its = { { 0, 0 }, ts_of(within(r, 1000, 5000000)) };
	timer_t t;

	sem_init(&done, 0, 0);
	ev.sigev_notify_function = timer_called;
	ev.sigev_value.sival_ptr = &done;
	if (timer_create(CLOCK_MONOTONIC, &ev, &t))
		return;
	gave(LAW_TIMERS, 1);
	MUST(timer_settime(t, 0, &its, NULL) == 0);
	MUST(WAIT(sem_wait(&done)) == 0);
	timer_delete(t);
}

/* ---- a handler on its own stack ---- */

void op_altstack(struct rng *r)
{
	size_t size = 64 * 1024;
	char *mem = malloc(size);
	stack_t ss = { .ss_sp = mem, .ss_size = size }, off = { .ss_flags = SS_DISABLE };

	if (!mem)
		return;
	MUST(sigaltstack(&ss, NULL) == 0);
	for (int n = within(r, 1, 3); n; n--) {
		handler_sp = 0;
		if (pthread_kill(pthread_self(), SIG_READ))
			continue;
		gave(LAW_RTSIG, 1);
		if (handler_sp < (uintptr_t)mem || handler_sp >= (uintptr_t)mem + size)
			bad("altstack: handler ran at %lx, stack is %p", (long)handler_sp, mem);
		dawdle(r);
	}
	MUST(sigaltstack(&off, NULL) == 0);
	free(mem);
	step();
}

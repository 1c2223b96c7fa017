/*
 * Victim: `asleep KIND`: a program whose threads all wait, for ever or not quite.  Those that wait
 * for ever are dead and must be called so; the others must not.  Says "ready" before; what lives
 * ends by itself some seconds later and says "alive".
 */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/support/unseen.h"
#include "tests/support/wait.h"

#define LONG_NS 2500000000l /* more than it takes to be called dead */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER, other = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier, start;
static sem_t sem;
static pthread_t main_thread, second;

static struct timespec later(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	ts.tv_sec += LONG_NS / 1000000000;
	ts.tv_nsec += LONG_NS % 1000000000;
	ts.tv_sec += ts.tv_nsec / 1000000000;
	ts.tv_nsec %= 1000000000;
	return ts;
}

/* ---- dead: main and a second thread, both for ever ---- */

static void locks(int i)
{
	pthread_mutex_lock(i ? &mutex : &other);
	pthread_barrier_wait(&start);
	pthread_mutex_lock(i ? &other : &mutex);
}

static void conds(int i)
{
	pthread_mutex_lock(i ? &mutex : &other);
	pthread_cond_wait(&cond, i ? &mutex : &other);
}

static void sems(int i)
{
	sem_wait(&sem);
}

static void barriers(int i)
{
	pthread_barrier_wait(&barrier);
}

static void rwlocks(int i)
{
	if (i)
		pthread_rwlock_rdlock(&rwlock);
	pthread_barrier_wait(&start);
	pthread_rwlock_wrlock(&rwlock);
}

static void joins(int i)
{
	pthread_join(i ? main_thread : second, NULL);
}

static void main_ends(int i)
{
	if (!i)
		pthread_exit(NULL);
	pthread_mutex_lock(&mutex);
	pthread_mutex_lock(&mutex);
}

/* ---- alive: the second thread waits for ever, main does this ---- */

static void timed_mutex(int i)
{
	struct timespec ts = later(CLOCK_REALTIME);

	if (i)
		sems(i);
	pthread_mutex_lock(&mutex);
	pthread_mutex_timedlock(&mutex, &ts);
}

static void timed_cond(int i)
{
	struct timespec ts = later(CLOCK_REALTIME);

	if (i)
		sems(i);
	pthread_mutex_lock(&mutex);
	pthread_cond_timedwait(&cond, &mutex, &ts);
}

static void timed_sem(int i)
{
	struct timespec ts = later(CLOCK_REALTIME);

	if (i)
		sems(i);
	sem_timedwait(&sem, &ts);
}

static void naps(int i)
{
	struct timespec ts = { LONG_NS / 1000000000, LONG_NS % 1000000000 };

	if (i)
		sems(i);
	nanosleep(&ts, NULL);
}

static void on_alarm(int sig)
{
	sem_post(&sem);
}

/* Both wait for ever, but for a handler. */
static void handler(int i)
{
	const struct itimerspec at = { .it_value = { LONG_NS / 1000000000, LONG_NS % 1000000000 } };
	timer_t timer;

	if (i)
		barriers(i);
	signal(SIGALRM, on_alarm);
	timer_create(CLOCK_MONOTONIC, NULL, &timer);
	timer_settime(timer, 0, &at, NULL);
	sem_wait(&sem);
}

static void sigwaits(int i)
{
	const struct itimerspec at = { .it_value = { LONG_NS / 1000000000, LONG_NS % 1000000000 } };
	timer_t timer;
	sigset_t set;
	int sig;

	if (i)
		barriers(i);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	timer_create(CLOCK_MONOTONIC, NULL, &timer);
	timer_settime(timer, 0, &at, NULL);
	sigwait(&set, &sig);
}

/* A child posts what both wait for. */
static void shared(int i)
{
	struct timespec ts = { LONG_NS / 1000000000, LONG_NS % 1000000000 };
	sem_t *s;

	if (i)
		barriers(i);
	s = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	sem_init(s, 1, 0);
	if (fork() == 0) {
		nanosleep(&ts, NULL);
		sem_post(s);
		_exit(0);
	}
	sem_wait(s);
}

/* The other thread is no thread of pthread_create's making: libc's, for a timer. */
static void expires(union sigval value)
{
	sem_post(&sem);
}

static void timer_thread(int i)
{
	const struct itimerspec at = { .it_value = { LONG_NS / 1000000000, LONG_NS % 1000000000 } };
	struct sigevent event = { .sigev_notify = SIGEV_THREAD };
	timer_t timer;

	if (i)
		barriers(i);
	event.sigev_notify_function = expires;
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &at, NULL);
	sem_wait(&sem);
}

static void computes(int i)
{
	int64_t end = now_ns() + LONG_NS;

	if (i)
		barriers(i);
	while (now_ns() < end)
		;
}

/* A wait that is not intercepted. */
static void futexes(int i)
{
	const struct timespec ts = { LONG_NS / 1000000000, LONG_NS % 1000000000 };
	static int word;

	if (i)
		barriers(i);
	unseen(SYS_futex, (long)&word, 128, 0, (long)&ts);
}

/* ---- */

static const struct kind {
	const char *name;
	void (*body)(int);
} kinds[] = {
	{ "locks", locks },
	{ "conds", conds },
	{ "sems", sems },
	{ "barriers", barriers },
	{ "rwlocks", rwlocks },
	{ "joins", joins },
	{ "main_ends", main_ends },
	{ "timed_mutex", timed_mutex },
	{ "timed_cond", timed_cond },
	{ "timed_sem", timed_sem },
	{ "naps", naps },
	{ "handler", handler },
	{ "sigwaits", sigwaits },
	{ "shared", shared },
	{ "timer_thread", timer_thread },
	{ "computes", computes },
	{ "futexes", futexes },
};

static void *in_second(void *arg)
{
	const struct kind *k = arg;

	k->body(1);
	return NULL;
}

int main(int argc, char **argv)
{
	const struct kind *k = kinds;

	while (argc > 1 && strcmp(k->name, argv[1]) != 0)
		if (++k == kinds + sizeof(kinds) / sizeof(kinds[0]))
			die("no kind '%s'", argv[1]);
	main_thread = pthread_self();
	sem_init(&sem, 0, 0);
	pthread_barrier_init(&start, NULL, 2);
	pthread_barrier_init(&barrier, NULL, 3);
	puts("ready");
	fflush(stdout);
	pthread_create(&second, NULL, in_second, (void *)k);
	k->body(0);
	puts("alive");
	fflush(stdout);
	_exit(0);
}

/*
 * The P's way from a thread that blocks to one that waits for it.  The waker makes the sleeper
 * runnable, gives it the time to queue, notes the clock and blocks; the sleeper reads the clock
 * when it runs.  Natively there is no P; run.py then gives both one CPU.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/bench.h"

enum { WAKER, SLEEPER };
static int pipes[2][2]; /* read end first; named after who reads */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int signalled;	 /* under mutex */
static uint64_t left_ns; /* written before the pipe, read after it */
static struct samples lateness;

static void get(int who)
{
	char c;

	must_be(read(pipes[who][0], &c, 1) == 1, "read");
}

static void put(int who)
{
	must_be(write(pipes[who][1], "", 1) == 1, "write");
}

static void by_nanosleep(void)
{
	sleep_ns(1000000);
	get(WAKER);
}

static void by_cond(void)
{
	pthread_mutex_lock(&mutex);
	while (!signalled)
		pthread_cond_wait(&cond, &mutex);
	signalled = 0;
	pthread_mutex_unlock(&mutex);
	get(WAKER);
}

static void by_poll(void)
{
	struct pollfd p = { .fd = pipes[WAKER][0], .events = POLLIN };

	poll(&p, 1, 1000);
	get(WAKER);
}

static void by_read(void)
{
	get(WAKER);
}

static void by_unseen_read(void)
{
	char c;
	long n;

	__asm__ volatile("syscall"
			 : "=a"(n)
			 : "a"(SYS_read), "D"(pipes[WAKER][0]), "S"(&c), "d"(1L)
			 : "rcx", "r11", "memory");
	must_be(n == 1, "read");
}

static void *sleeper(void *arg)
{
	for (;;) {
		get(SLEEPER);
		uint64_t now = now_ns(), left = __atomic_load_n(&left_ns, __ATOMIC_ACQUIRE);

		sample(&lateness, left && now > left ? (double)(now - left) / 1e3 : 0);
		pthread_mutex_lock(&mutex);
		signalled = 1;
		pthread_cond_signal(&cond);
		pthread_mutex_unlock(&mutex);
		put(WAKER);
	}
	return NULL;
}

static void measure(const char *name, void (*block)(void), uint64_t burn, double seconds)
{
	lateness.n = 0;
	for (uint64_t end = now_ns() + (uint64_t)(seconds * 1e9); now_ns() < end;) {
		burn_ns(burn);
		signalled = 0; /* the sleeper waits for us */
		__atomic_store_n(&left_ns, 0, __ATOMIC_RELEASE);
		put(SLEEPER);
		burn_ns(30000); /* it wakes and queues meanwhile */
		__atomic_store_n(&left_ns, now_ns(), __ATOMIC_RELEASE);
		block();
	}
	figure_samples(name, "us", &lateness);
}

int main(void)
{
	question("How long until a waiting thread runs when the only P's holder blocks?");
	must_be(pipe(pipes[0]) == 0 && pipe(pipes[1]) == 0, "pipe");
	start(sleeper, NULL);
	sleep_ns(20000000);
	measure("read_hot", by_read, 0, effort(3));
	measure("read_cold", by_read, 40000000, effort(12));
	measure("nanosleep", by_nanosleep, 0, effort(3));
	measure("cond", by_cond, 0, effort(3));
	measure("poll", by_poll, 0, effort(3));
	measure("unseen", by_unseen_read, 0, effort(3));
	_exit(0);
}

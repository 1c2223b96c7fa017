/*
 * Small things: time, delays, CPU bursts, files, a read that nobody can intercept.
 *
 * burn() is a loop of arithmetic calibrated once, so that a burst of n microseconds makes no call
 * and no kernel entry at all: only a preemption can take the CPU (or the P) from it.
 */
#include "stress.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <threads.h>

#include "tests/support/unseen.h"

static uint64_t turns_per_us = 100;
static _Atomic int burners;
static int burners_max = 6;

uint64_t clock_ns(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

uint64_t now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

struct timespec ts_of(uint64_t ns)
{
	return (struct timespec){ ns / 1000000000, ns % 1000000000 };
}

static void spin_turns(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		__asm__ volatile("" : "+r"(i));
}

/* The best of several: a loaded machine only ever makes the loop look slower than it is. */
void burn_calibrate(void)
{
	uint64_t best = ~0ull;

	for (int i = 0; i < 5; i++) {
		uint64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID), took_ns;

		spin_turns(200000);
		took_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID) - start;
		if (took_ns && took_ns < best)
			best = took_ns;
	}
	turns_per_us = 200000 * 1000ull / best + 1;
}

void burn(unsigned us)
{
	spin_turns(us * turns_per_us);
}

bool burn_begin(struct rng *r)
{
	if (atomic_fetch_add(&burners, 1) < burners_max)
		return true;
	atomic_fetch_sub(&burners, 1);
	nap(within(r, 50000, 1000000));
	return false;
}

void burn_end(void)
{
	atomic_fetch_sub(&burners, 1);
}

void not_early(uint64_t start_ns, uint64_t want_ns, const char *what)
{
	uint64_t took_ns = now_ns() - start_ns;

	if (took_ns < want_ns)
		bad("%s came back after %llu ns of %llu", what, (unsigned long long)took_ns,
		    (unsigned long long)want_ns);
}

static void nap_relative(uint64_t ns, int how)
{
	struct timespec ts = ts_of(ns), rem = { 0, 0 };

	for (;;) {
		struct mark m = mark();
		int rc;

		if (how == 0) {
			rc = nanosleep(&ts, &rem) ? errno : 0;
		} else if (how == 1) {
			rc = clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, &rem);
		} else {
			rc = thrd_sleep(&ts, &rem);
			rc = rc == -1 ? EINTR : rc;
		}
		if (rc != EINTR) {
			MUST(rc == 0);
			return;
		}
		eintr_seen(m, EINTR_HANDLER, "nanosleep");
		ts = rem;
	}
}

void nap(uint64_t ns)
{
	uint64_t start = now_ns(), end = start + ns;
	int how = below(&self.rng, 6);

	if (how < 3) {
		nap_relative(ns, how);
	} else if (how == 3) {
		struct timespec ts = ts_of(end);
		struct mark m = mark();
		int rc;

		while ((rc = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL)) == EINTR) {
			eintr_seen(m, EINTR_HANDLER, "clock_nanosleep");
			m = mark();
		}
		MUST(rc == 0);
	} else {
		for (uint64_t now = start; now < end; now = now_ns()) {
			uint64_t left = end - now;
			struct timeval tv = { left / 1000000000, left % 1000000000 / 1000 + 1 };
			struct mark m = mark();
			int rc = how == 4 ? usleep(left / 1000 + 1)
					  : select(0, NULL, NULL, NULL, &tv);

			if (rc < 0 && errno == EINTR)
				eintr_seen(m, EINTR_HANDLER, "usleep or select");
		}
	}
	step();
	not_early(start, ns, "sleep");
}

void dawdle(struct rng *r)
{
	unsigned x = below(r, 100);

	if (x < 45)
		return;
	if (x < 65)
		sched_yield();
	else if (x < 80)
		burn(within(r, 1, 200));
	else if (x < 95)
		nap(within(r, 1000, 2000000));
	else if (x < 99)
		nap(within(r, 2000000, 15000000));
	else
		burn(within(r, 1000, 12000));
}

int scratch_file(int flags)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/fileXXXXXX", page->dir);
	fd = mkostemp(path, O_CLOEXEC | flags);
	if (fd >= 0)
		unlink(path);
	return fd;
}

ssize_t raw_read(int fd, void *buf, size_t n)
{
	long ax = unseen(SYS_read, fd, (long)buf, (long)n, 0);

	if (ax < 0 && ax > -4096) {
		errno = -ax;
		return -1;
	}
	return ax;
}

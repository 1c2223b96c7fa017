/* Victim: programs that block SIGURG, which the library preempts with, and fetch their own.  Theirs
 * stays pending until it is fetched, and ours does not take its place.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/progs/preload/cases.h"
#include "tests/support/wait.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* sighold and its kin */

static struct hog hog;

static void by_sigmask(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGURG);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void by_sighold(void)
{
	check(sighold(SIGURG) == 0, "sighold");
}

static void by_sigblock(void)
{
	sigblock(1 << (SIGURG - 1));
}

/* All blocked, and none named but to fetch it. */
static void block_all(void)
{
	sigset_t set;

	sigfillset(&set);
	pthread_sigmask(SIG_SETMASK, &set, NULL);
}

static const sigset_t *only_urg(void)
{
	static sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGURG);
	return &set;
}

static void by_fetching(void)
{
	struct timespec none = { 0, 0 };

	block_all();
	check(sigtimedwait(only_urg(), NULL, &none) == -1, "none is pending");
}

static void by_fetching_by_number(void)
{
	struct timespec none = { 0, 0 };

	block_all();
	check(syscall(SYS_rt_sigtimedwait, only_urg(), NULL, &none, 8) == -1, "none is pending");
}

static void by_descriptor(void)
{
	block_all();
	check(signalfd(-1, only_urg(), 0) >= 0, "signalfd");
}

static void *waits_for_urg(void *block)
{
	sigset_t set, pending;
	siginfo_t info;

	sigemptyset(&set);
	sigaddset(&set, SIGURG);
	((void (*)(void))block)();
	for (int i = 0; i < 5; i++) {
		sigpending(&pending);
		printf("pending before: %d", sigismember(&pending, SIGURG));
		/* Long enough for preemptions to be wanted. */
		int64_t end = thread_cpu_ns() + 15 * NS_PER_MS;
		while (thread_cpu_ns() < end)
			;
		pthread_kill(pthread_self(), SIGURG);
		sigpending(&pending);
		printf(" after: %d", sigismember(&pending, SIGURG));
		printf(" fetched: %d", sigwaitinfo(&set, &info) == SIGURG);
		printf(" from us: %d\n", info.si_pid == getpid());
	}
	return NULL;
}

static void case_held(void)
{
	hog_start(&hog);
	join(spawn(waits_for_urg, (void *)by_sighold));
	join(spawn(waits_for_urg, (void *)by_sigblock));
	hog_stop(&hog);
}

static void fetch_beside_hog(void (*block)(void))
{
	hog_start(&hog);
	join(spawn(waits_for_urg, (void *)block));
	hog_stop(&hog);
}

static void case_blocked(void)
{
	fetch_beside_hog(by_sigmask);
}

static void case_by_waiting(void)
{
	fetch_beside_hog(by_fetching);
}

static void case_by_number(void)
{
	fetch_beside_hog(by_fetching_by_number);
}

static void case_by_descriptor(void)
{
	fetch_beside_hog(by_descriptor);
}

/* The first SIGURG comes before the program has named any. */
static void case_unnamed(void)
{
	fetch_beside_hog(block_all);
}

static void block_all_by_number(void)
{
	unsigned long all = ~0ul;

	check(syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, sizeof(all)) == 0, "mask");
}

static void case_unnamed_by_number(void)
{
	fetch_beside_hog(block_all_by_number);
}

static void *jumps_into_it(void *arg)
{
	sigset_t none, pending;
	static sigjmp_buf blocked;
	static int jumps, late;

	block_all();
	sigemptyset(&none);
	if (sigsetjmp(blocked, 1)) {
		sigpending(&pending);
		late += sigismember(&pending, SIGURG);
	}
	if (jumps++ < 200000) {
		pthread_sigmask(SIG_SETMASK, &none, NULL);
		siglongjmp(blocked, 1);
	}
	printf("pending after a jump: %d times\n", late);
	return NULL;
}

/* The mask comes by a jump, again and again. */
static void case_unnamed_by_jump(void)
{
	hog_start(&hog);
	join(spawn(jumps_into_it, NULL));
	hog_stop(&hog);
}

static const struct a_case cases[] = {
	{ "unnamed", case_unnamed },
	{ "unnamed_by_number", case_unnamed_by_number },
	{ "unnamed_by_jump", case_unnamed_by_jump },
	{ "blocked", case_blocked },
	{ "held", case_held },
	{ "by_waiting", case_by_waiting },
	{ "by_number", case_by_number },
	{ "by_descriptor", case_by_descriptor },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	run_named_case(cases, argc, argv);
	return 0;
}

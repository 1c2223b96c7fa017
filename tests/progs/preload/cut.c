/* Victim: calls with a limit of time, that no library sees, begin where slices end.  Each is the
 * first of its thread, so nobody knows that one yet for a sleeper.  None is over before its time,
 * but by what it waits for, or by a handler of the program's own.
 */
#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tests/progs/preload/cases.h"
#include "tests/support/task.h"
#include "tests/support/unseen.h"
#include "tests/support/wait.h"

enum { HOGS = 3, SLEEPERS = 8, WAVES = 30, SHORT_NS = 300000, STEPS = 73, STEP_NS = 7000 };

struct sleeper {
	pthread_t thread;
	const struct kind *kind;
	int nr; /* of all there have been */
	struct timespec time;
	int pipe[2], word; /* what it waits for */
	volatile pid_t tid;
	volatile int over, handled;
	long got, lasted_ns;
	void *result;
};

/* --- the calls --- */

static long call_nanosleep(struct sleeper *s)
{
	return unseen(SYS_nanosleep, (long)&s->time, 0, 0, 0);
}

static long call_clock_nanosleep(struct sleeper *s)
{
	return unseen(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, (long)&s->time, 0);
}

static long call_poll(struct sleeper *s)
{
	struct pollfd fd = { .fd = s->pipe[0], .events = POLLIN };
	long ms = s->time.tv_sec * 1000 + (s->time.tv_nsec + NS_PER_MS - 1) / NS_PER_MS;

	return unseen(SYS_poll, (long)&fd, 1, ms, 0);
}

static void wake_poll(struct sleeper *s)
{
	put(s->pipe[1]);
}

static long call_futex(struct sleeper *s)
{
	return unseen(SYS_futex, (long)&s->word, FUTEX_WAIT_PRIVATE, 0, (long)&s->time);
}

static void wake_futex(struct sleeper *s)
{
	s->word = 1;
	unseen(SYS_futex, (long)&s->word, FUTEX_WAKE_PRIVATE, 1, 0);
}

static const struct kind {
	const char *name;
	int nr;
	long (*call)(struct sleeper *s);
	long timed_out;
	void (*wake)(struct sleeper *s);
	long woken;
} kinds[] = {
	{ "nanosleep", SYS_nanosleep, call_nanosleep, 0, NULL, 0 },
	{ "clock_nanosleep", SYS_clock_nanosleep, call_clock_nanosleep, 0, NULL, 0 },
	{ "poll", SYS_poll, call_poll, 0, wake_poll, 1 },
	{ "futex", SYS_futex, call_futex, -ETIMEDOUT, wake_futex, 0 },
};
enum { WOKEN = 2, KINDS = sizeof(kinds) / sizeof(kinds[0]) }; /* from there on they can be */

/* --- waves of them --- */

static __thread struct sleeper *self;
static __thread sigjmp_buf out;

/* So that slices end at each step of the way into the call. */
static void compute(int nr)
{
	int64_t until = thread_cpu_ns() + nr % STEPS * STEP_NS;

	while (thread_cpu_ns() < until)
		;
}

static void *sleeps(void *arg)
{
	struct sleeper *s = self = arg;
	int64_t began;

	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
	compute(s->nr);
	began = now_ns();
	s->tid = (pid_t)unseen(SYS_gettid, 0, 0, 0, 0);
	if (sigsetjmp(out, 1) == 0)
		s->got = s->kind->call(s);
	s->lasted_ns = now_ns() - began;
	s->over = 1;
	return NULL;
}

static void wave(struct sleeper *all, const struct kind *kind, long ns, int first,
		 void (*meanwhile)(struct sleeper *s))
{
	for (int i = 0; i < SLEEPERS; i++) {
		struct sleeper *s = &all[i];

		*s = (struct sleeper){ .kind = kind, .nr = first + i };
		s->time = (struct timespec){ ns / NS_PER_S, ns % NS_PER_S };
		make_pipe(s->pipe);
		s->thread = spawn(sleeps, s);
	}
	for (int i = 0; i < SLEEPERS; i++) {
		if (meanwhile)
			meanwhile(&all[i]);
		all[i].result = join(all[i].thread);
		close(all[i].pipe[0]);
		close(all[i].pipe[1]);
	}
}

/* How many of each kind, from the first on, did not end as they should. */
static void waves(int first, int n, long ns, void (*meanwhile)(struct sleeper *s),
		  bool (*is_wrong)(const struct sleeper *s))
{
	struct hog hogs[HOGS];
	struct sleeper all[SLEEPERS];
	int wrong[KINDS] = { 0 };

	for (int i = 0; i < HOGS; i++)
		hog_start(&hogs[i]);
	for (int w = 0; w < n; w++)
		for (int k = first; k < KINDS; k++) {
			wave(all, &kinds[k], ns, w * SLEEPERS, meanwhile);
			for (int i = 0; i < SLEEPERS; i++)
				wrong[k] += is_wrong(&all[i]);
		}
	for (int i = 0; i < HOGS; i++)
		hog_stop(&hogs[i]);
	for (int k = first; k < KINDS; k++)
		printf("%s: %d wrong\n", kinds[k].name, wrong[k]);
}

/* --- to their end --- */

static bool not_timed_out(const struct sleeper *s)
{
	return s->got != s->kind->timed_out || s->lasted_ns < s->time.tv_nsec;
}

static void case_to_their_end(void)
{
	waves(0, WAVES, SHORT_NS, NULL, not_timed_out);
}

/* --- until something happens --- */

enum { FEW_WAVES = 15 };
#define LONG_NS (6 * DEADLINE_NS)

static bool asleep_or_over(void *arg)
{
	struct sleeper *s = arg;
	struct task_syscall in;

	if (s->over)
		return true;
	if (!s->tid)
		return false;
	task_read_syscall(getpid(), s->tid, &in);
	if (in.nr == SYS_futex && in.arg[0] != (unsigned long)&s->word)
		return false; /* the library's */
	return in.nr == s->kind->nr || in.nr == SYS_restart_syscall;
}

static void wake(struct sleeper *s)
{
	must_reach("a thread to sleep", asleep_or_over, s);
	s->kind->wake(s);
}

static bool not_woken(const struct sleeper *s)
{
	return s->got != s->kind->woken;
}

static void case_until_they_are_woken(void)
{
	waves(WOKEN, 2 * FEW_WAVES, LONG_NS, wake, not_woken);
}

/* --- until a handler has run --- */

/* Of numbers below and above ours. */
static const int signals[] = { SIGALRM, SIGPROF, 0 /* SIGRTMIN */ };
enum { SIGNALS = sizeof(signals) / sizeof(signals[0]) };

static int signal_of(const struct sleeper *s)
{
	int sig = signals[s->nr % SIGNALS];

	return sig ? sig : SIGRTMIN;
}

static void handler(int sig)
{
	self->handled++;
}

static void jumps_out(int sig)
{
	self->handled++;
	self->got = -EINTR;
	siglongjmp(out, 1);
}

static void handle(void (*by)(int))
{
	struct sigaction act = { .sa_handler = by };

	sigaction(SIGPROF, &act, NULL);
	act.sa_flags = SA_RESTART;
	sigaction(SIGRTMIN, &act, NULL);
	sigfillset(&act.sa_mask);
	sigaction(SIGALRM, &act, NULL);
}

static void send(struct sleeper *s)
{
	must_reach("a thread to sleep", asleep_or_over, s);
	if (!s->over)
		pthread_kill(s->thread, signal_of(s));
}

static bool not_interrupted(const struct sleeper *s)
{
	return s->got != -EINTR || s->handled != 1;
}

static void case_until_a_handler_has_run(void)
{
	handle(handler);
	waves(0, FEW_WAVES, LONG_NS, send, not_interrupted);
}

static void case_until_a_handler_jumps_out(void)
{
	handle(jumps_out);
	waves(0, FEW_WAVES, LONG_NS, send, not_interrupted);
}

/* --- until they are cancelled --- */

static void cancel(struct sleeper *s)
{
	must_reach("a thread to sleep", asleep_or_over, s);
	if (!s->over)
		pthread_cancel(s->thread);
}

static bool not_cancelled(const struct sleeper *s)
{
	return s->result != PTHREAD_CANCELED;
}

static void case_until_they_are_cancelled(void)
{
	waves(0, FEW_WAVES, LONG_NS, cancel, not_cancelled);
}

static const struct a_case cases[] = {
	{ "to_their_end", case_to_their_end },
	{ "until_they_are_woken", case_until_they_are_woken },
	{ "until_a_handler_has_run", case_until_a_handler_has_run },
	{ "until_a_handler_jumps_out", case_until_a_handler_jumps_out },
	{ "until_they_are_cancelled", case_until_they_are_cancelled },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	run_named_case(cases, argc, argv);
	return 0;
}

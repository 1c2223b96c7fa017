/* Victim: a handler changes to another context of its thread, which makes calls of its own, while
 * the thread is parked for a P or blocked in a call; then the handler, and what it interrupted, go
 * on.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/progs/preload/cases.h"
#include "tests/support/wait.h"

enum { HOGS = 4, ROUNDS = 40, STACK = 1 << 16 };

static volatile int stop, errands;
static int fd[2];

/* Of one thread. */
static struct worker {
	pthread_t thread;
	ucontext_t handler, other;
	char *stack;
	volatile int progress;
	volatile pid_t tid;
} workers[HOGS];
static __thread struct worker *self;

/* Runs on its own stack, a round at a time. */
static void other_context(void)
{
	for (;;) {
		struct timespec ts = { 0, 300000 };

		nanosleep(&ts, NULL);
		__atomic_add_fetch(&errands, 1, __ATOMIC_ACQ_REL);
		check(swapcontext(&self->other, &self->handler) == 0, "swapcontext");
	}
}

static void changes(int sig)
{
	int saved = errno;

	check(swapcontext(&self->handler, &self->other) == 0, "swapcontext");
	errno = saved;
}

static void begin(struct worker *w)
{
	self = w;
	check(getcontext(&w->other) == 0, "getcontext");
	w->other.uc_stack.ss_sp = w->stack;
	w->other.uc_stack.ss_size = STACK;
	makecontext(&w->other, other_context, 0);
	w->tid = gettid();
	w->progress = 1;
}

static void *computes(void *arg)
{
	struct worker *w = arg;

	begin(w);
	while (!stop)
		w->progress++;
	return NULL;
}

static void *reads(void *arg)
{
	struct worker *w = arg;

	begin(w);
	for (int i = 0; i < ROUNDS; i++) {
		get(fd[0]);
		w->progress = i + 2;
	}
	return NULL;
}

static void start(struct worker *w, void *(*body)(void *))
{
	w->thread = spawn(body, w);
	must_word("the thread to start", &w->progress, 1);
}

static void run_errand(struct worker *w)
{
	int done = errands;

	check(pthread_kill(w->thread, SIGUSR1) == 0, "pthread_kill");
	must_word("the other context", &errands, done + 1);
}

/* At one P three of the four are parked when the signal comes. */
static void case_while_parked(void)
{
	for (int i = 0; i < HOGS; i++)
		start(&workers[i], computes);
	for (int i = 0; i < ROUNDS; i++) {
		struct worker *w = &workers[i % HOGS];
		int seen;

		run_errand(w);
		seen = w->progress;
		must_word("what was interrupted to go on", &w->progress, seen + 1);
	}
	stop = 1;
	for (int i = 0; i < HOGS; i++)
		join(workers[i].thread);
	printf("%d errands\n", errands);
}

static void case_in_a_call(void)
{
	struct hog hog;

	make_pipe(fd);
	start(&workers[0], reads);
	hog_start(&hog);
	for (int i = 0; i < ROUNDS; i++) {
		must_block((pid_t *)&workers[0].tid);
		run_errand(&workers[0]);
		put(fd[1]);
		must_word("the read", &workers[0].progress, i + 2);
	}
	join(workers[0].thread);
	hog_stop(&hog);
	printf("%d errands\n", errands);
}

static const struct a_case cases[] = {
	{ "while_parked", case_while_parked },
	{ "in_a_call", case_in_a_call },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	/* Above all threads' stacks: a call there looks like one that a jump has led out to. */
	char stacks[HOGS][STACK];
	struct sigaction sa = { .sa_handler = changes, .sa_flags = SA_RESTART };

	for (int i = 0; i < HOGS; i++)
		workers[i].stack = stacks[i];
	check(sigaction(SIGUSR1, &sa, NULL) == 0, "sigaction");
	run_named_case(cases, argc, argv);
}

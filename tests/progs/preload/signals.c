/* Victim: signals.  Handlers that interrupt blocked calls and block themselves, handlers of parked
 * threads, jumps out of handlers, and programs that block them all.
 */
#include <errno.h>
#include <poll.h>
#include <semaphore.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "tests/progs/preload/cases.h"
#include "tests/support/task.h"
#include "tests/support/wait.h"

static int to[2], inner[2], from[2];
static volatile pid_t tid;
static volatile int handled, handled_inner, progress, stop, step;
static struct hog hog;
static sem_t sem;

static void handle(int sig, void (*handler)(int), int flags)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = flags };

	check(sigaction(sig, &sa, NULL) == 0, "sigaction");
}

static void start_thread_in_read(pthread_t *t, void *(*body)(void *))
{
	*t = spawn(body, NULL);
	must_block((pid_t *)&tid);
}

/* --- siglongjmp out of a handler that interrupted a blocked read --- */

static sigjmp_buf jump;

static void jumps(int sig)
{
	handled++;
	siglongjmp(jump, 1);
}

static void *reads_and_jumps(void *arg)
{
	char c;

	for (volatile int i = 0; i < 5; i++) {
		if (sigsetjmp(jump, 1) == 0) {
			tid = gettid();
			if (read(to[0], &c, 1) >= 0)
				printf("the read was not left\n");
		}
		tid = 0;
		step = i + 1;
	}
	/* The gate that was left open must not matter to what follows. */
	for (int i = 0; i < 20; i++) {
		tid = gettid();
		get(to[0]);
		put(from[1]);
	}
	return NULL;
}

static void *counts(void *arg)
{
	while (!stop)
		progress++;
	return NULL;
}

static void case_jump_out_of_read(void)
{
	pthread_t t, c;

	make_pipe(to);
	make_pipe(from);
	handle(SIGUSR1, jumps, 0);
	t = spawn(reads_and_jumps, NULL);
	for (int i = 0; i < 5; i++) {
		must_block((pid_t *)&tid);
		pthread_kill(t, SIGUSR1);
		must_word("the jump", &step, i + 1);
	}
	c = spawn(counts, NULL);
	for (int i = 0; i < 20; i++) {
		int seen = progress;

		must_block((pid_t *)&tid);
		must_word("progress of the other thread", &progress, seen + 1000);
		put(to[1]);
		get(from[0]);
	}
	join(t);
	stop = 1;
	join(c);
	printf("%d jumps, 20 reads\n", handled);
}

/* --- handlers that block, two deep --- */

static void blocks_deeper(int sig)
{
	struct timespec ts = { 0, 1000000 };

	handled_inner++;
	nanosleep(&ts, NULL);
	while (sem_wait(&sem) < 0)
		;
	handled_inner++;
}

static void blocks_in_handler(int sig)
{
	int saved = errno;

	handled++;
	get(inner[0]);
	handled++;
	errno = saved;
}

static void *reads_once(void *arg)
{
	tid = gettid();
	errno = 0;
	get(to[0]);
	return (void *)(long)errno;
}

static void *reads_on_alternate_stack(void *arg)
{
	stack_t ss = { .ss_size = 1 << 16, .ss_sp = malloc(1 << 16) };

	check(sigaltstack(&ss, NULL) == 0, "sigaltstack");
	return reads_once(arg);
}

static void nested(void *(*body)(void *), int flags)
{
	pthread_t t;

	make_pipe(to);
	make_pipe(inner);
	sem_init(&sem, 0, 0);
	handle(SIGUSR1, blocks_in_handler, SA_RESTART | flags);
	handle(SIGUSR2, blocks_deeper, SA_RESTART | flags);
	start_thread_in_read(&t, body);
	hog_start(&hog);
	for (int i = 0; i < 10; i++) {
		pthread_kill(t, SIGUSR1);
		must_word("the handler", &handled, 2 * i + 1);
		must_block((pid_t *)&tid);
		pthread_kill(t, SIGUSR2);
		must_word("the inner handler", &handled_inner, 2 * i + 1);
		sem_post(&sem);
		must_word("the inner handler's end", &handled_inner, 2 * i + 2);
		must_block((pid_t *)&tid);
		put(inner[1]);
		must_word("the handler's end", &handled, 2 * i + 2);
		must_block((pid_t *)&tid);
	}
	put(to[1]);
	printf("errno %ld, handlers %d and %d\n", (long)join(t), handled, handled_inner);
	hog_stop(&hog);
}

static void case_nested(void)
{
	nested(reads_once, 0);
}

static void case_nested_on_alternate_stack(void)
{
	nested(reads_on_alternate_stack, SA_ONSTACK);
}

/* --- a handler runs at once although its thread waits for a P --- */

struct prompt {
	volatile pid_t pid, tid;
	volatile int hits, tries, late;
	volatile int64_t sent, ran;
	volatile int quit;
	int fd[2];
};
static struct prompt *prompt;

static void stamps(int sig)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	prompt->ran = ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static bool prompt_ran(void *arg)
{
	return prompt->ran >= prompt->sent;
}

static bool prompt_parked(void *arg)
{
	return !under_library() || parked_by_library(prompt->pid, prompt->tid);
}

static bool prompt_in_read(void *arg)
{
	return blocked_in_call(prompt->pid, prompt->tid);
}

static bool prompt_parked_or_back(void *arg)
{
	int unread = 1;

	if (prompt_parked(arg))
		return true;
	return ioctl(prompt->fd[0], FIONREAD, &unread) == 0 && unread == 0 && prompt_in_read(arg);
}

/* Lets the reader go, and signals it while it is parked behind the hog. */
static void prompt_agent(void *arg)
{
	struct task_delays before, after;

	/* On a loaded machine the moment can be missed: the reader is back in its read. */
	for (prompt->tries = 0; prompt->tries < 200 && prompt->hits < 8; prompt->tries++) {
		must_reach("the reader to block", prompt_in_read, NULL);
		put(prompt->fd[1]);
		must_reach("the reader to be parked, or back", prompt_parked_or_back, NULL);
		if (!prompt_parked(NULL))
			continue;
		task_read_delays(prompt->pid, &before);
		prompt->sent = now_ns();
		if (syscall(SYS_tgkill, prompt->pid, prompt->tid, SIGUSR1) < 0)
			break;
		must_reach("the handler to run", prompt_ran, NULL);
		task_read_delays(prompt->pid, &after);
		prompt->hits++;
		if (prompt->ran - prompt->sent - task_delay_between(&before, &after) >
		    5 * NS_PER_MS)
			prompt->late++;
	}
	prompt->quit = 1;
	put(prompt->fd[1]);
	_exit(0);
}

static void *prompt_reader(void *arg)
{
	prompt->tid = gettid();
	while (!prompt->quit)
		get(prompt->fd[0]);
	return NULL;
}

static void case_handler_while_parked(void)
{
	struct hog hogs[4];
	pthread_t t;

	prompt = shared(sizeof(*prompt));
	prompt->pid = getpid();
	make_pipe(prompt->fd);
	handle(SIGUSR1, stamps, SA_RESTART);
	t = spawn(prompt_reader, NULL);
	/* More than there are Ps or CPUs: whoever comes back from a call has to wait. */
	for (int i = 0; i < 4; i++)
		hog_start(&hogs[i]);
	agent_run(prompt_agent, NULL);
	join(t);
	for (int i = 0; i < 4; i++)
		hog_stop(&hogs[i]);
	printf("found parked: %s, late handlers: %d\n", prompt->hits >= 8 ? "yes" : "no",
	       prompt->late);
}

/* --- every signal blocked in every thread, and all of them compute --- */

static void *computes(void *arg)
{
	int64_t end = thread_cpu_ns() + 50 * NS_PER_MS;

	while (thread_cpu_ns() < end)
		progress++;
	__atomic_add_fetch(&step, 1, __ATOMIC_RELEASE);
	/* Nobody can leave before all have had their turn. */
	while (step < 4)
		;
	return NULL;
}

static void case_all_signals_blocked(void)
{
	pthread_t t[4];
	sigset_t all;

	sigfillset(&all);
	check(sigprocmask(SIG_SETMASK, &all, NULL) == 0, "sigprocmask");
	for (int i = 0; i < 4; i++)
		t[i] = spawn(computes, NULL);
	for (int i = 0; i < 4; i++)
		join(t[i]);
	printf("all four done\n");
}

/* The same behind libc's back: the kernel is asked directly. */
static void *computes_raw_blocked(void *arg)
{
	unsigned long all = ~0UL;

	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &all, NULL, 8);
	return computes(arg);
}

static void case_all_signals_blocked_raw(void)
{
	pthread_t t[4];

	for (int i = 0; i < 4; i++)
		t[i] = spawn(computes_raw_blocked, NULL);
	for (int i = 0; i < 4; i++)
		join(t[i]);
	printf("all four done\n");
}

/* --- a stack pointer of the program's own making, with nothing free below it --- */

#define BELOW 16384
#define BURST 2000000ul

/* What compiled Erlang does: its stack grows towards its heap. */
static void compute_at(char *sp)
{
	unsigned long turns = BURST;

	__asm__ volatile("movq %%rsp, %%r12\n\t"
			 "movq %1, %%rsp\n"
			 "1:	decq %0\n\t"
			 "jnz 1b\n\t"
			 "movq %%r12, %%rsp"
			 : "+r"(turns)
			 : "r"(sp)
			 : "r12", "cc", "memory");
}

static void *computes_on_its_own_stack(void *arg)
{
	stack_t ss = { .ss_size = 1 << 16, .ss_sp = malloc(1 << 16) };
	char *stack = calloc(1, BELOW), *zeros = calloc(1, BELOW);
	int64_t end = thread_cpu_ns() + NS_PER_S / 5;
	long touched = 0;

	check(sigaltstack(&ss, NULL) == 0, "sigaltstack");
	handle(SIGUSR1, jumps, SA_ONSTACK); /* as Erlang does with all of its own */
	while (thread_cpu_ns() < end) {
		compute_at(stack + BELOW);
		touched += memcmp(stack, zeros, BELOW) != 0;
	}
	return (void *)touched;
}

static void case_own_stack_pointer(void)
{
	pthread_t t[3];
	long touched = 0;

	for (int i = 0; i < 3; i++)
		t[i] = spawn(computes_on_its_own_stack, NULL);
	for (int i = 0; i < 3; i++)
		touched += (long)join(t[i]);
	printf("written to below the stack pointer: %ld times\n", touched);
}

/* --- one alternate stack for all threads, for handlers that never return --- */

static void *computes_with_shared_stack(void *arg)
{
	stack_t ss = { .ss_size = 1 << 16, .ss_sp = arg };
	int64_t end = thread_cpu_ns() + NS_PER_S / 5;

	check(sigaltstack(&ss, NULL) == 0, "sigaltstack");
	while (thread_cpu_ns() < end)
		;
	return NULL;
}

static void case_shared_alternate_stack(void)
{
	char *stack = malloc(1 << 16);
	pthread_t t[3];

	for (int i = 0; i < 3; i++)
		t[i] = spawn(computes_with_shared_stack, stack);
	for (int i = 0; i < 3; i++)
		join(t[i]);
	printf("all three done\n");
}

/* --- timers of the program while hogs take turns --- */

static void on_alarm(int sig)
{
	__atomic_add_fetch(&handled, 1, __ATOMIC_RELEASE);
}

static void case_interval_timer(void)
{
	struct itimerval it = { { 0, 5000 }, { 0, 5000 } }, off = { 0 };
	struct hog more;

	handle(SIGALRM, on_alarm, 0);
	hog_start(&hog);
	hog_start(&more);
	setitimer(ITIMER_REAL, &it, NULL);
	must_word("20 alarms", &handled, 20);
	setitimer(ITIMER_REAL, &off, NULL);
	hog_stop(&hog);
	hog_stop(&more);
	printf("20 alarms\n");
}

/* --- no call of the program is cut short by our signals --- */

/* Computes for about a slice, so that a preemption is due when the call begins. */
static void compute_us(long us)
{
	int64_t end = thread_cpu_ns() + us * NS_PER_US;

	while (thread_cpu_ns() < end)
		;
}

static int interrupted_calls(int round)
{
	struct timespec ts = { 0, 300000 }, end;
	int n = 0;

	compute_us(9000 + 173 * (round % 13));
	n += nanosleep(&ts, NULL) < 0;
	compute_us(10000 + 7 * round);
	n += poll(NULL, 0, 1) < 0;
	compute_us(9500 + 11 * round);
	clock_gettime(CLOCK_REALTIME, &end);
	n += sem_timedwait(&sem, &end) < 0 && errno == EINTR;
	compute_us(9900);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	n += sigtimedwait(&set, NULL, &ts) < 0 && errno == EINTR;
	return n;
}

static void *calls_after_computing(void *arg)
{
	long n = 0;

	for (int i = 0; i < 6; i++)
		n += interrupted_calls(i);
	return (void *)n;
}

static void case_no_stray_eintr(void)
{
	pthread_t t[3];
	long n = 0;

	sem_init(&sem, 0, 0);
	hog_start(&hog);
	for (int i = 0; i < 3; i++)
		t[i] = spawn(calls_after_computing, NULL);
	for (int i = 0; i < 3; i++)
		n += (long)join(t[i]);
	hog_stop(&hog);
	printf("interrupted: %ld\n", n);
}

/* --- a program that blocks SIGURG by number, and fetches its own --- */

static void *fetches_sigurg(void *arg)
{
	unsigned long set = 1ul << (SIGURG - 1);
	siginfo_t info;

	check(syscall(SYS_rt_sigprocmask, SIG_BLOCK, 8, NULL, 8) == -1, "a mask that is none");
	check(syscall(SYS_rt_sigprocmask, SIG_BLOCK, &set, NULL, 8) == 0, "rt_sigprocmask");
	for (int i = 0; i < 5; i++) {
		/* Long enough for preemptions to be wanted. */
		for (int64_t end = thread_cpu_ns() + 15 * NS_PER_MS; thread_cpu_ns() < end;)
			;
		pthread_kill(pthread_self(), SIGURG);
		check(syscall(SYS_rt_sigtimedwait, &set, &info, NULL, 8) == SIGURG, "fetched");
		printf("from us: %d\n", info.si_pid == getpid());
	}
	return NULL;
}

static void case_sigurg_blocked_by_number(void)
{
	hog_start(&hog);
	join(spawn(fetches_sigurg, NULL));
	hog_stop(&hog);
}

static const struct a_case cases[] = {
	{ "jump_out_of_read", case_jump_out_of_read },
	{ "nested", case_nested },
	{ "nested_on_alternate_stack", case_nested_on_alternate_stack },
	{ "handler_while_parked", case_handler_while_parked },
	{ "all_signals_blocked", case_all_signals_blocked },
	{ "all_signals_blocked_raw", case_all_signals_blocked_raw },
	{ "own_stack_pointer", case_own_stack_pointer },
	{ "shared_alternate_stack", case_shared_alternate_stack },
	{ "interval_timer", case_interval_timer },
	{ "sigurg_blocked_by_number", case_sigurg_blocked_by_number },
	{ "no_stray_eintr", case_no_stray_eintr },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	run_named_case(cases, argc, argv);
	return 0;
}

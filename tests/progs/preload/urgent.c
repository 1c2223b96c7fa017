/* Victim: programs that use the signal which the library preempts with, SIGURG, or the real-time
 * ones which it falls back to.  None may be lost, none added, and each must say who sent it.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/progs/preload/cases.h"
#include "tests/support/wait.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* sigset */

static struct hog hog;

static void take_turns(struct hog *more)
{
	for (int i = 0; i < 10; i++) {
		uint64_t a = hog.rounds, b = more->rounds;
		int64_t end = now_ns() + DEADLINE_NS;

		while (hog.rounds == a || more->rounds == b)
			check(now_ns() < end && usleep(1000) == 0, "the hogs take turns");
	}
}

/* --- a program that uses SIGURG, which is also our signal --- */

struct urgent {
	volatile pid_t pid, tid;
	volatile int count, wrong, quit;
};
static struct urgent *urgent;

static void on_urg(int sig, siginfo_t *info, void *context)
{
	if (info->si_code != SI_TKILL || sig != SIGURG)
		urgent->wrong++;
	__atomic_add_fetch(&urgent->count, 1, __ATOMIC_RELEASE);
}

static void urgent_agent(void *arg)
{
	for (int i = 0; i < 200; i++) {
		if (syscall(SYS_tgkill, urgent->pid, urgent->tid, SIGURG) < 0)
			break;
		must_word("the program's handler", &urgent->count, i + 1);
	}
	urgent->quit = 1;
	_exit(0);
}

/* late: the program takes an interest when our signals have been flying for a while. */
static void use_urgent(void (*agent)(void *), bool late)
{
	struct sigaction sa = { .sa_sigaction = on_urg, .sa_flags = SA_SIGINFO | SA_RESTART }, old;
	struct hog more;

	urgent = shared(sizeof(*urgent));
	urgent->pid = getpid();
	check(sigaction(SIGURG, NULL, &old) == 0, "sigaction");
	printf("before: %s\n", old.sa_handler == SIG_DFL ? "default" : "something");
	if (!late)
		check(sigaction(SIGURG, &sa, NULL) == 0, "sigaction");
	/* Hogs that take turns: our own signals fly all the time. */
	hog_start(&hog);
	hog_start(&more);
	if (late) {
		usleep(50000);
		check(sigaction(SIGURG, &sa, NULL) == 0, "sigaction");
	}
	urgent->tid = hog.tid;
	agent_run(agent, NULL);
	must_word("the agent to finish", &urgent->quit, 1);
	check(sigaction(SIGURG, &sa, &old) == 0, "sigaction");
	printf("after: %s\n", old.sa_sigaction == on_urg ? "the program's" : "something else");
	hog_stop(&hog);
	hog_stop(&more);
	printf("got %d, wrong %d\n", urgent->count, urgent->wrong);
}

static void case_own_sigurg(void)
{
	use_urgent(urgent_agent, false);
}

static void case_late_sigurg(void)
{
	use_urgent(urgent_agent, true);
}

/* --- and sets its handler in other ways than by sigaction --- */

struct kernel_action {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	unsigned long mask;
};
void restorer(void);
__asm__("restorer: mov $15, %eax\n\tsyscall"); /* rt_sigreturn */

static volatile int counted;

static void counts(int sig)
{
	__atomic_add_fetch(&counted, 1, __ATOMIC_RELEASE);
}

static void by_sigset(void)
{
	check(sigset(SIGURG, counts) == SIG_DFL, "sigset");
}

static void by_number(void)
{
	struct kernel_action a = { counts, SA_RESTART | 0x04000000, restorer, 0 }, old;

	check(syscall(SYS_rt_sigaction, SIGURG, &a, &old, 8) == 0, "rt_sigaction");
	check(old.handler == SIG_DFL, "the default before");
}

static void counts_its_own(void (*set)(void))
{
	struct hog more;

	hog_start(&hog);
	hog_start(&more);
	set();
	for (int i = 0; i < 20; i++) {
		check(pthread_kill(hog.thread, SIGURG) == 0, "pthread_kill");
		must_word("the program's handler", &counted, i + 1);
		take_turns(&more);
	}
	hog_stop(&hog);
	hog_stop(&more);
	printf("counted %d\n", counted);
}

static void case_sigset(void)
{
	counts_its_own(by_sigset);
}

static void case_by_number(void)
{
	counts_its_own(by_number);
}

/* What the program set is what it reads back. */
static void *reads_masks(void *arg)
{
	sigset_t all, old;
	int n = 0;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, NULL);
	pthread_sigmask(SIG_SETMASK, NULL, &old);
	for (int s = 1; s < NSIG; s++)
		n += sigismember(&old, s) == 1;
	printf("blocked: %d, SIGURG: %d\n", n, sigismember(&old, SIGURG));
	sigprocmask(SIG_SETMASK, NULL, &old);
	printf("SIGURG by sigprocmask: %d\n", sigismember(&old, SIGURG));
	sigdelset(&all, SIGURG);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	printf("old SIGURG: %d\n", sigismember(&old, SIGURG));
	pthread_sigmask(SIG_UNBLOCK, &all, NULL);
	pthread_sigmask(SIG_BLOCK, NULL, &old);
	printf("now SIGURG: %d\n", sigismember(&old, SIGURG));
	return NULL;
}

static void *inherits(void *arg)
{
	sigset_t old;

	pthread_sigmask(SIG_BLOCK, NULL, &old);
	printf("inherited SIGURG: %d SIGHUP: %d\n", sigismember(&old, SIGURG),
	       sigismember(&old, SIGHUP));
	return NULL;
}

static void case_masks(void)
{
	sigset_t set;

	hog_start(&hog);
	join(spawn(reads_masks, NULL));
	sigemptyset(&set);
	sigaddset(&set, SIGURG);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	join(spawn(inherits, NULL));
	hog_stop(&hog);
}

/* --- what SIGURG is for: out-of-band data --- */

static volatile int handled, word;

static void on_oob(int sig)
{
	__atomic_add_fetch(&handled, 1, __ATOMIC_RELEASE);
}

static void tcp_pair(int fd[2])
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int l = socket(AF_INET, SOCK_STREAM, 0);

	check(bind(l, (void *)&a, len) == 0 && listen(l, 1) == 0, "listen");
	getsockname(l, (void *)&a, &len);
	fd[0] = socket(AF_INET, SOCK_STREAM, 0);
	check(connect(fd[0], (void *)&a, len) == 0, "connect");
	fd[1] = accept(l, NULL, NULL);
	check(fd[1] >= 0, "accept");
}

static void case_out_of_band(void)
{
	struct sigaction sa = { .sa_handler = on_oob, .sa_flags = SA_RESTART };
	struct hog more;
	int fd[2];
	char c;

	tcp_pair(fd);
	hog_start(&hog);
	hog_start(&more);
	check(sigaction(SIGURG, &sa, NULL) == 0, "sigaction");
	check(fcntl(fd[1], F_SETOWN, getpid()) == 0, "F_SETOWN");
	for (int i = 0; i < 50; i++) {
		check(send(fd[0], "u", 1, MSG_OOB) == 1, "send");
		must_word("SIGURG for urgent data", &handled, i + 1);
		check(recv(fd[1], &c, 1, MSG_OOB) == 1 && c == 'u', "recv");
	}
	hog_stop(&hog);
	hog_stop(&more);
	printf("urgent 50 times\n");
}

/* --- fetched by a descriptor --- */

static void case_signalfd(void)
{
	struct signalfd_siginfo info;
	union sigval value;
	struct hog more;
	sigset_t set;
	int fd, good = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGURG);
	check(sigprocmask(SIG_BLOCK, &set, NULL) == 0, "sigprocmask");
	fd = signalfd(-1, &set, 0);
	check(fd >= 0, "signalfd");
	hog_start(&hog);
	hog_start(&more);
	for (int i = 0; i < 50; i++) {
		value.sival_int = i;
		check(sigqueue(getpid(), SIGURG, value) == 0, "sigqueue");
		check(read(fd, &info, sizeof(info)) == sizeof(info), "read");
		good += info.ssi_signo == SIGURG && info.ssi_code == SI_QUEUE && info.ssi_int == i;
	}
	hog_stop(&hog);
	hog_stop(&more);
	printf("fetched %d\n", good);
}

/* --- a program that uses SIGURG and every real-time signal --- */

static volatile int seen[65], strange;

static void on_any(int sig, siginfo_t *info, void *context)
{
	if (info->si_code != SI_QUEUE || info->si_value.sival_int != sig * 1000)
		strange++;
	__atomic_add_fetch(&seen[sig], 1, __ATOMIC_RELEASE);
}

static void queue_one(int sig, int round)
{
	union sigval value = { .sival_int = sig * 1000 };

	check(pthread_sigqueue(hog.thread, sig, value) == 0, "pthread_sigqueue");
	must_word("a queued signal", &seen[sig], round + 1);
}

static void case_all_real_time_signals(void)
{
	struct sigaction sa = { .sa_sigaction = on_any, .sa_flags = SA_SIGINFO | SA_RESTART }, old;
	struct hog more;
	int own = 0;

	check(sigaction(SIGURG, &sa, NULL) == 0, "sigaction");
	hog_start(&hog);
	hog_start(&more);
	for (int s = SIGRTMIN; s <= SIGRTMAX; s++)
		check(sigaction(s, &sa, NULL) == 0, "sigaction");
	for (int round = 0; round < 5; round++) {
		queue_one(SIGURG, round);
		for (int s = SIGRTMIN; s <= SIGRTMAX; s++)
			queue_one(s, round);
	}
	for (int s = SIGRTMIN; s <= SIGRTMAX; s++)
		own += sigaction(s, NULL, &old) == 0 && old.sa_sigaction == on_any;
	hog_stop(&hog);
	hog_stop(&more);
	printf("strange: %d, own handlers: %d\n", strange, own);
	/* All delivered have been awaited one by one; none may have been added. */
	for (int s = SIGRTMIN; s <= SIGRTMAX; s++)
		word += seen[s];
	printf("seen: %d and %d\n", seen[SIGURG], word);
}

/* Many may wait in the queue: a real-time signal is never merged. */
static void case_real_time_burst(void)
{
	struct sigaction sa = { .sa_sigaction = on_any, .sa_flags = SA_SIGINFO | SA_RESTART };
	union sigval value;
	struct hog more;

	check(sigaction(SIGURG, &sa, NULL) == 0, "sigaction");
	hog_start(&hog);
	hog_start(&more);
	for (int s = SIGRTMAX - 8; s <= SIGRTMAX; s++) {
		check(sigaction(s, &sa, NULL) == 0, "sigaction");
		value.sival_int = s * 1000;
		for (int i = 0; i < 100; i++)
			check(pthread_sigqueue(hog.thread, s, value) == 0, "pthread_sigqueue");
	}
	for (int s = SIGRTMAX - 8; s <= SIGRTMAX; s++)
		must_word("all of a burst", &seen[s], 100);
	hog_stop(&hog);
	hog_stop(&more);
	printf("9 bursts, strange: %d\n", strange);
}

/* Signals with a handler in the kernel, where we have set none: the one that preempts. */
static void case_caught(void)
{
	unsigned long caught = 0;
	struct hog more;
	char line[128];
	FILE *f;

	hog_start(&hog);
	hog_start(&more);
	f = fopen("/proc/self/status", "r");
	while (fgets(line, sizeof(line), f))
		sscanf(line, "SigCgt: %lx", &caught);
	fclose(f);
	for (int s = 1; s <= 64; s++)
		if (caught >> (s - 1) & 1 && s != SIGRTMIN - 1 &&
		    s != SIGRTMIN - 2) /* libc's own */
			printf("%d\n", s);
	hog_stop(&hog);
	hog_stop(&more);
}

/* --- a program that ignores SIGURG, and is sent it --- */

struct poller {
	volatile int quit, cut;
	volatile pid_t pid, tid;
};

static void *polls(void *arg)
{
	struct poller *p = arg;

	p->pid = getpid();
	p->tid = gettid();
	while (!p->quit)
		if (poll(NULL, 0, 20) < 0)
			p->cut++;
	return NULL;
}

static bool polls_now(void *arg)
{
	struct poller *p = arg;

	return blocked_in_call(p->pid, p->tid);
}

static int cut_short(struct poller *p)
{
	for (int i = 0; i < 10; i++) {
		must_reach("a poll", polls_now, p);
		syscall(SYS_tgkill, p->pid, p->tid, SIGURG);
	}
	p->quit = 1;
	return p->cut;
}

/* The first that comes is told from ours by our handler; it comes while no call can be cut. */
static void case_ignored_sigurg(void)
{
	struct poller *p = shared(2 * sizeof(*p));
	struct hog more;
	pthread_t t;
	pid_t pid;

	hog_start(&hog);
	hog_start(&more);
	pid = fork();
	if (pid == 0) {
		polls(p + 1);
		_exit(0);
	}
	printf("a child's calls cut short: %d\n", cut_short(p + 1));
	check(waitpid(pid, NULL, 0) == pid, "waitpid");
	raise(SIGURG);
	t = spawn(polls, p);
	printf("calls cut short: %d\n", cut_short(p));
	join(t);
	take_turns(&more);
	hog_stop(&hog);
	hog_stop(&more);
}

/* --- children that run on our memory, with signals of their own --- */

static bool had_ours, has_default;

static void reset_everything(void)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL }, old;

	sigaction(SIGURG, NULL, &old);
	had_ours = old.sa_handler == on_oob;
	for (int s = 1; s < NSIG; s++)
		sigaction(s, &dfl, NULL);
	sigaction(SIGURG, NULL, &old);
	has_default = old.sa_handler == SIG_DFL;
}

static void block_sigurg(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGURG);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

static int clone_body(void *body)
{
	((void (*)(void))body)();
	_exit(0);
}

static void in_children(void (*body)(void))
{
	static const int flags[] = { CLONE_VM | CLONE_VFORK | SIGCHLD, CLONE_VM | SIGCHLD };
	static char stack[65536] __attribute__((aligned(16)));
	int status;
	pid_t pid = vfork();

	if (pid == 0) {
		body();
		_exit(0);
	}
	check(waitpid(pid, &status, 0) == pid && status == 0, "vfork");
	for (int i = 0; i < 2; i++) {
		pid = clone(clone_body, stack + sizeof(stack), flags[i], (void *)body);
		check(waitpid(pid, &status, 0) == pid && status == 0, "clone");
	}
}

static void *has_children(void *body)
{
	in_children((void (*)(void))body);
	return NULL;
}

/* Beside hogs that go on taking turns. */
static void beside_hogs(void (*body)(void))
{
	struct hog more;

	hog_start(&hog);
	hog_start(&more);
	join(spawn(has_children, (void *)body));
	take_turns(&more);
	hog_stop(&hog);
	hog_stop(&more);
}

static void case_children_reset(void)
{
	struct sigaction sa = { .sa_handler = on_oob, .sa_flags = SA_RESTART }, old;

	check(sigaction(SIGURG, &sa, NULL) == 0, "sigaction");
	beside_hogs(reset_everything);
	check(sigaction(SIGURG, NULL, &old) == 0, "sigaction");
	printf("the child had ours: %d, then the default: %d\n", had_ours, has_default);
	printf("we have ours: %d", old.sa_handler == on_oob);
	raise(SIGURG);
	printf(", which runs: %d\n", handled);
}

static void case_children_block(void)
{
	beside_hogs(block_sigurg);
	printf("all is well\n");
}

static const struct a_case cases[] = {
	{ "own_sigurg", case_own_sigurg },
	{ "late_sigurg", case_late_sigurg },
	{ "sigset", case_sigset },
	{ "by_number", case_by_number },
	{ "masks", case_masks },
	{ "out_of_band", case_out_of_band },
	{ "signalfd", case_signalfd },
	{ "all_real_time_signals", case_all_real_time_signals },
	{ "real_time_burst", case_real_time_burst },
	{ "caught", case_caught },
	{ "ignored_sigurg", case_ignored_sigurg },
	{ "children_reset", case_children_reset },
	{ "children_block", case_children_block },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	run_named_case(cases, argc, argv);
	return 0;
}

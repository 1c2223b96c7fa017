/*
 * Victim: children made by clone(2), which libc knows nothing of.  A child that shares its
 * parent's thread-local data looks like its parent's thread to whoever asks for that.
 */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/progs/preload/cases.h"
#include "tests/support/task.h"
#include "tests/support/wait.h"

#define STACK (64 * 1024)
#define ROUNDS 100

static int to[2], back[2];
static struct hog hog;
static char stack[STACK] __attribute__((aligned(16)));

static int status_of(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, __WALL) < 0)
		check(errno == EINTR, "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static pid_t make(int (*fn)(void *), int flags)
{
	pid_t pid = clone(fn, stack + STACK, flags | SIGCHLD, (void *)7, NULL, NULL, NULL);

	check(pid > 0, "clone");
	return pid;
}

static void *nothing(void *arg)
{
	return arg;
}

/* Is the calling thread one of several that get on, beside one that computes? */
static void works(const char *who)
{
	struct hog other;

	hog_start(&other);
	for (long i = 0; i < 20; i++)
		check(join(spawn(nothing, (void *)i)) == (void *)i, "thread");
	hog_stop(&other);
	printf("%s works\n", who);
}

/* ---- own memory ---- */

static int forked(void *arg)
{
	if (task_count(getpid()) != 1)
		return 90;
	works("the child");
	return (int)(long)arg;
}

static void *forks(void *arg)
{
	printf("child: %d\n", status_of(make(forked, 0)));
	return NULL;
}

/* ---- shared memory, the parent sleeps ---- */

static int vforked(void *arg)
{
	put(back[1]);
	get(to[0]); /* from one that waits for a P while we have none */
	for (int i = 0; i < ROUNDS; i++)
		usleep(10);
	return (int)(long)arg + 1;
}

static void *answers(void *arg)
{
	get(back[0]);
	put(to[1]);
	return NULL;
}

static void *vforks(void *arg)
{
	pthread_t t = spawn(answers, NULL);

	printf("child: %d\n", status_of(make(vforked, CLONE_VM | CLONE_VFORK)));
	join(t);
	return NULL;
}

static int executes(void *arg)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)"exit 9", NULL };

	execv("/bin/sh", argv);
	return 91;
}

static void *vforks_and_executes(void *arg)
{
	printf("child: %d\n", status_of(make(executes, CLONE_VM | CLONE_VFORK)));
	return NULL;
}

/* ---- shared memory, both run ---- */

static int beside_its_parent(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		get(to[0]);
		usleep(10);
		put(back[1]);
	}
	return (int)(long)arg + 2;
}

static void *shares(void *arg)
{
	pid_t pid = make(beside_its_parent, CLONE_VM | CLONE_FILES | CLONE_FS);

	for (int i = 0; i < ROUNDS; i++) {
		put(to[1]);
		usleep(10);
		get(back[0]);
	}
	printf("child: %d\n", status_of(pid));
	works("its parent");
	return NULL;
}

static int exits(void *arg)
{
	_exit((int)(long)arg + 4);
}

static void *shares_and_exits(void *arg)
{
	printf("child: %d\n", status_of(make(exits, CLONE_VM)));
	works("its parent");
	return NULL;
}

/* ---- shared handlers as well ---- */

static int urgent; /* atomic */

static void counts(int sig)
{
	__atomic_add_fetch(&urgent, 1, __ATOMIC_RELAXED);
}

static int sees_no_handler(void *arg)
{
	struct sigaction act;

	return sigaction(SIGURG, NULL, &act) != 0 || act.sa_handler != SIG_DFL;
}

static int sets_handler(void *arg)
{
	struct sigaction act = { .sa_handler = counts, .sa_flags = SA_RESTART };

	return sigaction(SIGURG, &act, NULL);
}

/* What a child sets is set for its parent, and no signal but the parent's own comes to it. */
static void *shares_handlers(void *arg)
{
	int flags = CLONE_VM | CLONE_SIGHAND;
	struct sigaction act;

	printf("before: %d", status_of(make(sees_no_handler, flags)));
	printf(" %d\n", status_of(make(sets_handler, flags)));
	check(sigaction(SIGURG, NULL, &act) == 0, "sigaction");
	for (int i = 0; i < 20; i++)
		for (uint64_t seen = hog.rounds; hog.started && hog.rounds == seen;)
			;
	printf("the child's: %d, came: %d", act.sa_handler == counts, urgent);
	raise(SIGURG);
	printf(" %d\n", urgent);
	return NULL;
}

/* ---- by number ---- */

struct clone3 {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls;
};

static void *by_number(void *arg)
{
	struct clone3 args = { .exit_signal = SIGCHLD };
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		_exit(forked((void *)3));
	printf("clone3: %d\n", status_of(pid));
	pid = (pid_t)syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(forked((void *)4));
	printf("clone: %d\n", status_of(pid));
	errno = 0;
	printf("bad address: %ld", syscall(SYS_clone3, 8, sizeof(args)));
	printf(" %d\n", errno);
	errno = 0;
	printf("too small: %ld", syscall(SYS_clone3, &args, 1));
	printf(" %d\n", errno);
	/* A thread must share signal handlers: refused, though it would have shared our data. */
	errno = 0;
	printf("thread without handlers: %ld",
	       syscall(SYS_clone, CLONE_VM | CLONE_THREAD, 0, 0, 0, 0));
	printf(" %d\n", errno);
	works("its parent");
	return NULL;
}

static void *refused(void *arg)
{
	errno = 0;
	printf("no function: %d", clone(NULL, stack + STACK, SIGCHLD, NULL));
	printf(" %d\n", errno);
	errno = 0;
	printf("no stack: %d", clone(forked, NULL, SIGCHLD, NULL));
	printf(" %d\n", errno);
	errno = 0;
	printf("bad flags: %d",
	       clone(forked, stack + STACK, CLONE_VM | CLONE_VFORK | CLONE_THREAD, NULL));
	printf(" %d\n", errno);
	return NULL;
}

/* In a thread beside one that computes; main, and all, work on after it. */
static void beside(void *(*body)(void *))
{
	make_pipe(to);
	make_pipe(back);
	hog_start(&hog);
	join(spawn(body, NULL));
	works("main");
	hog_stop(&hog);
}

/* By a process that has had one thread. */
static void first(void *(*body)(void *))
{
	make_pipe(to);
	make_pipe(back);
	body(NULL);
	works("main");
}

#define CASE(body) \
	static void case_##body(void) \
	{ \
		beside(body); \
	} \
	static void case_first_##body(void) \
	{ \
		first(body); \
	}
CASE(forks)
CASE(vforks_and_executes)
CASE(shares)
CASE(shares_and_exits)
CASE(shares_handlers)
CASE(by_number)
CASE(refused)

static void case_vforks(void)
{
	beside(vforks);
}

static const struct a_case cases[] = {
	{ "forks", case_forks },
	{ "first_forks", case_first_forks },
	{ "vforks", case_vforks },
	{ "vforks_and_executes", case_vforks_and_executes },
	{ "first_vforks_and_executes", case_first_vforks_and_executes },
	{ "shares", case_shares },
	{ "first_shares", case_first_shares },
	{ "shares_and_exits", case_shares_and_exits },
	{ "first_shares_and_exits", case_first_shares_and_exits },
	{ "shares_handlers", case_shares_handlers },
	{ "first_shares_handlers", case_first_shares_handlers },
	{ "by_number", case_by_number },
	{ "first_by_number", case_first_by_number },
	{ "refused", case_refused },
	{ "first_refused", case_first_refused },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	/* Children share our stdout: nothing of ours may sit in their buffer. */
	setvbuf(stdout, NULL, _IONBF, 0);
	run_named_case(cases, argc, argv);
	return 0;
}

/* Victim: children and name spaces in odd moments.  A handler forks while its thread is blocked in
 * a call, or parked for a P: the child comes back into the middle of what its parent waits for.
 * And a program that has joined all its threads has one thread, whatever we keep for ourselves.
 */
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/progs/preload/cases.h"
#include "tests/support/wait.h"

#define ROUNDS 8

static int fd[2];
static volatile pid_t child = -1;
static volatile int forks;
static pid_t first;

static void on_fork(int sig)
{
	child = fork();
	forks++;
}

static void handle(void)
{
	struct sigaction sa = { .sa_handler = on_fork, .sa_flags = SA_RESTART };

	first = getpid();
	check(sigaction(SIGUSR1, &sa, NULL) == 0, "sigaction");
}

static void *reads(void *tid)
{
	*(volatile pid_t *)tid = gettid();
	get(fd[0]);
	_exit(getpid() == first ? 1 : 7);
}

/* The child reads on, finds the byte that its parent writes, and ends in its own way. */
static void fork_in_a_call(void)
{
	pid_t tid = 0;
	int status = 0;
	pthread_t reader;

	make_pipe(fd);
	handle();
	reader = spawn(reads, &tid);
	must_block(&tid);
	check(pthread_kill(reader, SIGUSR1) == 0, "pthread_kill");
	must_word("the handler", &forks, 1);
	check(pthread_cancel(reader) == 0, "pthread_cancel");
	join(reader);
	put(fd[1]);
	check(waitpid(-1, &status, 0) > 0, "waitpid");
	printf("child: exited %d, status %d\n", WIFEXITED(status), WEXITSTATUS(status));
}

static void *computes(void *arg)
{
	for (volatile long n = 0;; n++)
		if (child == 0)
			_exit(7);
	return NULL;
}

/* Four hogs: at one P three of them are parked when the signal comes. */
static void fork_while_parked(void)
{
	pthread_t hogs[4];
	int status, good = 0;

	handle();
	for (int i = 0; i < 4; i++)
		hogs[i] = spawn(computes, NULL);
	for (int i = 0; i < ROUNDS; i++) {
		check(pthread_kill(hogs[i % 4], SIGUSR1) == 0, "pthread_kill");
		must_word("the handler", &forks, i + 1);
		check(waitpid(-1, &status, 0) > 0, "waitpid");
		good += WIFEXITED(status) && WEXITSTATUS(status) == 7;
	}
	printf("children that went on: %d of %d\n", good, ROUNDS);
	_exit(0);
}

static void *returns(void *arg)
{
	return arg;
}

static void alone_again(void)
{
	join(spawn(returns, NULL));
	printf("unshare: %d\n", unshare(CLONE_FS | CLONE_FILES | CLONE_NEWUSER));
	printf("then a thread: %d\n", join(spawn(returns, fd)) == fd);
}

static const struct a_case cases[] = {
	{ "fork_in_a_call", fork_in_a_call },
	{ "fork_while_parked", fork_while_parked },
	{ "alone_again", alone_again },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IONBF, 0);
	run_named_case(cases, argc, argv);
	return 0;
}

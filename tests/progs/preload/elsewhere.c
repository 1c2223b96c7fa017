/* Victim: threads that block and compute where there is no /proc, or another namespace's. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/progs/preload/cases.h"
#include "tests/support/unseen.h"

#define ROUNDS 10
#define PAIRS 3
#define NO_PROC_IN "/usr"

struct pair {
	int to[2], back[2];
	pthread_t asks, answers;
};

static void get_unseen(int fd)
{
	char c;
	long n;

	do
		n = unseen(SYS_read, fd, (long)&c, 1, 0);
	while (n == -EINTR);
	check(n == 1, "read");
}

/* No signal ends its reads for a moment, either. */
static void *asks(void *arg)
{
	unsigned long all = ~0ul;
	struct pair *p = arg;

	check(unseen(SYS_rt_sigprocmask, SIG_BLOCK, (long)&all, 0, sizeof(all)) == 0,
	      "sigprocmask");
	for (int i = 0; i < ROUNDS; i++) {
		put(p->to[1]);
		get_unseen(p->back[0]);
	}
	return NULL;
}

static void *answers(void *arg)
{
	struct pair *p = arg;

	for (int i = 0; i < ROUNDS; i++) {
		get(p->to[0]);
		put(p->back[1]);
	}
	return NULL;
}

static void beside_a_hog(void)
{
	struct pair pairs[PAIRS];
	struct hog hog;

	hog_start(&hog);
	for (int i = 0; i < PAIRS; i++) {
		make_pipe(pairs[i].to);
		make_pipe(pairs[i].back);
		pairs[i].answers = spawn(answers, &pairs[i]);
		pairs[i].asks = spawn(asks, &pairs[i]);
	}
	for (int i = 0; i < PAIRS; i++) {
		join(pairs[i].asks);
		join(pairs[i].answers);
	}
	hog_stop(&hog);
	printf("all is well\n");
}

/* Not allowed here: the test skips. */
static void must_or_skip(bool ok, const char *what)
{
	if (!ok && errno == EPERM)
		_exit(77);
	check(ok, what);
}

static void may_leave(int flags)
{
	if (geteuid() != 0)
		flags |= CLONE_NEWUSER;
	must_or_skip(!flags || unshare(flags) == 0, "unshare");
}

static void leave(void)
{
	must_or_skip(chroot(NO_PROC_IN) == 0, "chroot");
}

static void case_chroot_first(void)
{
	may_leave(0);
	leave();
	beside_a_hog();
}

/* By a server that has its threads already. */
static void case_chroot_late(void)
{
	may_leave(0);
	beside_a_hog();
	leave();
	beside_a_hog();
}

static void *leaves(void *arg)
{
	leave();
	beside_a_hog();
	return NULL;
}

static void case_chroot_by_a_thread(void)
{
	may_leave(0);
	join(spawn(leaves, NULL));
}

/* Its threads have other numbers there than here. */
static void case_other_namespace(void)
{
	int status;
	pid_t pid;

	may_leave(CLONE_NEWPID);
	pid = fork();
	check(pid >= 0, "fork");
	if (pid == 0) {
		beside_a_hog();
		fflush(stdout);
		_exit(0);
	}
	check(waitpid(pid, &status, 0) == pid && status == 0, "the child's end");
}

static const struct a_case cases[] = {
	{ "chroot_first", case_chroot_first },
	{ "chroot_late", case_chroot_late },
	{ "chroot_by_a_thread", case_chroot_by_a_thread },
	{ "other_namespace", case_other_namespace },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	run_named_case(cases, argc, argv);
	return 0;
}

/* Victim: the optional API of gmprt.h, at one P; `api` prints what must be, and without the library
 * that it is not there.  Brackets of the program's own, system calls by number, live resizing.
 */
#include "runtime/gmprt.h"

#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/progs/preload/cases.h"
#include "tests/support/task.h"
#include "tests/support/unseen.h"
#include "tests/support/wait.h"

static int to[2];
static volatile int progress, stop;

static long asm_read(int fd)
{
	char c;

	return unseen(SYS_read, fd, (long)&c, 1, 0);
}

static void *reads_in_bracket(void *arg)
{
	long ret;

	gmp_entersyscall();
	gmp_entersyscall();
	ret = asm_read(to[0]);
	gmp_exitsyscall();
	gmp_exitsyscall();
	return (void *)ret;
}

static void *reads_by_number(void *arg)
{
	char c;

	return (void *)gmp_syscall(SYS_read, to[0], (long)&c, 1);
}

static void *counts(void *arg)
{
	while (!stop)
		progress++;
	return NULL;
}

/* Somebody else runs at one P while body is blocked. */
static void others_run(const char *what, void *(*body)(void *))
{
	pthread_t t = spawn(body, NULL);
	int seen = progress;

	must_word("progress", &progress, seen + 1000);
	put(to[1]);
	printf("%s: %ld\n", what, (long)join(t));
}

static void errors(void)
{
	char buf[4] = "";
	int fd[2];

	make_pipe(fd);
	errno = 77;
	printf("raw: %d %ld\n", gmp_rawsyscall(SYS_getpid, 0, 0, 0) == getpid(),
	       gmp_rawsyscall(SYS_read, -1, 0, 0));
	printf("raw6: %ld\n", gmp_rawsyscall6(SYS_pread64, fd[0], (long)buf, 1, 0, 0, 0));
	printf("syscall6: %ld\n", gmp_syscall6(SYS_pread64, fd[0], (long)buf, 1, 0, 0, 0));
	printf("errno: %d\n", errno);
}

/* Shared with an agent: nobody here is to look, for that takes a P. */
struct crowd {
	struct hog hogs[3];
	pid_t pid;
	struct text_range library;
	volatile int one_computes;
};

static bool two_are_parked(void *arg)
{
	struct crowd *c = arg;
	struct task_syscall s;
	int n = 0;

	for (int i = 0; i < 3; i++) {
		task_read_syscall(c->pid, c->hogs[i].tid, &s);
		n += s.nr == SYS_futex && s.pc >= c->library.lo && s.pc < c->library.hi;
	}
	return n == 2;
}

static void watches(void *arg)
{
	struct crowd *c = arg;

	c->one_computes = wait_until(two_are_parked, c, DEADLINE_NS);
	for (int i = 0; i < 3; i++)
		c->hogs[i].stop = 1;
}

/* While nobody waits for a P, all but one of those who compute lose theirs. */
static void lowered(void)
{
	struct crowd *c = shared(sizeof(*c));

	c->pid = getpid();
	c->library = task_library_text(c->pid);
	gmp_maxprocs(4);
	for (int i = 0; i < 3; i++)
		hog_start(&c->hogs[i]);
	agent_run(watches, c);
	gmp_maxprocs(1);
	for (int i = 0; i < 3; i++)
		join(c->hogs[i].thread);
	printf("one computes: %d\n", c->one_computes);
}

int main(void)
{
	struct hog hogs[3];
	pthread_t t;

	if (!gmp_present()) {
		printf("not there\n");
		return 0;
	}
	printf("before a second thread: %d\n", gmp_maxprocs(0));
	make_pipe(to);
	errors();
	t = spawn(counts, NULL);
	others_run("bracket", reads_in_bracket);
	others_run("by number", reads_by_number);
	for (int i = 0; i < 3; i++)
		hog_start(&hogs[i]);
	printf("was %d,", gmp_maxprocs(4));
	printf(" then %d,", gmp_maxprocs(2));
	printf(" then %d,", gmp_maxprocs(1));
	printf(" is %d\n", gmp_maxprocs(0));
	gmp_gosched();
	others_run("after resizing", reads_by_number);
	for (int i = 0; i < 3; i++)
		hog_stop(&hogs[i]);
	stop = 1;
	join(t);
	lowered();
	printf("books: %d\n", gmp_check());
	return 0;
}

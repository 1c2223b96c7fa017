/* cases.h: what victims with several cases have in common. */
#include "tests/progs/preload/cases.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/task.h"
#include "tests/support/wait.h"

static struct text_range library;
static pid_t library_of;

void run_named_case(const struct a_case *cases, int argc, char **argv)
{
	library = task_library_text(getpid());
	library_of = getpid();
	for (; argc == 2 && cases->name; cases++) {
		if (strcmp(cases->name, argv[1]))
			continue;
		cases->run();
		return;
	}
	die("usage: %s CASE", argv[0]);
}

void check(bool ok, const char *what)
{
	if (!ok)
		die("victim: %s failed: %s", what, strerror(errno));
}

static void *hog_body(void *arg)
{
	struct hog *h = arg;
	uint64_t x = 1;

	h->tid = gettid();
	h->started = 1;
	while (!h->stop) {
		for (int i = 0; i < 1000; i++)
			x = x * 6364136223846793005u + 1442695040888963407u;
		h->rounds += 1 + (x == 0);
	}
	return NULL;
}

void hog_start(struct hog *h)
{
	memset(h, 0, sizeof(*h));
	h->thread = spawn(hog_body, h);
	must_word("the hog to start", &h->started, 1);
}

void hog_stop(struct hog *h)
{
	h->stop = 1;
	join(h->thread);
}

pthread_t spawn(void *(*body)(void *), void *arg)
{
	pthread_t t;

	errno = pthread_create(&t, NULL, body, arg);
	check(errno == 0, "pthread_create");
	return t;
}

void *join(pthread_t t)
{
	void *res = NULL;

	errno = pthread_join(t, &res);
	check(errno == 0, "pthread_join");
	return res;
}

void make_pipe(int fd[2])
{
	check(pipe(fd) == 0, "pipe");
}

void put(int fd)
{
	check(write(fd, "x", 1) == 1, "write");
}

void get(int fd)
{
	char c;
	ssize_t n;

	do
		n = read(fd, &c, 1);
	while (n < 0 && errno == EINTR);
	check(n == 1, "read");
}

bool under_library(void)
{
	return library.hi != 0;
}

bool parked_by_library(pid_t pid, pid_t tid)
{
	struct task_syscall s;

	task_read_syscall(pid, tid, &s);
	return s.nr == SYS_futex && s.pc >= library.lo && s.pc < library.hi;
}

bool blocked_in_call(pid_t pid, pid_t tid)
{
	return tid && task_blocked(pid, tid, library, NULL, 0);
}

static bool tid_blocks(void *arg)
{
	return blocked_in_call(getpid(), *(volatile pid_t *)arg);
}

void must_block(pid_t *tid)
{
	must_reach("a thread to block", tid_blocks, tid);
}

void *shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	check(p != MAP_FAILED, "mmap");
	return p;
}

void agent_run(void (*body)(void *arg), void *arg)
{
	pid_t pid = fork();

	check(pid >= 0, "fork");
	if (pid == 0) {
		if (fork() == 0)
			body(arg);
		_exit(0);
	}
	check(waitpid(pid, NULL, 0) == pid, "waitpid");
}

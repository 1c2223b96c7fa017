/* Victim: processes made by a threaded program.  Each case has a hog and a blocked thread in the
 * parent while a thread, not main, makes the child; parent and child must both be well after it.
 */
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/progs/preload/cases.h"
#include "tests/support/task.h"
#include "tests/support/wait.h"

extern char **environ;
static int to[2], from[2];
static struct hog hog;
static const char *self;

static int status_of(pid_t pid)
{
	int status = -1;

	while (waitpid(pid, &status, 0) < 0)
		check(errno == EINTR, "waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* Runs body in a thread, beside a hog and a reader; then checks that the parent still works. */
static void *reader(void *arg)
{
	get(to[0]);
	return (void *)1;
}

static void beside(void *(*body)(void *))
{
	pthread_t t;

	make_pipe(to);
	make_pipe(from);
	t = spawn(reader, NULL);
	hog_start(&hog);
	join(spawn(body, NULL));
	uint64_t rounds = hog.rounds;
	int64_t t0 = now_ns();
	while (hog.rounds == rounds)
		check(now_ns() - t0 < DEADLINE_NS && usleep(1000) == 0, "the hog goes on");
	put(to[1]);
	printf("the parent works: %ld\n", (long)join(t));
	hog_stop(&hog);
}

static void *ping(void *arg)
{
	int *fd = arg;

	for (int i = 0; i < 100; i++) {
		get(fd[0]);
		put(fd[3]);
	}
	return (void *)100;
}

/* Two threads that hand a byte to and fro, and a hog: what a child that has threads must do. */
static int threads_work(void)
{
	static struct hog h;
	int fd[4];
	pthread_t t;

	make_pipe(fd);
	make_pipe(fd + 2);
	t = spawn(ping, fd);
	hog_start(&h);
	for (int i = 0; i < 100; i++) {
		put(fd[1]);
		get(fd[2]);
	}
	hog_stop(&h);
	return join(t) == (void *)100 ? 0 : 1;
}

/* --- fork --- */

static void *fork_plain(void *arg)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (task_count(getpid()) != 1)
			_exit(90);
		usleep(1000);
		_exit(3);
	}
	printf("child: %d\n", status_of(pid));
	return NULL;
}

static void *fork_with_threads(void *arg)
{
	pid_t pid = fork();

	if (pid == 0) {
		int bad = threads_work();
		exit(bad ? 91 : 4);
	}
	printf("child: %d\n", status_of(pid));
	return NULL;
}

static int in_the_list(struct dl_phdr_info *info, size_t size, void *gate)
{
	put(from[1]);
	get(*(int *)gate);
	return 1;
}

static void *walks_the_list(void *gate)
{
	dl_iterate_phdr(in_the_list, gate);
	return NULL;
}

/* The child's copy of a lock of the loader's is held by a thread that it does not have: natively it
 * can make threads all the same. */
static void *fork_in_the_loader(void *arg)
{
	int gate[2];
	pthread_t t;
	pid_t pid;

	make_pipe(gate);
	t = spawn(walks_the_list, gate);
	get(from[0]);
	pid = fork();
	if (pid == 0)
		_exit(threads_work() ? 96 : 9);
	put(gate[1]);
	join(t);
	printf("child: %d\n", status_of(pid));
	return NULL;
}

/* The parent's watcher is about to leave, or has left; the child has none, and gets its own. */
static void case_fork_alone(void)
{
	int good = 0;

	for (int i = 0; i < 10; i++) {
		check(threads_work() == 0, "threads");
		usleep(i < 5 ? 9500 + i * 300 : 50000);
		pid_t pid = fork();
		if (pid == 0)
			_exit(task_count(getpid()) == 1 && threads_work() == 0 ? 13 : 99);
		good += status_of(pid) == 13;
	}
	printf("good children: %d\n", good);
}

static void *fork_twice(void *arg)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (threads_work())
			_exit(92);
		pid_t grandchild = fork();
		if (grandchild == 0)
			_exit(threads_work() ? 93 : 5);
		_exit(status_of(grandchild) + 1);
	}
	printf("child: %d\n", status_of(pid));
	return NULL;
}

extern pid_t _Fork(void) __attribute__((weak)); /* glibc 2.34 */

/* Made behind libc's back: no atfork handler runs. */
static void *fork_raw(void *arg)
{
	pid_t pid = syscall(SYS_fork);

	if (pid == 0)
		syscall(SYS_exit_group, 6);
	printf("child: %d\n", status_of(pid));
	pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
	if (pid == 0)
		_exit(write(from[1], "r", 1) == 1 ? 7 : 94);
	printf("child: %d\n", status_of(pid));
	pid = _Fork ? _Fork() : -1;
	if (pid < 0) /* the library has the name, and no function behind it */
		pid = syscall(SYS_fork);
	if (pid == 0)
		_exit(read(from[0], &pid, 1) == 1 ? 8 : 95);
	printf("child: %d\n", status_of(pid));
	return NULL;
}

static pthread_mutex_t held = PTHREAD_MUTEX_INITIALIZER;

static void lock_held(void)
{
	pthread_mutex_lock(&held);
}
static void unlock_held(void)
{
	pthread_mutex_unlock(&held);
}

static void *locker(void *arg)
{
	volatile int *stop = arg;
	long n = 0;

	while (!*stop) {
		pthread_mutex_lock(&held);
		n++;
		pthread_mutex_unlock(&held);
	}
	return (void *)n;
}

/* Forks while others lock all the time; the program's own handlers keep the lock whole. */
static void *fork_storm_body(void *arg)
{
	long good = 0;

	for (int i = 0; i < 25; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			pthread_mutex_lock(&held);
			_exit(9);
		}
		good += status_of(pid) == 9;
	}
	return (void *)good;
}

static void *fork_storm(void *arg)
{
	static volatile int stop;
	pthread_t t[4], l;
	long sum = 0;

	pthread_atfork(lock_held, unlock_held, unlock_held);
	l = spawn(locker, (void *)&stop);
	for (int i = 0; i < 4; i++)
		t[i] = spawn(fork_storm_body, NULL);
	for (int i = 0; i < 4; i++)
		sum += (long)join(t[i]);
	stop = 1;
	printf("locker worked: %d\n", (long)join(l) > 0);
	printf("good children: %ld\n", sum);
	return NULL;
}

/* --- vfork, posix_spawn, system, popen --- */

static void *vfork_exec(void *arg)
{
	char *argv[] = { (char *)"true", NULL };

	for (volatile int i = 0; i < 20; i++) {
		pid_t pid = vfork();

		if (pid == 0) {
			execv("/bin/true", argv);
			_exit(96);
		}
		check(status_of(pid) == 0, "vfork and exec");
		pid = vfork();
		if (pid == 0)
			_exit(i);
		check(status_of(pid) == i, "vfork and _exit");
	}
	printf("20 vforks\n");
	return NULL;
}

static void *spawn_and_shell(void *arg)
{
	char *argv[] = { (char *)"sh", (char *)"-c", (char *)"exit 11", NULL };
	char line[64] = "";
	pid_t pid;
	FILE *f;

	check(posix_spawn(&pid, "/bin/sh", NULL, NULL, argv, environ) == 0, "posix_spawn");
	printf("posix_spawn: %d\n", status_of(pid));
	printf("system: %d\n", WEXITSTATUS(system("exit 12")));
	f = popen("echo from popen", "r");
	check(f && fgets(line, sizeof(line), f), "popen");
	printf("popen: %spclose: %d\n", line, pclose(f));
	return NULL;
}

/* --- exec, daemon --- */

static void *exec_self(void *arg)
{
	char *argv[] = { (char *)self, (char *)"after_exec", NULL };
	pid_t pid = fork();

	if (pid == 0) {
		execv(self, argv);
		_exit(97);
	}
	printf("child: %d\n", status_of(pid));
	return NULL;
}

static void case_after_exec(void)
{
	printf("after exec: %d threads\n", task_count(getpid()));
	printf("then they %s\n", threads_work() ? "are broken" : "work");
}

static void *exec_now(void *arg)
{
	char *argv[] = { (char *)self, (char *)"after_exec", NULL };

	fflush(stdout);
	execv(self, argv);
	return NULL;
}

/* exec by a thread that is not main ends all the others. */
static void case_exec_from_thread(void)
{
	make_pipe(to);
	spawn(reader, NULL);
	hog_start(&hog);
	join(spawn(exec_now, NULL));
}

static void ignore(int sig)
{
}

/* Threads that compute are preempted all the time while another one executes: no signal of the
 * library's may reach the new program, which has no handler for it. */
static void storm(bool by_number)
{
	struct sigaction sa = { .sa_handler = ignore };
	char *argv[] = { (char *)"true", NULL };
	int good = 0;

	for (int i = 0; i < 20; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			struct hog h[3];

			if (i & 1 || by_number)
				sigaction(SIGURG, &sa, NULL);
			for (int k = 0; k < 3; k++)
				hog_start(&h[k]);
			if (!by_number)
				execv("/bin/true", argv);
			else if (i & 1)
				syscall(SYS_execve, "/bin/true", argv, environ);
			else
				syscall(SYS_execveat, -1, "/bin/true", argv, environ, 0);
			_exit(97);
		}
		good += status_of(pid) == 0;
	}
	printf("executed: %d\n", good);
}

static void *exec_storm(void *arg)
{
	storm(false);
	return NULL;
}

static void *exec_storm_by_number(void *arg)
{
	storm(true);
	return NULL;
}

static void *daemon_child(void *arg)
{
	pid_t pid = fork();

	if (pid == 0) {
		if (daemon(1, 1) < 0)
			_exit(98);
		/* Its parent is gone; it tells by the pipe. */
		if (task_count(getpid()) == 1 && threads_work() == 0)
			put(from[1]);
		_exit(0);
	}
	printf("first child: %d\n", status_of(pid));
	get(from[0]);
	printf("the daemon works\n");
	return NULL;
}

/* --- what has the number of stderr and is none --- */

static void *idles(void *arg)
{
	usleep(20000);
	return arg;
}

/* As a daemon that closes its standard streams and opens its data.  It makes more threads than the
 * test lets it, and ends in a way that the library is asked to tell of.
 */
static void keeps_data_at_2(const char *path, int sig)
{
	pthread_t t[8];

	for (int fd = 0; fd < 3; fd++)
		close(fd);
	for (int fd = 0; fd < 3; fd++)
		if (open(path, O_RDWR) != fd)
			_exit(89);
	if (write(2, "data", 4) != 4)
		_exit(88);
	for (int i = 0; i < 8; i++)
		if (pthread_create(&t[i], NULL, idles, NULL))
			t[i] = 0;
	for (int i = 0; i < 8; i++)
		if (t[i])
			pthread_join(t[i], NULL);
	raise(sig);
	exit(0);
}

static void case_data_at_2(void)
{
	static const int sigs[] = { SIGCHLD, SIGQUIT };

	for (int i = 0; i < 2; i++) {
		char path[] = "/tmp/gmp-test-XXXXXX", text[512];
		int fd = mkstemp(path);
		pid_t pid;
		ssize_t n;

		check(fd >= 0, "mkstemp");
		pid = fork();
		if (pid == 0)
			keeps_data_at_2(path, sigs[i]);
		status_of(pid); /* SIGQUIT: with a dump there is another one */
		n = read(fd, text, sizeof(text) - 1);
		text[n > 0 ? n : 0] = 0;
		printf("written: %s\n", text);
		unlink(path);
		close(fd);
	}
}

#define BESIDE(name) \
	static void case_##name(void) \
	{ \
		beside(name); \
	}
BESIDE(fork_plain)
BESIDE(fork_with_threads)
BESIDE(fork_in_the_loader)
BESIDE(fork_twice)
BESIDE(fork_raw)
BESIDE(fork_storm)
BESIDE(vfork_exec)
BESIDE(spawn_and_shell)
BESIDE(exec_self)
BESIDE(exec_storm)
BESIDE(exec_storm_by_number)
BESIDE(daemon_child)

static const struct a_case cases[] = {
	{ "fork_plain", case_fork_plain },
	{ "fork_with_threads", case_fork_with_threads },
	{ "fork_in_the_loader", case_fork_in_the_loader },
	{ "fork_twice", case_fork_twice },
	{ "fork_alone", case_fork_alone },
	{ "fork_raw", case_fork_raw },
	{ "fork_storm", case_fork_storm },
	{ "vfork_exec", case_vfork_exec },
	{ "spawn_and_shell", case_spawn_and_shell },
	{ "exec_self", case_exec_self },
	{ "after_exec", case_after_exec },
	{ "exec_from_thread", case_exec_from_thread },
	{ "exec_storm", case_exec_storm },
	{ "exec_storm_by_number", case_exec_storm_by_number },
	{ "daemon_child", case_daemon_child },
	{ "data_at_2", case_data_at_2 },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	self = argv[0];
	/* Children share our stdout: nothing of ours may sit in their buffer. */
	setvbuf(stdout, NULL, _IONBF, 0);
	run_named_case(cases, argc, argv);
	return 0;
}

/* Victim: shapes of programs that a cap could hang or slow: threads that spin for each other,
 * thousands that are blocked, calls that fail, and calls that must not be touched at all.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "tests/progs/preload/cases.h"
#include "tests/support/task.h"
#include "tests/support/wait.h"

static volatile int flag, turn;
static int to[2];

/* --- spinning --- */

static void *sets_flag(void *arg)
{
	flag = 1;
	return NULL;
}

static void case_spin_on_flag(void)
{
	pthread_t t = spawn(sets_flag, NULL);

	while (!flag)
		;
	join(t);
	printf("flag seen\n");
}

static void case_spin_with_yield(void)
{
	pthread_t t = spawn(sets_flag, NULL);

	while (!flag)
		sched_yield();
	join(t);
	printf("flag seen\n");
}

static void *takes_turns(void *arg)
{
	long me = (long)arg;

	for (int i = 0; i < 10; i++) {
		while (turn != me)
			;
		turn = (turn + 1) % 3;
	}
	return NULL;
}

/* Three threads hand a word round by spinning: every hand-over needs a preemption at one P. */
static void case_spin_round(void)
{
	pthread_t t[3];

	for (long i = 0; i < 3; i++)
		t[i] = spawn(takes_turns, (void *)i);
	for (int i = 0; i < 3; i++)
		join(t[i]);
	printf("30 turns\n");
}

static void *takes_turns_yielding(void *arg)
{
	long me = (long)arg;

	for (int i = 0; i < 1000; i++) {
		while (turn != me)
			sched_yield();
		turn = (turn + 1) % 3;
	}
	return NULL;
}

static void case_yield_round(void)
{
	pthread_t t[3];

	for (long i = 0; i < 3; i++)
		t[i] = spawn(takes_turns_yielding, (void *)i);
	for (int i = 0; i < 3; i++)
		join(t[i]);
	printf("3000 turns\n");
}

static pthread_spinlock_t spin;
static long counter;

static void *spin_adds(void *arg)
{
	for (int i = 0; i < 20000; i++) {
		pthread_spin_lock(&spin);
		counter++;
		pthread_spin_unlock(&spin);
	}
	return NULL;
}

static void case_spinlock(void)
{
	pthread_t t[8];

	pthread_spin_init(&spin, 0);
	for (int i = 0; i < 8; i++)
		t[i] = spawn(spin_adds, NULL);
	for (int i = 0; i < 8; i++)
		join(t[i]);
	printf("counter %ld\n", counter);
}

/* --- 2,000 blocked readers and a hog --- */

#define READERS 2000

static int reader_fd[READERS][2];
static volatile int in_read, finished;

static void *reader(void *arg)
{
	__atomic_add_fetch(&in_read, 1, __ATOMIC_RELEASE);
	get(reader_fd[(long)arg][0]);
	__atomic_add_fetch(&finished, 1, __ATOMIC_RELEASE);
	return NULL;
}

struct share {
	volatile int stop;
	double of_wall;
};

/* CPU time plus the time it wanted a CPU and the machine had none: what is missing to the wall
 * clock is time in which the library let it wait. */
static void *measured_hog(void *arg)
{
	struct share *s = arg;
	int64_t d0 = task_delay_ns(gettid()), t0 = now_ns(), c0 = thread_cpu_ns(), wall, cpu;

	do
		for (volatile int i = 0; i < 100000; i++)
			;
	while (now_ns() - t0 < NS_PER_S);
	wall = now_ns() - t0;
	cpu = thread_cpu_ns() - c0;
	s->of_wall = (double)(cpu + task_delay_ns(gettid()) - d0) / wall;
	return NULL;
}

static void raise_limit(void)
{
	struct rlimit l;

	getrlimit(RLIMIT_NOFILE, &l);
	l.rlim_cur = l.rlim_max;
	setrlimit(RLIMIT_NOFILE, &l);
}

static void case_two_thousand_readers(void)
{
	static pthread_t t[READERS];
	static struct share share;
	pthread_attr_t attr;

	raise_limit();
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (long i = 0; i < READERS; i++) {
		make_pipe(reader_fd[i]);
		errno = pthread_create(&t[i], &attr, reader, (void *)i);
		check(errno == 0, "pthread_create");
	}
	must_word("2000 threads to start", &in_read, READERS);
	join(spawn(measured_hog, &share));
	if (share.of_wall > 0.95)
		printf("the hog kept its CPU\n");
	else
		printf("the hog had %.1f %%\n", share.of_wall * 100);
	for (int i = 0; i < READERS; i++)
		put(reader_fd[i][1]);
	for (int i = 0; i < READERS; i++)
		join(t[i]);
	printf("%d finished\n", finished);
}

/* --- errno through calls that fail while others want the P --- */

static void *fails(void *arg)
{
	int pair[2], good = 0;
	char c;

	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0, "socketpair");
	for (int i = 0; i < 300; i++) {
		good += read(pair[0], &c, 1) < 0 && errno == EAGAIN;
		good += write(-1, &c, 1) < 0 && errno == EBADF;
		good += accept(pair[0], NULL, NULL) < 0 && errno == EINVAL;
		good += recv(pair[0], &c, 1, 0) < 0 && errno == EAGAIN;
		good += fsync(pair[0]) < 0 && errno == EINVAL;
		errno = 4711;
		good += poll(NULL, 0, 0) == 0 && errno == 4711;
		usleep(10);
		good += errno == 4711;
	}
	return (void *)(long)good;
}

static void case_errno(void)
{
	struct hog hog;
	pthread_t t[4];
	long good = 0;

	hog_start(&hog);
	for (int i = 0; i < 4; i++)
		t[i] = spawn(fails, NULL);
	for (int i = 0; i < 4; i++)
		good += (long)join(t[i]);
	hog_stop(&hog);
	printf("right errno: %ld\n", good);
}

/* --- the vDSO is left alone --- */

static void refuse_clock_syscalls(void)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_gettime, 4, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_gettimeofday, 3, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_time, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getcpu, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog prog = { sizeof(f) / sizeof(f[0]), f };

	check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
	/* This thread alone: the library's own threads may ask the kernel what they like. */
	check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0, "seccomp");
}

static void whose(const char *name)
{
	Dl_info info;
	void *f = dlsym(RTLD_DEFAULT, name);

	check(f && dladdr(f, &info), name);
	/* An interceptor would be a bracket; libc's own, or the vDSO's, is none. */
	printf("%s: %s\n", name, strstr(info.dli_fname, "libgmp") ? "intercepted" : "libc's own");
}

static void *asks_the_time(void *arg)
{
	struct timespec ts;
	struct timeval tv;
	unsigned cpu, node, good = 0;

	refuse_clock_syscalls();
	for (int i = 0; i < 10000; i++) {
		good += clock_gettime(CLOCK_MONOTONIC, &ts) == 0;
		good += clock_gettime(CLOCK_REALTIME, &ts) == 0;
		good += gettimeofday(&tv, NULL) == 0;
		good += time(NULL) > 0;
		good += getcpu(&cpu, &node) == 0;
		good += sched_getcpu() >= 0;
	}
	return (void *)(long)good;
}

static void case_vdso(void)
{
	struct hog hog;

	whose("clock_gettime");
	whose("gettimeofday");
	whose("time");
	whose("getcpu");
	whose("sched_getcpu");
	hog_start(&hog);
	printf("no kernel entry in %ld calls\n", (long)join(spawn(asks_the_time, NULL)));
	hog_stop(&hog);
}

/* --- the thread limit (GMP_MAXTHREADS) --- */

static void *blocks(void *arg)
{
	get(to[0]);
	return NULL;
}

static void case_create_20(void)
{
	pthread_t t[20];
	int made = 0, refused = 0, err = 0, again;

	make_pipe(to);
	for (int i = 0; i < 20; i++) {
		int e = pthread_create(&t[made], NULL, blocks, NULL);

		made += e == 0;
		refused += e != 0;
		err = e ? e : err;
	}
	for (int i = 0; i < made; i++)
		put(to[1]);
	for (int i = 0; i < made; i++)
		join(t[i]);
	/* The dead make room. */
	again = pthread_create(&t[0], NULL, blocks, NULL);
	if (again == 0) {
		put(to[1]);
		join(t[0]);
	}
	printf("made %d, refused %d with %s, then %s\n", made, refused,
	       err == EAGAIN ? "EAGAIN"
	       : err	     ? error_name(err)
			     : "nothing",
	       again ? error_name(again) : "made");
}

/* Some work for lines of statistics: two hogs that take turns and readers that wake. */
static void case_busy(void)
{
	struct hog a, b;
	pthread_t t[4];

	make_pipe(to);
	hog_start(&a);
	hog_start(&b);
	for (int round = 0; round < 8; round++) {
		for (int i = 0; i < 4; i++)
			t[i] = spawn(blocks, NULL);
		usleep(50000);
		for (int i = 0; i < 4; i++)
			put(to[1]);
		for (int i = 0; i < 4; i++)
			join(t[i]);
	}
	hog_stop(&a);
	hog_stop(&b);
	printf("busy for a while\n");
}

/* --- one thread only --- */

static void case_single(void)
{
	struct rusage before, after;

	usleep(1000);
	getrusage(RUSAGE_SELF, &before);
	printf("threads: %d\n", task_count(getpid()));
	poll(NULL, 0, 50);
	getrusage(RUSAGE_SELF, &after);
	/* One wait is one switch away from us; anybody else's threads would show here. */
	printf("switches in one wait: %s\n",
	       after.ru_nvcsw - before.ru_nvcsw <= 2 ? "few" : "many");
}

static void case_nothing(void)
{
}

/* --- blocked for good: no CPU is used --- */

static void case_idle(void)
{
	struct timespec t0, t1;
	pthread_t t[3];

	make_pipe(to);
	for (int i = 0; i < 3; i++)
		t[i] = spawn(blocks, NULL);
	usleep(20000);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t0);
	usleep(500000);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t1);
	int64_t used = (t1.tv_sec - t0.tv_sec) * NS_PER_S + t1.tv_nsec - t0.tv_nsec;
	if (used < NS_PER_MS)
		printf("idle costs nothing\n");
	else
		printf("idle used %ld us in half a second\n", (long)(used / 1000));
	for (int i = 0; i < 3; i++)
		put(to[1]);
	for (int i = 0; i < 3; i++)
		join(t[i]);
}

/* --- first calls while another thread holds the loader's lock --- */

static volatile int loader_held;

static void *loads(void *arg)
{
	return dlopen(SLOWLIB, RTLD_NOW);
}

/* What has never been called before must not need the loader now: it does not natively. */
static void first_calls(void)
{
	struct timespec past = { 1, 0 };
	pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
	pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	sem_t sem;
	char buf[64];

	sem_init(&sem, 0, 1);
	printf("%d", msgrcv(-1, buf, 1, 0, 0) < 0);
	printf("%d", semop(-1, (struct sembuf *)buf, 1) < 0);
	printf("%d", mq_receive(-1, buf, 1, NULL) < 0);
	printf("%d", tcdrain(-1) < 0);
	printf("%d", sem_wait(&sem) == 0);
	printf("%d", sem_timedwait(&sem, &past) < 0);
	printf("%d", pthread_rwlock_timedwrlock(&rw, &past) == 0);
	pthread_mutex_lock(&mutex);
	printf("%d", pthread_cond_timedwait(&cond, &mutex, &past) == ETIMEDOUT);
	printf("%d", epoll_wait(-1, (struct epoll_event *)buf, 1, 1) < 0);
	printf("%d", waitpid(-1, NULL, 0) < 0);
	printf("%d\n", splice(-1, NULL, -1, NULL, 1, 0) < 0);
}

static void *first_calls_of_a_thread(void *arg)
{
	first_calls();
	return NULL;
}

static void case_loader_lock_held(void)
{
	char fd[16], held[32];
	pthread_t t;

	make_pipe(to);
	snprintf(fd, sizeof(fd), "%d", to[0]);
	snprintf(held, sizeof(held), "%p", (void *)&loader_held);
	setenv("SLOWLIB_FD", fd, 1);
	setenv("SLOWLIB_HELD", held, 1);
	t = spawn(loads, NULL);
	must_word("the constructor to start", &loader_held, 1);
	join(spawn(first_calls_of_a_thread, NULL));
	put(to[1]);
	printf("loaded: %s\n", join(t) ? "yes" : "no");
}

/* --- a close by the first thread is the last close --- */

struct lock_file {
	char path[64];
	int fd;
};

static void *closes_and_locks_again(void *arg)
{
	struct lock_file *l = arg;
	int fd;

	close(l->fd);
	fd = open(l->path, O_RDWR);
	return (void *)(long)(flock(fd, LOCK_EX | LOCK_NB) == 0);
}

/* Whoever else held our descriptors would hold the lock; each round is a program's first thread. */
static void case_close_is_the_last(void)
{
	struct lock_file l;
	int good = 0;

	for (int i = 0; i < 300; i++) {
		int status = 1;
		pid_t pid = fork();

		if (pid == 0) {
			snprintf(l.path, sizeof(l.path), "/tmp/gmp-last-%d", getpid());
			l.fd = open(l.path, O_RDWR | O_CREAT, 0600);
			check(flock(l.fd, LOCK_EX) == 0, "flock");
			void *res = join(spawn(closes_and_locks_again, &l));
			unlink(l.path);
			_exit(res ? 0 : 1);
		}
		check(waitpid(pid, &status, 0) == pid, "waitpid");
		good += status == 0;
	}
	printf("free at once: %d\n", good);
}

/* Threads of a program that has two; a third one is the library's. */
static void case_tasks(void)
{
	pthread_t t;

	make_pipe(to);
	t = spawn(blocks, NULL);
	printf("tasks: %d\n", task_count(getpid()));
	put(to[1]);
	join(t);
}

static const struct a_case cases[] = {
	{ "spin_on_flag", case_spin_on_flag },
	{ "spin_with_yield", case_spin_with_yield },
	{ "spin_round", case_spin_round },
	{ "yield_round", case_yield_round },
	{ "spinlock", case_spinlock },
	{ "two_thousand_readers", case_two_thousand_readers },
	{ "errno", case_errno },
	{ "vdso", case_vdso },
	{ "create_20", case_create_20 },
	{ "busy", case_busy },
	{ "single", case_single },
	{ "nothing", case_nothing },
	{ "idle", case_idle },
	{ "tasks", case_tasks },
	{ "close_is_the_last", case_close_is_the_last },
	{ "loader_lock_held", case_loader_lock_held },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	run_named_case(cases, argc, argv);
	return 0;
}

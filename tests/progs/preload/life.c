/* Victim: how threads and the process end, with a hog beside them that wants the only P. */
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/progs/preload/cases.h"
#include "tests/support/task.h"
#include "tests/support/wait.h"

static int to[2], from[2];
static volatile pid_t tid;
static volatile int word;

static void say_bye(void)
{
	printf("atexit ran\n");
}

/* --- the main thread leaves first --- */

static void *outlives_main(void *arg)
{
	get(to[0]);
	for (volatile int i = 0; i < 3000000; i++)
		;
	put(from[1]);
	return NULL;
}

static void *last_one(void *arg)
{
	/* The main thread is a zombie by now, or soon. */
	for (int i = 0; i < 3; i++)
		put(to[1]);
	for (int i = 0; i < 3; i++)
		get(from[0]);
	printf("all done\n");
	return NULL;
}

static void case_main_exits_first(void)
{
	make_pipe(to);
	make_pipe(from);
	atexit(say_bye);
	for (int i = 0; i < 3; i++)
		pthread_detach(spawn(outlives_main, NULL));
	pthread_detach(spawn(last_one, NULL));
	pthread_exit(NULL);
}

static void *exits_with_5(void *arg)
{
	exit(5);
}

static void *exits_with_another(void *arg)
{
	__atomic_fetch_add(&word, 1, __ATOMIC_SEQ_CST);
	while (word < 2)
		sched_yield();
	_exit(7);
}

static void case_exits_at_once(void)
{
	spawn(exits_with_another, NULL);
	exits_with_another(NULL);
}

static void *reads_for_ever(void *arg)
{
	tid = gettid();
	get(to[0]);
	return NULL;
}

static struct hog hog;

/* One thread blocked, one hog, main in join: exit is the process's end all the same. */
static void case_exit_from_thread(void)
{
	make_pipe(to);
	atexit(say_bye);
	spawn(reads_for_ever, NULL);
	hog_start(&hog);
	must_block((pid_t *)&tid);
	join(spawn(exits_with_5, NULL));
}

static void case_return_from_main(void)
{
	make_pipe(to);
	atexit(say_bye);
	spawn(reads_for_ever, NULL);
	hog_start(&hog);
	must_block((pid_t *)&tid);
}

/* --- cancellation --- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void count_word(void *arg)
{
	word++;
}

static void *locks_then_tests(void *arg)
{
	tid = gettid();
	pthread_cleanup_push(count_word, NULL);
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
	pthread_testcancel();
	pthread_cleanup_pop(0);
	return NULL;
}

/* The request comes while the thread is blocked in what is no cancellation point. */
static void case_cancel_while_waiting(void)
{
	pthread_t t;

	pthread_mutex_lock(&mutex);
	t = spawn(locks_then_tests, NULL);
	must_block((pid_t *)&tid);
	hog_start(&hog);
	pthread_cancel(t);
	pthread_mutex_unlock(&mutex);
	void *res = join(t);
	printf("%s, cleanup ran %d time\n", res == PTHREAD_CANCELED ? "canceled" : "no", word);
	hog_stop(&hog);
}

static void *computes_async(void *arg)
{
	int old;

	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
	tid = gettid();
	for (;;)
		word++;
	return NULL;
}

/* Computing threads that take turns: the request finds each running or parked by a preemption. */
static void case_cancel_async(void)
{
	pthread_t t[4];

	hog_start(&hog);
	for (int i = 0; i < 4; i++)
		t[i] = spawn(computes_async, NULL);
	must_word("a computing thread to run", &word, 1);
	for (int i = 0; i < 4; i++) {
		pthread_cancel(t[i]);
		printf("%s\n", join(t[i]) == PTHREAD_CANCELED ? "canceled" : "no");
	}
	hog_stop(&hog);
}

/* An asynchronous request that finds its thread parked for a P after a call. */
static void *reads_async(void *arg)
{
	int old;
	char c;

	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &old);
	tid = gettid();
	for (;;)
		if (read(to[0], &c, 1) == 1)
			word++;
	return NULL;
}

static void case_cancel_async_parked(void)
{
	struct hog h[2];

	make_pipe(to);
	for (int round = 0; round < 10; round++) {
		pthread_t t = spawn(reads_async, NULL);

		must_block((pid_t *)&tid);
		hog_start(&h[0]);
		hog_start(&h[1]);
		put(to[1]);
		pthread_cancel(t);
		check(join(t) == PTHREAD_CANCELED, "cancel");
		hog_stop(&h[0]);
		hog_stop(&h[1]);
		tid = 0;
	}
	printf("canceled 10 times\n");
}

/* --- pthread_exit, detached, thread-specific data --- */

static void (*volatile leave_below)(long depth);

static void leave_from_below(long depth)
{
	get(to[0]);
	if (depth == 0)
		pthread_exit((void *)42L);
	leave_below(depth - 1);
}

static void *leaves(void *arg)
{
	pthread_cleanup_push(count_word, NULL);
	leave_below = leave_from_below;
	leave_below(5);
	pthread_cleanup_pop(0);
	return NULL;
}

static void case_pthread_exit(void)
{
	pthread_t t;

	make_pipe(to);
	t = spawn(leaves, NULL);
	hog_start(&hog);
	for (int i = 0; i < 6; i++)
		put(to[1]);
	long res = (long)join(t);
	printf("result %ld, cleanup ran %d time\n", res, word);
	hog_stop(&hog);
}

static void *detached_body(void *arg)
{
	get(to[0]);
	put(from[1]);
	return NULL;
}

static bool one_thread(void *arg)
{
	return task_count(getpid()) <= 1 + (under_library() ? 1 : 0);
}

/* The library keeps one thread of its own once there were two: the watcher. */
static void case_detached(void)
{
	make_pipe(to);
	make_pipe(from);
	for (int i = 0; i < 50; i++)
		pthread_detach(spawn(detached_body, NULL));
	for (int i = 0; i < 50; i++)
		put(to[1]);
	for (int i = 0; i < 50; i++)
		get(from[0]);
	must_reach("the detached threads to be gone", one_thread, NULL);
	printf("50 came and went\n");
}

static void *nothing(void *arg)
{
	return arg;
}

/* libc's, counted by thread: a first call makes a cache and maybe an arena for it, and waits
 * for who holds the lock of one. */
static __thread int mallocs;
extern void *__libc_malloc(size_t size);
extern void __libc_free(void *p);

void *malloc(size_t size)
{
	mallocs++;
	return __libc_malloc(size);
}

void free(void *p)
{
	mallocs += p != NULL;
	__libc_free(p);
}

static void *counts(void *arg)
{
	return (void *)(long)mallocs;
}

static void case_born_without_malloc(void)
{
	long sum = 0;

	for (int i = 0; i < 10; i++)
		sum += (long)join(spawn(counts, NULL));
	printf("mallocs: %ld\n", sum);
}

static bool alone(void *arg)
{
	return task_count(getpid()) == 1;
}

/* glibc's own tests wait so for a thread that has ended and is not joined yet. */
static void case_alone_again(void)
{
	make_pipe(to);
	for (int i = 0; i < 20; i++) {
		pthread_t t = spawn(nothing, NULL);

		must_reach("one task to be left", alone, NULL);
		join(t);
		if (i & 1)
			usleep(9000 + i * 100);
	}
	pthread_t t = spawn(reads_for_ever, NULL); /* the watcher is back: at one P, too */
	hog_start(&hog);
	must_block((pid_t *)&tid);
	put(to[1]);
	join(t);
	hog_stop(&hog);
	must_reach("one task to be left", alone, NULL);
	printf("alone 21 times\n");
}

static bool main_is_gone(void *arg)
{
	char path[64], text[256] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", (int)getpid());
	f = fopen(path, "r");
	check(f && fgets(text, sizeof(text), f), "the main thread's state");
	fclose(f);
	return strstr(text, ") Z");
}

/* The kernel's exit and nothing of libc's. */
static void *ends_unseen(void *arg)
{
	__asm__ volatile("syscall" ::"a"(SYS_exit), "D"(0) : "rcx", "r11", "memory");
	return arg;
}

static void ends_here(int sig)
{
	ends_unseen(NULL);
}

static void *ends_soon_unseen(void *arg)
{
	must_reach("the main thread to have ended", main_is_gone, NULL);
	return ends_unseen(arg);
}

static void case_all_end_unseen(void)
{
	printf("two threads and the main one\n");
	fflush(stdout);
	for (int i = 0; i < 2; i++)
		spawn(i ? ends_unseen : ends_soon_unseen, NULL);
	ends_unseen(NULL);
}

/* Some while they run, some by a handler in a call; then they are joined, and count no more. */
static void case_threads_end_unseen(void)
{
	make_pipe(to);
	signal(SIGUSR1, ends_here);
	hog_start(&hog);
	for (int i = 0; i < 50; i++)
		join(spawn(ends_unseen, NULL));
	for (int i = 0; i < 5; i++) {
		pthread_t t = spawn(reads_for_ever, NULL);

		must_block((pid_t *)&tid);
		check(pthread_kill(t, SIGUSR1) == 0, "pthread_kill");
		join(t);
		tid = 0;
	}
	hog_stop(&hog);
	must_reach("one task to be left, or two", one_thread, NULL);
	printf("alone: %d\n", unshare(CLONE_NEWUSER) == 0 || errno != EINVAL);
}

/* --- the kernel has no room for one more --- */

#define MB (1ul << 20)

static void *waits_its_turn(void *arg)
{
	get(to[0]);
	put(from[1]);
	return NULL;
}

/* As many as there may be; each of them works. */
static int fill_up(const pthread_attr_t *attr)
{
	pthread_t t[16];
	int n = 0, err = 0;

	while (n < 16 && !err) {
		err = pthread_create(&t[n], attr, waits_its_turn, NULL);
		n += !err;
	}
	for (int i = 0; i < n; i++) {
		put(to[1]);
		get(from[0]);
	}
	for (int i = 0; i < n; i++)
		join(t[i]);
	printf("%d threads, then %s\n", n, err == EAGAIN ? "EAGAIN" : strerror(err));
	return n;
}

/* A user that nobody else is, for the kernel counts all threads of a user. */
static void case_as_many_as_allowed(void)
{
	struct rlimit most = { 6, 6 };
	uid_t uid = 1000000 + getpid();

	if (setresuid(uid, uid, uid) != 0)
		exit(77);
	check(setrlimit(RLIMIT_NPROC, &most) == 0, "setrlimit");
	make_pipe(to);
	make_pipe(from);
	fill_up(NULL);
	hog_start(&hog);
	fill_up(NULL);
	hog_stop(&hog);
	fill_up(NULL);
}

/* With three megabytes to spare; a stack of the usual size has eight. */
static void case_as_many_as_fit(void)
{
	struct rlimit usual = { 8 * MB, RLIM_INFINITY }, most;
	pthread_attr_t attr;
	unsigned long pages = 0;
	FILE *f;

	check(setrlimit(RLIMIT_STACK, &usual) == 0, "setrlimit");
	make_pipe(to);
	make_pipe(from);
	f = fopen("/proc/self/statm", "r");
	check(f && fscanf(f, "%lu", &pages) == 1, "statm");
	fclose(f);
	most.rlim_cur = most.rlim_max = pages * 4096 + (3 * 4 + 3) * MB;
	check(setrlimit(RLIMIT_AS, &most) == 0, "setrlimit");
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 4 * MB);
	fill_up(&attr);
	fill_up(&attr);
}

static void *asks_too_much(void *arg)
{
	pthread_attr_t attr;
	pthread_t t;
	int refused = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 1ul << 46);
	for (int i = 0; i < 20; i++)
		refused += pthread_create(&t, &attr, nothing, NULL) == EAGAIN;
	printf("refused %d times\n", refused);
	return NULL;
}

/* By two threads at once, and the scheduler goes on. */
static void case_too_much_is_refused(void)
{
	pthread_t t[2];

	hog_start(&hog);
	for (int i = 0; i < 2; i++)
		t[i] = spawn(asks_too_much, NULL);
	for (int i = 0; i < 2; i++)
		join(t[i]);
	hog_stop(&hog);
	for (int i = 0; i < 50; i++)
		join(spawn(nothing, NULL));
}

static pthread_key_t key;

static void destructor(void *value)
{
	/* A destructor may do all that a thread may. */
	get(to[0]);
	pthread_mutex_lock(&mutex);
	word++;
	pthread_mutex_unlock(&mutex);
	if ((long)value > 1)
		pthread_setspecific(key, (void *)((long)value - 1));
}

static void *with_data(void *arg)
{
	pthread_setspecific(key, (void *)2L);
	return NULL;
}

static void case_destructors_block(void)
{
	pthread_t t[5];

	make_pipe(to);
	pthread_key_create(&key, destructor);
	for (int i = 0; i < 5; i++)
		t[i] = spawn(with_data, NULL);
	hog_start(&hog);
	for (int i = 0; i < 10; i++)
		put(to[1]);
	for (int i = 0; i < 5; i++)
		join(t[i]);
	printf("destructors ran %d times\n", word);
	hog_stop(&hog);
}

static void case_many_one_after_the_other(void)
{
	long sum = 0;

	for (long i = 0; i < 1000; i++)
		sum += (long)join(spawn(nothing, (void *)i));
	printf("sum %ld\n", sum);
}

static const struct a_case cases[] = {
	{ "main_exits_first", case_main_exits_first },
	{ "exit_from_thread", case_exit_from_thread },
	{ "exits_at_once", case_exits_at_once },
	{ "return_from_main", case_return_from_main },
	{ "cancel_while_waiting", case_cancel_while_waiting },
	{ "cancel_async", case_cancel_async },
	{ "cancel_async_parked", case_cancel_async_parked },
	{ "pthread_exit", case_pthread_exit },
	{ "detached", case_detached },
	{ "alone_again", case_alone_again },
	{ "born_without_malloc", case_born_without_malloc },
	{ "all_end_unseen", case_all_end_unseen },
	{ "as_many_as_allowed", case_as_many_as_allowed },
	{ "as_many_as_fit", case_as_many_as_fit },
	{ "too_much_is_refused", case_too_much_is_refused },
	{ "threads_end_unseen", case_threads_end_unseen },
	{ "destructors_block", case_destructors_block },
	{ "many_one_after_the_other", case_many_one_after_the_other },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	run_named_case(cases, argc, argv);
	return 0;
}

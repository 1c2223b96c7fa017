/*
 * Victim: `stuck deadlock` two threads that hold one mutex each and want the other's; `stuck spin`
 * four threads that only compute; `stuck pipe` a thread that reads what never comes; `stuck loader`
 * the same with the loader's lock; `stuck heap` with malloc's memory overwritten; `stuck vfork` a
 * thread that the kernel keeps until its child ends, and stops for nobody.  main joins the first.
 * Says "ready" when it is so.  A second word is its name from then on.
 */
#include <fcntl.h>
#include <link.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/support/wait.h"

static pthread_mutex_t locks[2] = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_MUTEX_INITIALIZER };
static pthread_barrier_t both_hold_one;
static volatile int tids[4], spins;
static pthread_t threads[4];

static void *lock_both(void *arg)
{
	long i = (long)arg;

	pthread_mutex_lock(&locks[i]);
	pthread_barrier_wait(&both_hold_one);
	tids[i] = (int)syscall(SYS_gettid);
	pthread_mutex_lock(&locks[1 - i]);
	return NULL;
}

static void *spin_here(void *arg)
{
	tids[(long)arg] = 1;
	for (;;)
		spins++;
	return NULL;
}

static void *read_for_ever(void *arg)
{
	int fd[2];
	char c;

	if (pipe(fd))
		die("no pipe");
	tids[0] = (int)syscall(SYS_gettid);
	return (void *)read(fd[0], &c, 1);
}

static void *vfork_for_ever(void *arg)
{
	tids[0] = (int)syscall(SYS_gettid);
	if (vfork() == 0) {
		pause();
		_exit(0);
	}
	return NULL;
}

static int in_callback(struct dl_phdr_info *info, size_t size, void *arg)
{
	read_for_ever(arg);
	return 1;
}

static void *hold_loader(void *arg)
{
	dl_iterate_phdr(in_callback, arg);
	return NULL;
}

/* What malloc keeps between the blocks, and the blocks of others. */
static void wreck_heap(void)
{
	char *at = malloc(16);

	memset(at - 4096, 0x41, 8192);
}

/* In the kernel, in a call that nothing but a wake-up ends. */
static bool sleeps(void *tid)
{
	char path[64], line[16] = "";
	int fd;

	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", *(volatile int *)tid);
	fd = open(path, O_RDONLY);
	if (read(fd, line, sizeof(line) - 1) < 0)
		line[0] = 0;
	close(fd);
	return line[0] >= '0' && line[0] <= '9';
}

static void start(int n, void *(*body)(void *), bool asleep)
{
	for (long i = 0; i < n; i++)
		pthread_create(&threads[i], NULL, body, (void *)i);
	for (int i = 0; i < n; i++) {
		must_word("thread", &tids[i], 1);
		if (asleep)
			must_reach("asleep", sleeps, (void *)&tids[i]);
	}
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";

	pthread_barrier_init(&both_hold_one, NULL, 2);
	if (strcmp(what, "deadlock") == 0)
		start(2, lock_both, true);
	else if (strcmp(what, "spin") == 0)
		start(4, spin_here, false);
	else if (strcmp(what, "pipe") == 0)
		start(1, read_for_ever, true);
	else if (strcmp(what, "loader") == 0)
		start(1, hold_loader, true);
	else if (strcmp(what, "vfork") == 0)
		start(1, vfork_for_ever, true);
	else if (strcmp(what, "heap") == 0)
		start(1, read_for_ever, true);
	else
		die("no kind '%s'", what);
	if (argc > 2)
		prctl(PR_SET_NAME, argv[2]);
	printf("ready %p %p\n", (void *)&locks[0], (void *)&locks[1]);
	fflush(stdout);
	if (strcmp(what, "heap") == 0)
		wreck_heap();
	pthread_join(threads[0], NULL);
	return 0;
}

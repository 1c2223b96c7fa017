/* Victim: locks and conditions in memory that it shares with a process without the library. */
#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/progs/preload/cases.h"
#include "tests/support/wait.h"

enum { SIDES = 2, THREADS = 2, ALL = SIDES * THREADS, ROUNDS = 200, DEATHS = 20 };

/* Each count is guarded by the lock before it. */
static struct memory {
	pthread_mutex_t robust;
	int turn, turns;
	pthread_cond_t next;
	pthread_mutex_t inherits;
	int inherited;
	pthread_rwlock_t rwlock;
	int written;
	pthread_spinlock_t spin;
	int spun;
	pthread_barrier_t barrier;
	sem_t taken;
} * memory;

static void map(int fd)
{
	memory = mmap(NULL, sizeof(*memory), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	check(memory != MAP_FAILED, "mmap");
}

static void prepare(void)
{
	pthread_mutexattr_t robust, inherits;
	pthread_condattr_t next;
	pthread_rwlockattr_t rwlock;
	pthread_barrierattr_t barrier;

	pthread_mutexattr_init(&robust);
	pthread_mutexattr_setpshared(&robust, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&robust, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&memory->robust, &robust);
	pthread_mutexattr_init(&inherits);
	pthread_mutexattr_setpshared(&inherits, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setprotocol(&inherits, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&memory->inherits, &inherits);
	pthread_condattr_init(&next);
	pthread_condattr_setpshared(&next, PTHREAD_PROCESS_SHARED);
	pthread_cond_init(&memory->next, &next);
	pthread_rwlockattr_init(&rwlock);
	pthread_rwlockattr_setpshared(&rwlock, PTHREAD_PROCESS_SHARED);
	pthread_rwlock_init(&memory->rwlock, &rwlock);
	pthread_barrierattr_init(&barrier);
	pthread_barrierattr_setpshared(&barrier, PTHREAD_PROCESS_SHARED);
	pthread_barrier_init(&memory->barrier, &barrier, ALL);
	pthread_spin_init(&memory->spin, PTHREAD_PROCESS_SHARED);
	sem_init(&memory->taken, 1, 0);
}

/* This program, natively, as the other side of what is mapped. */
static pid_t other_side(int fd, const char *what)
{
	char text[16];
	char *none[] = { NULL };
	pid_t pid;

	snprintf(text, sizeof(text), "%d", fd);
	pid = fork();
	check(pid >= 0, "fork");
	if (pid)
		return pid;
	execle("/proc/self/exe", "across", what, text, NULL, none);
	_exit(1);
}

static int new_memory(void)
{
	int fd = memfd_create("across", 0);

	check(fd >= 0 && ftruncate(fd, sizeof(*memory)) == 0, "memfd_create");
	map(fd);
	prepare();
	return fd;
}

/* --- turns: threads of both sides, one after the other --- */

static void one_turn(int me)
{
	pthread_mutex_lock(&memory->robust);
	while (memory->turn != me)
		pthread_cond_wait(&memory->next, &memory->robust);
	memory->turn = (me + 1) % ALL;
	memory->turns++;
	pthread_cond_broadcast(&memory->next);
	pthread_mutex_unlock(&memory->robust);
}

static void *takes_turns(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		one_turn((int)(intptr_t)arg);
		pthread_mutex_lock(&memory->inherits);
		memory->inherited++;
		pthread_mutex_unlock(&memory->inherits);
		pthread_rwlock_wrlock(&memory->rwlock);
		memory->written++;
		pthread_rwlock_unlock(&memory->rwlock);
		pthread_spin_lock(&memory->spin);
		memory->spun++;
		pthread_spin_unlock(&memory->spin);
		pthread_barrier_wait(&memory->barrier);
	}
	return NULL;
}

static void take_turns(int side)
{
	pthread_t t[THREADS];

	for (int i = 0; i < THREADS; i++)
		t[i] = spawn(takes_turns, (void *)(intptr_t)(side * THREADS + i));
	for (int i = 0; i < THREADS; i++)
		join(t[i]);
}

static void case_turns(void)
{
	pid_t other = other_side(new_memory(), "other_turns");
	struct hog hog = { 0 };
	int status;

	hog_start(&hog);
	take_turns(0);
	hog_stop(&hog);
	check(waitpid(other, &status, 0) == other, "waitpid");
	printf("%d turns, %d, %d, %d; the other's end %d\n", memory->turns, memory->inherited,
	       memory->written, memory->spun, status);
}

/* --- an owner of the other side dies, killed --- */

static void other_takes(void)
{
	check(pthread_mutex_lock(&memory->robust) == 0, "lock");
	sem_post(&memory->taken);
	for (;;)
		pause();
}

static int lock_for_5_ms(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += 5 * NS_PER_MS;
	until.tv_sec += until.tv_nsec / NS_PER_S;
	until.tv_nsec %= NS_PER_S;
	return pthread_mutex_timedlock(&memory->robust, &until);
}

static void case_owner_dies(void)
{
	int fd = new_memory(), late = 0, dead = 0, status;
	struct hog hog = { 0 };

	hog_start(&hog);
	for (int i = 0; i < DEATHS; i++) {
		pid_t other = other_side(fd, "other_takes");

		while (sem_wait(&memory->taken) != 0)
			;
		late += lock_for_5_ms() == ETIMEDOUT;
		kill(other, SIGKILL);
		dead += pthread_mutex_lock(&memory->robust) == EOWNERDEAD;
		check(pthread_mutex_consistent(&memory->robust) == 0, "consistent");
		check(pthread_mutex_unlock(&memory->robust) == 0, "unlock");
		check(waitpid(other, &status, 0) == other, "waitpid");
	}
	hog_stop(&hog);
	printf("%d timed out, %d owners died\n", late, dead);
}

static const struct a_case cases[] = {
	{ "turns", case_turns },
	{ "owner_dies", case_owner_dies },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	if (argc < 3) {
		run_named_case(cases, argc, argv);
		return 0;
	}
	map(atoi(argv[2]));
	if (!strcmp(argv[1], "other_turns"))
		take_turns(1);
	else
		other_takes();
	return 0;
}

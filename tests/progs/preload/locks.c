/* Victim: who holds a lock is not stopped while others need it, gets a P soon, and not for ever. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <threads.h>
#include <time.h>
#include <unistd.h>

#include "tests/progs/preload/cases.h"
#include "tests/support/task.h"
#include "tests/support/wait.h"

static volatile int ready, go, done;

static void add(volatile int *n)
{
	__atomic_add_fetch(n, 1, __ATOMIC_ACQ_REL);
}

static void compute_us(long us)
{
	int64_t end = thread_cpu_ns() + us * NS_PER_US;

	while (thread_cpu_ns() < end)
		;
}

static bool one_p(void)
{
	const char *procs = getenv("GMP_MAXPROCS");

	return under_library() && procs && !strcmp(procs, "1");
}

/* --- with one P nobody ever finds a lock taken that is held for less than the grace --- */

/* Each kind of lock: try takes it or not. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_spinlock_t spin;
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;
static mtx_t mtx;

static const struct kind {
	const char *name;
	int (*try)(void), (*take)(void), (*drop)(void);
} * kind;

#define KIND(name, trylock, lock, unlock, object) \
	static int name##_try(void) \
	{ \
		return trylock(&object); \
	} \
	static int name##_take(void) \
	{ \
		return lock(&object); \
	} \
	static int name##_drop(void) \
	{ \
		return unlock(&object); \
	}
#define KINDS(X) \
	X(mutex, pthread_mutex_trylock, pthread_mutex_lock, pthread_mutex_unlock, mutex) \
	X(spin, pthread_spin_trylock, pthread_spin_lock, pthread_spin_unlock, spin) \
	X(write, pthread_rwlock_trywrlock, pthread_rwlock_wrlock, pthread_rwlock_unlock, rwlock) \
	X(mtx, mtx_trylock, mtx_lock, mtx_unlock, mtx)
KINDS(KIND)

static const struct kind kinds[] = {
#define ROW(name, trylock, lock, unlock, object) { #name, name##_try, name##_take, name##_drop },
	KINDS(ROW)
};

enum { ENTRANTS = 4, ENTRIES = 100 };
static volatile int found_taken;

/* Nine tenths of the time inside: who is stopped at random is stopped inside. */
static void *enters(void *arg)
{
	for (int i = 0; i < ENTRIES; i++) {
		if (kind->try() != 0) {
			add(&found_taken);
			while (kind->try() != 0) /* queueing up would make a row of it */
				sched_yield();
		}
		if (i % 2) {
			check(kind->drop() == 0, kind->name);
			check(kind->take() == 0, kind->name);
		}
		compute_us(450);
		check(kind->drop() == 0, kind->name);
		compute_us(50);
	}
	return NULL;
}

static void case_not_stopped_inside(void)
{
	pthread_t t[ENTRANTS];

	/* The grace is wall time, and a loaded machine may stretch 450 us to any length. */
	if (under_library() && !getenv("GMP_LOCK_GRACE")) {
		setenv("GMP_LOCK_GRACE", "1000", 1);
		execl("/proc/self/exe", "locks", "not_stopped_inside", NULL);
	}
	pthread_spin_init(&spin, 0);
	mtx_init(&mtx, mtx_plain);
	for (unsigned k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		kind = &kinds[k];
		found_taken = 0;
		for (int i = 0; i < ENTRANTS; i++)
			t[i] = spawn(enters, NULL);
		for (int i = 0; i < ENTRANTS; i++)
			join(t[i]);
		/* A page fault may cost a holder its P now and then. */
		if (one_p() && found_taken > 12)
			printf("%s: found taken %d times\n", kind->name, found_taken);
	}
	printf("%d entries of each kind\n", ENTRANTS * ENTRIES);
}

/* --- a thousand who wait for one lock, beside a hog --- */

enum { CROWD = 300 };
static pthread_cond_t all_ready = PTHREAD_COND_INITIALIZER, may_go = PTHREAD_COND_INITIALIZER;

static void *passes_through(void *arg)
{
	pthread_mutex_lock(&mutex);
	add(&ready);
	pthread_cond_signal(&all_ready);
	while (!go)
		pthread_cond_wait(&may_go, &mutex);
	pthread_mutex_unlock(&mutex);
	add(&done);
	return NULL;
}

static int64_t cpu_of(struct hog *h)
{
	struct timespec ts = { 0 };
	clockid_t clock;

	check(pthread_getcpuclockid(h->thread, &clock) == 0, "pthread_getcpuclockid");
	clock_gettime(clock, &ts);
	return ts.tv_sec * NS_PER_S + ts.tv_nsec;
}

static void case_convoy(void)
{
	static pthread_t t[CROWD];
	struct hog hog;
	int64_t cpu;
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 1 << 17);
	for (int i = 0; i < CROWD; i++)
		check(pthread_create(&t[i], &attr, passes_through, NULL) == 0, "pthread_create");
	pthread_mutex_lock(&mutex);
	while (ready < CROWD)
		pthread_cond_wait(&all_ready, &mutex);
	pthread_mutex_unlock(&mutex);
	hog_start(&hog);
	cpu = cpu_of(&hog);
	pthread_mutex_lock(&mutex);
	go = 1;
	pthread_cond_broadcast(&may_go);
	pthread_mutex_unlock(&mutex);
	for (int i = 0; i < CROWD; i++)
		join(t[i]);
	/* CPU time of the hog and not wall time: the machine may have others to serve. */
	cpu = cpu_of(&hog) - cpu;
	if (one_p() && cpu > CROWD * NS_PER_MS)
		printf("the hog had %ld us between two of the crowd\n",
		       (long)(cpu / CROWD / NS_PER_US));
	hog_stop(&hog);
	printf("%d passed\n", done);
}

/* --- locks that are never given back --- */

static pthread_mutex_t many[200];

static void *keeps_them(void *arg)
{
	for (int i = 0; i < 200; i++) {
		pthread_mutex_init(&many[i], NULL);
		check(pthread_mutex_lock(&many[i]) == 0, "pthread_mutex_lock");
	}
	ready = 1;
	while (!go)
		;
	return NULL;
}

static void *takes_turns(void *arg)
{
	add(&done);
	while (done < 3) /* all need a turn before one can leave */
		;
	return NULL;
}

static void *gives_them_back(void *arg)
{
	for (int i = 0; i < 200; i++)
		check(pthread_mutex_unlock(&many[i]) == 0, "pthread_mutex_unlock");
	return takes_turns(arg);
}

static void case_never_given_back(void)
{
	pthread_t t = spawn(keeps_them, NULL), u[3];

	must_word("the locks to be taken", &ready, 1);
	u[0] = spawn(gives_them_back, NULL);
	must_word("the locks to be given back", &done, 1);
	for (int i = 1; i < 3; i++)
		u[i] = spawn(takes_turns, NULL);
	must_word("all to have a turn", &done, 3);
	go = 1;
	join(t);
	for (int i = 0; i < 3; i++)
		join(u[i]);
	printf("%d took turns\n", done);
}

/* --- who only tries, and whoever woke up with the lock waits for a P with it --- */

enum { ROUNDS = 100, TRIES = 1000 };
static volatile int work;

static void *works(void *arg)
{
	pthread_mutex_lock(&mutex);
	for (int i = 0; i < ROUNDS; i++) {
		ready = i + 1;
		while (!work)
			pthread_cond_wait(&may_go, &mutex);
		work = 0;
		done = i + 1;
	}
	pthread_mutex_unlock(&mutex);
	return NULL;
}

/* For some 20 us, without giving way. */
static bool tries(void)
{
	for (int i = 0; i < TRIES; i++) {
		if (pthread_mutex_trylock(&mutex) == 0)
			return pthread_mutex_unlock(&mutex) == 0;
		__builtin_ia32_pause();
	}
	return false;
}

/* Whose tries must meet what the other has to do with one P. */
static int in_vain(bool (*try)(void))
{
	pthread_t t = spawn(works, NULL);
	int n = 0;

	for (int i = 0; i < ROUNDS; i++) {
		must_word("the worker to wait", &ready, i + 1);
		pthread_mutex_lock(&mutex);
		work = 1;
		pthread_cond_signal(&may_go);
		pthread_mutex_unlock(&mutex);
		while (done == i && !*(volatile int *)&mutex.__data.__lock)
			;
		n += !try();
		must_word("the work", &done, i + 1);
	}
	join(t);
	return n;
}

static void case_tries(void)
{
	int n = in_vain(tries);

	if (n > ROUNDS / 10)
		printf("%d of %d times in vain\n", n, ROUNDS);
	printf("%d done\n", done);
}

/* --- who asks by a try whether it would wait, and then does, is told so --- */

static bool asks(void)
{
	bool is_free = pthread_mutex_trylock(&mutex) == 0;

	if (!is_free)
		pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
	return is_free;
}

static void case_asks(void)
{
	int n = in_vain(asks);

	if (one_p() && n < ROUNDS / 2)
		printf("%d of %d times told so\n", n, ROUNDS);
	printf("%d done\n", done);
}

static const struct a_case cases[] = {
	{ "not_stopped_inside", case_not_stopped_inside },
	{ "convoy", case_convoy },
	{ "never_given_back", case_never_given_back },
	{ "tries", case_tries },
	{ "asks", case_asks },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	run_named_case(cases, argc, argv);
}

/* Rows: what blocks in libstdc++ (rows_cxx.cpp, which is missing without a compiler for C++20). */
#include "tests/progs/preload/rows.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define WEAK __attribute__((weak))

static struct st *the_st;

void cxx_wait_for_go(void);
void cxx_wait_for_go(void)
{
	wait_for_go(the_st);
}

static void setup_cxx(struct st *s)
{
	extern WEAK void cxx_mutex_call(void);

	the_st = s;
	if (!cxx_mutex_call) {
		puts("skipped: built without a compiler for C++20");
		exit(77);
	}
}

#define DO(kind, what) \
	extern WEAK void cxx_##kind##_##what(void); \
	static void kind##_##what(struct st *s) \
	{ \
		cxx_##kind##_##what(); \
	}
#define CALL(kind) \
	extern WEAK void cxx_##kind##_call(void); \
	static long kind##_call(struct st *s) \
	{ \
		cxx_##kind##_call(); \
		return 0; \
	}

/* The local thread has it until it is told to let go. */
#define HELD(kind) \
	DO(kind, hold) \
	DO(kind, release) \
	CALL(kind) \
	ROW(cxx_##kind, UNSEEN | LOCAL, .setup = setup_cxx, .hold = kind##_hold, \
	    .call = kind##_call, .release = kind##_release)
/* The local thread makes it happen. */
#define AWAITED(kind, more) \
	DO(kind, release) \
	CALL(kind) \
	ROW(cxx_##kind, UNSEEN | LOCAL | (more), .setup = setup_cxx, .call = kind##_call, \
	    .release = kind##_release)
/* The local thread is inside of it. */
#define INSIDE(kind) \
	DO(kind, hold) \
	CALL(kind) \
	ROW(cxx_##kind, UNSEEN | LOCAL | OWN_HOLD, .setup = setup_cxx, .hold = kind##_hold, \
	    .call = kind##_call)

HELD(mutex);
HELD(timed_mutex);
HELD(recursive_mutex);
HELD(shared_mutex);
HELD(shared_lock);
HELD(try_lock_for);
AWAITED(cond, 0);
AWAITED(cond_any, 0);
AWAITED(future, 0);
AWAITED(async, TWO_HOPS);
AWAITED(thread_join, TWO_HOPS);
AWAITED(semaphore, 0);
AWAITED(latch, 0);
AWAITED(barrier, 0);
AWAITED(atomic_wait, 0);
AWAITED(atomic_flag, 0);
INSIDE(guard);
INSIDE(call_once);

static void setup_cxx_fifo(struct st *s)
{
	setup_cxx(s);
	snprintf(s->path, sizeof(s->path), "/tmp/gmp-cxx-%d", s->pid);
	unlink(s->path);
	must(mkfifo(s->path, 0600) == 0, "mkfifo");
}
static void release_cxx_fifo(struct st *s)
{
	int fd = open(s->path, O_WRONLY);

	must(fd >= 0 && write(fd, "line\n", 5) == 5, "the other end of the FIFO");
	unlink(s->path);
}
static long ifstream_call(struct st *s)
{
	extern WEAK long cxx_getline(const char *path);

	return cxx_getline(s->path);
}
ROW(cxx_ifstream, UNSEEN, .setup = setup_cxx_fifo, .call = ifstream_call,
    .release = release_cxx_fifo);

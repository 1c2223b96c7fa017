/* The rows of the semantics matrix and of the hand-off matrix: one for every call of the
 * interposition table.
 *
 * A row says how to make its call block, how to end that from outside, and how to make it fail.
 * The two matrices (semantics.c, handoff.c) know nothing of single calls; the rows know nothing
 * of cases.  table.c takes the address of one row per line of preload/calls.def, so a call
 * without its row does not link.
 *
 * Parts that play in a case:
 *   the caller  a thread of the victim; it alone runs call() and fail();
 *   the agent   another process, no child of the victim's: it runs hold() before the caller
 *               starts and release() to let it go.  It is not under the cap, so a case tells how
 *               the library treats the caller and nothing else.  It shares struct st with the
 *               victim and the descriptors that setup() made;
 *   the local   for a row with LOCAL, a thread of the victim that runs hold() and release() in
 *               the agent's place (C11 locks and join do not work across processes).
 *
 * struct st lives in memory shared with the agent.  Every case starts with a fresh one in a
 * process that has had no second thread before.
 */
#ifndef TESTS_PROGS_PRELOAD_ROWS_H
#define TESTS_PROGS_PRELOAD_ROWS_H

#include <mqueue.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <threads.h>

#include "tests/support/task.h"

/* row.flags */
#define POINT 1u	   /* a cancellation point of glibc 2.36, as measured; row_is_point() */
#define TIMED 2u	   /* takes a time limit: s->dur_ns */
#define SLEEP 4u	   /* ends by time alone; no release */
#define NOBLOCK 8u	   /* cannot be made to block here: a regular file, a pty */
#define LOCAL 16u	   /* hold() and release() run in a thread of the victim */
#define SPINS 32u	   /* waits on the CPU, not in the kernel */
#define KEEPS_LOCAL 64u	   /* the caller joins the local thread itself */
#define SLOW 128u	   /* ends by a time in whole seconds */
#define NO_HANDLER 256u	   /* must not be called from a signal handler, natively either */
#define OWN_HOLD 1024u	   /* LOCAL: hold() itself says held, waits for s->go, and lets go */
#define UNSEEN 2048u	   /* not in the table: the library must find out by itself */
#define SLOW_RELEASE 8192u /* the release is work; the call can end when the work is done */
#define TWO_HOPS 4096u	   /* released by way of another thread of the victim */
#define DEAF 16384u	   /* signals wait until the call is over */
#define NO_CANCEL 32768u   /* natively a cancellation in it ends the process */
#define ONCE 65536u	   /* call() can be made once a case */
#define SINCE_2_34 131072u /* POINT is true since then */
#define NO_READY 512u	   /* a release that comes first is lost: signal, not state */

/* The signals of the matrices.  SIG_POKE interrupts; SIG_CALL's handler makes the call; SIG_WAIT
 * is what the signal-waiting rows wait for. */
#define SIG_POKE SIGUSR1
#define SIG_CALL SIGUSR2
#define SIG_WAIT (SIGRTMIN + 3)

#define FOREVER_NS (1000LL * 1000000000LL)

struct st {
	void *fn;	/* the symbol under test, as the program sees it */
	int64_t dur_ns; /* time limit of a TIMED or SLEEP call */
	long extra;	/* what else came of it; printed */
	/* The parts talk by these words; each is written by one part. */
	volatile pid_t pid, tid; /* of the victim, of its caller */
	volatile int about, returned, handled, in_handler;
	volatile int held, want_release, released, quit;
	long ret;
	int err;
	/* Property of the row. */
	long waits_in; /* the system call, when it may sleep before in others; 0: in its only one */
	int fd[8];
	int go[2]; /* lets the local thread go */
	int child_go[2];
	pid_t child;
	int id;
	volatile int word, flag;
	char path[64];
	char buf[4096];
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	pthread_rwlock_t rwlock;
	pthread_barrier_t barrier;
	pthread_spinlock_t spin;
	sem_t sem;
	mtx_t mtx;
	cnd_t cnd;
	pthread_t local;
	mqd_t mq;
	FILE *file;
	/* Of the hand-off matrix. */
	int64_t t_block, t_start, t_release, t_return, noise_start, noise_return;
	struct task_delays delays_block;
	volatile int64_t spins;
	volatile int stop, agent_ready, measured;
	volatile pid_t local_tid; /* of the local thread, once it is as good as gone */
	int64_t local_delay_ns;	  /* its delays then */
};

/*
 * No error that a program could provoke, and so no fail(): void functions that touch nothing
 * outside (flockfile, the yields), sleep and usleep (of any time), pause and sigpause (a mask is
 * any number: they fail with EINTR, always), mtx_lock and cnd_wait (what the standard lets them
 * fail for is undefined before: a mutex that is none, or another's).
 */
struct row {
	const char *name; /* also the symbol, unless symbol says otherwise */
	const char *symbol;
	void *address; /* set: the symbol under test, bound by the linker (a version) */
	unsigned flags;
	void (*setup)(struct st *s);   /* victim, before any thread and before the agent */
	void (*hold)(struct st *s);    /* agent */
	long (*call)(struct st *s);    /* caller */
	void (*release)(struct st *s); /* agent */
	long (*fail)(struct st *s);    /* caller: the same function, an error; may be NULL */
	void (*undo)(struct st *s);    /* caller, when it was cancelled: give back what it holds */
	void (*after)(struct st *s);   /* victim, when the caller is gone: what it left, in extra */
};

/* ROW(read, POINT, .setup = ..., ...) */
#define ROW(NAME, FLAGS, ...) \
	const struct row row_##NAME = { .name = #NAME, .flags = (FLAGS), __VA_ARGS__ }

/* The function under test as a pointer of its type: FN(ssize_t, int, void *, size_t). */
#define FN(ret, ...) ret (*fn)(__VA_ARGS__) = (ret(*)(__VA_ARGS__))s->fn

/* A name of the table that is the same function as another one: same row, other symbol. */
struct alias {
	const char *name, *of;
};

extern const struct row *const all_rows[];
extern const unsigned nr_rows;
/* An alias of which only a version exists that new programs do not get. */
struct old_name {
	const char *name;
	void *address;
};
extern const struct old_name old_names[];

extern const struct alias all_aliases[];
extern const unsigned nr_aliases;
const struct row *row_by_name(const char *name);
bool row_exists(const struct row *row);		/* in this libc */
bool row_is_point(const struct row *row);	/* in this libc */
const struct row *unseen_row(const char *name); /* rows_unseen.c, of the kinds beyond the table */
void wait_for_go(struct st *s);			/* the hold() of an OWN_HOLD row */

/* parts.c */
struct st *st_new(void);
void parts_setup(const struct row *row, struct st *s); /* fn, setup() */
void agent_spawn(struct st *s, const struct row *row,
		 void (*body)(struct st *s, const struct row *row));
void agent_plain(struct st *s, const struct row *row); /* holds; releases when asked */
void local_start(struct st *s, const struct row *row);
void local_finish(struct st *s, const struct row *row);
void agent_release(struct st *s, const struct row *row); /* the act itself */
void hogs_start(void);					 /* three more threads that compute */
void wait_blocked(struct st *s);			 /* the caller sits in its call */
int caller_blocked(struct st *s);
int64_t deadline_ns(void);

/* Times for the rows. */
struct timespec rel_time(struct st *s);			 /* dur_ns */
struct timespec abs_time(struct st *s, clockid_t clock); /* now + dur_ns */

/* What a call said of the time that was left, as a verdict: the number itself cannot be compared.
 * Right: with the time that has passed since before the call, it makes up the whole. */
enum { LEFT_NOTHING, LEFT_RIGHT, LEFT_WRONG, LEFT_UNSAID };
#define NOTHING_SAID ((struct timespec){ -1, -1 })
long time_left(struct st *s, struct timespec left, int64_t began);
#define TIME_CHANGED 1000			    /* a limit that was only to be read */
long time_changed(struct st *s, struct timespec t); /* was dur_ns */

/* Setups and releases that several files of rows share (rows_common.c). */
void setup_pipe(struct st *s);	      /* fd[0] empty pipe to read, fd[1] its write end */
void setup_full_pipe(struct st *s);   /* fd[1] full pipe to write, fd[0] its read end */
void setup_pair(struct st *s);	      /* fd[0], fd[1] stream socket pair */
void setup_full_pair(struct st *s);   /* fd[1] cannot be written until fd[0] is read */
void setup_file(struct st *s);	      /* fd[0] a regular file, "0123456789", path removed */
void setup_shared_sync(struct st *s); /* mutex (errorcheck), cond, rwlock, sem, all shared */
void setup_signals(struct st *s);     /* SIG_WAIT blocked, and a handler for it */
void setup_child(struct st *s);	      /* child, of the victim; leaves with 7 */
void release_child(struct st *s);
void release_write(struct st *s);  /* one byte 'x' into fd[1] */
void release_drain(struct st *s);  /* reads fd[0] until it would block */
void release_signal(struct st *s); /* SIG_WAIT to the caller */
/* rows_nss.c; both exit with 77 where the kernel has no namespaces for us. */
void setup_private_mounts(struct st *s);
void setup_nss(struct st *s); /* a FIFO for nsswitch.conf: the name service waits for it */
void uncover_nss(void);	      /* the machine's own file again */
void release_nss(struct st *s);
void must(int ok, const char *what);

#endif

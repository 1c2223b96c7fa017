/*
 * The stress program: what its parts share.
 *
 * Idea. Workers pick operations at random (ops.def) for some seconds. Whatever an operation moves
 * (bytes, messages, posts, signals, threads, children) it writes into the ledger: `gave` on one
 * side, `took` on the other (laws.def). When all is over and what is left in the buffers has been
 * drained, the two sides of every law must be equal, exactly.
 *
 * Why it cannot deadlock by itself. A blocking wait without a time limit happens only when the
 * partner is bound to come:
 *  - shared channels (chan.c): a receiver first takes a credit, which a sender published before
 *    sending. Between publishing and sending a thread does bounded things only (dawdle()).
 *    On driven channels the receiver orders its message from a driver thread instead.
 *  - private pairs: the operation creates its partner, and a pair waits for itself alone.
 *  - locks: at most one at a time; inside only bounded things.
 *  - everything else has a time limit.
 * So a hang is the scheduler's, never ours.
 */
#ifndef STRESS_H
#define STRESS_H

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stddef.h>
#include <time.h>
#include <unistd.h>

#define MAX_WORKERS 1024
#define MAX_IPC 64
#define MAX_OPS 128

/* ---- random numbers: splitmix64; operation i of worker w always sees the same stream ---- */

struct rng {
	uint64_t s;
};

static inline uint64_t rnd(struct rng *r)
{
	uint64_t z = r->s += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static inline uint64_t below(struct rng *r, uint64_t n)
{
	return rnd(r) % n;
}

static inline uint64_t within(struct rng *r, uint64_t lo, uint64_t hi)
{
	return lo + below(r, hi - lo + 1);
}

static inline bool chance(struct rng *r, unsigned percent)
{
	return below(r, 100) < percent;
}

/* A stream for a partner, a child, the n-th operation. */
static inline struct rng derive(uint64_t a, uint64_t b)
{
	struct rng r = { a * 0xd1342543de82ef95u + b * 0x2545f4914f6cdd1du + 1 };

	rnd(&r);
	return r;
}

/* ---- the page shared with the watchdog ---- */

struct slot {
	_Atomic uint64_t since_ns; /* when the present operation last moved; 0 = not in one */
	_Atomic uint32_t op;
	_Atomic uint32_t tid;
};

struct page {
	_Atomic uint64_t progress;
	_Atomic uint64_t ops, forks, signals, eintrs, longest_ns, longest_op;
	_Atomic uint32_t failed, phase, sabotaged;
	_Atomic int ipc_count;
	struct {
		int kind, id; /* 'm' message queue, 's' semaphore set: the watchdog removes them */
	} ipc[MAX_IPC];
	char dir[64]; /* scratch directory, removed by the watchdog */
	struct slot slots[MAX_WORKERS];
};

enum { PHASE_START, PHASE_RUN, PHASE_STOP, PHASE_DRAIN, PHASE_CHECK };

extern struct page *page;

struct config {
	uint64_t seed;
	double seconds;
	unsigned threads;     /* 0 = drawn from the seed */
	const char *mix;      /* all | group | comma list of groups and operations */
	const char *log;      /* where the watchdog puts stacks */
	const char *sabotage; /* break ourselves on purpose: count | eintr | hang | crash */
	unsigned quiet_s;     /* watchdog: no progress at all for so long is a hang */
	unsigned stuck_s;     /* watchdog: one worker in one step for so long is a hang */
	bool verbose;
};

extern struct config config;

/* ---- every thread ---- */

struct self {
	struct rng rng;
	volatile uint64_t handlers; /* handlers of the program that ran in this thread */
	volatile uint64_t hard;	    /* ... those installed without SA_RESTART */
	struct slot *slot;	    /* NULL in short-lived threads */
	sigjmp_buf *volatile jump;  /* where the jump handler goes; NULL = stays */
};

extern __thread struct self self;
extern _Atomic uint64_t shared_handlers; /* those of signals sent to the whole process */

/* ---- ledger.c ---- */

enum law {
#define LAW(id, text) LAW_##id,
#include "laws.def"
#undef LAW
	LAWS
};

void gave(enum law law, uint64_t n);
void took(enum law law, uint64_t n);
bool ledger_check(void);
void ledger_wait_even(enum law law, unsigned seconds);

void bad(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void step(void);

/*
 * EINTR is right only if a handler of the program ran in this thread since the call began; a call
 * that restarts under SA_RESTART needs one that was installed without it. What Linux does natively:
 *  - a signal to the process wakes one thread and is taken by another; most calls begin anew then,
 *    but epoll_wait and semop tell EINTR (SHARED). Some handler in the process must have run.
 *  - sigtimedwait and sigwaitinfo tell EINTR after any wake-up, a late one of an earlier futex too.
 */
struct mark {
	uint64_t any, hard, shared;
};

static inline struct mark mark(void)
{
	return (struct mark){ self.handlers, self.hard, shared_handlers };
}

enum eintr { EINTR_RESTARTS, EINTR_HANDLER, EINTR_SHARED, EINTR_SPURIOUS };

void eintr_seen(struct mark m, enum eintr kind, const char *what);

#define RETRY(expr, kind) \
	({ \
		__typeof__(expr) r_; \
		for (;;) { \
			struct mark m_ = mark(); \
			r_ = (expr); \
			if (r_ != (__typeof__(r_))-1 || errno != EINTR) \
				break; \
			eintr_seen(m_, kind, #expr); \
		} \
		step(); \
		r_; \
	})
#define WAIT(expr) RETRY(expr, EINTR_RESTARTS)	/* calls that SA_RESTART restarts */
#define WAITX(expr) RETRY(expr, EINTR_HANDLER)	/* poll, sleeps: EINTR after any handler */
#define WAITE(expr) RETRY(expr, EINTR_SHARED)	/* epoll, semop */
#define WAITS(expr) RETRY(expr, EINTR_SPURIOUS) /* sigtimedwait */

/* A pthread call that returns its error; EINTR is never right for those. */
#define PT(expr) pt_check((expr), #expr)
int pt_check(int rc, const char *what);
#define MUST(cond) \
	((cond) ? (void)0 : bad("%s:%d: %s is false, errno %d", __FILE__, __LINE__, #cond, errno))

/* ---- util.c ---- */

uint64_t now_ns(void);
uint64_t clock_ns(clockid_t clock);
struct timespec ts_of(uint64_t ns);
void burn_calibrate(void);
void burn(unsigned us);	    /* pure loop: no call, no kernel entry */
void nap(uint64_t ns);	    /* sleeps at least that long, by several calls */
void dawdle(struct rng *r); /* a bounded delay, often none */
void not_early(uint64_t start_ns, uint64_t want_ns, const char *what);
bool burn_begin(struct rng *r); /* limits how many burn CPU or spin at a time; false: slept */
void burn_end(void);
int scratch_file(int flags);		       /* a new unlinked file, or -1 */
ssize_t raw_read(int fd, void *buf, size_t n); /* inline assembly: nobody can intercept it */
bool pass_bytes(struct rng *r, int in, int out, size_t total); /* checked stream over a pair */

/* ---- threads.c ---- */

struct group; /* threads of one operation */
bool spawn(pthread_t *t, void *(*fn)(void *), void *arg);
bool spawn_detached(void *(*fn)(void *), void *arg);
void *join(pthread_t t);
unsigned threads_live(void);
void threads_init(unsigned limit);

/* ---- chan.c ---- */

void chan_init(struct rng *r);
void chan_drain(void);
void chan_finish(void);
void drivers_start(struct rng *r);
void drivers_stop(void);
void sig_post(void); /* from a handler: one message on the signal channel */
struct chan *chan_driven_pipe(struct rng *r);
int chan_order(struct chan *c); /* order one message; returns the fd to read it from */
void chan_accept(struct chan *c, const void *buf, size_t n);
#define CHAN_MSG 64

/* ---- ops ---- */

enum group_id { G_IO, G_SYNC, G_FILE, G_LIFE, G_FORK, G_SIG, G_CPU, GROUPS };

struct op {
	const char *name;
	unsigned weight;
	enum group_id group;
	void (*fn)(struct rng *r);
};

extern const struct op ops[];
extern const unsigned ops_count;

#define OP(name, weight, group) void op_##name(struct rng *r);
#include "ops.def"
#undef OP

bool sync_init(void);
void sync_settle(void); /* puts lock-protected counters into the ledger */
bool file_init(void);
void file_settle(void);
void signal_init(struct rng *r);
void signal_settle(void);
bool worker_kill(struct rng *r, int sig); /* to a random live worker */
bool child_ops(struct rng *r);		  /* what a forked child does */

/* ---- watchdog.c ---- */

int watchdog(pid_t child);

#endif

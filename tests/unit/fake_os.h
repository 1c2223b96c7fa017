/*
 * A fake of runtime/os.h: a kernel with a virtual clock, simulated threads and a seeded scheduler.
 *
 * A simulated thread (struct fake_m) is a coroutine with a gmp_tls_m, a signal mask, a queue of
 * signals and a CPU clock of its own.  Every call of os.h is a switch point: there the clock moves,
 * another thread may go on, and a pending signal is delivered.  Nothing else is concurrent, so a
 * run is a function of its seed:
 *
 *   fake_reset(0)      in order: a thread runs until it sleeps, who is ready first runs first
 *   fake_reset(seed)   at random: threads change at any switch point, are stalled for a while (the
 * real kernel takes their CPU), and wake from futexes for no reason
 *
 * When no thread is ready the clock jumps to the next time-out; when there is none either, that is
 * a deadlock.  A failure dumps all threads, Gs and Ps with the last switch points and names the
 * seed. In a program that is built on model_atomic.h every atomic operation is a switch point too.
 */
#ifndef TESTS_UNIT_FAKE_OS_H
#define TESTS_UNIT_FAKE_OS_H

#include <ucontext.h>

#include "runtime/types.h"

#define US 1000ul
#define MS 1000000ul
#define NEVER_NS (~0ul)

enum fake_state {
	FAKE_READY,	/* to be run by the fake */
	FAKE_COMPUTING, /* on a CPU: its clock runs until the deadline */
	FAKE_STALLED,	/* ready, but the kernel gave its CPU away until the deadline */
	FAKE_FUTEX,
	FAKE_IN_CALL, /* asleep in system call `call`, PROBE_FAULT for a page fault */
	FAKE_DONE,
};

/* A store that other threads do not see yet; see model_atomic.h. */
struct fake_store {
	void *addr;
	u64 value;
	u32 size;
};

/* A pending signal.  As in Linux a number below 32 is queued once, the others one by one. */
struct fake_sig {
	int sig;
	const void *mark;
};

#define FAKE_SIGS 32

struct fake_m {
	enum fake_state state;
	i32 tid;
	u64 deadline;
	u64 ready_seq; /* order of becoming ready */
	au32 *futex;
	int call;
	bool intercepted; /* the call is in a bracket: no signal of ours may cut it short */
	u64 cpu_ns, cpu_since;
	u64 mask;
	struct fake_sig sigs[FAKE_SIGS];
	u32 nsigs;
	struct fake_sig timer; /* what its CPU timer sends, */
	bool armed;	       /* as soon as it runs */
	uintptr_t alt_lo, alt_hi;
	u64 cpu_mask;	  /* 0: fake.cpus */
	u32 host_signals; /* of the host, that were delivered */
	void (*fn)(void *);
	void *arg;
	struct m *tls;
	ucontext_t context;
	char *stack;
	void *fiber, *fake_stack; /* of the sanitizers */
	struct fake_store stores[8];
	u32 nstores;
	/* For the simulation's own use. */
	bool user;    /* runs user code, so it must hold a P */
	bool excused; /* may run without */
	bool stray;   /* does so until its next gate */
	u64 user_ns;  /* CPU time since it last gave others a chance */
};

#define FAKE_MS 64
#define FAKE_FILES 32
#define FAKE_APPEND_FD 7

struct fake_file {
	const char *path, *text; /* text NULL: it is not there */
};

struct fake {
	u64 now, seed, steps, max_steps;
	u32 switch_odds; /* 1 in so many switch points changes the thread; random runs only */
	u32 stall_odds, spurious_odds;
	u64 yield_ns;
	u64 coarse_ns; /* the clock jumps so much further: who wakes in that time wakes at once */
	/* What the kernel can and cannot do. */
	bool realtime; /* whoever yields goes on */
	bool no_timers, no_membarrier, membarrier_refused, no_wipe, blind, nonblocking, timed;
	int cpus;
	u32 pages_left; /* slabs until os_pages() fails */
	struct fake_file files[FAKE_FILES];
	u32 nfiles;
	size_t read_most; /* bytes that one read gives */
	bool (*would_block)(int fd, bool write);
	int (*pinned_to)(i32 tid);  /* one CPU; < 0: as cpu_mask and cpus say */
	void (*on_probe)(void);	    /* what happens between the answer and its use */
	void (*on_signal)(void);    /* before sending one, or looking for one, returns */
	void (*on_yield)(void);	    /* before others run */
	void (*host_handler)(void); /* for its own signals */
	void (*check)(void);	    /* runs at every switch point */
	/* fake_share.c */
	bool share;	  /* there is room for a page */
	bool no_pidns;	  /* no /proc */
	u64 getpid_ns[2]; /* what it takes, by gmp_return_jumps */
	int sandbox;	  /* of seccomp */
	int map_error;	  /* of mapping a trace file */
	int append_error; /* of opening a file to append to */
	int written_to;	  /* descriptor of the last os_write() */
	void *mapped;	  /* the last one that was mapped */
	i32 alive;	  /* another process that lives */
	char shared[320]; /* path of the last file that was made */
	u32 blanked;
	/* What was asked of it. */
	u32 timers, timers_made; /* of threads' CPU clocks: there now, and ever */
	u32 signals_sent, registrations, membarriers, wakes, probes, cpu_asked, slices, private_fds;
	u32 would_block_asked, files_read, masks_asked, blocks_asked;
	u64 stalled_ns;
	char out[65536];
	size_t outlen;
	u32 writes;
	/* The threads. */
	struct fake_m m[FAKE_MS];
	u32 nm;
	struct fake_m *self; /* NULL: the test itself */
	struct fake_m *sysmon;
};

extern struct fake fake;

/* As if the process had just started; seed 0 runs in order, others at random. */
void fake_reset(u64 seed);
/* A new thread, ready to run fn(arg).  From the test or from a simulated thread. */
struct fake_m *fake_spawn(void (*fn)(void *), void *arg);
/* A thread that runs sysmon_main(), its signals blocked. */
struct fake_m *fake_spawn_sysmon(void);
/* Runs until all threads but sysmon's are done, then stops that.  Fails the test on any failure. */
void fake_run(void);
/* Runs until `done` says so, or nobody but sysmon is left.  The threads stay where they are. */
void fake_run_until(bool (*done)(void));
/* Runs whoever is ready until the clock reaches now + ns. */
void fake_run_for(u64 ns);

/* From now on there is such a file, or (NULL) none. */
void fake_file(const char *path, const char *text);

/* For simulated threads. */
void fake_compute(u64 ns);	   /* burns CPU; signals are delivered meanwhile */
void fake_sleep(int call, u64 ns); /* asleep in a call that we did not intercept; restarts */
void fake_sleep_in_gate(int call,
			u64 ns); /* the same inside a bracket: a signal is a stray EINTR */
void fake_stall(u64 ns);	 /* ready, but the kernel gives the CPU to somebody else */
/* Behind all that are ready.  Costs yield_ns, so that waiting by yielding ends. */
void fake_yield(void);
void fake_switch(const char *what); /* a switch point of the simulation's own */
u64 fake_random(u64 below);
/* The host's own: pthread_kill() with value NULL, else sigqueue(). */
void fake_host_signal(struct fake_m *to, int sig, const void *value);
/* Which of its signals comes first, before its next instruction; -1: none that it lets in. */
int fake_deliverable(const struct fake_m *m);

/* Ends the run: what went wrong, with a dump.  Does not return to a simulated thread. */
void fake_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
#define fake_check(cond, ...) \
	do { \
		if (!(cond)) \
			fake_fail(#cond " does not hold: " __VA_ARGS__); \
	} while (0)

/* The CPU that cpu_here() gives: none in order, until this is called, one of two at random. */
void fake_set_cpu(u32 cpu);

/* What the library has written since the last call, as a string. */
const char *fake_output(void);

/* model.c, for the fake: makes a thread's stores visible. */
void model_drain(struct fake_m *m);
void model_drain_some(void);
/* What m itself reads at addr. */
u64 model_view(const struct fake_m *m, const void *addr, u32 size);

/* As a G that queues by itself, without the count of those who wait. */
void fake_queue(struct g *g);

#endif

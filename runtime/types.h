/*
 * G, M, P and sched: the objects of Go's scheduler, their states, and who owns which field.
 *
 * G  one pthread of the host.  In this mode it is locked to its M for life (Go's LockOSThread), but
 *    nothing here assumes that "this thread" is "this G": getm() and m->g are the only ways in.
 * M  the OS thread.
 * P  the right to run user code; there are gomaxprocs of them.
 *
 * Who holds a P is one word, g->hold, and whoever flips it to LOST owns the P from then on:
 *
 *      KEPT  --seizer-->  ASKED  --seizer-->  LOST    the P now belongs to the seizer
 *      ASKED --owner--->  KEPT                        the owner came home first (new serial)
 *      KEPT, ASKED --owner--> LOST                    the owner gives the P up by itself
 *      LOST  --owner--->  KEPT                        the owner was granted a P (new serial)
 *
 * The serial makes every question unique, so a late seizer can never win with a stale answer.
 */
#ifndef GMP_RUNTIME_TYPES_H
#define GMP_RUNTIME_TYPES_H

#include "runtime/atomic.h"
#include "runtime/statpage.h"

/* How a call may block.  One per table row of preload/calls.def. */
enum call_class {
	NEVER,	   /* cannot block: no bracket, Go's RawSyscall */
	MAY_WAIT,  /* lazy loan: sysmon takes the P when it lasts */
	WILL_WAIT, /* hand off at entry when somebody waits for a P */
	COMPOSE,   /* a libc function that blocks inside, bracketed as a whole */
};

/*
 * A call on a descriptor that waits until there is something to read, or room to write: MAY_WAIT
 * that can be asked beforehand.  The class is the low byte, the descriptor the high half.
 */
enum { CLASS_MASK = 0x0f, PROBE_READ = 0x10, PROBE_WRITE = 0x20, PROBE_DONE = 0x40 };
/* A poll without time to wait: it does not block, but a signal that is pending makes it fail, ours
 * as well.  So none may be sent. */
#define BRIEF (MAY_WAIT | PROBE_DONE)
/*
 * A call that may queue for a P before it begins (entersyscall.c), and then come back without
 * having been made: who opens a gate with QUEUES asks gate_cut().
 */
#define QUEUES 0x80
#define MAY_READ(fd) (MAY_WAIT | PROBE_READ | QUEUES | (u64)(u32)(fd) << 32)
/* A wait until a descriptor is ready, which can be asked beforehand as well. */
#define READY(fd) (WILL_WAIT | PROBE_READ | (u64)(u32)(fd) << 32)
#define MAY_WRITE(fd) (MAY_WAIT | PROBE_WRITE | (u64)(u32)(fd) << 32)

/*
 * What only a thread of this process can end the wait for, in a class as well: its kind, whether it
 * has no time limit, and the object's address.  For dumps and for checkdead; costs nothing.
 */
enum wait_kind {
	WAIT_OTHER,
	WAIT_MUTEX,
	WAIT_RWLOCK,
	WAIT_COND,
	WAIT_SEM,
	WAIT_BARRIER,
	WAIT_JOIN,
	WAIT_POLL, /* one struct pollfd: not a thing of threads, but it can be asked, too */
};
#define ON(kind, object) ((u64)(kind) << 8 | (u64)(uintptr_t)(object) << 16)
#define ON_EVER (1ul << 15)

static inline enum wait_kind class_wait(u64 class)
{
	return class & (PROBE_READ | PROBE_WRITE) ? WAIT_OTHER
						  : (enum wait_kind)(class >> 8 & 0x7f);
}

static inline uintptr_t class_object(u64 class)
{
	return class >> 16;
}

#define CALL_NONE 0xffff /* no syscall number known for this bracket */

enum g_status {
	G_IDLE,	    /* allocated, no thread yet.      Owner: pthread_create's caller.             */
	G_RUNNABLE, /* on a run queue or granted a P. Owner: the queue, then its M.               */
	G_RUNNING,  /* executes user code.            Owner: its M; P held unless stray.          */
	G_SYSCALL,  /* in a bracket.                  Owner: its M; P, if held, is on loan.       */
	G_WAITING,  /* parked by gopark.              Owner: who will goready it.                 */
	G_DEAD,	    /* thread gone, storage reusable. Owner: the free list.                       */
};

/* g->hold: serial << 32 | P id << 2 | one of these. */
enum hold { HOLD_KEPT = 0, HOLD_ASKED = 1, HOLD_LOST = 2, HOLD_MASK = 3 };

static inline u64 hold_make(u64 serial, u32 pid, enum hold h)
{
	return serial << 32 | (u64)pid << 2 | h;
}

static inline u64 hold_serial(u64 w)
{
	return w >> 32;
}

static inline u32 hold_pid(u64 w)
{
	return (u32)w >> 2;
}

static inline enum hold hold_of(u64 w)
{
	return (enum hold)(w & HOLD_MASK);
}

/*
 * How a turn that its yields ended went: gate.c tells, runq.h says what for.  MOVED: it did not
 * wait for what it found.  Stays if the P was lost that moment; then it may queue by it once more.
 */
enum looks { LOOKS_NOT, LOOKS_MOVED, LOOKS_FOUND, LOOKS_IN_VAIN };

struct g {
	au32 status;	  /* stored by its own M only, except idle -> runnable and -> dead */
	au32 preempt;	  /* sysmon asks for the P; the owner clears.  Legal to miss. */
	au64 hold;	  /* see above */
	au32 syscalltick; /* brackets entered; owner writes, sysmon reads */
	au32 callno;	  /* of the last bracket: class << 16, syscall number; owner writes */
	struct m *m;
	struct g *schedlink; /* in its queue; guarded by that one's lock */
	u64 ready_ns;	     /* when it queued for a P; owner writes before it queues */
	u32 cpu;	     /* on which it ran last then; a hint, as ready_ns */
	u32 home;	     /* where it queues when it is back from a call: home.h; as ready_ns */
	u64 goid;
	bool on_strays;	  /* sysmon only */
	bool back;	  /* queues as one back from a call.  Owner writes before it queues. */
	bool holder;	  /* queues as one with a lock of the host's, who is back as well. */
	enum looks looks; /* owner writes before it queues; who takes it off the queue clears */
	/* sysmon only. */
	struct g *straylink;
	i64 stray_cpu;
	u64 stray_sent_ns;
};

/*
 * What a new thread starts from; written by its creator before it exists.  Not wiped in a forked
 * child: a handler may run, and fork, before the thread's first line, and the child goes on from
 * here.
 */
struct birth {
	struct g *g;
	void *start, *arg;
};

/*
 * m->sig: SIG_NONE, or which preemption signal is on its way to this thread, flight << 1, and
 * whether the kernel has it, SIG_SENT.  The number tells each signal from the next: who sent it, or
 * looked for it, some time ago cannot change the state of another one.
 */
enum { SIG_NONE = 0, SIG_SENT = 1 };

/* One-shot sleep that carries what woke it, in the low half: 0 = nothing yet, P id + 1, or
 * NOTE_DISSOLVED. */
struct note {
	au32 key;
};

/*
 * Was it seen asleep in a call that nobody announced?  Only in futex waits, or in others as well,
 * which may be cut short.  preempt.h says what for.
 */
enum sleeper { SLEEPER_NOT, SLEEPER_FUTEX, SLEEPER_CUT };

struct m {
	au32 live;    /* 0: thread ended, or this is a forked child's wiped copy */
	au64 class;   /* of the open bracket, with descriptor or object; owner writes */
	u32 traced;   /* the open bracket's end is an event.  Owner only. */
	u32 depth;    /* open brackets of this thread, handlers' included.  Owner only. */
	au32 sig;     /* in flight: see above, and preempt.h */
	au32 signo;   /* of the one in flight; its sender writes before it sends */
	au32 flights; /* tried so far; senders */
	au32 sleeper; /* enum sleeper; sysmon and the owner's handler write, a hint */
	au32 masked;  /* has blocked SIGURG once, or was born so.  Owner writes. */
	au32 timer;   /* + 1, 0: none.  sysmon writes; who ends a flight stops it: preempt.c. */
	/* Whose CPU clock it is on, and what it sends.  sysmon only. */
	i32 timer_tid;
	u32 timer_signo;
	/* Reads that queue first, entersyscall.c.  All of it: owner only. */
	u32 blocking_fd; /* + 1: known not to be O_NONBLOCK */
	u32 eager;	 /* reads in a row whose data was here before a P was */
	u64 lent_ns;	 /* when the open read began to wait, 0: not known */
	u32 cuts;	 /* waits for a P that a handler without SA_RESTART cut short */
	bool cut;	 /* the open call is not to be made: it was interrupted before it began */
	/* Yields, gate.c.  Owner only. */
	u64 began_ns;  /* woke with its P */
	u64 yields_at; /* which one the last was: gate_yields() */
	bool moved;    /* from one to another, in this turn */
	bool in_vain;  /* so was the last turn that yields ended */
	struct g *g;
	struct birth *birth; /* for ever */
	struct p *p;	     /* P held last; g->hold says if it still is.  Owner only. */
	uintptr_t gate_sp;   /* stack pointer at the outermost open bracket.  Owner only. */
	uintptr_t world_sp;  /* the same before it stopped the world.  Owner only. */
	u64 api_brackets;    /* gmp_entersyscall: a bit each, last in bit 0.  Owner only. */
	bool queued;	     /* on a run queue, or granted and not yet adopted.  Owner only. */
	au32 held;	  /* locks of the host's, roughly: gate.h.  Owner writes, sysmon reads. */
	au64 altstack;	  /* where the host's alternate stack begins, 0: none; sched.host */
	u32 dtor_rounds;  /* of thread-specific data destructors run.  Owner only. */
	struct note park; /* a P granted to us comes through here */
	bool late;	  /* the last one took long to come: spin.c.  Owner only. */
	au32 cpu;	  /* that the open bracket began on; owner writes, a hint */
	au64 with;	  /* the mutex of the last wait for a condition; owner writes, a hint */
	u64 tried;	  /* in vain, this mutex, and not locked since: sync.c.  Owner only. */
	i32 tid;
	u32 id;
	au64 trace_at; /* next event; trace.c */
	i64 stw_cpu;   /* CPU clock when the world was last looked at.  Who stops it. */
	u32 dead_tick; /* dead.c's last look: brackets and CPU clock.  sysmon only. */
	i64 dead_cpu;
	struct m *alllink;  /* sched.allm, for ever; guarded by sched.lock */
	struct m *freelink; /* guarded by sched.lock */
};

enum p_status {
	P_IDLE,	   /* in sched.pidle.   Owner: nobody; who takes its bit off. */
	P_RUNNING, /* handed out.       Owner: the G whose hold names it, or who hands it on. */
	P_DEAD,	   /* above nlent.      Owner: sched.lock. */
};

#define RUNQ_SIZE 256

/* What sysmon saw last of a P.  sysmon only. */
struct sysmontick {
	struct g *g;
	u32 schedtick;
	u32 syscalltick;
	bool in_call;
	u64 call_ns;   /* when this bracket was first seen */
	i64 cpu_ns;    /* thread CPU clock at the last look, -1 = none */
	u64 look_ns;   /* when that was */
	u64 still_ns;  /* since when the CPU clock stands still */
	u64 asked_ns;  /* first preemption request of this slice, 0 = none */
	i64 asked_cpu; /* its CPU clock then */
	u64 sent_ns;   /* last preemption signal of this slice */
};

struct p {
	u32 id;
	au32 status;	      /* its owner writes; that it is idle, sched.pidle says */
	ATOMIC(struct g *) g; /* who was given it last; advisory, g->hold decides */
	au32 schedtick;	      /* grants */
	/* Ring: producer = who owns this P; consumers = anybody, lock-free. */
	au32 runqhead, runqtail;
	ATOMIC(struct g *) runq[RUNQ_SIZE];
	au64 granted_ns;    /* start of the slice; who owns the P writes, sysmon reads */
	au32 yields;	    /* its owner's, in this slice, that gave nothing away */
	u64 boost_ns;	    /* first of an unbroken row of grants to Gs that go first, 0 = none */
	au64 owed_ns;	    /* how long the row was that ended with this grant, 0 = none */
	au32 luck, unlucky; /* loan.c */
	au64 served_ns;	    /* last grant from a queue, or when there was none */
	struct p *link;	    /* procs.c, while a P comes back to life */
	struct sysmontick seen;
};

struct mutex {
	au32 key;
};

/* SYSMON_LEFT: it touches nothing any more; its thread has ended, or will, and is to be joined. */
enum sysmon_life { SYSMON_NONE, SYSMON_ON, SYSMON_LEFT };
/*
 * Dozing it will look by itself at those who wait, within a millisecond.  Asleep, the first who
 * waits must wake it; lingering, too, but it knows that one G is left.
 */
enum sysmon_sleep { SYSMON_AWAKE, SYSMON_DOZES, SYSMON_LINGERS, SYSMON_ASLEEP };

#define MAXPROCS_MAX 4096

/* FIFO through g->schedlink.  size may be read without the lock, as a hint. */
struct gqueue {
	struct g *head, *tail;
	au32 size;
};

/*
 * Where new Gs wait and those back from a call; home.h.  The lock guards all but the hints, and
 * sizes may be read without it.
 */
#ifndef HOME_PS /* a test has smaller ones */
#define HOME_PS 8
#endif
struct home {
	struct mutex lock;
	bool back_had_turn;  /* the last of the two to be served */
	struct gqueue lockq; /* first those with a lock that others may wait for, */
	struct gqueue backq; /* then the others */
	au64 first_ns;	     /* since when the first in backq waits, 0: none; a hint */
} __attribute__((aligned(64)));

struct sched {
	/* Read by every bracket. */
	au32 nwait;	/* Gs that wait for a P: on a queue, in a ring, or between two of them */
	au32 tracing;	/* brackets are events */
	au32 active;	/* the process has had two threads */
	au32 dissolved; /* fail-open: nobody needs a P any more */
	au32 stopping;	/* the world stops: no P is handed out.  By who has world. */
	au32 world;	/* 1: somebody's to stop and start, stw.c.  A futex word. */

	ATOMIC(struct statpage *) page; /* NULL: none; page.c */

	au64 spun_ns; /* when a G was last found spinning; a hint, preempt.h */
	au32 excess;  /* Ps above nlent, or of a world that stops, may be held */
	/* sysmon's bed. */
	au32 sysmon_asleep __attribute__((aligned(64))); /* enum sysmon_sleep */
	au32 sysmon_seq;				 /* futex word */
	au32 sysmon_quit;
	au32 sysmon_on;	   /* enum sysmon_life.  Stored under life. */
	au32 sysmon_ready; /* it has descriptors of its own */

	struct mutex life; /* guards starting and ending sysmon's thread; never with lock */
	struct mutex
		host; /* guards preload/signal.c's copy of the host's action; never with lock */
	struct mutex limit; /* guards who says how many Ps; taken before lock */
	/* Idle Ps, pidle.h: a bit each, and how many; that is above it, not below, at any time. */
	au32 npidle __attribute__((aligned(64)));
	au64 pidle[MAXPROCS_MAX / 64];

	struct home homes[MAXPROCS_MAX / HOME_PS];
	au32 nhome; /* of all Ps there ever were: who waits there does so still */

	struct mutex lock __attribute__((aligned(64)));
	/* All below: guarded by lock. */
	struct gqueue runq;  /* preempted and yielding Gs, */
	struct gqueue vainq; /* and those of them that looked in vain since another one did not */
	u32 in_turn, out_of_turn; /* turns of yielders, runq.c: had, and still to be had */
	au32 gomaxprocs;	  /* written under lock, read anywhere */
	au32 nlent;		  /* Ps below this may be handed out; less than all: pace.c */
	au32 ncpu;		  /* CPUs that we may use, 0: a quota is less.  A hint: limit.c */
	au32 nallp;		  /* from here on all Ps are dead, or not made; none is freed */
	/* Read by allm(). */
	ATOMIC(struct m *) allm;
	struct m *mfree;
	au32 ng; /* live Gs */
	u32 mnext;
	au64 goidgen; /* written under lock; sysmon compares */
	u64 start_ns;
	i32 pid; /* the process that all this belongs to; written before active */
	struct p *allp[MAXPROCS_MAX];
	struct stats own_stats; /* until there is a page; stats.h */

	/* alloc.c */
	struct slab {
		char *pos, *end;
	} slab, kept; /* kept: a forked child finds it as it was */

	/* sysmon only. */
	struct g *strays;
	u32 nstray;
	u32 dead_gs, dead_looks; /* Gs at dead.c's last look; looks that agree */
	u64 limit_ns;		 /* when the number of Ps is looked up again; 0 = not known yet */
	u32 taken;		 /* Ps, from Gs that block, */
	u64 unseen_ns;		 /* and when that was last in a call that nobody announced */
}
__attribute__((aligned(4096))); /* whole pages of its own: a forked child finds it wiped, fork.c */

extern struct sched sched;

/* Every M there ever was, newest first, by alllink: none is taken off, so no lock is needed. */
static inline struct m *allm(void)
{
	return load_acq(&sched.allm); /* acquire, @pair allm: each is complete */
}

static inline u64 min_u64(u64 a, u64 b)
{
	return a < b ? a : b;
}

static inline u64 max_u64(u64 a, u64 b)
{
	return a > b ? a : b;
}

/* Set for threads that have a G; NULL for all others, and while a process has one thread. */
extern __thread struct m *gmp_tls_m __attribute__((tls_model("initial-exec")));

static inline struct m *getm(void)
{
	return gmp_tls_m;
}

#endif

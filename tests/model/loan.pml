/*
 * The loan protocol of docs/MEMORY_MODEL.md (loan, signal, doze) for two Gs, sysmon, and one P
 * (two with RESIZE).  PREEMPT adds a preemption signal in flight, UNSEEN calls without a bracket,
 * FORK a child, TRACE a trace that begins at any moment, HERE Ps that are left lent while others
 * wait and picked up, BIRTH a thread that gets the storage of one that has ended: parts, so that
 * each run takes seconds.
 *
 * What x86-64 does to it is explicit: a G's stores to its status go into a store buffer, from where
 * they reach memory at any later moment, in order.  A locked instruction of the G drains it.
 * fence_light() does nothing to it; fence_heavy() is membarrier(2), which drains the buffers of all
 * others, each at some moment of its own.  With SYMMETRIC both are full fences of who calls them:
 * what is done where membarrier cannot be had.  sysmon's sysmon_asleep has a buffer too.
 *
 * What must hold: user code runs with a P, or the G is a stray that sysmon knows of (assert at
 * user); no signal is sent to a G in a call, nor is one pending when it enters (asserts in
 * preempt_send and settle); nobody sleeps for ever (no invalid end state: each call waits for what
 * the other G does when it runs); no P is lost (init); what a trace does not tell at its begin is
 * an event of it (asserts in tell and renew).
 *
 * Sections under sched.lock are one step: what they touch, but hold and nwait, only they touch.
 * Release stores of hold are immediate: their order, not their delay, is what @pair hold is about.
 *
 * -D of a mutant takes one thing out, and the model must fail; run.sh has the list.
 */
#define NG 2
#ifdef RESIZE
#define NP 2
#else
#define NP 1
#endif
#define NOBODY 9

#ifndef ROUNDS
#define ROUNDS 1
#endif

mtype = { RUNNING, SYSCALL, RUNNABLE, IDLE, DEAD };
mtype = { KEPT, ASKED, LOST };
mtype = { P_IDLE, P_RUNNING, P_DEAD };

mtype status[NG] = RUNNABLE;	  /* in memory */
chan stores[NG] = [2] of { mtype }; /* on its way there */
mtype hold[NG] = LOST;
byte hold_p[NG], serial[NG];
byte sig[NG];	     /* 0: none in flight; else flight << 1, + 1 when sent */
byte flights[NG];
bool pending[NG];    /* the signal is on the thread's queue */
bool preempt[NG];
bool will_wait[NG];  /* class of the open call */
byte granted[NG];    /* the note: P + 1 */
bool queued[NG];
byte nwait;

byte owner[NP] = NOBODY; /* p->g */
mtype pstatus[NP] = P_DEAD;
byte gomaxprocs;

bool asleep, asleep_stored; /* in memory, and in sysmon's buffer */
byte done;

/* Ghosts: what the processor does, for the assertions and the probe. */
bool in_call[NG], blocked[NG], stray[NG], posted[NG];

#ifdef TRACE
bool tracing;
/* Ghosts: the trace's begin has told of it; its end is no event, for there was no trace. */
bool told[NG], silent[NG];
#endif

/* ---- the memory ---- */

inline flush(g)
{
	d_step {
		do
		:: nempty(stores[g]) -> stores[g]?status[g]
		:: empty(stores[g]) -> break
		od
	}
}

active [NG] proctype drain() /* its pid is the G's number */
{
end:	do
	:: stores[_pid]?status[_pid]
	od
}

inline store_status(g, s) { stores[g]!s }

inline fence_light(g)
{
#if defined(SYMMETRIC) && !defined(NO_LIGHT_FENCE)
	flush(g)
#else
	skip
#endif
}

inline fence_heavy()
{
#ifndef SYMMETRIC
	flush(0);
	flush(1)
#else
	skip /* who calls it has just executed a locked instruction */
#endif
}

#ifdef NO_FLIGHT
#define NEXT_FLIGHT(g) 1
#else
#define NEXT_FLIGHT(g) (flights[g] + 1)
#endif

#ifdef NO_SERIAL
#define SAME_WORD true
#else
#define SAME_WORD serial[o] == sn
#endif

inline fence_loan()
{
#ifndef NO_LOAN_FENCE
	fence_heavy()
#else
	skip
#endif
}

inline fence_signal()
{
#ifndef NO_SIGNAL_FENCE
	fence_heavy()
#else
	skip
#endif
}

inline fence_trace()
{
#ifndef NO_TRACE_FENCE
	fence_heavy()
#else
	skip
#endif
}

/* ---- who changes a word reads it, then the clock, and tells of the change ---- */

#ifdef TRACE
#define UNCHANGED(g) serial[g] == sn
inline clock() { dated = tracing }
inline look(g) { sn = serial[g]; clock() }
inline tell(g) { assert(dated || !told[g]) }
#else
#define UNCHANGED(g) true
inline clock() { skip }
inline look(g) { skip }
inline tell(g) { skip }
#endif

/* ---- handing on; lock ---- */

inline kick()
{
	atomic {
		if
		:: asleep -> asleep = false
		:: else
		fi
	}
}

inline grant(p, g)
{
	queued[g] = false;
	nwait--;
	owner[p] = g;
	granted[g] = p + 1
}

/* p is the caller's, or NOBODY. */
inline handoffp(p)
{
	atomic {
		if
		:: p < NP -> owner[p] = NOBODY
		:: else
		fi;
		if
		:: p == NOBODY
		:: p != NOBODY && p >= gomaxprocs -> pstatus[p] = P_DEAD
		:: p < gomaxprocs && queued[0] -> grant(p, 0)
		:: p < gomaxprocs && queued[1] -> grant(p, 1)
		:: p < gomaxprocs && !queued[0] && !queued[1] -> pstatus[p] = P_IDLE
		fi
	}
}

/* hold of g: to LOST, whatever it is; p: the P that is the caller's then, or NOBODY */
inline releasep(g, p)
{
	do
	:: look(g);
		if
		:: hold[g] == LOST -> p = NOBODY; break
		:: else ->
			flush(g);
			atomic {
				if
				:: hold[g] != LOST && UNCHANGED(g) ->
					tell(g);
					p = hold_p[g];
					hold[g] = LOST;
					break
				:: else
				fi
			}
		fi
	od
}

/* ---- seizing ---- */

/* p of o, if still holds after the fence; got: it is the caller's.  strays: o may run without. */
inline seize(p, o, sn, got, still, strays)
{
	atomic { /* seize_ask() */
		got = false;
		o = owner[p];
		if
		:: o != NOBODY && hold[o] == KEPT && hold_p[o] == p ->
			hold[o] = ASKED;
			sn = serial[o];
			got = true
		:: else
		fi
	}
	if
	:: got ->
		fence_loan();
		got = (still);
		clock();
		atomic { /* seize_take(), seize_drop(): one CAS */
			if
			:: hold[o] == ASKED && SAME_WORD ->
				if
				:: got -> tell(o)
				:: else
				fi;
				hold[o] = (got -> LOST : KEPT);
				stray[o] = stray[o] || (got && strays)
			:: else -> got = false
			fi
		}
	:: else
	fi
}

/* ---- a G ---- */

inline keep(g, p)
{
	store_status(g, RUNNING);
	do
	:: look(g);
		atomic {
			if
			:: UNCHANGED(g) ->
				tell(g);
				hold_p[g] = p;
				serial[g]++;
				hold[g] = KEPT;
				stray[g] = false;
				break
			:: else
			fi
		}
	od
}

/* An idle P, or queued: under the lock. */
inline take_or_queue(g, p, got)
{
	flush(g);
	atomic {
		if
		:: pstatus[0] == P_IDLE -> p = 0; pstatus[0] = P_RUNNING; got = true
#ifdef RESIZE
		:: pstatus[0] != P_IDLE && pstatus[1] == P_IDLE ->
			p = 1; pstatus[1] = P_RUNNING; got = true
#endif
		:: else -> status[g] = RUNNABLE; queued[g] = true; nwait++
		fi
	}
}

/* A P that was lent by a call that said it would wait. */
inline seize_waiting(g, p, o, sn, got)
{
	p = 0;
	do
	:: p < NP && !got ->
		o = owner[p];
		if
		:: o != NOBODY && o != g && status[o] == SYSCALL && will_wait[o] ->
			seize(p, o, sn, got, status[o] == SYSCALL, false)
		:: else
		fi;
		if
		:: !got -> p++
		:: else
		fi
	:: else -> break
	od
}

#ifdef HERE
#ifdef TRUST_CPU
#define SLEEPS(o) true
#else
#define SLEEPS(o) (status[o] == SYSCALL)
#endif
/* One that was lent on this CPU, which is a hint: anybody's.  Kept, or it is the queue's turn. */
inline seize_here(g, p, o, sn, got)
{
	p = 0;
	o = owner[p];
	if
	:: o != NOBODY && o != g && status[o] == SYSCALL ->
		seize(p, o, sn, got, SLEEPS(o), false)
	:: else
	fi;
	if
	:: got -> handoffp(p); got = false
	:: true
	fi
}
#endif

/* The handler, where the thread returns to user mode. */
inline deliver(g)
{
	atomic { pending[g] = false; sig[g] = 0 }
}

/* preempt_settle(), where nothing is delivered: a signal that was sent is taken off the queue. */
inline take_pending(g, seen)
{
	seen = sig[g];
	if
	:: seen % 2 == 1 ->
		if
		:: pending[g] -> deliver(g) /* off the CPU since the look: the handler comes first */
		:: true
		fi;
		pending[g] = false;
		atomic {
			if
			:: sig[g] == seen -> sig[g] = 0
			:: else
			fi
		}
	:: else
	fi
}

/* The status is SYSCALL (or DEAD) and no signal is in flight to us: in_call from then on. */
inline settle(g, s, got, sn)
{
	do
	::
#ifdef ENTRY_REORDERED
		got = (sig[g] != 0);
		store_status(g, s);
#else
		store_status(g, s);
		fence_light(g);
		got = (sig[g] != 0);
#endif
		if
		:: !got -> atomic { in_call[g] = true; assert(!pending[g]) } break
		:: else ->
			store_status(g, RUNNING);
			do
			:: sig[g] == 0 -> break
			:: pending[g] -> deliver(g)
#ifdef PREEMPT
			:: take_pending(g, sn)
#endif
			od;
			sn = 0
		fi
	od
}

/* fork() inside the bracket: the child has this thread and this memory, less what is wiped. */
proctype child(bool has_p)
{
#ifdef NO_WIPE
	has_p /* else it would wait for a P that nobody grants */
#else
	skip
#endif
}

proctype G(byte g)
{
	byte p, o, sn, round;
	bool got, dated, reborn;

get_p:	/* acquirep() */
	got = false;
	preempt[g] = false;
	if
	:: nwait == 0 -> seize_waiting(g, p, o, sn, got)
#ifdef HERE
	:: true -> seize_here(g, p, o, sn, got)
#endif
	:: else
	fi;
	if
	:: !got -> take_or_queue(g, p, got)
	:: else
	fi;
	if
	:: got -> keep(g, p); owner[p] = g; goto user
	:: else -> kick()
	fi;
await:	granted[g] != 0;
	p = granted[g] - 1;
	granted[g] = 0;
	keep(g, p);

user:	skip; /* user code: what is checked here is what all is about */
	d_step { p = 0; o = 0; sn = 0; got = false } /* fewer states */
	if
	:: pending[g] ->
		deliver(g);
		if
		:: hold[g] == LOST -> goto get_p
		:: hold[g] != LOST && preempt[g] -> goto park
		:: else
		fi
	:: else
	fi;
	atomic {
		assert(hold[g] != LOST || stray[g]);
		posted[1 - g] = true
	}
	if
	:: round == ROUNDS -> goto exit
	:: else -> round++
	fi;
	if
	:: will_wait[g] = false
#if !defined(RESIZE) && !defined(PREEMPT)
	:: will_wait[g] = true
#endif
#ifdef UNSEEN
	:: blocked[g] = true;
		posted[g];
		blocked[g] = false;
		goto user
#endif
	fi;

	settle(g, SYSCALL, got, sn); /* entersyscall() */
	if
	:: nwait > 0 && will_wait[g] ->
		releasep(g, p);
		handoffp(p)
	:: nwait > 0 && !will_wait[g] -> kick()
#ifdef HERE
	:: nwait > 0 && will_wait[g] -> kick() /* loan_leave() says so */
#endif
	:: else
	fi;
#ifdef FORK
	if
	:: g == 0 -> got = (hold[g] == KEPT); run child(got)
	:: else
	fi;
#endif
	posted[g]; /* the call */

	in_call[g] = false; /* exitsyscall() */
#ifdef EXIT_REORDERED
	got = (hold[g] != KEPT || preempt[g]);
	store_status(g, RUNNING);
#else
	store_status(g, RUNNING);
	fence_light(g);
	got = (hold[g] != KEPT || preempt[g]);
#endif
	if
	:: !got -> goto user
	:: else
	fi;
	flush(g);
	atomic { /* refuse_seizers(): a CAS, of the word that was read or of what it has become */
		if
		:: hold[g] == ASKED -> hold[g] = KEPT; serial[g]++
		:: else
		fi
	}
	if
	:: hold[g] == LOST -> goto get_p
	:: hold[g] != LOST && preempt[g] -> goto park
	:: else -> goto user
	fi;

park:	/* gosched() */
	preempt[g] = false;
	releasep(g, p);
	if
	:: p == NOBODY -> goto get_p
	:: else
	fi;
	atomic { status[g] = RUNNABLE; queued[g] = true; nwait++ }
	handoffp(p);
	kick();
	goto await;

exit:	/* mexit() */
	settle(g, DEAD, got, sn);
	releasep(g, p);
#ifdef TRACE
	silent[g] = !tracing;
#endif
	handoffp(p);
#ifdef BIRTH
	if
	:: g == 0 && !reborn -> /* newg(), for another thread; retire()'s lock comes first */
		reborn = true;
		round = 0;
		flush(g);
		status[g] = IDLE;
		in_call[g] = false;
#ifdef ANEW
		serial[g] = 0;
#endif
		atomic { serial[g]++; hold_p[g] = 0; hold[g] = LOST }
		goto get_p
	:: else
	fi;
#endif
	done++
}

/* ---- sysmon ---- */

inline preempt_send(o, flight, got)
{
	atomic {
		got = (sig[o] == 0);
		if
		:: got -> flight = NEXT_FLIGHT(o) * 2; flights[o]++; sig[o] = flight
		:: else
		fi
	}
	if
	:: got ->
		fence_signal();
		got = (status[o] == RUNNING);
		if
		:: got -> atomic { pending[o] = true; assert(!in_call[o]) }
		:: else
		fi;
		atomic {
			if
			:: sig[o] == flight -> sig[o] = (got -> flight + 1 : 0)
			:: else
			fi
		}
	:: else
	fi
}

/* Sleeps while nobody waits. */
inline doze()
{
	asleep_stored = true;
#ifndef NO_DOZE_FENCE
	atomic { asleep = true; asleep_stored = false } /* fence_full() */
#endif
	if
	:: nwait == 0 ->
		/* The system call that sleeps drains the buffer too, but after the look. */
		atomic { asleep = asleep || asleep_stored; asleep_stored = false }
		!asleep || done == NG
	:: else
	fi;
	atomic { asleep = false; asleep_stored = false }
}

#ifdef TRACE
/* trace_g_locked(), hold_renew(): what the word says, with the next serial. */
inline renew(g)
{
	if
	:: status[g] != DEAD -> /* it is live */
		atomic {
			assert(!silent[g]);
			told[g] = true;
#ifndef NO_RENEWAL
			hold[g] = (hold[g] == LOST -> LOST : KEPT);
			serial[g]++
#endif
		}
	:: else
	fi
}

inline begin()
{
	tracing = true; /* the lock that the first renewal takes drains it */
	fence_trace();
	renew(0);
	renew(1)
}
#endif

proctype sysmon()
{
	byte p, g, o, sn, sent;
	bool got, dated;

	do
	:: done == NG -> break
#ifdef TRACE
	:: done < NG && !tracing -> begin()
#endif
	:: done < NG && nwait == 0 -> doze()
	:: done < NG && nwait > 0 ->
		got = false;
		p = 0;
#ifdef RESIZE
		if
		:: p = 0
		:: p = 1
		fi;
#endif
		g = owner[p];
		if
		:: g != NOBODY && status[g] == SYSCALL -> /* retake_loan() */
			seize(p, o, sn, got, status[o] == SYSCALL, false)
#ifdef UNSEEN
		:: g != NOBODY && status[g] == RUNNING && blocked[g] -> /* retake_blocked() */
			seize(p, o, sn, got, status[o] == RUNNING && blocked[o], true)
#endif
#ifdef PREEMPT
		:: g != NOBODY && status[g] == RUNNING && !blocked[g] && sent < 2 -> /* over its slice */
			sent++;
			preempt[g] = true;
			preempt_send(g, sn, got);
			got = false
#endif
		:: else
		fi;
		if
		:: got -> handoffp(p)
		:: else
		fi;
		d_step { p = 0; g = 0; o = 0; sn = 0; got = false } /* fewer states */
	od
}

#ifdef RESIZE
/* ---- resizing ---- */

inline resize_up()
{
	atomic {
		gomaxprocs = 2;
		got = (pstatus[1] == P_DEAD);
		if
		:: got -> pstatus[1] = P_RUNNING
		:: else
		fi
	}
	if
	:: got -> handoffp(1)
	:: else
	fi
}

inline resize_down()
{
	atomic {
		gomaxprocs = 1;
		if
		:: pstatus[1] == P_IDLE -> pstatus[1] = P_DEAD
		:: else
		fi;
		o = owner[1]
	}
	if
	:: o != NOBODY -> preempt[o] = true; kick()
	:: else
	fi
}

proctype resizer()
{
	bool got;
	byte o;

	resize_up();
	resize_down()
}
#endif

init
{
	atomic {
		gomaxprocs = 1;
		pstatus[0] = P_IDLE;
		run G(0);
		run G(1);
		run sysmon();
#ifdef RESIZE
		run resizer();
#endif
	}
	/* All have ended: the drains, and this. */
	_nr_pr == NG + 1;
	assert(pstatus[0] == P_IDLE && nwait == 0);
	assert(pstatus[NP - 1] == (NP == 1 -> P_IDLE : P_DEAD))
}

/*
 * Idle Ps and queued Gs without a lock over both (docs/MEMORY_MODEL.md, idle, stopping and lend):
 * who queues looks for an idle P afterwards, and who leaves a P idle looks for queued Gs
 * afterwards.  Two Gs that run, and yield, or give their P up and want another; two Ps.  STOP adds
 * who stops the world, or gives that up, and starts it again, RESIZE who lends one P less and then
 * both again: parts, so that each search takes seconds.  With both of them the Gs only yield, and
 * one P less it stays.
 *
 * What must hold: when nothing moves but who computes, no G is queued while a P is idle and the
 * world runs, and no P above the cap is idle (at_rest); a P has one owner (claim, put, user); in a
 * stopped world nobody is in user code (user, stopper); all come to their end, and so do the Ps
 * (no invalid end state, init).
 *
 * What x86-64 does to it is that a load may pass an earlier store: where a fence is between the
 * two, a mutant has them in the other order.  A pop under a queue's lock is one step, with the
 * look at the queue's size: to read 0 is the same as to find none.  What a batch takes out of a
 * queue is in none until it is put into the ring.  The mask is read P by P, for it may have
 * several words.  npidle is never less than the bits that are set, so to read 0 is the same as to
 * find none, too.  What sched.lock guards is the death of P 1, one step; to read of it outside of
 * the lock would be safe on x86-64, where the lock's release is a fence.
 *
 * -D of a mutant takes one thing out, and the model must fail; run.sh has the list.
 */
#define NP 2
#define NG 2
#define STOPPER 2
#define RESIZER 3
#define NOBODY 9

#define GLOBAL 2 /* before it: the rings of the Ps */

mtype = { RETURN, AWAIT, END };

chan queue[3] = [NG] of { byte };

bool idle[NP]; /* the mask */
byte owner[NP]; /* and so the notes: who waits has none */
bool dead;	/* P 1 */
byte nlent = NP;
bool stopping;

/* Ghosts. */
byte users;
bool stopped;

/* ---- idle Ps ---- */

inline claim(i, p)
{
	atomic {
		if
		:: idle[i] ->
			assert(owner[i] == NOBODY);
			idle[i] = false;
			owner[i] = me;
			p = i
		:: else
		fi
	}
}

inline put(p)
{
	atomic {
		assert(owner[p] == me && !idle[p]);
		owner[p] = NOBODY;
		idle[p] = true
	}
}

/* What has been moved into p's ring goes back, and p, which is the caller's, dies; or the cap
 * is up again. */
inline retire(p, g)
{
	do
	:: queue[p]?g -> atomic { queue[GLOBAL]!g; g = NOBODY }
	:: empty(queue[p]) -> break
	od;
	atomic {
		if
		:: p >= nlent ->
			assert(owner[p] == me && !idle[p]);
			dead = true;
			owner[p] = NOBODY;
			p = NOBODY
		:: else
		fi
	}
}

/* To *p, which is NOBODY then. */
inline pidleput(p, g)
{
	do
	:: put(p);
#ifndef NO_CAP_RECHECK
		if
		:: p >= nlent ->
			atomic {
				p = NOBODY;
				if
				:: idle[1] -> idle[1] = false; owner[1] = me; p = 1
				:: else -> break
				fi
			}
			retire(p, g);
			if
			:: p == NOBODY -> break
			:: else
			fi
		:: else -> p = NOBODY; break
		fi
#else
		p = NOBODY;
		break
#endif
	od
}

/* p is NOBODY before; afterwards it is one that was idle, if there was one. */
inline pidleget(p, g)
{
	do
	:: stopping -> break
	:: else ->
		claim(0, p);
		if
		:: p == NOBODY -> claim(1, p)
		:: else
		fi;
#ifdef NO_SECOND_LOOK
		break
#else
		if
		:: p == NOBODY || !stopping -> break
		:: else -> pidleput(p, g)
		fi
#endif
	od
}

/* ---- finding work ---- */

/* One, and perhaps another, which is in no queue then until it is in p's ring. */
inline batch(q, p, g)
{
	atomic {
		if
		:: queue[q]?g ->
			if
			:: queue[q]?more
			:: true
			fi
		:: empty(queue[q])
		fi
	}
	if
	:: more != NOBODY -> atomic { queue[p]!more; more = NOBODY }
	:: else
	fi
}

inline findrunnable(p, g)
{
	if
	:: !stopping ->
		atomic {
			if
			:: queue[p]?g
			:: empty(queue[p])
			fi
		}
		if
		:: g == NOBODY -> batch(GLOBAL, p, g)
		:: else
		fi;
		if
		:: g == NOBODY -> batch(1 - p, p, g)
		:: else
		fi
	:: else
	fi
}

inline any_queued(yes)
{
	yes = nempty(queue[GLOBAL]);
	if
	:: !yes -> yes = nempty(queue[0])
	:: else
	fi;
	if
	:: !yes -> yes = nempty(queue[1])
	:: else
	fi
}

/* The next G for p, which may become another P; NOBODY: p is idle or dead. */
inline next(p, g)
{
	do
	:: p >= nlent ->
		retire(p, g);
		if
		:: p == NOBODY -> pidleget(p, g)
		:: else
		fi;
		if
		:: p == NOBODY -> break
		:: else
		fi
	:: else ->
		findrunnable(p, g);
		if
		:: g != NOBODY -> break
		:: else
		fi;
#ifdef CLAIM_OWN
		more = p;
#endif
		pidleput(p, g);
#ifndef NO_RECHECK
		if
		:: !stopping -> any_queued(yes)
		:: else
		fi;
		if
		:: yes ->
			yes = false;
#ifdef CLAIM_OWN
			claim(more, p)
#else
			pidleget(p, g)
#endif
		:: else
		fi;
#endif
#ifdef CLAIM_OWN
		more = NOBODY;
#endif
		if
		:: p == NOBODY -> break
		:: else
		fi
	od
}

inline hand_on(p, g)
{
	do
	:: p == NOBODY -> break
	:: else ->
		next(p, g);
		if
		:: g == NOBODY -> break
		:: else
		fi;
		atomic { /* grant() */
			assert(owner[p] == me && !idle[p]);
			owner[p] = g;
			g = NOBODY;
			p = NOBODY
		}
#ifndef NO_CHAIN
		any_queued(yes);
		if
		:: yes -> yes = false; pidleget(p, g)
		:: else
		fi
#endif
	od
}

/* ---- a G ---- */

/* When nothing moves but those who compute. */
inline at_rest()
{
	assert(stopping || !(idle[0] || idle[1]) ||
		empty(queue[0]) && empty(queue[1]) && empty(queue[GLOBAL]));
	assert(!idle[1] || nlent == 2)
}

proctype G(byte me)
{
	byte p = me, g = NOBODY, more = NOBODY;
	bool yes, again;
	mtype then;

user:	atomic {
		assert(owner[p] == me && !idle[p] && !stopped);
		users++
	}
	if
	:: true -> atomic { timeout -> at_rest() }
	:: true
	fi;
	users--;
	if
	:: again -> then = END
	:: !again -> again = true; queue[GLOBAL]!me; then = AWAIT /* a yield */
#if !defined(STOP) || !defined(RESIZE)
	:: !again -> again = true; then = RETURN
#endif
	fi;

on:	hand_on(p, g);
	if
	:: then == END -> goto end
	:: then == AWAIT -> goto await
	:: then == RETURN
	fi;

	pidleget(p, g);
	if
	:: p != NOBODY -> goto user
	:: else
	fi;
	then = AWAIT;
#ifdef NO_PUSH_FENCE
	if
	:: !idle[0] && !idle[1] -> queue[GLOBAL]!me; goto await
	:: else
	fi;
#endif
	queue[GLOBAL]!me;
	pidleget(p, g);
	goto on;

await:	atomic {
		if
		:: owner[0] == me -> p = 0
		:: owner[1] == me -> p = 1
		fi;
		goto user
	}
end:	skip
}

#ifdef STOP
proctype stopper(byte me)
{
	byte p = NOBODY, g = NOBODY, more = NOBODY;
	bool yes;

#ifndef NO_STOP_FENCE
	stopping = true;
#endif
	do
	:: idle[0] ->
		if
		:: idle[1] || dead -> yes = true; break
		:: !idle[0]
		fi
	:: true -> break /* it takes too long */
	od;
#ifdef NO_STOP_FENCE
	stopping = true;
#endif
	if
	:: atomic { yes -> yes = false; assert(users == 0); stopped = true }
	:: else
	fi;
	stopped = false;

#ifdef NO_START_FENCE
	if
	:: !idle[0] && !idle[1] -> stopping = false; goto end
	:: else
	fi;
#endif
	stopping = false;
	pidleget(p, g);
	hand_on(p, g);
end:	skip
}
#endif

#ifdef RESIZE
proctype resizer(byte me)
{
	byte p = NOBODY, g = NOBODY, more = NOBODY;
	bool yes;

#ifdef NO_LEND_FENCE
	if
	:: !idle[1] -> nlent = 1; goto end
	:: else
	fi;
#endif
	nlent = 1;
	claim(1, p);

on:	hand_on(p, g);
	if
	:: true
#ifndef STOP
	:: atomic {
		nlent == 1 ->
		nlent = 2;
		if
		:: dead -> dead = false; owner[1] = me; p = 1
		:: else
		fi };
		goto on
#endif
	fi;
end:	skip
}
#endif

init
{
	atomic {
		owner[0] = 0;
		owner[1] = 1;
		run G(0);
		run G(1);
#ifdef STOP
		run stopper(STOPPER);
#endif
#ifdef RESIZE
		run resizer(RESIZER)
#endif
	}
	_nr_pr == 1;
	assert(idle[0] && idle[1] == (nlent == 2) && dead == (nlent == 1))
}

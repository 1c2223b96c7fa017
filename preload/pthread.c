/*
 * Birth and death of Gs.
 *
 * A G is born before the start routine and dies in the last round of thread-specific data
 * destructors: C++ thread_locals and the host's own destructors have run by then, and may have
 * blocked. The first thread that the host creates brings the scheduler to life; sysmon lives while
 * there are two Gs, and a little longer (sysmon_life.h).  It is a thread of libc's, so that setuid,
 * gdb and exit treat it as one, and it ends before the last G's thread does: the process must end
 * in the host's thread, as it would without us.
 */
#include <errno.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <threads.h>

#include "preload/frames.h"
#include "preload/gate.h"
#include "preload/host.h"
#include "preload/interpose.h"
#include "preload/lifecycle.h"
#include "runtime/fork.h"
#include "runtime/gate.h"
#include "runtime/hooks.h"
#include "runtime/life.h"
#include "runtime/limit.h"
#include "runtime/lock.h"
#include "runtime/opts.h"
#include "runtime/os.h"
#include "runtime/print.h"
#include "runtime/proc.h"
#include "runtime/sysmon_life.h"

#define SYSMON_STACK (256 << 10) /* where the host is dead it unwinds all stacks, in a child */

/* Kept across fork: the child has the same keys and handlers. */
static pthread_key_t exit_key;
static bool have_key;
static pthread_t sysmon_thread; /* guarded by sched.life */
static i32 sysmon_tid;		/* its own until it has ended */

/* ---- sysmon's thread ---- */

static void *sysmon_start(void *fn)
{
	gmp_tls_m = &m_sysmon;
	sysmon_tid = os_gettid();
	((void (*)(void))fn)();
	return NULL;
}

/*
 * A stack of its own size, for the host's (RLIMIT_STACK) may be too small for it, or all of the
 * memory that the host may have.  The static thread-local data of the host's libraries lies on it,
 * too.
 */
static int thread_start(void (*fn)(void))
{
	pthread_attr_t attr;
	sigset_t all, old;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, SYSMON_STACK + real___pthread_get_minstack(&attr));
	/* libc keeps its own two signals out of the mask: setuid must reach this thread as well. */
	sigfillset(&all);
	real_pthread_sigmask(SIG_SETMASK, &all, &old);
	err = real_pthread_create(&sysmon_thread, &attr, sysmon_start, (void *)fn);
	real_pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -err;
}

/*
 * Joining is a cancellation point, and creating a thread, or ending one, is none.  The kernel tells
 * of a thread's end some microseconds before it counts it no more, and unshare() goes by the count.
 */
static void thread_join(void)
{
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	real_pthread_join(sysmon_thread, NULL);
	while (os_thread_cpu(sysmon_tid) >= 0)
		os_yield();
	pthread_setcancelstate(state, NULL);
}

/*
 * The kernel refuses some calls to a process with threads.  A host that has joined all of its own
 * has none, as far as it knows: ours goes, and comes back with the host's next.
 */
void threads_quiesce(void)
{
	if (!load_rlx(&sched.active) || on_borrowed_memory()) /* or the threads are another's */
		return;
	if (load_rlx(&sched.ng) > 1)
		bury_gone();
	sysmon_end(1);
}

/* After a G was made, before it waits for a P. */
static void watch(void)
{
	if (load_rlx(&sched.dissolved) || sysmon_need())
		return;
	if (opts.verbose)
		gmp_warn("threads: sysmon's thread cannot be started; running without a cap");
	sched_dissolve();
}

void threads_retire(const char *why)
{
	if (on_borrowed_memory() || opts.disable) /* that executes another program soon */
		return;
	if (opts.verbose)
		gmp_warn("host: %s runs untouched from here on: %s", program_invocation_short_name,
			 why);
	opts.disable = 1;
	if (!load_acq(&sched.active)) /* @pair active */
		return;
	last_words();
	sched_dissolve(); /* first: then nobody starts another sysmon */
	sysmon_end(~0u);
	gthread_leave();
}

int shim_unshare(int flags)
{
	threads_quiesce();
	return real_unshare(flags);
}

int shim_setns(int fd, int type)
{
	threads_quiesce();
	return real_setns(fd, type);
}

/* ---- death ---- */

static void thread_exit(void)
{
	if (mexit())
		sysmon_end(0);
}

/* Destructor of exit_key: runs once a round, ends the G in the last one. */
static void on_thread_exit(void *g)
{
	struct m *m = getm();

	if (!m || !load_rlx(&m->live))
		return;
	if (++m->dtor_rounds < PTHREAD_DESTRUCTOR_ITERATIONS)
		pthread_setspecific(exit_key, g);
	else
		thread_exit();
}

bool gthread_leave(void)
{
	struct m *m = getm();

	if (!m || !load_rlx(&m->live))
		return false;
	thread_exit();
	return true;
}

/* ---- birth ---- */

/*
 * g's M is gone only in a child that a handler forked before our first line.  Who stands between us
 * and libc may have made calls ahead of us, for which the thread was adopted: with two Gs it would
 * wait for the P that it has.
 */
static void thread_begin(struct g *g)
{
	struct m *m = g->m;

	if (!m)
		return;
	gthread_leave();
	m->dtor_rounds = 0;
	mstart(g);
	pthread_setspecific(exit_key, g);
}

static struct birth begin(void *arg)
{
	struct birth birth = *(struct birth *)arg;

	thread_begin(birth.g);
	return birth;
}

static void *start_pthread(void *arg)
{
	struct birth birth = begin(arg);

	return ((void *(*)(void *))birth.start)(birth.arg);
}

static int start_thrd(void *arg)
{
	struct birth birth = begin(arg);

	return ((thrd_start_t)birth.start)(birth.arg);
}

/* NULL past GMP_MAXTHREADS or without memory. */
static struct birth *conceive(void *start, void *arg)
{
	struct g *g = newg(start, arg);

	if (!g)
		return NULL;
	watch();
	return g->m->birth;
}

/* A thread that libc made by itself (timers, aio) and that now calls us. */
static struct m *adopt(void)
{
	struct g *g = opts.disable ? NULL : newg(NULL, NULL);

	if (!g)
		return NULL;
	gmp_tls_m = &m_off; /* what libc calls to make a thread is no reason to come here again */
	watch();
	thread_begin(g);
	return g->m;
}

static bool activate_first(void)
{
	gmp_init();
	opts.disable |= host_unfit() != NULL;
	if (opts.disable)
		return false;
	if (!have_key)
		have_key = pthread_key_create(&exit_key, on_thread_exit) == 0;
	sched.pid = os_getpid();
	if (!have_key || sched_start(limit_start()) != 0) {
		gmp_warn("threads: no memory or key for the scheduler; running without it");
		opts.disable = 1;
		return false;
	}
	pthread_setspecific(exit_key, getm()->g);
	getm()->dtor_rounds = 0;
	signals_activate();
	if (opts.on_bug == ON_BUG_ABORT)
		frames_prepare(); /* a dump may come where dlopen cannot be called */
	return true;
}

bool threads_activate(void)
{
	bool active = load_acq(&sched.active); /* @pair active */

	if (unlikely(opts.disable))
		return false;
	if (unlikely(!active)) {
		fork_prepare();
		mutex_lock(&sched.life);
		active = load_rlx(&sched.active) || activate_first();
		mutex_unlock(&sched.life);
		if (active)
			signals_activated();
	}
	return active;
}

struct creation {
	void *thread;
	const pthread_attr_t *attr;
	struct birth *birth;
};

static int create_pthread(const struct creation *c)
{
	return real_pthread_create(c->thread, c->attr, start_pthread, c->birth);
}

static int create_thrd(const struct creation *c)
{
	return real_thrd_create(c->thread, start_thrd, c->birth);
}

/*
 * The kernel has no room for one more thread, or no memory: without us there would be sysmon's.
 * Others may be here, too, and bring it back.  In a bracket, because nobody wakes who is preempted
 * while there is no sysmon.
 */
static int create_without_sysmon(int (*create)(const struct creation *), const struct creation *c,
				 int no_room)
{
	GATE(COMPOSE, SYS_clone);
	int err = no_room;

	while (err == no_room && sysmon_end(~0u))
		err = create(c);
	watch();
	return err;
}

static int give_birth(int (*create)(const struct creation *), const struct creation *c, int no_room)
{
	int err = create(c);

	if (err == no_room)
		err = create_without_sysmon(create, c, no_room);
	if (err)
		freeg(c->birth->g);
	return err;
}

int shim_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
			void *arg)
{
	struct birth *birth;

	if (!threads_activate())
		return real_pthread_create(thread, attr, start, arg);
	birth = conceive((void *)start, arg);
	if (!birth)
		return EAGAIN;
	return give_birth(create_pthread, &(struct creation){ thread, attr, birth }, EAGAIN);
}

int shim_thrd_create(thrd_t *thread, thrd_start_t start, void *arg)
{
	struct birth *birth;

	if (!threads_activate())
		return real_thrd_create(thread, start, arg);
	birth = conceive((void *)start, arg);
	if (!birth)
		return thrd_nomem;
	return give_birth(create_thrd, &(struct creation){ thread, NULL, birth }, thrd_error);
}

void threads_init(void)
{
	rt_hooks.thread_start = thread_start;
	rt_hooks.thread_join = thread_join;
	rt_hooks.adopt = adopt;
}

/* The parts of a case: the agent process, the local thread, and looking at the caller.
 *
 * The agent is a grandchild that nobody waits for: a row may wait for "any child" and must not
 * find it.  It leaves when told, when its victim is gone, or with the driver's kill of the group.
 */
#include "tests/progs/preload/rows.h"

#include <dlfcn.h>
#include <errno.h>
#include <gnu/libc-version.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/task.h"
#include "tests/support/wait.h"

static struct text_range library_text;

struct st *st_new(void)
{
	struct st *s =
		mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	must(s != MAP_FAILED, "mmap");
	s->dur_ns = FOREVER_NS;
	s->pid = getpid();
	return s;
}

/* The library has a name for every call that some libc has. */
bool row_exists(const struct row *row)
{
	/* One by one before glibc 2.34. */
	static const char *const parts[] = { "libc.so.6",      "libpthread.so.0", "librt.so.1",
					     "libresolv.so.2", "libanl.so.1",	  "libutil.so.1" };
	const char *symbol = row->symbol ? row->symbol : row->name;

	for (unsigned i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		void *part = dlopen(parts[i], RTLD_NOW | RTLD_NOLOAD);

		if (part && dlsym(part, symbol))
			return true;
	}
	return row->address;
}

bool row_is_point(const struct row *row)
{
	bool old = strverscmp(gnu_get_libc_version(), "2.34") < 0;

	return row->flags & POINT && !(row->flags & SINCE_2_34 && old);
}

void parts_setup(const struct row *row, struct st *s)
{
	library_text = task_library_text(getpid());
	if (!(row->flags & UNSEEN)) {
		s->fn = row->address ? row->address
				     : dlsym(RTLD_DEFAULT, row->symbol ? row->symbol : row->name);
		must(s->fn != NULL, row->name);
	}
	must(pipe(s->go) == 0, "pipe");
	if (row->setup)
		row->setup(s);
}

void agent_spawn(struct st *s, const struct row *row,
		 void (*body)(struct st *s, const struct row *row))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	must(pid >= 0, "fork");
	if (pid == 0) {
		if (fork() == 0)
			body(s, row);
		_exit(0);
	}
	must(waitpid(pid, &status, 0) == pid, "waitpid");
	must_word("the agent to hold", &s->agent_ready, 1);
}

struct agent_wait {
	struct st *s;
};

static bool agent_is_asked(void *arg)
{
	struct st *s = arg;

	return s->want_release || s->quit || kill(s->pid, 0) < 0;
}

void agent_plain(struct st *s, const struct row *row)
{
	if (row->hold && !(row->flags & LOCAL))
		row->hold(s);
	s->agent_ready = 1;
	while (!wait_until(agent_is_asked, s, 60 * NS_PER_S))
		;
	if (s->want_release) {
		agent_release(s, row);
		s->released = 1;
	}
}

void agent_release(struct st *s, const struct row *row)
{
	if (row->flags & LOCAL)
		must(write(s->go[1], "g", 1) == 1, "write to the local thread");
	else if (row->release)
		row->release(s);
}

struct local_arg {
	struct st *s;
	const struct row *row;
};

static void *hold_and_release(struct st *s, const struct row *row)
{
	char c;

	if (row->hold)
		row->hold(s);
	if (row->flags & OWN_HOLD)
		return NULL;
	s->held = 1;
	/* A signal of the case may be meant for the whole process. */
	while (read(s->go[0], &c, 1) < 0 && errno == EINTR)
		;
	if (row->release)
		row->release(s);
	return (void *)7;
}

/* Who is gone cannot be asked how long it waited for a CPU: it says so at its end. */
static void *local_body(void *arg)
{
	struct local_arg a = *(struct local_arg *)arg;
	void *ret = hold_and_release(a.s, a.row);

	a.s->local_delay_ns = task_delay_ns(gettid());
	__atomic_store_n(&a.s->local_tid, gettid(), __ATOMIC_RELEASE);
	return ret;
}

void local_start(struct st *s, const struct row *row)
{
	static struct local_arg arg;

	if (!(row->flags & LOCAL))
		return;
	arg = (struct local_arg){ s, row };
	must(pthread_create(&s->local, NULL, local_body, &arg) == 0, "pthread_create");
	must_word("the local thread to hold", &s->held, 1);
}

void local_finish(struct st *s, const struct row *row)
{
	if ((row->flags & LOCAL) && !(row->flags & KEEPS_LOCAL))
		pthread_join(s->local, NULL);
}

/* Company that wants the CPU all the time: two threads without any call and one whose slices end
 * with a mutex held as often as not.  Signals for the process are not for them. */
static void compute(void)
{
	for (volatile int i = 0; i < 1000; i++)
		;
}

static void *hog(void *arg)
{
	while (true)
		compute();
	return NULL;
}

static void *locking_hog(void *arg)
{
	static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

	while (true) {
		pthread_mutex_lock(&mutex);
		compute();
		pthread_mutex_unlock(&mutex);
	}
	return NULL;
}

void hogs_start(void)
{
	void *(*const hogs[])(void *) = { hog, hog, locking_hog };
	sigset_t all, before;
	pthread_t t;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (int i = 0; i < 3; i++)
		must(pthread_create(&t, NULL, hogs[i], NULL) == 0, "pthread_create");
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* A futex word of the program's: in st, in its data, or on the heap behind that. */
int caller_blocked(struct st *s)
{
	extern char __data_start[];
	size_t data = (uintptr_t)sbrk(0) - (uintptr_t)__data_start;
	struct task_syscall now;

	if (s->waits_in)
		task_read_syscall(s->pid, s->tid, &now);
	if (s->waits_in && now.nr != s->waits_in)
		return false;
	return s->about && (task_blocked(s->pid, s->tid, library_text, s, sizeof(*s)) ||
			    task_blocked(s->pid, s->tid, library_text, __data_start, data));
}

static bool is_blocked_or_back(void *arg)
{
	struct st *s = arg;

	return s->returned || caller_blocked(s);
}

void wait_blocked(struct st *s)
{
	must_reach("the caller to block in its call", is_blocked_or_back, s);
	if (s->returned)
		die("the call of %d did not wait: ret %ld errno %d", s->tid, s->ret, s->err);
}

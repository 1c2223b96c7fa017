/*
 * The objects are glibc's; what their fields say is ABI where initialisers have them in them, and
 * gdb's own scripts count on the rest.
 */
#include "preload/waits.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stddef.h>
#include <unistd.h>

#include "runtime/os.h"
#include "runtime/print.h"

#define MUTEX_SHARED 128 /* of the kind, as in nptl/pthreadP.h */
#define MUTEX_ROBUST 16
#define COND_SHARED 1 /* of wrefs */

/* The object may be gone, or never have been one. */
static bool peek(uintptr_t at, void *buf, size_t len)
{
	return os_peek(at, buf, len) == 0;
}

/* The semaphore as glibc has it inside: value and waiters, then whether the futex is private. */
struct sem {
	u64 data;
	int private;
};

static bool sem_is_private(uintptr_t at)
{
	struct sem s;

	return peek(at, &s, sizeof(s)) && s.private == 0;
}

static bool mutex_is_private(uintptr_t at)
{
	pthread_mutex_t m;

	return peek(at, &m, sizeof(m)) && !(m.__data.__kind & (MUTEX_SHARED | MUTEX_ROBUST));
}

static bool cond_is_private(uintptr_t at)
{
	pthread_cond_t c;

	return peek(at, &c, sizeof(c)) && !(c.__data.__wrefs & COND_SHARED);
}

static bool rwlock_is_private(uintptr_t at)
{
	pthread_rwlock_t l;

	return peek(at, &l, sizeof(l)) && !l.__data.__shared;
}

/* The barrier as glibc has it inside. */
struct barrier {
	u32 in, current_round, count;
	int shared;
	u32 out;
};

static bool barrier_is_private(uintptr_t at)
{
	struct barrier b;

	return peek(at, &b, sizeof(b)) && !b.shared;
}

bool wait_is_private(u64 class)
{
	uintptr_t at = class_object(class);

	switch (class_wait(class)) {
	case WAIT_MUTEX:
		return mutex_is_private(at);
	case WAIT_RWLOCK:
		return rwlock_is_private(at);
	case WAIT_COND:
		return cond_is_private(at);
	case WAIT_SEM:
		return sem_is_private(at);
	case WAIT_BARRIER:
		return barrier_is_private(at);
	case WAIT_JOIN:
		return true;
	default:
		return false;
	}
}

static const struct shot *with_tid(const struct snapshot *s, i32 tid)
{
	for (u32 i = 0; tid && i < s->n; i++)
		if (s->at[i].goid && s->at[i].tid == tid)
			return &s->at[i];
	return NULL;
}

/* Our own word in a thread's block lies as far from its handle as in ours. */
static const struct shot *of_thread(const struct snapshot *s, uintptr_t thread)
{
	uintptr_t at = thread + ((uintptr_t)&gmp_tls_m - (uintptr_t)pthread_self());
	const struct m *m = NULL;

	if (!peek(at, &m, sizeof(m)))
		return NULL;
	for (u32 i = 0; m && i < s->n; i++)
		if (s->at[i].m == m)
			return &s->at[i];
	return NULL;
}

const struct shot *wait_owner(const struct snapshot *s, const struct shot *t)
{
	uintptr_t at = class_object(t->class);
	pthread_mutex_t m;
	pthread_rwlock_t l;

	if (t->status != G_SYSCALL)
		return NULL;
	switch (class_wait(t->class)) {
	case WAIT_MUTEX:
		return peek(at, &m, sizeof(m)) ? with_tid(s, m.__data.__owner) : NULL;
	case WAIT_RWLOCK:
		return peek(at, &l, sizeof(l)) ? with_tid(s, l.__data.__cur_writer) : NULL;
	case WAIT_JOIN:
		return of_thread(s, at);
	default:
		return NULL;
	}
}

static void name_owner(const struct shot *owner, const char *before, const char *otherwise,
		       char *buf, size_t len)
{
	if (owner)
		gmp_format(buf, len, "%sgoroutine %lu (thread %d)", before, owner->goid,
			   owner->tid);
	else
		gmp_format(buf, len, "%s", otherwise);
}

static void name_fd(int fd, char *buf, size_t len)
{
	char path[32], to[160];
	ssize_t n;

	gmp_format(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, to, sizeof(to) - 1);
	to[n > 0 ? n : 0] = 0;
	gmp_format(buf, len, "fd %d (%s)", fd, n > 0 ? to : "closed");
}

static void wait_object(const struct snapshot *s, const struct shot *t, char *buf, size_t len)
{
	static const char *const words[] = { [WAIT_MUTEX] = "mutex",
					     [WAIT_RWLOCK] = "rwlock",
					     [WAIT_COND] = "condition",
					     [WAIT_SEM] = "semaphore",
					     [WAIT_BARRIER] = "barrier" };
	const struct shot *owner = wait_owner(s, t);
	enum wait_kind kind = class_wait(t->class);
	uintptr_t at = class_object(t->class);
	char who[64] = "";

	if (kind == WAIT_POLL) {
		struct pollfd p;

		if (peek(at, &p, sizeof(p)))
			name_fd(p.fd, buf, len);
		return;
	}
	if (kind == WAIT_JOIN) {
		name_owner(owner, "", "a thread", who, sizeof(who));
		gmp_format(buf, len, "%s to end", who);
		return;
	}
	if (kind == WAIT_MUTEX)
		name_owner(owner, ", held by ", ", whose owner is not known", who, sizeof(who));
	else if (kind == WAIT_RWLOCK)
		name_owner(owner, ", held for writing by ", ", held by readers", who, sizeof(who));
	gmp_format(buf, len, "%s 0x%lx%s", words[kind], at, who);
}

void wait_text(const struct snapshot *s, const struct shot *t, char *buf, size_t len)
{
	buf[0] = 0;
	if (t->status == G_RUNNABLE && t->depth)
		gmp_format(buf, len, "a P for %lu ms", (s->now_ns - t->ready_ns) / 1000000);
	else if (t->status != G_SYSCALL)
		return;
	else if (t->class & (PROBE_READ | PROBE_WRITE))
		name_fd((int)(t->class >> 32), buf, len);
	else if (class_wait(t->class) != WAIT_OTHER)
		wait_object(s, t, buf, len);
}

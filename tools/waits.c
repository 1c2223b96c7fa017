/*
 * The kernel knows the call and its arguments; which lock a futex word belongs to is told by the
 * libc function that was called, and by where glibc keeps the word inside its objects.
 */
#include "tools/waits.h"

#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "runtime/numbers.h"
#include "tools/gmp.h"
#include "tools/sockets.h"

const char *syscall_name(long nr)
{
	static const char *const names[] = {
#define SYSCALL(name) [__NR_##name] = #name,
#include "preload/syscalls.def"
#undef SYSCALL
	};
	static char other[24];

	if (nr >= 0 && nr < (long)(sizeof(names) / sizeof(names[0])) && names[nr])
		return names[nr];
	snprintf(other, sizeof(other), "call %ld", nr);
	return other;
}

__attribute__((format(printf, 3, 4))) static void put(struct wait *w, const char *kind,
						      const char *fmt, ...)
{
	va_list ap;

	snprintf(w->kind, sizeof(w->kind), "%s", kind);
	va_start(ap, fmt);
	vsnprintf(w->text, sizeof(w->text), fmt, ap);
	va_end(ap);
}

/* ---- descriptors ---- */

static void name_fd(pid_t pid, int fd, char *buf, size_t size)
{
	char path[64], to[200];
	unsigned long inode;
	const char *ends;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", pid, fd);
	n = readlink(path, to, sizeof(to) - 1);
	to[n > 0 ? n : 0] = 0;
	ends = sscanf(to, "socket:[%lu]", &inode) == 1 ? socket_ends(pid, inode) : NULL;
	snprintf(buf, size, "fd %d (%s)", fd, n <= 0 ? "closed" : ends ? ends : to);
}

static void wait_fd(const struct target *t, const struct thread *th, struct wait *w)
{
	char name[260];

	w->fd = (int)th->regs.rdi;
	name_fd(t->pid, w->fd, name, sizeof(name));
	put(w, "fd", "%s", name);
}

#define POLLED_SHOWN 4

static void wait_poll(const struct target *t, const struct thread *th, struct wait *w)
{
	struct pollfd fds[POLLED_SHOWN];
	size_t n = th->regs.rsi, shown = n < POLLED_SHOWN ? n : POLLED_SHOWN, at = 0;
	char list[256] = "";

	if (!n || !target_read(t->pid, th->regs.rdi, fds, shown * sizeof(fds[0]))) {
		put(w, "poll", "%zu descriptors", n);
		return;
	}
	w->fd = n == 1 ? fds[0].fd : -1;
	for (size_t i = 0; i < shown && at < sizeof(list); i++) {
		char name[260];

		name_fd(t->pid, fds[i].fd, name, sizeof(name));
		at += (size_t)snprintf(list + at, sizeof(list) - at, "%s%s", i ? ", " : "", name);
	}
	put(w, "poll", "%s%s", list, n > shown ? ", ..." : "");
}

/* ---- locks ---- */

/* Who has this number in the program: "goroutine 3 (thread 4700)".  Returns ours for it, or 0. */
static pid_t name_thread(const struct target *t, pid_t inner, char *buf, size_t size)
{
	pid_t tid = tid_outer(&t->tids, inner);
	const struct goroutine *g = tid ? target_g_of(t, tid) : NULL;

	if (!tid)
		snprintf(buf, size, "thread %d of its own pid namespace", inner);
	else if (g)
		snprintf(buf, size, "goroutine %lu (thread %d)", g->g.goid, tid);
	else
		snprintf(buf, size, "thread %d", tid);
	return tid;
}

static void wait_mutex(const struct target *t, uint64_t word, struct wait *w)
{
	char who[64];
	pthread_mutex_t m;

	w->object = word; /* the lock word is first */
	if (!target_read(t->pid, word, &m, sizeof(m)) || !m.__data.__owner) {
		put(w, "mutex", "mutex 0x%lx, whose owner is not known", word);
		return;
	}
	w->owner = name_thread(t, m.__data.__owner, who, sizeof(who));
	put(w, "mutex", "mutex 0x%lx, held by %s", word, who);
}

static void wait_rwlock(const struct target *t, uint64_t word, struct wait *w)
{
	/* Two words are slept on; the object is aligned to 8. */
	uint64_t at = word - (word % 8 ? offsetof(pthread_rwlock_t, __data.__writers_futex)
				       : offsetof(pthread_rwlock_t, __data.__wrphase_futex));
	char who[64];
	pthread_rwlock_t l;

	w->object = at;
	if (!target_read(t->pid, at, &l, sizeof(l)) || !l.__data.__cur_writer) {
		put(w, "rwlock", "rwlock 0x%lx, held by readers", at);
		return;
	}
	w->owner = name_thread(t, l.__data.__cur_writer, who, sizeof(who));
	put(w, "rwlock", "rwlock 0x%lx, held for writing by %s", at, who);
}

static void wait_cond(uint64_t word, struct wait *w)
{
	w->object = word - offsetof(pthread_cond_t, __data.__g_signals) - (word % 8 ? 4 : 0);
	put(w, "cond", "condition 0x%lx", w->object);
}

/* glibc sleeps on the thread's id until the kernel clears it. */
static void wait_join(const struct target *t, uint64_t word, struct wait *w)
{
	char who[64];
	int tid = 0;

	target_read(t->pid, word, &tid, sizeof(tid));
	w->owner = name_thread(t, tid, who, sizeof(who));
	put(w, "thread", "%s to end", who);
}

static void wait_word(const struct target *t, uint64_t word, struct wait *w)
{
	uint32_t value = 0;

	w->object = word;
	target_read(t->pid, word, &value, sizeof(value));
	put(w, "futex", "futex word 0x%lx = %u", word, value);
}

static bool starts(const char *s, const char *with)
{
	return strncmp(s, with, strlen(with)) == 0;
}

static void wait_futex(const struct target *t, const struct thread *th, const char *api,
		       struct wait *w)
{
	uint64_t word = th->regs.rdi;

	if (starts(api, "pthread_mutex_") || starts(api, "mtx_")) {
		wait_mutex(t, word, w);
	} else if (starts(api, "pthread_rwlock_")) {
		wait_rwlock(t, word, w);
	} else if (starts(api, "pthread_cond_") || starts(api, "cnd_")) {
		wait_cond(word, w);
	} else if (strstr(api, "join")) {
		wait_join(t, word, w);
	} else if (starts(api, "sem_")) {
		w->object = word;
		put(w, "semaphore", "semaphore 0x%lx", word);
	} else if (starts(api, "pthread_barrier_")) {
		w->object = word;
		put(w, "barrier", "barrier 0x%lx", word);
	} else {
		wait_word(t, word, w);
	}
}

/* ---- the rest ---- */

static void wait_time(const struct target *t, uint64_t at, bool absolute, struct wait *w)
{
	struct timespec ts;

	if (target_read(t->pid, at, &ts, sizeof(ts)))
		put(w, "time", "%s%ld.%03ld s", absolute ? "time to be " : "", ts.tv_sec,
		    ts.tv_nsec / 1000000);
}

static void wait_child(long pid, struct wait *w)
{
	if (pid > 0)
		put(w, "pid", "process %ld to change", pid);
	else
		put(w, "pid", "any child%s to change", pid < -1 ? " of a group" : "");
}

static bool takes_fd(long nr)
{
	static const short calls[] = {
		SYS_read,	SYS_write,     SYS_readv,      SYS_writev,	SYS_pread64,
		SYS_pwrite64,	SYS_preadv,    SYS_pwritev,    SYS_recvfrom,	SYS_sendto,
		SYS_recvmsg,	SYS_sendmsg,   SYS_recvmmsg,   SYS_sendmmsg,	SYS_accept,
		SYS_accept4,	SYS_connect,   SYS_flock,      SYS_fcntl,	SYS_ioctl,
		SYS_fsync,	SYS_fdatasync, SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_pwait2,
		SYS_getdents64, SYS_splice,    SYS_fallocate,  SYS_ftruncate,	SYS_close,
	};

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		if (calls[i] == nr)
			return true;
	return false;
}

void wait_describe(const struct target *t, const struct thread *th, const char *api,
		   struct wait *ret)
{
	const struct user_regs_struct *r = &th->regs;

	*ret = (struct wait){ .fd = -1 };
	if (th->call < 0)
		return;
	if (th->call == SYS_futex)
		wait_futex(t, th, api, ret);
	else if (th->call == SYS_poll || th->call == SYS_ppoll)
		wait_poll(t, th, ret);
	else if (th->call == SYS_nanosleep)
		wait_time(t, r->rdi, false, ret);
	else if (th->call == SYS_clock_nanosleep)
		wait_time(t, r->rdx, r->rsi & TIMER_ABSTIME, ret);
	else if (th->call == SYS_wait4)
		wait_child((int)r->rdi, ret);
	else if (th->call == SYS_waitid)
		wait_child(r->rdi == 1 ? (int)r->rsi : -1, ret);
	else if (takes_fd(th->call))
		wait_fd(t, th, ret);
}

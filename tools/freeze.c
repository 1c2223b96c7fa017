/* Seize, interrupt, wait, copy, detach.  If we die on the way the kernel detaches for us. */
#include "tools/freeze.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/gmp.h"
#include "tools/target.h"

#define STACK_MAX (1 << 20) /* of one thread; deeper frames are read from the running program */
#define RED_ZONE 128
#define ERESTARTNOHAND 514 /* the kernel's: again, unless a handler runs first */

struct thread *freeze_thread(struct freeze *f, pid_t tid)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->threads[i].tid == tid)
			return &f->threads[i];
	return NULL;
}

static void explain(pid_t pid, int err)
{
	char line[256];
	FILE *status = proc_open(pid, "status");
	int tracer = 0;

	while (status && fgets(line, sizeof(line), status))
		sscanf(line, "TracerPid: %d", &tracer);
	if (status)
		fclose(status);
	if (tracer)
		fail("process %d is being traced by process %d", pid, tracer);
	fail("cannot stop process %d: %s", pid, strerror(err));
}

/*
 * When the kernel last took the thread off a CPU, on the clock of /proc/uptime; < 0: not said.  It
 * says 0 of one that it moved to another CPU's queue meanwhile: since 6.12 sleepers stay queued for
 * a while, and are moved with the others when the machine is busy.
 */
static double last_ran_s(pid_t pid, pid_t tid)
{
	FILE *f = proc_open(pid, "task/%d/sched", tid);
	char line[128];
	double ms = -1;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "se.exec_start : %lf", &ms) == 1)
			break;
	if (f)
		fclose(f);
	return ms > 0 ? ms / 1e3 : -1;
}

static void describe(const struct freeze *f, struct thread *t)
{
	char file[64];
	double ran = last_ran_s(f->pid, t->tid);

	t->asleep_s = ran < 0 || f->began_s < 0 ? -1 : f->began_s > ran ? f->began_s - ran : 0;
	snprintf(file, sizeof(file), "task/%d/comm", t->tid);
	proc_line(f->pid, file, t->name, sizeof(t->name));
}

/* ---- stopping ---- */

static bool seize(struct freeze *f, pid_t tid)
{
	struct thread *t;

	f->threads = reallocarray(f->threads, f->n + 1, sizeof(*f->threads));
	if (!f->threads)
		fail("no memory");
	t = &f->threads[f->n];
	*t = (struct thread){ .tid = tid, .call = -1 };
	describe(f, t);
	if (ptrace(PTRACE_SEIZE, tid, 0, 0) != 0) {
		if (errno == ESRCH) /* it ended this moment */
			return false;
		explain(f->pid, errno);
	}
	t->seized = true;
	ptrace(PTRACE_INTERRUPT, tid, 0, 0);
	f->n++;
	return true;
}

/* Threads that are not stopped yet may make more of them: until a look finds none that is new. */
static bool seize_new(struct freeze *f)
{
	char path[32];
	DIR *dir;
	struct dirent *e;
	bool any = false;

	snprintf(path, sizeof(path), "/proc/%d/task", f->pid);
	dir = opendir(path);
	if (!dir)
		fail("process %d has ended", f->pid);
	while ((e = readdir(dir))) {
		pid_t tid = atoi(e->d_name);

		if (tid > 0 && !freeze_thread(f, tid))
			any |= seize(f, tid);
	}
	closedir(dir);
	return any;
}

static size_t collect(struct freeze *f)
{
	size_t missing = 0;

	for (size_t i = 0; i < f->n; i++) {
		struct thread *t = &f->threads[i];
		int status;

		if (t->answered || !t->seized)
			continue;
		if (waitpid(t->tid, &status, __WALL | WNOHANG) != t->tid) {
			missing++;
			continue;
		}
		t->answered = WIFSTOPPED(status);
		t->seized = t->answered; /* else it has ended */
		t->status = status;
	}
	return missing;
}

void freeze_stop(struct freeze *f, pid_t pid, int limit_ms)
{
	u64 began = now_ns(), limit = (u64)limit_ms * 1000000;
	char stat[1024];
	const char *state;

	*f = (struct freeze){ .pid = pid, .began_s = last_ran_s(getpid(), (pid_t)gettid()) };
	state = proc_stat(pid, stat, sizeof(stat));
	f->was_stopped = state && *state == 'T';
	do {
		while (seize_new(f))
			;
		while (collect(f) && now_ns() - began < limit)
			nanosleep(&(struct timespec){ 0, 200000 }, NULL);
	} while (now_ns() - began < limit && seize_new(f));
	f->stopped_ms = (double)began / 1e6;
}

/* ---- copying ---- */

/*
 * By way of one buffer: how deep a stack is shows only when it is read, and a megabyte from malloc
 * for each thread is a gigabyte to write where malloc fills its memory (MALLOC_PERTURB_).
 */
static void copy_stack(struct freeze *f, struct thread *t)
{
	static char buf[STACK_MAX];
	struct iovec to = { buf, sizeof(buf) }, from;
	ssize_t n;

	t->stack_at = (t->regs.rsp - RED_ZONE) & ~7ul;
	from = (struct iovec){ (void *)t->stack_at, sizeof(buf) };
	/* Stops where the stack ends, at the latest. */
	n = process_vm_readv(f->pid, &to, 1, &from, 1, 0);
	t->stack = n > 0 ? malloc((size_t)n) : NULL;
	t->stack_len = t->stack ? (size_t)n : 0;
	if (t->stack)
		memcpy(t->stack, buf, t->stack_len);
}

static bool in_a_call(const struct user_regs_struct *regs)
{
	long result = (long)regs->rax;

	return (long)regs->orig_rax >= 0 &&
	       (result == -EINTR || (result <= -512 && result >= -516));
}

void freeze_copy(struct freeze *f)
{
	for (size_t i = 0; i < f->n; i++) {
		struct thread *t = &f->threads[i];

		if (!t->answered || ptrace(PTRACE_GETREGS, t->tid, 0, &t->regs) != 0)
			continue;
		t->done = true;
		t->call = in_a_call(&t->regs) ? (long)t->regs.orig_rax : -1;
		copy_stack(f, t);
	}
}

/* ---- letting go ---- */

/* The file is closed whatever close() says, so that one must not be made twice. */
static void mend_call(struct thread *t)
{
	if (t->call < 0 || t->call == SYS_close || (long)t->regs.rax != -EINTR)
		return;
	t->regs.rax = (unsigned long)-ERESTARTNOHAND;
	ptrace(PTRACE_SETREGS, t->tid, 0, &t->regs);
}

/* The signal that a thread stopped for, not our own stop or a group's, goes to it after all. */
static int pending_signal(const struct thread *t)
{
	return t->status >> 16 ? 0 : WSTOPSIG(t->status);
}

void freeze_release(struct freeze *f)
{
	for (size_t i = 0; i < f->n; i++) {
		struct thread *t = &f->threads[i];

		if (t->done)
			mend_call(t);
		if (t->answered)
			ptrace(PTRACE_DETACH, t->tid, 0, pending_signal(t));
	}
	f->stopped_ms = (double)now_ns() / 1e6 - f->stopped_ms;
}

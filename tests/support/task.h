/* What the kernel says about a thread: /proc/PID/task/TID.
 *
 * "Is thread T blocked in its call?" is asked by looking, never by sleeping.  The kernel answers
 * with the syscall number, its arguments, and the PC it was issued from; "running" means that the
 * thread is on a CPU or wants one, -1 that it is blocked outside a syscall (a page fault).
 *
 * A thread under the library also blocks where the library parks it.  That is a futex wait issued
 * from the library's own text, so task_blocked() can tell it from the program's call by the PC,
 * unless the library issues the program's call itself; then the futex word tells them apart.
 */
#ifndef TESTS_SUPPORT_TASK_H
#define TESTS_SUPPORT_TASK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define TASK_RUNNING (-2)
#define TASK_GONE (-3)

struct task_syscall {
	long nr; /* syscall number, -1 blocked elsewhere, TASK_RUNNING, TASK_GONE */
	unsigned long arg[6];
	unsigned long sp, pc;
};

void task_read_syscall(pid_t pid, pid_t tid, struct task_syscall *out);

/* The library's text in pid, {0, 0} when it is not loaded there. */
struct text_range {
	unsigned long lo, hi;
};
struct text_range task_library_text(pid_t pid);

/* True: tid sits in the kernel, and not in a wait of the library itself.  own and own_size name
 * memory of the program: a futex word inside it is the program's, whoever issued the call. */
bool task_blocked(pid_t pid, pid_t tid, struct text_range lib, const void *own, size_t own_size);

/* Time that the threads of pid have spent runnable but without a CPU: the machine's fault, not
 * ours.  Two snapshots make a span; a thread that ended within it counts as zero. */
struct task_delays {
	int n;
	struct {
		pid_t tid;
		int64_t ns;
	} of[64];
};
void task_read_delays(pid_t pid, struct task_delays *out);
/* Of a thread that may have ended: what it said itself, unless it is in d. */
void task_add_delay(struct task_delays *d, pid_t tid, int64_t ns);
int64_t task_delay_between(const struct task_delays *before, const struct task_delays *after);

int64_t task_delay_ns(pid_t tid); /* the same of one thread of the calling process */

int task_count(pid_t pid); /* entries of /proc/PID/task */
bool task_alive(pid_t pid, pid_t tid);

#endif

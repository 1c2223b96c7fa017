/*
 * All threads of a process at one moment: stopped by ptrace, registers and stacks copied, let go.
 *
 * A stop takes a blocked thread out of its call; the kernel puts it back in when it goes on.  Where
 * the kernel would return EINTR instead (epoll_wait, semop, sockets with a time-out, ...) we ask it
 * to begin the call again, so the program notices nothing; a time-out of such a call begins again
 * too.
 */
#ifndef GMP_TOOLS_FREEZE_H
#define GMP_TOOLS_FREEZE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/user.h>

struct thread {
	pid_t tid;
	char name[32];
	bool seized, answered; /* else: what it does is not known */
	bool done;	       /* registers and stack are copied */
	int status;	       /* of waitpid, when it stopped for a reason of its own */
	long call;	       /* of the kernel it sleeps in; -1: in user mode */
	double asleep_s;       /* since it last ran; < 0: not known */
	struct user_regs_struct regs;
	uintptr_t stack_at;
	size_t stack_len;
	char *stack;
};

struct freeze {
	pid_t pid;
	bool was_stopped;  /* by SIGSTOP or the like, before we came */
	double began_s;	   /* on the clock of asleep_s; < 0: not known */
	double stopped_ms; /* how long we held it */
	struct thread *threads;
	size_t n;
};

/* Stops every thread, for at most limit_ms; fails with a line when that is not allowed. */
void freeze_stop(struct freeze *f, pid_t pid, int limit_ms);
/* Copies registers and stacks. */
void freeze_copy(struct freeze *f);
/* Lets all go on. */
void freeze_release(struct freeze *f);
struct thread *freeze_thread(struct freeze *f, pid_t tid);

#endif

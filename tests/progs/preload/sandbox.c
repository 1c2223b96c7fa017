/* Victim: threads that lock themselves in by seccomp, beside others that compute and wait. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "runtime/numbers.h"
#include "tests/progs/preload/cases.h"

#define ROUNDS 200

static int to[2], back[2];
static struct hog hog;

static void *echoes(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		get(to[0]);
		put(back[1]);
	}
	return NULL;
}

static void compute(void)
{
	for (volatile int i = 0; i < 100000; i++)
		;
}

/* Read, write, exit: nothing else may be asked of the kernel from here on. */
static void locked_in(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		put(to[1]);
		compute();
		get(back[0]);
	}
	syscall(SYS_exit, 0);
}

static void *strict(void *arg)
{
	check(prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT, 0, 0, 0) == 0, "prctl");
	locked_in();
	return NULL;
}

static void *strict_by_number(void *arg)
{
	check(syscall(SYS_seccomp, SECCOMP_SET_MODE_STRICT, 0, NULL) == 0, "seccomp");
	locked_in();
	return NULL;
}

static void beside(void *(*body)(void *))
{
	pthread_t t;

	make_pipe(to);
	make_pipe(back);
	hog_start(&hog);
	t = spawn(echoes, NULL);
	join(spawn(body, NULL));
	join(t);
	hog_stop(&hog);
	printf("all is well\n");
}

/* All threads: what the library asks of the kernel beyond a program's usual calls is refused. */
static void refuse(void)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_membarrier, 2, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_rt_tgsigqueueinfo, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
	};
	struct sock_fprog prog = { sizeof(f) / sizeof(f[0]), f };

	check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
	check(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog) == 0,
	      "seccomp");
}

/*
 * Death for what a program of threads does not need and the library does, as under a list of what
 * is allowed that was written without it.
 */
static const int unusual[] = { SYS_membarrier,
			       SYS_rt_tgsigqueueinfo,
			       SYS_rt_sigtimedwait,
			       SYS_poll,
			       SYS_open,
			       SYS_pread64,
			       SYS_close_range,
			       SYS_sched_setattr,
			       SYS_sched_getaffinity,
			       SYS_sigaltstack,
			       SYS_process_vm_readv,
			       SYS_unlink };
/* "SystemCallFilter=~@resources" of systemd. */
static const int resources[] = {
	SYS_ioprio_set,	       SYS_mbind,	  SYS_migrate_pages,  SYS_move_pages,
	SYS_sched_setaffinity, SYS_sched_setattr, SYS_sched_setparam, SYS_sched_setscheduler,
	SYS_set_mempolicy,     SYS_setpriority,	  SYS_setrlimit
};
#define NR(list) ((int)(sizeof(list) / sizeof((list)[0])))

static long forbid_by(long flags, unsigned how, const int *nr, int n)
{
	struct sock_filter f[32] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
	};
	struct sock_fprog prog = { n + 3, f };

	for (int i = 0; i < n; i++)
		f[i + 1] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr[i], n - i, 0);
	f[n + 1] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	f[n + 2] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, how);
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
}

static void forbid(unsigned how)
{
	check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
	check(forbid_by(SECCOMP_FILTER_FLAG_TSYNC, how, unusual, NR(unusual)) == 0, "seccomp");
}

static void told(const char *what, long result)
{
	printf("%s: %ld %s\n", what, result, result < 0 ? strerror(errno) : "");
}

/* As programs do that want to know what the kernel has: all is refused, and changes nothing. */
static void ask(void)
{
	struct sock_fprog nowhere = { 8, (void *)8 };

	told("no program", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, NULL));
	told("no address", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, 8));
	told("no instructions", syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &nowhere));
	told("by prctl", prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, 8, 0, 0));
	told("wrong flags", forbid_by(1 << 30, SECCOMP_RET_KILL_PROCESS, unusual, NR(unusual)));
	syscall(SYS_setresuid, 65534, 65534, 65534); /* of this thread */
	told("no right", forbid_by(0, SECCOMP_RET_KILL_PROCESS, unusual, NR(unusual)));
}

static void *works(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		put(to[1]);
		compute();
		get(back[0]);
	}
	return NULL;
}

static void *asks_and_works(void *arg)
{
	ask();
	return works(arg);
}

static void case_asked(void)
{
	beside(asks_and_works);
}

static void *refuses_and_works(void *arg)
{
	refuse();
	return works(arg);
}

static void case_refused(void)
{
	beside(refuses_and_works);
	beside(works);
}

/* Before the library has asked anything. */
static void case_refused_first(void)
{
	refuse();
	beside(works);
}

static void *forbids_and_works(void *arg)
{
	forbid(SECCOMP_RET_KILL_PROCESS);
	return works(arg);
}

static void case_forbidden(void)
{
	beside(forbids_and_works);
	beside(works);
}

static void case_forbidden_first(void)
{
	forbid(SECCOMP_RET_TRAP);
	forbid(SECCOMP_RET_TRAP); /* a second one */
	beside(works);
}

static void in_a_child(void (*body)(void))
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		body();
		fflush(stdout);
		_exit(0);
	}
	check(waitpid(pid, &status, 0) == pid && status == 0, "the child's end");
}

static void work_beside(void)
{
	beside(works);
}

/* As a browser's: the child of a process with threads is locked in, and has children. */
static void case_forbidden_to_children(void)
{
	beside(works);
	in_a_child(case_forbidden_first);
	in_a_child(case_forbidden);
	forbid(SECCOMP_RET_KILL_PROCESS);
	in_a_child(work_beside);
	beside(works);
}

static void case_after_exec(void)
{
	beside(works);
}

/* Unlike its own filters, the library cannot look into one that a program is born with. */
static void case_inherited(void)
{
	check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "no_new_privs");
	check(forbid_by(0, SECCOMP_RET_KILL_PROCESS, resources, NR(resources)) == 0, "seccomp");
	execl("/proc/self/exe", "sandbox", "after_exec", NULL);
}

static void case_strict(void)
{
	beside(strict);
}

static void case_strict_by_number(void)
{
	beside(strict_by_number);
}

/*
 * A thread that dispatches its own system calls: what is not made from libc's text is a guest's,
 * and the handler answers it.
 */
#define GUESTS_PID 4242

static volatile char dispatches;
static volatile int of_guest, of_others;

static void answers(int sig, siginfo_t *info, void *context)
{
	ucontext_t *u = context;

	dispatches = SYSCALL_DISPATCH_FILTER_ALLOW;
	if (info->si_syscall == SYS_getpid)
		of_guest++;
	else
		of_others++;
	u->uc_mcontext.gregs[REG_RAX] = GUESTS_PID;
	dispatches = SYSCALL_DISPATCH_FILTER_BLOCK;
}

static void find_libc(uintptr_t *from, uintptr_t *end)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];

	while (maps && fgets(line, sizeof(line), maps))
		if (strstr(line, "libc.so") && strstr(line, " r-xp "))
			sscanf(line, "%lx-%lx", from, end);
	fclose(maps);
}

static void *dispatched(void *arg)
{
	uintptr_t from = 0, end = 0;

	find_libc(&from, &end);
	dispatches = SYSCALL_DISPATCH_FILTER_BLOCK;
	check(prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, from, end - from,
		    &dispatches) == 0,
	      "dispatch");
	for (int i = 0; i < 50; i++) {
		long pid = SYS_getpid;

		__asm__ volatile("syscall" : "+a"(pid) : : "rcx", "r11", "memory");
		check(pid == GUESTS_PID, "a guest's call");
		for (int k = 0; k < 10; k++)
			compute();
		usleep(100);
	}
	prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0, 0, 0);
	return NULL;
}

static void take_sigsys(void)
{
	struct sigaction act = { .sa_sigaction = answers, .sa_flags = SA_SIGINFO };

	if (prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0, 0, 0) != 0)
		exit(77);
	check(sigaction(SIGSYS, &act, NULL) == 0, "sigaction");
}

static void case_dispatched(void)
{
	take_sigsys();
	hog_start(&hog);
	join(spawn(dispatched, NULL));
	hog_stop(&hog);
	printf("calls of the guest %d, of others %d\n", of_guest, of_others);
}

static void *does_nothing(void *arg)
{
	return NULL;
}

/* By the only thread, which makes others meanwhile. */
static void case_dispatched_first(void)
{
	uintptr_t from = 0, end = 0;

	take_sigsys();
	find_libc(&from, &end);
	dispatches = SYSCALL_DISPATCH_FILTER_BLOCK;
	check(prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, from, end - from,
		    &dispatches) == 0,
	      "dispatch");
	for (int i = 0; i < 10; i++)
		join(spawn(does_nothing, NULL));
	prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_OFF, 0, 0, 0);
	printf("calls of others %d\n", of_others);
}

/* --- a thread that may not read a clock --- */

static void *has_no_clock(void *arg)
{
	check(prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0) == 0, "PR_SET_TSC");
	for (int i = 0; i < 200; i++) {
		compute();
		sched_yield();
		usleep(10);
	}
	prctl(PR_SET_TSC, PR_TSC_ENABLE, 0, 0, 0);
	return NULL;
}

static void case_without_clocks(void)
{
	hog_start(&hog);
	join(spawn(has_no_clock, NULL));
	hog_stop(&hog);
	printf("ended\n");
}

static const struct a_case cases[] = {
	{ "without_clocks", case_without_clocks },
	{ "strict", case_strict },
	{ "strict_by_number", case_strict_by_number },
	{ "refused", case_refused },
	{ "refused_first", case_refused_first },
	{ "asked", case_asked },
	{ "forbidden", case_forbidden },
	{ "forbidden_first", case_forbidden_first },
	{ "forbidden_to_children", case_forbidden_to_children },
	{ "inherited", case_inherited },
	{ "after_exec", case_after_exec },
	{ "dispatched", case_dispatched },
	{ "dispatched_first", case_dispatched_first },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	run_named_case(cases, argc, argv);
	return 0;
}

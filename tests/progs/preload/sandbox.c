/* Victim: threads that lock themselves in by seccomp, beside others that compute and wait. */
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

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

static void *works(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		put(to[1]);
		compute();
		get(back[0]);
	}
	return NULL;
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

static void case_strict(void)
{
	beside(strict);
}

static void case_strict_by_number(void)
{
	beside(strict_by_number);
}

static const struct a_case cases[] = {
	{ "strict", case_strict },
	{ "strict_by_number", case_strict_by_number },
	{ "refused", case_refused },
	{ "refused_first", case_refused_first },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	run_named_case(cases, argc, argv);
	return 0;
}

/* Victim: a slice may end wherever a thread computes: on the smallest of stacks, in a handler, on
 * an alternate stack, inside malloc or the loader, in the child of a vfork, in cleanup handlers and
 * destructors.  In each place a thread goes on until a hog has run, many times: at one P every time
 * takes the end of a slice there, and short slices are asked for by the test.
 */
#include <dlfcn.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#include "tests/progs/preload/cases.h"
#include "tests/support/unseen.h"
#include "tests/support/wait.h"

enum { THREADS = 4, SLICES = 20 };

static struct hog hog;
static int done; /* atomic: how many got through all of it */

/* work, or nothing, until the hog has run that many times. */
static void lose_slices(int n, void (*work)(void))
{
	while (n--)
		for (uint64_t seen = hog.rounds; hog.rounds == seen;)
			if (work)
				work();
}

static void run_beside_hog(const pthread_attr_t *attr, void *(*body)(void *))
{
	pthread_t t[THREADS];

	hog_start(&hog);
	for (long i = 0; i < THREADS; i++)
		check(pthread_create(&t[i], attr, body, (void *)i) == 0, "pthread_create");
	for (int i = 0; i < THREADS; i++)
		join(t[i]);
	hog_stop(&hog);
	printf("%d done\n", done);
}

static void count_done(void)
{
	__atomic_add_fetch(&done, 1, __ATOMIC_RELAXED);
}

/* --- the smallest of stacks --- */

static void *with_tiny_stack(void *arg)
{
	lose_slices(SLICES, NULL);
	count_done();
	return NULL;
}

static void case_tiny_stacks(void)
{
	pthread_attr_t attr;

	pthread_attr_init(&attr);
	check(pthread_attr_setstacksize(&attr, (size_t)sysconf(_SC_THREAD_STACK_MIN)) == 0,
	      "setstacksize");
	run_beside_hog(&attr, with_tiny_stack);
}

/* --- handlers, also inside one another --- */

static void handler(int sig)
{
	lose_slices(SLICES, NULL);
	if (sig == SIGUSR1)
		raise(SIGUSR2);
	count_done();
}

static void handle(int flags)
{
	struct sigaction act = { .sa_handler = handler, .sa_flags = flags };

	check(sigaction(SIGUSR1, &act, NULL) == 0 && sigaction(SIGUSR2, &act, NULL) == 0,
	      "sigaction");
}

static void *raises(void *arg)
{
	raise(SIGUSR1);
	return NULL;
}

static void case_in_handlers(void)
{
	handle(0);
	run_beside_hog(NULL, raises);
}

/* What SIGSTKSZ was for decades, and programs still have in them; more where two frames of the
 * kernel's would not fit. */
static size_t alternate_size(void)
{
	size_t frame = getauxval(51); /* AT_MINSIGSTKSZ; 0: an old kernel, and a small frame */

	return frame <= 3500 ? 8192 : 4 * frame;
}

/* A page that nobody may touch lies below the stack: who needs more of it ends the program. */
static void alternate_stack(size_t size)
{
	size_t page = (size_t)getpagesize(), all = page + (size + page - 1) / page * page;
	char *mem = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack_t ss = { .ss_sp = mem + all - size, .ss_size = size };

	check(mem != MAP_FAILED && mprotect(mem, page, PROT_NONE) == 0, "mmap");
	check(sigaltstack(&ss, NULL) == 0, "sigaltstack");
}

static void *raises_on_alternate_stack(void *arg)
{
	alternate_stack(alternate_size());
	raise(SIGUSR2);
	return NULL;
}

static void case_on_alternate_stacks(void)
{
	handle(SA_ONSTACK);
	run_beside_hog(NULL, raises_on_alternate_stack);
}

/* For handlers that never run, of any size that the kernel takes. */
static void *has_alternate_stack(void *arg)
{
	alternate_stack((size_t)arg);
	lose_slices(3, NULL);
	count_done();
	return NULL;
}

static void case_beside_alternate_stacks(void)
{
	handle(SA_ONSTACK);
	hog_start(&hog);
	for (size_t size = 16384; size >= 2048; size -= 512)
		join(spawn(has_alternate_stack, (void *)size));
	hog_stop(&hog);
	printf("%d done\n", done);
}

static void for_crashes(void)
{
	struct sigaction act = { .sa_handler = handler, .sa_flags = SA_ONSTACK };

	check(sigaction(SIGSEGV, &act, NULL) == 0, "sigaction");
}

/* As Prolog's threads do at their end, which have it for a crash that does not come then. */
static void *has_freed_alternate_stack(void *arg)
{
	size_t size = alternate_size();
	void *mem = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	stack_t ss = { .ss_sp = mem, .ss_size = size };

	check(mem != MAP_FAILED && sigaltstack(&ss, NULL) == 0, "sigaltstack");
	munmap(mem, size);
	lose_slices(SLICES, NULL);
	count_done();
	return NULL;
}

static void case_beside_freed_alternate_stacks(void)
{
	for_crashes();
	check(signal(SIGTERM, handler) != SIG_ERR, "signal");
	run_beside_hog(NULL, has_freed_alternate_stack);
}

/* As OCaml's fibers, which have a page of the heap for a stack, and the other one for crashes. */
static ucontext_t around, fiber;

static void fiber_main(void)
{
	lose_slices(SLICES, NULL);
}

static void *runs_a_fiber(void *arg)
{
	size_t page = (size_t)getpagesize(), room = 1536;
	char *mem =
		mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (arg)
		return NULL; /* one is enough */
	alternate_stack(alternate_size());
	check(mem != MAP_FAILED && mprotect(mem, page, PROT_NONE) == 0, "mmap");
	getcontext(&fiber);
	fiber.uc_stack.ss_sp = mem + page;
	fiber.uc_stack.ss_size = room;
	fiber.uc_link = &around;
	makecontext(&fiber, fiber_main, 0);
	swapcontext(&around, &fiber);
	count_done();
	return NULL;
}

static void case_on_the_stacks_of_fibers(void)
{
	for_crashes();
	run_beside_hog(NULL, runs_a_fiber);
}

/* --- inside libc and the loader, whose locks are their own --- */

#define BLOCKS 64

static void allocate(void)
{
	unsigned char *mem[BLOCKS];

	for (unsigned i = 0; i < BLOCKS; i++) {
		mem[i] = malloc(16u << i % 12);
		check(mem[i] != NULL, "malloc");
		*mem[i] = (unsigned char)i;
	}
	for (unsigned i = 0; i < BLOCKS; i++) {
		mem[i] = realloc(mem[i], 24u << i % 10);
		check(mem[i] && *mem[i] == i, "realloc");
		free(mem[i]);
	}
}

static void *allocates(void *arg)
{
	lose_slices(3 * SLICES, allocate);
	count_done();
	return NULL;
}

static void case_in_malloc(void)
{
	run_beside_hog(NULL, allocates);
}

static void load(void)
{
	void *lib = dlopen(SLOWLIB, RTLD_NOW | RTLD_LOCAL);

	check(lib && !dlsym(lib, "no_such_name") && dlerror() && dlclose(lib) == 0, "dlopen");
}

static void *loads(void *arg)
{
	lose_slices(SLICES, load);
	count_done();
	return NULL;
}

static void case_in_the_loader(void)
{
	run_beside_hog(NULL, loads);
}

/* --- a vfork's child, which runs on its parent's memory and stack --- */

static pid_t make_child(int status)
{
	pid_t pid = vfork();

	if (pid == 0) {
		lose_slices(SLICES / 4, NULL);
		_exit(status);
	}
	return pid;
}

static void *has_children(void *arg)
{
	for (int i = 0; i < 5; i++) {
		pid_t pid = make_child(i);
		int status;

		check(pid > 0 && waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == i,
		      "vfork");
	}
	count_done();
	return NULL;
}

static void case_in_children_of_vfork(void)
{
	run_beside_hog(NULL, has_children);
}

/* --- the end of a thread: cleanup handlers, then destructors --- */

static pthread_key_t key;

static void ends(void *arg)
{
	lose_slices(SLICES, NULL);
	count_done();
}

static void *ends_by_itself(void *arg)
{
	check(pthread_setspecific(key, arg ? arg : &key) == 0, "pthread_setspecific");
	pthread_cleanup_push(ends, NULL);
	pthread_exit(NULL);
	pthread_cleanup_pop(0);
	return NULL;
}

static void case_at_its_end(void)
{
	pthread_key_create(&key, ends);
	run_beside_hog(NULL, ends_by_itself);
}

struct victim {
	int type;
	int ready; /* atomic: its handler is in place */
};

static void *computes_until_cancelled(void *arg)
{
	struct victim *v = arg;

	check(pthread_setcanceltype(v->type, NULL) == 0, "pthread_setcanceltype");
	pthread_cleanup_push(ends, NULL);
	__atomic_store_n(&v->ready, 1, __ATOMIC_RELEASE);
	for (;;)
		lose_slices(1, v->type == PTHREAD_CANCEL_DEFERRED ? pthread_testcancel : NULL);
	pthread_cleanup_pop(0);
	return NULL;
}

static void *cancels(void *arg)
{
	for (int i = 0; i < 4; i++) {
		struct victim v = { .type = i & 1 ? PTHREAD_CANCEL_ASYNCHRONOUS
						  : PTHREAD_CANCEL_DEFERRED };
		pthread_t t = spawn(computes_until_cancelled, &v);

		while (!__atomic_load_n(&v.ready, __ATOMIC_ACQUIRE))
			;
		check(pthread_cancel(t) == 0 && join(t) == PTHREAD_CANCELED, "pthread_cancel");
	}
	return NULL;
}

static void case_in_a_cancellation(void)
{
	run_beside_hog(NULL, cancels);
}

/* --- on its way into a call that no library sees --- */

enum { UNSEEN = 100 };
static int cut; /* atomic */

static long sleep_unseen(long ns)
{
	struct timespec nap = { 0, ns };

	return unseen(SYS_nanosleep, (long)&nap, 0, 0, 0);
}

/* The first one is long: from then on it is known for one that sleeps so. */
static void *sleeps_unseen(void *arg)
{
	sleep_unseen(200 * NS_PER_MS);
	for (int i = 0; i < UNSEEN; i++) {
		int64_t until = thread_cpu_ns() + NS_PER_MS / 2;

		while (thread_cpu_ns() < until)
			;
		if (sleep_unseen(NS_PER_MS / 2) != 0)
			__atomic_add_fetch(&cut, 1, __ATOMIC_RELAXED);
	}
	count_done();
	return NULL;
}

/* Nobody is found asleep while nobody waits for its P: so there are more hogs than Ps. */
static void case_before_unseen_calls(void)
{
	struct hog more[2];

	for (int i = 0; i < 2; i++)
		hog_start(&more[i]);
	run_beside_hog(NULL, sleeps_unseen);
	for (int i = 0; i < 2; i++)
		hog_stop(&more[i]);
	printf("%d cut short\n", cut);
}

static const struct a_case cases[] = {
	{ "tiny_stacks", case_tiny_stacks },
	{ "in_handlers", case_in_handlers },
	{ "on_alternate_stacks", case_on_alternate_stacks },
	{ "beside_alternate_stacks", case_beside_alternate_stacks },
	{ "beside_freed_alternate_stacks", case_beside_freed_alternate_stacks },
	{ "on_the_stacks_of_fibers", case_on_the_stacks_of_fibers },
	{ "in_malloc", case_in_malloc },
	{ "in_the_loader", case_in_the_loader },
	{ "in_children_of_vfork", case_in_children_of_vfork },
	{ "at_its_end", case_at_its_end },
	{ "in_a_cancellation", case_in_a_cancellation },
	{ "before_unseen_calls", case_before_unseen_calls },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	run_named_case(cases, argc, argv);
	return 0;
}

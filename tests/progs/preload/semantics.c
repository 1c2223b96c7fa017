/* Victim: the semantics matrix.  `semantics ROW [CASE]` runs one row and prints one line per case;
 * `semantics --list` names all rows; `semantics --pressure ROW [CASE]` gives the case the company
 * of three threads that compute, so that under the library every slice of every thread ends.
 *
 * The output holds only what a program could see: results, errno, what a handler did, how a
 * cancelled thread ended.  The driver runs it natively and under the library and compares.  No
 * case depends on time: a signal or a cancellation is sent when the kernel shows the caller
 * blocked in its call, and what follows is awaited.
 *
 * Each case is a process of its own, forked before the victim has ever had a second thread: no
 * descriptor, child or lock of one case can be seen by the next.  The name of a case is printed
 * before it starts, so a hang has a name.
 */
#include "tests/progs/preload/rows.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/task.h"
#include "tests/support/wait.h"

/* A call that succeeds must leave errno alone where libc does: a value that no call sets. */
#define ERRNO_MARK 133

#define STEADY_CALLS 40

struct caller_arg {
	struct st *s;
	const struct row *row;
	long (*what)(struct st *s);
	bool pending_cancel, base;
};

/* The handler of SIG_CALL needs them; one case a process, one caller a case. */
static struct caller_arg arg;
static int base_pipe[2];
static long base_result;

/* What ran when the caller was cancelled, one letter each: inner and outer handler, key. */
static char order[8];
static pthread_key_t order_key;

static bool pressure;

static void on_poke(int sig)
{
	__atomic_add_fetch(&arg.s->handled, 1, __ATOMIC_RELEASE);
}

static void make_call(void)
{
	struct st *s = arg.s;

	__atomic_store_n(&s->about, 1, __ATOMIC_RELEASE);
	errno = ERRNO_MARK;
	s->ret = arg.what(s);
	s->err = errno;
	__atomic_store_n(&s->returned, 1, __ATOMIC_RELEASE);
}

static void on_call(int sig)
{
	int saved = errno;

	make_call();
	errno = saved;
}

static void ran(char who)
{
	order[strlen(order)] = who;
}

static void on_cancel_inner(void *p)
{
	if (arg.row->undo)
		arg.row->undo(arg.s);
	ran('i');
}

/* A handler may wait as well, and is not cancelled again. */
static void on_cancel_outer(void *p)
{
	usleep(1000);
	ran('o');
}

static void on_key(void *p)
{
	ran('k');
}

static void *caller(void *p)
{
	char c;

	arg.s->tid = gettid();
	pthread_setspecific(order_key, &arg);
	pthread_cleanup_push(on_cancel_outer, NULL);
	pthread_cleanup_push(on_cancel_inner, NULL);
	if (arg.base) {
		arg.s->in_handler = 1;
		base_result = read(base_pipe[0], &c, 1);
	} else {
		if (arg.pending_cancel)
			pthread_cancel(pthread_self());
		make_call();
	}
	pthread_cleanup_pop(0);
	pthread_cleanup_pop(0);
	/* What was no cancellation point is cancelled here at the latest. */
	pthread_testcancel();
	return (void *)1;
}

static void on_signal(int sig, void (*handler)(int), int flags)
{
	struct sigaction sa = { .sa_handler = handler, .sa_flags = flags };

	must(sigaction(sig, &sa, NULL) == 0, "sigaction");
}

static pthread_t start(struct st *s, const struct row *row, long (*what)(struct st *))
{
	pthread_t t;

	arg.s = s;
	arg.row = row;
	arg.what = what;
	must(pthread_create(&t, NULL, caller, NULL) == 0, "pthread_create");
	return t;
}

/* The call has begun to wait: in the kernel, or on the CPU for a row that spins. */
static void until_waiting(struct st *s, const struct row *row)
{
	must_word("the caller to start", &s->about, 1);
	if (!(row->flags & (SPINS | NOBLOCK)))
		wait_blocked(s);
}

static bool back_or_blocked(void *p)
{
	struct st *s = p;

	return __atomic_load_n(&s->returned, __ATOMIC_ACQUIRE) || caller_blocked(s);
}

static void release(struct st *s, const struct row *row)
{
	if (row->flags & SLEEP)
		return;
	s->want_release = 1;
	if (row->flags & LOCAL || row->release)
		must_word("the agent to release", &s->released, 1);
}

static void look_after(struct st *s)
{
	if (arg.row->after)
		arg.row->after(s);
}

static void print_result(struct st *s)
{
	const char *name = s->err == ERRNO_MARK ? "unchanged" : error_name(s->err);

	look_after(s);

	printf(" ret=%ld errno=%s extra=%ld", s->ret, name ? name : "?", s->extra);
}

/* --- the cases --- */

static void parts_start(const struct row *row, struct st *s)
{
	parts_setup(row, s);
	agent_spawn(s, row, agent_plain);
	local_start(s, row);
	if (pressure)
		hogs_start();
}

static int64_t short_time(const struct row *row)
{
	return (row->flags & SLOW ? 1000 : 5) * NS_PER_MS;
}

/* Blocks, is let go, returns. */
static void case_result(const struct row *row, struct st *s)
{
	if (row->flags & SLEEP)
		s->dur_ns = short_time(row);
	parts_start(row, s);
	pthread_t t = start(s, row, row->call);
	if (row->flags & SLEEP)
		must_word("the caller to start", &s->about, 1);
	else
		until_waiting(s, row);
	release(s, row);
	pthread_join(t, NULL);
	print_result(s);
}

/* Need not block: what it waits for is there. */
static void case_ready(const struct row *row, struct st *s)
{
	parts_start(row, s);
	/* A signal can be sent to a thread that exists: main makes this call itself. */
	s->tid = gettid();
	release(s, row);
	arg = (struct caller_arg){ .s = s, .row = row, .what = row->call };
	make_call();
	print_result(s);
}

static void case_error(const struct row *row, struct st *s)
{
	parts_start(row, s);
	on_signal(SIGPIPE, on_poke, 0);
	pthread_t t = start(s, row, row->fail);
	pthread_join(t, NULL);
	print_result(s);
	printf(" signals=%d", s->handled);
}

static void case_timeout(const struct row *row, struct st *s)
{
	s->dur_ns = 5 * NS_PER_MS;
	parts_start(row, s);
	pthread_t t = start(s, row, row->call);
	pthread_join(t, NULL);
	print_result(s);
}

/* Time limits one after another, each begun at another point of the caller's slice: what the
 * library does to the slice is never the end of a call. */
static void *steady_caller(void *p)
{
	long ret = 0, extra = 0;
	int err = 0, i;

	arg.s->tid = gettid();
	for (i = 0; i < STEADY_CALLS; i++) {
		int64_t until = now_ns() + (i * 37 % 40) * 20 * NS_PER_US;

		while (now_ns() < until)
			;
		make_call();
		if (i && (arg.s->ret != ret || arg.s->err != err || arg.s->extra != extra))
			break;
		ret = arg.s->ret;
		err = arg.s->err;
		extra = arg.s->extra;
	}
	return (void *)(long)i;
}

static void case_steady(const struct row *row, struct st *s)
{
	void *calls;
	pthread_t t;

	s->dur_ns = NS_PER_MS;
	parts_start(row, s);
	arg = (struct caller_arg){ .s = s, .row = row, .what = row->call };
	must(pthread_create(&t, NULL, steady_caller, NULL) == 0, "pthread_create");
	pthread_join(t, &calls);
	print_result(s);
	printf(" alike=%ld", (long)calls);
}

static void interrupted(const struct row *row, struct st *s, int flags)
{
	parts_start(row, s);
	on_signal(SIG_POKE, on_poke, flags);
	pthread_t t = start(s, row, row->call);
	until_waiting(s, row);
	pthread_kill(t, SIG_POKE);
	must_word("the handler to run", &s->handled, 1);
	if (!(row->flags & SPINS))
		must_reach("the call to return or to go on", back_or_blocked, s);
	int continued = !s->returned;
	if (continued)
		release(s, row);
	must_word("the call to return", &s->returned, 1);
	pthread_join(t, NULL);
	print_result(s);
	printf(" handled=%d %s", s->handled, continued ? "continued" : "interrupted");
}

static void case_restart(const struct row *row, struct st *s)
{
	interrupted(row, s, SA_RESTART);
}

static void case_eintr(const struct row *row, struct st *s)
{
	interrupted(row, s, 0);
}

static void print_end(struct st *s, pthread_t t)
{
	void *res = NULL;

	must(pthread_join(t, &res) == 0, "join");
	look_after(s);
	printf(" joined=%s ran=%s returned=%d extra=%ld",
	       res == PTHREAD_CANCELED ? "canceled" : "result", order, s->returned, s->extra);
}

static void case_cancel(const struct row *row, struct st *s)
{
	parts_start(row, s);
	pthread_t t = start(s, row, row->call);
	until_waiting(s, row);
	must(pthread_cancel(t) == 0, "pthread_cancel");
	if (!row_is_point(row))
		release(s, row);
	print_end(s, t);
}

/* The request is there before the call: a cancellation point acts on it without waiting. */
static void case_pending(const struct row *row, struct st *s)
{
	parts_start(row, s);
	if (!row_is_point(row))
		release(s, row);
	arg.pending_cancel = true;
	print_end(s, start(s, row, row->call));
}

/* Made by a handler that interrupted a read. */
static void case_handler(const struct row *row, struct st *s)
{
	if (row->flags & SLEEP)
		s->dur_ns = short_time(row);
	must(pipe(base_pipe) == 0, "pipe");
	parts_start(row, s);
	on_signal(SIG_CALL, on_call, SA_RESTART);
	arg.base = true;
	pthread_t t = start(s, row, row->call);
	must_word("the caller to start", &s->in_handler, 1);
	s->about = 1;
	wait_blocked(s);
	s->about = 0;
	pthread_kill(t, SIG_CALL);
	if (row->flags & SLEEP)
		must_word("the handler to start", &s->about, 1);
	else
		until_waiting(s, row);
	if (!(row->flags & NOBLOCK))
		release(s, row);
	must_word("the handler's call to return", &s->returned, 1);
	must(write(base_pipe[1], "b", 1) == 1, "write");
	pthread_join(t, NULL);
	print_result(s);
	printf(" interrupted_read=%ld", base_result);
}

/* --- running them --- */

struct a_case {
	const char *name;
	void (*run)(const struct row *row, struct st *s);
	unsigned not_with;  /* row flags */
	unsigned only_with; /* one of these; 0: any */
	bool needs_fail;
};

static const struct a_case cases[] = {
	{ "result", case_result, 0, 0, false },
	{ "ready", case_ready, NO_READY | SLEEP | NOBLOCK, 0, false },
	{ "errno", case_error, 0, 0, true },
	{ "timeout", case_timeout, 0, TIMED, false },
	{ "steady", case_steady, SLOW | ONCE, TIMED | SLEEP, false },
	{ "restart", case_restart, NOBLOCK | DEAF, 0, false },
	{ "eintr", case_eintr, NOBLOCK | DEAF, 0, false },
	{ "cancel", case_cancel, NOBLOCK | NO_CANCEL, 0, false },
	{ "pending", case_pending, SLOW | NO_CANCEL, 0, false },
	{ "handler", case_handler, NO_HANDLER, 0, false },
};

static bool applies(const struct a_case *c, const struct row *row)
{
	if (c->needs_fail && !row->fail)
		return false;
	if ((c->not_with & row->flags) || (c->only_with && !(c->only_with & row->flags)))
		return false;
	/* A pending cancellation of what never cancels and never is let go would wait for ever. */
	return !(c->run == case_pending && (row->flags & SLEEP) && !row_is_point(row)) &&
	       !(c->run == case_pending && (row->flags & NO_READY) && !row_is_point(row)) &&
	       !(c->run == case_cancel && (row->flags & SLEEP) && !row_is_point(row));
}

static void in_child(const struct a_case *c, const struct row *row)
{
	struct st *s = st_new();

	must(pthread_key_create(&order_key, on_key) == 0, "pthread_key_create");
	c->run(row, s);
	s->quit = 1;
	putchar('\n');
	/* Not exit(): since glibc 2.41 it waits for a stream that a cancelled call left locked. */
	fflush(stdout);
	_exit(0);
}

static int run_case(const struct a_case *c, const struct row *row)
{
	int status = 0;
	pid_t pid;

	printf("%s %s:", row->name, c->name);
	fflush(stdout);
	pid = fork();
	must(pid >= 0, "fork");
	if (pid == 0)
		in_child(c, row);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		exit(77);
	if (status == 0)
		return 0;
	printf(" died with status %#x\n", status);
	return 1;
}

static int list(void)
{
	for (unsigned i = 0; i < nr_rows; i++)
		puts(all_rows[i]->name);
	for (unsigned i = 0; i < nr_aliases; i++)
		puts(all_aliases[i].name);
	return 0;
}

int main(int argc, char **argv)
{
	const struct row *row;
	int bad = 0;

	if (argc >= 2 && !strcmp(argv[1], "--list"))
		return list();
	if (argc >= 2 && !strcmp(argv[1], "--pressure")) {
		pressure = true;
		argc--;
		argv++;
	}
	if (argc < 2 || !(row = row_by_name(argv[1])))
		die("usage: semantics [--pressure] ROW [CASE] | --list");
	if (!row_exists(row)) {
		printf("skipped: this libc has no %s\n", row->name);
		return 77;
	}
	for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if ((argc < 3 || !strcmp(argv[2], cases[i].name)) && applies(&cases[i], row))
			bad += run_case(&cases[i], row);
	return bad != 0;
}

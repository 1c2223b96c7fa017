/* Victim: what concerns the process as a whole while its threads block, compute, wait for a P, and
 * do so in handlers on alternate stacks: a change of credentials, which libc makes in every thread
 * by a signal of its own, and libraries that come and go with their threads.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <grp.h>
#include <mqueue.h>
#include <netdb.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/progs/preload/cases.h"
#include "tests/support/wait.h"

enum { HOGS = 3, IN_HANDLERS = 2, NOBODY = 65534 };

static struct hog hogs[HOGS];
static int fd[2];
static volatile pid_t reader_tid;
static volatile int in_handler, over;

/* --- a change of credentials --- */

static void computes_in_handler(int sig)
{
	__atomic_add_fetch(&in_handler, 1, __ATOMIC_RELEASE);
	while (!over)
		;
}

static void *raises(void *arg)
{
	stack_t ss = { .ss_size = 1 << 16, .ss_sp = malloc(1 << 16) };

	check(ss.ss_sp && sigaltstack(&ss, NULL) == 0, "sigaltstack");
	raise(SIGUSR1);
	ss.ss_flags = SS_DISABLE;
	check(sigaltstack(&ss, NULL) == 0, "sigaltstack");
	free(ss.ss_sp);
	return NULL;
}

static void *reads(void *arg)
{
	reader_tid = gettid();
	get(fd[0]);
	return NULL;
}

static bool task_has(const char *tid, const char *line)
{
	char path[64], text[2048] = "";
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%.16s/status", tid);
	f = fopen(path, "r");
	check(f != NULL && fread(text, 1, sizeof(text) - 1, f) > 0, path);
	fclose(f);
	return strstr(text, line) != NULL;
}

static bool every_task_has(const char *line)
{
	DIR *d = opendir("/proc/self/task");
	struct dirent *e;
	bool all = true;

	check(d != NULL, "/proc/self/task");
	while ((e = readdir(d)))
		all = all && (e->d_name[0] == '.' || task_has(e->d_name, line));
	closedir(d);
	return all;
}

/* Who is not root may only become who they are. */
static void change_credentials(void)
{
	uid_t uid = getuid() ? getuid() : NOBODY;
	gid_t gid = getuid() ? getgid() : NOBODY;
	char line[64];

	if (!getuid())
		check(setgroups(0, NULL) == 0, "setgroups");
	check(setgid(gid) == 0 && setresgid(gid, gid, gid) == 0, "setgid");
	snprintf(line, sizeof(line), "Gid:\t%u\t%u\t%u\t%u", gid, gid, gid, gid);
	printf("group of all: %d\n", every_task_has(line));
	for (int i = 0; i < 20; i++)
		check(setresuid(-1, -1, -1) == 0, "setresuid");
	check(setuid(uid) == 0 && setreuid(uid, uid) == 0, "setuid");
	snprintf(line, sizeof(line), "Uid:\t%u\t%u\t%u\t%u", uid, uid, uid, uid);
	printf("user of all: %d\n", every_task_has(line));
}

static void case_credentials(void)
{
	struct sigaction act = { .sa_handler = computes_in_handler, .sa_flags = SA_ONSTACK };
	pthread_t reader, in_handlers[IN_HANDLERS];

	make_pipe(fd);
	check(sigaction(SIGUSR1, &act, NULL) == 0, "sigaction");
	reader = spawn(reads, NULL);
	must_block((pid_t *)&reader_tid);
	for (int i = 0; i < HOGS; i++)
		hog_start(&hogs[i]);
	for (int i = 0; i < IN_HANDLERS; i++)
		in_handlers[i] = spawn(raises, NULL);
	must_word("threads to be in handlers", &in_handler, IN_HANDLERS);
	change_credentials();
	over = 1;
	put(fd[1]);
	join(reader);
	for (int i = 0; i < IN_HANDLERS; i++)
		join(in_handlers[i]);
	for (int i = 0; i < HOGS; i++)
		hog_stop(&hogs[i]);
}

/* --- libraries with threads of their own --- */

static void *opens_and_closes(void *arg)
{
	long sum = 0;

	for (int i = 0; i < 10; i++) {
		void *lib = dlopen(TEAMLIB, RTLD_NOW);
		long (*rounds)(void) = lib ? (long (*)(void))dlsym(lib, "team_rounds") : NULL;

		check(rounds != NULL, "dlopen");
		sum += rounds();
		check(dlclose(lib) == 0 && !dlopen(TEAMLIB, RTLD_NOW | RTLD_NOLOAD), "dlclose");
	}
	printf("%ld destructors\n", sum);
	return NULL;
}

static void case_library_with_threads(void)
{
	hog_start(&hogs[0]);
	join(spawn(opens_and_closes, NULL));
	hog_stop(&hogs[0]);
}

static void case_library_with_parts_of_libc(void)
{
	void *lib = dlopen(APARTLIB, RTLD_NOW | RTLD_LOCAL);
	int (*mq)(void) = lib ? (int (*)(void))dlsym(lib, "apart_mq") : NULL;
	int (*gai)(void) = lib ? (int (*)(void))dlsym(lib, "apart_gai") : NULL;

	check(mq != NULL && gai != NULL, "dlopen");
	printf("mq_receive: %s, gai_suspend: %s\n", error_name(mq()), gai_strerror(gai()));
}

/* Programs ask the loader whether libc has a function, and use another way when not. */
static void case_asked_for_young_functions(void)
{
#define YOUNG(name) \
	printf("%s: %d %d\n", #name, dlsym(RTLD_DEFAULT, #name) != NULL, \
	       dlsym(RTLD_NEXT, #name) != NULL);
#include "preload/young.def"
}

/* By the version of libc's that new programs get, and by a name with one version. */
static void case_waits_for_nothing(void)
{
	pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
	pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
	struct timespec past = { 1, 0 };

	pthread_mutex_lock(&mutex);
	printf("%s\n", error_name(pthread_cond_timedwait(&cond, &mutex, &past)));
	pthread_mutex_unlock(&mutex);
	printf("%d\n", poll(NULL, 0, 1));
}

enum { TEAM = 5 };
static pthread_barrier_t two, all;

static void *meets(void *arg)
{
	pthread_barrier_wait(&two);
	pthread_barrier_wait(&all);
	return NULL;
}

/* One after the other, all there at the end. */
static void case_team_meets(void)
{
	pthread_t team[TEAM];

	pthread_barrier_init(&two, NULL, 2);
	pthread_barrier_init(&all, NULL, TEAM + 1);
	for (int i = 0; i < TEAM; i++) {
		team[i] = spawn(meets, NULL);
		pthread_barrier_wait(&two);
	}
	pthread_barrier_wait(&all);
	for (int i = 0; i < TEAM; i++)
		join(team[i]);
	printf("all met\n");
}

/* --- a message queue that is to tell the process when something comes --- */

static volatile int told;

static void is_told(int sig)
{
	told++;
}

static void is_told_by(int flags)
{
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	struct mq_attr attr = { .mq_maxmsg = 2, .mq_msgsize = 16 };
	char name[32];
	mqd_t queue, sends;

	snprintf(name, sizeof(name), "/gmp-whole-%d", getpid());
	sends = mq_open(name, O_CREAT | O_EXCL | O_WRONLY, 0600, &attr);
	queue = mq_open(name, flags);
	check(sends >= 0 && queue >= 0 && mq_unlink(name) == 0, "mq_open");
	told = 0;
	check(mq_notify(queue, &event) == 0, "mq_notify");
	hog_start(&hogs[0]);
	hog_stop(&hogs[0]);
	usleep(50000); /* the library is gone again where it goes at all */
	check(mq_send(sends, "x", 1, 0) == 0, "mq_send");
	must_word("the signal", &told, 1);
	mq_close(queue);
	mq_close(sends);
}

/* It was asked for before the second thread. */
static void case_told_by_queues(void)
{
	signal(SIGUSR1, is_told);
	is_told_by(O_RDONLY);
	is_told_by(O_WRONLY);
	is_told_by(O_RDWR);
	printf("told by all\n");
}

static const struct a_case cases[] = {
	{ "credentials", case_credentials },
	{ "library_with_threads", case_library_with_threads },
	{ "library_with_parts_of_libc", case_library_with_parts_of_libc },
	{ "asked_for_young_functions", case_asked_for_young_functions },
	{ "told_by_queues", case_told_by_queues },
	{ "waits_for_nothing", case_waits_for_nothing },
	{ "team_meets", case_team_meets },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	run_named_case(cases, argc, argv);
	return 0;
}

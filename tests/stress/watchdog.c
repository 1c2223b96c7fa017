/*
 * The watchdog: the parent process, with one thread and so without need of a P.
 *
 * It sees progress through the shared page alone. No step anywhere for quiet_s seconds, or none by
 * one worker inside an operation for stuck_s seconds, is a hang: it names what the workers are in,
 * writes every thread's state and stacks of the child and its children to the log, and ends them
 * with SIGABRT. Whatever becomes of the child, it removes what would outlive it.
 *
 * Exit status: 0 passed, 1 wrong figures, 3 hang, 4 crash.
 */
#include "stress.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* ---- the report ---- */

static void copy_file(FILE *out, const char *title, const char *path)
{
	char line[512];
	FILE *in = fopen(path, "re");

	if (!in)
		return;
	while (fgets(line, sizeof(line), in))
		if (!strstr(path, "/status") || strstr(line, "State") || strstr(line, "Sig") ||
		    strstr(line, "ShdPnd"))
			fprintf(out, "%s%s", title, line);
	fclose(in);
}

static void thread_states(FILE *out, pid_t pid)
{
	char path[400];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	d = opendir(path);
	while (d && (e = readdir(d))) {
		static const char *const files[] = { "syscall", "wchan", "status" };

		if (e->d_name[0] == '.')
			continue;
		for (int i = 0; i < 3; i++) {
			snprintf(path, sizeof(path), "/proc/%d/task/%s/%s", pid, e->d_name,
				 files[i]);
			fprintf(out, "%s %s: ", e->d_name, files[i]);
			copy_file(out, "", path);
			fputs("\n", out);
		}
	}
	if (d)
		closedir(d);
}

static void run_gdb(pid_t pid, const char *log)
{
	char who[16];
	pid_t gdb;
	int status, fd;

	snprintf(who, sizeof(who), "%d", pid);
	gdb = fork();
	if (gdb == 0) {
		unsetenv("LD_PRELOAD");
		fd = open(log, O_WRONLY | O_APPEND | O_CREAT, 0600);
		dup2(fd, 1);
		dup2(fd, 2);
		execlp("timeout", "timeout", "-k", "5", "120", "gdb", "-batch", "-nx", "-p", who,
		       "-ex", "set pagination off", "-ex", "thread apply all bt 24", NULL);
		_exit(127);
	}
	if (gdb > 0)
		waitpid(gdb, &status, 0);
}

/* The child's children, found by the process group. */
static int family(pid_t child, pid_t *pids, int max)
{
	struct dirent *e;
	DIR *d = opendir("/proc");
	int n = 0;

	pids[n++] = child;
	while (d && n < max && (e = readdir(d))) {
		pid_t p = atoi(e->d_name);

		if (p > 0 && p != child && getpgid(p) == child)
			pids[n++] = p;
	}
	if (d)
		closedir(d);
	return n;
}

static void report_ops(void)
{
	unsigned in[MAX_OPS] = { 0 };
	char line[400] = "";
	size_t n = 0;

	for (int i = 0; i < MAX_WORKERS; i++)
		if (page->slots[i].since_ns && page->slots[i].op < ops_count)
			in[page->slots[i].op]++;
	for (unsigned i = 0; i < ops_count && n < sizeof(line) - 40; i++)
		if (in[i])
			n += snprintf(line + n, sizeof(line) - n, " %s:%u", ops[i].name, in[i]);
	note("workers are in:%s", line);
}

static void report_hang(pid_t child, const char *why)
{
	pid_t pids[8];
	int n;
	FILE *out;

	note("hang, %s; phase %u; stacks go to %s", why, page->phase, config.log);
	report_ops();
	n = family(child, pids, 8);
	out = fopen(config.log, "we");
	for (int i = 0; out && i < n; i++)
		thread_states(out, pids[i]);
	if (out)
		fclose(out);
	for (int i = 0; i < n; i++)
		run_gdb(pids[i], config.log);
}

/* ---- watching ---- */

static const char *stuck(uint64_t *moved_ns, uint64_t *seen)
{
	static char why[160];
	uint64_t now = now_ns(), progress = page->progress;

	if (progress != *seen) {
		*seen = progress;
		*moved_ns = now;
	}
	if (now - *moved_ns > config.quiet_s * 1000000000ull) {
		snprintf(why, sizeof(why), "nothing moved for %u s", config.quiet_s);
		return why;
	}
	for (int i = 0; i < MAX_WORKERS; i++) {
		uint64_t since = page->slots[i].since_ns;
		unsigned op = page->slots[i].op;

		if (!since || op >= ops_count || now < since ||
		    now - since < config.stuck_s * 1000000000ull)
			continue;
		snprintf(why, sizeof(why),
			 "worker %d (tid %u) is in '%s' without a step for %llu s", i,
			 page->slots[i].tid, ops[op].name,
			 (unsigned long long)((now - since) / 1000000000));
		return why;
	}
	return NULL;
}

/* What would outlive the child: its group (unreaped, it keeps its number), SysV objects, files. */
static void clean_up(pid_t child)
{
	struct dirent *e;
	DIR *d;
	char path[400];

	kill(-child, SIGKILL);
	for (int i = 0; i < page->ipc_count; i++) {
		if (page->ipc[i].kind == 'm')
			msgctl(page->ipc[i].id, IPC_RMID, NULL);
		else
			semctl(page->ipc[i].id, 0, IPC_RMID);
	}
	d = opendir(page->dir);
	while (d && (e = readdir(d))) {
		snprintf(path, sizeof(path), "%s/%s", page->dir, e->d_name);
		if (e->d_name[0] != '.')
			unlink(path);
	}
	if (d)
		closedir(d);
	rmdir(page->dir);
}

static int verdict(int status, bool hung)
{
	if (hung)
		return 3;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && page->failed == 0)
		return 0;
	if (WIFEXITED(status)) {
		note("exit status %d, %u failures", WEXITSTATUS(status), page->failed);
		return WEXITSTATUS(status) == 77 ? 77 : 1;
	}
	note("crash: signal %d (%s), phase %u", WTERMSIG(status), strsignal(WTERMSIG(status)),
	     page->phase);
	report_ops();
	return 4;
}

static volatile sig_atomic_t told_to_end;

static void on_end(int sig)
{
	told_to_end = sig;
}

static bool ended(pid_t child)
{
	siginfo_t info = { .si_pid = 0 };

	return waitid(P_PID, child, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == child;
}

int watchdog(pid_t child)
{
	uint64_t moved_ns = now_ns(), seen = 0;
	int status = 0, fd = syscall(SYS_pidfd_open, child, 0);
	bool hung = false;
	const char *why;

	signal(SIGTERM, on_end);
	signal(SIGINT, on_end);
	while (!ended(child) && !told_to_end) {
		struct pollfd pfd = { fd, POLLIN, 0 };

		poll(&pfd, fd >= 0, 100);
		if (!(why = stuck(&moved_ns, &seen)))
			continue;
		hung = true;
		report_hang(child, why);
		kill(-child, SIGABRT);
		poll(&pfd, fd >= 0, 3000);
		break;
	}
	clean_up(child);
	waitpid(child, &status, 0);
	if (told_to_end)
		note("ended by signal %d", told_to_end);
	return told_to_end ? 128 + told_to_end : verdict(status, hung);
}

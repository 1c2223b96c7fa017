/*
 * gmp doctor: one line a finding about this host and, when asked, a program.
 *
 * What the library would do is not guessed: it is loaded into a child (this very command, with
 * --version), which prints the options that are in force.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <gnu/libc-version.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/binary.h"
#include "tools/cgroup.h"
#include "tools/gmp.h"

const char help_doctor[] = "Prints one line a finding:\n"
			   "  ok     as it should be\n"
			   "  note   works, but worth knowing\n"
			   "  FAIL   the library cannot work here, or not for this program\n"
			   "\n"
			   "Examples:\n"
			   "  gmp doctor\n"
			   "  gmp doctor ./server\n"
			   "\n"
			   "Exit status: 0 no finding prevents it, 1 one does, 125 gmp failed,\n"
			   "126 the program cannot be executed, 127 it is not found.\n";

static bool prevented;

static void put(enum weight weight, const char *text)
{
	static const char *const words[] = { "ok", "note", "FAIL" };

	printf("%-5s  %s\n", words[weight], text);
	prevented |= weight == FINDING_PREVENTS;
}

__attribute__((format(printf, 2, 3))) static void finding(enum weight weight, const char *fmt, ...)
{
	char text[500];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put(weight, text);
}

/* ---- the host ---- */

static void look_kernel(void)
{
	struct utsname u;

	uname(&u);
	if (strcmp(u.machine, "x86_64") != 0)
		finding(FINDING_PREVENTS, "host: %s %s on %s, not x86-64", u.sysname, u.release,
			u.machine);
	else
		finding(FINDING_FINE, "host: %s %s, glibc %s", u.sysname, u.release,
			gnu_get_libc_version());
}

static void look_membarrier(void)
{
	long can = syscall(SYS_membarrier, MEMBARRIER_CMD_QUERY, 0, 0);

	if (can > 0 && can & MEMBARRIER_CMD_PRIVATE_EXPEDITED)
		finding(FINDING_FINE, "membarrier: there; brackets are plain stores");
	else
		finding(FINDING_NOTE, "membarrier: %s; each bracket pays two full fences",
			can < 0 ? strerror(errno) : "not of the expedited kind");
}

/* As sysmon asks about a thread that blocks outside of a bracket. */
static void look_proc(void)
{
	char path[64], line[64];
	int fd;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/self/task/%ld/syscall", (long)syscall(SYS_gettid));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd >= 0 ? read(fd, line, sizeof(line)) : -1;
	if (n > 0)
		finding(FINDING_FINE, "/proc: says in which call a thread sleeps");
	else
		finding(FINDING_NOTE,
			"/proc: cannot read %s: %s; a thread that blocks outside of libc is found "
			"by its CPU clock alone, later",
			path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void look_seccomp(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	int mode = 0;

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "Seccomp: %d", &mode);
	if (f)
		fclose(f);
	if (mode == 1)
		finding(FINDING_PREVENTS, "seccomp: strict mode, in which no thread can be made");
	else if (mode == 2)
		finding(FINDING_NOTE, "seccomp: a filter is in force; what it forbids of the "
				      "above, the library does without");
	else
		finding(FINDING_FINE, "seccomp: no filter");
}

/* ---- the library ---- */

#define OUTPUT_MAX 16384

/* Runs this command with the library in it; what it says on stderr. */
static void self_test(const char *library, char *out, int *status)
{
	int fds[2];
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) != 0 || (pid = fork()) < 0)
		fail("cannot start a child: %s", strerror(errno));
	if (pid == 0) {
		dup2(fds[1], 2);
		dup2(open("/dev/null", O_WRONLY), 1);
		setenv("LD_PRELOAD", library, 1);
		setenv("GMP_HELP", "1", 1);
		execl("/proc/self/exe", "gmp", "--version", (char *)NULL);
		_exit(EXIT_NOT_FOUND);
	}
	close(fds[1]);
	while (n < OUTPUT_MAX - 1 && (got = read(fds[0], out + n, OUTPUT_MAX - 1 - n)) > 0)
		n += (size_t)got;
	out[n] = 0;
	close(fds[0]);
	waitpid(pid, status, 0);
}

#define CHOSEN "GMP_MAXPROCS="
#define REFUSED "opts: " CHOSEN

/* The number of Ps in the library's table of options, below what it has to say of them; or NULL. */
static const char *chosen_procs(const char *said)
{
	for (const char *line = said; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, CHOSEN, strlen(CHOSEN)) == 0)
			return line + strlen(CHOSEN);
	}
	return NULL;
}

/* How many Ps, in the library's own words, and what there is to choose from. */
static void look_cap(const char *said)
{
	int chosen = atoi(chosen_procs(said));
	char limit[PATH_MAX + 64] = "no CPU quota in a cgroup";
	struct quota quota;
	cpu_set_t cpus;
	const char *why = "the quota";

	CPU_ZERO(&cpus);
	sched_getaffinity(0, sizeof(cpus), &cpus);
	if (quota_read(&quota))
		snprintf(limit, sizeof(limit), "quota %.2f CPUs (%s)", quota.cpus, quota.path);
	if (getenv("GMP_MAXPROCS") && !strstr(said, REFUSED))
		why = "GMP_MAXPROCS";
	else if (chosen == CPU_COUNT(&cpus))
		why = "the affinity mask";
	finding(FINDING_FINE, "cap: %d Ps, because of %s; affinity: %d CPUs; %s", chosen, why,
		CPU_COUNT(&cpus), limit);
}

static void put_complaints(char *said)
{
	for (char *line = strtok(said, "\n"); line; line = strtok(NULL, "\n"))
		if (strncmp(line, "gmp: ", 5) == 0)
			finding(FINDING_NOTE, "%s", line + 5);
}

static void look_library(const char *library)
{
	static char said[OUTPUT_MAX];
	int status;

	self_test(library, said, &status);
	if (status != 0 || !chosen_procs(said)) {
		finding(FINDING_PREVENTS, "library: %s does not load: %.*s", library,
			(int)strcspn(said, "\n"), said);
		return;
	}
	finding(FINDING_FINE, "library: %s", library);
	look_cap(said);
	put_complaints(said);
}

/* ---- a program ---- */

static void look_program(const char *path)
{
	struct finding found[BINARY_FINDINGS_MAX];
	size_t n = binary_examine(path, found);

	for (size_t i = 0; i < n; i++) {
		char text[sizeof(found[i].text) + 16];

		snprintf(text, sizeof(text), "program: %s", found[i].text);
		put(found[i].weight, text);
	}
}

int cmd_doctor(int argc, char **argv)
{
	char path[BINARY_PATH_MAX];
	const char *library;

	if (argc > 1 && strcmp(argv[1], "--") == 0)
		argc--, argv++;
	else if (argc > 1 && argv[1][0] == '-')
		usage("no option '%s'", argv[1]);
	if (argc > 2)
		usage("what is '%s'", argv[2]);
	/* Before any finding: what cannot be looked at is an error, and all there is to say. */
	if (argc > 1 && !binary_find(argv[1], path))
		return cannot_execute(argv[1]);
	library = library_path();
	look_kernel();
	look_membarrier();
	look_proc();
	look_seccomp();
	look_library(library);
	if (argc > 1)
		look_program(path);
	return prevented ? 1 : 0;
}

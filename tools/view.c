/* Finding a program's page, and asking the program through it. */
#include "tools/view.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "tools/gmp.h"
#include "tools/target.h"

static u64 starttime(pid_t pid)
{
	char line[1024];
	const char *state = proc_stat(pid, line, sizeof(line));
	unsigned long ticks = 0;

	if (state)
		sscanf(state,
		       "%*c %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
		       "%*s %*s %*s %lu",
		       &ticks);
	return ticks;
}

/* Is a file mapped there whose path ends so?  Of this number, if not 0. */
static bool maps_file(pid_t pid, const char *tail, ino_t number, bool *readable)
{
	FILE *f = proc_open(pid, "maps");
	char line[PATH_MAX + 128];
	unsigned long ino;
	bool found = false;

	*readable = f != NULL;
	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, tail) && sscanf(line, "%*s %*s %*s %*s %lu", &ino) == 1 &&
			(!number || ino == number);
	if (f)
		fclose(f);
	return found;
}

static const char *why_no_file(pid_t pid)
{
	char path[32];
	struct stat st;
	bool readable;

	snprintf(path, sizeof(path), "/proc/%d", pid);
	if (stat(path, &st) != 0)
		return "has ended";
	if (geteuid() != 0 && st.st_uid != geteuid())
		return "belongs to another user";
	if (maps_file(pid, "libgmp", 0, &readable))
		return "has had one thread only until now, or cannot have a page in /dev/shm";
	return readable ? "does not run under the library" : "may not be looked into";
}

static const char *map_page(struct view *v)
{
	int fd = open(v->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	struct statpage *page;
	struct stat st;

	if (fd < 0)
		return errno == EACCES ? "belongs to another user" : "has ended";
	if (fstat(fd, &st) != 0 || (size_t)st.st_size < sizeof(*page)) {
		close(fd);
		return "has a page of another version of the library";
	}
	v->ino = st.st_ino;
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (page == MAP_FAILED)
		return "has a page that cannot be mapped";
	v->page = page;
	if (load_acq(&page->magic) != STATPAGE_MAGIC || page->version != STATPAGE_VERSION ||
	    page->size != sizeof(*page))
		return "has a page of another version of the library";
	return view_alive(v) ? NULL : "left a page behind when it executed another program";
}

/*
 * The first file of that name that is pid's; else NULL for none or why the last one is not.  There
 * may be others: any user can make a directory there, and a pid comes again under another user.
 */
static bool map_any(struct view *v, const char *root, const char **why)
{
	char pattern[PATH_MAX], ns[64];
	struct stat st;
	glob_t g;

	snprintf(ns, sizeof(ns), "/proc/%d/ns/pid", v->pid);
	if (stat(ns, &st) != 0)
		return false;
	snprintf(pattern, sizeof(pattern), "%s/dev/shm/gmp-*/" STATPAGE_NAME, root,
		 tid_inner(v->pid, v->pid), (unsigned)st.st_ino);
	if (glob(pattern, 0, NULL, &g) != 0)
		return false;
	for (size_t i = 0; i < g.gl_pathc && !v->page; i++) {
		snprintf(v->path, sizeof(v->path), "%s", g.gl_pathv[i]);
		*why = map_page(v);
		if (*why)
			view_close(v);
	}
	globfree(&g);
	return v->page;
}

const char *view_try(struct view *v, pid_t pid)
{
	const char *why = NULL;
	char root[32];

	*v = (struct view){ .pid = pid };
	proc_line(pid, "comm", v->name, sizeof(v->name));
	snprintf(root, sizeof(root), "/proc/%d/root", pid);
	if (map_any(v, root, &why) || map_any(v, "", &why))
		return NULL;
	return why ? why : why_no_file(pid);
}

void view_open(struct view *v, pid_t pid)
{
	const char *why = view_try(v, pid);

	if (why)
		fail("process %d %s", pid, why);
}

void view_close(struct view *v)
{
	if (v->page)
		munmap(v->page, sizeof(*v->page));
	v->page = NULL;
}

bool view_ended(const struct view *v)
{
	char line[1024];
	const char *state = proc_stat(v->pid, line, sizeof(line));

	return !state || strchr("ZX", *state);
}

/*
 * After exec the pid and the start time are the same, and so may be the page's name, but nobody has
 * this page mapped.
 */
bool view_alive(const struct view *v)
{
	bool readable, mapped = maps_file(v->pid, strstr(v->path, "/gmp-"), v->ino, &readable);

	if (readable)
		return mapped;
	return starttime(v->pid) == v->page->starttime;
}

static long futex(au32 *word, int op, u32 value, const struct timespec *limit)
{
	return syscall(SYS_futex, &word->v, op, value, limit, NULL, 0);
}

u32 view_request(struct view *v, u32 wants)
{
	struct statpage *page = v->page;
	u32 before = load_acq(&page->answered);

	/* In this order, @pair wants: sysmon reads the bell before the wants. */
	__atomic_fetch_or(&page->wants.v, wants, __ATOMIC_SEQ_CST);
	add_sc(&page->bell, 1);
	futex(&page->bell, FUTEX_WAKE, INT_MAX, NULL);
	return before;
}

enum view_answer view_await(struct view *v, u32 wants, u32 request, int ms)
{
	struct statpage *page = v->page;
	struct timespec limit = { 0, 20 * 1000000 };
	u64 end = now_ns() + (u64)ms * 1000000;

	while (load_acq(&page->answered) == request || load_acq(&page->wants) & wants) {
		if (!load_acq(&page->watched)) /* @pair rows */
			return VIEW_ALONE;
		if (now_ns() >= end)
			return VIEW_SILENT;
		futex(&page->answered, FUTEX_WAIT,
		      load_acq(&page->answered) == request ? request : ~0u, &limit);
	}
	return VIEW_ANSWERED;
}

enum view_answer view_ask(struct view *v, u32 wants, int ms)
{
	return view_await(v, wants, view_request(v, wants), ms);
}

bool view_withdraw(struct view *v, u32 wants)
{
	/* relaxed: what is taken back was not read. */
	return __atomic_fetch_and(&v->page->wants.v, ~wants, __ATOMIC_RELAXED) & wants;
}

/* One copy, whole; false: sysmon was at it, or what it says cannot be. */
static bool copy_rows(const struct statpage *page, struct statpage *ret)
{
	u32 seq = load_acq(&page->seq); /* @pair rows */

	memcpy(ret, page, sizeof(*ret));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return !(seq & 1) && load_rlx(&page->seq) == seq && ret->np <= ROWS_P && ret->ng <= ROWS_G;
}

bool view_rows(const struct view *v, struct statpage *ret)
{
	static struct statpage copy; /* ret keeps what it has until there is better */
	static struct tids tids;

	for (int tries = 0; tries < 100; tries++) {
		if (!copy_rows(v->page, &copy)) {
			usleep(100);
			continue;
		}
		tids_read(&tids, v->pid);
		for (u32 i = 0; i < copy.ng; i++)
			copy.g[i].tid = tid_outer(&tids, copy.g[i].tid);
		*ret = copy;
		return true;
	}
	return false;
}

size_t view_pids(pid_t *ret, size_t max)
{
	size_t n = 0;
	glob_t g;

	if (glob("/proc/[0-9]*", 0, NULL, &g) != 0)
		return 0;
	for (size_t i = 0; i < g.gl_pathc && n < max; i++) {
		struct view v;

		if (view_try(&v, atoi(g.gl_pathv[i] + 6)) == NULL) {
			ret[n++] = v.pid;
			view_close(&v);
		}
	}
	globfree(&g);
	return n;
}

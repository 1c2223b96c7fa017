/* NSpid of /proc/PID/task/TID/status: one number for each namespace, from ours inwards. */
#include "tools/tids.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/gmp.h"
#include "tools/target.h"

/* Returns the innermost number; *nested: there are several. */
static pid_t inner_number(pid_t pid, pid_t tid, bool *nested)
{
	FILE *f = proc_open(pid, "task/%d/status", tid);
	char line[512];
	pid_t inner = tid;

	*nested = false;
	while (f && fgets(line, sizeof(line), f)) {
		char *first = line + 6, *last = strrchr(line, '\t');

		if (strncmp(line, "NSpid:", 6) != 0)
			continue;
		*nested = last && last != first;
		inner = atoi(last ? last : first);
		break;
	}
	if (f)
		fclose(f);
	return inner;
}

pid_t tid_inner(pid_t pid, pid_t tid)
{
	bool nested;

	return inner_number(pid, tid, &nested);
}

static int by_inner(const void *a, const void *b)
{
	const struct tid_pair *x = a, *y = b;

	return x->inner < y->inner ? -1 : x->inner > y->inner;
}

static void add(struct tids *t, pid_t inner, pid_t outer)
{
	if ((t->n & (t->n - 1)) == 0) {
		t->at = reallocarray(t->at, t->n ? t->n * 2 : 1, sizeof(*t->at));
		if (!t->at)
			fail("no memory");
	}
	t->at[t->n++] = (struct tid_pair){ inner, outer };
}

void tids_read(struct tids *t, pid_t pid)
{
	char path[32];
	bool nested;
	struct dirent *e;
	DIR *dir;

	free(t->at);
	*t = (struct tids){ 0 };
	inner_number(pid, pid, &nested);
	t->same = !nested; /* threads are where their process is */
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = nested ? opendir(path) : NULL;
	while (dir && (e = readdir(dir)))
		if (atoi(e->d_name) > 0)
			add(t, tid_inner(pid, atoi(e->d_name)), atoi(e->d_name));
	if (dir)
		closedir(dir);
	if (t->n)
		qsort(t->at, t->n, sizeof(*t->at), by_inner);
}

pid_t tid_outer(const struct tids *t, pid_t inner)
{
	struct tid_pair want = { .inner = inner }, *found = NULL;

	if (t->same)
		return inner;
	if (t->n)
		found = bsearch(&want, t->at, t->n, sizeof(*t->at), by_inner);
	return found ? found->outer : 0;
}

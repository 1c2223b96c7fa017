/*
 * The events of a trace file, sorted.  The file may be cut off, or of a program that died while it
 * wrote: what does not check out is left out and counted.
 */
#include "tools/replay_read.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "tools/gmp.h"

void *list_add(void *list, size_t size)
{
	LIST(char) *l = list;

	if (l->n == l->room) {
		l->room = l->room ? l->room * 2 : 1024;
		l->at = realloc(l->at, l->room * size);
		if (!l->at)
			fail("no memory");
	}
	return l->at + l->n++ * size;
}

int trace_open(const char *path, size_t *len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO's would wait */
	char magic[sizeof(TRACE_MAGIC)];
	struct stat st;

	if (fd < 0)
		fail("cannot open '%s': %s", path, strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		fail("'%s' is not a regular file", path);
	if ((size_t)st.st_size < TRACE_CHUNK)
		fail("'%s' is not a trace, or was cut off", path);
	if (pread(fd, magic, sizeof(magic) - 1, 0) != sizeof(magic) - 1 ||
	    memcmp(magic, TRACE_MAGIC, sizeof(magic) - 1) != 0)
		fail("'%s' is not a trace", path);
	*len = (size_t)st.st_size;
	return fd;
}

static const char *map_file(const char *path, size_t *len)
{
	int fd = trace_open(path, len);
	char *at;

	at = mmap(NULL, *len, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (at == MAP_FAILED)
		fail("cannot map '%s': %s", path, strerror(errno));
	return at;
}

static void read_head(struct replay *r, const char *path, const char *at)
{
	memcpy(&r->head, at, sizeof(r->head));
	if (r->head.version != TRACE_VERSION || r->head.chunk_size != TRACE_CHUNK)
		fail("'%s' is a trace of another version (%u)", path, r->head.version);
	if (r->head.size % TRACE_CHUNK || r->head.size > TRACE_MAX ||
	    r->head.size < 2 * TRACE_CHUNK)
		fail("'%s' is a damaged trace", path);
}

/* Ticks a ns, of this machine: for a trace whose program died before its second chunk. */
static double own_rate(void)
{
	struct timespec ts = { 0, 20000000 }, a, b;
	u64 from, to;

	clock_gettime(CLOCK_MONOTONIC, &a);
	from = __rdtsc();
	nanosleep(&ts, NULL);
	clock_gettime(CLOCK_MONOTONIC, &b);
	to = __rdtsc();
	return (double)(to - from) /
	       ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec));
}

static double rate_of(const struct trace_head *h, struct trace_moment last)
{
	if (h->clock == TRACE_CLOCK_NS)
		return 1;
	if (last.ns > h->begin.ns + 1000000 && last.ticks > h->begin.ticks)
		return (double)(last.ticks - h->begin.ticks) / (double)(last.ns - h->begin.ns);
	return own_rate();
}

static void read_chunk(struct replay *r, struct raw *raw, const struct trace_chunk *c)
{
	const struct trace_event *e = (const struct trace_event *)(c + 1);

	for (size_t i = 0; i < TRACE_EVENTS; i++, e++) {
		u64 ticks = load_rlx(&e->ticks);

		if (!ticks && !e->type)
			continue;
		if (!ticks || e->tag != (u8)c->mid || e->type == TRACE_NONE ||
		    e->type >= TRACE_TYPES || ticks < r->head.begin.ticks) {
			r->bad_events++;
			continue;
		}
		LIST_ADD(raw, { ticks, load_rlx(&c->turn) * TRACE_EVENTS + i, c->mid, e->type, e->a,
				e->b, c->tid, (u32)c->goid });
	}
}

static int by_time(const void *a, const void *b)
{
	const struct raw_event *x = a, *y = b;

	if (x->ns != y->ns)
		return x->ns < y->ns ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

void replay_read(struct replay *r, struct raw *raw, const char *path)
{
	size_t len;
	const char *at = map_file(path, &len);
	struct trace_moment last = { 0 };
	double rate;

	read_head(r, path, at);
	if (len > r->head.size)
		len = r->head.size;
	r->cut = len < r->head.size;
	last = r->head.end;
	for (size_t off = TRACE_CHUNK; off + TRACE_CHUNK <= len; off += TRACE_CHUNK) {
		const struct trace_chunk *c = (const struct trace_chunk *)(at + off);

		if (!load_rlx(&c->turn))
			continue;
		if (c->begin.ns > last.ns)
			last = c->begin;
		read_chunk(r, raw, c);
	}
	if (load_rlx(&r->head.taken) > r->head.size / TRACE_CHUNK - 1)
		r->lost_chunks = load_rlx(&r->head.taken) - (r->head.size / TRACE_CHUNK - 1);
	rate = rate_of(&r->head, last);
	if (raw->n) /* by ticks: a ns may be several */
		qsort(raw->at, raw->n, sizeof(raw->at[0]), by_time);
	for (size_t i = 0; i < raw->n; i++)
		raw->at[i].ns = (u64)((double)(raw->at[i].ns - r->head.begin.ticks) / rate);
	r->events = raw->n;
	if (!r->events)
		fail("'%s' has no events", path);
	munmap((void *)at, (size_t)len);
}

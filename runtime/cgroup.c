/*
 * Where /proc and the cgroup file systems meet:
 *
 *   /proc/thread-self/cgroup     "4:cpu,cpuacct:/a/b" or "0::/a/b": hierarchy, controllers, group.
 *                                The thread's: a leader that has exited counts as in no group.
 *   /proc/thread-self/mountinfo  "33 24 0:28 ROOT POINT rw,... tags... - cgroup2 SOURCE rw,...":
 *                                the group ROOT is what is seen at POINT; spaces are \040 there.
 *   POINT/.../cpu.max            "50000 100000", or "max 100000"
 *   POINT/.../cpu.cfs_quota_us   and cpu.cfs_period_us
 *
 * A line that a version 1 hierarchy of `cpu` has wins: then version 2 has no cpu controller.
 */
#include "runtime/cgroup.h"

#include "runtime/os.h"
#include "runtime/text.h"

/* A piece of what was read. */
struct span {
	char *at;
	size_t len;
};

/* ---- words; pure ---- */

static bool same(struct span s, const char *word)
{
	size_t n = 0;

	while (n < s.len && word[n] && s.at[n] == word[n])
		n++;
	return n == s.len && !word[n];
}

/* Takes what is in front of the next sep off *rest, which starts behind it then. */
static struct span cut(struct span *rest, char sep)
{
	struct span word = { rest->at, 0 };

	while (word.len < rest->len && rest->at[word.len] != sep)
		word.len++;
	rest->at += word.len;
	rest->len -= word.len;
	if (rest->len) {
		rest->at++;
		rest->len--;
	}
	return word;
}

/* Is word one of those in a comma-separated list? */
static bool has(struct span list, const char *word)
{
	while (list.len)
		if (same(cut(&list, ','), word))
			return true;
	return false;
}

static bool octal(char c)
{
	return c >= '0' && c <= '7';
}

/* "\040" is a space: in place. */
static struct span unescape(struct span s)
{
	struct span out = { s.at, 0 };

	for (size_t i = 0; i < s.len; i++) {
		char c = s.at[i];

		if (c == '\\' && i + 3 < s.len && octal(s.at[i + 1]) && octal(s.at[i + 2]) &&
		    octal(s.at[i + 3])) {
			c = (char)((s.at[i + 1] - '0') << 6 | (s.at[i + 2] - '0') << 3 |
				   (s.at[i + 3] - '0'));
			i += 3;
		}
		out.at[out.len++] = c;
	}
	return out;
}

/*
 * An absolute path that stays below its root: groups outside of our view are named "/../x".  No
 * zero in it: it would end there for others.
 */
static bool usable(struct span path)
{
	struct span whole = path;

	if (!path.len || path.at[0] != '/' || cut(&whole, 0).len < path.len)
		return false;
	while (path.len)
		if (same(cut(&path, '/'), ".."))
			return false;
	return true;
}

/* False, and to is empty: it does not fit. */
static bool set(char *to, size_t size, struct span s)
{
	bool fits = s.len < size;

	if (fits)
		__builtin_memcpy(to, s.at, s.len);
	to[fits ? s.len : 0] = 0;
	return fits;
}

static size_t length(const char *s)
{
	size_t n = 0;

	while (s[n])
		n++;
	return n;
}

/* A number and nothing else, else 0.  Behind s is something that is no digit. */
static u64 number(struct span s)
{
	const char *at = s.at;
	u64 n = text_number(&at, 10);

	return at == s.at + s.len ? n : 0;
}

static u64 ratio(u64 quota, u64 period)
{
	if (!quota || !period || quota / period >= MAXPROCS_MAX || period > 1ul << 40)
		return QUOTA_NONE;
	return quota / period * QUOTA_UNIT + quota % period * QUOTA_UNIT / period;
}

/* ---- lines ---- */

/*
 * Gives each whole line of the file to take() until that wants no more.  What does not fit is
 * passed over, and so is an end without a newline: something is missing there.
 */
static void each_line(struct cgroup *c, const char *file,
		      bool (*take)(struct cgroup *, struct span))
{
	size_t have = 0, line;
	bool cut_off = false;
	u64 at = 0;
	i64 n;

	while ((n = os_read_file(file, at, c->text + have, sizeof(c->text) - have)) > 0) {
		at += (u64)n;
		have += (size_t)n;
		line = 0;
		for (size_t i = have - (size_t)n; i < have; i++) {
			if (c->text[i] != '\n')
				continue;
			if (!cut_off && !take(c, (struct span){ c->text + line, i - line }))
				return;
			cut_off = false;
			line = i + 1;
		}
		if (line == 0 && have == sizeof(c->text)) {
			cut_off = true;
			line = have;
		}
		have -= line;
		__builtin_memmove(c->text, c->text + line, have);
	}
}

static bool own_line(struct cgroup *c, struct span line)
{
	struct span id = cut(&line, ':'), controllers = cut(&line, ':');
	bool v1 = has(controllers, "cpu");

	if (!v1 && !(same(id, "0") && controllers.len == 0))
		return true;
	c->version = v1 ? CGROUP_V1 : CGROUP_V2;
	if (!usable(line) || !set(c->path, sizeof(c->path), line))
		c->version = CGROUP_NONE;
	return !v1;
}

/* What is left of path below root; false: root is not above it. */
static bool below(struct span root, const char *path, struct span *rest)
{
	size_t n = root.len;

	if (n == 1) /* "/" */
		n = 0;
	*rest = (struct span){ (char *)path, length(path) };
	if (n > rest->len || __builtin_memcmp(root.at, path, n) != 0)
		return false;
	rest->at += n;
	rest->len -= n;
	return rest->len == 0 || rest->at[0] == '/';
}

static bool mount_line(struct cgroup *c, struct span line)
{
	struct span root, point, type, rest, options;

	for (int i = 0; i < 3; i++)
		cut(&line, ' '); /* two ids and a device */
	root = cut(&line, ' ');
	point = cut(&line, ' ');
	while (line.len && !same(cut(&line, ' '), "-"))
		; /* options, tags */
	type = cut(&line, ' ');
	cut(&line, ' ');
	options = line;
	if (c->version == CGROUP_V2 ? !same(type, "cgroup2")
				    : !same(type, "cgroup") || !has(options, "cpu"))
		return true;
	root = unescape(root);
	point = unescape(point);
	if (!usable(root) || !usable(point) || !below(root, c->path, &rest) ||
	    point.len + rest.len >= sizeof(c->dir))
		return true;
	if (rest.len == 1) /* "/" */
		rest.len = 0;
	__builtin_memcpy(c->dir, point.at, point.len);
	__builtin_memcpy(c->dir + point.len, rest.at, rest.len);
	c->dir[point.len + rest.len] = 0;
	c->top = point.len;
	return false;
}

/* ---- files ---- */

/* The one line of a file in the first len bytes of dir; empty when it is not what it should be. */
static struct span read_line(struct cgroup *c, size_t len, const char *file, char *buf, size_t size)
{
	size_t n = length(file);
	i64 got;

	__builtin_memcpy(c->text, c->dir, len);
	__builtin_memcpy(c->text + len, file, n + 1);
	got = os_read_file(c->text, 0, buf, size);
	if (got <= 0 || buf[got - 1] != '\n') {
		buf[0] = 0;
		got = 1;
	}
	return (struct span){ buf, (size_t)got - 1 };
}

/* What the group in the first len bytes of dir says. */
static u64 limit_at(struct cgroup *c, size_t len)
{
	char quota[64], period[64];
	struct span line;
	u64 n;

	if (c->version == CGROUP_V2) {
		line = read_line(c, len, "/cpu.max", quota, sizeof(quota));
		n = number(cut(&line, ' '));
		return ratio(n, number(line));
	}
	n = number(read_line(c, len, "/cpu.cfs_quota_us", quota, sizeof(quota)));
	return ratio(n, number(read_line(c, len, "/cpu.cfs_period_us", period, sizeof(period))));
}

static void locate(struct cgroup *c)
{
	size_t n;

	c->version = CGROUP_NONE;
	each_line(c, "/proc/thread-self/cgroup", own_line);
	n = length(c->path) + 1;
	if (c->version == c->had_version && __builtin_memcmp(c->path, c->had, n) == 0)
		return;
	c->dir[0] = 0;
	if (c->version != CGROUP_NONE)
		each_line(c, "/proc/thread-self/mountinfo", mount_line);
	c->had_version = c->version;
	__builtin_memcpy(c->had, c->path, n);
}

u64 cgroup_limit(struct cgroup *c)
{
	u64 least = QUOTA_NONE, limit;
	size_t len;

	locate(c);
	if (c->version == CGROUP_NONE || !c->dir[0])
		return QUOTA_NONE;
	for (len = length(c->dir);;) {
		limit = limit_at(c, len);
		if (limit < least)
			least = limit;
		if (len <= c->top)
			return least;
		while (c->dir[--len] != '/')
			;
	}
}

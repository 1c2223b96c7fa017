/* The two ends of a socket, from /proc/PID/net, read once. */
#include "tools/sockets.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/target.h"

static struct end {
	unsigned long inode;
	char text[160];
} * ends;
static size_t count;
static bool loaded;

static struct end *add(unsigned long inode)
{
	if ((count & (count - 1)) == 0) {
		struct end *more = reallocarray(ends, count ? count * 2 : 1, sizeof(*ends));

		if (!more)
			return NULL;
		ends = more;
	}
	ends[count] = (struct end){ .inode = inode };
	return &ends[count++];
}

/* "0100007F:1F90", each word of four bytes in the machine's order. */
static void address(const char *hex, char *buf, size_t size)
{
	uint32_t words[4] = { 0 };
	char host[INET6_ADDRSTRLEN];
	size_t digits = strcspn(hex, ":");
	unsigned port = (unsigned)strtoul(hex + digits + (hex[digits] == ':'), NULL, 16);

	for (size_t i = 0; i < digits / 8 && i < 4; i++)
		sscanf(hex + i * 8, "%8x", &words[i]);
	inet_ntop(digits > 8 ? AF_INET6 : AF_INET, words, host, sizeof(host));
	snprintf(buf, size, digits > 8 ? "[%s]:%u" : "%s:%u", host, port);
}

static void load_inet(pid_t pid, const char *kind)
{
	FILE *f = proc_open(pid, "net/%s", kind);
	char line[512], local[48], remote[48], a[64], b[64];
	unsigned long inode;
	unsigned state;

	while (f && fgets(line, sizeof(line), f)) {
		struct end *e;

		if (sscanf(line, " %*u: %47s %47s %x %*s %*s %*s %*u %*u %lu", local, remote,
			   &state, &inode) != 4 ||
		    !(e = add(inode)))
			continue;
		address(local, a, sizeof(a));
		address(remote, b, sizeof(b));
		if (strcmp(kind, "tcp") == 0 || strcmp(kind, "tcp6") == 0)
			snprintf(e->text, sizeof(e->text),
				 state == 10 ? "%s %s listens" : "%s %s to %s", kind, a, b);
		else
			snprintf(e->text, sizeof(e->text), "%s %s to %s", kind, a, b);
	}
	if (f)
		fclose(f);
}

static void load_unix(pid_t pid)
{
	FILE *f = proc_open(pid, "net/unix");
	char line[512], path[120];
	unsigned long inode;

	while (f && fgets(line, sizeof(line), f)) {
		struct end *e;
		int n;

		path[0] = 0;
		n = sscanf(line, "%*s %*s %*s %*s %*s %*s %lu %119[^\n]", &inode, path);
		if (n >= 1 && (e = add(inode)))
			snprintf(e->text, sizeof(e->text), "unix%s%s", path[0] ? " " : "", path);
	}
	if (f)
		fclose(f);
}

const char *socket_ends(pid_t pid, unsigned long inode)
{
	if (!loaded) {
		static const char *const kinds[] = { "tcp", "tcp6", "udp", "udp6" };

		loaded = true;
		for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
			load_inet(pid, kinds[i]);
		load_unix(pid);
	}
	for (size_t i = 0; i < count; i++)
		if (ends[i].inode == inode)
			return ends[i].text;
	return NULL;
}

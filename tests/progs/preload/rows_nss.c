/* Rows: the name service (accounts, hosts, services) and the resolver.
 *
 * Where libc reads /etc/nsswitch.conf first, the victim has a FIFO there, in a mount namespace of
 * its own: the call waits for who writes it, the agent, and gives then the answer of the machine's
 * own files.  Where libc asks a name server, the agent is the name server, on a port of its own.
 */
#include "tests/progs/preload/rows.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pwd.h>
#include <resolv.h>
#include <sched.h>
#include <shadow.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NSSWITCH "/etc/nsswitch.conf"

static const char config[] = "passwd: files\ngroup: files\nshadow: files\ninitgroups: files\n"
			     "hosts: files\nnetworks: files\nservices: files\n"
			     "protocols: files\nnetgroup: files\n";

void setup_private_mounts(struct st *s)
{
	if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS)) {
		puts("skipped: no mount namespace to be had here");
		exit(77);
	}
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "private mounts");
}

static void mount_over(const char *what)
{
	must(mount(what, NSSWITCH, NULL, MS_BIND, NULL) == 0, "mount over " NSSWITCH);
}

/* Two mounts: what is found when the FIFO is taken away does not depend on the machine. */
void setup_nss(struct st *s)
{
	char file[] = "/tmp/gmp-nss-XXXXXX", fifo[64];
	int fd = mkstemp(file);

	if (access(NSSWITCH, R_OK)) {
		puts("skipped: no " NSSWITCH " here");
		exit(77);
	}
	setup_private_mounts(s);
	must(fd >= 0 && fchmod(fd, 0644) == 0, "mkstemp");
	must(write(fd, config, sizeof(config) - 1) == sizeof(config) - 1, "write");
	close(fd);
	snprintf(fifo, sizeof(fifo), "%s-fifo", file);
	must(mkfifo(fifo, 0644) == 0, "mkfifo");
	mount_over(file);
	mount_over(fifo);
	unlink(file);
	unlink(fifo);
	s->waits_in = SYS_openat; /* of the FIFO, before anything else is opened */
}

void uncover_nss(void)
{
	must(umount2(NSSWITCH, MNT_DETACH) == 0, "umount of the FIFO");
}

/* SLOW_RELEASE: umount2() sleeps, for milliseconds, until no CPU walks the old mounts. */
void release_nss(struct st *s)
{
	int fd = open(NSSWITCH, O_WRONLY);

	/* Before the end of file: the next look of the same call is at the file beneath. */
	must(fd >= 0, "the other end of the FIFO");
	uncover_nss();
	must(write(fd, config, sizeof(config) - 1) == sizeof(config) - 1, "write");
	close(fd);
}

#define FN_(...) FN(__VA_ARGS__)

/* proto: (result, parameters); call and fail: expressions over fn, which is the function. */
#define NSS(NAME, proto, answer, no_answer) \
	static long call_##NAME(struct st *s) \
	{ \
		FN_ proto; \
		return answer; \
	} \
	static long fail_##NAME(struct st *s) \
	{ \
		FN_ proto; \
		uncover_nss(); \
		return no_answer; \
	} \
	ROW(NAME, NO_READY | NO_HANDLER | SLOW_RELEASE, .setup = setup_nss, .call = call_##NAME, \
	    .release = release_nss, .fail = fail_##NAME)

/* The buffers of the reentrant forms: the entry, the rest, the pointer to the result. */
#define ENTRY ((void *)s->buf)
#define ROOM (s->buf + 512), 3000
#define FOUND ((void *)(s->buf + 256))
#define WAS_FOUND (*(void **)FOUND != NULL)
#define HERR ((int *)(s->buf + 320))

/* Of an entry that may be none: the call was interrupted. */
#define FIELD(e, field) \
	({ \
		__auto_type e_ = (e); \
		e_ ? (long)e_->field : -1; \
	})
#define LENGTH(e, field) \
	({ \
		__auto_type e_ = (e); \
		e_ ? (long)strlen(e_->field) : -1; \
	})

#define ID_NONE 54321
#define PORT(n) htons(n)

NSS(getpwnam, (struct passwd *, const char *), FIELD(fn("root"), pw_uid),
    fn("no-such-user") != NULL);
NSS(getpwuid, (struct passwd *, uid_t), LENGTH(fn(0), pw_name), fn(ID_NONE) != NULL);
NSS(getpwent, (struct passwd *, void), LENGTH(fn(), pw_name), (setpwent(), fn() != NULL));
NSS(getpwnam_r, (int, const char *, void *, char *, size_t, void *),
    fn("root", ENTRY, ROOM, FOUND) * 10 + WAS_FOUND, fn("root", ENTRY, s->buf, 1, FOUND));
NSS(getpwuid_r, (int, uid_t, void *, char *, size_t, void *),
    fn(0, ENTRY, ROOM, FOUND) * 10 + WAS_FOUND, fn(ID_NONE, ENTRY, ROOM, FOUND) * 10 + WAS_FOUND);
NSS(getpwent_r, (int, void *, char *, size_t, void *), fn(ENTRY, ROOM, FOUND) * 10 + WAS_FOUND,
    fn(ENTRY, s->buf, 1, FOUND));
NSS(getgrnam, (struct group *, const char *), FIELD(fn("root"), gr_gid),
    fn("no-such-group") != NULL);
NSS(getgrgid, (struct group *, gid_t), LENGTH(fn(0), gr_name), fn(ID_NONE) != NULL);
NSS(getgrent, (struct group *, void), LENGTH(fn(), gr_name), (setgrent(), fn() != NULL));
NSS(getgrnam_r, (int, const char *, void *, char *, size_t, void *),
    fn("root", ENTRY, ROOM, FOUND) * 10 + WAS_FOUND, fn("root", ENTRY, s->buf, 1, FOUND));
NSS(getgrgid_r, (int, gid_t, void *, char *, size_t, void *),
    fn(0, ENTRY, ROOM, FOUND) * 10 + WAS_FOUND, fn(ID_NONE, ENTRY, ROOM, FOUND) * 10 + WAS_FOUND);
NSS(getgrent_r, (int, void *, char *, size_t, void *), fn(ENTRY, ROOM, FOUND) * 10 + WAS_FOUND,
    fn(ENTRY, s->buf, 1, FOUND));
NSS(getspnam, (struct spwd *, const char *), fn("root") != NULL, fn("no-such-user") != NULL);
NSS(getspnam_r, (int, const char *, void *, char *, size_t, void *),
    fn("root", ENTRY, ROOM, FOUND) * 10 + WAS_FOUND, fn("root", ENTRY, s->buf, 1, FOUND));
NSS(getgrouplist, (int, const char *, gid_t, gid_t *, int *),
    fn("root", 5, ENTRY, memcpy(FOUND, &(int){ 9 }, 4)),
    fn("root", 5, ENTRY, (memset(FOUND, 0, 4))));
NSS(initgroups, (int, const char *, gid_t), fn("root", getgid()), fn("no-such-user", getgid()));
NSS(getservbyname, (struct servent *, const char *, const char *),
    FIELD(fn("domain", "udp"), s_port), fn("no-such-service", NULL) != NULL);
NSS(getservbyname_r, (int, const char *, const char *, void *, char *, size_t, void *),
    fn("domain", "udp", ENTRY, ROOM, FOUND) * 10 + WAS_FOUND,
    fn("domain", "udp", ENTRY, s->buf, 1, FOUND));
NSS(getservbyport, (struct servent *, int, const char *), LENGTH(fn(PORT(53), "udp"), s_name),
    fn(PORT(1), "none") != NULL);
NSS(getservbyport_r, (int, int, const char *, void *, char *, size_t, void *),
    fn(PORT(53), "udp", ENTRY, ROOM, FOUND) * 10 + WAS_FOUND,
    fn(PORT(53), "udp", ENTRY, s->buf, 1, FOUND));
NSS(getprotobyname, (struct protoent *, const char *), FIELD(fn("tcp"), p_proto),
    fn("no-such") != NULL);
NSS(getprotobyname_r, (int, const char *, void *, char *, size_t, void *),
    fn("tcp", ENTRY, ROOM, FOUND) * 10 + WAS_FOUND, fn("tcp", ENTRY, s->buf, 1, FOUND));
NSS(getprotobynumber, (struct protoent *, int), LENGTH(fn(6), p_name), fn(253) != NULL);
NSS(innetgr, (int, const char *, const char *, const char *, const char *),
    fn("no-such-group", NULL, "root", NULL), fn("no-such-group", NULL, NULL, NULL));

/* 127.0.0.1 is localhost wherever there is a hosts file. */
static const struct in_addr loopback = { 0x0100007f };
static const struct sockaddr_in loopback_name = { .sin_family = AF_INET,
						  .sin_addr.s_addr = 0x0100007f };

NSS(gethostbyname, (struct hostent *, const char *), FIELD(fn("localhost"), h_length),
    fn("no-such-host") != NULL);
NSS(gethostbyname2, (struct hostent *, const char *, int),
    FIELD(fn("localhost", AF_INET), h_length), fn("no-such-host", AF_INET) != NULL);
NSS(gethostbyaddr, (struct hostent *, const void *, socklen_t, int),
    fn(&loopback, 4, AF_INET) != NULL, fn(&loopback, 3, AF_INET) != NULL);
NSS(gethostbyname_r, (int, const char *, void *, char *, size_t, void *, int *),
    fn("localhost", ENTRY, ROOM, FOUND, HERR) * 10 + WAS_FOUND,
    fn("localhost", ENTRY, s->buf, 1, FOUND, HERR));
NSS(gethostbyname2_r, (int, const char *, int, void *, char *, size_t, void *, int *),
    fn("localhost", AF_INET, ENTRY, ROOM, FOUND, HERR) * 10 + WAS_FOUND,
    fn("localhost", AF_INET, ENTRY, s->buf, 1, FOUND, HERR));
NSS(gethostbyaddr_r, (int, const void *, socklen_t, int, void *, char *, size_t, void *, int *),
    fn(&loopback, 4, AF_INET, ENTRY, ROOM, FOUND, HERR) * 10 + WAS_FOUND,
    fn(&loopback, 3, AF_INET, ENTRY, ROOM, FOUND, HERR));
NSS(gethostent, (struct hostent *, void), FIELD(fn(), h_length), (sethostent(0), fn() != NULL));
NSS(gethostent_r, (int, void *, char *, size_t, void *, int *),
    fn(ENTRY, ROOM, FOUND, HERR) * 10 + WAS_FOUND, fn(ENTRY, s->buf, 1, FOUND, HERR));
NSS(getnetbyname, (struct netent *, const char *), fn("no-such-net") != NULL,
    fn("no-such-net") != NULL);
NSS(getnetbyname_r, (int, const char *, void *, char *, size_t, void *, int *),
    fn("no-such-net", ENTRY, ROOM, FOUND, HERR) * 10 + WAS_FOUND,
    fn("no-such-net", ENTRY, s->buf, 1, FOUND, HERR));
NSS(getnetbyaddr, (struct netent *, uint32_t, int), fn(0x01020300, AF_INET) != NULL,
    fn(0x01020300, AF_INET) != NULL);
NSS(getnameinfo, (int, const void *, socklen_t, char *, socklen_t, char *, socklen_t, int),
    fn(&loopback_name, sizeof(loopback_name), s->buf, 1000, NULL, 0, 0) * 10 + (s->buf[0] != 0),
    fn(&loopback_name, 1, s->buf, 1000, NULL, 0, 0));

/* --- a name server on this host that answers only when released --- */

static void setup_resolver(struct st *s)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);

	s->fd[0] = socket(AF_INET, SOCK_DGRAM, 0);
	must(bind(s->fd[0], (void *)&a, len) == 0, "bind");
	must(getsockname(s->fd[0], (void *)&a, &len) == 0, "getsockname");
	s->id = a.sin_port;
}
static void release_resolver(struct st *s)
{
	struct sockaddr_in a;
	socklen_t len = sizeof(a);
	ssize_t n = recvfrom(s->fd[0], s->buf, sizeof(s->buf), 0, (void *)&a, &len);

	must(n > 12, "the resolver's question");
	s->buf[2] |= 0x80;		    /* a response: */
	s->buf[3] = (s->buf[3] & 0xf0) | 3; /* no such name */
	sendto(s->fd[0], s->buf, n, 0, (void *)&a, len);
}
static void ask_our_server(struct st *s, struct __res_state *state)
{
	must(res_ninit(state) == 0, "res_ninit");
	state->nscount = 1;
	state->nsaddr_list[0] = (struct sockaddr_in){ .sin_family = AF_INET,
						      .sin_port = s->id,
						      .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	state->options &= ~(RES_DNSRCH | RES_DEFNAMES);
}

#define NAME "no-such-name.example"
#define QUESTION s->buf + 2048
#define ANSWER s->buf + 3072, 1000

/* The forms with a state are asked with the thread's own one. */
#define RESOLVE(ROW_NAME, SYMBOL, proto, answer, no_answer) \
	static long call_##ROW_NAME(struct st *s) \
	{ \
		FN_ proto; \
		ask_our_server(s, &_res); \
		return answer; \
	} \
	static long fail_##ROW_NAME(struct st *s) \
	{ \
		FN_ proto; \
		ask_our_server(s, &_res); \
		return no_answer; \
	} \
	ROW(ROW_NAME, POINT | NO_READY | NO_HANDLER, .symbol = SYMBOL, .setup = setup_resolver, \
	    .call = call_##ROW_NAME, .release = release_resolver, .fail = fail_##ROW_NAME)

static const struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM };
static const struct addrinfo bad_hints = { .ai_family = 12345 };

static int ask(struct st *s)
{
	return res_mkquery(0, NAME, 1, 1, NULL, 0, NULL, (void *)(QUESTION), 1000);
}

RESOLVE(getaddrinfo, NULL, (int, const char *, const char *, const void *, void *),
	fn(NAME ".", NULL, &hints, FOUND), fn(NAME ".", NULL, &bad_hints, FOUND));
RESOLVE(__res_query, "res_query", (int, const char *, int, int, char *, int),
	fn(NAME, 1, 1, ANSWER), fn("..", 1, 1, ANSWER));
RESOLVE(__res_search, "res_search", (int, const char *, int, int, char *, int),
	fn(NAME ".", 1, 1, ANSWER), fn("..", 1, 1, ANSWER));
RESOLVE(__res_querydomain, "res_querydomain",
	(int, const char *, const char *, int, int, char *, int),
	fn("no-such-name", "example", 1, 1, ANSWER), fn("..", "", 1, 1, ANSWER));
RESOLVE(__res_send, "res_send", (int, const char *, int, char *, int), fn(QUESTION, ask(s), ANSWER),
	fn(QUESTION, ask(s), s->buf, 1));
RESOLVE(__res_nquery, "res_nquery", (int, void *, const char *, int, int, char *, int),
	fn(&_res, NAME, 1, 1, ANSWER), fn(&_res, "..", 1, 1, ANSWER));
RESOLVE(__res_nsearch, "res_nsearch", (int, void *, const char *, int, int, char *, int),
	fn(&_res, NAME ".", 1, 1, ANSWER), fn(&_res, "..", 1, 1, ANSWER));
RESOLVE(__res_nquerydomain, "res_nquerydomain",
	(int, void *, const char *, const char *, int, int, char *, int),
	fn(&_res, "no-such-name", "example", 1, 1, ANSWER), fn(&_res, "..", "", 1, 1, ANSWER));
RESOLVE(__res_nsend, "res_nsend", (int, void *, const char *, int, char *, int),
	fn(&_res, QUESTION, ask(s), ANSWER), fn(&_res, QUESTION, ask(s), s->buf, 1));

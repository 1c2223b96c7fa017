/*
 * A closed loop of connections from one thread: bench_load PORT CONNECTIONS SECONDS REQUEST.  The
 * first reply to each request tells the length of all.  Always run natively.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.h"

enum { CONNECTIONS_MAX = 1024, EVENTS = 64 };

static struct connection {
	int fd;
	uint64_t sent_ns;
} connections[CONNECTIONS_MAX];
static const char *request;

static void ask(struct connection *c)
{
	ssize_t len = (ssize_t)strlen(request);

	c->sent_ns = now_ns();
	must_be(send(c->fd, request, (size_t)len, MSG_NOSIGNAL) == len, "send");
}

static void dial(struct connection *c, int port, int epoll)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons((uint16_t)port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };
	int one = 1;

	c->fd = socket(AF_INET, SOCK_STREAM, 0);
	must_be(connect(c->fd, (void *)&to, sizeof(to)) == 0, "connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	must_be(epoll_ctl(epoll, EPOLL_CTL_ADD, c->fd, &e) == 0, "epoll_ctl");
}

int main(int argc, char **argv)
{
	int n = argc > 4 ? atoi(argv[2]) : 0, epoll = epoll_create1(0);
	struct samples latency = { 0 };
	struct epoll_event events[EVENTS];
	uint64_t began, warm, end;
	char reply[65536];

	question("How many requests a second, and how late are the answers?");
	must_be(n > 0 && n <= CONNECTIONS_MAX, "usage: PORT CONNECTIONS SECONDS REQUEST");
	request = argv[4];
	for (int i = 0; i < n; i++)
		dial(&connections[i], atoi(argv[1]), epoll);
	began = now_ns();
	warm = began + (uint64_t)(atof(argv[3]) * 1e8);
	end = began + (uint64_t)(atof(argv[3]) * 1e9);
	for (int i = 0; i < n; i++)
		ask(&connections[i]);
	while (now_ns() < end) {
		int got = epoll_wait(epoll, events, EVENTS, 1000);

		for (int i = 0; i < got; i++) {
			struct connection *c = events[i].data.ptr;

			must_be(recv(c->fd, reply, sizeof(reply), 0) > 0, "recv");
			if (c->sent_ns >= warm)
				sample(&latency, (double)(now_ns() - c->sent_ns) / 1e6);
			ask(c);
		}
	}
	figure("rate_per_s", (double)latency.n / (double)(end - warm) * 1e9);
	figure_samples("latency", "ms", &latency);
	return 0;
}

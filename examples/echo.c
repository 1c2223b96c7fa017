/*
 * echo: a server with one thread per connection, and its client with as many.
 *
 * Watch the hand-offs: 64 connections send 600 messages each and check that every byte comes back.
 * Under the library a few processors pass from whoever waits in recv() to whoever has data.
 */
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNECTIONS = 64, MESSAGES = 600, LONGEST = 4096 };

struct client {
	pthread_t thread;
	long bytes, wrong;
	double worst_s;
};

static struct sockaddr_in address = { .sin_family = AF_INET };

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void check(int ok, const char *what)
{
	if (!ok)
		perror(what), _exit(1);
}

static void *serve_one(void *arg)
{
	int fd = (int)(long)arg;
	char buf[LONGEST];

	for (ssize_t n; (n = recv(fd, buf, sizeof(buf), 0)) > 0;)
		check(send(fd, buf, n, 0) == n, "echo: server: send");
	return close(fd), NULL;
}

static void *serve(void *listener)
{
	pthread_t thread;

	for (long fd; (fd = accept(*(int *)listener, NULL, NULL)) >= 0; pthread_detach(thread))
		check(!pthread_create(&thread, NULL, serve_one, (void *)fd), "echo: thread");
	return NULL;
}

static void *talk(void *arg)
{
	struct client *c = arg;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char out[LONGEST], in[LONGEST];

	check(!connect(fd, (struct sockaddr *)&address, sizeof(address)), "echo: connect");
	for (int i = 0; i < MESSAGES; i++) {
		ssize_t n = 1 + i * 131 % LONGEST;
		double begin = now_s();

		memset(out, fd + i, n);
		check(send(fd, out, n, 0) == n, "echo: send");
		check(recv(fd, in, n, MSG_WAITALL) == n, "echo: recv");
		c->wrong += memcmp(in, out, n) != 0, c->bytes += n;
		c->worst_s = now_s() - begin > c->worst_s ? now_s() - begin : c->worst_s;
	}
	return close(fd), NULL;
}

int main(void)
{
	struct client client[CONNECTIONS] = { 0 }, sum = { 0 };
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	socklen_t size = sizeof(address);
	double begin = now_s();
	pthread_t server;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	check(!bind(listener, (struct sockaddr *)&address, size), "echo: bind");
	check(!listen(listener, CONNECTIONS), "echo: listen");
	getsockname(listener, (struct sockaddr *)&address, &size);
	check(!pthread_create(&server, NULL, serve, &listener), "echo: thread");
	for (struct client *c = client; c < client + CONNECTIONS; c++)
		check(!pthread_create(&c->thread, NULL, talk, c), "echo: thread");
	for (struct client *c = client; c < client + CONNECTIONS; c++) {
		pthread_join(c->thread, NULL);
		sum.bytes += c->bytes, sum.wrong += c->wrong;
		sum.worst_s = c->worst_s > sum.worst_s ? c->worst_s : sum.worst_s;
	}
	printf("result: %ld bytes came back, %ld messages wrong\n", sum.bytes, sum.wrong);
	printf("per_second=%.0f worst_ms=%.1f\n", CONNECTIONS * MESSAGES / (now_s() - begin),
	       sum.worst_s * 1e3);
}

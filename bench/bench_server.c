/* A thread-per-connection server: 16 bytes in, 100 us of work, 16 bytes out.  Prints its port. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench/bench.h"

enum { MESSAGE = 16, STEPS = 80000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uint64_t served; /* under mutex */

static uint64_t churn(uint64_t x, int steps)
{
	while (steps--)
		x = x * 6364136223846793005u + 1442695040888963407u;
	return x;
}

static void *serve(void *arg)
{
	int fd = (int)(intptr_t)arg;
	uint64_t message[MESSAGE / sizeof(uint64_t)];

	while (recv(fd, message, MESSAGE, MSG_WAITALL) == MESSAGE) {
		message[1] = churn(message[0], STEPS);
		pthread_mutex_lock(&mutex);
		served++;
		pthread_mutex_unlock(&mutex);
		if (send(fd, message, MESSAGE, MSG_NOSIGNAL) != MESSAGE)
			break;
	}
	close(fd);
	return NULL;
}

int main(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int one = 1, fd, s = socket(AF_INET, SOCK_STREAM, 0);

	question("How fast and how late does a server of a thread a connection answer?");
	must_be(bind(s, (void *)&at, len) == 0 && listen(s, 1024) == 0, "listen");
	must_be(getsockname(s, (void *)&at, &len) == 0, "getsockname");
	printf("port %d\n", ntohs(at.sin_port));
	fflush(stdout);
	while ((fd = accept(s, NULL, NULL)) >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		pthread_detach(start(serve, (void *)(intptr_t)fd));
	}
	return 0;
}

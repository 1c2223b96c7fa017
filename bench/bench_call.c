/* The price of a bracket, alone and round calls that cost little themselves. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bench/bench.h"
#include "runtime/gmprt.h"

enum { BATCH = 2000 };

static int null, event;
static FILE *zeros, *hole;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

static void bracket(void)
{
	gmp_entersyscall();
	gmp_exitsyscall();
}

/* As dear to call, and empty: what is left of the bracket without it is the bracket's own. */
static void two_calls(void)
{
	gmp_lock_os_thread();
	gmp_unlock_os_thread();
}

static void read_null(void)
{
	char c;

	must_be(read(null, &c, 1) == 0, "read");
}

static ssize_t (*libc_read)(int fd, void *buf, size_t n);

static void libc_read_null(void)
{
	char c;

	must_be(libc_read(null, &c, 1) == 0, "libc's read");
}

static void write_read_eventfd(void)
{
	uint64_t n = 1;

	must_be(write(event, &n, sizeof(n)) == sizeof(n), "write");
	must_be(read(event, &n, sizeof(n)) == sizeof(n), "read");
}

static void lock_unlock(void)
{
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
}

/* A batch fits the buffer many times over: nearly none of these calls the kernel. */
static void get_char(void)
{
	must_be(getc(zeros) == 0, "getc");
}

static void put_char(void)
{
	must_be(fputc('x', hole) == 'x', "fputc");
}

static FILE *buffered(const char *path, const char *mode)
{
	FILE *f = fopen(path, mode);

	must_be(f && setvbuf(f, NULL, _IOFBF, 1 << 16) == 0, path);
	return f;
}

/* ns a call. */
static double batch(void (*call)(void))
{
	uint64_t began = now_ns();

	for (int i = 0; i < BATCH; i++)
		call();
	return (double)(now_ns() - began) / BATCH;
}

/* The median batch. */
static void measure(const char *name, void (*call)(void))
{
	struct samples s = { 0 };

	for (uint64_t end = now_ns() + (uint64_t)effort(2e9); now_ns() < end;)
		sample(&s, batch(call));
	figure_samples(name, "ns", &s);
}

/* How much more the one takes than the other: batches by turns, the median difference. */
static void measure_more(const char *name, void (*call)(void), void (*than)(void))
{
	struct samples s = { 0 };

	for (uint64_t end = now_ns() + (uint64_t)effort(2e9); now_ns() < end;)
		sample(&s, batch(call) - batch(than));
	figure_samples(name, "ns", &s);
}

static void *wait_for_ever(void *arg)
{
	for (;;)
		pause();
	return NULL;
}

int main(void)
{
	question(
		"What does the bracket cost, alone and round cheap calls, beside a thread asleep?");
	null = open("/dev/null", O_RDONLY);
	event = eventfd(0, 0);
	zeros = buffered("/dev/zero", "r");
	hole = buffered("/dev/null", "w");
	libc_read = dlsym(dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD), "read");
	must_be(libc_read != NULL, "dlsym");
	start(wait_for_ever, NULL);
	sleep_ns(20000000);
	if (gmp_present()) {
		measure("bracket", bracket);
		measure("two_calls", two_calls);
	}
	measure("null", read_null);
	measure_more("null_over_libc", read_null, libc_read_null);
	measure("eventfd_pair", write_read_eventfd);
	measure("mutex", lock_unlock);
	measure("getc", get_char);
	measure("fputc", put_char);
	_exit(0);
}

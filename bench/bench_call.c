/* The price of a bracket, alone and round calls that cost little themselves. */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
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

/* Each call, and the same of libc's own functions, which nothing comes before. */
static struct {
	ssize_t (*read)(int fd, void *buf, size_t n);
	ssize_t (*write)(int fd, const void *buf, size_t n);
	int (*lock)(pthread_mutex_t *m), (*unlock)(pthread_mutex_t *m);
	int (*getc)(FILE *f), (*fputc)(int c, FILE *f);
} libc;

static void read_null(void)
{
	char c;

	must_be(read(null, &c, 1) == 0, "read");
}

static void libc_read_null(void)
{
	char c;

	must_be(libc.read(null, &c, 1) == 0, "libc's read");
}

static void eventfd_pair(void)
{
	uint64_t n = 1;

	must_be(write(event, &n, sizeof(n)) == sizeof(n), "write");
	must_be(read(event, &n, sizeof(n)) == sizeof(n), "read");
}

static void libc_eventfd_pair(void)
{
	uint64_t n = 1;

	must_be(libc.write(event, &n, sizeof(n)) == sizeof(n), "libc's write");
	must_be(libc.read(event, &n, sizeof(n)) == sizeof(n), "libc's read");
}

static void lock_unlock(void)
{
	pthread_mutex_lock(&mutex);
	pthread_mutex_unlock(&mutex);
}

static void libc_lock_unlock(void)
{
	libc.lock(&mutex);
	libc.unlock(&mutex);
}

/* A batch fits the buffer many times over: nearly none of these calls the kernel. */
static void get_char(void)
{
	must_be(getc(zeros) == 0, "getc");
}

static void libc_get_char(void)
{
	must_be(libc.getc(zeros) == 0, "libc's getc");
}

static void put_char(void)
{
	must_be(fputc('x', hole) == 'x', "fputc");
}

static void libc_put_char(void)
{
	must_be(libc.fputc('x', hole) == 'x', "libc's fputc");
}

static void find_libc(void)
{
	void *handle = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);
	const struct {
		const char *name;
		void *to;
	} all[] = { { "read", &libc.read },
		    { "write", &libc.write },
		    { "pthread_mutex_lock", &libc.lock },
		    { "pthread_mutex_unlock", &libc.unlock },
		    { "getc", &libc.getc },
		    { "fputc", &libc.fputc } };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		void *fn = dlsym(handle, all[i].name);

		must_be(fn != NULL, all[i].name);
		memcpy(all[i].to, &fn, sizeof(fn));
	}
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

/*
 * The median batch, and how much more it takes than libc's own, as the median difference: two
 * processes differ by more than is asked for here.
 */
static void compare(const char *name, void (*call)(void), void (*libcs)(void))
{
	struct samples s = { 0 }, more = { 0 };
	char text[64];

	for (uint64_t end = now_ns() + (uint64_t)effort(3e9); now_ns() < end;) {
		sample(&s, batch(call));
		sample(&more, s.v[s.n - 1] - batch(libcs));
	}
	snprintf(text, sizeof(text), "%s_over_libc", name);
	figure_samples(name, "ns", &s);
	figure_samples(text, "ns", &more);
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
	find_libc();
	start(wait_for_ever, NULL);
	sleep_ns(20000000);
	if (gmp_present()) {
		measure("bracket", bracket);
		measure("two_calls", two_calls);
	}
	compare("null", read_null, libc_read_null);
	compare("eventfd_pair", eventfd_pair, libc_eventfd_pair);
	compare("mutex", lock_unlock, libc_lock_unlock);
	compare("getc", get_char, libc_get_char);
	compare("fputc", put_char, libc_put_char);
	_exit(0);
}

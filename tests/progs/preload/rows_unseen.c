/* Rows beyond the table: blocks that no interceptor sees.  System calls by inline assembly, what
 * libc does for itself (stdio, its locks), and a page fault that a
 * user-mode pager answers late.  The library has to notice that the thread stands still.
 */
#include "tests/progs/preload/rows.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/progs/preload/rows_extra.h"
#include "tests/support/unseen.h"
#include "tests/support/wait.h"

static long call_asm_read(struct st *s)
{
	return unseen(SYS_read, s->fd[0], (long)s->buf, 1, 0);
}
ROW(asm_read, UNSEEN, .setup = setup_pipe, .call = call_asm_read, .release = release_write);

static void release_asm_futex(struct st *s)
{
	s->word = 1;
	unseen(SYS_futex, (long)&s->word, FUTEX_WAKE, 1, 0);
}
static long call_asm_futex(struct st *s)
{
	return unseen(SYS_futex, (long)&s->word, FUTEX_WAIT, 0, 0);
}
ROW(asm_futex, UNSEEN, .call = call_asm_futex, .release = release_asm_futex);

/* --- stdio --- */

static void setup_reader(struct st *s)
{
	setup_pipe(s);
	s->file = fdopen(s->fd[0], "r");
	must(s->file != NULL, "fdopen");
}
static void release_line(struct st *s)
{
	must(write(s->fd[1], "42 line\n", 8) == 8, "write");
	close(s->fd[1]);
}
static long call_fgets(struct st *s)
{
	return fgets(s->buf, 64, s->file) ? (long)strlen(s->buf) : -1;
}
static long call_fgetc(struct st *s)
{
	return fgetc(s->file);
}
static long call_fread(struct st *s)
{
	return fread(s->buf, 1, 8, s->file);
}
static long call_getline(struct st *s)
{
	char *line = NULL;
	size_t room = 0;
	return getline(&line, &room, s->file);
}
static long call_fscanf(struct st *s)
{
	int n = 0;
	return fscanf(s->file, "%d", &n) * 1000 + n;
}
ROW(stdio_fgets, UNSEEN, .setup = setup_reader, .call = call_fgets, .release = release_line);
ROW(stdio_fgetc, UNSEEN, .setup = setup_reader, .call = call_fgetc, .release = release_line);
ROW(stdio_fread, UNSEEN, .setup = setup_reader, .call = call_fread, .release = release_line);
ROW(stdio_getline, UNSEEN, .setup = setup_reader, .call = call_getline, .release = release_line);
ROW(stdio_fscanf, UNSEEN, .setup = setup_reader, .call = call_fscanf, .release = release_line);

static void setup_writer(struct st *s)
{
	setup_full_pipe(s);
	s->file = fdopen(s->fd[1], "w");
	must(s->file != NULL, "fdopen");
}
static long call_fprintf(struct st *s)
{
	fprintf(s->file, "hello %d\n", 1);
	return fflush(s->file);
}
ROW(stdio_fflush, UNSEEN, .setup = setup_writer, .call = call_fprintf, .release = release_drain);

static void setup_unseen_fifo(struct st *s)
{
	snprintf(s->path, sizeof(s->path), "/tmp/gmp-unseen-%d", s->pid);
	unlink(s->path);
	must(mkfifo(s->path, 0600) == 0, "mkfifo");
}
static void release_unseen_fifo(struct st *s)
{
	int fd = open(s->path, O_RDWR);

	must(fd >= 0 && write(fd, "line\n", 5) == 5, "the other end of the FIFO");
	unlink(s->path);
}
static long call_fopen(struct st *s)
{
	return fopen(s->path, "r") != NULL;
}
ROW(stdio_fopen, UNSEEN, .setup = setup_unseen_fifo, .call = call_fopen,
    .release = release_unseen_fifo);

void wait_for_go(struct st *s)
{
	char c;

	s->held = 1;
	while (read(s->go[0], &c, 1) < 0 && errno == EINTR)
		;
}
static void setup_stream(struct st *s)
{
	s->file = fopen("/dev/null", "w");
}
static void hold_stream(struct st *s)
{
	flockfile(s->file);
	wait_for_go(s);
	funlockfile(s->file);
}
static long call_flockfile(struct st *s)
{
	flockfile(s->file);
	funlockfile(s->file);
	return 0;
}
static long call_fputs(struct st *s)
{
	return fputs("x", s->file) >= 0;
}
ROW(stdio_flockfile, UNSEEN | LOCAL | OWN_HOLD, .setup = setup_stream, .hold = hold_stream,
    .call = call_flockfile);
ROW(stdio_locked_fputs, UNSEEN | LOCAL | OWN_HOLD, .setup = setup_stream, .hold = hold_stream,
    .call = call_fputs);

/* --- pthread_once: another thread is in the routine and waits --- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct st *once_st;

static void once_routine(void)
{
	wait_for_go(once_st);
}
static void hold_once(struct st *s)
{
	once_st = s;
	pthread_once(&once, once_routine);
}
static long call_once_again(struct st *s)
{
	return pthread_once(&once, once_routine);
}
ROW(once, UNSEEN | LOCAL | OWN_HOLD, .hold = hold_once, .call = call_once_again);

/* --- the loader's lock: another thread is in a constructor and waits --- */

static void hold_loader(struct st *s)
{
	char fd[16], held[32];

	snprintf(fd, sizeof(fd), "%d", s->go[0]);
	snprintf(held, sizeof(held), "%p", (void *)&s->held);
	setenv("SLOWLIB_FD", fd, 1);
	setenv("SLOWLIB_HELD", held, 1);
	must(dlopen(SLOWLIB, RTLD_NOW) != NULL, "dlopen");
}
static long call_dlsym(struct st *s)
{
	return dlsym(RTLD_DEFAULT, "read") != NULL;
}
ROW(loader_lock, UNSEEN | LOCAL | OWN_HOLD, .hold = hold_loader, .call = call_dlsym);

/* --- malloc's lock: another thread prints statistics, which it does with the lock held, to an
 * error output that takes no more --- */

static void *print_stats(void *arg)
{
	struct st *s = arg;

	__atomic_store_n(&s->id, gettid(), __ATOMIC_RELEASE);
	malloc_stats();
	return NULL;
}
static bool printer_writes(void *arg)
{
	struct st *s = arg;
	struct task_syscall sc;
	pid_t tid = __atomic_load_n(&s->id, __ATOMIC_ACQUIRE);

	if (!tid)
		return false;
	task_read_syscall(s->pid, tid, &sc);
	return sc.nr == SYS_write && sc.arg[0] == 2;
}
static void setup_arena(struct st *s)
{
	must(mallopt(M_ARENA_MAX, 1) == 1, "mallopt");
	setup_full_pipe(s);
}
static long call_malloc(struct st *s)
{
	int was = dup(2);
	pthread_t printer;
	void *p;

	/* To sleep for the printer's sake is not what this is about. */
	s->about = 0;
	dup2(s->fd[1], 2); /* before there is anybody to print: it might be done by then */
	must(pthread_create(&printer, NULL, print_stats, s) == 0, "pthread_create");
	must_reach("the statistics to be printed", printer_writes, s);
	s->about = 1;
	/* Too large for the thread's cache, too small for a mapping of its own. */
	p = malloc(100000);
	pthread_join(printer, NULL);
	dup2(was, 2);
	free(p);
	return p != NULL;
}
ROW(malloc_arena, UNSEEN | TWO_HOPS, .setup = setup_arena, .call = call_malloc,
    .release = release_drain);

/* --- a page that is not there: the agent is the pager --- */

static void setup_fault(struct st *s)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	s->fd[0] = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (s->fd[0] < 0 && errno == EPERM) {
		puts("skipped: userfaultfd is not permitted here");
		exit(77);
	}
	must(s->fd[0] >= 0 && ioctl(s->fd[0], UFFDIO_API, &api) == 0, "userfaultfd");
	reg.range.start = (unsigned long)page;
	reg.range.len = 4096;
	must(ioctl(s->fd[0], UFFDIO_REGISTER, &reg) == 0, "UFFDIO_REGISTER");
	memcpy(s->buf, &page, sizeof(page));
}
static volatile char *fault_page(struct st *s)
{
	void *page;

	memcpy(&page, s->buf, sizeof(page));
	return page;
}
static long call_fault(struct st *s)
{
	return *fault_page(s);
}
static void release_fault(struct st *s)
{
	struct uffdio_zeropage z = { .range = { (unsigned long)fault_page(s), 4096 } };

	must(ioctl(s->fd[0], UFFDIO_ZEROPAGE, &z) == 0, "UFFDIO_ZEROPAGE");
}
ROW(page_fault, UNSEEN, .setup = setup_fault, .call = call_fault, .release = release_fault);

const struct row *unseen_row(const char *name)
{
#define UNSEEN_ROW(NAME) \
	extern const struct row row_##NAME; \
	if (!strcmp(name, #NAME)) \
		return &row_##NAME;
	ROWS_UNSEEN
#undef UNSEEN_ROW
	return NULL;
}

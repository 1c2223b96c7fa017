/* Rows: files, disks, directories, terminals, random bytes.  None of these can be made to wait at
 * a test's will (that takes a slow disk or an early boot), so their cases are the result, the
 * error, the call from a handler, and a cancellation that is pending when the call is made.
 */
#include "tests/progs/preload/rows.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

/* int f(int fd): an error on a closed descriptor. */
static long call_fd(struct st *s)
{
	FN(int, int);
	return fn(s->fd[0]);
}
static long fail_fd(struct st *s)
{
	FN(int, int);
	return fn(-1);
}
ROW(fsync, POINT | NOBLOCK, .setup = setup_file, .call = call_fd, .fail = fail_fd);
ROW(fdatasync, POINT | NOBLOCK, .setup = setup_file, .call = call_fd, .fail = fail_fd);
ROW(syncfs, NOBLOCK, .setup = setup_file, .call = call_fd, .fail = fail_fd);

static long call_sync(struct st *s)
{
	FN(void, void);
	fn();
	return 0;
}
ROW(sync, NOBLOCK, .call = call_sync);

static void setup_map(struct st *s)
{
	setup_file(s);
	must(ftruncate(s->fd[0], 8192) == 0, "ftruncate");
}
static long call_msync(struct st *s)
{
	FN(int, void *, size_t, int);
	char *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, s->fd[0], 0);
	must(p != MAP_FAILED, "mmap");
	p[5000] = 1;
	return fn(p, 8192, MS_SYNC);
}
static long fail_msync(struct st *s)
{
	FN(int, void *, size_t, int);
	return fn((void *)1, 4096, MS_SYNC);
}
ROW(msync, POINT | NOBLOCK, .setup = setup_map, .call = call_msync, .fail = fail_msync);

static long call_sync_file_range(struct st *s)
{
	FN(int, int, off64_t, off64_t, unsigned);
	return fn(s->fd[0], 0, 10, SYNC_FILE_RANGE_WRITE);
}
static long fail_sync_file_range(struct st *s)
{
	FN(int, int, off64_t, off64_t, unsigned);
	return fn(s->fd[0], 0, 10, 0xff00);
}
ROW(sync_file_range, POINT | NOBLOCK, .setup = setup_file, .call = call_sync_file_range,
    .fail = fail_sync_file_range);

static long file_size(struct st *s)
{
	struct stat st;
	return fstat(s->fd[0], &st) ? -1 : st.st_size;
}
static long call_fallocate(struct st *s)
{
	FN(int, int, int, off_t, off_t);
	long r = fn(s->fd[0], 0, 0, 5000);
	s->extra = file_size(s);
	return r;
}
static long fail_fallocate(struct st *s)
{
	FN(int, int, int, off_t, off_t);
	return fn(s->fd[0], 0, -1, 5000);
}
ROW(fallocate, POINT | NOBLOCK, .setup = setup_file, .call = call_fallocate,
    .fail = fail_fallocate);

static long call_posix_fallocate(struct st *s)
{
	FN(int, int, off_t, off_t);
	long r = fn(s->fd[0], 0, 5000);
	s->extra = file_size(s);
	return r;
}
static long fail_posix_fallocate(struct st *s)
{
	FN(int, int, off_t, off_t);
	return fn(-1, 0, 5000);
}
ROW(posix_fallocate, POINT | NOBLOCK, .setup = setup_file, .call = call_posix_fallocate,
    .fail = fail_posix_fallocate);

static long call_ftruncate(struct st *s)
{
	FN(int, int, off_t);
	long r = fn(s->fd[0], 3);
	s->extra = file_size(s);
	return r;
}
static long fail_ftruncate(struct st *s)
{
	FN(int, int, off_t);
	return fn(s->fd[0], -3);
}
ROW(ftruncate, NOBLOCK, .setup = setup_file, .call = call_ftruncate, .fail = fail_ftruncate);

static long call_truncate(struct st *s)
{
	FN(int, const char *, off_t);
	char path[64];
	snprintf(path, sizeof(path), "/proc/self/fd/%d", s->fd[0]);
	long r = fn(path, 3);
	s->extra = file_size(s);
	return r;
}
static long fail_truncate(struct st *s)
{
	FN(int, const char *, off_t);
	return fn("/nonexistent", 3);
}
ROW(truncate, NOBLOCK, .setup = setup_file, .call = call_truncate, .fail = fail_truncate);

static long call_readahead(struct st *s)
{
	FN(ssize_t, int, off64_t, size_t);
	return fn(s->fd[0], 0, 4096);
}
static long fail_readahead(struct st *s)
{
	FN(ssize_t, int, off64_t, size_t);
	return fn(-1, 0, 4096);
}
ROW(readahead, NOBLOCK, .setup = setup_file, .call = call_readahead, .fail = fail_readahead);

static long call_fadvise(struct st *s)
{
	FN(int, int, off_t, off_t, int);
	return fn(s->fd[0], 0, 0, POSIX_FADV_WILLNEED);
}
static long fail_fadvise(struct st *s)
{
	FN(int, int, off_t, off_t, int);
	return fn(s->fd[0], 0, 0, 99);
}
ROW(posix_fadvise, NOBLOCK, .setup = setup_file, .call = call_fadvise, .fail = fail_fadvise);

static void setup_two_files(struct st *s)
{
	setup_file(s);
	s->fd[1] = s->fd[0];
	setup_file(s);
}
static long call_copy_file_range(struct st *s)
{
	FN(ssize_t, int, off64_t *, int, off64_t *, size_t, unsigned);
	off64_t in = 2, out = 8;
	long r = fn(s->fd[0], &in, s->fd[1], &out, 5, 0);
	s->extra = in * 100 + out;
	return r;
}
static long fail_copy_file_range(struct st *s)
{
	FN(ssize_t, int, off64_t *, int, off64_t *, size_t, unsigned);
	return fn(s->fd[0], NULL, s->fd[1], NULL, 5, 77);
}
ROW(copy_file_range, POINT | NOBLOCK, .setup = setup_two_files, .call = call_copy_file_range,
    .fail = fail_copy_file_range);

/* --- handles --- */

static long call_name_to_handle_at(struct st *s)
{
	FN(int, int, const char *, struct file_handle *, int *, int);
	struct file_handle *h = (void *)s->buf;
	int mount, r;
	h->handle_bytes = 128;
	r = fn(AT_FDCWD, "/", h, &mount, 0);
	s->extra = r == 0 ? h->handle_type : -1;
	return r;
}
static long fail_name_to_handle_at(struct st *s)
{
	FN(int, int, const char *, struct file_handle *, int *, int);
	struct file_handle *h = (void *)s->buf;
	int mount;
	h->handle_bytes = 128;
	return fn(AT_FDCWD, "/nonexistent", h, &mount, 0);
}
ROW(name_to_handle_at, NOBLOCK, .call = call_name_to_handle_at, .fail = fail_name_to_handle_at);

static void setup_handle(struct st *s)
{
	struct file_handle *h = (void *)s->buf;
	int mount;

	h->handle_bytes = 128;
	/* Where a file system has no handles, call() fails the same way with and without us. */
	if (name_to_handle_at(AT_FDCWD, "/tmp", h, &mount, 0) < 0)
		h->handle_bytes = 0;
	s->fd[0] = open("/tmp", O_RDONLY | O_DIRECTORY);
}
static long call_open_by_handle_at(struct st *s)
{
	FN(int, int, struct file_handle *, int);
	return fn(s->fd[0], (void *)s->buf, O_RDONLY) >= 0 ? 0 : -1;
}
static long fail_open_by_handle_at(struct st *s)
{
	FN(int, int, struct file_handle *, int);
	return fn(-1, (void *)s->buf, O_RDONLY);
}
ROW(open_by_handle_at, POINT | NOBLOCK, .setup = setup_handle, .call = call_open_by_handle_at,
    .fail = fail_open_by_handle_at);

/* --- directories --- */

static void setup_dir(struct st *s)
{
	snprintf(s->path, sizeof(s->path), "/tmp/gmp-dir-%d", s->pid);
	rmdir(s->path);
	must(mkdir(s->path, 0700) == 0, "mkdir");
	s->fd[0] = open(s->path, O_RDONLY | O_DIRECTORY);
	must(s->fd[0] >= 0, "open of the directory");
	s->file = (void *)opendir(s->path);
	rmdir(s->path);
}
static long call_getdents64(struct st *s)
{
	FN(ssize_t, int, void *, size_t);
	int dir = open("/proc/self/task", O_RDONLY | O_DIRECTORY);
	long r = fn(dir, s->buf, sizeof(s->buf));
	close(dir);
	return r > 0;
}
static long fail_getdents64(struct st *s)
{
	FN(ssize_t, int, void *, size_t);
	return fn(-1, s->buf, sizeof(s->buf));
}
ROW(getdents64, NOBLOCK, .setup = setup_dir, .call = call_getdents64, .fail = fail_getdents64);

static long call_opendir(struct st *s)
{
	FN(DIR *, const char *);
	DIR *d = fn("/");
	return d ? closedir(d) : -1;
}
static long fail_opendir(struct st *s)
{
	FN(DIR *, const char *);
	return (long)fn("/nonexistent");
}
/* opendir takes malloc's lock: no call from a handler. */
ROW(opendir, NOBLOCK | NO_HANDLER, .call = call_opendir, .fail = fail_opendir);

/* A removed directory reads as empty or as "." and "..": the same for both runs. */
static long call_readdir(struct st *s)
{
	FN(struct dirent *, DIR *);
	int n = 0;
	while (fn((DIR *)s->file))
		n++;
	return n;
}
/* The stream has the descriptor still, the process has not. */
static void close_under(struct st *s)
{
	must(close(dirfd((DIR *)s->file)) == 0, "close");
}
static long fail_readdir(struct st *s)
{
	close_under(s);
	return call_readdir(s);
}
ROW(readdir, NOBLOCK, .setup = setup_dir, .call = call_readdir, .fail = fail_readdir);

static long call_readdir_r(struct st *s)
{
	FN(int, DIR *, struct dirent *, struct dirent **);
	struct dirent e, *out;
	int n = 0;
	while (fn((DIR *)s->file, &e, &out) == 0 && out)
		n++;
	return n;
}
static long fail_readdir_r(struct st *s)
{
	FN(int, DIR *, struct dirent *, struct dirent **);
	struct dirent e, *out;

	close_under(s);
	return fn((DIR *)s->file, &e, &out);
}
ROW(readdir_r, NOBLOCK, .setup = setup_dir, .call = call_readdir_r, .fail = fail_readdir_r);

/* --- terminals: a pty takes all output at once --- */

static void setup_pty(struct st *s)
{
	must(openpty(&s->fd[1], &s->fd[0], NULL, NULL, NULL) == 0, "openpty");
}
ROW(tcdrain, POINT | NOBLOCK, .setup = setup_pty, .call = call_fd, .fail = fail_fd);

static long call_tc_zero(struct st *s)
{
	FN(int, int, int);
	return fn(s->fd[0], 0);
}
static long fail_tc_zero(struct st *s)
{
	FN(int, int, int);
	return fn(-1, 0);
}
ROW(tcflush, NOBLOCK, .setup = setup_pty, .call = call_tc_zero, .fail = fail_tc_zero);
ROW(tcsendbreak, NOBLOCK, .setup = setup_pty, .call = call_tc_zero, .fail = fail_tc_zero);

static long call_tcflow(struct st *s)
{
	FN(int, int, int);
	return fn(s->fd[0], TCOON);
}
ROW(tcflow, NOBLOCK, .setup = setup_pty, .call = call_tcflow, .fail = fail_tc_zero);

static long call_tcsetattr(struct st *s)
{
	FN(int, int, int, const struct termios *);
	struct termios t;
	must(tcgetattr(s->fd[0], &t) == 0, "tcgetattr");
	cfmakeraw(&t);
	long r = fn(s->fd[0], TCSADRAIN, &t);
	tcgetattr(s->fd[0], &t);
	s->extra = t.c_lflag & (ICANON | ECHO);
	return r;
}
static long fail_tcsetattr(struct st *s)
{
	FN(int, int, int, const struct termios *);
	struct termios t = { 0 };
	return fn(-1, TCSADRAIN, &t);
}
ROW(tcsetattr, NOBLOCK, .setup = setup_pty, .call = call_tcsetattr, .fail = fail_tcsetattr);

/* --- random bytes: the pool is ready long before us --- */

static long call_getrandom(struct st *s)
{
	FN(ssize_t, void *, size_t, unsigned);
	return fn(s->buf, 16, 0);
}
static long fail_getrandom(struct st *s)
{
	FN(ssize_t, void *, size_t, unsigned);
	return fn(s->buf, 16, 0xff00);
}
ROW(getrandom, POINT | NOBLOCK, .call = call_getrandom, .fail = fail_getrandom);

static long call_getentropy(struct st *s)
{
	FN(int, void *, size_t);
	return fn(s->buf, 16);
}
static long fail_getentropy(struct st *s)
{
	FN(int, void *, size_t);
	return fn(s->buf, 257);
}
ROW(getentropy, NOBLOCK, .call = call_getentropy, .fail = fail_getentropy);

static long call_arc4random(struct st *s)
{
	FN(uint32_t, void);
	/* Three equal draws are as good as impossible. */
	return !(fn() == fn() && fn() == fn());
}
ROW(arc4random, NOBLOCK, .call = call_arc4random);

static long call_arc4random_buf(struct st *s)
{
	FN(void, void *, size_t);
	long n = 0;
	fn(s->buf, 64);
	for (int i = 0; i < 64; i++)
		n += s->buf[i] != 0;
	return n > 32;
}
ROW(arc4random_buf, NOBLOCK, .call = call_arc4random_buf);

static long call_arc4random_uniform(struct st *s)
{
	FN(uint32_t, uint32_t);
	return fn(1) * 10 + (fn(5) < 5);
}
ROW(arc4random_uniform, NOBLOCK, .call = call_arc4random_uniform);

/*
 * Files that we share with tools.  By sysmon alone: its descriptors are its own (os_private_fds),
 * so the host never sees one of ours.
 */
#include "runtime/os.h"

#include <asm/errno.h>
#include <asm/mman.h>
#include <asm/stat.h>
#include <asm/unistd.h>
#include <linux/fcntl.h>
#include <linux/mman.h>
#include <linux/prctl.h>
#include <linux/stat.h>

#include "asm/asm.h"
#include "runtime/text.h"

#define RW (PROT_READ | PROT_WRITE)
#define SWEEP_MAX 4	   /* files of the dead that a new page removes */
#define STARTTIME_FIELD 22 /* of /proc/PID/stat */

static long sys(long nr, long a, long b, long c, long d)
{
	return gmp_rawsyscall6(nr, a, b, c, d, 0, 0);
}

static void shut(long fd)
{
	sys(__NR_close, fd, 0, 0, 0);
}

static void *map(void *at, size_t len, int flags, long fd)
{
	long addr = gmp_rawsyscall6(__NR_mmap, (long)at, (long)len, RW,
				    flags | (at ? MAP_FIXED : 0), fd, 0);

	return addr < 0 && addr >= -4095 ? NULL : (void *)addr;
}

bool os_process_alive(i32 pid)
{
	return sys(__NR_kill, pid, 0, 0, 0) != -ESRCH;
}

u32 os_pidns(void)
{
	struct stat st = { 0 };

	sys(__NR_stat, (long)"/proc/self/ns/pid", (long)&st, 0, 0);
	return (u32)st.st_ino;
}

u32 os_geteuid(void)
{
	return (u32)sys(__NR_geteuid, 0, 0, 0, 0);
}

int os_seccomp(void)
{
	return (int)sys(__NR_prctl, PR_GET_SECCOMP, 0, 0, 0);
}

struct dirent64 {
	u64 ino, off;
	u16 len;
	u8 type;
	char name[];
};

/* "PID-NAMESPACE", or what begins so: the pid when it was of our namespace, else 0. */
static i32 pid_in_name(const char *name, u32 ns)
{
	u64 pid = text_number(&name, 10);

	return *name++ == '-' && text_number(&name, 16) == ns && pid <= __INT_MAX__ ? (i32)pid : 0;
}

/* Removes what the dead among n bytes of entries left, up to `most`; how many. */
static u32 sweep_some(long dir, char *buf, long n, u32 ns, u32 most)
{
	u32 removed = 0;

	for (long at = 0; at < n && removed < most;) {
		struct dirent64 *e = (struct dirent64 *)(buf + at);
		i32 pid = pid_in_name(e->name, ns);

		if (pid && !os_process_alive(pid)) {
			sys(__NR_unlinkat, dir, (long)e->name, 0, 0);
			removed++;
		}
		at += e->len;
	}
	return removed;
}

/* The living may be many, so all names are looked at. */
static void sweep(long dir)
{
	char buf[1024] __attribute__((aligned(8)));
	u32 ns = os_pidns(), left = SWEEP_MAX;
	long n;

	while (left && (n = sys(__NR_getdents64, dir, (long)buf, sizeof(buf), 0)) > 0)
		left -= sweep_some(dir, buf, n, ns, left);
}

/* Ours alone: nobody else may have put it, or a link, there before us. */
static bool private_dir(const char *dir)
{
	struct stat st = { 0 };
	bool ours;
	long fd;

	if (sys(__NR_mkdir, (long)dir, 0700, 0, 0) == 0)
		sys(__NR_chmod, (long)dir, 0700, 0, 0); /* whatever the umask */
	fd = sys(__NR_open, (long)dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC, 0, 0);
	if (fd < 0)
		return false;
	if (sys(__NR_fstat, fd, (long)&st, 0, 0) != 0)
		st.st_mode = 077;
	ours = st.st_uid == os_geteuid() && !(st.st_mode & 077);
	if (ours)
		sweep(fd);
	shut(fd);
	return ours;
}

void *os_share(const char *dir, const char *path, size_t len)
{
	void *at = NULL;
	long fd;

	if (!os_fds_are_private() || !private_dir(dir))
		return NULL;
	sys(__NR_unlink, (long)path, 0, 0,
	    0); /* of a process that had our pid, or we before exec */
	fd = sys(__NR_open, (long)path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600,
		 0);
	if (fd < 0)
		return NULL;
	/* Allocated now: a full disk must be an error here, not a SIGBUS later. */
	if (sys(__NR_fchmod, fd, 0600, 0, 0) == 0 && sys(__NR_fallocate, fd, 0, 0, (long)len) == 0)
		at = map(NULL, len, MAP_SHARED, fd);
	shut(fd);
	if (!at)
		os_unlink(path);
	return at;
}

void os_unlink(const char *path)
{
	sys(__NR_unlink, (long)path, 0, 0, 0);
}

void *os_reserve(size_t len)
{
	return map(NULL, len, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
}

void os_blank(void *at, size_t len)
{
	map(at, len, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1);
}

int os_map_file(const char *path, u64 len, bool create, void *at)
{
	int flags = O_RDWR | O_CLOEXEC | O_NONBLOCK | (create ? O_CREAT | O_TRUNC : O_NOFOLLOW);
	struct stat st = { 0 };
	long fd, err;

	if (!os_fds_are_private())
		return -EBADF;
	fd = sys(__NR_open, (long)path, flags, 0600, 0);
	if (fd < 0)
		return (int)fd;
	err = sys(__NR_fstat, fd, (long)&st, 0, 0);
	if (!err && (st.st_mode & S_IFMT) != S_IFREG)
		err = -EINVAL;
	if (!err)
		err = sys(__NR_fallocate, fd, 0, 0, (long)len);
	if (!err && !map(at, len, MAP_SHARED, fd))
		err = -ENOMEM;
	shut(fd);
	return (int)err;
}

int os_append(const char *path)
{
	int flags = O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;

	return os_fds_are_private() ? (int)sys(__NR_open, (long)path, flags, 0600, 0) : -EBADF;
}

void os_punch(void *at, u64 len)
{
	sys(__NR_madvise, (long)at, (long)len, MADV_REMOVE, 0);
}

u64 os_starttime(void)
{
	char buf[512];
	const char *at = buf;
	i64 n = os_fds_are_private() ? os_read_file("/proc/self/stat", 0, buf, sizeof(buf) - 1) : 0;

	buf[n < 0 ? 0 : n] = 0;
	for (char *c = buf; *c; c++) /* the name may hold anything: the last parenthesis counts */
		if (*c == ')')
			at = c;
	for (int field = 2; *at && field < STARTTIME_FIELD; at++)
		field += *at == ' ';
	return text_number(&at, 10);
}

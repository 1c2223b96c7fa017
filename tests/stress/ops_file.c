/*
 * Operations on files and inside libc: locks between open files, fsync, stdio's own lock, the
 * resolver, the allocator.
 *
 * File locks protect plain counters like mutexes do. flock, OFD and fcntl locks belong to different
 * things: flock and OFD locks to the open file, so each taker opens the file anew (through
 * /proc/self/fd, as the file has no name any more).
 */
#include "stress.h"

#include <fcntl.h>
#include <netdb.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>

static int lock_fd[2] = { -1, -1 };
static uint64_t lock_count[2];
static FILE *shared;
static uint64_t shared_count;
static bool resolver_works;

static bool resolve(const char *name, int flags)
{
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found;
	int rc;

	hints.ai_flags = flags;
	rc = getaddrinfo(name, "80", &hints, &found);
	if (rc)
		return false;
	freeaddrinfo(found);
	return true;
}

bool file_init(void)
{
	for (int i = 0; i < 2; i++)
		lock_fd[i] = scratch_file(0);
	shared = fopen("/dev/null", "w");
	resolver_works = resolve("localhost", 0);
	return shared && lock_fd[0] >= 0 && lock_fd[1] >= 0;
}

void file_settle(void)
{
	took(LAW_FLOCK, lock_count[0] + lock_count[1]);
	took(LAW_FILELOCK, shared_count);
	fclose(shared);
}

static void file_lock(int fd, bool ofd, int type)
{
	struct flock fl = { .l_type = type, .l_whence = SEEK_SET };

	if (ofd)
		MUST(WAIT(fcntl(fd, F_OFD_SETLKW, &fl)) == 0);
	else
		MUST(WAIT(flock(fd, type == F_WRLCK ? LOCK_EX : LOCK_UN)) == 0);
}

void op_flock(struct rng *r)
{
	int i = below(r, 2), fd;
	char path[64];
	uint64_t before;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", lock_fd[i]);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return;
	file_lock(fd, i == 1, F_WRLCK);
	before = lock_count[i];
	dawdle(r);
	lock_count[i] = before + 1;
	gave(LAW_FLOCK, 1);
	file_lock(fd, i == 1, F_UNLCK);
	close(fd);
	step();
}

void op_fsync(struct rng *r)
{
	char buf[4096], back[4096];
	int fd = scratch_file(0), how = below(r, 3);
	unsigned n = within(r, 1, 16);

	if (fd < 0)
		return;
	memset(buf, 'a' + below(r, 26), sizeof(buf));
	for (unsigned i = 0; i < n; i++)
		MUST(pwrite(fd, buf, sizeof(buf), i * 4096) == sizeof(buf));
	MUST((how == 0	 ? fsync(fd)
	      : how == 1 ? fdatasync(fd)
			 : sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE)) == 0);
	step();
	for (unsigned i = 0; i < n; i++)
		MUST(pread(fd, back, sizeof(back), i * 4096) == sizeof(back) &&
		     !memcmp(buf, back, sizeof(buf)));
	close(fd);
}

/* The FILE's lock held by a thread that sleeps: the others wait for it inside libc. */
void op_flockfile(struct rng *r)
{
	uint64_t before;

	if (chance(r, 50)) {
		MUST(fprintf(shared, "%d %s\n", 1, "some text") > 0);
		step();
		return;
	}
	flockfile(shared);
	before = shared_count;
	dawdle(r);
	shared_count = before + 1;
	gave(LAW_FILELOCK, 1);
	fputs("more text\n", shared);
	funlockfile(shared);
	step();
}

void op_resolver(struct rng *r)
{
	MUST(resolve("127.0.0.1", AI_NUMERICHOST));
	if (resolver_works && chance(r, 50) && !resolve("localhost", 0))
		bad("resolver: localhost is not found any more, errno %d", errno);
	step();
}

void op_memory(struct rng *r)
{
	unsigned char *block[32];
	size_t size[32];
	int n = within(r, 1, 32);

	for (int i = 0; i < n; i++) {
		size[i] = chance(r, 5) ? within(r, 1, 400000) : within(r, 1, 2000);
		block[i] = malloc(size[i]);
		if (!block[i]) {
			size[i] = 0;
			continue;
		}
		gave(LAW_MEMORY, size[i]);
		block[i][0] = i;
		block[i][size[i] - 1] = i;
	}
	if (chance(r, 30))
		dawdle(r);
	for (int i = 0; i < n; i++) {
		if (size[i] && (block[i][0] != i || block[i][size[i] - 1] != i))
			bad("memory: block %d of %zu bytes was written to", i, size[i]);
		took(LAW_MEMORY, size[i]);
		free(block[i]);
	}
	step();
}

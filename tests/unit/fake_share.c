/* The calls of runtime/os_share.c: files are memory of the test, and may be refused. */
#include "runtime/os.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "asm/asm.h"
#include "tests/unit/fake_threads.h"

void os_futex_wait_shared(au32 *addr, u32 val, i64 ns)
{
	os_futex_wait(addr, val, ns);
}

void os_futex_wake_shared(au32 *addr, u32 n)
{
	os_futex_wake(addr, n);
}

i32 os_getpid(void)
{
	fake.now += fake.getpid_ns[gmp_return_jumps];
	return FAKE_TEST_TID;
}

u32 os_pidns(void)
{
	return fake.no_pidns ? 0 : 0xabc;
}

u32 os_geteuid(void)
{
	return 1000;
}

bool os_fds_are_private(void)
{
	return true;
}

bool os_keeps_fds(void)
{
	return false;
}

int os_seccomp(void)
{
	return fake.sandbox;
}

bool os_process_alive(i32 pid)
{
	return pid == fake.alive;
}

u64 os_starttime(void)
{
	return 4711;
}

void *os_share(const char *dir, const char *path, size_t len)
{
	strncpy(fake.shared, path, sizeof(fake.shared) - 1);
	return fake.share ? fake_page(len) : NULL;
}

void os_unlink(const char *path)
{
	if (!strcmp(path, fake.shared))
		fake.shared[0] = 0;
}

/* The one file there is: what os_map_file() made last. */
int os_map_file(const char *path, u64 len, bool create, void *at)
{
	strncpy(fake.shared, path, sizeof(fake.shared) - 1);
	if (fake.map_error)
		return fake.map_error;
	memset(at, 0, len);
	fake.mapped = at;
	return 0;
}

int os_append(const char *path)
{
	strncpy(fake.shared, path, sizeof(fake.shared) - 1);
	return fake.append_error ? fake.append_error : FAKE_APPEND_FD;
}

void *os_reserve(size_t len)
{
	void *at = mmap(NULL, len, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

/* What is there stays, so that the test can read it. */
void os_blank(void *at, size_t len)
{
	fake.blanked++;
}

void os_punch(void *at, u64 len)
{
}

int os_peek(uintptr_t at, void *buf, size_t len)
{
	if (!at)
		return -EFAULT;
	memcpy(buf, (const void *)at, len);
	return 0;
}

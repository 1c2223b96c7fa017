/*
 * The calls of runtime/os.h, answered from the simulated threads' state.  fake_threads.c runs the
 * threads.  Each call is a switch point before it acts, and those that change the signal mask are
 * one after it too: that is where a real kernel delivers.
 */
#include "runtime/os.h"

#include <asm/errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/home.h"
#include "runtime/preempt.h"
#include "runtime/runq.h"
#include "tests/unit/fake_threads.h"

static struct fake_m *find(i32 tid)
{
	if (tid == FAKE_TEST_TID)
		return &fake_test;
	for (u32 i = 0; i < fake.nm; i++)
		if (fake.m[i].tid == tid)
			return &fake.m[i];
	return NULL;
}

static void fire_timer(struct fake_m *m)
{
	if (m->armed)
		fake_post_signal(m, m->timer.sig, m->timer.mark);
	m->armed = false;
}

/* A call that enters the kernel: its locked instructions make our stores visible. */
static struct fake_m *kernel_entry(const char *what)
{
	if (fake.self)
		model_drain(fake.self);
	fake_switch(what);
	if (fake.self)
		fire_timer(fake.self);
	return fake.self;
}

int os_futex_wait(au32 *addr, u32 val, i64 ns)
{
	struct fake_m *m = kernel_entry("futex_wait");
	u32 handled;

	if (!m)
		fake_fail("the test itself would sleep on a futex");
	/* Raw: between this look and the sleep nothing may happen. */
	if (addr->v != val || (fake.seed && fake_random(fake.spurious_odds) == 0))
		return 0;
	m->futex = addr;
	handled = m->host_signals;
	fake_block(FAKE_FUTEX, ns < 0 ? NEVER_NS : fake.now + (u64)ns);
	m->futex = NULL;
	return m->host_signals == handled ? 0 : -EINTR; /* handlers restart nothing here */
}

void os_futex_wake(au32 *addr, u32 n)
{
	struct fake_m *first;

	kernel_entry("futex_wake");
	fake.wakes++;
	for (; n; n--) {
		u32 start = fake.seed ? (u32)fake_random(fake.nm + 1) : 0;

		first = NULL;
		for (u32 i = 0; i < fake.nm; i++) {
			struct fake_m *m = &fake.m[(start + i) % fake.nm];

			if (m->state == FAKE_FUTEX && m->futex == addr &&
			    (!first || (!fake.seed && m->ready_seq < first->ready_seq)))
				first = m;
		}
		if (!first)
			return;
		fake_make_ready(first);
	}
}

u64 os_nanotime(void)
{
	fake_switch("nanotime");
	return fake.now;
}

void os_set_clock(u64 (*clock)(void))
{
}

static i64 cpu_of(struct fake_m *m)
{
	return (i64)(m->cpu_ns + (m->state == FAKE_COMPUTING ? fake.now - m->cpu_since : 0));
}

i64 os_process_cpu(void)
{
	i64 sum = 0;

	kernel_entry("process_cpu");
	for (u32 i = 0; i < fake.nm; i++)
		sum += cpu_of(&fake.m[i]);
	return sum;
}

i64 os_thread_cpu(i32 tid)
{
	struct fake_m *m;

	kernel_entry("thread_cpu");
	fake.cpu_asked++;
	m = find(tid);
	if (!m || m->state == FAKE_DONE)
		return -22;
	return cpu_of(m);
}

bool os_thread_gone(i32 tid)
{
	struct fake_m *m = find(tid); /* NULL: the test itself */

	return m && m->state == FAKE_DONE;
}

bool os_thread_ended(i32 tid)
{
	return os_thread_gone(tid);
}

int os_membarrier_register(void)
{
	fake.registrations++;
	return fake.no_membarrier ? -38 : 0;
}

int os_membarrier(void)
{
	kernel_entry("membarrier");
	if (fake.membarrier_refused)
		return -1;
	fake.membarriers++;
	for (u32 i = 0; i < fake.nm; i++)
		model_drain(&fake.m[i]);
	fake_switch("membarrier done");
	return 0;
}

i32 os_gettid(void)
{
	return fake.self ? fake.self->tid : FAKE_TEST_TID;
}

void os_yield(void)
{
	kernel_entry("yield");
	if (fake.on_yield)
		fake.on_yield();
	fake_yield();
}

void os_altstack(uintptr_t *lo, uintptr_t *hi)
{
	*lo = fake.self ? fake.self->alt_lo : fake_test.alt_lo;
	*hi = fake.self ? fake.self->alt_hi : fake_test.alt_hi;
}

bool os_cpu_mask(i32 tid, u64 *mask)
{
	struct fake_m *m = find(tid);
	u64 one[CPU_WORDS] = { 0 }, fresh = 0;
	int cpu = fake.pinned_to ? fake.pinned_to(tid) : -1;

	fake.masks_asked++;
	if (cpu >= 0)
		one[cpu / 64] = 1ul << cpu % 64;
	else if (m && m->cpu_mask)
		one[0] = m->cpu_mask;
	else
		for (int i = 0; i < fake.cpus; i++)
			one[i / 64] |= 1ul << i % 64;
	for (u32 i = 0; i < CPU_WORDS; i++) {
		fresh |= one[i] & ~mask[i];
		mask[i] |= one[i];
	}
	return fresh;
}

void fake_file(const char *path, const char *text)
{
	u32 i = 0;

	while (i < fake.nfiles && strcmp(fake.files[i].path, path) != 0)
		i++;
	if (i == FAKE_FILES)
		fake_fail("too many files");
	fake.files[i] = (struct fake_file){ path, text };
	if (i == fake.nfiles)
		fake.nfiles++;
}

i64 os_read_file(const char *path, u64 offset, char *buf, size_t len)
{
	fake.files_read++;
	for (u32 i = 0; i < fake.nfiles; i++) {
		const char *text = fake.files[i].text;

		if (strcmp(fake.files[i].path, path) != 0 || !text)
			continue;
		if (offset > strlen(text))
			return 0;
		if (len > fake.read_most)
			len = fake.read_most;
		if (len > strlen(text) - offset)
			len = strlen(text) - offset;
		memcpy(buf, text + offset, len);
		return (i64)len;
	}
	return -2;
}

u64 os_block_signals(void)
{
	struct fake_m *m = kernel_entry("block_signals");
	u64 old;

	if (!m)
		m = &fake_test;
	old = m->mask;
	m->mask = ~0ul;
	return old;
}

void os_restore_signals(u64 mask)
{
	struct fake_m *m = kernel_entry("restore_signals");

	if (!m)
		m = &fake_test;
	m->mask = mask;
	fake_switch("signals restored");
}

static void meanwhile(void)
{
	if (fake.on_signal)
		fake.on_signal();
}

/* Handlers restart nothing here, but ours. */
bool os_will_cut(u64 mask)
{
	struct fake_m *m = kernel_entry("will_cut");

	if (!m)
		m = &fake_test;
	for (u32 i = 0; i < m->nsigs; i++)
		if (m->sigs[i].mark != &preempt_mark && !(mask >> (m->sigs[i].sig - 1) & 1))
			return true;
	return false;
}

void fake_remove_signal(struct fake_m *m, u32 i)
{
	m->nsigs--;
	memmove(&m->sigs[i], &m->sigs[i + 1], (m->nsigs - i) * sizeof(m->sigs[0]));
}

/* The lowest number that is pending and not blocked, first come first; -1: none. */
int fake_deliverable(const struct fake_m *m)
{
	int best = -1;

	for (u32 i = 0; i < m->nsigs; i++)
		if (!(m->mask >> (m->sigs[i].sig - 1) & 1) &&
		    (best < 0 || m->sigs[i].sig < m->sigs[best].sig))
			best = (int)i;
	return best;
}

bool os_take_signal(int sig, const void *mark)
{
	struct fake_m *m = kernel_entry("take_signal");
	bool taken = false;

	if (!m)
		m = &fake_test;
	for (u32 i = 0; i < m->nsigs && !taken; i++)
		if (m->sigs[i].sig == sig && m->sigs[i].mark == mark) {
			fake_remove_signal(m, i);
			taken = true;
		}
	meanwhile();
	return taken;
}

int os_cpu_timer(i32 tid, int sig, const void *mark)
{
	struct fake_m *m = find(tid);

	kernel_entry("timer_create");
	if (!m || fake.no_timers)
		return -11;
	fake.timers++;
	fake.timers_made++;
	m->timer = (struct fake_sig){ sig, mark };
	return tid;
}

int os_cpu_timer_set_off(int timer)
{
	struct fake_m *m = find(timer);

	kernel_entry("timer_settime");
	if (!m || m->state == FAKE_DONE)
		return -3;
	m->armed = true;
	if (m->state != FAKE_FUTEX && m->state != FAKE_IN_CALL)
		fire_timer(m);
	fake_switch("timer set off");
	return 0;
}

void os_cpu_timer_stop(int timer)
{
	struct fake_m *m = find(timer);

	kernel_entry("timer_settime");
	if (m)
		m->armed = false;
}

void os_cpu_timer_delete(int timer)
{
	struct fake_m *m = find(timer);

	kernel_entry("timer_delete");
	fake.timers--;
	if (m)
		m->armed = false;
}

int os_signal_thread(i32 tid, int sig, const void *mark)
{
	struct fake_m *m;
	int err;

	kernel_entry("signal_thread");
	m = find(tid);
	if (!m || m->state == FAKE_DONE)
		return -3;
	err = fake_post_signal(m, sig, mark);
	if (err == 0)
		fake.signals_sent++;
	fake_switch("signal sent");
	meanwhile();
	return err;
}

void *os_pages(size_t len)
{
	if (fake.pages_left == 0)
		return NULL;
	fake.pages_left--;
	return fake_page(len);
}

int os_wipe_on_fork(void *addr, size_t len)
{
	return fake.no_wipe ? -22 : 0;
}

bool os_private_fds(bool keep_stderr)
{
	fake.private_fds++;
	return !fake.blind;
}

void os_short_slice(void)
{
	fake.slices++;
}

static int probe_answer(struct fake_m *m)
{
	if (!m || m->state == FAKE_DONE)
		return PROBE_GONE;
	if (fake.blind)
		return PROBE_UNKNOWN;
	if (m->state == FAKE_FUTEX)
		return 202;
	return m->state == FAKE_IN_CALL ? m->call : PROBE_RUNNING;
}

int os_probe(i32 tid)
{
	int answer;

	kernel_entry("probe");
	fake.probes++;
	answer = probe_answer(find(tid));
	if (fake.on_probe)
		fake.on_probe();
	fake_switch("probed"); /* the answer is old by the time it is used */
	return answer;
}

int os_blocks(i32 tid, int signo)
{
	struct fake_m *m = find(tid);

	kernel_entry("blocks");
	fake.blocks_asked++;
	return !m || fake.blind ? -1 : (int)(m->mask >> (signo - 1) & 1);
}

bool os_ready(int fd, bool write)
{
	kernel_entry("ready");
	fake.would_block_asked++;
	return !fake.would_block || !fake.would_block(fd, write);
}

bool os_poll_ready(uintptr_t pollfd)
{
	return os_ready(-1, false);
}

bool os_nonblocking(int fd)
{
	kernel_entry("nonblocking");
	return fake.nonblocking;
}

bool os_read_timed(int fd)
{
	kernel_entry("timed");
	return fake.timed;
}

int os_stderr(void)
{
	return 2;
}

void os_write(int fd, const char *buf, size_t len)
{
	if (len > sizeof(fake.out) - 1 - fake.outlen)
		len = sizeof(fake.out) - 1 - fake.outlen;
	memcpy(fake.out + fake.outlen, buf, len);
	fake.outlen += len;
	fake.writes++;
	fake.written_to = fd;
}

const char *fake_output(void)
{
	static char text[sizeof(fake.out)];

	memcpy(text, fake.out, fake.outlen);
	text[fake.outlen] = 0;
	fake.outlen = 0;
	return text;
}

void fake_queue(struct g *g)
{
	if (g->holder || g->back)
		home_put(g);
	else
		globrunq_put(g);
}

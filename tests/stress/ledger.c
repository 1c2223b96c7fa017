/*
 * The ledger: exact accounting of everything the operations move, and the words for failures.
 *
 * Each law has two sums. They are plain atomic adds, so a signal handler may use them, and they are
 * private to the process, so what a forked child does in them is lost with it (a child accounts for
 * itself by its exit status). ledger_check() runs when one thread is left and nothing is buffered.
 */
#include "stress.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static struct {
	_Alignas(64) _Atomic uint64_t gave;
	_Alignas(64) _Atomic uint64_t took;
} book[LAWS];

static const char *const law_text[] = {
#define LAW(id, text) text,
#include "laws.def"
#undef LAW
};

void gave(enum law law, uint64_t n)
{
	atomic_fetch_add(&book[law].gave, n);
}

void took(enum law law, uint64_t n)
{
	atomic_fetch_add(&book[law].took, n);
}

bool ledger_check(void)
{
	bool even = true;

	for (int i = 0; i < LAWS; i++) {
		uint64_t a = book[i].gave, b = book[i].took;

		if (config.verbose)
			note("law: %-42s %12llu", law_text[i], (unsigned long long)a);
		if (a == b)
			continue;
		bad("%s: gave %llu, took %llu, off by %lld", law_text[i], (unsigned long long)a,
		    (unsigned long long)b, (long long)(b - a));
		even = false;
	}
	return even;
}

/* Detached threads end in their own time; what is uneven even then is the check's to name. */
void ledger_wait_even(enum law law, unsigned seconds)
{
	uint64_t end = now_ns() + seconds * 1000000000ull;

	while (book[law].gave != book[law].took && now_ns() < end) {
		struct timespec ts = { 0, 1000000 };

		nanosleep(&ts, NULL);
	}
}

/* One line, one write, no malloc: also called from forked children and in odd states. */
static void say(const char *kind, const char *fmt, va_list ap)
{
	char buf[512];
	int n = snprintf(buf, sizeof(buf), "stress: %sseed %llu: ", kind,
			 (unsigned long long)config.seed);
	int m = vsnprintf(buf + n, sizeof(buf) - n - 1, fmt, ap);

	n += m < (int)sizeof(buf) - n - 1 ? m : (int)sizeof(buf) - n - 2;
	buf[n++] = '\n';
	if (write(2, buf, n) < 0)
		return;
}

void bad(const char *fmt, ...)
{
	int e = errno;
	va_list ap;

	if (atomic_fetch_add(&page->failed, 1) < 20) {
		va_start(ap, fmt);
		say("FAIL: ", fmt, ap);
		va_end(ap);
	}
	errno = e;
}

void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say("", fmt, ap);
	va_end(ap);
}

/* Something moved: for the watchdog. */
void step(void)
{
	int e = errno;

	atomic_fetch_add_explicit(&page->progress, 1, memory_order_relaxed);
	if (self.slot) {
		uint64_t now = now_ns(), since = self.slot->since_ns;

		self.slot->since_ns = now;
		if (since && now > since && now - since > page->longest_ns) {
			page->longest_ns = now - since;
			page->longest_op = self.slot->op;
		}
	}
	errno = e;
}

/* The thread that took the signal may not have come to its handler yet. */
static bool shared_soon(struct mark m)
{
	for (int i = 0; i < 2000 && shared_handlers == m.shared; i++)
		usleep(1000);
	return shared_handlers != m.shared;
}

void eintr_seen(struct mark m, enum eintr kind, const char *what)
{
	atomic_fetch_add(&page->eintrs, 1);
	if (kind == EINTR_SPURIOUS)
		return;
	if (self.handlers == m.any && (kind != EINTR_SHARED || !shared_soon(m)))
		bad("EINTR that the program would not have seen: no handler ran: %s", what);
	else if (kind == EINTR_RESTARTS && self.hard == m.hard)
		bad("EINTR that the program would not have seen: SA_RESTART handlers only: %s",
		    what);
}

int pt_check(int rc, const char *what)
{
	if (rc == EINTR)
		bad("EINTR from a pthread call: %s", what);
	step();
	return rc;
}

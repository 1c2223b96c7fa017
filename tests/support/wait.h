/* Time and waiting for tests.
 *
 * A test never sleeps and hopes.  It names the condition it waits for and a deadline by which a
 * correct system has reached it; wait_until() polls the condition and says whether it came.  The
 * deadline is there to turn a hang into a message: it is generous, and reaching it is a failure,
 * never a way to measure.
 *
 * These helpers are linked into drivers (which run natively) and into victims (which run under
 * the library): here they use ordinary libc calls, so inside a victim they pass through gates.
 */
#ifndef TESTS_SUPPORT_WAIT_H
#define TESTS_SUPPORT_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#define NS_PER_US 1000LL
#define NS_PER_MS 1000000LL
#define NS_PER_S 1000000000LL

/* The deadline of everything that must happen and whose speed is not what is tested. */
#define DEADLINE_NS (10 * NS_PER_S)

int64_t now_ns(void);	     /* CLOCK_MONOTONIC */
int64_t thread_cpu_ns(void); /* CPU time of the calling thread */

/* Polls until cond(arg) holds; false: it did not within ns. */
bool wait_until(bool (*cond)(void *), void *arg, int64_t ns);

/* Polls until *word >= value.  Words shared between threads or processes by the tests. */
bool wait_word(volatile int *word, int value, int64_t ns);

/* As above, but a miss ends the program with a line that names what was waited for. */
void must_reach(const char *what, bool (*cond)(void *), void *arg);
void must_word(const char *what, volatile int *word, int value);

/* "EINTR"; before glibc 2.32 "Interrupted system call". */
const char *error_name(int err);

_Noreturn void die(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif

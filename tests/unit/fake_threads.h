/* Between fake_os.c and fake_threads.c: what a call of the fake kernel does to the threads. */
#ifndef TESTS_UNIT_FAKE_THREADS_H
#define TESTS_UNIT_FAKE_THREADS_H

#include "tests/unit/fake_os.h"

#define FAKE_TEST_TID 1

/* The test's own thread: never switched to, but it has a mask and a stack. */
extern struct fake_m fake_test;

/* Puts the running thread to sleep until it is made ready, or the deadline. */
void fake_block(enum fake_state state, u64 deadline);
void fake_make_ready(struct fake_m *m);
/* Queues a signal to m, or merges it with one; interrupts m's sleep when it may.  0 or -errno. */
int fake_post_signal(struct fake_m *m, int sig, const void *mark);
void fake_remove_signal(struct fake_m *m, u32 i);
/* Zeroed memory that fake_reset() takes back. */
void *fake_page(size_t len);

#endif

/* Victims with several cases: `VICTIM CASE`.  A case prints only what must be the same natively
 * and under the library at any number of Ps; a time is printed as a verdict, not as a number.
 */
#ifndef TESTS_PROGS_PRELOAD_CASES_H
#define TESTS_PROGS_PRELOAD_CASES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct a_case {
	const char *name;
	void (*run)(void);
};

/* Runs the case that argv names; ends the victim with a message when there is none. */
void run_named_case(const struct a_case *cases, int argc, char **argv);

/* A thread that computes, without any call, until *stop. */
struct hog {
	volatile int stop, started;
	volatile uint64_t rounds;
	pthread_t thread;
	volatile pid_t tid;
};
void hog_start(struct hog *h);
void hog_stop(struct hog *h);

pthread_t spawn(void *(*body)(void *), void *arg);
void *join(pthread_t t);
void check(bool ok, const char *what); /* ends the victim when not */
void make_pipe(int fd[2]);
void put(int fd); /* one byte */
void get(int fd); /* one byte, through EINTR */

/* Is tid blocked in a call of its own / parked by the library?  The second is never true natively,
 * so ask under_library() first. */
bool blocked_in_call(pid_t pid, pid_t tid);
bool parked_by_library(pid_t pid, pid_t tid);
bool under_library(void);
void must_block(pid_t *tid);

/* A process that is neither our child nor under the cap; shares memory that mmap made shared. */
void agent_run(void (*body)(void *arg), void *arg);
void *shared(size_t size);

#endif

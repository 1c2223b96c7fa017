/*
 * Everything the runtime asks of the kernel, one function each, so that tests can put a fake in its
 * place.  All of them are async-signal-safe, touch no errno, and return -errno where they can fail.
 */
#ifndef GMP_RUNTIME_OS_H
#define GMP_RUNTIME_OS_H

#include "runtime/atomic.h"

/* Sleeps while *addr == val; ns < 0: no limit.  Returns on wake, signal, time-out or mismatch;
 * without a limit -EINTR means that a handler without SA_RESTART ran. */
int os_futex_wait(au32 *addr, u32 val, i64 ns);
void os_futex_wake(au32 *addr, u32 n);
/* The same on a word that other processes may map. */
void os_futex_wait_shared(au32 *addr, u32 val, i64 ns);
void os_futex_wake_shared(au32 *addr, u32 n);

u64 os_nanotime(void);		       /* CLOCK_MONOTONIC */
void os_set_clock(u64 (*clock)(void)); /* a cheaper clock of the same time (the vDSO's) */
i64 os_thread_cpu(i32 tid);	       /* CPU time of a thread of ours in ns, or -errno */
bool os_thread_gone(i32 tid);	       /* its clock is */
i64 os_process_cpu(void);	       /* of all our threads, those that have ended too */

int os_membarrier_register(void);
int os_membarrier(void); /* not 0: refused, nothing is ordered */

i32 os_getpid(void);
i32 os_gettid(void);
void os_yield(void);
/* The alternate signal stack, [*lo, *hi), empty when there is none. */
void os_altstack(uintptr_t *lo, uintptr_t *hi);
#define CPU_WORDS 128 /* 8192 CPUs, the kernel's largest NR_CPUS */
/* Adds the CPUs in the affinity mask of a thread of ours (0: this one) to mask[CPU_WORDS].  True:
 * some were not in it. */
bool os_cpu_mask(i32 tid, u64 *mask);

u64 os_block_signals(void); /* blocks all; returns the old mask */
void os_restore_signals(u64 mask);
/* This thread's last call that a signal cut short, and that can go on, goes on: its result.
 * -EINTR when a handler has returned since. */
long os_restart(void);
/*
 * A timer on the CPU time of a thread of ours, by which it gets signal sig with its si_value mark:
 * the timer's number, or -errno.  Set off, it fires when that thread next leaves the kernel after a
 * tick on its CPU: so never into a sleep, which a signal would end.
 */
int os_cpu_timer(i32 tid, int sig, const void *mark);
int os_cpu_timer_set_off(int timer); /* 0 or -errno */
void os_cpu_timer_stop(int timer);   /* what it has sent stays pending */
void os_cpu_timer_delete(int timer);
/* Has a signal come meanwhile that mask lets through, and whose handler ends a call with EINTR? */
bool os_will_cut(u64 mask);
/* si_code of our signals: negative, or only the main thread might send it; no program uses it. */
#define SIGNAL_CODE (-0x6d67)
/* Of a siginfo_t, the kernel's or libc's: it has our mark, by whatever way it came. */
#define os_is_marked(info, mark) \
	(((info)->si_code == SIGNAL_CODE || (info)->si_code == SI_TIMER) && \
	 (info)->si_ptr == (void *)(mark))

/* Takes the pending `sig` that carries mark off this thread's queue; false: there is none. */
bool os_take_signal(int sig, const void *mark);
int os_signal_thread(i32 tid, int sig, const void *mark);

void *os_pages(size_t len); /* zeroed; or NULL */
/* A forked child finds it zeroed.  0 or -errno. */
int os_wipe_on_fork(void *addr, size_t len);

/* sysmon: a descriptor table of its own; false: it is the host's still. */
bool os_private_fds(bool keep_stderr);
bool os_own_table(bool keep_stderr); /* a part of it: the table, and nothing in it */
bool os_keeps_fds(void);	     /* the host would notice the end of that table */
/*
 * Up to len bytes of a file from offset on, or -errno.  Takes a descriptor for a moment, so only
 * sysmon does it, and who starts the host's second thread.
 */
i64 os_read_file(const char *path, u64 offset, char *buf, size_t len);
/*
 * sysmon: wakes on time (timer slack 1 ns) and, outside sandboxes, gets a CPU soon (a short slice,
 * Linux 6.12).
 */
void os_short_slice(void);
/*
 * What a thread of ours does in the kernel, from /proc/self/task/TID/syscall:
 * PROBE_RUNNING on a CPU or ready to be, >= 0 a syscall number it sleeps in, PROBE_FAULT asleep
 * outside a syscall (page fault), PROBE_GONE no such thread, PROBE_UNKNOWN cannot tell: no /proc,
 * or one of another pid namespace.
 * Where only .../stat may be read (a host that has dropped its privileges): PROBE_ASLEEP, in what
 * is not known.
 */
enum { PROBE_FAULT = -1, PROBE_RUNNING = -2, PROBE_GONE = -3, PROBE_UNKNOWN = -4 };
enum { PROBE_ASLEEP = 510 }; /* above all syscall numbers that we count one by one */
int os_probe(i32 tid);

/* Has a thread of ours ended?  The main one is a zombie while there are others.  sysmon only. */
bool os_thread_ended(i32 tid);

/* Does a thread of ours block the signal?  1, 0, or < 0 where it cannot be told.  sysmon only. */
int os_blocks(i32 tid, int signo);

bool os_ready(int fd, bool write); /* a read (or write) on fd would not block now, or fail */
bool os_nonblocking(int fd);	   /* nor ever */
bool os_read_timed(int fd);	   /* a socket whose reads have a time limit (SO_RCVTIMEO) */
/* Is the one struct pollfd at this address ready, or wrong?  Its answer may be written to it. */
bool os_poll_ready(uintptr_t pollfd);

/*
 * Copies from an address of the host's, which may be none: 0 or -errno.  By the thread's own id:
 * the process as a whole has no memory once its main thread has ended.
 */
int os_peek(uintptr_t at, void *buf, size_t len);

void os_write(int fd, const char *buf, size_t len);
/*
 * Where we may speak: 2, while it is the file that it was at load.  Else -1, and nothing is said:
 * who closes its standard streams may have a client or its data there.
 */
int os_stderr(void);
void os_note_stderr(void); /* at load */

/* ---- os_share.c: files that tools read too.  Those that open one: sysmon only. ---- */

u32 os_pidns(void); /* inode of the pid namespace */
u32 os_geteuid(void);
int os_seccomp(void); /* the sandbox of this thread: 0 = none */
bool os_process_alive(i32 pid);
u64 os_starttime(void); /* of this process, in clock ticks since boot; 0: not known */
/*
 * A new file in dir, which is made when there is none and must be ours alone: len zero bytes, all
 * allocated, mapped.  NULL when anything is in the way.  Removes a few files of processes that
 * ended without doing so: the number of them stays bounded.
 */
void *os_share(const char *dir, const char *path, size_t len);
/*
 * Maps a regular file over the memory at `at`, len bytes of it allocated.  Made or emptied before
 * if create is true.  0 or -errno.
 */
int os_map_file(const char *path, u64 len, bool create, void *at);
/* A descriptor that each write through adds to the end of the file; it is made when there is none.
 * Never waits.  Or -errno. */
int os_append(const char *path);
void os_unlink(const char *path);
void *os_reserve(size_t len);	     /* address space, zero when read; NULL: none */
void os_blank(void *at, size_t len); /* replaces what is mapped there by such memory */
void os_punch(void *at, u64 len);    /* gives a file's blocks there back */
bool os_fds_are_private(void);

#endif

/* Rows beyond the table.  ROWS_EXTRA: syscall(2) by its blocking numbers, as programs issue them,
 * and functions with a format; in both matrices.  ROWS_UNSEEN: blocks that no row stands for,
 * most of them unseen by any interceptor; in the hand-off matrix.
 */
#ifndef TESTS_PROGS_PRELOAD_ROWS_EXTRA_H
#define TESTS_PROGS_PRELOAD_ROWS_EXTRA_H

#define ROWS_EXTRA \
	EXTRA(syscall_futex_wait_bitset) \
	EXTRA(syscall_futex_waitv) \
	EXTRA(syscall_futex_lock_pi) \
	EXTRA(syscall_read) \
	EXTRA(syscall_write) \
	EXTRA(syscall_recvfrom) \
	EXTRA(syscall_poll) \
	EXTRA(syscall_ppoll) \
	EXTRA(syscall_epoll_wait) \
	EXTRA(syscall_nanosleep) \
	EXTRA(syscall_wait4) \
	EXTRA(syscall_bare) \
	EXTRA(clock_nanosleep_relative) \
	EXTRA(syslog) \
	EXTRA(__syslog_chk)

#define ROWS_UNSEEN \
	UNSEEN_ROW(bypass_handle) \
	UNSEEN_ROW(bypass_deepbind) \
	UNSEEN_ROW(bypass_namespace) \
	UNSEEN_ROW(asm_read) \
	UNSEEN_ROW(asm_futex) \
	UNSEEN_ROW(loader_lock) \
	UNSEEN_ROW(once) \
	UNSEEN_ROW(page_fault) \
	UNSEEN_ROW(malloc_arena) \
	UNSEEN_ROW(openmp_barrier) \
	UNSEEN_ROW(openmp_lock) \
	UNSEEN_ROW(openmp_critical) \
	UNSEEN_ROW(cxx_mutex) \
	UNSEEN_ROW(cxx_timed_mutex) \
	UNSEEN_ROW(cxx_recursive_mutex) \
	UNSEEN_ROW(cxx_shared_mutex) \
	UNSEEN_ROW(cxx_shared_lock) \
	UNSEEN_ROW(cxx_try_lock_for) \
	UNSEEN_ROW(cxx_cond) \
	UNSEEN_ROW(cxx_cond_any) \
	UNSEEN_ROW(cxx_future) \
	UNSEEN_ROW(cxx_async) \
	UNSEEN_ROW(cxx_thread_join) \
	UNSEEN_ROW(cxx_semaphore) \
	UNSEEN_ROW(cxx_latch) \
	UNSEEN_ROW(cxx_barrier) \
	UNSEEN_ROW(cxx_atomic_wait) \
	UNSEEN_ROW(cxx_atomic_flag) \
	UNSEEN_ROW(cxx_guard) \
	UNSEEN_ROW(cxx_call_once) \
	UNSEEN_ROW(cxx_ifstream)

#endif

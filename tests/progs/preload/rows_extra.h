/* Rows beyond the table.  ROWS_EXTRA: syscall(2) by its blocking numbers, as programs issue them,
 * and functions with a format; in both matrices.  ROWS_UNSEEN: blocks that no interceptor sees; in
 * the hand-off matrix.
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
	UNSEEN_ROW(openmp_barrier)

#endif

/* Rows beyond the table: syscall(2) by its blocking numbers, as programs issue them. */
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
	EXTRA(syscall_bare)

#endif

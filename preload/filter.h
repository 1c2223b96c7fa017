/*
 * What a seccomp filter would do with the calls that the library makes by itself.
 */
#ifndef GMP_PRELOAD_FILTER_H
#define GMP_PRELOAD_FILTER_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdbool.h>

/*
 * The kernel's answer to a system call under prog: a SECCOMP_RET_* value.  A program that the
 * kernel would not accept kills.
 */
unsigned filter_run(const struct sock_fprog *prog, const struct seccomp_data *call);

/*
 * False: prog kills, traps or hands to a tracer some call of ours.  What the kernel is going to
 * refuse for its form (NULL, no length) spares us.  prog must be readable, as for the kernel.
 */
bool filter_spares_us(const struct sock_fprog *prog);

#endif

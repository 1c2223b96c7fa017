/*
 * The two unwinder symbols that our cleanups need, forwarded to libgcc_s.  See unwind.c.
 */
#ifndef GMP_PRELOAD_UNWIND_H
#define GMP_PRELOAD_UNWIND_H

/* Optional: resolve now, where dlopen is known to be safe, instead of at the first unwind. */
void gmp_unwind_prepare(void);

#endif

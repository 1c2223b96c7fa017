/*
 * How a call on a stdio stream may block: the classes of calls_stdio.def.
 *
 * They look into the FILE, whose fields the macros of <stdio.h> have put into every program, and
 * into its lock, whose layout is glibc's own.  What they see is a hint, for another thread may be
 * using the stream: a call that was taken to be harmless and blocks is found by sysmon, one that
 * was bracketed for nothing costs 3 ns.
 *
 *   NEVER      The buffer has what is asked for, or room for it, and the lock is free: libc cannot
 *              block.  Also where the program's own code runs inside the call (below).
 *   WILL_WAIT  Another thread has the lock, as for a mutex that is busy.
 *   COMPOSE    The rest; with a probe of the descriptor where libc is going to use it.
 *
 * A bracket's code may lose its P, so none is put round code of the program: the callbacks of
 * fopencookie, and printf's registered conversions.  They gate their own calls.  A stream with
 * callbacks has no descriptor, nor has one in memory, which never blocks; where no single stream
 * is named (fflush(NULL)) it is enough that the program ever made one, and for printf that it ever
 * registered anything.  What else blocks in such a call is found by sysmon.
 */
#ifndef GMP_PRELOAD_STREAM_H
#define GMP_PRELOAD_STREAM_H

#include <stdio.h>

#include "preload/real.h"
#include "runtime/types.h"

/* How many bytes a call is going to move, if that cannot be told. */
#define UNKNOWN ((size_t)-1)

/* f->_flags, from libio's private header; the same since there is a libio. */
#define STREAM_UNBUFFERED 0x0002
#define STREAM_LINE_BUFFERED 0x0200
#define STREAM_HAS_FILE 0x2000

/* Set once and for good, by the calls of stream.c, before they take effect. */
extern au32 stream_callbacks, printf_callbacks;

/* Has another thread the lock?  *f->_lock is { int lock, count; void *owner }. */
ALWAYS_INLINE bool stream_locked(FILE *f)
{
	const struct stream_lock {
		int lock, count;
		void *owner;
	} *l = (const struct stream_lock *)f->_lock;

	/* relaxed, both: a hint.  The owner of a lock of ours is us, whatever others do. */
	return l && __atomic_load_n(&l->lock, __ATOMIC_RELAXED) &&
	       __atomic_load_n(&l->owner, __ATOMIC_RELAXED) != (void *)pthread_self();
}

ALWAYS_INLINE u64 stream_class(FILE *f)
{
	if (!(f->_flags & STREAM_HAS_FILE) || f->_fileno < 0)
		return NEVER;
	return stream_locked(f) ? WILL_WAIT : COMPOSE;
}

ALWAYS_INLINE u64 stream_probe(FILE *f, u64 class, u64 probe)
{
	return class == COMPOSE ? COMPOSE | probe | (u64)(u32)f->_fileno << 32 : class;
}

ALWAYS_INLINE u64 read_class(FILE *f, size_t n)
{
	size_t there = (size_t)(f->_IO_read_end - f->_IO_read_ptr);
	u64 class;

	if (n <= there && n != UNKNOWN && !stream_locked(f))
		return NEVER;
	class = stream_class(f);
	return there ? class : stream_probe(f, class, PROBE_READ);
}

ALWAYS_INLINE u64 write_class(FILE *f, size_t n)
{
	/* A stream that is line buffered, or about to change direction, says that it has none. */
	ptrdiff_t room = f->_IO_write_end - f->_IO_write_ptr;
	u64 class;

	if (room > 0 && n <= (size_t)room && !stream_locked(f))
		return NEVER;
	class = stream_class(f);
	if (n == UNKNOWN && !(f->_flags & (STREAM_UNBUFFERED | STREAM_LINE_BUFFERED)))
		return class;
	return stream_probe(f, class, PROBE_WRITE);
}

/* Writes what is in the buffer; without a stream, of all of them. */
static inline u64 flush_class(FILE *f)
{
	if (!f)
		return load_rlx(&stream_callbacks) ? NEVER : COMPOSE;
	if (f->_IO_write_ptr > f->_IO_write_base)
		return stream_probe(f, stream_class(f), PROBE_WRITE);
	return stream_class(f);
}

static inline u64 print_class(FILE *f)
{
	return load_rlx(&printf_callbacks) ? NEVER : write_class(f, UNKNOWN);
}

static inline u64 wprint_class(FILE *f)
{
	return load_rlx(&printf_callbacks) ? NEVER : stream_class(f);
}

static inline u64 dprint_class(int fd)
{
	return load_rlx(&printf_callbacks) ? NEVER : COMPOSE | PROBE_WRITE | (u64)(u32)fd << 32;
}

#endif

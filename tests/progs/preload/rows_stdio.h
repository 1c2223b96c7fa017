/* What the rows of stdio share.
 *
 * A reader waits on an empty pipe, a writer on a full one, with a stream of its own: st->file.
 * A call that names no stream finds it in stdin, stdout or stderr, for the time of the call.
 * What a call leaves in the stream is part of its outcome: is the lock free (another thread asks),
 * are the error and end flags set.
 */
#ifndef TESTS_PROGS_PRELOAD_ROWS_STDIO_H
#define TESTS_PROGS_PRELOAD_ROWS_STDIO_H

#include <stdarg.h>
#include <stddef.h>
#include <wchar.h>

#include "tests/progs/preload/rows.h"

void setup_reader(struct st *s);    /* file reads fd[0], an empty pipe */
void setup_stdin(struct st *s);	    /* and is stdin */
void setup_writer(struct st *s);    /* file writes fd[1], a full pipe, without a buffer */
void setup_pending(struct st *s);   /* file has a line in its buffer, and fd[1] is full */
void setup_plain(struct st *s);	    /* file is a regular one, "0123456789" */
void setup_text_fifo(struct st *s); /* path */
void release_text(struct st *s);    /* what every reader is content with */
void release_stream(struct st *s);  /* the lock */
void release_text_fifo(struct st *s);
void hold_stream(struct st *s);	     /* the lock */
void after_stream(struct st *s);     /* lock and flags of file, into extra */
void let_exit(struct st *s);	     /* what is left in buffers holds up nobody's exit */
void wrong_way(struct st *s);	     /* file is of the other direction */
void full_disk(struct st *s);	     /* file has a line in its buffer, and no room for it */
long got(struct st *s, long result); /* what was read, into extra */

/* TYPES: result and parameters of the function, CALL: its call, as fn. */
#define STDIO_ROW(NAME, FLAGS, TYPES, CALL, ...) \
	static long call_##NAME(struct st *s) \
	{ \
		FN TYPES; \
		return got(s, (long)(CALL)); \
	} \
	ROW(NAME, FLAGS, .call = call_##NAME, .after = after_stream, __VA_ARGS__)

/* And the same call fails once SPOIL has been at the stream. */
#define STDIO_FAIL_ROW(NAME, FLAGS, TYPES, CALL, SPOIL, ...) \
	static long call_##NAME(struct st *s); \
	static long fail_##NAME(struct st *s) \
	{ \
		SPOIL(s); \
		return call_##NAME(s); \
	} \
	STDIO_ROW(NAME, FLAGS, TYPES, CALL, .fail = fail_##NAME, __VA_ARGS__)

/* The same for a function that takes a va_list: CALL has it as ap, made of GIVEN. */
#define STDIO_VA_ROW(NAME, FLAGS, TYPES, GIVEN, CALL, SPOIL, ...) \
	static long va_##NAME(struct st *s, ...) \
	{ \
		FN TYPES; \
		va_list ap; \
		long r; \
\
		va_start(ap, s); \
		r = (CALL); \
		va_end(ap); \
		return r; \
	} \
	STDIO_FAIL_ROW(NAME, FLAGS, TYPES, ((void)fn, va_##NAME GIVEN), SPOIL, __VA_ARGS__)

#endif

/* Rows: writing to a stream. */
#include "tests/progs/preload/rows_stdio.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#define OUT_FLAGS(FLAGS, NAME, TYPES, CALL) \
	STDIO_FAIL_ROW(NAME, FLAGS, TYPES, CALL, wrong_way, .setup = setup_writer, \
		       .release = release_drain)
#define OUT(...) OUT_FLAGS(POINT, __VA_ARGS__)
#define OUT_VA_FLAGS(FLAGS, NAME, TYPES, CALL) \
	STDIO_VA_ROW(NAME, FLAGS, TYPES, (s, 7, 2.5, "text"), CALL, wrong_way, \
		     .setup = setup_writer, .release = release_drain)
#define OUT_VA(...) OUT_VA_FLAGS(POINT, __VA_ARGS__)

/* stdout and stderr are put back even when the call is cancelled: the victim has words to say. */
static FILE *out_saved, *err_saved;

static void restore_out(struct st *s)
{
	stdout = out_saved;
	stderr = err_saved;
}
static void take_out(struct st *s)
{
	out_saved = stdout;
	err_saved = stderr;
	stdout = stderr = s->file;
}
/* errno is the call's: nothing here touches it. */
static long put_back(struct st *s, long r)
{
	restore_out(s);
	return r;
}
#define OUT_STD(NAME, TYPES, CALL) \
	STDIO_FAIL_ROW(NAME, POINT, TYPES, (take_out(s), put_back(s, (CALL))), wrong_way, \
		       .setup = setup_writer, .release = release_drain, .undo = restore_out)
#define OUT_STD_VA(NAME, TYPES, CALL) \
	STDIO_VA_ROW(NAME, POINT, TYPES, (s, 7, 2.5, "text"), (take_out(s), put_back(s, (CALL))), \
		     wrong_way, .setup = setup_writer, .release = release_drain, \
		     .undo = restore_out)

OUT(fwrite, (size_t, const void *, size_t, size_t, FILE *), fn("abcdef", 2, 3, s->file));
OUT(fwrite_unlocked, (size_t, const void *, size_t, size_t, FILE *), fn("abcdef", 2, 3, s->file));
OUT(fputs, (int, const char *, FILE *), fn("line\n", s->file));
OUT(fputs_unlocked, (int, const char *, FILE *), fn("line\n", s->file));
OUT_STD(puts, (int, const char *), fn("line"));
OUT(fputc, (int, int, FILE *), fn('x', s->file));
OUT(fputc_unlocked, (int, int, FILE *), fn('x', s->file));
OUT_STD(putchar, (int, int), fn('x'));
OUT_STD(putchar_unlocked, (int, int), fn('x'));
OUT(putw, (int, int, FILE *), fn(77, s->file));
OUT(__overflow, (int, FILE *, int), fn(s->file, 'x'));
OUT_STD(perror, (void, const char *), ((errno = EINTR), fn("what"), 0));
OUT_STD(psignal, (void, int, const char *), (fn(SIGINT, "what"), 0));

/* This one has no stream: it writes to descriptor 2. */
static void restore_fd(struct st *s)
{
	dup2(s->fd[2], STDERR_FILENO);
}
static long tell_of_signal(struct st *s, int fd)
{
	FN(void, const siginfo_t *, const char *);
	s->fd[2] = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
	fn(&(siginfo_t){ .si_signo = SIGINT }, "what");
	restore_fd(s);
	return 0;
}
static long call_psiginfo(struct st *s)
{
	return tell_of_signal(s, s->fd[1]);
}
/* The pipe's other end cannot be written. */
static long fail_psiginfo(struct st *s)
{
	return tell_of_signal(s, s->fd[0]);
}
ROW(psiginfo, 0, .setup = setup_full_pipe, .call = call_psiginfo, .release = release_drain,
    .fail = fail_psiginfo, .undo = restore_fd);

OUT(fputwc, (wint_t, wchar_t, FILE *), fn(L'x', s->file));
OUT(fputwc_unlocked, (wint_t, wchar_t, FILE *), fn(L'x', s->file));
OUT_STD(putwchar, (wint_t, wchar_t), fn(L'x'));
OUT_STD(putwchar_unlocked, (wint_t, wchar_t), fn(L'x'));
OUT(fputws, (int, const wchar_t *, FILE *), fn(L"line\n", s->file));
OUT(fputws_unlocked, (int, const wchar_t *, FILE *), fn(L"line\n", s->file));
OUT(__woverflow, (wint_t, FILE *, wint_t), (fwide(s->file, 1), fn(s->file, L'x')));

/* --- printf: whole numbers, floating point and pointers each come by another way --- */

#define FORMAT "%d %g %s\n"
#define GIVEN 7, 2.5, "text"

#define PRINTF(F, STD, NAME, VSTD, V, CHAR) \
	OUT_STD(STD, (int, const CHAR *, ...), fn(F, GIVEN)); \
	OUT(NAME, (int, FILE *, const CHAR *, ...), fn(s->file, F, GIVEN)); \
	OUT_STD_VA(VSTD, (int, const CHAR *, va_list), fn(F, ap)); \
	OUT_VA(V, (int, FILE *, const CHAR *, va_list), fn(s->file, F, ap))
#define PRINTF_CHK(F, STD, NAME, VSTD, V, CHAR) \
	OUT_STD(STD, (int, int, const CHAR *, ...), fn(1, F, GIVEN)); \
	OUT(NAME, (int, FILE *, int, const CHAR *, ...), fn(s->file, 1, F, GIVEN)); \
	OUT_STD_VA(VSTD, (int, int, const CHAR *, va_list), fn(1, F, ap)); \
	OUT_VA(V, (int, FILE *, int, const CHAR *, va_list), fn(s->file, 1, F, ap))

PRINTF(FORMAT, printf, fprintf, vprintf, vfprintf, char);
PRINTF_CHK(FORMAT, __printf_chk, __fprintf_chk, __vprintf_chk, __vfprintf_chk, char);
PRINTF(L"%d %g\n", wprintf, fwprintf, vwprintf, vfwprintf, wchar_t);
PRINTF_CHK(L"%d %g\n", __wprintf_chk, __fwprintf_chk, __vwprintf_chk, __vfwprintf_chk, wchar_t);

/* The descriptor of file: what goes the wrong way there does so here.  glibc's stream for the call
 * is on the stack, and a cancellation makes glibc abort over it. */
#define FD fileno_unlocked(s->file)
#define FD_FLAGS (POINT | NO_CANCEL)

OUT_FLAGS(FD_FLAGS, dprintf, (int, int, const char *, ...), fn(FD, FORMAT, GIVEN));
OUT_VA_FLAGS(FD_FLAGS, vdprintf, (int, int, const char *, va_list), fn(FD, FORMAT, ap));
OUT_FLAGS(FD_FLAGS, __dprintf_chk, (int, int, int, const char *, ...), fn(FD, 1, FORMAT, GIVEN));
OUT_VA_FLAGS(FD_FLAGS, __vdprintf_chk, (int, int, int, const char *, va_list),
	     fn(FD, 1, FORMAT, ap));

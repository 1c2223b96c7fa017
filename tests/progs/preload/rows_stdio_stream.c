/* Rows: streams that are opened, flushed, closed, moved and locked; and what a program gives stdio
 * to call.
 */
#include "tests/progs/preload/rows_stdio.h"

#include <errno.h>
#include <printf.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* --- what writes out the buffer: fd[1] is full --- */

#define FLUSH(NAME, TYPES, CALL) \
	STDIO_FAIL_ROW(NAME, POINT, TYPES, CALL, full_disk, .setup = setup_pending, \
		       .release = release_drain)

FLUSH(fflush, (int, FILE *), fn(s->file));
FLUSH(fflush_unlocked, (int, FILE *), fn(s->file));
FLUSH(fcloseall, (int, void), fn());
FLUSH(fseek, (int, FILE *, long, int), fn(s->file, 0, SEEK_SET));
FLUSH(fseeko, (int, FILE *, off_t, int), fn(s->file, 0, SEEK_SET));
FLUSH(rewind, (void, FILE *), (fn(s->file), 0));
FLUSH(fsetpos, (int, FILE *, const fpos_t *), fn(s->file, &(const fpos_t){ 0 }));

/* The stream is gone after these: nothing to look at. */
static long call_fclose(struct st *s)
{
	FN(int, FILE *);
	return fn(s->file);
}
/* What was buffered is lost, and that is said. */
static long fail_fclose(struct st *s)
{
	FN(int, FILE *);
	full_disk(s);
	return fn(s->file);
}
ROW(fclose, POINT, .setup = setup_pending, .call = call_fclose, .release = release_drain,
    .fail = fail_fclose, .after = let_exit);

static long call_freopen(struct st *s)
{
	FN(FILE *, const char *, const char *, FILE *);
	return fn("/dev/null", "r", s->file) == s->file;
}
static long fail_freopen(struct st *s)
{
	FN(FILE *, const char *, const char *, FILE *);
	return fn("/nonexistent/x", "r", fopen("/dev/null", "w")) != NULL;
}
ROW(freopen, POINT, .setup = setup_pending, .call = call_freopen, .release = release_drain,
    .fail = fail_freopen, .after = let_exit);

static long call_fopen(struct st *s)
{
	FN(FILE *, const char *, const char *);
	return fn(s->path, "r") != NULL;
}
static long fail_fopen(struct st *s)
{
	FN(FILE *, const char *, const char *);
	return fn("/nonexistent/x", "r") != NULL;
}
ROW(fopen, POINT | NO_READY, .setup = setup_text_fifo, .call = call_fopen,
    .release = release_text_fifo, .fail = fail_fopen);

static long call_tmpfile(struct st *s)
{
	FN(FILE *, void);
	FILE *f = fn();
	return f && fputs("text", f) >= 0 && fflush(f) == 0;
}
static long fail_tmpfile(struct st *s)
{
	FN(FILE *, void);
	struct rlimit none = { 0 };

	must(setrlimit(RLIMIT_NOFILE, &none) == 0, "setrlimit");
	return fn() != NULL;
}
ROW(tmpfile, POINT | NOBLOCK, .call = call_tmpfile, .fail = fail_tmpfile);

/* --- what takes the lock: another thread of the victim has it --- */

#define LOCKED(NAME, TYPES, CALL) \
	STDIO_ROW(NAME, LOCAL, TYPES, CALL, .setup = setup_plain, .hold = hold_stream, \
		  .release = release_stream)

LOCKED(flockfile, (void, FILE *), (fn(s->file), funlockfile(s->file), 0));

static void no_place(struct st *s)
{
	int ends[2];

	must(pipe(ends) == 0, "pipe");
	s->file = fdopen(ends[0], "r");
}
#define TELLS(NAME, TYPES, CALL) \
	STDIO_FAIL_ROW(NAME, LOCAL, TYPES, CALL, no_place, .setup = setup_plain, \
		       .hold = hold_stream, .release = release_stream)

/* The end of a file is no character. */
static void put_end_back(struct st *s)
{
	no_place(s);
	s->flag = 1;
}
#define UNGETS(NAME, TYPES, GIVEN, END) \
	STDIO_FAIL_ROW(NAME, LOCAL, TYPES, fn(s->flag ? (END) : (GIVEN), s->file), put_end_back, \
		       .setup = setup_plain, .hold = hold_stream, .release = release_stream)

UNGETS(ungetc, (int, int, FILE *), 'u', EOF);
UNGETS(ungetwc, (wint_t, wint_t, FILE *), L'u', WEOF);

TELLS(ftell, (long, FILE *), fn(s->file));
TELLS(ftello, (off_t, FILE *), fn(s->file));
TELLS(fgetpos, (int, FILE *, fpos_t *), fn(s->file, (fpos_t *)(void *)s->buf));

/* --- code of the program inside of stdio; its read is the cancellation point --- */

#define POINT_WITHIN POINT

static ssize_t cookie_read(void *cookie, char *buf, size_t n)
{
	struct st *s = cookie;

	return read(s->fd[0], buf, n);
}
/* Waits in the program's own read. */
static long call_fopencookie(struct st *s)
{
	FN(FILE *, void *, const char *, cookie_io_functions_t);
	s->file = fn(s, "r", (cookie_io_functions_t){ .read = cookie_read });
	return fgetc(s->file);
}
static long fail_fopencookie(struct st *s)
{
	FN(FILE *, void *, const char *, cookie_io_functions_t);
	return fn(s, "bad mode", (cookie_io_functions_t){ 0 }) != NULL;
}
ROW(fopencookie, POINT_WITHIN, .setup = setup_pipe, .call = call_fopencookie,
    .release = release_text, .fail = fail_fopencookie);

static struct st *printed;

static int print_conversion(FILE *f, const struct printf_info *info, const void *const *args)
{
	char c = '?';

	if (read(printed->fd[0], &c, 1) != 1)
		return -1;
	return fprintf(f, "<%c>", c);
}
static int conversion_info(const struct printf_info *info, size_t n, int *types)
{
	return 0;
}
static int conversion_size(const struct printf_info *info, size_t n, int *types, int *size)
{
	return 0;
}
static void take_argument(void *memory, va_list *ap)
{
	*(int *)memory = va_arg(*ap, int);
}
/* A conversion of the program's: it waits in its own read. */
static long print_it(struct st *s)
{
	/* Through a variable, with an argument: the compiler does not know %W, which takes none. */
	const char *format = "a %W b";
	FILE *f = fmemopen(s->buf, 64, "w");
	long r;

	printed = s;
	r = fprintf(f, format, 0);
	fflush(f);
	return got(s, r);
}
static long call_register_printf_function(struct st *s)
{
	FN(int, int, printf_function *, printf_arginfo_function *);
	must(fn('W', print_conversion, conversion_info) == 0, "register_printf_function");
	return print_it(s);
}
static long fail_register_printf_function(struct st *s)
{
	FN(int, int, printf_function *, printf_arginfo_function *);
	return fn(-1, NULL, NULL);
}
ROW(register_printf_function, POINT_WITHIN, .setup = setup_pipe,
    .call = call_register_printf_function, .release = release_text,
    .fail = fail_register_printf_function);

static long call_register_printf_specifier(struct st *s)
{
	FN(int, int, printf_function *, printf_arginfo_size_function *);
	must(fn('W', print_conversion, conversion_size) == 0, "register_printf_specifier");
	return print_it(s);
}
static long fail_register_printf_specifier(struct st *s)
{
	FN(int, int, printf_function *, printf_arginfo_size_function *);
	return fn(-1, NULL, NULL);
}
ROW(register_printf_specifier, POINT_WITHIN, .setup = setup_pipe,
    .call = call_register_printf_specifier, .release = release_text,
    .fail = fail_register_printf_specifier);

static long call_register_printf_type(struct st *s)
{
	FN(int, printf_va_arg_function *);
	return fn(take_argument);
}
ROW(register_printf_type, NOBLOCK, .call = call_register_printf_type);

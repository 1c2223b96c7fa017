/* Rows: reading from a stream. */
#include "tests/progs/preload/rows_stdio.h"

#include <stdlib.h>
#include <string.h>

#define IN(NAME, TYPES, CALL) \
	STDIO_FAIL_ROW(NAME, POINT, TYPES, CALL, wrong_way, .setup = setup_reader, \
		       .release = release_text)
#define IN_STD(NAME, TYPES, CALL) \
	STDIO_FAIL_ROW(NAME, POINT, TYPES, CALL, wrong_way, .setup = setup_stdin, \
		       .release = release_text)
#define IN_VA(NAME, TYPES, GIVEN, CALL) \
	STDIO_VA_ROW(NAME, POINT, TYPES, GIVEN, CALL, wrong_way, .setup = setup_reader, \
		     .release = release_text)
#define IN_STD_VA(NAME, TYPES, GIVEN, CALL) \
	STDIO_VA_ROW(NAME, POINT, TYPES, GIVEN, CALL, wrong_way, .setup = setup_stdin, \
		     .release = release_text)

#define ROOM sizeof(s->buf)

IN(fread, (size_t, void *, size_t, size_t, FILE *), fn(s->buf, 2, 3, s->file));
IN(fread_unlocked, (size_t, void *, size_t, size_t, FILE *), fn(s->buf, 2, 3, s->file));
IN(__fread_chk, (size_t, void *, size_t, size_t, size_t, FILE *), fn(s->buf, ROOM, 2, 3, s->file));
IN(__fread_unlocked_chk, (size_t, void *, size_t, size_t, size_t, FILE *),
   fn(s->buf, ROOM, 2, 3, s->file));
IN(fgets, (char *, char *, int, FILE *), fn(s->buf, 60, s->file) == s->buf);
IN(fgets_unlocked, (char *, char *, int, FILE *), fn(s->buf, 60, s->file) == s->buf);
IN(__fgets_chk, (char *, char *, size_t, int, FILE *), fn(s->buf, ROOM, 60, s->file) == s->buf);
IN(__fgets_unlocked_chk, (char *, char *, size_t, int, FILE *),
   fn(s->buf, ROOM, 60, s->file) == s->buf);
IN_STD(gets, (char *, char *), fn(s->buf) == s->buf);
IN_STD(__gets_chk, (char *, char *, size_t), fn(s->buf, ROOM) == s->buf);
IN(fgetc, (int, FILE *), fn(s->file));
IN(fgetc_unlocked, (int, FILE *), fn(s->file));
IN_STD(getchar, (int, void), fn());
IN_STD(getchar_unlocked, (int, void), fn());
IN(getw, (int, FILE *), fn(s->file));
IN(__uflow, (int, FILE *), fn(s->file));
IN(__underflow, (int, FILE *), fn(s->file));

static long line_from(struct st *s, char *line, long n)
{
	if (line)
		snprintf(s->buf, sizeof(s->buf), "%s", line);
	free(line);
	return n;
}
static long lines_read(struct st *s)
{
	FN(ssize_t, char **, size_t *, FILE *);
	char *line = NULL;
	size_t room = 0;
	long n = fn(&line, &room, s->file);
	return line_from(s, line, n);
}
static long words_read(struct st *s)
{
	FN(ssize_t, char **, size_t *, int, FILE *);
	char *line = NULL;
	size_t room = 0;
	long n = fn(&line, &room, ' ', s->file);
	return line_from(s, line, n);
}
IN(getline, (ssize_t, char **, size_t *, FILE *), ((void)fn, lines_read(s)));
IN(getdelim, (ssize_t, char **, size_t *, int, FILE *), ((void)fn, words_read(s)));

#define WIDE ((wchar_t *)(void *)s->buf)
#define WIDE_ROOM (sizeof(s->buf) / sizeof(wchar_t))

IN(fgetwc, (wint_t, FILE *), fn(s->file));
IN(fgetwc_unlocked, (wint_t, FILE *), fn(s->file));
IN_STD(getwchar, (wint_t, void), fn());
IN_STD(getwchar_unlocked, (wint_t, void), fn());
IN(fgetws, (wchar_t *, wchar_t *, int, FILE *), fn(WIDE, 60, s->file) == WIDE);
IN(fgetws_unlocked, (wchar_t *, wchar_t *, int, FILE *), fn(WIDE, 60, s->file) == WIDE);
IN(__fgetws_chk, (wchar_t *, wchar_t *, size_t, int, FILE *),
   fn(WIDE, WIDE_ROOM, 60, s->file) == WIDE);
IN(__fgetws_unlocked_chk, (wchar_t *, wchar_t *, size_t, int, FILE *),
   fn(WIDE, WIDE_ROOM, 60, s->file) == WIDE);
/* These leave the orientation to the macros that call them. */
IN(__wuflow, (wint_t, FILE *), (fwide(s->file, 1), fn(s->file)));
IN(__wunderflow, (wint_t, FILE *), (fwide(s->file, 1), fn(s->file)));

/* --- scanf: the number goes to buf --- */

#define NUMBER ((int *)(void *)s->buf)

#define SCANF(NAME, CHAR, F, STD, V, VSTD) \
	IN_STD(STD, (int, const CHAR *, ...), fn(F, NUMBER)); \
	IN(NAME, (int, FILE *, const CHAR *, ...), fn(s->file, F, NUMBER)); \
	IN_STD_VA(VSTD, (int, const CHAR *, va_list), (s, NUMBER), fn(F, ap)); \
	IN_VA(V, (int, FILE *, const CHAR *, va_list), (s, NUMBER), fn(s->file, F, ap))

SCANF(fscanf, char, "%d", scanf, vfscanf, vscanf);
SCANF(__isoc99_fscanf, char, "%d", __isoc99_scanf, __isoc99_vfscanf, __isoc99_vscanf);
SCANF(__isoc23_fscanf, char, "%d", __isoc23_scanf, __isoc23_vfscanf, __isoc23_vscanf);
SCANF(fwscanf, wchar_t, L"%d", wscanf, vfwscanf, vwscanf);
SCANF(__isoc99_fwscanf, wchar_t, L"%d", __isoc99_wscanf, __isoc99_vfwscanf, __isoc99_vwscanf);
SCANF(__isoc23_fwscanf, wchar_t, L"%d", __isoc23_wscanf, __isoc23_vfwscanf, __isoc23_vwscanf);

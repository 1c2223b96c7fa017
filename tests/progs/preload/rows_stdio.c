/* What the rows of stdio share: see rows_stdio.h. */
#include "tests/progs/preload/rows_stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static FILE *stream_of(int fd, const char *mode)
{
	FILE *f = fdopen(fd, mode);

	must(f != NULL, "fdopen");
	return f;
}

void setup_reader(struct st *s)
{
	setup_pipe(s);
	s->file = stream_of(s->fd[0], "r");
}

void setup_stdin(struct st *s)
{
	setup_reader(s);
	stdin = s->file;
}

void setup_writer(struct st *s)
{
	setup_full_pipe(s);
	s->file = stream_of(s->fd[1], "w");
	setvbuf(s->file, NULL, _IONBF, 0);
}

void setup_pending(struct st *s)
{
	setup_full_pipe(s);
	s->file = stream_of(s->fd[1], "w");
	must(fputs("pending\n", s->file) >= 0, "fputs");
}

void setup_plain(struct st *s)
{
	setup_file(s);
	s->file = stream_of(s->fd[0], "r+");
}

void setup_text_fifo(struct st *s)
{
	snprintf(s->path, sizeof(s->path), "/tmp/gmp-stdio-%d", s->pid);
	unlink(s->path);
	must(mkfifo(s->path, 0600) == 0, "mkfifo");
}

/* Enough for a character, a word, a line, a number. */
void release_text(struct st *s)
{
	must(write(s->fd[1], "77\nmore text\n", 13) == 13, "release: write");
}

void release_text_fifo(struct st *s)
{
	must(open(s->path, O_RDWR) >= 0, "open of the other end");
	unlink(s->path);
}

void hold_stream(struct st *s)
{
	flockfile(s->file);
}

void release_stream(struct st *s)
{
	funlockfile(s->file);
}

void let_exit(struct st *s)
{
	if (fcntl(s->fd[1], F_GETFL) >= 0)
		fcntl(s->fd[1], F_SETFL, fcntl(s->fd[1], F_GETFL) | O_NONBLOCK);
}

/* Runs in another thread than the call's: a lock that was left would be refused. */
void after_stream(struct st *s)
{
	int locked = ftrylockfile(s->file) != 0;

	s->extra = s->extra * 1000 + locked * 100 + (ferror_unlocked(s->file) != 0) * 10 +
		   (feof_unlocked(s->file) != 0);
	if (!locked)
		funlockfile(s->file);
	let_exit(s);
}

void wrong_way(struct st *s)
{
	bool reads = __freadable(s->file), is_stdin = stdin == s->file;

	s->file = stream_of(s->fd[reads], reads ? "w" : "r");
	setvbuf(s->file, NULL, _IONBF, 0);
	if (is_stdin)
		stdin = s->file;
}

void full_disk(struct st *s)
{
	let_exit(s);
	s->file = fopen("/dev/full", "w");
	must(s->file && fputs("pending\n", s->file) >= 0, "fputs");
}

long got(struct st *s, long result)
{
	unsigned sum = 0;

	for (int i = 0; i < 64; i++)
		sum = sum * 31 + (unsigned char)s->buf[i];
	s->extra = sum & 0xffff;
	return result;
}

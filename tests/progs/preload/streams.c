/* Victim: threads that share streams, streams with code of the program inside, and jumps out of
 * them.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/progs/preload/cases.h"
#include "tests/support/wait.h"

#define WRITERS 8
#define LINES 200
#define TEXT "a line is whole or it is not there at all"

static int to[2];
static FILE *out, *in;

static void *writes_lines(void *arg)
{
	for (int i = 0; i < LINES; i++)
		fprintf(out, "%ld %d %s\n", (long)arg, i, TEXT);
	return NULL;
}

/* Every line is whole, and each writer's come in their order. */
static void case_one_pipe(void)
{
	int next[WRITERS] = { 0 }, good = 0, i;
	pthread_t writers[WRITERS];
	char line[128], text[64];
	long writer;

	make_pipe(to);
	in = fdopen(to[0], "r");
	out = fdopen(to[1], "w");
	setvbuf(out, NULL, _IOLBF, 512);
	for (long w = 0; w < WRITERS; w++)
		writers[w] = spawn(writes_lines, (void *)w);
	/* The reader is late for each line: it computes between them, and the pipe fills up. */
	for (int n = 0; n < WRITERS * LINES && fgets(line, sizeof(line), in); n++) {
		for (volatile int work = 0; work < 20000; work++)
			;
		if (sscanf(line, "%ld %d %63[^\n]", &writer, &i, text) == 3 &&
		    !strcmp(text, TEXT) && i == next[writer]++)
			good++;
	}
	for (int w = 0; w < WRITERS; w++)
		join(writers[w]);
	printf("whole and in order: %d\n", good);
}

static sigjmp_buf back;
static volatile pid_t tid;
static volatile int thrown;

static void jumps(int sig)
{
	siglongjmp(back, 1);
}

static void *is_thrown_out(void *arg)
{
	char line[16];

	if (!sigsetjmp(back, 1)) {
		tid = gettid();
		fgets(line, sizeof(line), in);
		return NULL;
	}
	thrown = 1;
	/* It has a P like everybody else, and blocks like everybody else. */
	for (volatile int work = 0; work < 20000000; work++)
		;
	get(to[0]);
	return (void *)1;
}

static void case_jump_out_of_fgets(void)
{
	struct hog h;
	pthread_t t;

	make_pipe(to);
	in = fdopen(to[0], "r");
	signal(SIGUSR1, jumps);
	hog_start(&h);
	t = spawn(is_thrown_out, NULL);
	must_block((pid_t *)&tid);
	pthread_kill(t, SIGUSR1);
	/* Earlier the byte might be the read's that is being left. */
	must_word("the jump", &thrown, 1);
	put(to[1]);
	printf("thrown out: %d\n", join(t) != NULL);
	hog_stop(&h);
	/* The stream is locked for ever, and from glibc 2.41 on exit() waits for it. */
	fflush(stdout);
	_exit(0);
}

static ssize_t reads_pipe(void *cookie, char *buf, size_t n)
{
	tid = gettid();
	return read(to[0], buf, n);
}

static void *reads_cookie(void *arg)
{
	char line[16];
	FILE *f = fopencookie(NULL, "r", (cookie_io_functions_t){ .read = reads_pipe });

	return fgets(line, sizeof(line), f) && !strcmp(line, "x") ? (void *)1 : NULL;
}

/* The callback's own read lets the hog run. */
static void case_cookie(void)
{
	pthread_t t;
	struct hog h;

	make_pipe(to);
	t = spawn(reads_cookie, NULL);
	hog_start(&h);
	must_block((pid_t *)&tid);
	put(to[1]);
	close(to[1]);
	printf("read: %d\n", join(t) != NULL);
	hog_stop(&h);
}

static const struct a_case cases[] = {
	{ "one_pipe", case_one_pipe },
	{ "jump_out_of_fgets", case_jump_out_of_fgets },
	{ "cookie", case_cookie },
	{ NULL, NULL },
};

int main(int argc, char **argv)
{
	run_named_case(cases, argc, argv);
	return 0;
}

/* Rows beyond the table: ways to get at libc's read that lead round the library. */
#include "tests/progs/preload/rows.h"

#include <dlfcn.h>
#include <unistd.h>

static long (*bypass)(int fd, void *buf, size_t n);

static void setup_handle(struct st *s)
{
	void *libc = dlopen("libc.so.6", RTLD_NOW | RTLD_NOLOAD);

	setup_pipe(s);
	must(libc && (bypass = dlsym(libc, "read")), "libc's own read");
}

static void setup_library(struct st *s, void *library)
{
	setup_pipe(s);
	must(library && (bypass = dlsym(library, "bypass_read")), dlerror());
}

static void setup_deepbind(struct st *s)
{
	setup_library(s, dlopen(BYPASSLIB, RTLD_NOW | RTLD_DEEPBIND));
}

static void setup_namespace(struct st *s)
{
	setup_library(s, dlmopen(LM_ID_NEWLM, BYPASSLIB, RTLD_NOW));
}

static long call_bypass(struct st *s)
{
	return bypass(s->fd[0], s->buf, 1);
}

ROW(bypass_handle, UNSEEN, .setup = setup_handle, .call = call_bypass, .release = release_write);
ROW(bypass_deepbind, UNSEEN, .setup = setup_deepbind, .call = call_bypass,
    .release = release_write);
ROW(bypass_namespace, UNSEEN, .setup = setup_namespace, .call = call_bypass,
    .release = release_write);

/* Programs that the library must leave alone: those that bring a runtime of their own, and those
 * that it does not reach.  They give the same output and status as without it, have no thread more
 * than natively, and GMP_VERBOSE=1 says once, on stderr, why.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/diff.h"
#include "tests/support/spawn.h"

#define SETARCH "/usr/bin/setarch"

/* ThreadSanitizer and MemorySanitizer of this age need a tame address space. */
static void run_tame(struct run *r, const char *preload, const char *victim, const char *arg)
{
	static char path[4096];
	static const char *argv[5], *env[] = { "GMP_VERBOSE=1", "GMP_MAXPROCS=1", NULL };

	memset(r, 0, sizeof(*r));
	argv[0] = SETARCH;
	argv[1] = "-R";
	argv[2] = victim_path(victim, path, sizeof(path));
	argv[3] = arg;
	r->argv = argv;
	r->env = env;
	r->preload = preload;
	run_program(r);
}

static void expect_same(const char *victim, const struct run *native, const struct run *under)
{
	char have[64], want[64];

	run_outcome(native, want, sizeof(want));
	run_outcome(under, have, sizeof(have));
	cr_expect_str_eq(have, want, "%s: %s, natively %s; stderr: %s", victim, have, want,
			 under->err);
	cr_expect(same_output(victim, "native", native->out, "library", under->out), "%s", victim);
}

/* why: what is said of the victim; NULL: the loader does not load us there. */
static void runs_untouched(const char *victim, const char *first, const char *why)
{
	char path[4096], preload[8192], line[4200];
	struct run native, under;

	if (access(victim_path(victim, path, sizeof(path)), X_OK) < 0)
		cr_skip_test("%s was not built", victim);
	snprintf(preload, sizeof(preload), "%s%s%s", first ? first : "", first ? ":" : "",
		 libgmp_so());
	snprintf(line, sizeof(line), "gmp: host: %s runs untouched: %s", victim, why ? why : "");
	run_tame(&native, first, victim, NULL);
	cr_assert(run_ok(&native), "%s natively: %s", victim, native.err);
	run_tame(&under, preload, victim, NULL);
	expect_same(victim, &native, &under);
	cr_expect_eq(count_lines_with(under.err, line), why ? 1 : 0, "%s: %s", victim, under.err);
	/* What setarch says of itself may be the only other line. */
	cr_expect_eq(count_lines_with(under.err, "") - count_lines_with(under.err, "setarch"),
		     why ? 1 : 0, "%s: %s", victim, under.err);
	run_free(&native);
	run_free(&under);
}

/* What it is built for still works. */
static void still_finds(const char *victim, const char *first, const char *what)
{
	char path[4096], preload[8192];
	struct run native, under;

	if (access(victim_path(victim, path, sizeof(path)), X_OK) < 0)
		cr_skip_test("%s was not built", victim);
	snprintf(preload, sizeof(preload), "%s%s%s", first ? first : "", first ? ":" : "",
		 libgmp_so());
	run_tame(&native, first, victim, "fault");
	run_tame(&under, preload, victim, "fault");
	expect_same(victim, &native, &under);
	cr_expect(strstr(under.err, what), "%s says nothing of a %s: %s", victim, what, under.err);
	run_free(&native);
	run_free(&under);
}

#define SANITIZER(victim, first, why, what) \
	Test(hosts, victim##_runs_untouched) \
	{ \
		runs_untouched("hosted_" #victim, first, why); \
	} \
	Test(hosts, victim##_still_finds_faults) \
	{ \
		still_finds("hosted_" #victim, first, what); \
	}

#define OWN "it has its own pthread_create and sigaction, as sanitizers do"

/* gcc's AddressSanitizer must be the first library: it would be natively, with any other one. */
SANITIZER(asan_gcc, ASAN_FIRST, "it is built with AddressSanitizer", "heap-buffer-overflow")
SANITIZER(asan_gcc_static, NULL, OWN, "heap-buffer-overflow")
SANITIZER(asan_clang, NULL, "it is built with AddressSanitizer", "heap-buffer-overflow")
SANITIZER(tsan_gcc, NULL, "it is built with ThreadSanitizer", "data race")
SANITIZER(tsan_gcc_static, NULL, OWN, "data race")
SANITIZER(tsan_clang, NULL, "it is built with ThreadSanitizer", "data race")
SANITIZER(msan_clang, NULL, "it is built with MemorySanitizer", "use-of-uninitialized-value")

Test(hosts, a_static_program_is_not_reached)
{
	runs_untouched("hosted_static", NULL, NULL);
}

Test(hosts, goroutines_run_untouched)
{
	runs_untouched("goroutines", NULL, "Go's scheduler is in it");
}

Test(hosts, an_ordinary_program_is_told_how_many_ps_it_gets)
{
	struct run under;

	run_tame(&under, libgmp_so(), "hosted", NULL);
	cr_expect(run_ok(&under), "%s", under.err);
	cr_expect_str_eq(under.out, "tasks: 6\nsum: 4000\n");
	cr_expect_str_eq(under.err,
			 "gmp: host: setarch gets 1 Ps when it makes its second thread\n"
			 "gmp: host: hosted gets 1 Ps when it makes its second thread\n");
	run_free(&under);
}

/* The loader ignores LD_PRELOAD there; and if the program asks for us itself, we do nothing. */
Test(hosts, a_set_user_id_program_runs_untouched)
{
	char dir[] = "/tmp/gmp-hosts-XXXXXX", path[4096], copy[64], cmd[4400];
	const char *const env[] = { "GMP_VERBOSE=1", NULL };
	const char *argv[] = { copy, NULL, NULL };
	struct run r = { .argv = argv, .env = env, .preload = libgmp_so() };

	if (geteuid() != 0)
		cr_skip_test("making a set-user-ID program of somebody else's needs root");
	cr_assert(mkdtemp(dir) && chmod(dir, 0755) == 0);
	snprintf(copy, sizeof(copy), "%s/setuid", dir);
	snprintf(cmd, sizeof(cmd), "cp %s %s && chown 65534 %s && chmod 4755 %s",
		 victim_path("hosted", path, sizeof(path)), copy, copy, copy);
	cr_assert(system(cmd) == 0, "%s", cmd);
	run_program(&r);
	cr_expect_str_eq(r.out, "tasks: 5\nsum: 4000\n");
	cr_expect_str_eq(r.err, "");
	run_free(&r);
	argv[1] = libgmp_so();
	run_program(&r);
	cr_expect_str_eq(r.out, "tasks: 5\nsum: 4000\n");
	cr_expect_str_eq(r.err, "gmp: host: setuid runs untouched: it runs with other rights than "
				"its user's\n");
	run_free(&r);
	unlink(copy);
	rmdir(dir);
}

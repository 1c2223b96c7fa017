/* Coverage: every kind of blocking that we know, one after the other, at one P.  Each must let a
 * second thread run, whose act is what ends it (tests/progs/preload/blocks.c): none is able to
 * stop a program for ever.
 *
 * A kind is gated: the caller was in a bracket, and gave its P up by itself; or caught: sysmon
 * found the thread asleep outside of one; or missed.  Prints a line for each kind and a sum.  Names
 * that are another name of the same function are no kinds of their own.
 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "tests/preload/row_names.h"
#include "tests/support/spawn.h"

#define KINDS_WANTED 140

static const char *const kinds[] = {
#define ROW(type, name, symbol, version, params, args)
#define CALL(type, name, version, class, nr, params, args) #name,
#define VCALL(type, name, symbol, version, at, class, nr, params, args) #name,
#define TRY(type, name, version, attempt, nr, on, params, args) #name,
#define HAND(type, name, version, params, args) #name,
#include "preload/calls.def"
#define EXTRA(name) #name,
	ROWS_EXTRA
#undef EXTRA
#define UNSEEN_ROW(name) #name,
		ROWS_UNSEEN
#undef UNSEEN_ROW
};
#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

enum verdict { GATED, CAUGHT, MISSED, NO_KIND };

static enum verdict judge(const struct run *r)
{
	if (!r->hung && WIFEXITED(r->status) && WEXITSTATUS(r->status) == 77)
		return NO_KIND;
	if (!run_ok(r))
		return MISSED;
	return strstr(r->err, " strays=0 ") ? GATED : CAUGHT;
}

Test(coverage, no_kind_of_blocking_stops_a_program_with_one_p, .timeout = 280)
{
	static const char *const words[] = { "gated", "caught", "missed" };
	static const char *const env[] = { "GMP_STATS=1", NULL };
	int n[4] = { 0 }, all;
	char outcome[64];

	for (unsigned i = 0; i < NR_KINDS; i++) {
		struct run r = { .env = env };
		enum verdict v;

		run_victim(&r, 1, "blocks", kinds[i], NULL);
		n[v = judge(&r)]++;
		if (v != NO_KIND)
			printf("%-32s %s\n", kinds[i], words[v]);
		if (v == MISSED)
			fprintf(stderr, "%s: %s: %s%s\n", kinds[i],
				run_outcome(&r, outcome, sizeof(outcome)), r.out, r.err);
		run_free(&r);
	}
	all = n[GATED] + n[CAUGHT] + n[MISSED];
	printf("%d kinds: %d gated, %d caught by sysmon, %d missed\n", all, n[GATED], n[CAUGHT],
	       n[MISSED]);
	cr_expect(all >= KINDS_WANTED, "%d kinds, want %d", all, KINDS_WANTED);
	cr_expect(n[MISSED] == 0, "%d kinds were missed", n[MISSED]);
}

/*
 * runtime/opts.c: every option of opts.def, from its own row: the ends of its range, what is
 * outside of it, every word; and rubbish, which costs one warning a variable and nothing else.
 */
#include "runtime/opts.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/fake_os.h"

struct row {
	const char *name;
	bool number;
	u32 def, min, max;
	u32 *value;
};

static const struct row rows[] = {
#define OPT(name, def, min, max, unit, help) { #name, true, def, min, max, &opts.name },
#define CHOICE(name, def, help, ...) { #name, false, 0, 0, 0, &opts.name },
#define TEXT(name, help)
#include "runtime/opts.def"
#undef OPT
#undef CHOICE
#undef TEXT
};

enum {
#define OPT(name, def, min, max, unit, help)
#define CHOICE(name, def, help, ...)
#define TEXT(name, help) TEXT_##name,
#include "runtime/opts.def"
#undef OPT
#undef CHOICE
#undef TEXT
	TEXTS,
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static void setup(void)
{
	fake_reset(0);
	opts.on_bug = ON_BUG_DISSOLVE;
}

TestSuite(opts, .init = setup);

static void parse(const char *fmt, ...)
{
	static char text[4096];
	char *envp[] = { text, NULL };
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	opts_parse(envp);
}

static const char *upper(const char *name)
{
	static char buf[64];
	size_t i = 0;

	for (; name[i]; i++)
		buf[i] = name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 32) : name[i];
	buf[i] = 0;
	return buf;
}

static u32 lines(const char *text)
{
	u32 n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

static void takes(const struct row *r, u64 n)
{
	*r->value = ~0u;
	parse("GMP_%s=%lu", upper(r->name), n);
	cr_assert_eq(*r->value, n, "%s=%lu", r->name, n);
	cr_assert_str_eq(fake_output(), "");
}

static void refuses(const struct row *r, const char *text)
{
	const char *said;
	char head[128];

	*r->value = r->def;
	parse("GMP_%s=%s", upper(r->name), text);
	said = fake_output();
	snprintf(head, sizeof(head), "gmp: opts: GMP_%s='%s' is not ", upper(r->name), text);
	cr_assert_eq(*r->value, r->def, "%s=%s keeps its default", r->name, text);
	cr_assert_eq(lines(said), 1, "%s=%s said '%s'", r->name, text, said);
	cr_assert(strstr(said, head) == said, "%s=%s said '%s'", r->name, text, said);
	cr_assert(strstr(said, "; using "), "%s=%s said '%s'", r->name, text, said);
}

Test(opts, every_number_takes_its_range_and_no_more)
{
	for (size_t i = 0; i < ROWS; i++) {
		char beyond[32];

		if (!rows[i].number)
			continue;
		takes(&rows[i], rows[i].min);
		takes(&rows[i], rows[i].max);
		takes(&rows[i], (rows[i].min + rows[i].max) / 2);
		snprintf(beyond, sizeof(beyond), "%u", rows[i].max + 1);
		refuses(&rows[i], beyond);
		if (rows[i].min) {
			snprintf(beyond, sizeof(beyond), "%u", rows[i].min - 1);
			refuses(&rows[i], beyond);
		}
	}
}

Test(opts, no_number_takes_what_is_none)
{
	static const char *const bad[] = { "",
					   "banana",
					   "-3",
					   "-1",
					   "1e9",
					   "1.5",
					   " 1",
					   "1 ",
					   "0x1",
					   "+1",
					   "1k",
					   "\xc3\xa9",
					   "99999999999999999999",
					   "4294967297",
					   "18446744073709551617" };

	for (size_t i = 0; i < ROWS; i++)
		for (size_t j = 0; rows[i].number && j < sizeof(bad) / sizeof(bad[0]); j++) {
			char shown[64];

			if (bad[j][0] != '\xc3') {
				refuses(&rows[i], bad[j]);
				continue;
			}
			*rows[i].value = rows[i].def;
			parse("GMP_%s=%s", upper(rows[i].name), bad[j]);
			snprintf(shown, sizeof(shown),
				 "='?"
				 "?' is not ");
			cr_assert(strstr(fake_output(), shown), "bytes are made printable");
		}
}

Test(opts, the_defaults_are_those_of_the_table)
{
	for (size_t i = 0; i < ROWS; i++)
		cr_assert_eq(*rows[i].value, rows[i].def, "%s", rows[i].name);
	parse("PATH=/bin");
	for (size_t i = 0; i < ROWS; i++)
		cr_assert_eq(*rows[i].value, rows[i].def, "%s", rows[i].name);
}

Test(opts, words_are_taken_in_any_case)
{
	parse("GMP_ON_BUG=abort");
	cr_assert_eq(opts.on_bug, ON_BUG_ABORT);
	parse("GMP_ON_BUG=DISSOLVE");
	cr_assert_eq(opts.on_bug, ON_BUG_DISSOLVE);
	parse("GMP_PREEMPT=Gate");
	cr_assert_eq(opts.preempt, PREEMPT_GATE);
	parse("GMP_PREEMPT=off");
	cr_assert_eq(opts.preempt, PREEMPT_OFF);
	parse("GMP_PREEMPT=signal");
	cr_assert_eq(opts.preempt, PREEMPT_SIGNAL);
	cr_assert_str_eq(fake_output(), "");
}

Test(opts, a_wrong_word_is_told_the_right_ones)
{
	opts.preempt = PREEMPT_GATE;
	parse("GMP_PREEMPT=signals");
	cr_assert_eq(opts.preempt, PREEMPT_GATE);
	cr_assert_str_eq(fake_output(), "gmp: opts: GMP_PREEMPT='signals' is not one of "
					"signal|gate|off; using signal\n");
	parse("GMP_ON_BUG=");
	cr_assert_str_eq(fake_output(),
			 "gmp: opts: GMP_ON_BUG='' is not one of dissolve|abort; using dissolve\n");
}

Test(opts, a_wrong_number_is_told_the_range_and_the_default)
{
	parse("GMP_RETAKE_US=soon");
	cr_assert_str_eq(fake_output(),
			 "gmp: opts: GMP_RETAKE_US='soon' is not a number in 0..1000000 (us); "
			 "using 20\n");
	fake.cpus = 6;
	parse("GMP_MAXPROCS=banana");
	cr_assert_str_eq(fake_output(), "gmp: opts: GMP_MAXPROCS='banana' is not a number in "
					"1..4096 (count); using 6\n");
}

Test(opts, what_only_looks_like_ours_is_left_alone)
{
	static const char *const others[] = {
		"gmp_maxprocs=x", "XGMP_MAXPROCS=x", "GMP_=x", "GMP", "GMP_", "", "=",
		"GMP_MAXPROCS", "GMP_MAXPROC", "GMP_NOSUCH=1",
		/* GNU MP's, of its build and of who builds with it; our tests'. */
		"GMP_CPU_TYPE=core2", "GMP_CHECK_RANDOMIZE=1", "GMP_PATH=x", "GMP_ROOT=x",
		"GMP_HOME=x", "GMP_DIR=x", "GMP_LIB=x", "GMP_LIBS=x", "GMP_LDFLAGS=x",
		"GMP_CFLAGS=x", "GMP_INCLUDE=x", "GMP_INCLUDE_DIR=x", "GMP_INCLUDES=x",
		"GMP_LIBRARY=x", "GMP_LIBRARIES=x", "GMP_LIBRARY_DIR=x", "GMP_PREFIX=x",
		"GMP_VERSION=6", "GMP_SRC=x", "GMP_ABI=64", "GMP_URL=x", "GMP_TEST_QUICK=1",
		"GMP_TEST_LIMIT=1", "GMP_TEST_ENV=1", "GMP_TEST_WHOLE=1", "GMP_TEST_STAGE=x"
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		parse("%s", others[i]);
	cr_assert_str_eq(fake_output(), "");
	cr_assert_eq(opts.maxprocs, 0);
	opts_parse(NULL);
}

static void doubts(const char *name, const char *meant)
{
	char want[128];

	snprintf(want, sizeof(want), "gmp: opts: GMP_%s is not an option, GMP_%s is; ignoring it\n",
		 name, meant);
	parse("GMP_%s=1", name);
	cr_assert_str_eq(fake_output(), want);
}

Test(opts, a_name_that_is_nearly_ours_is_one_line)
{
	doubts("MAXPROC", "MAXPROCS");
	doubts("MAXPROCSS", "MAXPROCS");
	doubts("MAX_PROCS", "MAXPROCS");
	doubts("MAXPORCS", "MAXPROCS");
	doubts("MAXTHREAD", "MAXTHREADS");
	doubts("SLICE", "SLICE_US");
	doubts("RETAKE", "RETAKE_US");
	doubts("SCHEDTRACEFILE", "SCHEDTRACE_FILE");
	doubts("SCHED_DETAIL", "SCHEDDETAIL");
	doubts("STAT", "STATS");
	doubts("HELPP", "HELP");
	doubts("ONBUG", "ON_BUG");
	parse("GMP_\xffTATS=1");
	cr_assert(strstr(fake_output(), " GMP_?TATS "), "bytes are made printable");
	cr_assert_eq(opts.maxprocs, 0);
}

Test(opts, no_name_of_ours_is_doubted_and_every_one_with_a_letter_too_many_is)
{
	for (size_t i = 0; i < ROWS; i++) {
		parse("GMP_%sZ=1", upper(rows[i].name));
		cr_assert_eq(lines(fake_output()), 1, "%s", rows[i].name);
	}
}

Test(opts, reads_all_of_the_environment)
{
	char *envp[] = { "A=b", "GMP_MAXPROCS=3", "GMP_STATS=1", "GMP_PREEMPT=off", NULL };

	opts_parse(envp);
	cr_assert_eq(opts.maxprocs, 3);
	cr_assert_eq(opts.stats, 1);
	cr_assert_eq(opts.preempt, PREEMPT_OFF);
}

Test(opts, the_first_of_two_counts)
{
	char *envp[] = { "GMP_MAXPROCS=3", "GMP_MAXPROCS=5", "GMP_MAXPROCS=bad", NULL };

	opts_parse(envp);
	cr_assert_eq(opts.maxprocs, 3);
	cr_assert_str_eq(fake_output(), "");
}

/* Every byte but 0 may be in an environment; the value may be longer than any buffer of ours. */
static void random_text(char *at, size_t len)
{
	static const char likely[] = "0123456789GMP_=abortSIGNAL%s\n";

	for (size_t i = 0; i < len; i++)
		at[i] = fake_random(2) ? likely[fake_random(sizeof(likely) - 1)]
				       : (char)(1 + fake_random(255));
	at[len] = 0;
}

Test(opts, rubbish_costs_one_line_a_variable_at_most)
{
	for (u64 seed = 1; seed <= 20000; seed++) {
		char value[800], entry[900];
		char *envp[] = { entry, NULL };
		const struct row *r;
		const char *said;

		r = &rows[fake_random(ROWS)];
		random_text(value, fake_random(fake_random(10) ? 12 : sizeof(value) - 1));
		snprintf(entry, sizeof(entry), "GMP_%s%s%s", fake_random(10) ? upper(r->name) : "",
			 fake_random(10) ? "=" : "", value);
		opts_parse(envp);
		said = fake_output();
		cr_assert_leq(lines(said), 1, "'%s' said '%s'", entry, said);
		cr_assert_leq(strlen(said), 512);
		for (; *said && *said != '\n'; said++)
			cr_assert(*said >= ' ' && *said <= '~', "'%s'", entry);
		if (r->number)
			cr_assert(*r->value == r->def ||
					  (*r->value >= r->min && *r->value <= r->max),
				  "'%s' gives %u", entry, *r->value);
	}
}

Test(opts, help_has_a_line_for_every_option_with_its_value)
{
	const char *said;
	char want[128];

	fake.cpus = 5;
	opts.retake_us = 77;
	opts_help();
	said = fake_output();
	cr_assert_eq(lines(said), ROWS + TEXTS);
	for (size_t i = 0; i < ROWS; i++) {
		snprintf(want, sizeof(want), "GMP_%s=", upper(rows[i].name));
		cr_assert(strstr(said, want), "%s", want);
	}
	cr_assert(strstr(said, "GMP_RETAKE_US=77 "));
	cr_assert(strstr(said, "GMP_MAXPROCS=5 "), "what would be chosen");
	cr_assert(strstr(said, "GMP_PREEMPT=signal "));
	cr_assert(strstr(said, " us 100..1000000: "));
	cr_assert(strstr(said, " signal|gate|off: "));
}

Test(opts, a_text_is_copied_and_one_that_is_too_long_refused)
{
	char entry[OPT_TEXT_MAX + 16] = "GMP_TRACE=a file";
	char *envp[] = { entry, NULL };

	opts_parse(envp);
	strcpy(entry, "overwritten");
	cr_assert_str_eq(opts.trace, "a file");
	memset(entry, 'x', sizeof(entry) - 1);
	memcpy(entry, "GMP_TRACE=", 10);
	opts_parse(envp);
	cr_assert_str_eq(opts.trace, "a file");
	cr_assert_eq(lines(fake_output()), 1);
}

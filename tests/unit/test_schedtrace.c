/* runtime/schedtrace.c: the lines that people and tools read, to the letter. */
#include "runtime/schedtrace.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <regex.h>
#include <string.h>

#include "runtime/os.h"
#include "runtime/runq.h"
#include "tests/unit/fake_g.h"

static void setup(void)
{
	fake_reset(0);
	g_here(2);
	fake_output();
}

TestSuite(schedtrace, .init = setup);

static const char *trace(u64 ns)
{
	schedtrace(sched.start_ns + ns);
	return fake_output();
}

/* The form of GODEBUG=schedtrace. */
Test(schedtrace, is_gos_line)
{
	store_rlx(&sched.ng, 6);
	store_rlx(&sched.nwait, 4);
	store_rlx(&sched.allp[0]->schedtick, 15);
	store_rlx(&sched.allp[1]->schedtick, 19);
	cr_assert_str_eq(trace(507999999),
			 "SCHED 507ms: gomaxprocs=2 idleprocs=1 threads=7 spinningthreads=0 "
			 "needspinning=0 idlethreads=1 runqueue=0 [ 0 0 ] schedticks=[ 15 19 ]\n");
	cr_assert_eq(fake.writes, 1, "a line is one write");
}

Test(schedtrace, has_gos_form_for_any_number_of_ps)
{
	regex_t re;

	cr_assert_eq(regcomp(&re,
			     "^SCHED [0-9]+ms: gomaxprocs=([0-9]+) idleprocs=[0-9]+ threads=[0-9]+ "
			     "spinningthreads=[0-9]+ needspinning=[01] idlethreads=[0-9]+ "
			     "runqueue=[0-9]+ \\[( [0-9]+)+ \\] schedticks=\\[( [0-9]+)+ \\]\n$",
			     REG_EXTENDED | REG_NOSUB),
		     0);
	for (u32 procs = 1; procs <= 64; procs *= 4) {
		const char *line;

		fake_reset(0);
		g_here(procs);
		line = trace(3600000 * MS);
		cr_assert_eq(regexec(&re, line, 0, NULL, 0), 0, "%s", line);
	}
	regfree(&re);
}

Test(schedtrace, is_a_line_even_where_it_has_no_room)
{
	const char *line;

	fake_reset(0);
	g_here(4000);
	line = trace(1 * MS);
	cr_assert_eq(strchr(line, '\n'), line + strlen(line) - 1);
}

Test(schedtrace, counts_the_queues_apart)
{
	static struct g gs[5];

	gs[1].back = true;
	for (int i = 0; i < 3; i++)
		fake_queue(&gs[i]);
	runq_put(sched.allp[1], &gs[3]);
	runq_put(sched.allp[1], &gs[4]);
	cr_assert(strstr(trace(0), " runqueue=3 [ 0 2 ] schedticks=["));
}

/* The form of GODEBUG=schedtrace,scheddetail=1. */
Test(schedtrace, detail_is_gos_lines_for_ps_ms_and_gs)
{
	struct g *here = getm()->g, *there = g_puppet(), *waits = g_puppet();

	opts.scheddetail = 1;
	store_rlx(&sched.allp[0]->schedtick, 30);
	store_rlx(&here->syscalltick, 3);
	store_rlx(&here->m->held, 2);
	store_rlx(&there->status, G_SYSCALL);
	store_rlx(&there->callno, 202);
	store_rlx(&waits->status, G_RUNNABLE);
	store_rlx(&sched.nwait, 1);
	cr_assert_str_eq(
		trace(507 * MS),
		"SCHED 507ms: gomaxprocs=2 idleprocs=0 threads=4 spinningthreads=0 needspinning=0 "
		"idlethreads=0 runqueue=0 gcwaiting=false nmidlelocked=1 stopwait=0 "
		"sysmonwait=false\n"
		"  P0: status=1 schedtick=30 syscalltick=3 m=0 runqsize=0 gfreecnt=0 timerslen=0\n"
		"  P1: status=1 schedtick=1 syscalltick=0 m=1 runqsize=0 gfreecnt=0 timerslen=0\n"
		"  M2: p=nil curg=3 mallocing=0 throwing=0 "
		"preemptoff= locks=0 dying=0 spinning=false blocked=true lockedg=3\n"
		"  M1: p=1 curg=2 mallocing=0 throwing=0 "
		"preemptoff= locks=0 dying=0 spinning=false blocked=false lockedg=2\n"
		"  M0: p=0 curg=1 mallocing=0 throwing=0 "
		"preemptoff= locks=2 dying=0 spinning=false blocked=false lockedg=1\n"
		"  G3: status=1() m=2 lockedm=2\n"
		"  G2: status=3(syscall 202) m=1 lockedm=1\n"
		"  G1: status=2() m=0 lockedm=0\n");
}

Test(schedtrace, detail_of_a_crowd_is_whole_lines_in_few_writes)
{
	const char *text;
	u32 lines = 0;

	opts.scheddetail = 1;
	for (int i = 0; i < 50; i++)
		g_puppet();
	text = trace(0);
	for (const char *at = text; *at; at = strchr(at, '\n') + 1, lines++)
		cr_assert(!strncmp(at, lines ? "  " : "SCHED ", lines ? 2 : 6), "%s", at);
	cr_assert_eq(lines, 1 + 2 + 51 + 51);
	cr_assert(fake.writes > 1 && fake.writes < 5, "%u writes", fake.writes);
}

Test(schedtrace, a_file_is_opened_when_lines_are_wanted_and_gets_them)
{
	strcpy(opts.schedtrace_file, "/tmp/lines");
	schedtrace_open();
	cr_assert_str_eq(fake.shared, "", "nobody wants a line");
	opts.schedtrace = 1000;
	schedtrace_open();
	cr_assert_str_eq(fake.shared, "/tmp/lines");
	trace(0);
	cr_assert_eq(fake.written_to, FAKE_APPEND_FD);
}

Test(schedtrace, what_cannot_be_opened_is_said_once_and_lines_go_to_stderr)
{
	strcpy(opts.schedtrace_file, "/nowhere/lines");
	opts.schedtrace = 1000;
	fake.append_error = -ENOENT;
	schedtrace_open();
	cr_assert_str_eq(fake_output(),
			 "gmp: schedtrace: /nowhere/lines: no such directory; using stderr\n");
	schedtrace_open();
	cr_assert_str_eq(fake_output(), "");
	trace(0);
	cr_assert_eq(fake.written_to, os_stderr());
}

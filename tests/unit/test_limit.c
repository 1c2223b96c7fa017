/* runtime/limit.c: how many Ps. */
#include "runtime/limit.h"

#include <criterion/criterion.h>

#include "runtime/opts.h"
#include "tests/unit/fake_os.h"

Test(limit, is_the_option_when_there_is_one)
{
	fake_reset(0);
	opts.maxprocs = 3;
	fake.cpus = 64;
	cr_assert_eq(limit_procs(), 3);
}

Test(limit, is_the_cpus_of_the_affinity_mask_otherwise)
{
	fake_reset(0);
	fake.cpus = 7;
	cr_assert_eq(limit_procs(), 7);
	fake.cpus = 1;
	cr_assert_eq(limit_procs(), 1);
}

Test(limit, is_never_above_what_sched_can_hold)
{
	fake_reset(0);
	fake.cpus = 8192;
	cr_assert_eq(limit_procs(), MAXPROCS_MAX);
}

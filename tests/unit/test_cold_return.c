/* runtime/cold_return.c: the return that was measured to be cheaper, and ret when in doubt. */
#include "runtime/cold_return.h"

#include <criterion/criterion.h>

#include "asm/asm.h"
#include "tests/unit/fake_os.h"
#include "tests/unit/fake_threads.h"

static void setup(void)
{
	fake_reset(0);
}

TestSuite(cold_return, .init = setup);

/* With calls that take so long, returns included. */
static int chosen(u64 ret_ns, u64 jump_ns)
{
	fake.getpid_ns[0] = ret_ns;
	fake.getpid_ns[1] = jump_ns;
	cold_return_init();
	return gmp_return_jumps;
}

Test(cold_return, jumps_where_a_ret_is_mispredicted)
{
	cr_assert_eq(chosen(218, 198), 1);
	cr_assert_eq(chosen(1120, 1102), 1);
}

Test(cold_return, returns_where_it_is_not)
{
	cr_assert_eq(chosen(200, 200), 0);
	cr_assert_eq(chosen(200, 218), 0);
}

Test(cold_return, returns_when_the_difference_may_be_chance)
{
	cr_assert_eq(chosen(205, 200), 0);
}

Test(cold_return, a_clock_that_stands_still_decides_nothing)
{
	cr_assert_eq(chosen(0, 0), 0);
}

/* runtime/lock.c: one at a time, nobody is forgotten, no system call when nobody else wants it. */
#include "runtime/lock.h"

#include <criterion/criterion.h>

#include "tests/unit/fake_os.h"

#define THREADS 5
#define ROUNDS 10

static struct mutex lock;
static u32 inside, total;

Test(lock, uncontended_never_enters_the_kernel)
{
	fake_reset(0);
	mutex_lock(&lock);
	cr_assert_eq(lock.key.v, 1);
	mutex_unlock(&lock);
	cr_assert_eq(lock.key.v, 0);
	cr_assert_eq(fake.wakes, 0);
}

static void contend(void *arg)
{
	for (int i = 0; i < ROUNDS; i++) {
		mutex_lock(&lock);
		fake_check(inside == 0, "two threads inside");
		inside++;
		total++;
		fake_switch("inside");
		if (fake_random(4) == 0)
			fake_compute(fake_random(50 * US));
		inside--;
		mutex_unlock(&lock);
		fake_switch("outside");
	}
}

Test(lock, lets_in_one_at_a_time_and_everybody_in_the_end)
{
	for (u64 seed = 1; seed <= 500; seed++) {
		fake_reset(seed);
		lock.key.v = total = 0;
		for (int i = 0; i < THREADS; i++)
			fake_spawn(contend, NULL);
		fake_run();
		cr_assert_eq(total, THREADS * ROUNDS);
		cr_assert_eq(lock.key.v, 0, "seed %lu", seed);
	}
}

static void hold_for_a_while(void *arg)
{
	mutex_lock(&lock);
	fake_sleep(0, *(u64 *)arg);
	mutex_unlock(&lock);
}

static void want(void *arg)
{
	mutex_lock(&lock);
	*(u64 *)arg = fake.now;
	mutex_unlock(&lock);
}

Test(lock, a_sleeper_is_woken_when_the_holder_leaves)
{
	u64 ns = 5 * MS, got = 0;

	fake_reset(0);
	fake_spawn(hold_for_a_while, &ns);
	fake_spawn(want, &got);
	fake_run_for(1 * MS);
	cr_assert_eq(fake.m[1].state, FAKE_FUTEX, "it sleeps, it does not spin on");
	fake_run();
	cr_assert_eq(got, 1000 * MS + ns);
}

Test(lock, who_slept_wakes_the_next)
{
	u64 ns = 5 * MS, got[3] = { 0 };

	fake_reset(0);
	fake_spawn(hold_for_a_while, &ns);
	for (int i = 0; i < 3; i++)
		fake_spawn(want, &got[i]);
	fake_run();
	for (int i = 0; i < 3; i++)
		cr_assert_eq(got[i], 1000 * MS + ns);
	cr_assert_eq(lock.key.v, 0);
}

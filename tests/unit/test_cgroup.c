/* runtime/cgroup.c: the CPU quota, from files of every kind. */
#include "runtime/cgroup.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/fake_os.h"

#define OWN "/proc/thread-self/cgroup"
#define MOUNTS "/proc/thread-self/mountinfo"
#define V2_MOUNT "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1_MOUNT "31 23 0:27 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu,cpuacct\n"
#define HALF (QUOTA_UNIT / 2)

static struct cgroup c;

static void setup(void)
{
	fake_reset(0);
	memset(&c, 0, sizeof(c));
}

TestSuite(cgroup, .init = setup);

static void v2(const char *own, const char *mounts)
{
	fake_file(OWN, own);
	fake_file(MOUNTS, mounts);
}

/* ---- version 2 ---- */

Test(cgroup, reads_a_quota_of_version_2)
{
	v2("0::/app\n", V2_MOUNT);
	fake_file("/sys/fs/cgroup/app/cpu.max", "150000 100000\n");
	cr_assert_eq(cgroup_limit(&c), 1500000);
}

Test(cgroup, takes_the_least_of_all_ancestors)
{
	v2("0::/a/b/c\n", V2_MOUNT);
	fake_file("/sys/fs/cgroup/a/b/c/cpu.max", "max 100000\n");
	fake_file("/sys/fs/cgroup/a/b/cpu.max", "300000 100000\n");
	fake_file("/sys/fs/cgroup/a/cpu.max", "100000 50000\n");
	cr_assert_eq(cgroup_limit(&c), 2 * QUOTA_UNIT);
	fake_file("/sys/fs/cgroup/cpu.max", "50000 100000\n");
	cr_assert_eq(cgroup_limit(&c), HALF, "that of a namespace's root too");
	fake_file("/sys/fs/cgroup/a/b/c/cpu.max", "10000 100000\n");
	cr_assert_eq(cgroup_limit(&c), QUOTA_UNIT / 10);
}

Test(cgroup, sees_a_quota_that_is_rewritten_and_a_process_that_is_moved)
{
	v2("0::/a\n", V2_MOUNT);
	fake_file("/sys/fs/cgroup/a/cpu.max", "50000 100000\n");
	fake_file("/sys/fs/cgroup/b/cpu.max", "200000 100000\n");
	cr_assert_eq(cgroup_limit(&c), HALF);
	fake_file("/sys/fs/cgroup/a/cpu.max", "100000 100000\n");
	cr_assert_eq(cgroup_limit(&c), QUOTA_UNIT);
	fake_file(OWN, "0::/b\n");
	cr_assert_eq(cgroup_limit(&c), 2 * QUOTA_UNIT);
	fake_file(OWN, "0::/\n");
	cr_assert_eq(cgroup_limit(&c), QUOTA_NONE);
}

Test(cgroup, looks_at_the_mounts_only_when_the_process_has_moved)
{
	v2("0::/a\n", V2_MOUNT);
	fake_file("/sys/fs/cgroup/a/cpu.max", "50000 100000\n");
	cgroup_limit(&c);
	fake.files_read = 0;
	cr_assert_eq(cgroup_limit(&c), HALF);
	cr_assert_eq(fake.files_read, 2 + 2, "the group to its end, two levels of quota");
}

/* ---- version 1 ---- */

Test(cgroup, reads_a_quota_of_version_1_and_prefers_it)
{
	v2("9:cpuset:/x\n4:cpuacct,cpu:/app\n0::/app\n", V2_MOUNT V1_MOUNT);
	fake_file("/sys/fs/cgroup/app/cpu.max", "50000 100000\n");
	fake_file("/sys/fs/cgroup/cpu/app/cpu.cfs_quota_us", "250000\n");
	fake_file("/sys/fs/cgroup/cpu/app/cpu.cfs_period_us", "100000\n");
	cr_assert_eq(cgroup_limit(&c), 2500000);
	fake_file("/sys/fs/cgroup/cpu/app/cpu.cfs_quota_us", "-1\n");
	cr_assert_eq(cgroup_limit(&c), QUOTA_NONE);
}

Test(cgroup, does_not_take_cpuset_or_cpuacct_for_cpu)
{
	v2("9:cpuset,cpuacct:/x\n0::/app\n",
	   "31 23 0:27 / /cpuset rw - cgroup cgroup rw,cpuset,cpuacct\n" V2_MOUNT);
	fake_file("/sys/fs/cgroup/app/cpu.max", "50000 100000\n");
	cr_assert_eq(cgroup_limit(&c), HALF);
}

/* ---- mounts ---- */

Test(cgroup, goes_by_the_root_of_a_mount)
{
	v2("0::/docker/abc/in\n", "1 2 0:3 /docker/abc /cg rw - cgroup2 none rw\n");
	fake_file("/cg/in/cpu.max", "50000 100000\n");
	cr_assert_eq(cgroup_limit(&c), HALF);
}

Test(cgroup, passes_over_mounts_that_do_not_show_the_group)
{
	v2("0::/docker/abcd\n", "1 2 0:3 /docker/abc /no rw - cgroup2 none rw\n"
				"1 2 0:3 /.. /up rw - cgroup2 none rw\n"
				"1 2 0:3 /docker/abcd /cg rw - cgroup2 none rw\n");
	fake_file("/no/cpu.max", "10000 100000\n");
	fake_file("/nod/cpu.max", "10000 100000\n");
	fake_file("/up/docker/abcd/cpu.max", "10000 100000\n");
	fake_file("/cg/cpu.max", "50000 100000\n");
	cr_assert_eq(cgroup_limit(&c), HALF);
}

Test(cgroup, knows_odd_characters_in_names)
{
	v2("4:cpu:/a:b c/d\n",
	   "1 2 0:3 / /m\\040n\\134o:p rw master:1 - cgroup my\\040source rw,cpu\n");
	fake_file("/m n\\o:p/a:b c/d/cpu.cfs_quota_us", "50000\n");
	fake_file("/m n\\o:p/a:b c/d/cpu.cfs_period_us", "100000\n");
	cr_assert_eq(cgroup_limit(&c), HALF);
}

Test(cgroup, leaves_a_group_outside_of_its_view_alone)
{
	v2("0::/../other\n", V2_MOUNT);
	fake_file("/sys/fs/cgroup/../other/cpu.max", "50000 100000\n");
	cr_assert_eq(cgroup_limit(&c), QUOTA_NONE);
}

Test(cgroup, does_not_take_a_zero_for_the_end_of_a_name)
{
	v2("0::/a\n", "1 2 0:3 / /cg/..\\000x rw - cgroup2 none rw\n");
	fake_file("/cg/../cpu.max", "50000 100000\n");
	cr_assert_eq(cgroup_limit(&c), QUOTA_NONE);
}

/* ---- what is odd is no limit ---- */

static const char *const odd_quotas[] = {
	"",
	"\n",
	" ",
	"max",
	"max 100000\n",
	"0 100000\n",
	"100000 0\n",
	"-1 100000\n",
	"50000\n",
	"50000 100000",
	"50000 -1\n",
	"50000 1e5\n",
	"50 000 100000\n",
	"99999999999999999999999 100000\n",
	"50000 99999999999999999999999\n",
	"18446744073709551617 18446744073709551616\n",
	"0x10 100000\n",
	"+5 10\n",
	"409600000 100000\n",
	" 50000 100000\n",
	"5000000000000000000000000000000000000000000000000000000000000000000000000 100000\n"
};

Test(cgroup, takes_an_odd_quota_for_none)
{
	v2("0::/a\n", V2_MOUNT);
	for (size_t i = 0; i < sizeof(odd_quotas) / sizeof(*odd_quotas); i++) {
		fake_file("/sys/fs/cgroup/a/cpu.max", odd_quotas[i]);
		cr_assert_eq(cgroup_limit(&c), QUOTA_NONE, "'%s'", odd_quotas[i]);
	}
}

static const char *const odd_groups[] = { "",	     "\n",	"0::",	   "0::\n",
					  "0::/a",   "0:/a\n",	"1::/a\n", "0::a\n",
					  ":::::\n", "0:cpu\n", "4:cpu:\n" };

Test(cgroup, takes_an_odd_group_for_none)
{
	v2("", V2_MOUNT V1_MOUNT);
	fake_file("/sys/fs/cgroup/cpu.max", "50000 100000\n");
	fake_file("/sys/fs/cgroup/a/cpu.max", "50000 100000\n");
	for (size_t i = 0; i < sizeof(odd_groups) / sizeof(*odd_groups); i++) {
		fake_file(OWN, odd_groups[i]);
		cr_assert_eq(cgroup_limit(&c), QUOTA_NONE, "'%s'", odd_groups[i]);
	}
	fake_file(OWN, NULL);
	cr_assert_eq(cgroup_limit(&c), QUOTA_NONE);
}

static const char *const odd_mounts[] = { "",
					  "\n",
					  "- cgroup2\n",
					  "1 2 0:3 / - cgroup2 a b\n",
					  "1 2 0:3 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw",
					  "1 2 0:3 / /sys/fs/cgroup rw cgroup2 cgroup2 rw\n",
					  "1 2 0:3  /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
					  "1 2 0:3 / sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
					  "1 2 0:3 / /sys/fs/cgroup rw - tmpfs cgroup2 rw\n" };

Test(cgroup, takes_an_odd_mount_for_none)
{
	fake_file(OWN, "0::/a\n");
	fake_file("/sys/fs/cgroup/a/cpu.max", "50000 100000\n");
	for (size_t i = 0; i < sizeof(odd_mounts) / sizeof(*odd_mounts); i++) {
		memset(&c, 0, sizeof(c));
		fake_file(MOUNTS, odd_mounts[i]);
		cr_assert_eq(cgroup_limit(&c), QUOTA_NONE, "'%s'", odd_mounts[i]);
	}
	fake_file(MOUNTS, NULL);
	memset(&c, 0, sizeof(c));
	cr_assert_eq(cgroup_limit(&c), QUOTA_NONE);
}

/* ---- sizes ---- */

static char *repeated(const char *head, char with, size_t n, const char *tail)
{
	char *s = malloc(strlen(head) + n + strlen(tail) + 1);

	strcpy(s, head);
	memset(s + strlen(head), with, n);
	strcpy(s + strlen(head) + n, tail);
	return s;
}

Test(cgroup, passes_over_lines_of_any_length)
{
	size_t around[] = { 1,
			    CGROUP_PATH - 40,
			    CGROUP_PATH,
			    sizeof(c.text) - 12,
			    sizeof(c.text) - 11,
			    sizeof(c.text),
			    3 * sizeof(c.text),
			    100000 };

	fake_file(OWN, "0::/a\n");
	fake_file("/sys/fs/cgroup/a/cpu.max", "50000 100000\n");
	for (size_t i = 0; i < sizeof(around) / sizeof(*around); i++) {
		char *mounts = repeated("1 2 0:3 / /", 'x', around[i], "\n" V2_MOUNT);

		memset(&c, 0, sizeof(c));
		fake_file(MOUNTS, mounts);
		cr_assert_eq(cgroup_limit(&c), HALF, "after a line of %zu", around[i]);
		free(mounts);
	}
}

Test(cgroup, reads_what_comes_in_pieces)
{
	v2("9:cpuset:/x\n0::/app\n", "1 2 0:3 / / rw - ext4 root rw\n" V2_MOUNT);
	fake_file("/sys/fs/cgroup/app/cpu.max", "9 9\n");
	for (fake.read_most = 4; fake.read_most < 100; fake.read_most++) {
		memset(&c, 0, sizeof(c));
		cr_assert_eq(cgroup_limit(&c), QUOTA_UNIT);
	}
}

Test(cgroup, takes_a_path_that_does_not_fit_for_none)
{
	for (size_t n = CGROUP_PATH - 40; n < CGROUP_PATH + 40; n++) {
		char *own = repeated("0::/", 'x', n, "\n");

		memset(&c, 0, sizeof(c));
		v2(own, V2_MOUNT);
		fake_file("/sys/fs/cgroup/cpu.max", "50000 100000\n");
		cr_assert_eq(cgroup_limit(&c),
			     n + 1 + strlen("/sys/fs/cgroup") < CGROUP_PATH ? HALF : QUOTA_NONE);
		free(own);
	}
}

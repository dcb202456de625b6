/*
 * Statistics on a directory of plain files that stands for a group: every kind of file, files that
 * are not there, files that say nonsense, numbers at their ends, and what is worked out of them.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "cgroups/stats.h"

#define ALL ((1U << CSN_TABLES) - 1)

static char directory[] = "/tmp/test_stats.XXXXXX";
static struct cgroup group;
static struct csn_error err;
static struct csn_stats *stats;
static struct cgroup_sampler *sampler;
static unsigned files_left;

static void set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	group = (struct cgroup){ .dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				 .path = strdup("/g"),
				 .fs_path = strdup(directory) };
	ck_assert_int_ge(group.dir, 0);
	stats = stats_new();
	sampler = NULL;
	files_left = 1000;
}

static void tear_down(void)
{
	cgroup_sampler_close(sampler, &files_left);
	csn_stats_free(stats);
	cgroup_close(&group);
	ck_assert_int_eq(remove_tree(AT_FDCWD, directory, NULL), 0);
	memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
}

static void file(const char *name, const char *text)
{
	auto_fd fd = openat(group.dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write_all(fd, text, strlen(text)), 0);
}

static void sample(void)
{
	if (!sampler)
		ck_assert_msg(cgroup_sampler_open(&group, 0, ALL, &files_left, &sampler, &err) == 0,
			      "%s", err.text);
	ck_assert_msg(cgroup_sampler_read(sampler, stats, &err) == 0, "%s", err.text);
}

static size_t row_of(enum csn_table table, const char *label)
{
	for (size_t row = 0; row < csn_stats_rows(stats, table); row++)
		if (strcmp(csn_stats_row_label(stats, table, row), label) == 0)
			return row;
	return SIZE_MAX;
}

static void is_at(enum csn_table table, const char *label, unsigned column, uint64_t want)
{
	uint64_t value = 0;
	ck_assert_msg(csn_stats_value(stats, table, row_of(table, label), column, &value),
		      "%s[%s].%s is not there", csn_table_name(table), label,
		      csn_table_column(table, column)->name);
	ck_assert_uint_eq(value, want);
}

static void is_absent(enum csn_table table, const char *label, unsigned column)
{
	uint64_t value = 42;
	ck_assert(!csn_stats_value(stats, table, row_of(table, label), column, &value));
	ck_assert_uint_eq(value, 42);
}

#define is(table, column, want) is_at(CSN_TABLE_##table, "", CSN_##table##_##column, want)
#define absent(table, column)	is_absent(CSN_TABLE_##table, "", CSN_##table##_##column)

/* ---- what files say -------------------------------------------------------------------------- */

START_TEST(one_value_and_keys)
{
	file("cpu.stat",
	     "usage_usec 30\nuser_usec 20\nsystem_usec 10\ncore_sched.force_idle_usec 0\n"
	     "nr_periods 5\nnr_throttled 2\nthrottled_usec 7\nnr_bursts 1\nburst_usec 3\n"
	     "a_new_key 99\n");
	file("cpu.stat.local", "throttled_usec 6\n");
	file("cpu.max", "50000 100000\n");
	file("cpu.weight", "100\n");
	file("cpuset.cpus.effective", "0-3,7,9-10\n");
	file("memory.current", "1000\n");
	file("memory.max", "max\n");
	file("memory.high", "18446744073709551614\n");
	file("memory.swap.current", "0\n");
	file("memory.stat",
	     "anon 400\nfile 500\ninactive_file 300\npgfault 18446744073709551615\n");
	file("memory.events", "low 0\nhigh 1\nmax 2\noom 3\noom_kill 4\noom_group_kill 5\n");
	file("memory.events.local", "low 0\nhigh 0\nmax 0\noom 0\noom_kill 1\noom_group_kill 0\n");
	file("pids.current", "7\n");
	file("pids.max", "max\n");
	file("pids.events", "max 12\n");
	file("cgroup.events", "populated 1\nfrozen 0\n");
	file("cgroup.stat", "nr_descendants 2\nnr_subsys_cpu 3\nnr_dying_descendants 1\n");
	sample();
	is(CPU, USAGE, 30);
	is(CPU, USER, 20);
	is(CPU, SYSTEM, 10);
	is(CPU, PERIODS, 5);
	is(CPU, THROTTLED_PERIODS, 2);
	is(CPU, THROTTLED, 7);
	is(CPU, BURSTS, 1);
	is(CPU, BURST, 3);
	is(CPU, LOCAL_THROTTLED, 6);
	is(CPU, QUOTA, 50000);
	is(CPU, PERIOD, 100000);
	is(CPU, WEIGHT, 100);
	is(CPU, CPUS, 7);
	absent(CPU, NICE);
	is(MEMORY, CURRENT, 1000);
	is(MEMORY, WORKING_SET, 700);
	is(MEMORY, MAX, CSN_NO_LIMIT);
	is(MEMORY, HIGH, UINT64_MAX - 1);
	is(MEMORY, SWAP_CURRENT, 0);
	is(MEMORY, OOM_KILLS, 4);
	is(MEMORY, OOM_GROUP_KILLS, 5);
	is(MEMORY, LOCAL_OOM_KILLS, 1);
	absent(MEMORY, PEAK);
	is_at(CSN_TABLE_MEMORY_STAT, "pgfault", 0, UINT64_MAX);
	ck_assert_uint_eq(csn_stats_rows(stats, CSN_TABLE_MEMORY_STAT), 4);
	is(PIDS, CURRENT, 7);
	is(PIDS, MAX, CSN_NO_LIMIT);
	is(PIDS, MAX_EVENTS, 12);
	is(GROUP, POPULATED, 1);
	is(GROUP, FROZEN, 0);
	is(GROUP, DESCENDANTS, 2);
	is(GROUP, DYING_DESCENDANTS, 1);
}
END_TEST

START_TEST(a_row_for_each)
{
	file("io.stat", "8:0 rbytes=1 wbytes=2 rios=3 wios=4 dbytes=5 dios=6 cost.usage=7\n8:16 \n"
			"259:1 rbytes=10 wbytes=20 rios=30 wios=40 dbytes=0 dios=0\n");
	file("io.max", "8:0 rbps=1048576 wbps=max riops=max wiops=100\n");
	file("io.weight", "default 100\n8:0 50\n");
	file("io.bfq.weight", "200\n");
	file("cpu.pressure", "some avg10=0.12 avg60=12.34 avg300=100.00 total=77\n"
			     "full avg10=0.00 avg60=0.01 avg300=0.00 total=0\n");
	file("irq.pressure", "full avg10=1.00 avg60=0.00 avg300=0.00 total=5\n");
	file("rdma.current", "mlx5_0 hca_handle=2 hca_object=2000\n");
	file("rdma.max", "mlx5_0 hca_handle=max hca_object=5000\n");
	file("misc.current", "sev 3\nsev_es 0\n");
	file("misc.max", "sev max\nsev_es 9\n");
	file("misc.events", "sev.max 1\nsev_es.max 0\n");
	file("hugetlb.2MB.current", "4194304\n");
	file("hugetlb.2MB.max", "max\n");
	file("hugetlb.2MB.rsvd.current", "0\n");
	file("hugetlb.2MB.events", "max 8\n");
	file("hugetlb.64KB.current", "0\n");
	file("memory.numa_stat", "anon N0=1 N1=2\nfile N0=3 N1=4\nunknown N0=9\n");
	/* A workload may call its own groups what it likes. */
	ck_assert_int_eq(mkdirat(group.dir, "hugetlb.8MB.current", 0700), 0);
	sample();
	ck_assert_uint_eq(row_of(CSN_TABLE_HUGETLB, "8MB"), SIZE_MAX);
	is_at(CSN_TABLE_IO, "8:0", CSN_IO_READ_BYTES, 1);
	is_at(CSN_TABLE_IO, "8:0", CSN_IO_DISCARDS, 6);
	is_at(CSN_TABLE_IO, "8:0", CSN_IO_READ_BYTES_MAX, 1048576);
	is_at(CSN_TABLE_IO, "8:0", CSN_IO_WRITE_BYTES_MAX, CSN_NO_LIMIT);
	is_at(CSN_TABLE_IO, "8:0", CSN_IO_WRITES_MAX, 100);
	is_at(CSN_TABLE_IO, "8:0", CSN_IO_WEIGHT, 50);
	is_at(CSN_TABLE_IO, "259:1", CSN_IO_WRITES, 40);
	is_at(CSN_TABLE_IO, "default", CSN_IO_WEIGHT, 100);
	is_at(CSN_TABLE_IO, "default", CSN_IO_BFQ_WEIGHT, 200);
	ck_assert_uint_eq(row_of(CSN_TABLE_IO, "8:16"), SIZE_MAX);
	is_at(CSN_TABLE_PRESSURE, "cpu", CSN_PRESSURE_SOME_AVG10, 12);
	is_at(CSN_TABLE_PRESSURE, "cpu", CSN_PRESSURE_SOME_AVG60, 1234);
	is_at(CSN_TABLE_PRESSURE, "cpu", CSN_PRESSURE_SOME_AVG300, 10000);
	is_at(CSN_TABLE_PRESSURE, "cpu", CSN_PRESSURE_SOME_TOTAL, 77);
	is_at(CSN_TABLE_PRESSURE, "cpu", CSN_PRESSURE_FULL_AVG60, 1);
	is_at(CSN_TABLE_PRESSURE, "irq", CSN_PRESSURE_FULL_TOTAL, 5);
	is_absent(CSN_TABLE_PRESSURE, "irq", CSN_PRESSURE_SOME_TOTAL);
	is_at(CSN_TABLE_RDMA, "mlx5_0", CSN_RDMA_OBJECTS, 2000);
	is_at(CSN_TABLE_RDMA, "mlx5_0", CSN_RDMA_HANDLES_MAX, CSN_NO_LIMIT);
	is_at(CSN_TABLE_MISC, "sev", CSN_MISC_CURRENT, 3);
	is_at(CSN_TABLE_MISC, "sev", CSN_MISC_MAX, CSN_NO_LIMIT);
	is_at(CSN_TABLE_MISC, "sev", CSN_MISC_MAX_EVENTS, 1);
	is_at(CSN_TABLE_HUGETLB, "2MB", CSN_HUGETLB_CURRENT, 4194304);
	is_at(CSN_TABLE_HUGETLB, "2MB", CSN_HUGETLB_MAX_EVENTS, 8);
	is_at(CSN_TABLE_HUGETLB, "64KB", CSN_HUGETLB_CURRENT, 0);
	is_at(CSN_TABLE_NUMA, "N1", CSN_NUMA_FILE, 4);
}
END_TEST

START_TEST(nothing_is_there)
{
	sample();
	for (int table = 0; table < CSN_TABLES; table++)
		ck_assert_uint_eq(csn_stats_rows(stats, (enum csn_table)table), 0);
	double percent;
	ck_assert(!csn_stats_cpu_percent(stats, &percent));
	ck_assert(!csn_stats_memory_percent(stats, &percent));
	ck_assert_str_eq(csn_stats_row_label(stats, CSN_TABLE_CPU, 0), "");
	ck_assert_str_eq(csn_stats_name(stats), "");
	ck_assert_int_gt(csn_stats_time_ns(stats), 0);
}
END_TEST

/* A file that says something else than expected says nothing. */
START_TEST(nonsense_is_left_out)
{
	static const char *const texts[] = {
		"",
		"\n",
		"x",
		"-5\n",
		"18446744073709551616\n",
		"5 5 5\n",
		"5x\n",
		"max5\n",
		" 5\n",
		"usage_usec\n",
		"usage_usec -1\n",
		"usage_usec 99999999999999999999999\n",
		"usage_usec 1x\n",
		"8:0 rbytes=\n8:0 =5\n8:0 rbytes\n=\n",
		"some avg10=101.00 avg60=x.00 avg300=1.0 total=max0\n",
		"some\nfull avg10=0.001\nboth avg10=1.00\n",
		"3-1\n",
		"0-\n",
		"-\n",
		"0-18446744073709551615\n",
		"\xff\xfe\x01 5\n",
	};
	static const char *const names[] = { "cpu.stat", "memory.current", "memory.max",
					     "io.stat",	 "cpu.pressure",   "cpuset.cpus.effective",
					     "cpu.max" };
	for (size_t i = 0; i < COUNT(texts); i++) {
		for (size_t n = 0; n < COUNT(names); n++)
			file(names[n], texts[i]);
		sample();
		absent(CPU, USAGE);
		absent(CPU, QUOTA);
		absent(MEMORY, MAX);
		absent(MEMORY, CURRENT);
		is_absent(CSN_TABLE_IO, "8:0", CSN_IO_READ_BYTES);
		is_absent(CSN_TABLE_PRESSURE, "cpu", CSN_PRESSURE_SOME_AVG10);
		absent(CPU, CPUS);
	}
}
END_TEST

START_TEST(large_files_are_read_whole)
{
	size_t size = 1 << 20;
	auto_mem char *text = malloc(size + 1);
	size_t at = 0, lines = 0;
	for (; at + 40 < size; lines++)
		at += (size_t)sprintf(text + at, "key_%zu %zu\n", lines, lines);
	file("memory.stat", text);
	sample();
	ck_assert_uint_eq(csn_stats_rows(stats, CSN_TABLE_MEMORY_STAT), lines);
	char last[32];
	(void)snprintf(last, sizeof last, "key_%zu", lines - 1);
	is_at(CSN_TABLE_MEMORY_STAT, last, 0, lines - 1);
}
END_TEST

/* ---- what is worked out ---------------------------------------------------------------------- */

static void usage_is(uint64_t usec)
{
	char text[64];
	(void)snprintf(text, sizeof text, "usage_usec %llu\n", (unsigned long long)usec);
	file("cpu.stat", text);
}

START_TEST(cpu_percent_is_within_bounds)
{
	double percent = -1;
	file("cpuset.cpus.effective", "0-1\n");
	usage_is(1000000);
	sample();
	ck_assert(!csn_stats_cpu_percent(stats, &percent));
	/* More than two CPUs could have done. */
	usage_is(UINT64_MAX);
	sample();
	ck_assert(csn_stats_cpu_percent(stats, &percent));
	ck_assert_double_eq(percent, 200);
	/* A counter that went back. */
	usage_is(5);
	sample();
	ck_assert(csn_stats_cpu_percent(stats, &percent));
	ck_assert_double_eq(percent, 0);
	/* CPUs taken away meanwhile do not make what was used on them untrue. */
	file("cpuset.cpus.effective", "0\n");
	usage_is(1000000000);
	sample();
	ck_assert(csn_stats_cpu_percent(stats, &percent));
	ck_assert_double_eq(percent, 200);
	usage_is(2000000000);
	sample();
	ck_assert(csn_stats_cpu_percent(stats, &percent));
	ck_assert_double_eq(percent, 100);
}
END_TEST

START_TEST(cpu_percent_is_of_the_time_between)
{
	struct timespec nap = { .tv_nsec = 50000000 };
	double percent = -1;
	usage_is(0);
	sample();
	int64_t before = csn_stats_time_ns(stats);
	(void)nanosleep(&nap, NULL);
	usage_is(25000);
	sample();
	ck_assert(csn_stats_cpu_percent(stats, &percent));
	double want = 25000.0 * 1000 * 100 / (double)(csn_stats_time_ns(stats) - before);
	ck_assert_double_eq_tol(percent, want, 1e-9);
	ck_assert_double_le(percent, 50);
}
END_TEST

START_TEST(memory_percent_is_within_bounds)
{
	static const struct {
		const char *current, *inactive, *max;
		double percent; /* -1: none */
	} rows[] = {
		{ "1000\n", "inactive_file 500\n", "2000\n", 25 },
		{ "1000\n", "inactive_file 5000\n", "2000\n", 0 }, /* counted a moment apart */
		{ "1000\n", "anon 1\n", "2000\n", 50 },
		{ "1000\n", "inactive_file 0\n", "500\n", 100 },
		{ "1000\n", "inactive_file 0\n", "0\n", 100 },
		{ "0\n", "inactive_file 0\n", "0\n", 100 },
		{ "1000\n", "inactive_file 0\n", "max\n", -1 },
	};
	for (size_t i = 0; i < COUNT(rows); i++) {
		double percent = -1;
		file("memory.current", rows[i].current);
		file("memory.stat", rows[i].inactive);
		file("memory.max", rows[i].max);
		sample();
		ck_assert_int_eq(csn_stats_memory_percent(stats, &percent), rows[i].percent >= 0);
		ck_assert_double_eq(percent, rows[i].percent);
	}
}
END_TEST

/* ---- files kept open ------------------------------------------------------------------------- */

START_TEST(files_that_may_not_be_kept_are_read_all_the_same)
{
	file("cpu.stat", "usage_usec 1\n");
	file("memory.current", "2\n");
	file("pids.current", "3\n");
	file("io.weight", "default 4\n");
	files_left = 2;
	sample();
	ck_assert_uint_eq(files_left, 0);
	is(CPU, USAGE, 1);
	is(MEMORY, CURRENT, 2);
	is(PIDS, CURRENT, 3);
	is_at(CSN_TABLE_IO, "default", CSN_IO_WEIGHT, 4);
	cgroup_sampler_close(sampler, &files_left);
	sampler = NULL;
	ck_assert_uint_eq(files_left, 2);
}
END_TEST

START_TEST(a_file_that_goes_is_the_group_going)
{
	file("cpu.stat", "usage_usec 1\n");
	file("pids.current", "3\n");
	files_left = 1;
	sample();
	ck_assert_int_eq(unlinkat(group.dir, "pids.current", 0), 0);
	ck_assert_int_eq(cgroup_sampler_read(sampler, stats, &err), -ENOENT);
	ck_assert_str_eq(err.text, "the group is gone");
}
END_TEST

START_TEST(only_the_tables_that_are_wanted)
{
	file("cpu.stat", "usage_usec 1\n");
	file("memory.current", "2\n");
	file("pids.current", "3\n");
	ck_assert_int_eq(
		cgroup_sampler_open(&group, 0, 1U << CSN_TABLE_PIDS, &files_left, &sampler, &err),
		0);
	sample();
	is(PIDS, CURRENT, 3);
	absent(CPU, USAGE);
	absent(MEMORY, CURRENT);
	ck_assert_uint_eq(files_left, 999);
}
END_TEST

/* ---- interfaces ------------------------------------------------------------------------------ */

START_TEST(interfaces_without_the_loopback)
{
	char text[] =
		"Inter-|   Receive                                                |  Transmit\n"
		" face |bytes    packets errs drop fifo frame compressed multicast|bytes    "
		"packets "
		"errs drop fifo colls carrier compressed\n"
		"    lo: 100 1 0 0 0 0 0 0 100 1 0 0 0 0 0 0\n"
		"  eth0: 18446744073709551615 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
		"eth0:1:1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n"
		"  bad0: 1 2\n";
	ck_assert_int_eq(netdev_parse(text, stats), 0);
	ck_assert_uint_eq(csn_stats_rows(stats, CSN_TABLE_NETWORK), 2);
	is_at(CSN_TABLE_NETWORK, "eth0", CSN_NETWORK_RX_BYTES, UINT64_MAX);
	is_at(CSN_TABLE_NETWORK, "eth0", CSN_NETWORK_RX_DROPPED, 4);
	is_at(CSN_TABLE_NETWORK, "eth0", CSN_NETWORK_TX_BYTES, 9);
	is_at(CSN_TABLE_NETWORK, "eth0", CSN_NETWORK_TX_DROPPED, 12);
	is_at(CSN_TABLE_NETWORK, "eth0:1", CSN_NETWORK_RX_BYTES, 1);
}
END_TEST

START_TEST(a_namespace_that_is_ours_says_nothing)
{
	ck_assert_int_eq(netdev_open(getpid()), -1);
	ck_assert_int_eq(netdev_open(999999999), -1);
}
END_TEST

/* ---- names ----------------------------------------------------------------------------------- */

START_TEST(every_column_has_words)
{
	for (int t = 0; t < CSN_TABLES; t++) {
		enum csn_table table = (enum csn_table)t;
		const struct csn_column *c;
		unsigned count = 0;
		ck_assert_ptr_nonnull(csn_table_name(table));
		for (; (c = csn_table_column(table, count)); count++) {
			ck_assert_ptr_nonnull(c->name);
			ck_assert(c->help && c->help[0] >= 'A' && c->help[0] <= 'Z');
			for (unsigned other = 0; other < count; other++)
				ck_assert_str_ne(csn_table_column(table, other)->name, c->name);
		}
		ck_assert_uint_gt(count, 0);
		ck_assert_uint_le(count, STATS_COLUMNS_MAX);
	}
	ck_assert_ptr_null(csn_table_name(CSN_TABLES));
	ck_assert_ptr_null(csn_table_label(CSN_TABLES));
	ck_assert_ptr_null(csn_table_column(CSN_TABLES, 0));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("stats");
	TCase *tests = tcase_create("stats");
	tcase_add_checked_fixture(tests, set_up, tear_down);
	tcase_add_test(tests, one_value_and_keys);
	tcase_add_test(tests, a_row_for_each);
	tcase_add_test(tests, nothing_is_there);
	tcase_add_test(tests, nonsense_is_left_out);
	tcase_add_test(tests, large_files_are_read_whole);
	tcase_add_test(tests, cpu_percent_is_within_bounds);
	tcase_add_test(tests, cpu_percent_is_of_the_time_between);
	tcase_add_test(tests, memory_percent_is_within_bounds);
	tcase_add_test(tests, files_that_may_not_be_kept_are_read_all_the_same);
	tcase_add_test(tests, a_file_that_goes_is_the_group_going);
	tcase_add_test(tests, only_the_tables_that_are_wanted);
	tcase_add_test(tests, interfaces_without_the_loopback);
	tcase_add_test(tests, a_namespace_that_is_ours_says_nothing);
	tcase_add_test(tests, every_column_has_words);
	suite_add_tcase(suite, tests);
	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

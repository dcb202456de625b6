/*
 * cgroups without cgroups: names of groups, mountinfo lines, value files and limits on a directory
 * of plain files that stands for a group, and device programs run by a small interpreter against
 * the rules' meaning written down a second time.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cgroups/devices.h"
#include "cgroups/internal.h"

/* ---- a directory that looks like a group ----------------------------------------------------- */

static char directory[] = "/tmp/test_cgroups.XXXXXX";
static struct cgroup group;
static struct csn_error err;

static void set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	char below[64];
	(void)snprintf(below, sizeof below, "%s/g", directory);
	ck_assert_int_eq(mkdir(below, 0700), 0);
	group.dir = open(below, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	group.path = strdup("/g");
	group.fs_path = strdup(below);
	ck_assert_int_ge(group.dir, 0);
}

static void tear_down(void)
{
	char command[128];
	cgroup_close(&group);
	(void)snprintf(command, sizeof command, "rm -r %s", directory);
	ck_assert_int_eq(system(command), 0);
	memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
}

static void file_at(int dir, const char *name, const char *text)
{
	auto_fd fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
}

static void file(const char *name, const char *text)
{
	file_at(group.dir, name, text);
}

static void is_written(const char *name, const char *text)
{
	char buf[256];
	ck_assert_int_ge(read_value(&group, name, buf, sizeof buf), 0);
	ck_assert_str_eq(buf, text);
}

static void controllers(const char *of_group, const char *of_mount)
{
	char path[128];
	file("cgroup.controllers", of_group);
	(void)snprintf(path, sizeof path, "%s/cgroup.controllers", directory);
	file_at(AT_FDCWD, path, of_mount);
}

/* ---- names ----------------------------------------------------------------------------------- */

static const struct {
	const char *path;
	int error;
	const char *text;
} bad_paths[] = {
	{ "", EINVAL, "cgroup path \"\": expected a path below \"/\"" },
	{ "/", EINVAL, "cgroup path \"/\": expected a path below \"/\"" },
	{ "a/b", EINVAL, "cgroup path \"a/b\": expected a path below \"/\"" },
	{ "//", EINVAL, "cgroup path \"//\": empty, \".\" and \"..\" parts are not allowed" },
	{ "/a/", EINVAL, "cgroup path \"/a/\": empty, \".\" and \"..\" parts are not allowed" },
	{ "/a//b", EINVAL, "cgroup path \"/a//b\": empty, \".\" and \"..\" parts are not allowed" },
	{ "/..", EINVAL, "cgroup path \"/..\": empty, \".\" and \"..\" parts are not allowed" },
	{ "/a/../b", EINVAL,
	  "cgroup path \"/a/../b\": empty, \".\" and \"..\" parts are not allowed" },
	{ "/a/.", EINVAL, "cgroup path \"/a/.\": empty, \".\" and \"..\" parts are not allowed" },
	{ "/a\nb", EINVAL, "cgroup path \"/a b\": control characters are not allowed" },
	{ "/a\x7f", EINVAL, "cgroup path \"/a \": control characters are not allowed" },
};

START_TEST(bad_names_are_refused_by_name)
{
	bool created = true;
	struct cgroup cg = CGROUP_INIT;
	ck_assert_int_eq(cgroup_create(bad_paths[_i].path, 0, &cg, &created, &err),
			 -bad_paths[_i].error);
	ck_assert_str_eq(err.text, bad_paths[_i].text);
	ck_assert_int_eq(cgroup_open(bad_paths[_i].path, &cg, &err), -bad_paths[_i].error);
	ck_assert_int_eq(cgroup_remove(bad_paths[_i].path, &err), -bad_paths[_i].error);
	ck_assert_int_eq(cgroup_remove_empty(bad_paths[_i].path, &err), -bad_paths[_i].error);
	ck_assert_int_eq(cg.dir, -1);
	ck_assert(created);
}
END_TEST

START_TEST(long_names_are_refused)
{
	char path[5000];
	struct cgroup cg = CGROUP_INIT;
	memset(path, 'x', sizeof path);
	path[0] = '/';
	path[4096] = '\0';
	ck_assert_int_eq(cgroup_open(path, &cg, &err), -ENAMETOOLONG);
	ck_assert_ptr_nonnull(strstr(err.text, "too long (4096 bytes)"));
	path[257] = '\0';
	ck_assert_int_eq(cgroup_open(path, &cg, &err), -ENAMETOOLONG);
	ck_assert_ptr_nonnull(strstr(err.text, "a part is longer than 255 bytes"));
}
END_TEST

START_TEST(mountinfo_lines)
{
	static const struct {
		const char *line, *point;
		bool whole;
	} cases[] = {
		{ "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate",
		  "/sys/fs/cgroup", true },
		{ "30 23 0:26 / /a\\040b\\134c\\011 rw - cgroup2 none rw", "/a b\\c\t", true },
		{ "30 23 0:26 /user.slice /bound rw - cgroup2 none rw", "/bound", false },
		{ "30 23 0:26 / /x rw,relatime - cgroup cgroup rw,memory", NULL, false },
		{ "30 23 0:26 / /x rw - tmpfs cgroup2 rw", NULL, false },
		{ "30 23 - cgroup2 none rw", NULL, false },
		{ "", NULL, false },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		char line[256], *point = NULL;
		bool whole = false;
		(void)snprintf(line, sizeof line, "%s", cases[i].line);
		ck_assert_int_eq(cgroup2_of_mountinfo(line, &whole, &point),
				 cases[i].point != NULL);
		if (!cases[i].point)
			continue;
		ck_assert_str_eq(point, cases[i].point);
		ck_assert_int_eq(whole, cases[i].whole);
	}
}
END_TEST

/* ---- values ---------------------------------------------------------------------------------- */

START_TEST(values_are_numbers_or_max)
{
	static const struct {
		const char *text;
		uint64_t value;
		int error;
	} cases[] = {
		{ "0\n", 0, 0 },
		{ "42\n", 42, 0 },
		{ "42", 42, 0 },
		{ "max\n", CGROUP_MAX, 0 },
		{ "max 100000\n", CGROUP_MAX, 0 },
		{ "18446744073709551614\n", UINT64_MAX - 1, 0 },
		{ "", 7, -EINVAL },
		{ "\n", 7, -EINVAL },
		{ "maximum\n", 7, -EINVAL },
		{ "-1\n", 7, -EINVAL },
		{ "0-3\n", 7, -EINVAL },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t value = 7;
		file("x.value", cases[i].text);
		ck_assert_int_eq(cgroup_read_u64(&group, "x.value", &value, &err), cases[i].error);
		ck_assert_uint_eq(value, cases[i].value);
	}
	uint64_t value = 7;
	ck_assert_int_eq(cgroup_read_u64(&group, "x.absent", &value, &err), -ENOENT);
	ck_assert_str_eq(err.text, "cgroup \"/g\": x.absent: No such file or directory");
	ck_assert_uint_eq(value, 7);
}
END_TEST

START_TEST(keys_are_whole_words)
{
	uint64_t value = 7;
	bool known = true;
	ck_assert_int_eq(cgroup_oom_kills(&group, &value, &known, &err), 0);
	ck_assert_uint_eq(value, 0);
	ck_assert(!known);

	file("memory.events", "low 1\noom 2\noom_kill 3\noom_group_kill 4\n");
	ck_assert_int_eq(cgroup_oom_kills(&group, &value, &known, &err), 0);
	ck_assert_uint_eq(value, 3);
	ck_assert(known);
	ck_assert_int_eq(cgroup_read_key(&group, "memory.events", "oom", &value, &err), 0);
	ck_assert_uint_eq(value, 2);
	ck_assert_int_eq(cgroup_read_key(&group, "memory.events", "kill", &value, &err), -ENOENT);
	ck_assert_str_eq(err.text, "cgroup \"/g\": memory.events: no \"kill\"");
	ck_assert_uint_eq(value, 2);
}
END_TEST

START_TEST(only_plain_names_are_written)
{
	static const char *const bad[] = { "../x.y", "a/b.c", "/etc/x.y", ".", "..", "procs", "" };
	for (size_t i = 0; i < COUNT(bad); i++)
		ck_assert_int_eq(cgroup_write(&group, bad[i], "1", &err), -EINVAL);
	ck_assert_int_eq(cgroup_write(&group, "x.y", "1", &err), -ENOENT);
	ck_assert_int_ne(faccessat(group.dir, "x.y", F_OK, 0), 0);
	file("x.y", "");
	ck_assert_int_eq(cgroup_write(&group, "x.y", "", &err), 0);
	is_written("x.y", "\n");
}
END_TEST

/* ---- events ---------------------------------------------------------------------------------- */

START_TEST(waiting_ends_in_time_or_with_the_group)
{
	bool yes = true;
	/* No file is a group that is gone. */
	ck_assert_int_eq(cgroup_populated(&group, &yes, &err), 0);
	ck_assert(!yes);
	ck_assert_int_eq(cgroup_wait_empty(&group, -1, &err), 0);
	ck_assert_int_lt(cgroup_freeze(&group, true, 10, &err), 0);

	file("cgroup.events", "populated 1\nfrozen 0\n");
	file("cgroup.freeze", "0");
	ck_assert_int_eq(cgroup_populated(&group, &yes, &err), 0);
	ck_assert(yes);
	ck_assert_int_eq(cgroup_frozen(&group, &yes, &err), 0);
	ck_assert(!yes);
	struct timespec before, after;
	(void)clock_gettime(CLOCK_MONOTONIC, &before);
	ck_assert_int_eq(cgroup_wait_empty(&group, 50, &err), -ETIMEDOUT);
	(void)clock_gettime(CLOCK_MONOTONIC, &after);
	ck_assert_str_eq(err.text, "cgroup \"/g\": still populated after 50 ms");
	long ms =
		(after.tv_sec - before.tv_sec) * 1000 + (after.tv_nsec - before.tv_nsec) / 1000000;
	ck_assert_int_ge(ms, 49);
	ck_assert_int_lt(ms, 5000);

	/* Not frozen in time: left thawed. */
	ck_assert_int_eq(cgroup_freeze(&group, true, 10, &err), -ETIMEDOUT);
	ck_assert_str_eq(err.text, "cgroup \"/g\": not yet frozen after 10 ms");
	is_written("cgroup.freeze", "0");
	file("cgroup.events", "populated 0\nfrozen 1\n");
	ck_assert_int_eq(cgroup_freeze(&group, true, 10, &err), 0);
	is_written("cgroup.freeze", "1");
}
END_TEST

START_TEST(no_descriptors_is_not_empty)
{
	const struct rlimit few = { 64, 64 };
	int hoard[64];
	size_t count = 0;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	file("cgroup.events", "populated 1\nfrozen 0\n");
	while (count < COUNT(hoard) && (hoard[count] = dup(group.dir)) >= 0)
		count++;
	int waited = cgroup_wait_empty(&group, 10, &err);
	pid_t *pids = NULL;
	size_t pids_count = 0;
	int listed = cgroup_pids(&group, &pids, &pids_count, &err);
	while (count > 0)
		(void)close(hoard[--count]);
	ck_assert_int_eq(waited, -EMFILE);
	ck_assert_int_eq(listed, -EMFILE);
}
END_TEST

/* ---- limits ---------------------------------------------------------------------------------- */

static const struct plain {
	const char *file;
	size_t offset;
	unsigned controller;
	bool zero_is_default, max_is_default;
} plain[] = {
#define PLAIN(file, member, ...)                                                                   \
	{                                                                                          \
		file, offsetof(struct cgroup_limits, member), __VA_ARGS__                          \
	}
	PLAIN("memory.max", memory_max, CGROUP_MEMORY, false, true),
	PLAIN("memory.high", memory_high, CGROUP_MEMORY, false, true),
	PLAIN("memory.low", memory_low, CGROUP_MEMORY, true, false),
	PLAIN("memory.min", memory_min, CGROUP_MEMORY, true, false),
	PLAIN("memory.swap.max", memory_swap_max, CGROUP_MEMORY, true, true),
	PLAIN("memory.oom.group", memory_oom_group, CGROUP_MEMORY, true, false),
	PLAIN("pids.max", pids_max, CGROUP_PIDS, false, true),
	PLAIN("cpu.weight", cpu_weight, CGROUP_CPU, false, false),
	PLAIN("cpu.idle", cpu_idle, CGROUP_CPU, true, false),
	PLAIN("cpu.max.burst", cpu_burst, CGROUP_CPU, true, false),
#undef PLAIN
};

static struct cgroup_limits only(const struct plain *p, uint64_t value)
{
	struct cgroup_limits l = { 0 };
	*(struct cgroup_value *)((char *)&l + p->offset) = (struct cgroup_value){ true, value };
	return l;
}

START_TEST(plain_limit_is_written_to_its_file)
{
	const struct plain *p = &plain[_i];
	struct cgroup_limits l = only(p, 17);
	file(p->file, "");
	ck_assert_uint_eq(cgroup_limits_controllers(&l), p->controller);
	ck_assert_int_eq(cgroup_apply_limits(&group, &l, &err), 0);
	is_written(p->file, strcmp(p->file, "cpu.idle") == 0 ? "1" : "17");

	l = only(p, 0);
	file(p->file, "");
	ck_assert_int_eq(cgroup_apply_limits(&group, &l, &err), 0);
	is_written(p->file, "0");
}
END_TEST

START_TEST(plain_limit_without_controller)
{
	const struct plain *p = &plain[_i];
	const struct {
		uint64_t value;
		bool is_default;
	} values[] = { { 17, false },
		       { 0, p->zero_is_default },
		       { CGROUP_MAX, p->max_is_default } };
	char start[128];
	controllers("", "hugetlb\n");
	(void)snprintf(start, sizeof start, "%s: the %.*s controller is not available in cgroup ",
		       p->file, (int)strcspn(p->file, "."), p->file);
	for (size_t i = 0; i < COUNT(values); i++) {
		struct cgroup_limits l = only(p, values[i].value);
		err.text[0] = '\0';
		ck_assert_int_eq(cgroup_apply_limits(&group, &l, &err),
				 values[i].is_default ? 0 : -ENOENT);
		ck_assert_uint_eq(cgroup_limits_controllers(&l),
				  values[i].is_default ? 0 : p->controller);
		if (!values[i].is_default)
			ck_assert_mem_eq(err.text, start, strlen(start));
	}
}
END_TEST

START_TEST(a_missing_file_says_why)
{
	struct cgroup_limits l = { .memory_max = { true, 1 << 20 } };
	char text[512];
	controllers("pids\n", "hugetlb pids\n");
	ck_assert_int_eq(cgroup_apply_limits(&group, &l, &err), -ENOENT);
	(void)snprintf(text, sizeof text,
		       "memory.max: the memory controller is not available in cgroup \"/g\" "
		       "(cgroup2 at %s offers: hugetlb pids); it may be bound to cgroup v1: boot "
		       "with cgroup_no_v1=memory",
		       directory);
	ck_assert_str_eq(err.text, text);

	controllers("pids\n", "pids memory\n");
	ck_assert_int_eq(cgroup_apply_limits(&group, &l, &err), -ENOENT);
	ck_assert_str_eq(err.text,
			 "memory.max: the memory controller is not available in cgroup \"/g\": a "
			 "parent's cgroup.subtree_control does not enable it (it cannot while "
			 "that parent has processes of its own)");

	controllers("memory\n", "memory\n");
	ck_assert_int_eq(cgroup_apply_limits(&group, &l, &err), -ENOENT);
	ck_assert_str_eq(err.text, "memory.max: this kernel has no such file in cgroup \"/g\"");
}
END_TEST

START_TEST(memory_in_use_is_respected_when_asked)
{
	struct cgroup_limits l = { .memory_max = { true, 4096 }, .memory_check = true };
	file("memory.current", "8192\n");
	file("memory.max", "");
	ck_assert_int_eq(cgroup_apply_limits(&group, &l, &err), -EBUSY);
	ck_assert_str_eq(err.text, "memory.max: 4096 bytes are below the 8192 bytes in use");
	is_written("memory.max", "");
	l.memory_check = false;
	ck_assert_int_eq(cgroup_apply_limits(&group, &l, &err), 0);
	is_written("memory.max", "4096");
}
END_TEST

START_TEST(cpu_max_keeps_the_half_that_is_not_given)
{
	static const struct {
		const char *before;
		struct cgroup_value quota, period;
		const char *after;
	} cases[] = {
		{ "max 100000\n", { true, 5000 }, { true, 20000 }, "5000 20000" },
		{ "max 50000\n", { true, 5000 }, { 0 }, "5000 50000" },
		{ "7000 50000\n", { 0 }, { true, 20000 }, "7000 20000" },
		{ "7000 50000\n", { true, CGROUP_MAX }, { 0 }, "max 50000" },
		{ "7000 50000\n", { true, CGROUP_MAX }, { true, 10000 }, "max 10000" },
		{ "7000 50000\n", { 0 }, { 0 }, "7000 50000\n" },
	};
	for (size_t i = 0; i < COUNT(cases); i++) {
		struct cgroup_limits l = { .cpu_quota = cases[i].quota,
					   .cpu_period = cases[i].period };
		char got[64];
		file("cpu.max", cases[i].before);
		ck_assert_int_eq(cgroup_apply_limits(&group, &l, &err), 0);
		/* A plain file keeps the tail of a longer text from before. */
		ck_assert_int_ge(read_value(&group, "cpu.max", got, sizeof got), 0);
		ck_assert_mem_eq(got, cases[i].after, strlen(cases[i].after));
	}
	ck_assert_int_eq(unlinkat(group.dir, "cpu.max", 0), 0);
	struct cgroup_limits unlimited = { .cpu_quota = { true, CGROUP_MAX },
					   .cpu_period = { true, 100000 } };
	controllers("", "");
	ck_assert_int_eq(cgroup_apply_limits(&group, &unlimited, &err), 0);
	ck_assert_uint_eq(cgroup_limits_controllers(&unlimited), 0);
	struct cgroup_limits limited = { .cpu_quota = { true, 1000 } };
	ck_assert_int_eq(cgroup_apply_limits(&group, &limited, &err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(err.text, "offers: nothing"));
}
END_TEST

START_TEST(idle_and_weight_do_not_fight)
{
	struct cgroup_limits l = { .cpu_idle = { true, 1 }, .cpu_weight = { true, 50 } };
	file("cpu.idle", "");
	file("cpu.weight", "");
	ck_assert_int_eq(cgroup_apply_limits(&group, &l, &err), 0);
	is_written("cpu.idle", "1");
	is_written("cpu.weight", "");
	l.cpu_idle.value = 0;
	ck_assert_int_eq(cgroup_apply_limits(&group, &l, &err), 0);
	is_written("cpu.idle", "0");
	is_written("cpu.weight", "50");
}
END_TEST

START_TEST(lines_of_devices)
{
	const struct cgroup_io_limit io = { 8, 16, 1048576, 0, CGROUP_MAX, 10 };
	const struct cgroup_io_weight weight = { 8, 16, 500 };
	const struct cgroup_hugetlb huge = { "2MB", 4194304 }, unlimited = { "1GB", CGROUP_MAX },
				    odd = { "3MB", 1 }, hostile = { "../../x", 1 };
	const struct cgroup_rdma rdma = { "mlx5_0", true, true, 3, CGROUP_MAX };
	const struct cgroup_rdma handles = { "mlx5_0", true, false, 3, 10 };
	struct cgroup_limits l = { .cpuset_cpus = "0-1,3",
				   .cpuset_mems = "0",
				   .io_weights = &weight,
				   .io_weights_count = 1,
				   .io_limits = &io,
				   .io_limits_count = 1,
				   .hugetlb = &huge,
				   .hugetlb_count = 1,
				   .rdma = &rdma,
				   .rdma_count = 1 };
	const char *const files[] = { "cpuset.cpus", "cpuset.mems",	"io.bfq.weight",
				      "io.max",	     "hugetlb.2MB.max", "rdma.max" };
	for (size_t i = 0; i < COUNT(files); i++)
		file(files[i], "");
	ck_assert_uint_eq(cgroup_limits_controllers(&l),
			  CGROUP_CPUSET | CGROUP_IO | CGROUP_HUGETLB | CGROUP_RDMA);
	ck_assert_int_eq(cgroup_apply_limits(&group, &l, &err), 0);
	is_written("cpuset.cpus", "0-1,3");
	is_written("cpuset.mems", "0");
	is_written("io.bfq.weight", "8:16 500");
	is_written("io.max", "8:16 rbps=1048576 riops=max wiops=10");
	is_written("hugetlb.2MB.max", "4194304");
	is_written("rdma.max", "mlx5_0 hca_handle=3 hca_object=max");

	/* Reservations are limited too where the kernel counts them. */
	file("hugetlb.2MB.rsvd.max", "");
	file("rdma.max", "");
	l = (struct cgroup_limits){
		.hugetlb = &huge, .hugetlb_count = 1, .rdma = &handles, .rdma_count = 1
	};
	ck_assert_int_eq(cgroup_apply_limits(&group, &l, &err), 0);
	is_written("hugetlb.2MB.rsvd.max", "4194304");
	is_written("rdma.max", "mlx5_0 hca_handle=3");

	controllers("hugetlb\n", "hugetlb\n");
	l = (struct cgroup_limits){ .hugetlb = &unlimited, .hugetlb_count = 1 };
	ck_assert_uint_eq(cgroup_limits_controllers(&l), 0);
	ck_assert_int_eq(cgroup_apply_limits(&group, &l, &err), 0);
	l.hugetlb = &odd;
	ck_assert_int_eq(cgroup_apply_limits(&group, &l, &err), -ENOENT);
	ck_assert_str_eq(err.text,
			 "hugetlb.3MB.max: this kernel has no such file in cgroup \"/g\"");
	l.hugetlb = &hostile;
	ck_assert_int_eq(cgroup_apply_limits(&group, &l, &err), -EINVAL);
}
END_TEST

START_TEST(rdma_devices_with_long_names_are_not_cut)
{
	char device[301], wanted[400];
	memset(device, 'd', 300);
	device[300] = '\0';
	const struct cgroup_rdma rdma = { device, true, true, 1234, 5678 };
	struct cgroup_limits l = { .rdma = &rdma, .rdma_count = 1 };
	char got[512];
	file("rdma.max", "");
	ck_assert_int_eq(cgroup_apply_limits(&group, &l, &err), 0);
	(void)snprintf(wanted, sizeof wanted, "%s hca_handle=1234 hca_object=5678", device);
	ck_assert_int_gt(read_value(&group, "rdma.max", got, sizeof got), 0);
	ck_assert_str_eq(got, wanted);
}
END_TEST

/* What a group is born with needs no controller; anything else does. */
START_TEST(weight_at_birth_needs_no_controller)
{
	struct cgroup_limits l = { .cpu_weight = { true, 100 } };
	ck_assert_int_eq(cgroup_apply_limits(&group, &l, &err), 0);
	l.cpu_weight.value = 99;
	ck_assert_int_lt(cgroup_apply_limits(&group, &l, &err), 0);
	file("cpu.weight", "");
	l.cpu_weight.value = 100;
	ck_assert_int_eq(cgroup_apply_limits(&group, &l, &err), 0);
	is_written("cpu.weight", "100");
}
END_TEST

START_TEST(weight_of_bfq_where_it_exists)
{
	static const struct {
		uint64_t weight;
		const char *spread;
	} cases[] = { { 10, "1" }, { 100, "910" }, { 500, "4950" }, { 1000, "10000" } };
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct cgroup_io_weight device = { 8, 16, cases[i].weight };
		struct cgroup_limits l = { .io_bfq_weight = { true, cases[i].weight } };
		struct cgroup_limits of_device = { .io_weights = &device, .io_weights_count = 1 };
		char text[64];
		ck_assert_uint_eq(cgroup_limits_controllers(&l), CGROUP_IO);
		ck_assert_uint_eq(cgroup_limits_controllers(&of_device), CGROUP_IO);
		file("io.weight", "");
		ck_assert_int_eq(cgroup_apply_limits(&group, &l, &err), 0);
		is_written("io.weight", cases[i].spread);
		file("io.weight", "");
		ck_assert_int_eq(cgroup_apply_limits(&group, &of_device, &err), 0);
		(void)snprintf(text, sizeof text, "8:16 %s", cases[i].spread);
		is_written("io.weight", text);

		file("io.weight", "");
		file("io.bfq.weight", "");
		ck_assert_int_eq(cgroup_apply_limits(&group, &l, &err), 0);
		(void)snprintf(text, sizeof text, "%d", (int)cases[i].weight);
		is_written("io.bfq.weight", text);
		is_written("io.weight", "");
		ck_assert_int_eq(unlinkat(group.dir, "io.bfq.weight", 0), 0);
	}
	ck_assert_int_eq(unlinkat(group.dir, "io.weight", 0), 0);
	controllers("", "hugetlb\n");
	struct cgroup_limits l = { .io_bfq_weight = { true, 100 } };
	ck_assert_int_eq(cgroup_apply_limits(&group, &l, &err), -ENOENT);
	ck_assert_ptr_nonnull(strstr(err.text, "io.weight: the io controller is not available"));
}
END_TEST

/* Each file with what it holds, and how it begins once what was written to it was taken back: a
 * plain file keeps the tail of a longer text from before. */
START_TEST(a_failed_update_changes_nothing)
{
	const struct cgroup_io_limit io[] = { { 8, 16, 1048576, 0, 0, 10 }, { 8, 32, 0, 0, 7, 0 } };
	const struct cgroup_io_weight weight = { 8, 16, 500 };
	const struct cgroup_rdma rdma = { "mlx5_0", true, true, 3, 44 };
	const struct cgroup_file files[] = { { "misc.max", "a 1\nb 22" }, { "no.such", "1" } };
	struct cgroup_limits l = { .memory_max = { true, 100 },
				   .pids_max = { true, 17 },
				   .cpu_quota = { true, 20000 },
				   .io_bfq_weight = { true, 300 },
				   .io_weights = &weight,
				   .io_weights_count = 1,
				   .io_limits = io,
				   .io_limits_count = 2,
				   .rdma = &rdma,
				   .rdma_count = 1,
				   .unified = files,
				   .unified_count = 2 };
	static const struct {
		const char *file, *before, *after;
	} cases[] = {
		{ "memory.max", "200", "200" },
		{ "pids.max", "99", "99" },
		{ "cpu.max", "max 100000\n", "max 100000" },
		/* The line of the device, and the default's. */
		{ "io.bfq.weight", "default 100\n8:16 200\n", "8:16 200" },
		{ "io.max", "8:16 rbps=9 wbps=max riops=max wiops=max\n",
		  "8:16 rbps=9 wbps=max riops=max wiops=max" },
		/* No line: back to nothing. */
		{ "rdma.max", "mlx4_0 hca_handle=1 hca_object=1\n",
		  "mlx5_0 hca_handle=max hca_object=max" },
		{ "misc.max", "a 5\n", "a 5" },
	};
	for (size_t i = 0; i < COUNT(cases); i++)
		file(cases[i].file, cases[i].before);
	controllers("", "");
	ck_assert_int_eq(cgroup_update_limits(&group, &l, &err), -ENOENT);
	ck_assert_str_eq(err.text, "no.such: this kernel has no such file in cgroup \"/g\"");
	for (size_t i = 0; i < COUNT(cases); i++) {
		char got[256];
		ck_assert_int_ge(read_value(&group, cases[i].file, got, sizeof got), 0);
		ck_assert_msg(strncmp(got, cases[i].after, strlen(cases[i].after)) == 0,
			      "%s: \"%s\"", cases[i].file, got);
	}

	/* And a whole one stays. */
	l.unified_count = 1;
	file("memory.max", "200");
	ck_assert_int_eq(cgroup_update_limits(&group, &l, &err), 0);
	is_written("memory.max", "100");
}
END_TEST

START_TEST(unified_files_come_last_and_win)
{
	const struct cgroup_file files[] = { { "memory.max", "1000" },
					     { "misc.max", "a 1\nb 2\n" },
					     { "cgroup.max.depth", "" } };
	struct cgroup_limits l = { .memory_max = { true, 2000 },
				   .unified = files,
				   .unified_count = COUNT(files) };
	file("memory.max", "");
	file("misc.max", "");
	file("cgroup.max.depth", "");
	ck_assert_uint_eq(cgroup_limits_controllers(&l), CGROUP_MEMORY | CGROUP_MISC);
	ck_assert_int_eq(cgroup_apply_limits(&group, &l, &err), 0);
	is_written("memory.max", "1000");
	is_written("misc.max", "b 2");
	is_written("cgroup.max.depth", "\n");
}
END_TEST

START_TEST(unified_files_that_are_refused)
{
	static const struct {
		const char *file;
		int error;
		const char *text;
	} cases[] = {
		{ "cgroup.procs", EINVAL, "cgroup file \"cgroup.procs\" is not a limit" },
		{ "cgroup.threads", EINVAL, "cgroup file \"cgroup.threads\" is not a limit" },
		{ "cgroup.kill", EINVAL, "cgroup file \"cgroup.kill\" is not a limit" },
		{ "cgroup.freeze", EINVAL, "cgroup file \"cgroup.freeze\" is not a limit" },
		{ "cgroup.subtree_control", EINVAL,
		  "cgroup file \"cgroup.subtree_control\" is not a limit" },
		{ "../g/memory.max", EINVAL,
		  "cgroup file \"../g/memory.max\": expected a name such as memory.max" },
		{ "x.nothing", ENOENT, "x.nothing: this kernel has no such file in cgroup \"/g\"" },
	};
	controllers("", "");
	file("memory.max", "");
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct cgroup_file f = { cases[i].file, "1" };
		struct cgroup_limits l = { .unified = &f, .unified_count = 1 };
		if (i < 5)
			file(cases[i].file, "");
		ck_assert_int_eq(cgroup_apply_limits(&group, &l, &err), -cases[i].error);
		ck_assert_str_eq(err.text, cases[i].text);
		if (i < 5)
			is_written(cases[i].file, "");
	}
	is_written("memory.max", "");
}
END_TEST

START_TEST(nothing_asked_touches_nothing)
{
	const struct cgroup_limits l = { 0 };
	ck_assert_int_eq(cgroup_apply_limits(&group, &l, &err), 0);
	ck_assert_uint_eq(cgroup_limits_controllers(&l), 0);
}
END_TEST

/* ---- device programs ------------------------------------------------------------------------- */

struct request {
	uint32_t type, access, major, minor; /* as the kernel says them */
};

/* Runs what devices.c emits; any other instruction, or running off the end, is -1. */
static int run(const struct device_program *p, const struct request *q)
{
	const uint32_t context[3] = { q->access << 16 | q->type, q->major, q->minor };
	uint64_t r[11] = { 0 };
	for (size_t pc = 0, steps = 0; pc < p->count && steps < 100000; pc++, steps++) {
		const struct bpf_insn *i = &p->insns[pc];
		uint64_t imm = (uint64_t)(int64_t)i->imm;
		switch (i->code) {
		case BPF_LDX | BPF_MEM | BPF_W:
			if (i->src_reg != 1 || i->off < 0 || i->off % 4 || i->off > 8)
				return -1;
			r[i->dst_reg] = context[i->off / 4];
			break;
		case BPF_ALU | BPF_MOV | BPF_X:
			r[i->dst_reg] = (uint32_t)r[i->src_reg];
			break;
		case BPF_ALU | BPF_MOV | BPF_K:
			r[i->dst_reg] = (uint32_t)imm;
			break;
		case BPF_ALU | BPF_AND | BPF_K:
			r[i->dst_reg] = (uint32_t)(r[i->dst_reg] & imm);
			break;
		case BPF_ALU | BPF_RSH | BPF_K:
			r[i->dst_reg] = (uint32_t)r[i->dst_reg] >> imm;
			break;
		case BPF_JMP | BPF_JNE | BPF_K:
			pc += r[i->dst_reg] != imm ? (size_t)i->off : 0;
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += r[i->dst_reg] == imm ? (size_t)i->off : 0;
			break;
		case BPF_JMP | BPF_EXIT:
			return (int)r[0];
		default:
			return -1;
		}
	}
	return -1;
}

static unsigned in_kernel_words(unsigned access)
{
	return (access & CGROUP_DEV_MKNOD ? 1U : 0) | (access & CGROUP_DEV_READ ? 2U : 0) |
	       (access & CGROUP_DEV_WRITE ? 4U : 0);
}

/* The meaning: each access bit is decided by the last rule that fits the device and names it. */
static int meaning(const struct cgroup_device_rule *rules, size_t count, const struct request *q)
{
	for (unsigned bit = 1; bit <= 4; bit <<= 1) {
		bool allowed = false;
		for (size_t i = 0; i < count; i++) {
			const struct cgroup_device_rule *r = &rules[i];
			bool fits = (r->type == 'a' ||
				     r->type == (q->type == BPF_DEVCG_DEV_BLOCK ? 'b' : 'c')) &&
				    (r->major < 0 || r->major == q->major) &&
				    (r->minor < 0 || r->minor == q->minor);
			if (fits && (in_kernel_words(r->access) & bit))
				allowed = r->allow;
		}
		if ((q->access & bit) && !allowed)
			return 0;
	}
	return 1;
}

static void agree(const struct cgroup_device_rule *rules, size_t count)
{
	static const uint32_t numbers[] = { 0, 1, 3, 5, 136, 0xfff, 0xfffff };
	struct device_program p AUTO(device_program_free) = { 0 };
	ck_assert_int_eq(device_program_compile(rules, count, &p, &err), 0);
	for (uint32_t type = 1; type <= 2; type++)
		for (uint32_t access = 1; access <= 7; access++)
			for (size_t i = 0; i < COUNT(numbers) * COUNT(numbers); i++) {
				struct request q = { type, access, numbers[i % COUNT(numbers)],
						     numbers[i / COUNT(numbers)] };
				int wanted = meaning(rules, count, &q), got = run(&p, &q);
				ck_assert_msg(got == wanted,
					      "%zu rules, type %u access %u %u:%u: %d, wanted %d",
					      count, type, access, q.major, q.minor, got, wanted);
			}
}

START_TEST(device_rules_mean_what_they_say)
{
	enum { R = CGROUP_DEV_READ, W = CGROUP_DEV_WRITE, M = CGROUP_DEV_MKNOD, RWM = R | W | M };
	static const struct cgroup_device_rule rules[] = {
		{ true, 'c', -1, -1, M },    { true, 'b', -1, -1, M },
		{ true, 'c', 1, 3, RWM },    { true, 'c', 136, -1, RWM },
		{ true, 'c', 5, 0, R },	     { true, 'c', 5, 0, W },
		{ false, 'a', -1, -1, M },   { false, 'c', -1, 0xfff, R },
		{ true, 'a', 3, 1, 0 },	     { false, 'a', 3, 1, 0 },
		{ true, 'a', -1, -1, RWM },  { false, 'b', -1, -1, W },
		{ false, 'a', -1, -1, RWM }, { true, 'b', 0xfff, 0xfffff, R | W },
	};
	for (size_t count = 0; count <= COUNT(rules); count++)
		agree(rules, count);
	for (size_t from = 0; from < COUNT(rules); from++)
		agree(rules + from, COUNT(rules) - from);
}
END_TEST

START_TEST(random_device_rules_agree_with_the_meaning)
{
	static const int64_t numbers[] = { -1, 0, 1, 3, 5, 136, 0xfff, 0xfffff, INT32_MAX };
	unsigned seed = 20261124;
	for (int round = 0; round < 300; round++) {
		struct cgroup_device_rule rules[12];
		size_t count = (size_t)rand_r(&seed) % (COUNT(rules) + 1);
		for (size_t i = 0; i < count; i++)
			rules[i] = (struct cgroup_device_rule){
				.allow = rand_r(&seed) % 2,
				.type = "abc"[rand_r(&seed) % 3],
				.major = numbers[(size_t)rand_r(&seed) % COUNT(numbers)],
				.minor = numbers[(size_t)rand_r(&seed) % COUNT(numbers)],
				.access = (unsigned)rand_r(&seed) % 8,
			};
		agree(rules, count);
	}
}
END_TEST

START_TEST(devices_that_cannot_be_are_refused)
{
	static const struct cgroup_device_rule bad[] = {
		{ true, 'c', INT64_C(0x100000001), 3, 7 }, /* must not become 1:3 */
		{ true, 'c', 1, INT64_C(1) << 31, 7 },
		{ true, 'c', -2, 3, 7 },
		{ true, 'u', 1, 3, 7 },
		{ true, '\0', 1, 3, 7 },
	};
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct device_program p = { 0 };
		ck_assert_int_eq(device_program_compile(&bad[i], 1, &p, &err), -EINVAL);
		device_program_free(&p);
		ck_assert_int_eq(cgroup_set_devices(&group, &bad[i], 1, &err), -EINVAL);
	}
	struct device_program p = { 0 };
	ck_assert_int_eq(device_program_compile(bad, 1, &p, &err), -EINVAL);
	ck_assert_str_eq(err.text, "device rule: c 4294967297:3: there is no such device");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("cgroups");
	TCase *names = tcase_create("names");
	tcase_add_loop_test(names, bad_names_are_refused_by_name, 0, (int)COUNT(bad_paths));
	tcase_add_test(names, long_names_are_refused);
	tcase_add_test(names, mountinfo_lines);
	suite_add_tcase(suite, names);

	TCase *files = tcase_create("files");
	tcase_add_checked_fixture(files, set_up, tear_down);
	tcase_add_test(files, values_are_numbers_or_max);
	tcase_add_test(files, keys_are_whole_words);
	tcase_add_test(files, only_plain_names_are_written);
	tcase_add_test(files, waiting_ends_in_time_or_with_the_group);
	tcase_add_test(files, no_descriptors_is_not_empty);
	suite_add_tcase(suite, files);

	TCase *limits = tcase_create("limits");
	tcase_add_checked_fixture(limits, set_up, tear_down);
	tcase_add_loop_test(limits, plain_limit_is_written_to_its_file, 0, (int)COUNT(plain));
	tcase_add_loop_test(limits, plain_limit_without_controller, 0, (int)COUNT(plain));
	tcase_add_test(limits, a_missing_file_says_why);
	tcase_add_test(limits, memory_in_use_is_respected_when_asked);
	tcase_add_test(limits, cpu_max_keeps_the_half_that_is_not_given);
	tcase_add_test(limits, idle_and_weight_do_not_fight);
	tcase_add_test(limits, lines_of_devices);
	tcase_add_test(limits, rdma_devices_with_long_names_are_not_cut);
	tcase_add_test(limits, weight_at_birth_needs_no_controller);
	tcase_add_test(limits, weight_of_bfq_where_it_exists);
	tcase_add_test(limits, a_failed_update_changes_nothing);
	tcase_add_test(limits, unified_files_come_last_and_win);
	tcase_add_test(limits, unified_files_that_are_refused);
	tcase_add_test(limits, nothing_asked_touches_nothing);
	suite_add_tcase(suite, limits);

	TCase *devices = tcase_create("devices");
	tcase_set_timeout(devices, 60);
	tcase_add_test(devices, device_rules_mean_what_they_say);
	tcase_add_test(devices, random_device_rules_agree_with_the_meaning);
	tcase_add_checked_fixture(devices, set_up, tear_down);
	tcase_add_test(devices, devices_that_cannot_be_are_refused);
	suite_add_tcase(suite, devices);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}

/*
 * From linux.resources to the files of a group: documents applied to a directory of plain files
 * that stands for one. Among them what clients send to update a container, word for word.
 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "cgroups/cgroups.h"
#include "host/plan_build.h"

static char directory[] = "/tmp/test_resources.XXXXXX";
static struct cgroup group;
static struct csn_error err;

static const char *const files[] = {
	"memory.max",	   "memory.high",      "memory.low",
	"memory.swap.max", "memory.oom.group", "cpu.weight",
	"cpu.max",	   "cpu.max.burst",    "cpu.idle",
	"cpuset.cpus",	   "cpuset.mems",      "pids.max",
	"io.bfq.weight",   "io.max",	       "rdma.max",
	"hugetlb.2MB.max", "misc.max",	       "hugetlb.2MB.rsvd.max",
};

static void set_up(void)
{
	ck_assert_ptr_nonnull(mkdtemp(directory));
	group = (struct cgroup){ .dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
				 .path = strdup("/g"),
				 .fs_path = strdup(directory) };
	ck_assert_int_ge(group.dir, 0);
	for (size_t i = 0; i < COUNT(files); i++) {
		auto_fd fd = openat(group.dir, files[i], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
		ck_assert_int_ge(fd, 0);
	}
}

static void tear_down(void)
{
	for (size_t i = 0; i < COUNT(files); i++)
		(void)unlinkat(group.dir, files[i], 0);
	ck_assert_int_eq(rmdir(directory), 0);
	cgroup_close(&group);
	memcpy(directory + strlen(directory) - 6, "XXXXXX", 6);
}

/* Every file that was written to: "FILE=TEXT; ". */
static void written(char *buf, size_t size)
{
	size_t at = 0;
	buf[0] = '\0';
	for (size_t i = 0; i < COUNT(files); i++) {
		char text[256];
		auto_fd fd = openat(group.dir, files[i], O_RDONLY | O_CLOEXEC);
		ssize_t n = read(fd, text, sizeof text);
		ck_assert_int_ge(n, 0);
		if (n)
			at += (size_t)snprintf(buf + at, size - at, "%s%s=%.*s", at ? "; " : "",
					       files[i], (int)n, text);
	}
}

/* ' in the document stands for ". */
static int apply(const char *document)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct cgroup_limits limits = { 0 };
	struct spec *s = NULL;
	auto_mem char *text = strdup(document);
	for (char *c = text; (c = strchr(c, '\''));)
		*c = '"';
	int r = spec_parse_resources(text, strlen(text), "test", &s, &err);
	if (r == 0)
		r = resources_limits(&s->linux_.resources, &arena, &limits, &err);
	if (r == 0)
		r = cgroup_apply_limits(&group, &limits, &err);
	spec_free(s);
	return r;
}

static const struct {
	const char *document, *written;
} cases[] = {
	{ "{}", "" },
	/* memory */
	{ "{'memory':{'limit':4096}}", "memory.max=4096" },
	{ "{'memory':{'limit':0,'reservation':0,'swap':0}}", "" },
	{ "{'memory':{'limit':-1}}", "memory.max=max; memory.swap.max=max" },
	{ "{'memory':{'limit':-1,'swap':-1}}", "memory.max=max; memory.swap.max=max" },
	{ "{'memory':{'limit':-1,'swap':4096}}", "memory.max=max; memory.swap.max=4096" },
	{ "{'memory':{'limit':4096,'swap':4096}}", "memory.max=4096; memory.swap.max=0" },
	{ "{'memory':{'limit':4096,'swap':12288}}", "memory.max=4096; memory.swap.max=8192" },
	{ "{'memory':{'limit':4096,'swap':-1}}", "memory.max=4096; memory.swap.max=max" },
	{ "{'memory':{'swap':-1}}", "memory.swap.max=max" },
	{ "{'memory':{'reservation':4096}}", "memory.low=4096" },
	{ "{'memory':{'reservation':-1}}", "memory.low=max" },
	{ "{'memory':{'kernel':0,'kernelTCP':-1,'disableOOMKiller':false,'useHierarchy':true}}",
	  "" },
	/* cpu */
	{ "{'cpu':{'shares':0,'quota':0,'period':0}}", "" },
	{ "{'cpu':{'quota':20000}}", "cpu.max=20000 100000" },
	{ "{'cpu':{'quota':20000,'period':50000}}", "cpu.max=20000 50000" },
	{ "{'cpu':{'quota':-1}}", "cpu.max=max 100000" },
	{ "{'cpu':{'quota':20000,'burst':10000}}", "cpu.max=20000 100000; cpu.max.burst=10000" },
	{ "{'cpu':{'idle':1}}", "cpu.idle=1" },
	{ "{'cpu':{'idle':1,'shares':1024}}", "cpu.idle=1" },
	{ "{'cpu':{'idle':0,'shares':1024}}", "cpu.weight=100; cpu.idle=0" },
	{ "{'cpu':{'cpus':'0-1','mems':'0'}}", "cpuset.cpus=0-1; cpuset.mems=0" },
	{ "{'cpu':{'cpus':'','mems':''}}", "" },
	{ "{'cpu':{'realtimePeriod':0,'realtimeRuntime':0}}", "" },
	/* pids */
	{ "{'pids':{'limit':32}}", "pids.max=32" },
	{ "{'pids':{'limit':-1}}", "pids.max=max" },
	{ "{'pids':{'limit':0}}", "" },
	/* block I/O */
	{ "{'blockIO':{'weight':0,'leafWeight':0}}", "" },
	{ "{'blockIO':{'weight':10}}", "io.bfq.weight=10" },
	{ "{'blockIO':{'weightDevice':[{'major':8,'minor':16,'weight':500}]}}",
	  "io.bfq.weight=8:16 500" },
	{ "{'blockIO':{'throttleReadBpsDevice':[{'major':8,'minor':0,'rate':1048576}],"
	  "'throttleWriteBpsDevice':[{'major':8,'minor':0,'rate':2097152}],"
	  "'throttleReadIOPSDevice':[{'major':8,'minor':0,'rate':100}],"
	  "'throttleWriteIOPSDevice':[{'major':8,'minor':0,'rate':0}]}}",
	  "io.max=8:0 rbps=1048576 wbps=2097152 riops=100 wiops=max" },
	/* the rest */
	{ "{'hugepageLimits':[{'pageSize':'2MB','limit':4194304}]}",
	  "hugetlb.2MB.max=4194304; hugetlb.2MB.rsvd.max=4194304" },
	{ "{'rdma':{'mlx5_0':{'hcaHandles':3,'hcaObjects':4294967295}}}",
	  "rdma.max=mlx5_0 hca_handle=3 hca_object=max" },
	{ "{'unified':{'memory.high':'8192','misc.max':'res_a 3'}}",
	  "memory.high=8192; misc.max=res_a 3" },
	{ "{'memory':{'limit':4096},'unified':{'memory.max':'8192'}}", "memory.max=8192" },
	{ "{'network':{'classID':0,'priorities':[]}}", "" },
	/* What clients send to update a container: docker, */
	{ "{'memory':{'limit':67108864,'reservation':0,'swap':134217728,'kernel':0},"
	  "'cpu':{'shares':0,'quota':50000,'period':100000,'cpus':'','mems':''},"
	  "'pids':{'limit':100},'blockIO':{'weight':0}}",
	  "memory.max=67108864; memory.swap.max=67108864; cpu.max=50000 100000; pids.max=100" },
	{ "{'memory':{'limit':0,'reservation':0,'swap':0,'kernel':0},"
	  "'cpu':{'shares':512,'quota':0,'period':0,'cpus':'0','mems':''},"
	  "'blockIO':{'weight':0}}",
	  "cpu.weight=59; cpuset.cpus=0" },
	/* CRI-O, */
	{ "{'memory':{'limit':134217728,'swap':134217728},'cpu':{}}",
	  "memory.max=134217728; memory.swap.max=0" },
	/* the CRI of containerd, whose "deny all" is not for us, */
	{ "{'devices':[{'allow':false,'access':'rwm'}],"
	  "'memory':{'limit':536870912,'swap':536870912},"
	  "'cpu':{'shares':2048,'quota':100000,'period':100000,'cpus':'0','mems':'0'},"
	  "'unified':{'memory.oom.group':'1'}}",
	  "memory.max=536870912; memory.swap.max=0; memory.oom.group=1; cpu.weight=174; "
	  "cpu.max=100000 100000; cpuset.cpus=0; cpuset.mems=0" },
	/* podman. */
	{ "{'cpu':{'quota':150000,'period':100000},'memory':{'limit':1073741824,"
	  "'swap':2147483648},'pids':{'limit':2048},'blockIO':{'weight':200}}",
	  "memory.max=1073741824; memory.swap.max=1073741824; cpu.max=150000 100000; "
	  "pids.max=2048; io.bfq.weight=200" },
};

START_TEST(documents_become_files)
{
	char got[1024];
	ck_assert_msg(apply(cases[_i].document) == 0, "%s: %s", cases[_i].document, err.text);
	written(got, sizeof got);
	ck_assert_str_eq(got, cases[_i].written);
}
END_TEST

static const struct {
	const char *document;
	int error;
	const char *text;
} refused[] = {
	{ "{'memory':{'swap':4096}}", EINVAL, "linux.resources.memory.swap: needs memory.limit" },
	{ "{'memory':{'limit':4096,'swap':1}}", EINVAL,
	  "linux.resources.memory.swap: 1 is below memory.limit 4096 (it counts memory and swap "
	  "together)" },
	{ "{'memory':{'limit':-2}}", EINVAL,
	  "test: memory.limit: expected an integer from -1 to 9223372036854775807" },
	{ "{'memory':{'kernel':1}}", EOPNOTSUPP,
	  "linux.resources.memory.kernel: not supported by cgroup v2" },
	{ "{'memory':{'kernelTCP':1}}", EOPNOTSUPP,
	  "linux.resources.memory.kernelTCP: not supported by cgroup v2" },
	{ "{'memory':{'swappiness':60}}", EOPNOTSUPP,
	  "linux.resources.memory.swappiness: not supported by cgroup v2" },
	{ "{'memory':{'disableOOMKiller':true}}", EOPNOTSUPP,
	  "linux.resources.memory.disableOOMKiller: not supported by cgroup v2" },
	{ "{'cpu':{'realtimeRuntime':1}}", EOPNOTSUPP,
	  "linux.resources.cpu.realtimeRuntime: not supported by cgroup v2" },
	{ "{'cpu':{'realtimePeriod':1}}", EOPNOTSUPP,
	  "linux.resources.cpu.realtimePeriod: not supported by cgroup v2" },
	{ "{'cpu':{'idle':2}}", EINVAL, "test: cpu.idle: expected an integer from 0 to 1" },
	{ "{'blockIO':{'leafWeight':10}}", EOPNOTSUPP,
	  "linux.resources.blockIO.leafWeight: not supported by cgroup v2" },
	{ "{'blockIO':{'weight':9}}", EINVAL,
	  "linux.resources.blockIO.weight: expected an integer from 10 to 1000, not 9" },
	{ "{'blockIO':{'weight':1001}}", EINVAL,
	  "linux.resources.blockIO.weight: expected an integer from 10 to 1000, not 1001" },
	{ "{'blockIO':{'weightDevice':[{'major':8,'minor':0,'weight':1}]}}", EINVAL,
	  "linux.resources.blockIO.weightDevice[0].weight: expected an integer from 10 to 1000, "
	  "not 1" },
	{ "{'blockIO':{'weightDevice':[{'major':8,'minor':0,'leafWeight':10}]}}", EINVAL,
	  "linux.resources.blockIO.weightDevice[0].weight: is needed (cgroup v2 has no "
	  "leafWeight)" },
	{ "{'network':{'classID':1}}", EOPNOTSUPP,
	  "linux.resources.network.classID: not supported by cgroup v2" },
	{ "{'network':{'priorities':[{'name':'eth0','priority':1}]}}", EOPNOTSUPP,
	  "linux.resources.network.priorities: not supported by cgroup v2" },
	{ "{'rdma':{'mlx5_0':{}}}", EINVAL,
	  "linux.resources.rdma.mlx5_0: hcaHandles or hcaObjects is needed" },
	{ "{'unified':{'../memory.max':'1'}}", EINVAL,
	  "test: linux.resources.unified: \"../memory.max\" is no file of a cgroup (expected a "
	  "name such as memory.high)" },
	{ "{'unified':{'cgroup.procs':'1'}}", EINVAL,
	  "cgroup file \"cgroup.procs\" is not a limit" },
};

START_TEST(what_cannot_be_is_named)
{
	char got[1024];
	ck_assert_int_eq(apply(refused[_i].document), -refused[_i].error);
	ck_assert_str_eq(err.text, refused[_i].text);
	written(got, sizeof got);
	ck_assert_str_eq(got, "");
}
END_TEST

/* The curve's three fixed points, and points between from its formula in exact arithmetic:
 * ceil(10^((l^2 + 125 l) / 612 - 7/34)), l = log2(shares). */
START_TEST(weights_follow_the_curve)
{
	static const struct {
		uint64_t shares, weight;
	} points[] = {
		{ 1, 1 },
		{ 2, 1 },
		{ 3, 2 },
		{ 4, 2 },
		{ 5, 2 },
		{ 8, 3 },
		{ 10, 4 },
		{ 16, 5 },
		{ 51, 11 },
		{ 64, 12 },
		{ 100, 17 },
		{ 102, 17 },
		{ 128, 21 },
		{ 200, 29 },
		{ 204, 29 },
		{ 256, 35 },
		{ 300, 39 },
		{ 500, 58 },
		{ 512, 59 },
		{ 513, 59 },
		{ 700, 75 },
		{ 819, 84 },
		{ 1000, 99 },
		{ 1023, 100 },
		{ 1024, 100 },
		{ 1025, 101 },
		{ 1536, 138 },
		{ 2048, 174 },
		{ 3072, 240 },
		{ 4096, 303 },
		{ 5000, 356 },
		{ 8192, 532 },
		{ 10000, 627 },
		{ 16384, 942 },
		{ 32768, 1681 },
		{ 65536, 3023 },
		{ 100000, 4340 },
		{ 131072, 5478 },
		{ 200000, 7899 },
		{ 262143, 10000 },
		{ 262144, 10000 },
		{ 262145, 10000 },
		{ 1099511627776, 10000 },
	};
	for (size_t i = 0; i < COUNT(points); i++) {
		struct arena arena AUTO(arena_free) = { 0 };
		struct cgroup_limits limits = { 0 };
		struct spec_resources r = { .cpu.shares = { true, points[i].shares } };
		ck_assert_int_eq(resources_limits(&r, &arena, &limits, &err), 0);
		ck_assert_msg(limits.cpu_weight.set && limits.cpu_weight.value == points[i].weight,
			      "%llu shares: weight %llu, not %llu",
			      (unsigned long long)points[i].shares,
			      (unsigned long long)limits.cpu_weight.value,
			      (unsigned long long)points[i].weight);
	}
}
END_TEST

/* More shares are never less weight, and every weight is one that the kernel takes. */
START_TEST(weights_never_fall)
{
	uint64_t before = 0;
	for (uint64_t shares = 1; shares <= 262144 + 3; shares += 1 + shares / 4096) {
		struct arena arena AUTO(arena_free) = { 0 };
		struct cgroup_limits limits = { 0 };
		struct spec_resources r = { .cpu.shares = { true, shares } };
		ck_assert_int_eq(resources_limits(&r, &arena, &limits, &err), 0);
		ck_assert_uint_ge(limits.cpu_weight.value, before);
		before = limits.cpu_weight.value;
		ck_assert_uint_ge(before, 1);
		ck_assert_uint_le(before, 10000);
	}
	ck_assert_uint_eq(before, 10000);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("resources");
	TCase *tables = tcase_create("tables");
	tcase_add_checked_fixture(tables, set_up, tear_down);
	tcase_add_loop_test(tables, documents_become_files, 0, (int)COUNT(cases));
	tcase_add_loop_test(tables, what_cannot_be_is_named, 0, (int)COUNT(refused));
	tcase_add_test(tables, weights_follow_the_curve);
	tcase_add_test(tables, weights_never_fall);
	suite_add_tcase(suite, tables);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

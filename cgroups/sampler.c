/*
 * A sampler: which files a group has is found out once, then each sample is one pread(2) a file.
 * The rows below are in the order of their use: when not all files may be kept open, the last ones
 * are opened for each sample.
 *
 * A file that is not there (a controller that is off, an older kernel) is not asked for again. One
 * that fails with ENODEV is of a group that was removed.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "cgroups/stats.h"

static const struct stats_key cpu_stat[] = {
	{ "usage_usec", CSN_CPU_USAGE },
	{ "user_usec", CSN_CPU_USER },
	{ "system_usec", CSN_CPU_SYSTEM },
	{ "nice_usec", CSN_CPU_NICE }, /* 6.13 */
	{ "core_sched.force_idle_usec", CSN_CPU_FORCE_IDLE },
	{ "nr_periods", CSN_CPU_PERIODS },
	{ "nr_throttled", CSN_CPU_THROTTLED_PERIODS },
	{ "throttled_usec", CSN_CPU_THROTTLED },
	{ "nr_bursts", CSN_CPU_BURSTS },
	{ "burst_usec", CSN_CPU_BURST },
	{ NULL, 0 },
};
static const struct stats_key cpu_stat_local[] = { { "throttled_usec", CSN_CPU_LOCAL_THROTTLED },
						   { NULL, 0 } };
static const struct stats_key memory_events[] = {
	{ "low", CSN_MEMORY_LOW_EVENTS },
	{ "high", CSN_MEMORY_HIGH_EVENTS },
	{ "max", CSN_MEMORY_MAX_EVENTS },
	{ "oom", CSN_MEMORY_OOM_EVENTS },
	{ "oom_kill", CSN_MEMORY_OOM_KILLS },
	{ "oom_group_kill", CSN_MEMORY_OOM_GROUP_KILLS },
	{ NULL, 0 },
};
static const struct stats_key memory_events_local[] = {
	{ "low", CSN_MEMORY_LOCAL_LOW_EVENTS },
	{ "high", CSN_MEMORY_LOCAL_HIGH_EVENTS },
	{ "max", CSN_MEMORY_LOCAL_MAX_EVENTS },
	{ "oom", CSN_MEMORY_LOCAL_OOM_EVENTS },
	{ "oom_kill", CSN_MEMORY_LOCAL_OOM_KILLS },
	{ "oom_group_kill", CSN_MEMORY_LOCAL_OOM_GROUP_KILLS },
	{ NULL, 0 },
};
static const struct stats_key swap_events[] = {
	{ "high", CSN_MEMORY_SWAP_HIGH_EVENTS },
	{ "max", CSN_MEMORY_SWAP_MAX_EVENTS },
	{ "fail", CSN_MEMORY_SWAP_FAIL_EVENTS },
	{ NULL, 0 },
};
static const struct stats_key pids_events[] = { { "max", CSN_PIDS_MAX_EVENTS }, { NULL, 0 } };
static const struct stats_key cgroup_events[] = {
	{ "populated", CSN_GROUP_POPULATED },
	{ "frozen", CSN_GROUP_FROZEN },
	{ NULL, 0 },
};
static const struct stats_key cgroup_stat[] = {
	{ "nr_descendants", CSN_GROUP_DESCENDANTS },
	{ "nr_dying_descendants", CSN_GROUP_DYING_DESCENDANTS },
	{ NULL, 0 },
};
static const struct stats_key io_stat[] = {
	{ "rbytes", CSN_IO_READ_BYTES },
	{ "wbytes", CSN_IO_WRITE_BYTES },
	{ "rios", CSN_IO_READS },
	{ "wios", CSN_IO_WRITES },
	{ "dbytes", CSN_IO_DISCARD_BYTES },
	{ "dios", CSN_IO_DISCARDS },
	{ NULL, 0 },
};
static const struct stats_key io_max[] = {
	{ "rbps", CSN_IO_READ_BYTES_MAX },
	{ "wbps", CSN_IO_WRITE_BYTES_MAX },
	{ "riops", CSN_IO_READS_MAX },
	{ "wiops", CSN_IO_WRITES_MAX },
	{ NULL, 0 },
};
static const struct stats_key rdma_current[] = { { "hca_handle", CSN_RDMA_HANDLES },
						 { "hca_object", CSN_RDMA_OBJECTS },
						 { NULL, 0 } };
static const struct stats_key rdma_max[] = { { "hca_handle", CSN_RDMA_HANDLES_MAX },
					     { "hca_object", CSN_RDMA_OBJECTS_MAX },
					     { NULL, 0 } };
static const struct stats_key hugetlb_events[] = { { "max", CSN_HUGETLB_MAX_EVENTS }, { NULL, 0 } };
static const struct stats_key numa_stat[] = {
	{ "anon", CSN_NUMA_ANON },
	{ "file", CSN_NUMA_FILE },
	{ "kernel_stack", CSN_NUMA_KERNEL_STACK },
	{ "pagetables", CSN_NUMA_PAGETABLES },
	{ "shmem", CSN_NUMA_SHMEM },
	{ "file_mapped", CSN_NUMA_FILE_MAPPED },
	{ "file_dirty", CSN_NUMA_FILE_DIRTY },
	{ "file_writeback", CSN_NUMA_FILE_WRITEBACK },
	{ "swapcached", CSN_NUMA_SWAPCACHED },
	{ "inactive_anon", CSN_NUMA_INACTIVE_ANON },
	{ "active_anon", CSN_NUMA_ACTIVE_ANON },
	{ "inactive_file", CSN_NUMA_INACTIVE_FILE },
	{ "active_file", CSN_NUMA_ACTIVE_FILE },
	{ "unevictable", CSN_NUMA_UNEVICTABLE },
	{ "slab_reclaimable", CSN_NUMA_SLAB_RECLAIMABLE },
	{ "slab_unreclaimable", CSN_NUMA_SLAB_UNRECLAIMABLE },
	{ NULL, 0 },
};

#define ONE(name, table, column)                                                                   \
	{                                                                                          \
		name, CSN_TABLE_##table, parse_single, CSN_##table##_##column, NULL                \
	}
#define KEYS(name, table, keys)                                                                    \
	{                                                                                          \
		name, CSN_TABLE_##table, parse_keyed, 0, keys                                      \
	}
/* cpu.stat is first: the time of the sample is taken just before it. */
static const struct stats_file files[] = {
	KEYS("cpu.stat", CPU, cpu_stat),
	ONE("memory.current", MEMORY, CURRENT),
	{ "memory.stat", CSN_TABLE_MEMORY_STAT, parse_all, CSN_MEMORY_STAT_VALUE, NULL },
	{ "io.stat", CSN_TABLE_IO, parse_devices, 0, io_stat },
	ONE("pids.current", PIDS, CURRENT),
	ONE("memory.max", MEMORY, MAX),
	ONE("pids.max", PIDS, MAX),
	{ "cpuset.cpus.effective", CSN_TABLE_CPU, parse_cpus, 0, NULL },
	KEYS("memory.events", MEMORY, memory_events),
	ONE("memory.swap.current", MEMORY, SWAP_CURRENT),
	ONE("memory.peak", MEMORY, PEAK), /* 5.19 */
	{ "cpu.pressure", CSN_TABLE_PRESSURE, parse_pressure, 0, NULL },
	{ "memory.pressure", CSN_TABLE_PRESSURE, parse_pressure, 0, NULL },
	{ "io.pressure", CSN_TABLE_PRESSURE, parse_pressure, 0, NULL },
	{ "irq.pressure", CSN_TABLE_PRESSURE, parse_pressure, 0, NULL }, /* 6.1 */
	KEYS("cgroup.events", GROUP, cgroup_events),
	KEYS("cgroup.stat", GROUP, cgroup_stat),
	{ "cpu.max", CSN_TABLE_CPU, parse_cpu_max, 0, NULL },
	ONE("cpu.weight", CPU, WEIGHT),
	KEYS("cpu.stat.local", CPU, cpu_stat_local), /* 6.10 */
	ONE("memory.high", MEMORY, HIGH),
	ONE("memory.low", MEMORY, LOW),
	ONE("memory.min", MEMORY, MIN),
	ONE("memory.swap.max", MEMORY, SWAP_MAX),
	ONE("memory.swap.high", MEMORY, SWAP_HIGH),
	ONE("memory.swap.peak", MEMORY, SWAP_PEAK), /* 6.5 */
	ONE("memory.zswap.current", MEMORY, ZSWAP_CURRENT),
	ONE("memory.zswap.max", MEMORY, ZSWAP_MAX),
	KEYS("memory.events.local", MEMORY, memory_events_local),
	KEYS("memory.swap.events", MEMORY, swap_events),
	ONE("pids.peak", PIDS, PEAK), /* 6.6 */
	KEYS("pids.events", PIDS, pids_events),
	{ "io.max", CSN_TABLE_IO, parse_devices, 0, io_max },
	{ "io.weight", CSN_TABLE_IO, parse_weights, CSN_IO_WEIGHT, NULL },
	{ "io.bfq.weight", CSN_TABLE_IO, parse_weights, CSN_IO_BFQ_WEIGHT, NULL },
	{ "rdma.current", CSN_TABLE_RDMA, parse_devices, 0, rdma_current },
	{ "rdma.max", CSN_TABLE_RDMA, parse_devices, 0, rdma_max },
	{ "misc.current", CSN_TABLE_MISC, parse_labelled, CSN_MISC_CURRENT, NULL },
	{ "misc.max", CSN_TABLE_MISC, parse_labelled, CSN_MISC_MAX, NULL },
	{ "misc.peak", CSN_TABLE_MISC, parse_labelled, CSN_MISC_PEAK, NULL }, /* 6.11 */
	{ "misc.events", CSN_TABLE_MISC, parse_labelled, CSN_MISC_MAX_EVENTS, NULL },
	{ "memory.numa_stat", CSN_TABLE_NUMA, parse_numa, 0, numa_stat },
};
/* For each page size: hugetlb.2MB.current and so on. */
static const struct stats_file hugetlb_files[] = {
	ONE(".current", HUGETLB, CURRENT),
	ONE(".max", HUGETLB, MAX),
	ONE(".rsvd.current", HUGETLB, RESERVED_CURRENT),
	ONE(".rsvd.max", HUGETLB, RESERVED_MAX),
	KEYS(".events", HUGETLB, hugetlb_events),
};

struct sampled_file {
	const struct stats_file *kind;
	int fd; /* -1: opened for each sample */
	char name[48];
	char label[16]; /* page size */
};

struct cgroup_sampler {
	int dir; /* for files that are not kept open */
	int net; /* -1: no network of its own */
	struct sampled_file *files;
	size_t count, capacity;
	unsigned kept;
	uint64_t cpus_of_host;
	/* The sample before. */
	bool has_last;
	uint64_t last_usage, last_cpus;
	int64_t last_time;
	/* What is read; as large as the largest file was. */
	char *text;
	size_t text_size;
};

/* ---- opening ----------------------------------------------------------------------------------
 */

static int add_file(struct cgroup_sampler *s, const struct stats_file *kind, const char *name,
		    const char *label, unsigned *files_left)
{
	auto_fd fd = openat(s->dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == EMFILE || errno == ENFILE || errno == ENOMEM ? -errno : 0;
	if (s->count == s->capacity) {
		size_t capacity = s->capacity ? s->capacity * 2 : 16;
		struct sampled_file *grown = reallocarray(s->files, capacity, sizeof *grown);
		if (!grown)
			return -ENOMEM;
		s->files = grown;
		s->capacity = capacity;
	}
	struct sampled_file *f = &s->files[s->count++];
	*f = (struct sampled_file){ .kind = kind, .fd = -1 };
	(void)snprintf(f->name, sizeof f->name, "%s", name);
	(void)snprintf(f->label, sizeof f->label, "%s", label);
	if (*files_left) {
		(*files_left)--;
		s->kept++;
		f->fd = take_fd(&fd);
	}
	return 0;
}

static int add_page_size(struct cgroup_sampler *s, const char *size, unsigned *files_left)
{
	char name[48];
	for (size_t i = 0; i < COUNT(hugetlb_files); i++) {
		(void)snprintf(name, sizeof name, "hugetlb.%s%s", size, hugetlb_files[i].name);
		TRY(add_file(s, &hugetlb_files[i], name, size, files_left));
	}
	return 0;
}

static void close_dir(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

/* The page sizes are those for which there is a hugetlb.SIZE.current. */
static int add_page_sizes(struct cgroup_sampler *s, unsigned *files_left)
{
	int copy = openat(s->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d AUTO(close_dir)
	= copy < 0 ? NULL : fdopendir(copy);
	if (!d) {
		close_fd(&copy);
		return -errno;
	}
	for (struct dirent *e; (e = readdir(d));) {
		char size[16], rest[16];
		/* Groups of the workload's own making may have any name. */
		if (e->d_type == DT_REG &&
		    sscanf(e->d_name, "hugetlb.%15[0-9A-Z].%15s", size, rest) == 2 &&
		    strcmp(rest, "current") == 0)
			TRY(add_page_size(s, size, files_left));
	}
	return 0;
}

static int add_files(struct cgroup_sampler *s, unsigned tables, unsigned *files_left)
{
	/* The working set needs memory.stat. */
	if (tables & 1U << CSN_TABLE_MEMORY)
		tables |= 1U << CSN_TABLE_MEMORY_STAT;
	for (size_t i = 0; i < COUNT(files); i++)
		if (tables & 1U << files[i].table)
			TRY(add_file(s, &files[i], files[i].name, "", files_left));
	return tables & 1U << CSN_TABLE_HUGETLB ? add_page_sizes(s, files_left) : 0;
}

void cgroup_sampler_close(struct cgroup_sampler *s, unsigned *files_left)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->count; i++)
		close_fd(&s->files[i].fd);
	close_fd(&s->dir);
	close_fd(&s->net);
	*files_left += s->kept;
	free(s->files);
	free(s->text);
	free(s);
}

int cgroup_sampler_open(const struct cgroup *cg, pid_t pid, unsigned tables, unsigned *files_left,
			struct cgroup_sampler **ret, struct csn_error *err)
{
	struct cgroup_sampler *s = calloc(1, sizeof *s);
	if (!s)
		return fail(err, ENOMEM, "out of memory");
	s->net = -1;
	s->dir = openat(cg->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = s->dir < 0 ? -errno : add_files(s, tables, files_left);
	if (r < 0) {
		cgroup_sampler_close(s, files_left);
		return fail(err, -r, "cgroup \"%s\": %s", cg->path, strerror(-r));
	}
	if (pid && tables & 1U << CSN_TABLE_NETWORK)
		s->net = netdev_open(pid);
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	s->cpus_of_host = cpus > 0 ? (uint64_t)cpus : 1;
	*ret = s;
	return 0;
}

/* ---- sampling ---------------------------------------------------------------------------------
 */

/* The whole file as text in s->text. Bytes read or -errno. */
static ssize_t read_whole(struct cgroup_sampler *s, int fd)
{
	for (;;) {
		ssize_t n = s->text_size ? pread(fd, s->text, s->text_size - 1, 0) : 0;
		if (n < 0)
			return -errno;
		if (s->text_size && (size_t)n < s->text_size - 1) {
			s->text[n] = '\0';
			return n;
		}
		size_t size = s->text_size ? s->text_size * 2 : 4096;
		char *grown = realloc(s->text, size);
		if (!grown)
			return -ENOMEM;
		s->text = grown;
		s->text_size = size;
	}
}

/* -ENOENT: the group is gone. Any other failure of a file is its own. */
static int sample_file(struct cgroup_sampler *s, const struct sampled_file *f,
		       struct csn_stats *stats)
{
	auto_fd opened =
		f->fd >= 0 ? -1 : openat(s->dir, f->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	int fd = f->fd >= 0 ? f->fd : opened;
	ssize_t n = fd >= 0 ? read_whole(s, fd) : -errno;
	if (n == -ENODEV || n == -ENOENT)
		return -ENOENT;
	if (n == -ENOMEM || n == -EMFILE || n == -ENFILE)
		return (int)n;
	return n < 0 ? 0 : f->kind->parse(f->kind, f->label, s->text, stats);
}

/* CPU time in an interval is at most the interval on each CPU: the clock and cpu.stat are read a
 * moment apart, so that is seen to. */
static void add_percent(struct cgroup_sampler *s, struct csn_stats *stats)
{
	uint64_t usage, cpus = s->cpus_of_host;
	if (!csn_stats_value(stats, CSN_TABLE_CPU, 0, CSN_CPU_USAGE, &usage))
		return;
	if (!csn_stats_value(stats, CSN_TABLE_CPU, 0, CSN_CPU_CPUS, &cpus))
		stats_set(stats, CSN_TABLE_CPU, 0, CSN_CPU_CPUS, cpus);

	int64_t ns = stats->time_ns - s->last_time;
	if (s->has_last && ns > 0) {
		/* An update may have changed the CPUs in between: the more of both. */
		double most = 100.0 * (double)(cpus > s->last_cpus ? cpus : s->last_cpus);
		double used = usage > s->last_usage ? (double)(usage - s->last_usage) : 0;
		double percent = used * 1000 * 100 / (double)ns;
		stats->cpu_percent = percent < most ? percent : most;
		stats->has_cpu_percent = true;
	}
	s->has_last = true;
	s->last_usage = usage;
	s->last_cpus = cpus;
	s->last_time = stats->time_ns;
}

int cgroup_sampler_read(struct cgroup_sampler *s, struct csn_stats *ret, struct csn_error *err)
{
	struct timespec now;
	stats_clear(ret);
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	ret->time_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
	int r = 0;
	for (size_t i = 0; r == 0 && i < s->count; i++)
		r = sample_file(s, &s->files[i], ret);
	/* A network that cannot be read now is left out: its process has ended. */
	if (r == 0 && s->net >= 0 && read_whole(s, s->net) > 0)
		r = netdev_parse(s->text, ret);
	if (r == -ENOENT)
		return fail(err, ENOENT, "the group is gone");
	if (r < 0)
		return fail(err, -r, "sample: %s", strerror(-r));
	add_percent(s, ret);
	return 0;
}

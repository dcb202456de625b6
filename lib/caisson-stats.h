/*
 * libcaisson: statistics of containers. The conventions are those of caisson.h.
 *
 * A sample is a set of tables with columns of numbers. Some tables have one row, about the
 * container as a whole; others have a row for each device, interface and so on, which its label
 * names. A number is there or it is not: controllers may be off, kernels old.
 *
 * CSN_NO_LIMIT stands in a limit's place where there is none.
 */
#ifndef CAISSON_STATS_H
#define CAISSON_STATS_H

#include "caisson.h"

#ifdef __cplusplus
extern "C" {
#endif

#define CSN_NO_LIMIT UINT64_MAX

enum csn_table {
	CSN_TABLE_CPU,
	CSN_TABLE_MEMORY,
	CSN_TABLE_PIDS,
	CSN_TABLE_GROUP,       /* the cgroup itself */
	CSN_TABLE_PRESSURE,    /* rows "cpu", "memory", "io", "irq" */
	CSN_TABLE_IO,	       /* a row a device: "8:0" */
	CSN_TABLE_NETWORK,     /* a row an interface, as the container sees it: "eth0" */
	CSN_TABLE_HUGETLB,     /* a row a page size: "2MB" */
	CSN_TABLE_RDMA,	       /* a row a device */
	CSN_TABLE_MISC,	       /* a row a resource */
	CSN_TABLE_MEMORY_STAT, /* a row a line of memory.stat: whatever this kernel counts */
	CSN_TABLE_NUMA,	       /* a row a node: "N0" */
	CSN_TABLES
};

enum csn_cpu_column {
	CSN_CPU_USAGE, /* of all its processes, also those that are gone */
	CSN_CPU_USER,
	CSN_CPU_SYSTEM,
	CSN_CPU_NICE,
	CSN_CPU_FORCE_IDLE,
	CSN_CPU_PERIODS, /* of its bandwidth limit */
	CSN_CPU_THROTTLED_PERIODS,
	CSN_CPU_THROTTLED,
	CSN_CPU_BURSTS,
	CSN_CPU_BURST,
	CSN_CPU_LOCAL_THROTTLED, /* by this group's own limit, not by one above it */
	CSN_CPU_QUOTA,		 /* of each period */
	CSN_CPU_PERIOD,
	CSN_CPU_WEIGHT,
	CSN_CPU_CPUS, /* on which it may run */
};
enum csn_memory_column {
	CSN_MEMORY_CURRENT,
	CSN_MEMORY_WORKING_SET, /* current without file pages that could go at once */
	CSN_MEMORY_PEAK,
	CSN_MEMORY_MAX,
	CSN_MEMORY_HIGH,
	CSN_MEMORY_LOW,
	CSN_MEMORY_MIN,
	CSN_MEMORY_SWAP_CURRENT,
	CSN_MEMORY_SWAP_PEAK,
	CSN_MEMORY_SWAP_MAX,
	CSN_MEMORY_SWAP_HIGH,
	CSN_MEMORY_ZSWAP_CURRENT,
	CSN_MEMORY_ZSWAP_MAX,
	CSN_MEMORY_LOW_EVENTS, /* memory.events: of this group and those below it */
	CSN_MEMORY_HIGH_EVENTS,
	CSN_MEMORY_MAX_EVENTS,
	CSN_MEMORY_OOM_EVENTS,
	CSN_MEMORY_OOM_KILLS, /* processes that the OOM killer ended */
	CSN_MEMORY_OOM_GROUP_KILLS,
	CSN_MEMORY_LOCAL_LOW_EVENTS, /* memory.events.local: of this group alone */
	CSN_MEMORY_LOCAL_HIGH_EVENTS,
	CSN_MEMORY_LOCAL_MAX_EVENTS,
	CSN_MEMORY_LOCAL_OOM_EVENTS,
	CSN_MEMORY_LOCAL_OOM_KILLS,
	CSN_MEMORY_LOCAL_OOM_GROUP_KILLS,
	CSN_MEMORY_SWAP_HIGH_EVENTS,
	CSN_MEMORY_SWAP_MAX_EVENTS,
	CSN_MEMORY_SWAP_FAIL_EVENTS,
};
enum csn_pids_column { CSN_PIDS_CURRENT, CSN_PIDS_PEAK, CSN_PIDS_MAX, CSN_PIDS_MAX_EVENTS };
enum csn_group_column {
	CSN_GROUP_POPULATED, /* 1: there are processes in it */
	CSN_GROUP_FROZEN,    /* 1: all of them are frozen */
	CSN_GROUP_DESCENDANTS,
	CSN_GROUP_DYING_DESCENDANTS,
};
enum csn_pressure_column {
	CSN_PRESSURE_SOME_AVG10, /* share of the time in which some waited, in the last 10 s */
	CSN_PRESSURE_SOME_AVG60,
	CSN_PRESSURE_SOME_AVG300,
	CSN_PRESSURE_SOME_TOTAL,
	CSN_PRESSURE_FULL_AVG10, /* in which all waited */
	CSN_PRESSURE_FULL_AVG60,
	CSN_PRESSURE_FULL_AVG300,
	CSN_PRESSURE_FULL_TOTAL,
};
enum csn_io_column {
	CSN_IO_READ_BYTES,
	CSN_IO_WRITE_BYTES,
	CSN_IO_READS,
	CSN_IO_WRITES,
	CSN_IO_DISCARD_BYTES,
	CSN_IO_DISCARDS,
	CSN_IO_READ_BYTES_MAX, /* a second */
	CSN_IO_WRITE_BYTES_MAX,
	CSN_IO_READS_MAX,
	CSN_IO_WRITES_MAX,
	CSN_IO_WEIGHT, /* also in a row "default" */
	CSN_IO_BFQ_WEIGHT,
};
enum csn_network_column {
	CSN_NETWORK_RX_BYTES,
	CSN_NETWORK_RX_PACKETS,
	CSN_NETWORK_RX_ERRORS,
	CSN_NETWORK_RX_DROPPED,
	CSN_NETWORK_TX_BYTES,
	CSN_NETWORK_TX_PACKETS,
	CSN_NETWORK_TX_ERRORS,
	CSN_NETWORK_TX_DROPPED,
};
enum csn_hugetlb_column {
	CSN_HUGETLB_CURRENT,
	CSN_HUGETLB_MAX,
	CSN_HUGETLB_RESERVED_CURRENT,
	CSN_HUGETLB_RESERVED_MAX,
	CSN_HUGETLB_MAX_EVENTS,
};
enum csn_rdma_column {
	CSN_RDMA_HANDLES,
	CSN_RDMA_OBJECTS,
	CSN_RDMA_HANDLES_MAX,
	CSN_RDMA_OBJECTS_MAX,
};
enum csn_misc_column {
	CSN_MISC_CURRENT,
	CSN_MISC_PEAK,
	CSN_MISC_MAX,
	CSN_MISC_MAX_EVENTS,
};
enum csn_memory_stat_column { CSN_MEMORY_STAT_VALUE };
enum csn_numa_column {
	CSN_NUMA_ANON,
	CSN_NUMA_FILE,
	CSN_NUMA_KERNEL_STACK,
	CSN_NUMA_PAGETABLES,
	CSN_NUMA_SHMEM,
	CSN_NUMA_FILE_MAPPED,
	CSN_NUMA_FILE_DIRTY,
	CSN_NUMA_FILE_WRITEBACK,
	CSN_NUMA_SWAPCACHED,
	CSN_NUMA_INACTIVE_ANON,
	CSN_NUMA_ACTIVE_ANON,
	CSN_NUMA_INACTIVE_FILE,
	CSN_NUMA_ACTIVE_FILE,
	CSN_NUMA_UNEVICTABLE,
	CSN_NUMA_SLAB_RECLAIMABLE,
	CSN_NUMA_SLAB_UNRECLAIMABLE,
};

enum csn_kind {
	CSN_KIND_COUNTER, /* only grows while the container runs */
	CSN_KIND_GAUGE,
	CSN_KIND_LIMIT, /* a gauge that may be CSN_NO_LIMIT */
};
enum csn_unit {
	CSN_UNIT_COUNT,
	CSN_UNIT_BYTES,
	CSN_UNIT_MICROSECONDS,
	CSN_UNIT_HUNDREDTHS_OF_PERCENT,
};
struct csn_column {
	const char *name; /* "usage" */
	const char *help; /* a sentence */
	enum csn_kind kind;
	enum csn_unit unit;
};
/* "cpu"; NULL: there is no such table. */
CSN_API const char *csn_table_name(enum csn_table table);
/* What a row's label is: "device"; NULL for tables of one row. */
CSN_API const char *csn_table_label(enum csn_table table);
/* NULL: there is no such column, nor any behind it. */
CSN_API const struct csn_column *csn_table_column(enum csn_table table, unsigned column);

/* One sample of one container. */
struct csn_stats;
CSN_API const char *csn_stats_id(const struct csn_stats *stats);
CSN_API const char *csn_stats_name(const struct csn_stats *stats);
CSN_API const char *csn_stats_image(const struct csn_stats *stats);
/* When it was taken: CLOCK_MONOTONIC, one time for all of it. */
CSN_API int64_t csn_stats_time_ns(const struct csn_stats *stats);
CSN_API size_t csn_stats_rows(const struct csn_stats *stats, enum csn_table table);
/* "" in tables of one row. */
CSN_API const char *csn_stats_row_label(const struct csn_stats *stats, enum csn_table table,
					size_t row);
/* False: the number is not there; *ret is untouched. */
CSN_API bool csn_stats_value(const struct csn_stats *stats, enum csn_table table, size_t row,
			     unsigned column, uint64_t *ret);
/* CPU time since the sample before in percent of one CPU: from 0 to 100 for each CPU that it could
 * run on. False for a first sample. */
CSN_API bool csn_stats_cpu_percent(const struct csn_stats *stats, double *ret);
/* Working set (else all of its memory) in percent of its limit, from 0 to 100. False: no limit. */
CSN_API bool csn_stats_memory_percent(const struct csn_stats *stats, double *ret);
CSN_API void csn_stats_free(struct csn_stats *stats);

/* One sample of a running container; csn_stats_free() it. -ESRCH: not running. */
CSN_API int csn_container_stats(struct csn_runtime *rt, const char *container,
				struct csn_stats **ret, struct csn_error *err) CSN_MUST_CHECK;

/* Many containers, again and again, with their files kept open. */
struct csn_sampler_options {
	size_t size;
	const char *const *containers; /* ends with NULL; NULL: whichever run */
	unsigned tables;	       /* 1 << CSN_TABLE_CPU and so on; 0: all of them */
	unsigned max_files; /* to keep open; 0: half of what the process may have (RLIMIT_NOFILE).
			     * What is beyond is opened for each sample, which takes longer. */
};
#define CSN_SAMPLER_OPTIONS_INIT                                                                   \
	{                                                                                          \
		sizeof(struct csn_sampler_options), NULL, 0, 0                                     \
	}
struct csn_sampler;
CSN_API int csn_sampler_open(struct csn_runtime *rt, const struct csn_sampler_options *options,
			     struct csn_sampler **ret, struct csn_error *err) CSN_MUST_CHECK;
/* Samples those that run now: how many. Named ones that do not run are left out until they do. */
CSN_API int csn_sampler_take(struct csn_sampler *sampler, struct csn_error *err) CSN_MUST_CHECK;
/* Owned by the sampler, until the next csn_sampler_take(). NULL: index is not less than that many.
 */
CSN_API const struct csn_stats *csn_sampler_get(const struct csn_sampler *sampler, size_t index);
CSN_API void csn_sampler_close(struct csn_sampler *sampler);

/* One container, at an interval (at least 1 ms), until it ends; the first sample comes at once. */
struct csn_stats_stream;
CSN_API int csn_stats_stream_open(struct csn_runtime *rt, const char *container, int interval_ms,
				  struct csn_stats_stream **ret,
				  struct csn_error *err) CSN_MUST_CHECK;
/* The next sample, owned by the stream until the next call: 1. 0: the container has ended.
 * -EAGAIN: none is due within timeout_ms (0: do not wait). */
CSN_API int csn_stats_stream_next(struct csn_stats_stream *stream, int timeout_ms,
				  const struct csn_stats **ret,
				  struct csn_error *err) CSN_MUST_CHECK;
/* An fd (owned by the stream) that is readable when csn_stats_stream_next has an answer. */
CSN_API int csn_stats_stream_fd(const struct csn_stats_stream *stream);
CSN_API void csn_stats_stream_close(struct csn_stats_stream *stream);

#ifdef __cplusplus
}
#endif

#endif

/* What the tables of a sample and their columns are called. The order is that of caisson.h. */
#include <stddef.h>

#include "base/cleanup.h"
#include "cgroups/stats.h"

#define COUNTER CSN_KIND_COUNTER
#define GAUGE	CSN_KIND_GAUGE
#define LIMIT	CSN_KIND_LIMIT
#define NUMBER	CSN_UNIT_COUNT
#define BYTES	CSN_UNIT_BYTES
#define USEC	CSN_UNIT_MICROSECONDS
#define PERCENT CSN_UNIT_HUNDREDTHS_OF_PERCENT

static const struct csn_column cpu[] = {
	[CSN_CPU_USAGE] = { "usage", "CPU time used", COUNTER, USEC },
	[CSN_CPU_USER] = { "user", "CPU time used in user mode", COUNTER, USEC },
	[CSN_CPU_SYSTEM] = { "system", "CPU time used in kernel mode", COUNTER, USEC },
	[CSN_CPU_NICE] = { "nice", "CPU time used in user mode by niced processes", COUNTER, USEC },
	[CSN_CPU_FORCE_IDLE] = { "force_idle", "CPU time held idle by core scheduling", COUNTER,
				 USEC },
	[CSN_CPU_PERIODS] = { "periods", "Periods of the CPU limit in which it ran", COUNTER,
			      NUMBER },
	[CSN_CPU_THROTTLED_PERIODS] = { "throttled_periods", "Periods in which it was throttled",
					COUNTER, NUMBER },
	[CSN_CPU_THROTTLED] = { "throttled", "Time for which it was throttled", COUNTER, USEC },
	[CSN_CPU_BURSTS] = { "bursts", "Periods in which it ran beyond its quota", COUNTER,
			     NUMBER },
	[CSN_CPU_BURST] = { "burst", "Time for which it ran beyond its quota", COUNTER, USEC },
	[CSN_CPU_LOCAL_THROTTLED] = { "local_throttled",
				      "Time for which its own limit throttled it", COUNTER, USEC },
	[CSN_CPU_QUOTA] = { "quota", "CPU time allowed in each period", LIMIT, USEC },
	[CSN_CPU_PERIOD] = { "period", "Length of a period", GAUGE, USEC },
	[CSN_CPU_WEIGHT] = { "weight", "Share of CPU time among siblings", GAUGE, NUMBER },
	[CSN_CPU_CPUS] = { "cpus", "CPUs on which it may run", GAUGE, NUMBER },
};

static const struct csn_column memory[] = {
	[CSN_MEMORY_CURRENT] = { "current", "Memory used", GAUGE, BYTES },
	[CSN_MEMORY_WORKING_SET] = { "working_set", "Memory used without inactive file pages",
				     GAUGE, BYTES },
	[CSN_MEMORY_PEAK] = { "peak", "Most memory used so far", GAUGE, BYTES },
	[CSN_MEMORY_MAX] = { "max", "Limit of memory", LIMIT, BYTES },
	[CSN_MEMORY_HIGH] = { "high", "Memory above which it is throttled", LIMIT, BYTES },
	[CSN_MEMORY_LOW] = { "low", "Memory that is protected if possible", LIMIT, BYTES },
	[CSN_MEMORY_MIN] = { "min", "Memory that is protected", LIMIT, BYTES },
	[CSN_MEMORY_SWAP_CURRENT] = { "swap_current", "Swap used", GAUGE, BYTES },
	[CSN_MEMORY_SWAP_PEAK] = { "swap_peak", "Most swap used so far", GAUGE, BYTES },
	[CSN_MEMORY_SWAP_MAX] = { "swap_max", "Limit of swap", LIMIT, BYTES },
	[CSN_MEMORY_SWAP_HIGH] = { "swap_high", "Swap above which it is throttled", LIMIT, BYTES },
	[CSN_MEMORY_ZSWAP_CURRENT] = { "zswap_current", "Memory used for compressed swap", GAUGE,
				       BYTES },
	[CSN_MEMORY_ZSWAP_MAX] = { "zswap_max", "Limit of compressed swap", LIMIT, BYTES },
	[CSN_MEMORY_LOW_EVENTS] = { "low_events", "Reclaims below the protected amount", COUNTER,
				    NUMBER },
	[CSN_MEMORY_HIGH_EVENTS] = { "high_events", "Times it was throttled for memory", COUNTER,
				     NUMBER },
	[CSN_MEMORY_MAX_EVENTS] = { "max_events", "Times its use was about to go over the limit",
				    COUNTER, NUMBER },
	[CSN_MEMORY_OOM_EVENTS] = { "oom_events", "Allocations about to fail at the limit", COUNTER,
				    NUMBER },
	[CSN_MEMORY_OOM_KILLS] = { "oom_kills", "Processes ended by the OOM killer", COUNTER,
				   NUMBER },
	[CSN_MEMORY_OOM_GROUP_KILLS] = { "oom_group_kills", "Groups ended by the OOM killer",
					 COUNTER, NUMBER },
	[CSN_MEMORY_LOCAL_LOW_EVENTS] = { "local_low_events",
					  "Reclaims below the protected amount, this group alone",
					  COUNTER, NUMBER },
	[CSN_MEMORY_LOCAL_HIGH_EVENTS] = { "local_high_events",
					   "Times it was throttled for memory, this group alone",
					   COUNTER, NUMBER },
	[CSN_MEMORY_LOCAL_MAX_EVENTS] = { "local_max_events",
					  "Times its use was about to go over its own limit",
					  COUNTER, NUMBER },
	[CSN_MEMORY_LOCAL_OOM_EVENTS] = { "local_oom_events",
					  "Allocations about to fail at its own limit", COUNTER,
					  NUMBER },
	[CSN_MEMORY_LOCAL_OOM_KILLS] = { "local_oom_kills",
					 "Processes ended by the OOM killer, this group alone",
					 COUNTER, NUMBER },
	[CSN_MEMORY_LOCAL_OOM_GROUP_KILLS] = { "local_oom_group_kills",
					       "Times this group was ended by the OOM killer",
					       COUNTER, NUMBER },
	[CSN_MEMORY_SWAP_HIGH_EVENTS] = { "swap_high_events", "Times it was throttled for swap",
					  COUNTER, NUMBER },
	[CSN_MEMORY_SWAP_MAX_EVENTS] = { "swap_max_events",
					 "Times swap was about to go over the limit", COUNTER,
					 NUMBER },
	[CSN_MEMORY_SWAP_FAIL_EVENTS] = { "swap_fail_events", "Times swap could not be had",
					  COUNTER, NUMBER },
};

static const struct csn_column pids[] = {
	[CSN_PIDS_CURRENT] = { "current", "Processes and threads", GAUGE, NUMBER },
	[CSN_PIDS_PEAK] = { "peak", "Most processes and threads so far", GAUGE, NUMBER },
	[CSN_PIDS_MAX] = { "max", "Limit of processes and threads", LIMIT, NUMBER },
	[CSN_PIDS_MAX_EVENTS] = { "max_events", "Forks refused at the limit", COUNTER, NUMBER },
};

static const struct csn_column group[] = {
	[CSN_GROUP_POPULATED] = { "populated", "Whether there are processes", GAUGE, NUMBER },
	[CSN_GROUP_FROZEN] = { "frozen", "Whether all processes are frozen", GAUGE, NUMBER },
	[CSN_GROUP_DESCENDANTS] = { "descendants", "Groups below it", GAUGE, NUMBER },
	[CSN_GROUP_DYING_DESCENDANTS] = { "dying_descendants",
					  "Removed groups below it that still hold something",
					  GAUGE, NUMBER },
};

static const struct csn_column pressure[] = {
	[CSN_PRESSURE_SOME_AVG10] = { "some_avg10", "Share of 10 s in which some waited", GAUGE,
				      PERCENT },
	[CSN_PRESSURE_SOME_AVG60] = { "some_avg60", "Share of 60 s in which some waited", GAUGE,
				      PERCENT },
	[CSN_PRESSURE_SOME_AVG300] = { "some_avg300", "Share of 300 s in which some waited", GAUGE,
				       PERCENT },
	[CSN_PRESSURE_SOME_TOTAL] = { "some_total", "Time in which some waited", COUNTER, USEC },
	[CSN_PRESSURE_FULL_AVG10] = { "full_avg10", "Share of 10 s in which all waited", GAUGE,
				      PERCENT },
	[CSN_PRESSURE_FULL_AVG60] = { "full_avg60", "Share of 60 s in which all waited", GAUGE,
				      PERCENT },
	[CSN_PRESSURE_FULL_AVG300] = { "full_avg300", "Share of 300 s in which all waited", GAUGE,
				       PERCENT },
	[CSN_PRESSURE_FULL_TOTAL] = { "full_total", "Time in which all waited", COUNTER, USEC },
};

static const struct csn_column io[] = {
	[CSN_IO_READ_BYTES] = { "read", "Bytes read", COUNTER, BYTES },
	[CSN_IO_WRITE_BYTES] = { "write", "Bytes written", COUNTER, BYTES },
	[CSN_IO_READS] = { "reads", "Read operations", COUNTER, NUMBER },
	[CSN_IO_WRITES] = { "writes", "Write operations", COUNTER, NUMBER },
	[CSN_IO_DISCARD_BYTES] = { "discard", "Bytes discarded", COUNTER, BYTES },
	[CSN_IO_DISCARDS] = { "discards", "Discard operations", COUNTER, NUMBER },
	[CSN_IO_READ_BYTES_MAX] = { "read_max", "Limit of bytes read in a second", LIMIT, BYTES },
	[CSN_IO_WRITE_BYTES_MAX] = { "write_max", "Limit of bytes written in a second", LIMIT,
				     BYTES },
	[CSN_IO_READS_MAX] = { "reads_max", "Limit of read operations in a second", LIMIT, NUMBER },
	[CSN_IO_WRITES_MAX] = { "writes_max", "Limit of write operations in a second", LIMIT,
				NUMBER },
	[CSN_IO_WEIGHT] = { "weight", "Share of the device among siblings", GAUGE, NUMBER },
	[CSN_IO_BFQ_WEIGHT] = { "bfq_weight", "Share of the device among siblings under BFQ", GAUGE,
				NUMBER },
};

static const struct csn_column network[] = {
	[CSN_NETWORK_RX_BYTES] = { "rx", "Bytes received", COUNTER, BYTES },
	[CSN_NETWORK_RX_PACKETS] = { "rx_packets", "Packets received", COUNTER, NUMBER },
	[CSN_NETWORK_RX_ERRORS] = { "rx_errors", "Errors in receiving", COUNTER, NUMBER },
	[CSN_NETWORK_RX_DROPPED] = { "rx_dropped", "Packets dropped in receiving", COUNTER,
				     NUMBER },
	[CSN_NETWORK_TX_BYTES] = { "tx", "Bytes sent", COUNTER, BYTES },
	[CSN_NETWORK_TX_PACKETS] = { "tx_packets", "Packets sent", COUNTER, NUMBER },
	[CSN_NETWORK_TX_ERRORS] = { "tx_errors", "Errors in sending", COUNTER, NUMBER },
	[CSN_NETWORK_TX_DROPPED] = { "tx_dropped", "Packets dropped in sending", COUNTER, NUMBER },
};

static const struct csn_column hugetlb[] = {
	[CSN_HUGETLB_CURRENT] = { "current", "Huge pages used", GAUGE, BYTES },
	[CSN_HUGETLB_MAX] = { "max", "Limit of huge pages", LIMIT, BYTES },
	[CSN_HUGETLB_RESERVED_CURRENT] = { "reserved_current", "Huge pages reserved", GAUGE,
					   BYTES },
	[CSN_HUGETLB_RESERVED_MAX] = { "reserved_max", "Limit of reserved huge pages", LIMIT,
				       BYTES },
	[CSN_HUGETLB_MAX_EVENTS] = { "max_events", "Allocations refused at the limit", COUNTER,
				     NUMBER },
};

static const struct csn_column rdma[] = {
	[CSN_RDMA_HANDLES] = { "handles", "Handles used", GAUGE, NUMBER },
	[CSN_RDMA_OBJECTS] = { "objects", "Objects used", GAUGE, NUMBER },
	[CSN_RDMA_HANDLES_MAX] = { "handles_max", "Limit of handles", LIMIT, NUMBER },
	[CSN_RDMA_OBJECTS_MAX] = { "objects_max", "Limit of objects", LIMIT, NUMBER },
};

static const struct csn_column misc[] = {
	[CSN_MISC_CURRENT] = { "current", "Units used", GAUGE, NUMBER },
	[CSN_MISC_PEAK] = { "peak", "Most units used so far", GAUGE, NUMBER },
	[CSN_MISC_MAX] = { "max", "Limit of units", LIMIT, NUMBER },
	[CSN_MISC_MAX_EVENTS] = { "max_events", "Times the limit was met", COUNTER, NUMBER },
};

static const struct csn_column memory_stat[] = {
	[CSN_MEMORY_STAT_VALUE] = { "value", "The kernel's memory.stat: bytes, or a count", GAUGE,
				    NUMBER },
};

static const struct csn_column numa[] = {
	[CSN_NUMA_ANON] = { "anon", "Anonymous memory", GAUGE, BYTES },
	[CSN_NUMA_FILE] = { "file", "File pages", GAUGE, BYTES },
	[CSN_NUMA_KERNEL_STACK] = { "kernel_stack", "Kernel stacks", GAUGE, BYTES },
	[CSN_NUMA_PAGETABLES] = { "pagetables", "Page tables", GAUGE, BYTES },
	[CSN_NUMA_SHMEM] = { "shmem", "Shared memory", GAUGE, BYTES },
	[CSN_NUMA_FILE_MAPPED] = { "file_mapped", "Mapped file pages", GAUGE, BYTES },
	[CSN_NUMA_FILE_DIRTY] = { "file_dirty", "File pages not yet written", GAUGE, BYTES },
	[CSN_NUMA_FILE_WRITEBACK] = { "file_writeback", "File pages being written", GAUGE, BYTES },
	[CSN_NUMA_SWAPCACHED] = { "swapcached", "Swap that is also in memory", GAUGE, BYTES },
	[CSN_NUMA_INACTIVE_ANON] = { "inactive_anon", "Inactive anonymous memory", GAUGE, BYTES },
	[CSN_NUMA_ACTIVE_ANON] = { "active_anon", "Active anonymous memory", GAUGE, BYTES },
	[CSN_NUMA_INACTIVE_FILE] = { "inactive_file", "Inactive file pages", GAUGE, BYTES },
	[CSN_NUMA_ACTIVE_FILE] = { "active_file", "Active file pages", GAUGE, BYTES },
	[CSN_NUMA_UNEVICTABLE] = { "unevictable", "Memory that cannot be reclaimed", GAUGE, BYTES },
	[CSN_NUMA_SLAB_RECLAIMABLE] = { "slab_reclaimable", "Kernel objects that can be reclaimed",
					GAUGE, BYTES },
	[CSN_NUMA_SLAB_UNRECLAIMABLE] = { "slab_unreclaimable",
					  "Kernel objects that cannot be reclaimed", GAUGE, BYTES },
};

#define TABLE(columns, label)                                                                      \
	{                                                                                          \
#columns, label, columns, COUNT(columns)                                           \
	}
static const struct {
	const char *name, *label;
	const struct csn_column *columns;
	unsigned count;
} tables[CSN_TABLES] = {
	[CSN_TABLE_CPU] = TABLE(cpu, NULL),
	[CSN_TABLE_MEMORY] = TABLE(memory, NULL),
	[CSN_TABLE_PIDS] = TABLE(pids, NULL),
	[CSN_TABLE_GROUP] = TABLE(group, NULL),
	[CSN_TABLE_PRESSURE] = TABLE(pressure, "resource"),
	[CSN_TABLE_IO] = TABLE(io, "device"),
	[CSN_TABLE_NETWORK] = TABLE(network, "interface"),
	[CSN_TABLE_HUGETLB] = TABLE(hugetlb, "size"),
	[CSN_TABLE_RDMA] = TABLE(rdma, "device"),
	[CSN_TABLE_MISC] = TABLE(misc, "resource"),
	[CSN_TABLE_MEMORY_STAT] = TABLE(memory_stat, "key"),
	[CSN_TABLE_NUMA] = TABLE(numa, "node"),
};

unsigned stats_columns(enum csn_table table)
{
	return tables[table].count;
}

const char *csn_table_name(enum csn_table table)
{
	return (size_t)table < CSN_TABLES ? tables[table].name : NULL;
}

const char *csn_table_label(enum csn_table table)
{
	return (size_t)table < CSN_TABLES ? tables[table].label : NULL;
}

const struct csn_column *csn_table_column(enum csn_table table, unsigned column)
{
	return (size_t)table < CSN_TABLES && column < tables[table].count
		       ? &tables[table].columns[column]
		       : NULL;
}

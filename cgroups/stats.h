/*
 * Statistics of a group: how a sample (struct csn_stats of caisson.h, whose readers are defined
 * here too) is filled, and the sampler that keeps a group's files open.
 *
 *	stats.c		a sample: tables of rows, and the functions of caisson.h that read it
 *	columns.c	what the tables and columns are called
 *	sampler.c	which files there are, kept open, read by pread(2)
 *	parse.c		from a file's text to rows
 *	netdev.c	/proc/PID/net/dev
 */
#ifndef CSN_CGROUPS_STATS_H
#define CSN_CGROUPS_STATS_H

#include "caisson-stats.h"
#include "cgroups/cgroups.h"

enum { STATS_COLUMNS_MAX = 64 };

struct stats_row {
	size_t label;  /* in labels */
	size_t values; /* in values */
	uint64_t present;
};

/* Everything grows as needed and stays for the next sample. */
struct csn_stats {
	char id[CSN_ID_SIZE];
	char *name, *image; /* malloc'd; NULL: none */
	int64_t time_ns;
	bool has_cpu_percent;
	double cpu_percent;
	struct {
		struct stats_row *rows;
		size_t count, capacity;
	} tables[CSN_TABLES];
	uint64_t *values;
	size_t values_count, values_capacity;
	char *labels;
	size_t labels_count, labels_capacity;
};
struct csn_stats *stats_new(void);
/* Empties it for the next sample; id, name and image stay. */
void stats_clear(struct csn_stats *s);
/* The row with that label, made where it is missing: its index, or -ENOMEM. */
int stats_row(struct csn_stats *s, enum csn_table table, const char *label);
/* The same for a label that is known to be new. */
int stats_add_row(struct csn_stats *s, enum csn_table table, const char *label);
void stats_set(struct csn_stats *s, enum csn_table table, int row, unsigned column, uint64_t value);
/* How many columns a table has. */
unsigned stats_columns(enum csn_table table);

/*
 * A sampler of one group. tables: 1 << CSN_TABLE_…; *files: how many files may be kept open, from
 * which it takes what it keeps. pid: the process whose network is counted; 0: none.
 */
struct cgroup_sampler;
int cgroup_sampler_open(const struct cgroup *cg, pid_t pid, unsigned tables, unsigned *files,
			struct cgroup_sampler **ret, struct csn_error *err);
/* Takes a sample. -ENOENT: the group is gone, and what was read of it is no sample. */
int cgroup_sampler_read(struct cgroup_sampler *s, struct csn_stats *ret, struct csn_error *err);
/* Gives what it kept open back to *files. */
void cgroup_sampler_close(struct cgroup_sampler *s, unsigned *files);

/* ---- parse.c --------------------------------------------------------------------------------- */

/* One kind of file. text may be written to. 0 or -ENOMEM: what cannot be read is left out. */
struct stats_file;
typedef int stats_parse_fn(const struct stats_file *file, const char *label, char *text,
			   struct csn_stats *s);
struct stats_key {
	const char *name;
	unsigned column;
};
struct stats_file {
	const char *name; /* "cpu.stat"; of hugetlb what stands behind the page size: ".max" */
	enum csn_table table;
	stats_parse_fn *parse;
	unsigned column;	      /* of a file of one value */
	const struct stats_key *keys; /* of a keyed one; end with a NULL name */
};
stats_parse_fn parse_single, parse_keyed, parse_cpu_max, parse_cpus, parse_pressure, parse_devices,
	parse_weights, parse_labelled, parse_all, parse_numa;

/* ---- netdev.c -------------------------------------------------------------------------------- */

/* The interfaces of a process's network namespace: an fd, -1 when it has none of its own (or is
 * gone). It keeps the namespace: close it when the process ends. */
int netdev_open(pid_t pid);
/* Adds a row for each interface but the loopback. text may be written to. */
int netdev_parse(char *text, struct csn_stats *s);
/* Counters of one interface in the order of enum csn_network_column, wherever they were read. */
int stats_add_interface(struct csn_stats *s, const char *name, const uint64_t counters[8]);

#endif

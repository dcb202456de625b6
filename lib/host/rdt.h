/* linux.intelRdt: groups of the resctrl file system. Inside lib/host only. */
#ifndef CSN_HOST_RDT_H
#define CSN_HOST_RDT_H

#include <stdbool.h>
#include <sys/types.h>

#include "spec/spec.h"

/* Where a container's groups are. Paths are absolute, of the host; malloc'd. */
struct rdt {
	char *group;	/* the directory of the class of service */
	char *monitor;	/* group/mon_groups/ID; NULL: not asked for */
	bool own_group; /* named after the container: ours to make, and to remove */
};

/* Finds where resctrl is mounted, malloc'd; -EOPNOTSUPP when it is not. */
int rdt_root(char **ret, struct csn_error *err);
/* What the config asks for below root; nothing is made. */
int rdt_plan(const char *root, const struct spec_intel_rdt *r, const char *id, struct rdt *ret,
	     struct csn_error *err);
/* Makes the group, or checks the one that is there, and the monitoring group. *ret_made tells
 * whether the group is new. On failure nothing new is left. */
int rdt_make(const struct rdt *rdt, const struct spec_intel_rdt *r, bool *ret_made,
	     struct csn_error *err);
/* Puts a process into them. */
int rdt_enter(const struct rdt *rdt, pid_t pid, struct csn_error *err);
/* Changes the schemas of a group that is ours; on failure they are as before. *ret_before
 * (malloc'd) is for rdt_restore, which takes it to pieces. */
int rdt_change(const char *group, const struct spec_intel_rdt *r, char **ret_before,
	       struct csn_error *err);
void rdt_restore(const char *group, char *before);
/* Removes what may be removed: group and monitor as a record has them; NULL or absent is fine. */
int rdt_remove(const char *group, const char *monitor, struct csn_error *err);
void rdt_done(struct rdt *rdt);

#endif

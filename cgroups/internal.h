/* Shared by the files of cgroups/ only. */
#ifndef CSN_CGROUPS_INTERNAL_H
#define CSN_CGROUPS_INTERNAL_H

#include "cgroups/cgroups.h"

struct controller_name {
	const char *name;
	unsigned bit;
};
extern const struct controller_name controller_names[]; /* ends with a NULL name */

/* Trusted extended attribute of each level above a group that cgroup_create made. */
#define CGROUP_MARK "trusted.caisson"

/* Checks path and fills path and fs_path; the directory is not opened. */
int cgroup_name(const char *path, struct cgroup *ret, struct csn_error *err);
/* Controllers that the mount as a whole offers: the others are off or bound to cgroup v1. */
unsigned controllers_of_mount(const struct cgroup *cg);

/* Takes a line of mountinfo apart (and to pieces). False when it is no cgroup2 mount. */
bool cgroup2_of_mountinfo(char *line, bool *ret_whole, char **ret_point);

/* Reads a small file of the group into buf, NUL-terminated. Bytes read or -errno. */
ssize_t read_value(const struct cgroup *cg, const char *file, char *buf, size_t size);
/* The value of key in the text of a flat keyed file. False: there is none. */
bool value_of_key(const char *text, const char *key, uint64_t *ret);
bool cgroup_has_file(const struct cgroup *cg, const char *file);

/* The controller that a file belongs to, by its name; 0 for the core's own and unknown ones. */
unsigned controller_of_file(const char *file);

/* batch.c: writes to the files of one group, which an undoable batch can take back. */
struct batch {
	const struct cgroup *cg;
	bool undoable;
	struct batch_write *writes;
	size_t count;
};
/* One write(2) of text, worded when it fails: a missing file names its controller and how to get
 * it. */
int batch_write(struct batch *b, const char *file, const char *text, struct csn_error *err);
void batch_undo(struct batch *b);
void batch_done(struct batch *b);

#endif

/* Shared by the files of cgroups/ only. */
#ifndef CSN_CGROUPS_INTERNAL_H
#define CSN_CGROUPS_INTERNAL_H

#include "cgroups/cgroups.h"

struct controller_name {
	const char *name;
	unsigned bit;
};
extern const struct controller_name controller_names[]; /* ends with a NULL name */

/* Reads a small file of the group into buf, NUL-terminated. Bytes read or -errno. */
ssize_t read_value(const struct cgroup *cg, const char *file, char *buf, size_t size);
bool cgroup_has_file(const struct cgroup *cg, const char *file);

#endif

/*
 * Handing a group to a user: the directory and those files that the kernel says may be handed on
 * (/sys/kernel/cgroup/delegate). Limits of the group itself stay its maker's.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "cgroups/cgroups.h"

#define DELEGATE                                                                                   \
	"/sys/kernel/cgroup/delegate" /* Linux 4.15; not in every sysfs that is mounted            \
				       */

/* A file that this kernel or this group does not have is no failure. */
static int give_file(const struct cgroup *cg, const char *name, uid_t owner, struct csn_error *err)
{
	if (strchr(name, '/') || fchownat(cg->dir, name, owner, (gid_t)-1, 0) == 0 ||
	    errno == ENOENT)
		return 0;
	return fail_errno(err, "cgroup \"%s\": give %s to user %u", cg->path, name, owner);
}

int cgroup_delegate(const struct cgroup *cg, uid_t owner, struct csn_error *err)
{
	char list[4096] = "cgroup.procs\ncgroup.subtree_control\ncgroup.threads\n";
	auto_fd fd = open(DELEGATE, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		ssize_t n = read(fd, list, sizeof list - 1);
		if (n < 0)
			return fail_errno(err, DELEGATE);
		list[n] = '\0';
	}

	if (fchown(cg->dir, owner, (gid_t)-1) < 0)
		return fail_errno(err, "cgroup \"%s\": give it to user %u", cg->path, owner);
	char *save = NULL;
	for (char *name = strtok_r(list, "\n", &save); name; name = strtok_r(NULL, "\n", &save))
		TRY(give_file(cg, name, owner, err));
	return 0;
}

/*
 * What the OOM killer did in a group. The kernel counts a kill before it sends the signal, in the
 * group of the victim and in every group above it: whoever has seen a process end finds in
 * memory.events whether the OOM killer ended it, as long as the group has not been removed.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "cgroups/internal.h"

static bool read_counters(int fd, uint64_t *ret_kills, uint64_t *ret_group_kills)
{
	char text[512];
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	if (n < 0)
		return false;
	text[n] = '\0';
	*ret_group_kills = 0; /* since Linux 5.17 */
	(void)value_of_key(text, "oom_group_kill", ret_group_kills);
	return value_of_key(text, "oom_kill", ret_kills);
}

int cgroup_oom_open(const struct cgroup *cg, struct cgroup_oom *ret, struct csn_error *err)
{
	struct cgroup_oom oom = CGROUP_OOM_INIT;
	auto_fd fd = openat(cg->dir, "memory.events", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT)
		return fail_errno(err, "cgroup \"%s\": memory.events", cg->path);
	if (fd >= 0 && read_counters(fd, &oom.kills, &oom.group_kills))
		oom.fd = take_fd(&fd);
	*ret = oom;
	return 0;
}

bool cgroup_oom_read(const struct cgroup_oom *oom, uint64_t *ret)
{
	uint64_t kills = 0, group_kills = 0;
	if (oom->fd < 0 || !read_counters(oom->fd, &kills, &group_kills))
		return false;
	kills -= oom->kills < kills ? oom->kills : kills;
	group_kills -= oom->group_kills < group_kills ? oom->group_kills : group_kills;
	*ret = kills > group_kills ? kills : group_kills;
	return true;
}

/*
 * Pausing: the container's group is frozen, so that nothing in it runs, and thawed. It keeps
 * counting as running. The container's lock is held, so that no stop or removal is in between.
 */
#include <errno.h>
#include <string.h>
#include <sys/file.h>

#include "base/error.h"
#include "cgroups/cgroups.h"
#include "runtime/runtime.h"

#define FREEZE_TIMEOUT_MS 10000

static int set_frozen(struct csn_runtime *rt, const char *container, bool frozen,
		      struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct facts f AUTO(facts_done) = FACTS_INIT;
	struct cgroup cg AUTO(cgroup_close) = CGROUP_INIT;

	TRY(container_find(rt, container, &c, err));
	auto_fd lock = lock_dir(c.dir, LOCK_EX, err);
	if (lock < 0)
		return lock;
	facts_read(rt, &c, true, &f);
	if (f.init_fd < 0)
		return fail(err, ESRCH, "container \"%s\" is not running", container);
	if (f.paused == frozen)
		return fail(err, EALREADY, "container \"%s\" is %s", container,
			    frozen ? "paused already" : "not paused");
	TRY(cgroup_open(f.cgroup, &cg, err));
	TRY(within(err, cgroup_freeze(&cg, frozen, FREEZE_TIMEOUT_MS, err), "container \"%s\"",
		   container));
	/* A monitor sees it by itself, whoever does it. */
	if (f.monitor_fd < 0)
		event_tell(rt, &c,
			   (struct journal_event){ .action = frozen ? "pause" : "unpause" });
	return 0;
}

int csn_container_pause(struct csn_runtime *rt, const char *container, struct csn_error *err)
{
	return set_frozen(rt, container, true, err);
}

int csn_container_unpause(struct csn_runtime *rt, const char *container, struct csn_error *err)
{
	return set_frozen(rt, container, false, err);
}

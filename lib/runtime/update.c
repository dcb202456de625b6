/*
 * Limits: options to OCI resources, and changing those of a container. A running one is changed
 * first, by the monitor's program, which knows the host side; then the config that later starts
 * read. The container's lock is held, so that no start is between the two.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "cgroups/cgroups.h"
#include "runtime/runtime.h"

enum { PIDS_DEFAULT = 2048, CONFIG_MAX = 16 << 20 };

/* ---- options ----------------------------------------------------------------------------------
 */

static int device_numbers(const struct csn_resources *r, struct service_device *ret,
			  struct csn_error *err)
{
	if (r->devices_count && r->devices->size < sizeof(struct csn_device_limit))
		return fail(err, EINVAL, "device limits: made without CSN_DEVICE_LIMIT_INIT");
	for (size_t i = 0; i < r->devices_count; i++) {
		const char *path = service_device_limit(r, i)->device;
		struct stat st;
		if (!path || path[0] != '/')
			return fail(err, EINVAL,
				    "block device \"%.200s\": expected an absolute path",
				    path ? path : "");
		if (stat(path, &st) < 0)
			return fail_errno(err, "block device \"%.200s\"", path);
		if (!S_ISBLK(st.st_mode))
			return fail(err, ENOTBLK, "\"%.200s\" is no block device", path);
		ret[i] = (struct service_device){ major(st.st_rdev), minor(st.st_rdev) };
	}
	return 0;
}

static bool host_counts_pids(void)
{
	unsigned offered = 0;
	return cgroup_mount_controllers(&offered, NULL) == 0 && (offered & CGROUP_PIDS);
}

int resources_decide(const struct csn_resources *given, bool creating, struct spec_resources *ret,
		     struct arena *arena, struct csn_error *err)
{
	struct csn_resources r = CSN_RESOURCES_INIT;
	TRY(take_struct(&r, sizeof r, given, "struct csn_resources", err));
	if (creating && r.pids_limit == 0 && host_counts_pids())
		r.pids_limit = PIDS_DEFAULT;
	struct service_device *devices = arena_array(arena, r.devices_count, sizeof *devices);
	if (!devices)
		return fail(err, ENOMEM, "out of memory");
	TRY(device_numbers(&r, devices, err));
	return service_resources(&r, devices, creating, ret, arena, err);
}

/* ---- a running container ----------------------------------------------------------------------
 */

static int document(const struct spec_resources *r, char **ret, struct csn_error *err)
{
	struct json_out o = JSON_OUT_COMPACT;
	service_put_resources(&o, NULL, r);
	return json_out_take(&o, ret, err);
}

/* The text as a file that can be read from its beginning. */
static int memory_file(const char *text, struct csn_error *err)
{
	auto_fd fd = memfd_create("resources", MFD_CLOEXEC);
	int r = fd < 0 ? -errno : write_all(fd, text, strlen(text));
	if (r < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return fail(err, r < 0 ? -r : errno, "memfd_create: %s",
			    strerror(r < 0 ? -r : errno));
	return take_fd(&fd);
}

static int change_running(struct csn_runtime *rt, const struct container *c,
			  const struct spec_resources *r, struct csn_error *err)
{
	auto_mem char *text = NULL;
	int fds[2];
	TRY(document(r, &text, err));
	auto_fd input = memory_file(text, err);
	TRY(input);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return fail_errno(err, "pipe");
	auto_fd read_end = fds[0];
	auto_fd write_end = fds[1];
	const int extra[] = { write_end };
	const char *const args[] = { "--update", "--run-root", rt->run_root, "--id",
				     c->id,	 "--reply-fd", "3",	     NULL };
	const struct spawn s = { .program = MONITOR_PROGRAM,
				 .args = args,
				 .in_fd = input,
				 .out_fd = -1,
				 .extra = extra,
				 .extra_count = 1 };
	pid_t pid;
	TRY(spawn_program(rt, &s, &pid, err));
	close_fd(&write_end);
	int status = monitor_status(read_end, err);
	spawn_forget(rt, pid);
	return status;
}

/* ---- the config -------------------------------------------------------------------------------
 */

static void free_spec(struct spec **s)
{
	spec_free(*s);
}

static int write_config(const struct container *c, const char *text, struct csn_error *err)
{
	return within(err,
		      file_write_atomic(c->dir, "config.json", text, strlen(text), 0600, true, err),
		      "container %.12s", c->id);
}

static int change_config(const struct container *c, const char *text,
			 const struct spec_resources *r, struct csn_error *err)
{
	static const char *const path[] = { "linux", "resources", NULL };
	auto_mem char *resources = NULL;
	auto_mem char *changed = NULL;
	TRY(document(r, &resources, err));
	TRY(within(err, json_replace(text, path, resources, &changed, err),
		   "container %.12s: config.json", c->id));
	return write_config(c, changed, err);
}

int csn_container_update(struct csn_runtime *rt, const char *container,
			 const struct csn_resources *resources, struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct facts f AUTO(facts_done) = FACTS_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	struct spec *spec AUTO(free_spec)
	= NULL;
	struct spec_resources change;

	TRY(container_find(rt, container, &c, err));
	TRY(resources_decide(resources, false, &change, &arena, err));
	auto_fd lock = lock_dir(c.dir, LOCK_EX, err);
	if (lock < 0)
		return lock;
	TRY(spec_read_bundle(c.dir, c.id, &spec, err));
	struct spec_resources all = spec->linux_.resources;
	TRY(service_merge_resources(&all, &change, &arena, err));

	TRY(change_config(&c, spec->text, &all, err));
	facts_read(rt, &c, true, &f);
	if (!facts_running(&f)) {
		event_tell(rt, &c, (struct journal_event){ .action = "update" });
		return 0;
	}
	/* Memory and swap are one sum: whoever changes a part states the other again. */
	if (change.memory.limit.set || change.memory.swap.set) {
		change.memory.limit = all.memory.limit;
		change.memory.swap = all.memory.swap;
	}
	int r = change_running(rt, &c, &change, err);
	if (r < 0)
		(void)write_config(&c, spec->text, NULL);
	else
		event_tell(rt, &c, (struct journal_event){ .action = "update" });
	return r;
}

/*
 * From config to struct plan, on the host side, before clone3. Everything that can be refused is
 * refused here, with a sentence that names the field.
 *
 * Inside lib/host only. plan.c assembles; plan_mounts.c, plan_caps.c, plan_seccomp.c,
 * plan_devices.c, plan_process.c do one part each.
 */
#ifndef CSN_HOST_PLAN_BUILD_H
#define CSN_HOST_PLAN_BUILD_H

#include "base/arena.h"
#include "cgroups/cgroups.h"
#include "host/host.h"
#include "init/plan.h"
#include "spec/spec.h"

enum { BUILT_FDS_MAX = 1024 };

/* A plan with all that it points to. plan_done closes every fd and frees all memory. */
struct built_plan {
	struct arena arena;
	struct plan plan;
	int *fds; /* every fd that the plan holds (trees, joins), closed by plan_done */
	size_t fds_count;
};

struct plan_input {
	const struct host_context *ctx; /* for warnings */
	const struct host_create *req;	/* no_pivot, no_new_keyring, preserve_fds, rootfs_tree */
	const struct spec *spec;
	const char *id;
	const char *rootfs;    /* absolute host path of root.path, resolved and checked */
	int rootfs_dir;	       /* the same, open (O_PATH) */
	const char *bundle;    /* absolute */
	const char *cgroup_fs; /* host path of the container's cgroup directory */
	int state_root;	       /* directory fd of the state root (seccomp cache lives below it) */
};

/* Everything but sync_fd and gate_fd, which launch.c sets. ret is zeroed first. Works for create
 * and run. Fills the hook members too (argv, envp, and before/after of the two state texts). */
int plan_build(const struct plan_input *in, struct built_plan *ret, struct csn_error *err);
/*
 * A plan for exec into a container that runs: process is what to run, spec the container's own
 * config (for seccomp, user namespace). exec_only is set; no mounts, no root, no hooks.
 * joins is left empty: launch.c joins by pidfd.
 */
int plan_build_exec(const struct plan_input *in, const struct spec_process *process,
		    struct built_plan *ret, struct csn_error *err);
/* A plan for mounts alone, into a container that runs: those of in->spec come, or with remove go.
 */
int plan_build_mounts(const struct plan_input *in, bool remove, struct built_plan *ret,
		      struct csn_error *err);
void plan_done(struct built_plan *p);

/* The parts (each fills its members of ret->plan). */
int plan_namespaces(const struct plan_input *in, struct built_plan *ret, struct csn_error *err);
/* Whole small file below the container's root, NUL-terminated and malloc'd; NULL when it is
 * anything but a plain file of modest size. */
char *plan_read_in_root(const struct plan_input *in, const char *path);
/* Whether the supplementary groups are to be set: not where a joined user namespace denies it and
 * none were asked for. Create and exec. */
bool plan_sets_groups(const struct plan_input *in, const struct spec_process *process);
int plan_mounts(const struct plan_input *in, struct built_plan *ret, struct csn_error *err);
int plan_unmounts(const struct plan_input *in, struct built_plan *ret, struct csn_error *err);
int plan_devices(const struct plan_input *in, struct built_plan *ret, struct csn_error *err);
int plan_process(const struct plan_input *in, const struct spec_process *process,
		 struct built_plan *ret, struct csn_error *err);
int plan_caps(const struct plan_input *in, const struct spec_process *process,
	      struct built_plan *ret, struct csn_error *err);
/* Compiled through libseccomp into a memfd, or read back from
 * <state root>/.cache/seccomp/<digest of the profile>; the cache is never trusted beyond its
 * directory (0700, root's). */
int plan_seccomp(const struct plan_input *in, struct built_plan *ret, struct csn_error *err);
int plan_hooks(const struct plan_input *in, struct built_plan *ret, struct csn_error *err);
int plan_sysctls(const struct plan_input *in, struct built_plan *ret, struct csn_error *err);
/* Remembers fd so that plan_done closes it; returns fd, or -ENOMEM after closing it. */
int plan_keep_fd(struct built_plan *p, int fd);

/* resources.c: OCI resources → cgroup words. The strings borrow from the spec and the arena. */
int resources_limits(const struct spec_resources *r, struct arena *arena, struct cgroup_limits *ret,
		     struct csn_error *err);
/* devices rules with the defaults appended or prepended so that the user's rules win. */
int resources_devices(const struct spec *spec, struct arena *arena, struct cgroup_device_rule **ret,
		      size_t *ret_count, struct csn_error *err);

/* idmap.c: /proc/PID/uid_map and gid_map of a child in a new user namespace. */
int idmap_write(pid_t pid, const struct spec_idmaps *uids, const struct spec_idmaps *gids,
		struct csn_error *err);

/* hooks.c: runs one kind of hook in the runtime's namespaces (prestart, createRuntime, poststart,
 * poststop), in listed order, each in its own process group, killed as a group at its timeout.
 * state is the JSON for stdin. keep_going (poststop): a failure is a warning and later hooks
 * still run. cwd is the bundle. */
int hooks_run(const struct host_context *ctx, enum spec_hook_kind kind,
	      const struct spec_hooks *hooks, const char *bundle, const char *state,
	      bool keep_going, struct csn_error *err);

#endif

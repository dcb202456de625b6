/*
 * The plan as a whole: each part in its file, here the order and what belongs to no other part.
 * Nothing is made on the host but fds and memory, so that a refusal needs no undo.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "host/plan_build.h"
#include "spec/tables.h"

int plan_keep_fd(struct built_plan *p, int fd)
{
	if (p->fds_count % 16 == 0) {
		int *grown = realloc(p->fds, (p->fds_count + 16) * sizeof *grown);
		if (!grown) {
			(void)close(fd);
			return -ENOMEM;
		}
		p->fds = grown;
	}
	p->fds[p->fds_count++] = fd;
	return fd;
}

void plan_done(struct built_plan *p)
{
	for (size_t i = 0; i < p->fds_count; i++)
		(void)close(p->fds[i]);
	free(p->fds);
	p->fds = NULL;
	p->fds_count = 0;
	arena_free(&p->arena);
}

static void plan_root(const struct plan_input *in, struct plan *p)
{
	uint64_t propagation = 0;

	p->has_mntns = in->spec->linux_.namespaces[NS_MOUNT].present;
	p->rootfs = in->rootfs;
	p->rootfs_tree = in->req->rootfs_tree;
	p->root_readonly = in->spec->root.readonly;
	p->no_pivot = in->req->no_pivot;
	p->cgroup_dir = in->cgroup_fs;
	if (in->spec->linux_.rootfs_propagation)
		(void)named_number(spec_propagations, in->spec->linux_.rootfs_propagation,
				   &propagation);
	p->root_propagation = (unsigned long)propagation;
	p->masked_paths = (const char *const *)in->spec->linux_.masked_paths.items;
	p->masked_count = in->spec->linux_.masked_paths.count;
	p->readonly_paths = (const char *const *)in->spec->linux_.readonly_paths.items;
	p->readonly_count = in->spec->linux_.readonly_paths.count;
	p->hostname = in->spec->hostname;
	p->domainname = in->spec->domainname;
}

static void plan_keyring(const struct plan_input *in, struct plan *p)
{
	p->new_keyring = !in->req->no_new_keyring;
	p->keyring_name = in->id;
}

static void plan_init(struct plan *p)
{
	*p = (struct plan){ .sync_fd = -1,
			    .gate_fd = -1,
			    .rootfs_tree = -1,
			    .join_pidfd = -1,
			    .exec_root = -1,
			    .ioprio = -1,
			    .keep_fds = 3 };
}

int plan_build(const struct plan_input *in, struct built_plan *ret, struct csn_error *err)
{
	plan_init(&ret->plan);
	plan_root(in, &ret->plan);
	plan_keyring(in, &ret->plan);
	TRY(plan_namespaces(in, ret, err));
	TRY(plan_mounts(in, ret, err));
	TRY(plan_devices(in, ret, err));
	TRY(plan_sysctls(in, ret, err));
	TRY(plan_process(in, &in->spec->process, ret, err));
	TRY(plan_caps(in, &in->spec->process, ret, err));
	TRY(plan_seccomp(in, ret, err));
	return plan_hooks(in, ret, err);
}

int plan_build_exec(const struct plan_input *in, const struct spec_process *process,
		    struct built_plan *ret, struct csn_error *err)
{
	plan_init(&ret->plan);
	ret->plan.exec_only = true;
	ret->plan.set_groups = plan_sets_groups(in, process);
	plan_keyring(in, &ret->plan);
	TRY(plan_process(in, process, ret, err));
	TRY(plan_caps(in, process, ret, err));
	return plan_seccomp(in, ret, err);
}

int plan_build_mounts(const struct plan_input *in, bool remove, struct built_plan *ret,
		      struct csn_error *err)
{
	plan_init(&ret->plan);
	ret->plan.exec_only = ret->plan.mounts_only = true;
	ret->plan.cgroup_dir = in->cgroup_fs;
	return remove ? plan_unmounts(in, ret, err) : plan_mounts(in, ret, err);
}

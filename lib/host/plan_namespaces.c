/*
 * Which namespaces clone3 makes, which the child makes later, which are joined.
 *
 * A cgroup namespace takes the maker's current cgroup as its root, so it is made by the child once
 * it is in its own. A time namespace is made by launch.c before clone3. When a user namespace is
 * joined, everything else that is new must belong to it and is made after joining; a pid namespace
 * cannot be made for oneself and stays with clone3 (see launch.c's joiner).
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/sys.h"
#include "host/idmap.h"
#include "host/plan_build.h"

/* A user namespace first, for the others may belong to it; the mount namespace after those whose
 * paths are looked up in the old one. */
static const enum spec_namespace_kind join_order[] = { NS_USER, NS_IPC,	  NS_UTS,    NS_NETWORK,
						       NS_PID,	NS_MOUNT, NS_CGROUP, NS_TIME };

static int open_namespace(struct built_plan *ret, enum spec_namespace_kind kind, const char *path,
			  struct plan_join *join, struct csn_error *err)
{
	const char *name = spec_namespace_name(kind);
	auto_fd fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return fail_errno(err, "linux.namespaces: %s: path \"%s\"", name, path);
	int type = ioctl(fd, NS_GET_NSTYPE);
	if (type < 0)
		return fail(err, EINVAL, "linux.namespaces: %s: path \"%s\" is no namespace", name,
			    path);
	if ((uint64_t)type != spec_namespace_flag(kind))
		return fail(err, EINVAL,
			    "linux.namespaces: %s: path \"%s\" is a namespace of another type",
			    name, path);
	int kept = plan_keep_fd(ret, take_fd(&fd));
	if (kept < 0)
		return fail(err, ENOMEM, "out of memory");
	*join = (struct plan_join){ .fd = kept, .flag = spec_namespace_flag(kind), .name = name };
	return 0;
}

/* The engine has made the network namespace that the config asks for. */
static bool joins_given(const struct plan_input *in)
{
	const struct spec_namespace *ns = &in->spec->linux_.namespaces[NS_NETWORK];
	return ns->present && !ns->path && in->req && in->req->network_ns >= 0;
}

/* Joining the namespace we are in already fails for user namespaces and is idle for others. */
static int plan_joins(const struct plan_input *in, struct built_plan *ret, struct csn_error *err)
{
	struct plan_join *joins = arena_array(&ret->arena, NS_KINDS, sizeof *joins);
	if (!joins)
		return fail(err, ENOMEM, "out of memory");
	ret->plan.joins = joins;
	for (size_t i = 0; i < COUNT(join_order); i++) {
		const struct spec_namespace *ns = &in->spec->linux_.namespaces[join_order[i]];
		char given[40];
		const char *path = ns->path;
		if (join_order[i] == NS_NETWORK && joins_given(in)) {
			(void)snprintf(given, sizeof given, "/proc/self/fd/%d",
				       in->req->network_ns);
			path = given;
		}
		if (!path)
			continue;
		TRY(open_namespace(ret, join_order[i], path, &joins[ret->plan.joins_count], err));
		ret->plan.joins_count++;
	}
	return 0;
}

bool plan_sets_groups(const struct plan_input *in, const struct spec_process *process)
{
	const struct spec_namespace *ns = &in->spec->linux_.namespaces[NS_USER];

	/* With maps written by a privileged host, setgroups stays allowed in a new namespace. */
	if (!ns->path || process->user.additional_gids_count)
		return true;
	auto_fd fd = open(ns->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	return fd < 0 || !idmap_setgroups_denied(fd);
}

int plan_namespaces(const struct plan_input *in, struct built_plan *ret, struct csn_error *err)
{
	const struct spec_namespace *ns = in->spec->linux_.namespaces;
	struct plan *p = &ret->plan;
	bool userns_joined = ns[NS_USER].present && ns[NS_USER].path;

	for (int kind = 0; kind < NS_KINDS; kind++) {
		if (!ns[kind].present || ns[kind].path || kind == NS_TIME ||
		    (kind == NS_NETWORK && joins_given(in)))
			continue;
		uint64_t flag = spec_namespace_flag((enum spec_namespace_kind)kind);
		bool late = kind == NS_CGROUP || (userns_joined && kind != NS_PID);
		*(late ? &p->late_flags : &p->clone_flags) |= flag;
	}
	p->new_userns = ns[NS_USER].present && !ns[NS_USER].path;
	p->loopback_up = ns[NS_NETWORK].present && !ns[NS_NETWORK].path && !joins_given(in);
	p->set_groups = plan_sets_groups(in, &in->spec->process);
	return plan_joins(in, ret, err);
}

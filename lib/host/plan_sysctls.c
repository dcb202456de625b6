/*
 * linux.sysctl → paths below /proc/sys. lib/spec has refused names that belong to no namespace of
 * the config; a namespace joined by path may still be the host's own, which only shows here.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "host/plan_build.h"

/* Is the namespace that the child will join the one that we are in? */
static int is_our_own(const struct plan *p, enum spec_namespace_kind kind, struct csn_error *err)
{
	const char *name = kind == NS_NETWORK ? "net" : spec_namespace_name(kind);
	char path[64];
	struct stat ours, joined;

	for (size_t i = 0; i < p->joins_count; i++) {
		if (p->joins[i].flag != spec_namespace_flag(kind))
			continue;
		(void)snprintf(path, sizeof path, "/proc/self/ns/%s", name);
		if (stat(path, &ours) < 0)
			return fail_errno(err, "%s", path);
		if (fstat(p->joins[i].fd, &joined) < 0)
			return fail_errno(err, "linux.namespaces: %s", name);
		return ours.st_dev == joined.st_dev && ours.st_ino == joined.st_ino;
	}
	return 0;
}

static int plan_sysctl(const struct spec_pair *pair, struct built_plan *ret,
		       struct plan_sysctl *out, struct csn_error *err)
{
	char path[SPEC_SYSCTL_SIZE];
	enum spec_namespace_kind kind =
		spec_sysctl_path(pair->key, path) ? spec_sysctl_namespace(path) : NS_KINDS;
	if (kind == NS_KINDS)
		return fail(err, EINVAL, "linux.sysctl: \"%s\" is not a namespaced sysctl",
			    pair->key);
	if (strchr(pair->value, '\n'))
		return fail(err, EINVAL, "linux.sysctl: value of \"%s\" has several lines",
			    pair->key);

	int r = is_our_own(&ret->plan, kind, err);
	if (r < 0)
		return r;
	if (r)
		return fail(err, EINVAL,
			    "linux.sysctl: \"%s\" would be the host's: the %s namespace to join "
			    "is the host's own",
			    pair->key, spec_namespace_name(kind));
	*out = (struct plan_sysctl){ arena_strdup(&ret->arena, path), pair->value };
	return out->path ? 0 : fail(err, ENOMEM, "out of memory");
}

int plan_sysctls(const struct plan_input *in, struct built_plan *ret, struct csn_error *err)
{
	const struct spec_map *map = &in->spec->linux_.sysctl;
	struct plan_sysctl *out = arena_array(&ret->arena, map->count, sizeof *out);
	if (!out)
		return fail(err, ENOMEM, "out of memory");

	for (size_t i = 0; i < map->count; i++)
		TRY(plan_sysctl(&map->items[i], ret, &out[i], err));
	ret->plan.sysctls = out;
	ret->plan.sysctls_count = map->count;
	return 0;
}

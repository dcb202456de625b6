/*
 * Device nodes and links of /dev: the standard ones, and linux.devices, which replace a standard
 * one of the same path. Nothing is made when the config brings its own /dev by a bind mount.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "host/plan_build.h"

static const struct {
	const char *path;
	unsigned major, minor;
} standard[] = { { "/dev/null", 1, 3 },	  { "/dev/zero", 1, 5 },    { "/dev/full", 1, 7 },
		 { "/dev/random", 1, 8 }, { "/dev/urandom", 1, 9 }, { "/dev/tty", 5, 0 } };

static const struct plan_symlink links[] = {
	{ "/proc/self/fd", "/dev/fd", false },	     { "/proc/self/fd/0", "/dev/stdin", false },
	{ "/proc/self/fd/1", "/dev/stdout", false }, { "/proc/self/fd/2", "/dev/stderr", false },
	{ "/proc/kcore", "/dev/core", false },
};
/* A node of the image there would be the host's pty multiplexer. */
static const struct plan_symlink ptmx = { "pts/ptmx", "/dev/ptmx", true };

static bool has_mount(const struct plan *p, const char *target)
{
	for (size_t i = 0; i < p->mounts_count; i++)
		if (strcmp(p->mounts[i].target, target) == 0)
			return true;
	return false;
}

static bool dev_is_bound(const struct plan *p)
{
	for (size_t i = 0; i < p->mounts_count; i++)
		if ((p->mounts[i].flags & PLAN_IS_DEV) && p->mounts[i].source == PLAN_MOUNT_TREE)
			return true;
	return false;
}

static mode_t type_of(const struct spec_device *d)
{
	return d->type[0] == 'b' ? S_IFBLK : d->type[0] == 'p' ? S_IFIFO : S_IFCHR;
}

static void add_listed(const struct spec_device *d, struct plan_device *out)
{
	*out = (struct plan_device){
		.path = d->path,
		.mode = type_of(d) | (d->file_mode.set ? d->file_mode.value & 07777 : 0666),
		.rdev = d->type[0] == 'p'
				? 0
				: makedev((unsigned)d->major.value, (unsigned)d->minor.value),
		.uid = d->uid.value,
		.gid = d->gid.value,
		.listed = true,
	};
}

static bool is_listed(const struct plan_input *in, const char *path)
{
	for (size_t i = 0; i < in->spec->linux_.devices_count; i++)
		if (strcmp(in->spec->linux_.devices[i].path, path) == 0)
			return true;
	return false;
}

static int plan_links(struct built_plan *ret, struct csn_error *err)
{
	struct plan *p = &ret->plan;
	struct plan_symlink *out = arena_array(&ret->arena, COUNT(links) + 1, sizeof *out);
	if (!out)
		return fail(err, ENOMEM, "out of memory");
	/* The links point into /proc: without one they would dangle (runtime-linux.md). */
	if (has_mount(p, "/proc"))
		for (size_t i = 0; i < COUNT(links); i++)
			out[p->symlinks_count++] = links[i];
	if (has_mount(p, "/dev/pts"))
		out[p->symlinks_count++] = ptmx;
	p->symlinks = out;
	return 0;
}

int plan_devices(const struct plan_input *in, struct built_plan *ret, struct csn_error *err)
{
	struct plan *p = &ret->plan;
	size_t listed = in->spec->linux_.devices_count;

	if (!p->has_mntns || dev_is_bound(p))
		return 0;
	struct plan_device *out = arena_array(&ret->arena, COUNT(standard) + listed, sizeof *out);
	if (!out)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < COUNT(standard); i++)
		if (!is_listed(in, standard[i].path))
			out[p->devices_count++] = (struct plan_device){
				.path = standard[i].path,
				.mode = S_IFCHR | 0666,
				.rdev = makedev(standard[i].major, standard[i].minor),
			};
	for (size_t i = 0; i < listed; i++)
		add_listed(&in->spec->linux_.devices[i], &out[p->devices_count++]);
	p->devices = out;
	p->bind_devices = in->spec->linux_.namespaces[NS_USER].present;
	return plan_links(ret, err);
}

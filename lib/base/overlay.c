/*
 * Overlays as detached mounts. There are three ways to name the layers, and each Linux has at least
 * one of them: one by one (6.5), in one string of 255 bytes, in mount(2)'s page of options.
 */
#include "base/overlay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/sys.h"

/* Linux 6.5 takes layers one by one, topmost first. */
static int add_layers_one_by_one(int fs, const struct overlay *o)
{
	char path[4096];
	for (size_t i = o->layers_count; i > 0; i--) {
		(void)snprintf(path, sizeof path, "%s/%s", o->root, o->layers[i - 1]);
		if (fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir+", path, 0) < 0)
			return -errno;
	}
	return 0;
}

/* Before, all in one string; relative to the working directory they are short. */
static int add_layers_joined(int fs, const struct overlay *o)
{
	char joined[256]; /* fsconfig's limit for a string */
	size_t at = 0;
	for (size_t i = o->layers_count; i > 0; i--) {
		int n = snprintf(joined + at, sizeof joined - at, "%s%s", at ? ":" : "",
				 o->layers[i - 1]);
		if (n < 0 || (size_t)n >= sizeof joined - at)
			return -E2BIG;
		at += (size_t)n;
	}
	/* By its path: an older Linux takes no layers from another mount namespace, where a
	 * descriptor may come from. */
	if (chdir(o->root) < 0)
		return -errno;
	return fsconfig(fs, FSCONFIG_SET_STRING, "lowerdir", joined, 0) < 0 ? -errno : 0;
}

static int set_dir(int fs, const struct overlay *o, const char *key, const char *name)
{
	char path[4096];
	(void)snprintf(path, sizeof path, "%s/%s", o->root, name);
	return fsconfig(fs, FSCONFIG_SET_STRING, key, path, 0) < 0 ? -errno : 0;
}

/* mount(2) with one string of a page, relative to root: the way for many layers before 6.5. It
 * mounts on the target in a mount namespace of our own and clones the tree from there. */
static int mount_classic(const struct overlay *o)
{
	char options[4096];
	size_t at = 0;
	if (o->upper)
		at = (size_t)snprintf(options, sizeof options, "upperdir=%s,workdir=%s,", o->upper,
				      o->work);
	at += (size_t)snprintf(options + at, sizeof options - at, "lowerdir=");
	for (size_t i = o->layers_count; i > 0; i--) {
		int n = snprintf(options + at, sizeof options - at, "%s%s",
				 i == o->layers_count ? "" : ":", o->layers[i - 1]);
		if (n < 0 || (size_t)n >= sizeof options - at)
			return -E2BIG;
		at += (size_t)n;
	}
	if (chdir(o->root) < 0 || mount("overlay", o->target, "overlay", 0, options) < 0)
		return -errno;
	int tree = open_tree(AT_FDCWD, o->target, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	int r = tree < 0 ? -errno : tree;
	(void)umount2(o->target, MNT_DETACH);
	return r;
}

/* Before Linux 6.5 overlayfs takes whatever it is told and refuses it at the end, with a line in
 * the kernel's log: it is asked with a flag that a newer one refuses at once. */
static bool takes_anything(void)
{
	auto_fd fs = fsopen("overlay", FSOPEN_CLOEXEC);
	return fs >= 0 && fsconfig(fs, FSCONFIG_SET_FLAG, "lowerdir+", NULL, 0) == 0;
}

int overlay_mount(const struct overlay *o)
{
	bool old = takes_anything();
	auto_fd fs = fsopen("overlay", FSOPEN_CLOEXEC);
	if (fs < 0)
		return -errno;
	int r = old ? -EINVAL : add_layers_one_by_one(fs, o);
	if (r == -EINVAL)
		r = add_layers_joined(fs, o);
	if (r == -E2BIG)
		return mount_classic(o);
	if (r == 0 && o->upper)
		r = set_dir(fs, o, "upperdir", o->upper);
	if (r == 0 && o->upper)
		r = set_dir(fs, o, "workdir", o->work);
	if (r < 0)
		return r;
	(void)fsconfig(fs, FSCONFIG_SET_STRING, "source", "overlay", 0);
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	int fd = fsmount(fs, FSMOUNT_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

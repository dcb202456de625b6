/*
 * Volumes of a container that is being made: which ones its options and its image ask for, and
 * those made and filled. A named one that is missing comes to be under the lock on containers/ that
 * every creation shares; removing takes that lock alone, and so never meets a container that is
 * just being made. A container's own are in its directory and come and go with it.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/path.h"
#include "runtime/volumes.h"

static int no_memory(struct csn_error *err)
{
	return fail(err, ENOMEM, "out of memory");
}

static bool is_volume(const struct csn_mount *m)
{
	return m->kind == CSN_MOUNT_VOLUME ||
	       (m->kind == CSN_MOUNT_ANY && (!m->source || m->source[0] != '/'));
}

/* ---- deciding ---------------------------------------------------------------------------------
 */

static int resolve_volume(const struct csn_runtime *rt, const char *id, size_t n,
			  struct csn_mount *m, struct volume_use *use, struct arena *arena,
			  struct csn_error *err)
{
	if (m->source && volume_check_name(m->source, NULL) < 0)
		return fail(err, EINVAL,
			    "mount source \"%.200s\": expected an absolute path, or the name of a "
			    "volume",
			    m->source);
	*use = (struct volume_use){ .name = m->source,
				    .index = n,
				    .target = m->target,
				    .options = m->volume,
				    .copy = !service_option_is_set(m->options, "nocopy") };
	m->source = m->source
			    ? arena_printf(arena, "%s/volumes/%s/data", rt->root, m->source)
			    : arena_printf(arena, "%s/containers/%s/volumes/%zu", rt->root, id, n);
	return m->source ? 0 : no_memory(err);
}

static int resolve(const struct csn_runtime *rt, const char *id, size_t n, struct csn_mount *m,
		   struct volume_uses *uses, struct arena *arena, struct csn_error *err)
{
	if (is_volume(m))
		return resolve_volume(rt, id, n, m, &uses->items[uses->count++], arena, err);
	if (m->kind != CSN_MOUNT_TMPFS && m->source && m->source[0] == '/' &&
	    access(m->source, F_OK) < 0)
		return fail_errno(err, "mount source \"%.300s\"", m->source);
	return 0;
}

/* "Volumes": { "/data": {} } of the image, where the options mount nothing. */
static int add_of_image(const struct image_record *image, struct csn_mount *mounts, size_t *count,
			struct arena *arena, struct csn_error *err)
{
	for (size_t i = 0; i < image->config.volumes.count; i++) {
		const char *says = image->config.volumes.items[i].key;
		char *target = arena_printf(arena, "/%s", says);
		bool taken = false;
		if (!target)
			return no_memory(err);
		path_clean(target);
		if (strcmp(target, "/") == 0 || strlen(target) >= PATH_MAX)
			return fail(err, EINVAL,
				    "image \"%s\": Volumes: \"%.200s\": expected a directory below "
				    "\"/\"",
				    image->reference, says);
		for (size_t k = 0; !taken && k < *count; k++) {
			auto_mem char *other = strdup(mounts[k].target ? mounts[k].target : "");
			if (!other)
				return no_memory(err);
			path_clean(other);
			taken = strcmp(other, target) == 0;
		}
		if (taken)
			continue;
		mounts[*count] = (struct csn_mount)CSN_MOUNT_INIT;
		mounts[(*count)++].target = target;
	}
	return 0;
}

int volumes_decide(struct csn_runtime *rt, const char *id, const struct image_record *image,
		   struct csn_container_options *o, struct volume_uses *ret, struct arena *arena,
		   struct csn_error *err)
{
	size_t count = o->mounts_count, room = count + image->config.volumes.count;
	struct csn_mount *mounts = arena_array(arena, room, sizeof *mounts);
	*ret = (struct volume_uses){ .items = arena_array(arena, room, sizeof *ret->items) };
	if (!mounts || !ret->items)
		return no_memory(err);
	for (size_t i = 0; i < count; i++) {
		mounts[i] = (struct csn_mount)CSN_MOUNT_INIT;
		TRY(take_struct(&mounts[i], sizeof mounts[i], service_mount(o, i),
				"struct csn_mount", err));
	}
	TRY(add_of_image(image, mounts, &count, arena, err));
	for (size_t i = 0; i < count; i++)
		TRY(resolve(rt, id, i, &mounts[i], ret, arena, err));
	o->mounts = mounts;
	o->mounts_count = count;
	return 0;
}

/* ---- making -----------------------------------------------------------------------------------
 */

/* What an image's content is copied for. */
struct from_image {
	const struct csn_runtime *rt;
	const struct image_record *image;
	const char *target;
};

static int fill_from_image(void *data, int to, struct csn_error *err)
{
	const struct from_image *f = data;
	return image_copy_dir(f->rt, &f->image->layers, f->target, to, err);
}

/* Nobody sees it before the container is there: no need for a way to take it back. */
static int make_own(int container_dir, const struct volume_use *use, struct from_image *from,
		    struct csn_error *err)
{
	char name[40];
	(void)snprintf(name, sizeof name, "volumes/%zu", use->index);
	if ((mkdirat(container_dir, "volumes", 0711) < 0 && errno != EEXIST) ||
	    mkdirat(container_dir, name, 0755) < 0 || fchmodat(container_dir, name, 0755, 0) < 0)
		return fail_errno(err, "make directory %s", name);
	if (!use->copy)
		return 0;
	auto_fd to = openat(container_dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (to < 0)
		return fail_errno(err, "open directory %s", name);
	return within(err, fill_from_image(from, to, err), "volume of \"%s\"", use->target);
}

/* What its bucket has comes before what the image has. */
static int make_named(struct csn_runtime *rt, const struct volume_use *use, struct from_image *from,
		      struct csn_error *err)
{
	TRY(volume_make(rt, use->name, use->options, false, err));
	auto_fd volume = volume_open(rt, use->name, err);
	if (volume < 0)
		return volume;
	int r = volume_fill_from_bucket(rt, volume, err);
	if (r == 0 && use->copy)
		r = volume_fill(volume, fill_from_image, from, err);
	return within(err, r, "volume \"%s\"", use->name);
}

int volumes_make(struct csn_runtime *rt, int container_dir, const struct image_record *image,
		 const struct volume_uses *uses, struct csn_error *err)
{
	for (size_t i = 0; i < uses->count; i++) {
		const struct volume_use *use = &uses->items[i];
		struct from_image from = { rt, image, use->target };
		if (use->name)
			TRY(make_named(rt, use, &from, err));
		else
			TRY(make_own(container_dir, use, &from, err));
	}
	return 0;
}

/* ---- when the container goes ------------------------------------------------------------------
 */

static int keep_one(struct csn_runtime *rt, int own, const char *n, struct csn_error *err)
{
	char name[CSN_ID_SIZE];
	TRY(make_id(name, err));
	TRY(volume_make(rt, name, NULL, true, err));
	auto_fd volume = volume_open(rt, name, err);
	if (volume < 0)
		return volume;
	return renameat(own, n, volume, "data") < 0 ? fail_errno(err, "keep volume %s", n) : 0;
}

static void close_dir(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

/* One after the other becomes a volume: a rename over an empty directory. What a crash leaves is
 * still the container's. */
int volumes_keep(struct csn_runtime *rt, const struct container *c, struct csn_error *err)
{
	int own = openat(c->dir, "volumes", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d AUTO(close_dir)
	= own < 0 ? NULL : fdopendir(own);
	if (!d) {
		int r = errno == ENOENT ? 0 : fail_errno(err, "open directory volumes");
		close_fd(&own);
		return r;
	}
	for (struct dirent *e; (e = readdir(d));)
		if (e->d_name[0] != '.')
			TRY(keep_one(rt, own, e->d_name, err));
	return 0;
}

/* The native runtime's methods about what is inside of a container: processes, files, images of it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/native.h"
#include "base/error.h"
#include "caisson-image.h"

int native_top(struct csn_rt *rt, const struct container_ref *c, const char *const *ps_args,
	       struct csn_top **ret, struct csn_error *err)
{
	int r = csn_container_top(engine_of(rt), c->text, ps_args, ret, err);
	return r == -EINVAL ? as_kind(err, r, CSN_ERROR_INVALID_SPEC, "") : wrong_state(c, r, err);
}

int native_changes(struct csn_rt *rt, const struct container_ref *c, struct csn_changes **ret,
		   struct csn_error *err)
{
	return about(c, csn_container_changes(engine_of(rt), c->text, ret, err), err);
}

/* What is missing may be the container or the path. */
static int about_path(struct csn_rt *rt, const struct container_ref *c, int r,
		      struct csn_error *err)
{
	char id[CSN_ID_SIZE];
	if (r != -ENOENT || csn_container_resolve(engine_of(rt), c->text, id, NULL) < 0)
		return about(c, r, err);
	return as_kind(err, r, CSN_ERROR_NOT_FOUND, c->text);
}

int native_archive_head(struct csn_rt *rt, const struct container_ref *c, const char *path,
			struct csn_path_stat *ret, struct csn_error *err)
{
	return about_path(rt, c, csn_container_archive_head(engine_of(rt), c->text, path, ret, err),
			  err);
}

int native_archive_get(struct csn_rt *rt, const struct container_ref *c, const char *path, int fd,
		       struct csn_error *err)
{
	return about_path(
		rt, c, csn_container_archive_get(engine_of(rt), c->text, path, NULL, fd, err), err);
}

int native_archive_put(struct csn_rt *rt, const struct container_ref *c, const char *path, int fd,
		       const struct csn_archive_put_options *options, struct csn_error *err)
{
	int r = csn_container_archive_put(engine_of(rt), c->text, path, fd, options, err);
	if (r == -ENOTDIR || r == -EEXIST || r == -EINVAL)
		return as_kind(err, r, CSN_ERROR_INVALID_SPEC, "");
	return about_path(rt, c, r, err);
}

/* ---- images of it -----------------------------------------------------------------------------
 */

int native_export(struct csn_rt *rt, const struct container_ref *c, int fd, struct csn_error *err)
{
	return about(c, csn_container_export(engine_of(rt), c->text, fd, err), err);
}

/* Lines, as a list that ends with NULL. */
static int split_lines(const char *text, const char *const **ret, struct arena *arena,
		       struct csn_error *err)
{
	size_t count = 1, n = 0;
	for (const char *p = text; p && *p; p++)
		count += *p == '\n';
	const char **lines = arena_array(arena, count + 1, sizeof *lines);
	if (!lines)
		return fail(err, ENOMEM, "out of memory");
	while (text && *text) {
		size_t size = strcspn(text, "\n");
		if (size) {
			lines[n] = arena_printf(arena, "%.*s", (int)size, text);
			if (!lines[n++])
				return fail(err, ENOMEM, "out of memory");
		}
		text += size + (text[size] == '\n');
	}
	*ret = lines;
	return 0;
}

int native_commit(struct csn_rt *rt, const struct container_ref *c,
		  const struct csn_rt_commit_options *options, char **ret_id, struct csn_error *err)
{
	struct csn_commit_options o = CSN_COMMIT_OPTIONS_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	struct csn_images *images = NULL;
	if (!options->repo || !options->repo[0])
		return fail_kind(err, CSN_ERROR_INVALID_SPEC, "", "commit needs a repository");
	o.name = arena_printf(&arena, "%s:%s", options->repo,
			      options->tag && options->tag[0] ? options->tag : "latest");
	if (!o.name)
		return fail(err, ENOMEM, "out of memory");
	TRY(split_lines(options->changes, &o.changes, &arena, err));
	o.author = options->author;
	o.comment = options->comment;
	o.pause = options->pause;
	int r = about(c, csn_container_commit(engine_of(rt), c->text, &o, &images, err), err);
	if (r == -EINVAL)
		return as_kind(err, r, CSN_ERROR_INVALID_SPEC, "");
	TRY(r);
	*ret_id = csn_images_count(images) ? strdup(csn_images_get(images, 0)->id) : NULL;
	csn_images_free(images);
	return *ret_id ? 0 : fail(err, ENOMEM, "out of memory");
}

/* The wrappers of the methods about images, and those that make images of containers. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "agent/agent.h"
#include "base/error.h"
#include "base/sized.h"

static int need_image(const char *image, struct csn_error *err)
{
	if (image && image[0])
		return 0;
	return fail_kind(err, CSN_ERROR_INVALID_SPEC, "", "image must not be empty");
}

int csn_rt_pull_image_with_policy(struct csn_rt *rt, const char *image, enum csn_pull_policy policy,
				  const struct csn_registry_options *auth, struct csn_error *err)
{
	TRY(need_image(image, err));
	return as_kind(err, rt->ops->pull_image(rt, image, policy, auth, err),
		       CSN_ERROR_PULL_FAILED, image);
}

int csn_rt_pull_image(struct csn_rt *rt, const char *image, struct csn_error *err)
{
	return csn_rt_pull_image_with_policy(rt, image, CSN_PULL_IF_NOT_PRESENT, NULL, err);
}

int csn_rt_list_images(struct csn_rt *rt, struct csn_images **ret, struct csn_error *err)
{
	if (!rt->ops->list_images)
		return method_unsupported(err, "list_images");
	return as_kind(err, rt->ops->list_images(rt, ret, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_remove_image(struct csn_rt *rt, const char *image, bool force, struct csn_error *err)
{
	TRY(need_image(image, err));
	if (!rt->ops->remove_image)
		return method_unsupported(err, "remove_image");
	return as_kind(err, rt->ops->remove_image(rt, image, force, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_tag_image(struct csn_rt *rt, const char *source, const char *target,
		     struct csn_error *err)
{
	if (!rt->ops->tag_image)
		return method_unsupported(err, "tag_image");
	if (!source || !source[0] || !target || !target[0])
		return fail_kind(err, CSN_ERROR_INVALID_SPEC, "",
				 "source and target must be non-empty image references");
	if (strcmp(source, target) == 0)
		return 0;
	return as_kind(err, rt->ops->tag_image(rt, source, target, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_prune_images(struct csn_rt *rt, struct csn_texts **ret_deleted, uint64_t *ret_bytes,
			struct csn_error *err)
{
	if (!rt->ops->prune_images)
		return method_unsupported(err, "prune_images");
	return as_kind(err, rt->ops->prune_images(rt, ret_deleted, ret_bytes, err),
		       CSN_ERROR_INTERNAL, "");
}

int csn_rt_inspect_image_native(struct csn_rt *rt, const char *image,
				struct csn_image_details **ret, struct csn_error *err)
{
	TRY(need_image(image, err));
	if (!rt->ops->image_details)
		return method_unsupported(err, "inspect_image_native");
	return as_kind(err, rt->ops->image_details(rt, image, ret, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_image_history(struct csn_rt *rt, const char *image, struct csn_image_history **ret,
			 struct csn_error *err)
{
	TRY(need_image(image, err));
	if (!rt->ops->image_history)
		return method_unsupported(err, "image_history");
	return as_kind(err, rt->ops->image_history(rt, image, ret, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_search_images(struct csn_rt *rt, const char *term, uint32_t limit, char **ret_json,
			 struct csn_error *err)
{
	if (!rt->ops->search_images)
		return method_unsupported(err, "search_images");
	return as_kind(err, rt->ops->search_images(rt, term, limit, ret_json, err),
		       CSN_ERROR_INTERNAL, "");
}

/* What a runtime without progress can tell of it. */
static int progress_of_pull(const char *image, struct csn_progress_stream **ret,
			    struct csn_error *err)
{
	const char *const references[] = { image, NULL };
	struct csn_progress status = CSN_PROGRESS_INIT, done = CSN_PROGRESS_INIT;
	char text[600];
	struct queue q;
	(void)snprintf(text, sizeof text, "Pulling from %.500s", image);
	status.status = text;
	done.kind = CSN_PROGRESS_DONE;
	done.references = references;
	queue_init(&q);
	bool ok = queue_progress(&q, &status) && queue_progress(&q, &done);
	int r = ok ? progress_stream_of_queue(&q, ret, err) : fail(err, ENOMEM, "out of memory");
	queue_free(&q);
	return r;
}

int csn_rt_pull_image_stream(struct csn_rt *rt, const char *image,
			     const struct csn_registry_options *auth,
			     struct csn_progress_stream **ret, struct csn_error *err)
{
	TRY(need_image(image, err));
	if (rt->ops->pull_stream)
		return as_kind(err, rt->ops->pull_stream(rt, image, auth, ret, err),
			       CSN_ERROR_PULL_FAILED, image);
	TRY(csn_rt_pull_image_with_policy(rt, image, CSN_PULL_IF_NOT_PRESENT, auth, err));
	return as_kind(err, progress_of_pull(image, ret, err), CSN_ERROR_INTERNAL, "");
}

/* ---- archives ---------------------------------------------------------------------------------
 */

int csn_rt_save_images(struct csn_rt *rt, const char *const *images, int fd, struct csn_error *err)
{
	if (!rt->ops->save_images)
		return method_unsupported(err, "save_images");
	if (!images || !images[0])
		return fail_kind(err, CSN_ERROR_INVALID_SPEC, "", "no image is named");
	return as_kind(err, rt->ops->save_images(rt, images, fd, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_load_images(struct csn_rt *rt, int fd, bool quiet, struct csn_progress_stream **ret,
		       struct csn_error *err)
{
	if (!rt->ops->load_images)
		return method_unsupported(err, "load_images");
	return as_kind(err, rt->ops->load_images(rt, fd, quiet, ret, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_import_image(struct csn_rt *rt, int fd, const char *repo, const char *tag, char **ret_id,
			struct csn_error *err)
{
	if (!rt->ops->import_image)
		return method_unsupported(err, "import_image");
	return as_kind(err, rt->ops->import_image(rt, fd, repo, tag, ret_id, err),
		       CSN_ERROR_INTERNAL, "");
}

int csn_rt_export_container_fs(struct csn_rt *rt, const struct csn_container_id *id, int fd,
			       struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	if (!rt->ops->export_files)
		return method_unsupported(err, "export_container_fs");
	return as_kind(err, rt->ops->export_files(rt, &c, fd, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_commit_container(struct csn_rt *rt, const struct csn_container_id *id,
			    const struct csn_rt_commit_options *options, char **ret_id,
			    struct csn_error *err)
{
	struct container_ref c;
	struct csn_rt_commit_options o = CSN_RT_COMMIT_OPTIONS_INIT;
	TRY(refer(id, &c, err));
	TRY(as_kind(err, take_struct(&o, sizeof o, options, "struct csn_rt_commit_options", err),
		    CSN_ERROR_INVALID_SPEC, ""));
	if (!rt->ops->commit)
		return method_unsupported(err, "commit_container");
	return as_kind(err, rt->ops->commit(rt, &c, &o, ret_id, err), CSN_ERROR_INTERNAL, "");
}

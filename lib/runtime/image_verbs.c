/*
 * Images that are in the store: names, facts, checks, archives. caisson-image does the work; names
 * and ids are looked up here, so that every command takes both.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "caisson-image.h"
#include "runtime/runtime.h"

static void free_images(struct csn_images **images)
{
	csn_images_free(*images);
}

/* VERB with the image's name and perhaps another word. */
static int run_verb(struct csn_runtime *rt, const char *verb, const char *image, const char *more,
		    struct image_run *run, struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct image_record r;

	TRY(image_find(rt, image, &r, &arena, err));
	const char *const args[] = { "--root", rt->root, verb, r.reference, more, NULL };
	return image_work(rt, args, -1, run, err);
}

int csn_image_tag(struct csn_runtime *rt, const char *image, const char *name,
		  struct csn_error *err)
{
	struct image_run run = { 0 };

	return run_verb(rt, "tag", image, name, &run, err);
}

int csn_image_verify(struct csn_runtime *rt, const char *image, struct csn_error *err)
{
	struct image_run run = { 0 };

	return run_verb(rt, "verify", image, NULL, &run, err);
}

int csn_image_inspect(struct csn_runtime *rt, const char *image, char **ret, struct csn_error *err)
{
	struct image_run run = { 0 };

	int r = run_verb(rt, "inspect", image, NULL, &run, err);
	if (r < 0) {
		free(run.document);
		return r;
	}
	if (!run.document)
		return fail(err, EPROTO, "image \"%.200s\": nothing came", image);
	*ret = run.document;
	return 0;
}

int csn_image_save(struct csn_runtime *rt, const char *const *images, int fd, struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct csn_images *list AUTO(free_images)
	= images_new();
	struct image_run run = { .images = list };
	size_t count = 0;

	while (images[count])
		count++;
	auto_mem const char **args = calloc(count + 4, sizeof *args);
	if (!args || !list)
		return fail(err, ENOMEM, "out of memory");
	if (count == 0)
		return fail(err, EINVAL, "save: no image");
	args[0] = "--root";
	args[1] = rt->root;
	args[2] = "save";
	for (size_t i = 0; i < count; i++) {
		struct image_record r;
		TRY(image_find(rt, images[i], &r, &arena, err));
		args[3 + i] = r.reference;
	}
	return image_work(rt, args, fd, &run, err);
}

/*
 * Deployments and the containers that were made for them. Which those are is told by labels that
 * the library sets; a container is asked for them only if its name is one of a service's.
 */
#include "bin/engine/deploy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "bin/engine/remote.h"

#define FILE_MAX_SIZE (4 << 20)

/* ---- the file ---------------------------------------------------------------------------------
 */

void deploy_free(struct csn_deployment **deployment)
{
	csn_deployment_free(*deployment);
	*deployment = NULL;
}

static int read_input(char **ret, size_t *ret_size, struct csn_error *err)
{
	size_t size = 0;
	char *text = malloc(FILE_MAX_SIZE + 1);
	if (!text)
		return fail(err, ENOMEM, "out of memory");
	while (size <= FILE_MAX_SIZE) {
		ssize_t n = read(STDIN_FILENO, text + size, FILE_MAX_SIZE + 1 - size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			int r = fail_errno(err, "standard input");
			free(text);
			return r;
		}
		if (n == 0)
			break;
		size += (size_t)n;
	}
	*ret = text;
	*ret_size = size;
	return size <= FILE_MAX_SIZE ? 0 : fail(err, EFBIG, "standard input: too large");
}

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);
	return n >= m && strcmp(text + n - m, end) == 0;
}

int deploy_read(const char *file, struct csn_deployment **ret, struct csn_error *err)
{
	auto_mem char *text = NULL;
	size_t size = 0;
	if (strcmp(file, "-") == 0)
		TRY(read_input(&text, &size, err));
	else
		TRY(file_read(AT_FDCWD, file, FILE_MAX_SIZE, &text, &size, err));
	int r = csn_deployment_parse(
		text, size, ends_with(file, ".json") ? CSN_FORMAT_JSON : CSN_FORMAT_YAML, ret, err);
	return r < 0 ? within(err, r, "%s", file) : 0;
}

const struct csn_service *deploy_find(const struct csn_deployment *deployment, const char *service)
{
	for (size_t i = 0; i < csn_deployment_count(deployment); i++) {
		const struct csn_service *s = csn_deployment_get(deployment, i);
		if (strcmp(csn_service_info(s)->name, service) == 0)
			return s;
	}
	return NULL;
}

int deploy_pull(struct csn_rt *rt, const struct csn_service_info *service, struct csn_error *err)
{
	struct csn_image_pull_options pull = CSN_IMAGE_PULL_OPTIONS_INIT;
	struct bars bars;

	pull.policy = service->pull_policy;
	if (pull.policy == CSN_PULL_NEVER)
		return 0;
	TRY(bars_open(&bars, err));
	pull.progress = bars_progress;
	pull.progress_data = &bars;
	int r = csn_image_pull(csn_rt_engine(rt), service->image, &pull, NULL, err);
	bars_close(&bars);
	return r;
}

/* ---- containers -------------------------------------------------------------------------------
 */

/* The part of csn_container_inspect's document with the labels. */
struct label {
	char *key, *value;
};
struct inspected {
	struct {
		struct label *items;
		size_t count;
		bool set;
	} labels;
};
static const struct json_field config_fields[] = {
	FIELD("labels", decode_map, struct inspected, labels),
	FIELDS_END,
};
static const struct json_field inspected_fields[] = {
	{ "config", decode_object, 0, config_fields, 0, 0, 0 },
	FIELDS_END,
};

static const char *label_of(const struct inspected *c, const char *key)
{
	for (size_t i = 0; i < c->labels.count; i++)
		if (strcmp(c->labels.items[i].key, key) == 0)
			return c->labels.items[i].value;
	return "";
}

static int add_deployed(struct csn_runtime *rt, const struct csn_container_info *info,
			struct deployed_list *ret, struct csn_error *err)
{
	struct csn_container_id id;
	struct inspected inspected = { 0 };
	auto_mem char *text = NULL;
	struct arena *arena = &ret->arena;

	if (csn_container_id_parse(info->name, &id, NULL) < 0)
		return 0;
	/* Gone meanwhile. */
	if (csn_container_inspect(rt, info->id, &text, NULL) < 0)
		return 0;
	TRY(json_decode(text, strlen(text), info->name, inspected_fields, &inspected, arena, err));
	struct deployed *d = &ret->items[ret->count];
	*d = (struct deployed){
		.name = arena_strdup(arena, info->name),
		.deployment = label_of(&inspected, CSN_LABEL_DEPLOYMENT),
		.service = label_of(&inspected, CSN_LABEL_SERVICE),
		.digest = label_of(&inspected, CSN_LABEL_DIGEST),
		.replica = id.replica,
		.image = arena_strdup(arena, info->image),
		.image_digest = arena_strdup(arena, info->image_digest),
		.state = info->state,
		.exit_code = info->exit_code,
	};
	if (!d->name || !d->image || !d->image_digest)
		return fail(err, ENOMEM, "out of memory");
	ret->count++;
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct deployed *)a)->name, ((const struct deployed *)b)->name);
}

int deployed_list(struct csn_runtime *rt, struct deployed_list *ret, struct csn_error *err)
{
	struct csn_containers *all = NULL;
	TRY(csn_container_list(rt, true, &all, err));
	size_t count = csn_containers_count(all);
	ret->items = arena_array(&ret->arena, count, sizeof *ret->items);
	int r = ret->items ? 0 : fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; r == 0 && i < count; i++)
		r = add_deployed(rt, csn_containers_get(all, i), ret, err);
	csn_containers_free(all);
	if (r == 0)
		qsort(ret->items, ret->count, sizeof *ret->items, by_name);
	return r;
}

void deployed_done(struct deployed_list *list)
{
	arena_free(&list->arena);
}

const struct deployed *deployed_find(const struct deployed_list *list, const char *name)
{
	const struct deployed key = { .name = name };
	return list->count ? bsearch(&key, list->items, list->count, sizeof key, by_name) : NULL;
}

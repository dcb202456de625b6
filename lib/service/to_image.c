/*
 * The way back: what a container was given beyond what its image says, as instructions of a
 * Dockerfile, so that an image made of it runs as it did. What the engine itself added (HOSTNAME,
 * TERM, HOME, the usual PATH) is not the image's business. Pure, as everything here.
 */
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "service/service.h"

struct instructions {
	char **items;
	size_t count;
	struct arena *arena;
	struct csn_error *err;
};

static int add(struct instructions *l, char *text)
{
	if (!text)
		return fail(l->err, ENOMEM, "out of memory");
	l->items[l->count++] = text;
	return 0;
}

/* NAME ["a","b"] */
static int add_list(struct instructions *l, const char *name, char *const *items, size_t count)
{
	AUTO(json_out_done)
	struct json_out o = JSON_OUT_COMPACT;
	auto_mem char *json = NULL;

	json_open_array(&o, NULL);
	for (size_t i = 0; i < count; i++)
		json_put_string(&o, NULL, items[i]);
	json_close_array(&o);
	TRY(json_out_take(&o, &json, l->err));
	return add(l, arena_printf(l->arena, "%s %s", name, json));
}

/* NAME key="value" */
static int add_pair(struct instructions *l, const char *name, const char *key, size_t key_size,
		    const char *value)
{
	char *quoted = arena_alloc(l->arena, 2 * strlen(value) + 1), *out = quoted;

	if (!quoted)
		return fail(l->err, ENOMEM, "out of memory");
	for (; *value; value++) {
		if (*value == '"' || *value == '\\')
			*out++ = '\\';
		*out++ = *value;
	}
	return add(l, arena_printf(l->arena, "%s %.*s=\"%s\"", name, (int)key_size, key, quoted));
}

static bool begins_with(const struct spec_strings *all, const struct spec_strings *with)
{
	if (all->count < with->count)
		return false;
	for (size_t i = 0; i < with->count; i++)
		if (strcmp(all->items[i], with->items[i]) != 0)
			return false;
	return true;
}

/* Which of the arguments are the entrypoint's is not kept: the image's, if they begin so. */
static int add_command(struct instructions *l, const struct spec_strings *args,
		       const struct image_config *image)
{
	const struct spec_strings *entry = &image->entrypoint;
	struct spec_strings rest = *args;

	if (begins_with(args, entry)) {
		rest.items += entry->count;
		rest.count -= entry->count;
	} else {
		TRY(add_list(l, "ENTRYPOINT", NULL, 0));
	}
	if (rest.count == image->cmd.count && begins_with(&rest, &image->cmd))
		return 0;
	return add_list(l, "CMD", rest.items, rest.count);
}

static bool has(const struct spec_strings *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}

static bool is_engines(const char *entry)
{
	static const char *const names[] = { "HOME=", "HOSTNAME=", "TERM=" };

	for (size_t i = 0; i < COUNT(names); i++)
		if (strncmp(entry, names[i], strlen(names[i])) == 0)
			return true;
	return strcmp(entry, service_default_path) == 0;
}

static int add_env(struct instructions *l, const struct spec_strings *env,
		   const struct image_config *image)
{
	for (size_t i = 0; i < env->count; i++) {
		const char *entry = env->items[i], *value = strchr(entry, '=');
		if (value && !has(&image->env, entry) && !is_engines(entry))
			TRY(add_pair(l, "ENV", entry, (size_t)(value - entry), value + 1));
	}
	return 0;
}

static int add_labels(struct instructions *l, const struct spec_map *labels,
		      const struct image_config *image)
{
	for (size_t i = 0; i < labels->count; i++) {
		const char *key = labels->items[i].key, *value = labels->items[i].value;
		bool there = false;
		for (size_t j = 0; j < image->labels.count; j++)
			there |= strcmp(image->labels.items[j].key, key) == 0 &&
				 strcmp(image->labels.items[j].value, value) == 0;
		if (!there && !strpbrk(key, "\"'\\= \t\r\n"))
			TRY(add_pair(l, "LABEL", key, strlen(key), value));
	}
	return 0;
}

int service_to_instructions(const struct spec *spec, const struct image_config *image,
			    const struct resolved_user *user, char ***ret, size_t *ret_count,
			    struct arena *arena, struct csn_error *err)
{
	const struct spec_process *p = &spec->process;
	struct instructions l = { .arena = arena, .err = err };
	const char *cwd = image->working_dir ? image->working_dir : "/";

	l.items = arena_array(arena, p->env.count + spec->annotations.count + 4, sizeof *l.items);
	if (!l.items)
		return fail(err, ENOMEM, "out of memory");
	TRY(add_command(&l, &p->args, image));
	TRY(add_env(&l, &p->env, image));
	TRY(add_labels(&l, &spec->annotations, image));
	if (p->cwd && strcmp(p->cwd, cwd) != 0)
		TRY(add(&l, arena_printf(arena, "WORKDIR %s", p->cwd)));
	if (p->user.uid != user->uid || p->user.gid != user->gid)
		TRY(add(&l, arena_printf(arena, "USER %u:%u", p->user.uid, p->user.gid)));
	*ret = l.items;
	*ret_count = l.count;
	return 0;
}

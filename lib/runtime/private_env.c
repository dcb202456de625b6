/*
 * Variables that somebody sets between the starts of a container: tokens. They are in its config
 * like any others; their names are kept beside it ("private-env", one a line), and written first,
 * so that no crash lets a commit take one for the container's own.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "runtime/private_env.h"

#define NAMES_FILE "private-env"
#define NAMES_MAX  65536
#define SET_MAX	   256

static void free_spec(struct spec **s)
{
	spec_free(*s);
}

static int check(const char *const *env, size_t *ret_count, struct csn_error *err)
{
	size_t n = 0;
	for (; env[n]; n++)
		if (env[n][0] == '=' || !strchr(env[n], '=') ||
		    memchr(env[n], '\n', strcspn(env[n], "=")))
			return fail(err, EINVAL, "environment: entry %zu: expected NAME=value", n);
	*ret_count = n;
	return n <= SET_MAX ? 0 : fail(err, E2BIG, "more than %d variables", SET_MAX);
}

/* ---- names -------------------------------------------------------------------------------------
 */

static int read_names(const struct container *c, char **ret, struct csn_error *err)
{
	size_t size;
	int r = file_read(c->dir, NAMES_FILE, NAMES_MAX, ret, &size, err);
	if (r == -ENOENT) {
		*ret = strdup("");
		r = *ret ? 0 : fail(err, ENOMEM, "out of memory");
	}
	return within(err, r, "container %.12s: %s", c->id, NAMES_FILE);
}

static bool is_named(const char *names, const char *entry)
{
	size_t size = strcspn(entry, "=");
	for (const char *at = names; *at;) {
		size_t n = strcspn(at, "\n");
		if (n == size && memcmp(at, entry, n) == 0)
			return true;
		at += n + (at[n] == '\n');
	}
	return false;
}

static int add_names(const struct container *c, const char *const *env, size_t count,
		     struct arena *arena, struct csn_error *err)
{
	auto_mem char *known = NULL;
	TRY(read_names(c, &known, err));
	const char *names = known;
	for (size_t i = 0; names && i < count; i++)
		if (!is_named(names, env[i]))
			names = arena_printf(arena, "%s%.*s\n", names, (int)strcspn(env[i], "="),
					     env[i]);
	if (!names)
		return fail(err, ENOMEM, "out of memory");
	if (names == known)
		return 0;
	return within(err,
		      file_write_atomic(c->dir, NAMES_FILE, names, strlen(names), 0600, true, err),
		      "container %.12s", c->id);
}

int private_env_leave_out(const struct container *c, struct spec_strings *env,
			  struct csn_error *err)
{
	auto_mem char *names = NULL;
	size_t kept = 0;
	TRY(read_names(c, &names, err));
	for (size_t i = 0; i < env->count; i++)
		if (!is_named(names, env->items[i]))
			env->items[kept++] = env->items[i];
	env->count = kept;
	return 0;
}

/* ---- the config --------------------------------------------------------------------------------
 */

static int write_env(const struct container *c, const struct spec *spec, const char *const *env,
		     size_t count, struct arena *arena, struct csn_error *err)
{
	static const char *const path[] = { "process", "env", NULL };
	const struct spec_strings *old = &spec->process.env;
	char **all = arena_array(arena, old->count + count, sizeof *all);
	auto_mem char *list = NULL;
	auto_mem char *config = NULL;
	size_t n = old->count;
	if (!all)
		return fail(err, ENOMEM, "out of memory");
	if (n)
		memcpy(all, old->items, n * sizeof *all);
	for (size_t i = 0; i < count; i++) {
		char *entry = arena_strdup(arena, env[i]);
		if (!entry)
			return fail(err, ENOMEM, "out of memory");
		env_set(all, &n, entry);
	}
	struct json_out o = JSON_OUT_COMPACT;
	json_open_array(&o, NULL);
	for (size_t i = 0; i < n; i++)
		json_put_string(&o, NULL, all[i]);
	json_close_array(&o);
	TRY(json_out_take(&o, &list, err));
	TRY(json_replace(spec->text, path, list, &config, err));
	return file_write_atomic(c->dir, "config.json", config, strlen(config), 0600, true, err);
}

int csn_container_set_private_env(struct csn_runtime *rt, const char *container,
				  const char *const *env, struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	struct spec *spec AUTO(free_spec)
	= NULL;
	size_t count = 0;
	TRY(check(env, &count, err));
	TRY(container_find(rt, container, &c, err));
	auto_fd lock = lock_dir(c.dir, LOCK_EX, err);
	if (lock < 0)
		return lock;
	TRY(add_names(&c, env, count, &arena, err));
	TRY(spec_read_bundle(c.dir, c.id, &spec, err));
	return within(err, write_env(&c, spec, env, count, &arena, err), "container %.12s", c.id);
}

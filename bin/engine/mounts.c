/* From --volume, --mount and --tmpfs to the mounts of a new container. What options mean is the
 * library's business: here they are only put into its form. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/size.h"
#include "bin/engine/mounts.h"

struct mount_args mount_args;

static int no_memory(struct csn_error *err)
{
	return fail(err, ENOMEM, "out of memory");
}

/* What the shell's user means by a path: links followed, relative to the working directory. */
static int find_source(struct arena *arena, const char *option, const char *text, char *source,
		       struct csn_mount *ret, struct csn_error *err)
{
	auto_mem char *real = realpath(source, NULL);
	if (!real)
		return fail_errno(err, "%s \"%s\": %s", option, text, source);
	ret->source = arena_strdup(arena, real);
	return ret->source ? 0 : no_memory(err);
}

/* ---- --volume and --tmpfs ---------------------------------------------------------------------
 */

/* SRC:DST[:OPTIONS], where SRC is a path or the name of a volume, or DST alone; a relative SRC
 * (./x) is of the working directory. */
int parse_volume(struct arena *arena, const char *text, struct csn_mount *ret,
		 struct csn_error *err)
{
	char *source = arena_strdup(arena, text);
	if (!source)
		return no_memory(err);
	char *target = strchr(source, ':');
	if (!target && source[0] == '/') {
		ret->target = source; /* a volume of the container's own */
		return 0;
	}
	if (!target || target == source || !target[1])
		return fail(err, EINVAL, "--volume \"%s\": expected [SRC:]DST[:OPTIONS]", text);
	*target++ = '\0';
	char *options = strchr(target, ':');
	if (options)
		*options++ = '\0';
	ret->target = target;
	ret->options = options;
	if (strchr(source, '/') || source[0] == '.')
		return find_source(arena, "--volume", text, source, ret, err);
	ret->source = source; /* the name of a volume */
	return 0;
}

int parse_tmpfs(struct arena *arena, const char *text, struct csn_mount *ret, struct csn_error *err)
{
	char *target = arena_strdup(arena, text);
	if (!target)
		return no_memory(err);
	char *options = strchr(target, ':');
	if (options)
		*options++ = '\0';
	ret->kind = CSN_MOUNT_TMPFS;
	ret->target = target;
	ret->options = options;
	return 0;
}

/* ---- --mount ----------------------------------------------------------------------------------
 */

enum { OF_BIND = 1, OF_VOLUME = 2, OF_TMPFS = 4, OF_ALL = 7 };

/* One --mount on its way. */
struct mounting {
	struct arena *arena;
	const char *text; /* all of it */
	struct csn_mount *out;
	const char *options; /* joined by commas */
	char *source;
	struct csn_volume_options volume;
	const char **labels;
	size_t labels_count;
	int kind;
	struct csn_error *err;
};

static int bad(struct mounting *m, const char *key, const char *expected)
{
	return fail(m->err, EINVAL, "--mount \"%s\": %s: expected %s", m->text, key, expected);
}

static int add_option(struct mounting *m, const char *option, const char *value)
{
	m->options = arena_printf(m->arena, "%s%s%s%s", m->options, *m->options ? "," : "", option,
				  value);
	return m->options ? 0 : no_memory(m->err);
}

/* A flag alone, or with a word. */
static int read_flag(struct mounting *m, const char *key, const char *value, bool *ret)
{
	static const struct {
		const char *word;
		bool is;
	} words[] = { { "", true },	  { "true", true }, { "1", true },   { "on", true },
		      { "false", false }, { "0", false },   { "off", false } };
	for (size_t i = 0; i < COUNT(words); i++)
		if (strcmp(words[i].word, value) == 0) {
			*ret = words[i].is;
			return 0;
		}
	return bad(m, key, "true or false");
}

static int set_source(struct mounting *m, const char *key, char *value)
{
	(void)key;
	m->source = value;
	return 0;
}

static int set_target(struct mounting *m, const char *key, char *value)
{
	(void)key;
	m->out->target = value;
	return 0;
}

static int set_readonly(struct mounting *m, const char *key, char *value)
{
	return read_flag(m, key, value, &m->out->readonly);
}

static int set_propagation(struct mounting *m, const char *key, char *value)
{
	static const char *const known[] = { "private", "rprivate", "slave",
					     "rslave",	"shared",   "rshared" };
	for (size_t i = 0; i < COUNT(known); i++)
		if (strcmp(known[i], value) == 0)
			return add_option(m, value, "");
	return bad(m, key, "private, rprivate, slave, rslave, shared or rshared");
}

static int set_recursive(struct mounting *m, const char *key, char *value)
{
	if (strcmp(value, "disabled") == 0)
		return add_option(m, "bind", "");
	/* What is read-only is so with all that is mounted below it. */
	if (strcmp(value, "enabled") == 0 || strcmp(value, "readonly") == 0)
		return add_option(m, "rbind", "");
	return bad(m, key, "enabled, disabled or readonly");
}

static int set_nonrecursive(struct mounting *m, const char *key, char *value)
{
	bool is = false;
	int r = read_flag(m, key, value, &is);
	return r == 0 && is ? add_option(m, "bind", "") : r;
}

static int set_nocopy(struct mounting *m, const char *key, char *value)
{
	bool is = false;
	int r = read_flag(m, key, value, &is);
	return r == 0 && is ? add_option(m, "nocopy", "") : r;
}

static int set_label(struct mounting *m, const char *key, char *value)
{
	(void)key;
	m->labels[m->labels_count++] = value;
	return 0;
}

static int set_volume_option(struct mounting *m, const char *key, char *value)
{
	int64_t bytes = 0;
	if (strncmp(value, "size=", 5) != 0 || !size_parse(value + 5, &bytes) || bytes <= 0)
		return bad(m, key, "size=SIZE, such as size=1g");
	m->volume.size_bytes = (uint64_t)bytes;
	return 0;
}

static int set_driver(struct mounting *m, const char *key, char *value)
{
	return strcmp(value, "local") == 0 ? 0 : bad(m, key, "local");
}

static int set_tmpfs_size(struct mounting *m, const char *key, char *value)
{
	(void)key;
	return add_option(m, "size=", value);
}

static int set_tmpfs_mode(struct mounting *m, const char *key, char *value)
{
	(void)key;
	return add_option(m, "mode=", value);
}

static const struct key {
	const char *name;
	int kinds;
	int (*set)(struct mounting *m, const char *key, char *value);
} keys[] = {
	{ "type", OF_ALL, NULL },
	{ "source", OF_BIND | OF_VOLUME, set_source },
	{ "src", OF_BIND | OF_VOLUME, set_source },
	{ "target", OF_ALL, set_target },
	{ "dst", OF_ALL, set_target },
	{ "destination", OF_ALL, set_target },
	{ "readonly", OF_ALL, set_readonly },
	{ "ro", OF_ALL, set_readonly },
	{ "bind-propagation", OF_BIND, set_propagation },
	{ "bind-recursive", OF_BIND, set_recursive },
	{ "bind-nonrecursive", OF_BIND, set_nonrecursive },
	{ "volume-nocopy", OF_VOLUME, set_nocopy },
	{ "volume-label", OF_VOLUME, set_label },
	{ "volume-opt", OF_VOLUME, set_volume_option },
	{ "volume-driver", OF_VOLUME, set_driver },
	{ "tmpfs-size", OF_TMPFS, set_tmpfs_size },
	{ "tmpfs-mode", OF_TMPFS, set_tmpfs_mode },
};

static int apply(struct mounting *m, char *pair)
{
	char *value = strchr(pair, '=');
	if (value)
		*value++ = '\0';
	for (size_t i = 0; i < COUNT(keys); i++) {
		if (strcmp(keys[i].name, pair) != 0)
			continue;
		if (!(keys[i].kinds & m->kind))
			return bad(m, pair, "it with another type only");
		return keys[i].set ? keys[i].set(m, pair, value ? value : pair + strlen(pair)) : 0;
	}
	return bad(m, pair, "another key: it is unknown");
}

/* The type changes what the other words mean, so it is looked for first. */
static int find_kind(struct mounting *m, const char *text)
{
	static const struct {
		const char *name;
		int kind;
		enum csn_mount_kind is;
	} kinds[] = { { "bind", OF_BIND, CSN_MOUNT_BIND },
		      { "volume", OF_VOLUME, CSN_MOUNT_VOLUME },
		      { "tmpfs", OF_TMPFS, CSN_MOUNT_TMPFS } };
	const char *type = "volume";
	size_t size = strlen(type);
	for (const char *at = text; *at;) {
		size_t n = strcspn(at, ",");
		if (n > 5 && strncmp(at, "type=", 5) == 0) {
			type = at + 5;
			size = n - 5;
		}
		at += n + (at[n] == ',');
	}
	for (size_t i = 0; i < COUNT(kinds); i++)
		if (strlen(kinds[i].name) == size && strncmp(kinds[i].name, type, size) == 0) {
			m->kind = kinds[i].kind;
			m->out->kind = kinds[i].is;
			return 0;
		}
	return bad(m, "type", "bind, volume or tmpfs");
}

static int keep_volume_options(struct mounting *m)
{
	struct csn_volume_options *v = arena_alloc(m->arena, sizeof *v);
	if (!v)
		return no_memory(m->err);
	*v = m->volume;
	v->labels = m->labels;
	if (m->labels_count || v->size_bytes)
		m->out->volume = v;
	return 0;
}

int parse_mount(struct arena *arena, const char *text, struct csn_mount *ret, struct csn_error *err)
{
	struct mounting m = { .arena = arena,
			      .text = text,
			      .out = ret,
			      .options = "",
			      .volume = CSN_VOLUME_OPTIONS_INIT,
			      .err = err };
	char *copy = arena_strdup(arena, text);
	m.labels = arena_array(arena, strlen(text) + 1, sizeof *m.labels);
	if (!copy || !m.labels)
		return no_memory(err);
	int r = find_kind(&m, text);
	for (char *next; r == 0 && copy; copy = next) {
		next = strchr(copy, ',');
		if (next)
			*next++ = '\0';
		r = apply(&m, copy);
	}
	if (r < 0)
		return r;
	if (!ret->target)
		return bad(&m, "target", "an absolute path");
	if (m.kind == OF_BIND && !m.source)
		return bad(&m, "source", "a path of the host");
	ret->options = m.options;
	ret->source = m.source && *m.source ? m.source : NULL;
	if (m.kind == OF_BIND)
		return find_source(arena, "--mount", text, m.source, ret, err);
	return m.kind == OF_VOLUME ? keep_volume_options(&m) : 0;
}

/* ---- all of them ------------------------------------------------------------------------------
 */

int mounts_collect(struct arena *arena, struct csn_container_options *o, struct csn_error *err)
{
	const struct {
		const struct opt_list *given;
		int (*parse)(struct arena *arena, const char *text, struct csn_mount *ret,
			     struct csn_error *err);
	} rows[] = {
		{ &mount_args.volumes, parse_volume },
		{ &mount_args.mounts, parse_mount },
		{ &mount_args.tmpfs, parse_tmpfs },
	};
	size_t count = 0;
	for (size_t i = 0; i < COUNT(rows); i++)
		count += rows[i].given->count;
	struct csn_mount *mounts = arena_array(arena, count, sizeof *mounts), *at = mounts;
	if (!mounts)
		return no_memory(err);
	for (size_t i = 0; i < COUNT(rows); i++)
		for (size_t k = 0; k < rows[i].given->count; k++) {
			*at = (struct csn_mount)CSN_MOUNT_INIT;
			TRY(rows[i].parse(arena, rows[i].given->items[k], at++, err));
		}
	if (mount_args.shm_size &&
	    (!size_parse(mount_args.shm_size, &o->shm_bytes) || o->shm_bytes <= 0))
		return fail(err, EINVAL, "--shm-size \"%s\": expected a size above 0, such as 64m",
			    mount_args.shm_size);
	o->mounts = mounts;
	o->mounts_count = count;
	return 0;
}

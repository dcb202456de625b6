/*
 * Mounts that a user asked for: their options, checked, as those of an OCI mount. A directory comes
 * before what lies below it, whatever order they were asked for in. Volumes are paths by now.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/path.h"
#include "base/size.h"
#include "service/service.h"

enum { FOR_BIND = 1, FOR_TMPFS = 2, FOR_BOTH = 3 };

/* Each word decides one thing of a mount; the last word about it counts. */
enum about {
	ABOUT_TREE,
	ABOUT_SPREAD,
	ABOUT_SUID,
	ABOUT_DEV,
	ABOUT_EXEC,
	ABOUT_WRITE,
	ABOUT_ATIME,
	ABOUT_SIZE,
	ABOUT_MODE,
	ABOUT_UID,
	ABOUT_GID,
	ABOUT_INODES,
	ABOUT_COPY,
	ABOUT_NOTHING,
	ABOUT_COUNT = ABOUT_NOTHING
};

struct word {
	const char *name;
	int kinds;
	enum about about;
	const char *bind, *tmpfs; /* the OCI option */
};

/* What a bind does is done to all that is mounted below it as well. */
static const struct word words[] = {
	{ "rbind", FOR_BIND, ABOUT_TREE, "rbind", NULL },
	{ "bind", FOR_BIND, ABOUT_TREE, "bind", NULL },
	{ "private", FOR_BIND, ABOUT_SPREAD, "private", NULL },
	{ "rprivate", FOR_BIND, ABOUT_SPREAD, "rprivate", NULL },
	{ "slave", FOR_BIND, ABOUT_SPREAD, "slave", NULL },
	{ "rslave", FOR_BIND, ABOUT_SPREAD, "rslave", NULL },
	{ "shared", FOR_BIND, ABOUT_SPREAD, "shared", NULL },
	{ "rshared", FOR_BIND, ABOUT_SPREAD, "rshared", NULL },
	{ "nosuid", FOR_BOTH, ABOUT_SUID, "rnosuid", "nosuid" },
	{ "suid", FOR_BOTH, ABOUT_SUID, "", "suid" },
	{ "nodev", FOR_BOTH, ABOUT_DEV, "rnodev", "nodev" },
	{ "dev", FOR_BOTH, ABOUT_DEV, "", "dev" },
	{ "noexec", FOR_BOTH, ABOUT_EXEC, "rnoexec", "noexec" },
	{ "exec", FOR_BOTH, ABOUT_EXEC, "", "exec" },
	{ "ro", FOR_BOTH, ABOUT_WRITE, "rro", "ro" },
	{ "rw", FOR_BOTH, ABOUT_WRITE, "", "rw" },
	{ "noatime", FOR_BOTH, ABOUT_ATIME, "rnoatime", "noatime" },
	{ "relatime", FOR_BOTH, ABOUT_ATIME, "rrelatime", "relatime" },
	{ "tmpcopyup", FOR_TMPFS, ABOUT_COPY, NULL, "tmpcopyup" },
	/* volumes.c has read these; labels are the whole container's */
	{ "copy", FOR_BIND, ABOUT_NOTHING, "", NULL },
	{ "nocopy", FOR_BIND, ABOUT_NOTHING, "", NULL },
	{ "z", FOR_BIND, ABOUT_NOTHING, "", NULL },
	{ "Z", FOR_BIND, ABOUT_NOTHING, "", NULL },
};

static const char *const bind_defaults[ABOUT_COUNT] = {
	[ABOUT_TREE] = "rbind",
	[ABOUT_SPREAD] = "rprivate",
	[ABOUT_SUID] = "rnosuid",
	[ABOUT_DEV] = "rnodev",
};

static const char *const tmpfs_defaults[ABOUT_COUNT] = {
	[ABOUT_SUID] = "nosuid",
	[ABOUT_DEV] = "nodev",
	[ABOUT_EXEC] = "noexec",
	[ABOUT_MODE] = "mode=1777",
};

/* One mount's options on their way. */
struct deciding {
	const char *target;
	bool tmpfs;
	const char *about[ABOUT_COUNT];
	struct arena *arena;
	struct csn_error *err;
};

static int bad_option(const struct deciding *d, const char *option, const char *expected)
{
	return fail(d->err, EINVAL, "mount \"%.200s\": option \"%.100s\": expected %s", d->target,
		    option, expected);
}

/* ---- NAME=VALUE of a tmpfs ---------------------------------------------------------------------
 */

static const char *as_is(const struct deciding *d, const char *name, const char *value)
{
	return arena_printf(d->arena, "%s=%s", name, value);
}

/* Kernel and people differ in what a "k" is called. "50%" is of the memory. */
static const char *of_size(const struct deciding *d, const char *name, const char *value)
{
	int64_t bytes = 0;
	size_t digits = strspn(value, "0123456789");
	if (digits && digits < 4 && strcmp(value + digits, "%") == 0)
		return as_is(d, name, value);
	if (!size_parse(value, &bytes) || bytes <= 0)
		return NULL;
	return arena_printf(d->arena, "%s=%lld", name, (long long)bytes);
}

static const char *of_digits(const struct deciding *d, const char *name, const char *value)
{
	size_t n = strspn(value, "0123456789");
	return n && n < 11 && !value[n] ? as_is(d, name, value) : NULL;
}

static const char *of_mode(const struct deciding *d, const char *name, const char *value)
{
	size_t n = strspn(value, "01234567");
	return n && n < 6 && !value[n] ? as_is(d, name, value) : NULL;
}

static const struct {
	const char *name, *expected;
	enum about about;
	const char *(*read)(const struct deciding *d, const char *name, const char *value);
} values[] = {
	{ "size", "a size above 0, such as 64m, or a percentage", ABOUT_SIZE, of_size },
	{ "mode", "an octal mode", ABOUT_MODE, of_mode },
	{ "uid", "a number", ABOUT_UID, of_digits },
	{ "gid", "a number", ABOUT_GID, of_digits },
	{ "nr_inodes", "a number", ABOUT_INODES, of_digits },
};

static int decide_value(struct deciding *d, const char *option, const char *equals)
{
	size_t n = (size_t)(equals - option);
	for (size_t i = 0; d->tmpfs && i < COUNT(values); i++) {
		if (strlen(values[i].name) != n || strncmp(values[i].name, option, n) != 0)
			continue;
		const char *is = values[i].read(d, values[i].name, equals + 1);
		if (!is)
			return bad_option(d, option, values[i].expected);
		d->about[values[i].about] = is;
		return 0;
	}
	return bad_option(d, option, "another one: it is unknown");
}

static int decide_option(struct deciding *d, const char *option)
{
	const char *equals = strchr(option, '=');
	int kind = d->tmpfs ? FOR_TMPFS : FOR_BIND;
	if (equals)
		return decide_value(d, option, equals);
	for (size_t i = 0; i < COUNT(words); i++) {
		if (!(words[i].kinds & kind) || strcmp(words[i].name, option) != 0)
			continue;
		if (words[i].about != ABOUT_NOTHING)
			d->about[words[i].about] = d->tmpfs ? words[i].tmpfs : words[i].bind;
		return 0;
	}
	return bad_option(d, option, "another one: it is unknown");
}

/* ---- mounts ------------------------------------------------------------------------------------
 */

static int no_memory(struct csn_error *err)
{
	return fail(err, ENOMEM, "out of memory");
}

bool service_option_is_set(const char *options, const char *word)
{
	size_t size = strlen(word);
	for (const char *at = options ? options : ""; *at;) {
		size_t n = strcspn(at, ",");
		if (n == size && strncmp(at, word, n) == 0)
			return true;
		at += n + (at[n] == ',');
	}
	return false;
}

/* Separated by commas; empty ones mean nothing. */
static int decide_options(struct deciding *d, const char *options)
{
	char *text = arena_strdup(d->arena, options ? options : "");
	if (!text)
		return no_memory(d->err);
	for (char *next; text; text = next) {
		next = strchr(text, ',');
		if (next)
			*next++ = '\0';
		if (*text)
			TRY(decide_option(d, text));
	}
	return 0;
}

static int join_options(const struct deciding *d, const char **ret)
{
	const char *joined = "";
	for (size_t i = 0; joined && i < ABOUT_COUNT; i++)
		if (d->about[i] && d->about[i][0])
			joined = arena_printf(d->arena, "%s%s%s", joined, *joined ? " " : "",
					      d->about[i]);
	*ret = joined;
	return joined ? 0 : no_memory(d->err);
}

static int decide_target(const struct csn_mount *m, char **ret, struct arena *arena,
			 struct csn_error *err)
{
	if (!m->target || m->target[0] != '/')
		return fail(err, EINVAL, "mount target \"%.200s\": expected an absolute path",
			    m->target ? m->target : "");
	*ret = arena_strdup(arena, m->target);
	if (!*ret)
		return no_memory(err);
	path_clean(*ret);
	if (strcmp(*ret, "/") == 0)
		return fail(err, EINVAL,
			    "mount target \"%.200s\": nothing may be mounted over "
			    "\"/\"",
			    m->target);
	return 0;
}

static int decide_mount(const struct csn_mount *m, struct service_mount_oci *ret,
			struct arena *arena, struct csn_error *err)
{
	char *target = NULL;
	const bool tmpfs = m->kind == CSN_MOUNT_TMPFS;
	if (tmpfs && m->source)
		return fail(err, EINVAL, "mount source \"%.200s\": a tmpfs has none", m->source);
	if (!tmpfs && (!m->source || m->source[0] != '/'))
		return fail(err, EINVAL, "mount source \"%.200s\": expected an absolute path",
			    m->source ? m->source : "");
	TRY(decide_target(m, &target, arena, err));

	struct deciding d = { .target = target, .tmpfs = tmpfs, .arena = arena, .err = err };
	memcpy(d.about, tmpfs ? tmpfs_defaults : bind_defaults, sizeof d.about);
	TRY(decide_options(&d, m->options));
	if (m->readonly)
		d.about[ABOUT_WRITE] = tmpfs ? "ro" : "rro";
	*ret = (struct service_mount_oci){ .target = target,
					   .type = tmpfs ? "tmpfs" : "bind",
					   .source = tmpfs ? "tmpfs" : m->source,
					   .spread = d.about[ABOUT_SPREAD] };
	return join_options(&d, &ret->options);
}

static size_t depth_of(const char *path)
{
	size_t depth = 0;
	for (; *path; path++)
		depth += *path == '/';
	return depth;
}

/* In its place by depth, behind those of the same. */
static int insert(struct service *s, const struct service_mount_oci *m, struct csn_error *err)
{
	size_t at = s->mounts_count;
	for (size_t i = 0; i < s->mounts_count; i++)
		if (strcmp(s->mounts[i].target, m->target) == 0)
			return fail(err, EINVAL, "mount target \"%.200s\": given twice", m->target);
	while (at > 0 && depth_of(s->mounts[at - 1].target) > depth_of(m->target)) {
		s->mounts[at] = s->mounts[at - 1];
		at--;
	}
	s->mounts[at] = *m;
	s->mounts_count++;
	return 0;
}

int service_decide_mounts(const struct csn_container_options *o, struct service *s,
			  struct arena *arena, struct csn_error *err)
{
	if (o->mounts_count && o->mounts->size < sizeof(struct csn_mount))
		return fail(err, EINVAL, "mounts: made without CSN_MOUNT_INIT");
	if (o->shm_bytes < 0)
		return fail(err, EINVAL, "size of /dev/shm: expected more than 0, not %lld",
			    (long long)o->shm_bytes);
	s->mounts = arena_array(arena, o->mounts_count, sizeof *s->mounts);
	if (!s->mounts)
		return no_memory(err);
	for (size_t i = 0; i < o->mounts_count; i++) {
		struct service_mount_oci m;
		TRY(decide_mount(service_mount(o, i), &m, arena, err));
		TRY(insert(s, &m, err));
	}
	return 0;
}

const char *service_spread(const struct service *s)
{
	const char *widest = NULL;
	for (size_t i = 0; i < s->mounts_count; i++) {
		const char *spread = s->mounts[i].spread;
		if (spread && strstr(spread, "shared"))
			return "shared";
		if (spread && strstr(spread, "slave"))
			widest = "rslave";
	}
	return widest;
}

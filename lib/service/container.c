/*
 * Deciding: the options over the image over the defaults, checked. What a user wrote wrongly is
 * named by its option, what an image has wrong by the image.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/path.h"
#include "service/service.h"

#define STOP_TIMEOUT_S 10
#define LIST_MAX       4096 /* arguments or variables: a bound against nonsense */

const char service_default_path[] =
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

static int no_memory(struct csn_error *err)
{
	return fail(err, ENOMEM, "out of memory");
}

static size_t list_length(const char *const *list)
{
	size_t n = 0;
	while (list && list[n])
		n++;
	return n;
}

/* ---- command ----------------------------------------------------------------------------------
 */

static char **copy_list(struct arena *arena, const char *const *items, size_t count, char **out)
{
	for (size_t i = 0; i < count; i++) {
		*out = arena_strdup(arena, items[i]);
		if (!*out++)
			return NULL;
	}
	return out;
}

static int decide_args(const struct csn_container_options *o, const struct image_record *image,
		       struct service *s, struct arena *arena, struct csn_error *err)
{
	const char *const *entry = o->entrypoint, *const *command = o->command;
	size_t entry_count = list_length(entry), command_count = list_length(command);

	if (entry_count == 1 && !entry[0][0])
		entry_count = 0;
	if (!entry) {
		entry = (const char *const *)image->config.entrypoint.items;
		entry_count = image->config.entrypoint.count;
		if (command_count == 0) {
			command = (const char *const *)image->config.cmd.items;
			command_count = image->config.cmd.count;
		}
	}
	size_t count = entry_count + command_count;
	if (count == 0)
		return fail(err, EINVAL, "no command given, and image \"%s\" has none",
			    image->reference);
	if (count > LIST_MAX)
		return fail(err, E2BIG, "more than %d arguments", LIST_MAX);

	s->args = arena_array(arena, count + 1, sizeof *s->args);
	char **out = s->args ? copy_list(arena, entry, entry_count, s->args) : NULL;
	if (!out || !copy_list(arena, command, command_count, out))
		return no_memory(err);
	s->args_count = count;
	if (!s->args[0][0])
		return fail(err, EINVAL, "the command's name is empty");
	return 0;
}

/* ---- environment ------------------------------------------------------------------------------
 */

static bool same_name(const char *a, const char *b)
{
	size_t n = strcspn(a, "=");
	return strncmp(a, b, n) == 0 && b[n] == '=';
}

void env_set(char **env, size_t *count, char *entry)
{
	for (size_t i = 0; i < *count; i++) {
		if (same_name(env[i], entry)) {
			env[i] = entry;
			return;
		}
	}
	env[(*count)++] = entry;
}

const char *env_get(char *const *env, size_t count, const char *name)
{
	size_t n = strlen(name);
	for (size_t i = 0; i < count; i++)
		if (strncmp(env[i], name, n) == 0 && env[i][n] == '=')
			return env[i] + n + 1;
	return NULL;
}

static bool has_name(const char *entry)
{
	return entry[0] != '=' && strchr(entry, '=');
}

static int decide_env(const struct csn_container_options *o, const struct image_record *image,
		      struct service *s, struct arena *arena, struct csn_error *err)
{
	size_t given = list_length(o->env);
	if (given + image->config.env.count > LIST_MAX)
		return fail(err, E2BIG, "more than %d environment variables", LIST_MAX);

	/* PATH, HOSTNAME, TERM, HOME and the end. */
	s->env = arena_array(arena, given + image->config.env.count + 5, sizeof *s->env);
	char *hostname = arena_printf(arena, "HOSTNAME=%s", s->hostname);
	char *path = arena_strdup(arena, service_default_path),
	     *term = arena_strdup(arena, "TERM=xterm");
	if (!s->env || !hostname || !path || !term)
		return no_memory(err);
	env_set(s->env, &s->env_count, path);
	env_set(s->env, &s->env_count, hostname);
	if (o->tty)
		env_set(s->env, &s->env_count, term);

	/* An image's entry that is no assignment sets nothing anywhere: leave it out. */
	for (size_t i = 0; i < image->config.env.count; i++)
		if (has_name(image->config.env.items[i]))
			env_set(s->env, &s->env_count, image->config.env.items[i]);
	for (size_t i = 0; i < given; i++) {
		if (!has_name(o->env[i]))
			return fail(err, EINVAL, "environment \"%.200s\": expected NAME=value",
				    o->env[i]);
		char *entry = arena_strdup(arena, o->env[i]);
		if (!entry)
			return no_memory(err);
		env_set(s->env, &s->env_count, entry);
	}
	return 0;
}

/* ---- labels -----------------------------------------------------------------------------------
 */

static void label_set(struct spec_map *labels, char *key, char *value)
{
	for (size_t i = 0; i < labels->count; i++) {
		if (strcmp(labels->items[i].key, key) == 0) {
			labels->items[i].value = value;
			return;
		}
	}
	labels->items[labels->count++] = (struct spec_pair){ key, value };
}

static int decide_labels(const struct csn_container_options *o, const struct image_record *image,
			 struct service *s, struct arena *arena, struct csn_error *err)
{
	size_t given = list_length(o->labels);
	s->labels.items =
		arena_array(arena, given + image->config.labels.count, sizeof *s->labels.items);
	if (!s->labels.items)
		return no_memory(err);
	for (size_t i = 0; i < image->config.labels.count; i++)
		label_set(&s->labels, image->config.labels.items[i].key,
			  image->config.labels.items[i].value);
	for (size_t i = 0; i < given; i++) {
		char *key = arena_strdup(arena, o->labels[i]);
		if (!key)
			return no_memory(err);
		char *value = strchr(key, '=');
		if (!*key || value == key)
			return fail(err, EINVAL, "label \"%.200s\": expected KEY=value",
				    o->labels[i]);
		if (value)
			*value++ = '\0';
		label_set(&s->labels, key, value ? value : key + strlen(key));
	}
	return 0;
}

/* ---- the rest ---------------------------------------------------------------------------------
 */

/* What sethostname(2) takes and DNS allows. */
static int check_hostname(const char *name, struct csn_error *err)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-.";
	size_t size = strlen(name);
	if (size == 0 || size > 64 || strspn(name, allowed) != size || name[0] == '-' ||
	    name[0] == '.')
		return fail(err, EINVAL,
			    "hostname \"%.100s\": expected 1 to 64 letters, digits, '-' and '.'",
			    name);
	return 0;
}

static int decide_cwd(const struct csn_container_options *o, const struct image_record *image,
		      struct service *s, struct arena *arena, struct csn_error *err)
{
	const char *cwd = o->working_dir ? o->working_dir : image->config.working_dir;
	if (o->working_dir && o->working_dir[0] != '/')
		return fail(err, EINVAL, "working directory \"%.200s\": expected an absolute path",
			    o->working_dir);
	/* Images may say "app": it is below the root. */
	char *clean = arena_printf(arena, "/%s", cwd ? cwd : "");
	if (!clean)
		return no_memory(err);
	path_clean(clean);
	s->cwd = clean;
	return 0;
}

static int decide_stop(const struct csn_container_options *o, const struct image_record *image,
		       struct service *s, struct csn_error *err)
{
	const char *text = o->stop_signal ? o->stop_signal : image->config.stop_signal;
	int number = text ? signal_number(text) : 15;
	if (number < 1)
		return fail(err, EINVAL, "%s \"%.100s\": unknown signal",
			    o->stop_signal ? "stop signal" : "the image's StopSignal", text);
	s->stop_signal = signal_name(number);
	/* Whole seconds, upwards: less than was asked for would be a surprise. */
	s->stop_timeout_s = o->stop_timeout_ms < 0    ? 0
			    : o->stop_timeout_ms == 0 ? STOP_TIMEOUT_S
						      : (o->stop_timeout_ms - 1) / 1000 + 1;
	return 0;
}

const struct csn_mount *service_mount(const struct csn_container_options *options, size_t n)
{
	return (const void *)((const char *)options->mounts + n * options->mounts->size);
}

/* A value of a ulimit, up to end: a number, or -1 or "unlimited". */
static bool parse_ulimit(const char *text, size_t size, uint64_t *ret)
{
	char digits[24], *end;
	*ret = UINT64_MAX; /* what OCI has for infinity */
	if ((size == 2 && strncmp(text, "-1", 2) == 0) ||
	    (size == 9 && strncmp(text, "unlimited", 9) == 0))
		return true;
	if (size == 0 || size >= sizeof digits || text[0] < '0' || text[0] > '9')
		return false;
	memcpy(digits, text, size);
	digits[size] = '\0';
	errno = 0;
	*ret = strtoull(digits, &end, 10);
	return errno == 0 && *end == '\0';
}

/* "nofile=1024:2048" */
static int decide_ulimit(const char *text, struct spec_rlimit *ret, struct arena *arena,
			 struct csn_error *err)
{
	size_t name = strcspn(text, "="), soft = 0;
	char *type = arena_printf(arena, "RLIMIT_%.*s", (int)(name < 20 ? name : 20), text);
	if (!type)
		return no_memory(err);
	for (char *c = type; *c; c++)
		*c = (char)toupper((unsigned char)*c);
	if (!text[name] || rlimit_number(type) < 0)
		return fail(err, EINVAL,
			    "ulimit \"%.100s\": expected NAME=SOFT[:HARD], such as "
			    "nofile=1024:2048",
			    text);
	const char *value = text + name + 1;
	soft = strcspn(value, ":");
	ret->type = type;
	bool good = parse_ulimit(value, soft, &ret->soft);
	ret->hard = ret->soft;
	if (good && value[soft])
		good = parse_ulimit(value + soft + 1, strlen(value + soft + 1), &ret->hard);
	if (!good)
		return fail(err, EINVAL, "ulimit \"%.100s\": expected numbers, or -1", text);
	return ret->soft <= ret->hard
		       ? 0
		       : fail(err, EINVAL,
			      "ulimit \"%.100s\": the soft limit is above the hard one", text);
}

static int decide_process(const struct csn_container_options *o, struct service *s,
			  struct arena *arena, struct csn_error *err)
{
	size_t count = list_length(o->ulimits);
	if (o->oom_score_adj < -1000 || o->oom_score_adj > 1000)
		return fail(err, EINVAL,
			    "oom_score_adj: expected a number from -1000 to 1000, not %d",
			    o->oom_score_adj);
	s->oom_score_adj = (struct opt_i64){ o->oom_score_adj != 0, o->oom_score_adj };
	s->rlimits = arena_array(arena, count, sizeof *s->rlimits);
	if (!s->rlimits)
		return no_memory(err);
	for (size_t i = 0; i < count; i++) {
		struct spec_rlimit limit, *at = s->rlimits;
		TRY(decide_ulimit(o->ulimits[i], &limit, arena, err));
		/* The last one counts. */
		while (at < s->rlimits + s->rlimits_count && strcmp(at->type, limit.type) != 0)
			at++;
		s->rlimits_count += at == s->rlimits + s->rlimits_count;
		*at = limit;
	}
	return 0;
}

int service_decide(const struct csn_container_options *options, const struct image_record *image,
		   const char *id, struct service *ret, struct arena *arena, struct csn_error *err)
{
	struct service s = { .id = id, .options = options };

	/* What it means beyond "host" is not decided here. */
	s.network = options->network ? options->network : "none";
	s.hostname = options->hostname ? options->hostname : arena_printf(arena, "%.12s", id);
	if (!s.hostname)
		return no_memory(err);
	/* What the host is called is not ours to judge. */
	if (!options->security || !options->security->host_uts)
		TRY(check_hostname(s.hostname, err));
	TRY(decide_args(options, image, &s, arena, err));
	TRY(decide_env(options, image, &s, arena, err));
	TRY(decide_labels(options, image, &s, arena, err));
	TRY(decide_cwd(options, image, &s, arena, err));
	TRY(decide_stop(options, image, &s, err));
	TRY(decide_process(options, &s, arena, err));
	TRY(service_decide_mounts(options, &s, arena, err));
	s.user_text = options->user ? options->user : image->config.user;
	*ret = s;
	return 0;
}

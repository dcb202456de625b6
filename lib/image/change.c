/*
 * Each instruction has a row: what it is called, which member it sets, and how its words become
 * that member's value. Words are read as a Dockerfile's are: with quotes and backslashes, but
 * without variables, since there is nothing they could refer to.
 */
#include "image/change.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/json.h"
#include "base/path.h"
#include "image/jsontext.h"

#define PORTS_MAX 1024

struct strings {
	char **items;
	size_t count;
	bool set;
};

struct pairs {
	struct {
		char *key, *value;
	} * items;
	size_t count;
	bool set;
};

/* What instructions look at before they change it. */
struct settings {
	struct strings env, on_build, shell;
	struct pairs labels;
	char *working_dir;
};

static const struct json_field settings_fields[] = {
	{ "Env", decode_strings, offsetof(struct settings, env) },
	{ "OnBuild", decode_strings, offsetof(struct settings, on_build) },
	{ "Shell", decode_strings, offsetof(struct settings, shell) },
	{ "Labels", decode_map, offsetof(struct settings, labels) },
	{ "WorkingDir", decode_text, offsetof(struct settings, working_dir) },
	{ 0 }
};

struct change {
	const char *text; /* the config */
	struct settings now;
	const char *member;
	const char *rest; /* behind the instruction's name */
	bool has_command; /* CMD was one of the instructions */
	struct arena *arena;
	struct csn_error *err;
};

static int no_memory(struct change *c)
{
	return fail(c->err, ENOMEM, "out of memory");
}

/* ---- members --------------------------------------------------------------------------------- */

/* value is JSON; NULL takes the member out. */
static int set_json(struct change *c, const char *member, const char *value)
{
	auto_mem char *text = NULL;

	TRY(json_member_set(c->text, strlen(c->text), member, value, &text, c->err));
	c->text = arena_strdup(c->arena, text);
	return c->text ? 0 : no_memory(c);
}

static int set_written(struct change *c, struct json_out *o)
{
	auto_mem char *value = NULL;

	TRY(json_out_take(o, &value, c->err));
	return set_json(c, c->member, value);
}

static int set_strings(struct change *c, char *const *items, size_t count)
{
	AUTO(json_out_done)
	struct json_out o = JSON_OUT_COMPACT;

	json_open_array(&o, NULL);
	for (size_t i = 0; i < count; i++)
		json_put_string(&o, NULL, items[i]);
	json_close_array(&o);
	return set_written(c, &o);
}

/* The member's object, with more names in it: { "80/tcp": {} }. */
static int add_names(struct change *c, char *const *names, size_t count)
{
	size_t start, size;
	const char *now = "{}";

	if (json_member_text(c->text, strlen(c->text), c->member, &start, &size) &&
	    c->text[start] == '{') {
		now = arena_printf(c->arena, "%.*s", (int)size, c->text + start);
		if (!now)
			return no_memory(c);
	}
	for (size_t i = 0; i < count; i++) {
		auto_mem char *more = NULL;
		TRY(json_member_set(now, strlen(now), names[i], "{}", &more, c->err));
		now = arena_strdup(c->arena, more);
		if (!now)
			return no_memory(c);
	}
	return set_json(c, c->member, now);
}

/* ---- words ----------------------------------------------------------------------------------- */

static const char blanks[] = " \t\r\n";

/* One word, its quotes and backslashes undone. */
static int next_word(struct change *c, const char **at, char **ret)
{
	char quote = '\0', *out;
	const char *s = *at + strspn(*at, blanks);

	*ret = out = arena_alloc(c->arena, strlen(s) + 1);
	if (!out)
		return no_memory(c);
	for (; *s && (quote || !strchr(blanks, *s)); s++) {
		if (*s == quote)
			quote = '\0';
		else if (!quote && (*s == '"' || *s == '\''))
			quote = *s;
		else if (*s == '\\' && s[1] && quote != '\'')
			*out++ = *++s;
		else
			*out++ = *s;
	}
	if (quote)
		return fail(c->err, EINVAL, "a quote is not closed");
	*out = '\0';
	*at = s + strspn(s, blanks);
	return 0;
}

static int split_words(struct change *c, struct strings *ret)
{
	const char *at = c->rest;

	ret->items = arena_array(c->arena, strlen(at) / 2 + 2, sizeof *ret->items);
	if (!ret->items)
		return no_memory(c);
	while (*at)
		TRY(next_word(c, &at, &ret->items[ret->count++]));
	return 0;
}

/* The form [ "a", "b" ]. False when it is not that. */
static bool is_json_list(struct change *c, struct strings *ret)
{
	static const struct json_elements elements = { .element_size = sizeof(char *),
						       .decode = decode_string };

	return c->rest[0] == '[' && json_decode_array(c->rest, strlen(c->rest), "list", &elements,
						      ret, c->arena, NULL) == 0;
}

/* "A=b C=d", or "A b c" for a single one. */
static int split_pairs(struct change *c, struct strings *ret)
{
	TRY(split_words(c, ret));
	if (!strchr(ret->items[0], '=')) {
		size_t name = strcspn(c->rest, blanks);
		const char *value = c->rest + name + strspn(c->rest + name, blanks);
		if (!*value)
			return fail(c->err, EINVAL, "expected NAME=VALUE");
		ret->items[0] = arena_printf(c->arena, "%.*s=%s", (int)name, c->rest, value);
		ret->count = 1;
		if (!ret->items[0])
			return no_memory(c);
	}
	for (size_t i = 0; i < ret->count; i++)
		if (!strchr(ret->items[i], '=') || ret->items[i][0] == '=')
			return fail(c->err, EINVAL, "\"%.100s\": expected NAME=VALUE",
				    ret->items[i]);
	return 0;
}

/* ---- instructions ---------------------------------------------------------------------------- */

static int set_command(struct change *c)
{
	static char shell[] = "/bin/sh", dash_c[] = "-c";
	char *standard[] = { shell, dash_c };
	struct strings words = { 0 };

	if (is_json_list(c, &words))
		return set_strings(c, words.items, words.count);
	struct strings s = c->now.shell;
	if (s.count == 0)
		s = (struct strings){ standard, COUNT(standard), true };
	char **items = arena_array(c->arena, s.count + 1, sizeof *items);
	if (!items)
		return no_memory(c);
	memcpy(items, s.items, s.count * sizeof *items);
	items[s.count] = (char *)(uintptr_t)c->rest;
	return set_strings(c, items, s.count + 1);
}

static int set_entrypoint(struct change *c)
{
	TRY(set_command(c));
	/* The image's command belonged to the other program. */
	return c->has_command ? 0 : set_json(c, "Cmd", NULL);
}

static bool same_name(const char *a, const char *b)
{
	size_t n = strcspn(a, "=");

	return strncmp(a, b, n) == 0 && b[n] == '=';
}

static int set_env(struct change *c)
{
	struct strings words = { 0 };
	size_t count = c->now.env.count;

	TRY(split_pairs(c, &words));
	char **env = arena_array(c->arena, count + words.count, sizeof *env);
	if (!env)
		return no_memory(c);
	if (count)
		memcpy(env, c->now.env.items, count * sizeof *env);
	for (size_t i = 0; i < words.count; i++) {
		size_t j = 0;
		while (j < count && !same_name(words.items[i], env[j]))
			j++;
		env[j] = words.items[i];
		count += j == count;
	}
	return set_strings(c, env, count);
}

static int set_label(struct change *c)
{
	AUTO(json_out_done)
	struct json_out o = JSON_OUT_COMPACT;
	struct strings words = { 0 };

	TRY(split_pairs(c, &words));
	json_open_object(&o, NULL);
	for (size_t i = 0; i < c->now.labels.count; i++) {
		const char *key = c->now.labels.items[i].key;
		bool again = false;
		for (size_t j = 0; j < words.count; j++)
			again |= strncmp(words.items[j], key, strlen(key)) == 0 &&
				 words.items[j][strlen(key)] == '=';
		if (!again)
			json_put_string(&o, key, c->now.labels.items[i].value);
	}
	for (size_t i = 0; i < words.count; i++) {
		char *value = strchr(words.items[i], '=');
		bool again = false;
		*value++ = '\0';
		for (size_t j = i + 1; j < words.count; j++)
			again |= strncmp(words.items[j], words.items[i], strlen(words.items[i])) ==
					 0 &&
				 words.items[j][strlen(words.items[i])] == '=';
		if (!again)
			json_put_string(&o, words.items[i], value);
	}
	json_close_object(&o);
	return set_written(c, &o);
}

/* "80", "80/udp", "8000-8010/tcp" */
static int add_ports(struct change *c, const char *word, struct strings *ret)
{
	static const char *const protocols[] = { "tcp", "udp", "sctp" };
	char *end;
	unsigned long first = strtoul(word, &end, 10), last = first;
	size_t known = 0;

	if (end != word && *end == '-') {
		const char *second = end + 1;
		last = strtoul(second, &end, 10);
		if (end == second)
			last = 0;
	}
	const char *protocol = *end == '/' ? end + 1 : "tcp";
	while (known < COUNT(protocols) && strcasecmp(protocol, protocols[known]) != 0)
		known++;
	if (word[0] < '0' || word[0] > '9' || (*end && *end != '/') || known == COUNT(protocols) ||
	    first == 0 || last < first || last > 65535)
		return fail(c->err, EINVAL, "\"%.100s\": expected PORT[-PORT][/PROTOCOL]", word);
	if (last - first >= PORTS_MAX - ret->count)
		return fail(c->err, E2BIG, "more than %d ports", PORTS_MAX);
	for (; first <= last; first++) {
		ret->items[ret->count] = arena_printf(c->arena, "%lu/%s", first, protocols[known]);
		if (!ret->items[ret->count++])
			return no_memory(c);
	}
	return 0;
}

static int add_exposed(struct change *c)
{
	struct strings words = { 0 }, ports = { 0 };

	TRY(split_words(c, &words));
	ports.items = arena_array(c->arena, PORTS_MAX, sizeof *ports.items);
	if (!ports.items)
		return no_memory(c);
	for (size_t i = 0; i < words.count; i++)
		TRY(add_ports(c, words.items[i], &ports));
	return add_names(c, ports.items, ports.count);
}

static int add_volumes(struct change *c)
{
	struct strings words = { 0 };

	if (!is_json_list(c, &words))
		TRY(split_words(c, &words));
	for (size_t i = 0; i < words.count; i++)
		if (!words.items[i][0])
			return fail(c->err, EINVAL, "a volume's path is empty");
	return add_names(c, words.items, words.count);
}

static int add_on_build(struct change *c)
{
	char **items = arena_array(c->arena, c->now.on_build.count + 1, sizeof *items);

	if (!items)
		return no_memory(c);
	for (size_t i = 0; i < c->now.on_build.count; i++)
		items[i] = c->now.on_build.items[i];
	items[c->now.on_build.count] = (char *)(uintptr_t)c->rest;
	return set_strings(c, items, c->now.on_build.count + 1);
}

static int set_text(struct change *c)
{
	AUTO(json_out_done)
	struct json_out o = JSON_OUT_COMPACT;
	const char *at = c->rest;
	char *word;

	TRY(next_word(c, &at, &word));
	if (*at)
		return fail(c->err, EINVAL, "expected one word");
	json_put_string(&o, NULL, word);
	return set_written(c, &o);
}

/* A relative one starts at the one before. */
static int set_working_dir(struct change *c)
{
	AUTO(json_out_done)
	struct json_out o = JSON_OUT_COMPACT;
	auto_mem char *joined = NULL;
	const char *now = c->now.working_dir ? c->now.working_dir : "/";

	joined = c->rest[0] == '/' ? strdup(c->rest) : path_join(now, c->rest);
	if (!joined)
		return no_memory(c);
	json_put_string(&o, NULL, joined);
	return set_written(c, &o);
}

static const struct instruction {
	const char *name, *member;
	int (*apply)(struct change *c);
} instructions[] = {
	{ "CMD", "Cmd", set_command },
	{ "ENTRYPOINT", "Entrypoint", set_entrypoint },
	{ "ENV", "Env", set_env },
	{ "EXPOSE", "ExposedPorts", add_exposed },
	{ "LABEL", "Labels", set_label },
	{ "ONBUILD", "OnBuild", add_on_build },
	{ "STOPSIGNAL", "StopSignal", set_text },
	{ "USER", "User", set_text },
	{ "VOLUME", "Volumes", add_volumes },
	{ "WORKDIR", "WorkingDir", set_working_dir },
};

static const struct instruction *find_instruction(const char *text)
{
	size_t n = strcspn(text, blanks);

	for (size_t i = 0; i < COUNT(instructions); i++)
		if (strlen(instructions[i].name) == n &&
		    strncasecmp(instructions[i].name, text, n) == 0)
			return &instructions[i];
	return NULL;
}

static int apply(struct change *c, const char *text)
{
	text += strspn(text, blanks);
	const struct instruction *i = find_instruction(text);

	if (!i)
		return fail(c->err, EINVAL,
			    "expected CMD, ENTRYPOINT, ENV, EXPOSE, LABEL, ONBUILD, STOPSIGNAL, "
			    "USER, VOLUME or WORKDIR");
	c->rest = text + strlen(i->name);
	c->rest += strspn(c->rest, blanks);
	if (!*c->rest)
		return fail(c->err, EINVAL, "nothing behind %s", i->name);
	c->now = (struct settings){ 0 };
	c->member = i->member;
	TRY(json_decode(c->text, strlen(c->text), "config", settings_fields, &c->now, c->arena,
			c->err));
	TRY(i->apply(c));
	c->has_command |= i->apply == set_command;
	return 0;
}

int config_change(const char **config, const char *const *changes, size_t count,
		  struct arena *arena, struct csn_error *err)
{
	struct change c = { .text = *config, .arena = arena, .err = err };

	for (size_t i = 0; i < count; i++) {
		int r = apply(&c, changes[i]);
		if (r < 0)
			return within(err, r, "change \"%.200s\"", changes[i]);
	}
	*config = c.text;
	return 0;
}

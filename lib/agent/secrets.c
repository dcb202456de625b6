/*
 * Values of a service's env that stand for others: "$E:NAME" is a variable of this process, "$S:…"
 * a secret that whoever opened the runtime is asked for. Only a whole value is a reference. What
 * was resolved is in the arena and nowhere else.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/document.h"
#include "agent/native.h"
#include "base/error.h"
#include "base/json.h"

struct csn_secret_value {
	struct arena *arena;
	char *text; /* NULL: not set */
	size_t size;
};

int csn_secret_set(struct csn_secret_value *to, const char *value, size_t size)
{
	char *text = arena_alloc(to->arena, size + 1);
	if (!text)
		return -ENOMEM;
	memcpy(text, value, size);
	text[size] = '\0';
	to->text = text;
	to->size = size;
	return 0;
}

static int refuse(struct csn_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static int refuse(struct csn_error *err, const char *fmt, ...)
{
	char reason[400];
	va_list ap;
	int at = snprintf(reason, sizeof reason, "environment variable resolution failed: ");
	va_start(ap, fmt);
	(void)vsnprintf(reason + at, sizeof reason - (size_t)at, fmt, ap);
	va_end(ap);
	return fail_kind(err, CSN_ERROR_INVALID_SPEC, "", reason);
}

/* ---- references --------------------------------------------------------------------------------
 */

struct reference {
	const char *text; /* behind "$S:" */
	struct csn_secret secret;
	const char *field; /* NULL: all of it */
};

static bool is_name(const char *text)
{
	size_t n = strlen(text);
	return n > 0 && n < 256 &&
	       strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
		       n;
}

/* Cuts at the first c; what is behind it, or NULL. */
static char *cut(char *text, char c)
{
	char *at = strchr(text, c);
	if (at)
		*at++ = '\0';
	return at;
}

/* NAME[/FIELD], @SERVICE/NAME[/FIELD], :ENV/NAME[/FIELD], PROJECT:ENV/NAME[/FIELD] */
static bool split(char *text, struct reference *ret)
{
	char *slash = strchr(text, '/'), *colon = strchr(text, ':'), *name = text;
	if (text[0] == '@') {
		name = cut(text, '/');
		ret->secret.service = text + 1;
	} else if (colon && slash && colon < slash) {
		ret->secret.environment = cut(text, ':');
		ret->secret.project = text[0] ? text : NULL;
		name = cut(colon + 1, '/');
	}
	if (!name)
		return false;
	ret->field = cut(name, '/');
	ret->secret.name = name;
	return is_name(name) && (!ret->field || ret->field[0]) &&
	       (!ret->secret.service || is_name(ret->secret.service)) &&
	       (!ret->secret.environment || is_name(ret->secret.environment)) &&
	       (!ret->secret.project || is_name(ret->secret.project));
}

static int parse_reference(const struct making *m, const char *text, struct reference *ret,
			   struct csn_error *err)
{
	const char *deployment = m->service->deployment ? m->service->deployment : "";
	char *copy = arena_strdup(m->arena, text);
	*ret = (struct reference){ .text = text, .secret = { .size = sizeof ret->secret } };
	if (!copy)
		return fail(err, ENOMEM, "out of memory");
	if (!split(copy, ret))
		return refuse(err,
			      "'$S:%.100s': expected NAME[/FIELD], @SERVICE/NAME[/FIELD], "
			      ":ENV/NAME[/FIELD] or PROJECT:ENV/NAME[/FIELD]",
			      text);
	ret->secret.scope = ret->secret.service ? arena_printf(m->arena, "%s/%s", deployment,
							       ret->secret.service)
						: deployment;
	return ret->secret.scope ? 0 : fail(err, ENOMEM, "out of memory");
}

/* ---- fields ------------------------------------------------------------------------------------
 */

struct field_search {
	const char *name;
	struct csn_secret_value *value;
	bool found;
};

static int look_at_field(void *data, const char *key, const struct json_node *member)
{
	struct field_search *s = data;
	size_t size = 0;
	if (strcmp(key, s->name) != 0)
		return 0;
	s->found = true;
	const char *string = node_string(member, &size);
	if (string)
		return csn_secret_set(s->value, string, size);
	auto_mem char *text = node_text(member);
	if (!text)
		return -ENOMEM;
	return strcmp(text, "null") == 0 ? csn_secret_set(s->value, "", 0)
					 : csn_secret_set(s->value, text, strlen(text));
}

static int search_field(struct json_decoder *d, const struct json_node *v,
			const struct json_field *f, void *out)
{
	(void)f;
	if (!node_is_object(v))
		return json_expected(d, "an object");
	return node_each_member(v, look_at_field, out);
}

static int take_field(const struct reference *ref, struct csn_secret_value *value,
		      struct csn_error *err)
{
	struct arena scratch AUTO(arena_free) = { 0 };
	struct field_search search = { ref->field, value, false };
	/* The error's text could quote the secret. */
	int r = json_decode_value(value->text, value->size, "secret", search_field, &search,
				  &scratch, NULL);
	if (r == -ENOMEM)
		return fail(err, ENOMEM, "out of memory");
	if (r < 0)
		return refuse(err, "secret resolution error: secret '%.100s' is no JSON object",
			      ref->text);
	if (!search.found)
		return refuse(err, "field '%.60s' in secret '%.100s' was not found", ref->field,
			      ref->text);
	return 0;
}

/* ---- values ------------------------------------------------------------------------------------
 */

static int ask(const struct making *m, const struct reference *ref, struct csn_secret_value *value,
	       struct csn_error *err)
{
	struct csn_error why = { 0 };
	if (!m->options->secret)
		return refuse(err, "no secrets provider for '$S:%.100s'", ref->text);
	int r = m->options->secret(m->options->secret_data, &ref->secret, value, &why);
	if (r == -ENOENT || (r == 0 && !value->text))
		return refuse(err, "secret '%.100s' referenced by $S:%.100s was not found",
			      ref->text, ref->text);
	if (r < 0)
		return refuse(err, "secret resolution error: %.200s",
			      why.text[0] ? why.text : strerror(-r));
	return 0;
}

static int resolve_secret(const struct making *m, const char *text, const char **ret,
			  struct csn_error *err)
{
	struct reference ref;
	struct csn_secret_value value = { .arena = m->arena };
	TRY(parse_reference(m, text, &ref, err));
	TRY(ask(m, &ref, &value, err));
	if (ref.field)
		TRY(take_field(&ref, &value, err));
	if (strlen(value.text) != value.size)
		return refuse(err, "secret resolution error: secret '%.100s' has a NUL byte", text);
	*ret = value.text;
	return 0;
}

void making_warn(const struct making *m, const char *text)
{
	if (m->options->warn)
		m->options->warn(m->options->warn_data, m->c->text, text);
}

int env_resolve(const struct making *m, const char *key, const char *value, const char **ret,
		struct csn_error *err)
{
	char warning[300];
	*ret = value;
	if (strncmp(value, "$S:", 3) == 0)
		TRY(resolve_secret(m, value + 3, ret, err));
	else if (strncmp(value, "$E:", 3) == 0)
		*ret = getenv(value + 3);
	if (!*ret)
		return refuse(err, "environment variable '%.100s' referenced by %.100s is not set",
			      value + 3, value);
	if (*ret == value || (*ret)[0])
		return 0;
	(void)snprintf(warning, sizeof warning, "environment variable '%.100s': %.100s is empty",
		       key, value);
	making_warn(m, warning);
	return 0;
}

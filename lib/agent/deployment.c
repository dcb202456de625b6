/*
 * A deployment: its envelope, every service in it, and the order in which they can come up. That
 * order is as written, but that each stands behind those that it depends on.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/document.h"
#include "base/error.h"
#include "base/json.h"

static void free_deployment(struct csn_deployment **d)
{
	csn_deployment_free(*d);
}

void csn_deployment_free(struct csn_deployment *deployment)
{
	if (!deployment)
		return;
	arena_free(&deployment->arena);
	free(deployment);
}

/* ---- decoding -----------------------------------------------------------------------------------
 */

static bool deployment_name_is_valid(const char *name)
{
	size_t n = strlen(name);
	return n >= 3 && n <= 63 && name[0] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == n;
}

struct services_target {
	struct json_decoder *d;
	struct csn_deployment *to;
};

static int decode_one(void *data, const char *key, const struct json_node *member)
{
	static const struct json_field row = { .decode = decode_object, .detail = service_fields };
	struct services_target *t = data;
	struct csn_service *s = &t->to->services[t->to->count];
	struct csn_container_id id;
	char name[300];

	if (csn_container_id_make(key, 0, &id, NULL) < 0)
		return json_expected(t->d,
				     "names of 1 to 63 of [A-Za-z0-9_.-], first and last a letter "
				     "or digit, not \"%.80s\"",
				     key);
	TRY(json_decode_member(t->d, key, member, &row, &s->spec));
	(void)snprintf(name, sizeof name, "%s: services.%s", t->d->name, key);
	TRY(service_check(&s->spec, name, t->d->err));
	s->name = arena_strdup(t->d->arena, key);
	if (!s->name)
		return json_out_of_memory(t->d);
	auto_mem char *text = node_text(member);
	t->to->count++;
	return service_describe(s, text, t->d->arena, t->d->err);
}

static int decode_services(struct json_decoder *d, const struct json_node *v,
			   const struct json_field *f, void *out)
{
	struct services_target t = { d, out };
	(void)f;
	if (!node_is_object(v))
		return json_expected(d, "an object");
	t.to->services = arena_array(d->arena, node_members(v), sizeof *t.to->services);
	return t.to->services ? node_each_member(v, decode_one, &t) : json_out_of_memory(d);
}

static int decode_version(struct json_decoder *d, const struct json_node *v,
			  const struct json_field *f, void *out)
{
	TRY(decode_string(d, v, f, out));
	return strcmp(*(char **)out, "v1") == 0 ? 0 : json_expected(d, "\"v1\"");
}

static int decode_deployment_name(struct json_decoder *d, const struct json_node *v,
				  const struct json_field *f, void *out)
{
	TRY(decode_string(d, v, f, out));
	if (deployment_name_is_valid(*(char **)out))
		return 0;
	return json_expected(d, "3 to 63 of [A-Za-z0-9-], first a letter or digit");
}

/* The agent's own. */
static int decode_kept_out(struct json_decoder *d, const struct json_node *v,
			   const struct json_field *f, void *out)
{
	(void)d;
	(void)v;
	(void)f;
	(void)out;
	return 0;
}

static const struct json_field deployment_fields[] = {
	REQUIRED("version", decode_version, struct csn_deployment, version),
	REQUIRED("deployment", decode_deployment_name, struct csn_deployment, name),
	{ "services", decode_services, 0, NULL, JSON_REQUIRED, 0, 0 },
	FIELD("externals", decode_kept_out, struct csn_deployment, version),
	FIELD("tunnels", decode_kept_out, struct csn_deployment, version),
	FIELD("api", decode_kept_out, struct csn_deployment, version),
	FIELDS_END,
};

int deployment_decode(const char *text, size_t size, struct csn_deployment *ret,
		      struct csn_error *err)
{
	TRY(json_decode_strict(text, size, "deployment", deployment_fields, ret, &ret->arena, err));
	for (size_t i = 0; i < ret->count; i++)
		ret->services[i].deployment = ret->services[i].info.deployment = ret->name;
	return 0;
}

/* ---- order --------------------------------------------------------------------------------------
 */

static int find(const struct csn_deployment *d, const char *name, size_t *ret)
{
	for (*ret = 0; *ret < d->count; (*ret)++)
		if (strcmp(d->services[*ret].name, name) == 0)
			return 0;
	return -ENOENT;
}

static int check_dependencies(const struct csn_deployment *d, struct csn_error *err)
{
	size_t at;
	for (size_t i = 0; i < d->count; i++) {
		const struct csn_service *s = &d->services[i];
		for (size_t k = 0; k < s->info.dependencies_count; k++) {
			const char *on = s->info.dependencies[k].service;
			if (find(d, on, &at) < 0)
				return fail(err, EINVAL,
					    "deployment: services.%s.depends[%zu].service: "
					    "expected the name of a service, not \"%.80s\"",
					    s->name, k, on);
		}
	}
	return 0;
}

struct sorting {
	const struct csn_deployment *d;
	struct csn_service *sorted;
	bool *placed;
	size_t count;
};

static bool can_be_placed(const struct sorting *s, size_t i)
{
	const struct csn_service_info *info = &s->d->services[i].info;
	size_t at;
	for (size_t k = 0; k < info->dependencies_count; k++)
		if (find(s->d, info->dependencies[k].service, &at) == 0 && !s->placed[at])
			return false;
	return !s->placed[i];
}

/* Places the first one that can be; false: there is none. */
static bool place_next(struct sorting *s)
{
	for (size_t i = 0; i < s->d->count; i++) {
		if (!can_be_placed(s, i))
			continue;
		s->placed[i] = true;
		s->sorted[s->count++] = s->d->services[i];
		return true;
	}
	return false;
}

/* From one that could not be placed along what it waits for: that ends in a circle. */
static const char *name_in_circle(const struct sorting *s, size_t from)
{
	for (size_t steps = 0; steps < s->d->count; steps++) {
		const struct csn_service_info *info = &s->d->services[from].info;
		size_t at = from;
		for (size_t k = 0; k < info->dependencies_count; k++)
			if (find(s->d, info->dependencies[k].service, &at) == 0 && !s->placed[at])
				break;
		from = at;
	}
	return s->d->services[from].name;
}

static int sort(struct csn_deployment *d, struct csn_error *err)
{
	struct sorting s = { .d = d,
			     .sorted = arena_array(&d->arena, d->count, sizeof *s.sorted),
			     .placed = arena_array(&d->arena, d->count, sizeof *s.placed) };
	if (!s.sorted || !s.placed)
		return fail(err, ENOMEM, "out of memory");
	TRY(check_dependencies(d, err));
	while (place_next(&s))
		;
	for (size_t i = 0; i < d->count; i++)
		if (!s.placed[i])
			return fail(err, EINVAL,
				    "deployment: services.%s.depends: it waits for itself, "
				    "perhaps through others",
				    name_in_circle(&s, i));
	d->services = s.sorted;
	return 0;
}

/* ---- parse --------------------------------------------------------------------------------------
 */

static int parse(const char *text, size_t size, enum csn_service_format format,
		 struct csn_deployment *ret, struct csn_error *err)
{
	auto_mem char *json = NULL;
	TRY(document_to_json(&text, &size, format, "deployment", &json, err));
	TRY(deployment_decode(text, size, ret, err));
	return sort(ret, err);
}

int csn_deployment_parse(const char *text, size_t size, enum csn_service_format format,
			 struct csn_deployment **ret, struct csn_error *err)
{
	struct csn_deployment *d AUTO(free_deployment)
	= calloc(1, sizeof *d);
	if (!d)
		return as_kind(err, fail(err, ENOMEM, "out of memory"), CSN_ERROR_INTERNAL, "");
	TRY(as_kind(err, parse(text, size, format, d, err), CSN_ERROR_INVALID_SPEC, ""));
	*ret = take_ptr(d);
	return 0;
}

const char *csn_deployment_name(const struct csn_deployment *deployment)
{
	return deployment->name;
}

size_t csn_deployment_count(const struct csn_deployment *deployment)
{
	return deployment->count;
}

const struct csn_service *csn_deployment_get(const struct csn_deployment *deployment, size_t index)
{
	return index < deployment->count ? &deployment->services[index] : NULL;
}

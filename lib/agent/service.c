/*
 * From an agent's document to a checked service. YAML becomes JSON first, so that one set of tables
 * reads both and errors name the same paths.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "agent/document.h"
#include "base/error.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/yaml.h"

static void free_service(struct csn_service **s)
{
	csn_service_free(*s);
}

void csn_service_free(struct csn_service *service)
{
	if (!service)
		return;
	arena_free(&service->arena);
	free(service);
}

int document_to_json(const char **text, size_t *size, enum csn_service_format format,
		     const char *name, char **ret_json, struct csn_error *err)
{
	*ret_json = NULL;
	if (format == CSN_FORMAT_JSON)
		return 0;
	TRY(yaml_to_json(*text, *size, name, ret_json, size, err));
	*text = *ret_json;
	return 0;
}

/* ---- what is known of it ------------------------------------------------------------------------
 */

static int copy_dependencies(struct csn_service *s, struct arena *arena)
{
	const struct service_spec *spec = &s->spec;
	struct csn_dependency *list = arena_array(arena, spec->depends.count, sizeof *list);
	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < spec->depends.count; i++) {
		const struct service_dependency *d = &spec->depends.items[i];
		list[i] = (struct csn_dependency){ d->service, (enum csn_condition)d->condition,
						   d->timeout_ns / 1000000,
						   (enum csn_on_timeout)d->on_timeout };
	}
	s->info.dependencies = list;
	s->info.dependencies_count = spec->depends.count;
	return 0;
}

static int copy_volumes(struct csn_service *s, struct arena *arena)
{
	const struct service_spec *spec = &s->spec;
	const char **list = arena_array(arena, spec->storage.count + 1, sizeof *list);
	size_t count = 0;
	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < spec->storage.count; i++)
		if (spec->storage.items[i].kind == STORAGE_NAMED)
			list[count++] = spec->storage.items[i].name;
	s->info.volumes = list;
	return 0;
}

static uint32_t replicas_of(const struct service_spec *s)
{
	switch (s->scale.mode) {
	case SCALE_FIXED:
		return s->scale.replicas.value;
	case SCALE_ADAPTIVE:
		return s->scale.min.set ? s->scale.min.value : 1;
	case SCALE_MANUAL:
		break;
	}
	return 1;
}

int service_describe(struct csn_service *s, const char *text, struct arena *arena,
		     struct csn_error *err)
{
	static const enum csn_pull_policy policies[] = {
		[PULL_IF_NOT_PRESENT] = CSN_PULL_IF_NOT_PRESENT,
		[PULL_ALWAYS] = CSN_PULL_ALWAYS,
		[PULL_NEWER] = CSN_PULL_NEWER,
		[PULL_NEVER] = CSN_PULL_NEVER,
	};
	const struct service_spec *spec = &s->spec;
	char *digest = arena_alloc(arena, 65);
	struct sha256 sum;

	if (!text || !digest)
		return fail(err, ENOMEM, "out of memory");
	sha256_init(&sum);
	sha256_update(&sum, text, strlen(text));
	sha256_hex(&sum, digest);
	s->info = (struct csn_service_info){
		.name = s->name,
		.deployment = s->deployment,
		.kind = (enum csn_service_kind)spec->rtype,
		.image = spec->image.name,
		.pull_policy = policies[spec->image.pull_policy],
		.replicas = replicas_of(spec),
		.has_health = spec->health.set,
		.restarts = spec->restart_policy.kind != RESTART_NO,
		.has_groups = spec->has_groups,
		.default_network = spec->network_kind == NETWORK_DEFAULT && !spec->host_network,
		.network = spec->network_kind == NETWORK_BRIDGE ? spec->network_name : NULL,
		.digest = digest,
	};
	if (copy_dependencies(s, arena) < 0 || copy_volumes(s, arena) < 0)
		return fail(err, ENOMEM, "out of memory");
	return 0;
}

const struct csn_service_info *csn_service_info(const struct csn_service *service)
{
	return &service->info;
}

/* ---- parse --------------------------------------------------------------------------------------
 */

static int decode_whole(struct json_decoder *d, const struct json_node *v,
			const struct json_field *f, void *out)
{
	struct csn_service *s = out;
	(void)f;
	if (!node_is_object(v))
		return json_expected(d, "an object");
	TRY(json_decode_fields(d, v, service_fields, &s->spec));
	TRY(service_check(&s->spec, "service", d->err));
	auto_mem char *text = node_text(v);
	return service_describe(s, text, d->arena, d->err);
}

static int decode_alone(const char *text, size_t size, struct csn_service *ret,
			struct csn_error *err)
{
	return json_decode_value(text, size, "service", decode_whole, ret, &ret->arena, err);
}

static int decode_of_deployment(const char *text, size_t size, const char *service,
				struct csn_service *ret, struct csn_error *err)
{
	struct csn_deployment d = { 0 };
	int r = deployment_decode(text, size, &d, err);
	for (size_t i = 0; r == 0 && i < d.count; i++)
		if (strcmp(d.services[i].name, service) == 0)
			*ret = d.services[i];
	if (r == 0 && !ret->name)
		r = fail(err, EINVAL, "deployment: services: expected a service \"%.80s\"",
			 service);
	/* Also of a failure: whoever frees the service frees it. */
	ret->arena = d.arena;
	return r;
}

static int parse(const char *text, size_t size, enum csn_service_format format, const char *service,
		 struct csn_service *ret, struct csn_error *err)
{
	auto_mem char *json = NULL;
	TRY(document_to_json(&text, &size, format, service ? "deployment" : "service", &json, err));
	return service ? decode_of_deployment(text, size, service, ret, err)
		       : decode_alone(text, size, ret, err);
}

int csn_service_parse(const char *text, size_t size, enum csn_service_format format,
		      const char *service, struct csn_service **ret, struct csn_error *err)
{
	struct csn_service *s AUTO(free_service)
	= calloc(1, sizeof *s);
	if (!s)
		return as_kind(err, fail(err, ENOMEM, "out of memory"), CSN_ERROR_INTERNAL, "");
	TRY(as_kind(err, parse(text, size, format, service, s, err), CSN_ERROR_INVALID_SPEC, ""));
	*ret = take_ptr(s);
	return 0;
}

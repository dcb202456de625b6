/*
 * From an agent's document to a checked service. YAML becomes JSON first, so that one set of tables
 * reads both and errors name the same paths.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/agent.h"
#include "base/error.h"
#include "base/json.h"
#include "base/yaml.h"
#include "service/deployment.h"

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

/* ---- the deployment around it -------------------------------------------------------------------
 */

struct deployment {
	char *version, *name;
	const char *wanted; /* the service to decode */
	struct csn_service *service;
};

static bool deployment_name_is_valid(const char *name)
{
	size_t n = strlen(name);
	return n >= 3 && n <= 63 && name[0] != '-' &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") == n;
}

struct services_target {
	struct json_decoder *d;
	struct deployment *to;
};

/* The one that is wanted is kept; the others are decoded and checked all the same. */
static int decode_one(void *data, const char *key, const struct json_node *member)
{
	static const struct json_field row = { .decode = decode_object, .detail = service_fields };
	struct services_target *t = data;
	struct csn_container_id id;
	struct service_spec spec = { 0 };
	char name[300];

	if (csn_container_id_make(key, 0, &id, NULL) < 0)
		return json_expected(t->d,
				     "names of 1 to 63 of [A-Za-z0-9_.-], first and last a letter "
				     "or digit, not \"%.80s\"",
				     key);
	TRY(json_decode_member(t->d, key, member, &row, &spec));
	(void)snprintf(name, sizeof name, "%s: services.%s", t->d->name, key);
	TRY(service_check(&spec, name, t->d->err));
	if (strcmp(key, t->to->wanted) != 0)
		return 0;
	t->to->service->spec = spec;
	t->to->service->name = arena_strdup(t->d->arena, key);
	return t->to->service->name ? 0 : json_out_of_memory(t->d);
}

static int decode_services(struct json_decoder *d, const struct json_node *v,
			   const struct json_field *f, void *out)
{
	struct services_target t = { d, out };
	(void)f;
	if (!node_is_object(v))
		return json_expected(d, "an object");
	TRY(node_each_member(v, decode_one, &t));
	return t.to->service->name ? 0 : json_expected(d, "a service \"%.80s\"", t.to->wanted);
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
	REQUIRED("version", decode_version, struct deployment, version),
	REQUIRED("deployment", decode_deployment_name, struct deployment, name),
	{ "services", decode_services, 0, NULL, JSON_REQUIRED, 0, 0 },
	FIELD("externals", decode_kept_out, struct deployment, version),
	FIELD("tunnels", decode_kept_out, struct deployment, version),
	FIELD("api", decode_kept_out, struct deployment, version),
	FIELDS_END,
};

/* ---- parse --------------------------------------------------------------------------------------
 */

static int decode(const char *text, size_t size, const char *service, struct csn_service *ret,
		  struct csn_error *err)
{
	if (!service) {
		TRY(json_decode_strict(text, size, "service", service_fields, &ret->spec,
				       &ret->arena, err));
		return service_check(&ret->spec, "service", err);
	}
	struct deployment d = { .wanted = service, .service = ret };
	TRY(json_decode_strict(text, size, "deployment", deployment_fields, &d, &ret->arena, err));
	ret->deployment = d.name;
	return 0;
}

static int parse(const char *text, size_t size, enum csn_service_format format, const char *service,
		 struct csn_service *ret, struct csn_error *err)
{
	const char *name = service ? "deployment" : "service";
	auto_mem char *json = NULL;
	if (format == CSN_FORMAT_YAML) {
		TRY(yaml_to_json(text, size, name, &json, &size, err));
		text = json;
	}
	return decode(text, size, service, ret, err);
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

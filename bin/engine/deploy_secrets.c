/* What "$S:" stands for: from a file, whose members are called as references are written. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/yaml.h"
#include "bin/engine/deploy.h"

#define SECRETS_MAX (1 << 20)

/* For as long as the program runs. */
static struct {
	struct arena arena;
	struct secret {
		const char *name, *value;
	} * items;
	size_t count;
} secrets;

static int add_secret(void *data, const char *key, const struct json_node *member)
{
	const char *string = node_string(member, NULL);
	auto_mem char *text = string ? NULL : node_text(member);
	(void)data;
	struct secret *s = &secrets.items[secrets.count];
	s->name = arena_strdup(&secrets.arena, key);
	s->value = string || text ? arena_strdup(&secrets.arena, string ? string : text) : NULL;
	secrets.count++;
	return s->name && s->value ? 0 : -ENOMEM;
}

static int decode_secrets(struct json_decoder *d, const struct json_node *v,
			  const struct json_field *f, void *out)
{
	(void)f;
	(void)out;
	if (!node_is_object(v))
		return json_expected(d, "an object");
	secrets.items = arena_array(d->arena, node_members(v), sizeof *secrets.items);
	if (!secrets.items || node_each_member(v, add_secret, NULL) < 0)
		return json_out_of_memory(d);
	return 0;
}

/* JSON is YAML. */
static int read_secrets(const char *file, struct csn_error *err)
{
	auto_mem char *text = NULL, *json = NULL;
	size_t size;
	TRY(file_read(AT_FDCWD, file, SECRETS_MAX, &text, &size, err));
	TRY(yaml_to_json(text, size, file, &json, &size, err));
	return json_decode_value(json, size, file, decode_secrets, NULL, &secrets.arena, err);
}

static int find_secret(void *data, const struct csn_secret *which, struct csn_secret_value *ret,
		       struct csn_error *err)
{
	char name[1100];
	(void)data;
	(void)err;
	if (which->service)
		(void)snprintf(name, sizeof name, "@%s/%s", which->service, which->name);
	else if (which->environment)
		(void)snprintf(name, sizeof name, "%s:%s/%s", which->project ? which->project : "",
			       which->environment, which->name);
	else
		(void)snprintf(name, sizeof name, "%s", which->name);
	for (size_t i = 0; i < secrets.count; i++)
		if (strcmp(secrets.items[i].name, name) == 0)
			return csn_secret_set(ret, secrets.items[i].value,
					      strlen(secrets.items[i].value));
	return -ENOENT;
}

static void warn(void *data, const char *container, const char *text)
{
	(void)data;
	(void)engine_fail_text(0, "container \"%s\": %s", container, text);
}

int deploy_configure(struct csn_rt *rt, const char *deployment, const char *secrets_file,
		     struct csn_error *err)
{
	struct csn_rt_options o = CSN_RT_OPTIONS_INIT;
	if (secrets_file)
		TRY(read_secrets(secrets_file, err));
	o.network = deployment;
	o.secret = secrets_file ? find_secret : NULL;
	o.warn = warn;
	return csn_rt_configure(rt, &o, err);
}

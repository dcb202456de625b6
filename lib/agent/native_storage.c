/*
 * From a service's storage to mounts of an engine container. A bucket becomes a volume that is
 * restored when the container is made and brought back by sync_container_volumes: what it is called
 * comes from the bucket, so that all who name the same one share it, as they would share a mount.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/document.h"
#include "agent/native.h"
#include "base/error.h"
#include "base/sha256.h"
#include "caisson-volume.h"
#include "service/deployment.h"

static int no_memory(struct csn_error *err)
{
	return fail(err, ENOMEM, "out of memory");
}

static int fail_field(enum csn_error_kind kind, size_t i, const char *what, struct csn_error *err)
{
	char reason[300];
	(void)snprintf(reason, sizeof reason, "service: storage[%zu]%s", i, what);
	return fail_kind(err, kind, "", reason);
}

/* ---- kinds ------------------------------------------------------------------------------------
 */

/* One of the service's, on its way. */
struct storing {
	const struct service_storage *from;
	size_t index;
	struct csn_mount *to;
	struct arena *arena;
	struct csn_error *err;
};

static int store_bind(struct storing *s)
{
	s->to->kind = CSN_MOUNT_BIND;
	s->to->source = s->from->source;
	return 0;
}

static int store_named(struct storing *s)
{
	if (s->from->size_bytes.set)
		return fail_field(CSN_ERROR_UNSUPPORTED, s->index, ".size: of a named volume",
				  s->err);
	s->to->kind = CSN_MOUNT_VOLUME;
	s->to->source = s->from->name;
	if (!s->from->tier)
		return 0;
	struct csn_volume_options *o = arena_alloc(s->arena, sizeof *o);
	const char **labels = arena_array(s->arena, 2, sizeof *labels);
	if (!o || !labels)
		return no_memory(s->err);
	labels[0] = arena_printf(s->arena, "tier=%s", s->from->tier);
	*o = (struct csn_volume_options)CSN_VOLUME_OPTIONS_INIT;
	o->labels = labels;
	s->to->volume = o;
	return labels[0] ? 0 : no_memory(s->err);
}

static int store_anonymous(struct storing *s)
{
	s->to->kind = CSN_MOUNT_VOLUME;
	return 0;
}

/* Programs are run from a service's tmpfs as they are in the reference. */
static int store_tmpfs(struct storing *s)
{
	const char *options = "exec";
	if (s->from->size_bytes.set)
		options = arena_printf(s->arena, "%s,size=%llu", options,
				       (unsigned long long)s->from->size_bytes.value);
	if (options && s->from->mode.set)
		options = arena_printf(s->arena, "%s,mode=%o", options, s->from->mode.value);
	s->to->kind = CSN_MOUNT_TMPFS;
	s->to->options = options;
	return options ? 0 : no_memory(s->err);
}

/* ---- buckets ----------------------------------------------------------------------------------
 */

static const char *name_of_bucket(struct storing *s)
{
	const struct service_storage *v = s->from;
	struct sha256 h;
	char hex[65];
	char *text = arena_printf(s->arena, "%s\n%s\n%s", v->endpoint ? v->endpoint : "", v->bucket,
				  v->prefix ? v->prefix : "");
	if (!text)
		return NULL;
	sha256_init(&h);
	sha256_update(&h, text, strlen(text));
	sha256_hex(&h, hex);
	return arena_printf(s->arena, "s3-%s-%.12s", v->bucket, hex);
}

/* "KEY_ID:SECRET[:TOKEN]", or "$E:NAME", a variable whose value is that. */
static int read_credentials(struct storing *s, struct csn_volume_s3 *s3)
{
	const struct service_credentials *c = &s->from->credentials;
	const char *text = c->text;
	if (!text) {
		s3->access_key_id = c->access_key_id;
		s3->secret_access_key = c->secret_access_key;
		s3->session_token = c->session_token;
		return 0;
	}
	if (strncmp(text, "$E:", 3) == 0)
		text = getenv(text + 3);
	char *key = text ? arena_strdup(s->arena, text) : NULL;
	char *secret = key && key[0] != '$' ? strchr(key, ':') : NULL;
	if (!secret || secret == key || !secret[1])
		return fail_field(CSN_ERROR_INVALID_SPEC, s->index,
				  ".credentials: expected KEY_ID:SECRET[:TOKEN], or $E:NAME of a "
				  "variable that has them",
				  s->err);
	*secret++ = '\0';
	char *token = strchr(secret, ':');
	if (token)
		*token++ = '\0';
	s3->access_key_id = key;
	s3->secret_access_key = secret;
	s3->session_token = token;
	return 0;
}

static int store_s3(struct storing *s)
{
	struct csn_volume_options *o = arena_alloc(s->arena, sizeof *o);
	struct csn_volume_s3 *s3 = arena_alloc(s->arena, sizeof *s3);
	if (!o || !s3)
		return no_memory(s->err);
	*o = (struct csn_volume_options)CSN_VOLUME_OPTIONS_INIT;
	*s3 = (struct csn_volume_s3)CSN_VOLUME_S3_INIT;
	s3->bucket = s->from->bucket;
	s3->prefix = s->from->prefix;
	s3->endpoint = s->from->endpoint;
	TRY(read_credentials(s, s3));
	o->s3 = s3;
	s->to->kind = CSN_MOUNT_VOLUME;
	s->to->volume = o;
	s->to->source = name_of_bucket(s);
	return s->to->source ? 0 : no_memory(s->err);
}

/* The agent's, at the same place in all containers. */
static void mount_socket(const struct csn_container_auth_context *auth, struct csn_mount *to)
{
	*to = (struct csn_mount)CSN_MOUNT_INIT;
	to->kind = CSN_MOUNT_BIND;
	to->source = auth->socket_path;
	to->target = auth->socket_target;
	to->readonly = true;
}

int service_mounts(const struct making *m, struct csn_container_options *o, struct csn_error *err)
{
	static int (*const kinds[])(struct storing * s) = {
		[STORAGE_BIND] = store_bind,
		[STORAGE_NAMED] = store_named,
		[STORAGE_ANONYMOUS] = store_anonymous,
		[STORAGE_TMPFS] = store_tmpfs,
		[STORAGE_S3] = store_s3,
	};
	const struct service_spec *spec = &m->service->spec;
	const struct csn_container_auth_context *auth = m->options->auth;
	struct csn_mount *mounts = arena_array(m->arena, spec->storage.count + 1, sizeof *mounts);
	size_t count = spec->storage.count;
	if (!mounts)
		return no_memory(err);
	for (size_t i = 0; i < spec->storage.count; i++) {
		const struct service_storage *from = &spec->storage.items[i];
		struct storing s = { from, i, &mounts[i], m->arena, err };
		mounts[i] = (struct csn_mount)CSN_MOUNT_INIT;
		mounts[i].target = from->target;
		mounts[i].readonly = from->readonly;
		TRY(kinds[from->kind](&s));
	}
	if (auth && auth->socket_path)
		mount_socket(auth, &mounts[count++]);
	o->mounts = mounts;
	o->mounts_count = count;
	return 0;
}

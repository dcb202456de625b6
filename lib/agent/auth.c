/*
 * What a container shows to its agent when it calls back: a JSON Web Token (RFC 7519) in the
 * compact form of RFC 7515, signed by HMAC-SHA256. Its texts are without line ends and its parts in
 * base64url without padding, so it fits an environment variable.
 */
#include <errno.h>
#include <string.h>

#include "agent/agent.h"
#include "base/error.h"
#include "base/json.h"
#include "base/sha256.h"
#include "base/sized.h"

#define TTL_S INT64_C(31536000) /* 365 days */

static int refuse(const char *field, const char *expected, struct csn_error *err)
{
	return fail(err, EINVAL, "auth.%s: expected %s", field, expected);
}

static bool is_prefix(const char *text)
{
	for (; *text; text++)
		if (!strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_",
			    *text))
			return false;
	return true;
}

static int check(const struct csn_container_auth_context *a, struct csn_error *err)
{
	if (!a->api_url || !a->api_url[0])
		return refuse("api_url", "a URL", err);
	if (!a->jwt_secret || !a->jwt_secret_size)
		return refuse("jwt_secret", "at least one byte", err);
	if (a->socket_path && a->socket_path[0] != '/')
		return refuse("socket_path", "an absolute path", err);
	if (a->socket_target[0] != '/')
		return refuse("socket_target", "an absolute path", err);
	if (!is_prefix(a->env_prefix))
		return refuse("env_prefix", "letters, digits and \"_\"", err);
	/* Beyond, the sum with the time of day could overflow. */
	if (a->ttl_s < 0 || a->ttl_s > INT64_MAX / 2)
		return refuse("ttl_s", "seconds from 0 on", err);
	return 0;
}

static bool copy(const char **text, const char *otherwise, struct arena *arena)
{
	const char *from = *text ? *text : otherwise;
	*text = from ? arena_strdup(arena, from) : NULL;
	return *text || !from;
}

int auth_take(const struct csn_container_auth_context **auth, struct arena *arena,
	      struct csn_error *err)
{
	struct csn_container_auth_context *a = arena_alloc(arena, sizeof *a);
	if (!a)
		return fail(err, ENOMEM, "out of memory");
	*a = (struct csn_container_auth_context)CSN_CONTAINER_AUTH_CONTEXT_INIT;
	TRY(take_struct(a, sizeof *a, *auth, "struct csn_container_auth_context", err));
	bool ok = copy(&a->api_url, NULL, arena) && copy(&a->socket_path, NULL, arena) &&
		  copy(&a->socket_target, "/var/run/zlayer.sock", arena) &&
		  copy(&a->env_prefix, "ZLAYER_", arena) && copy(&a->issuer, "zlayer", arena);
	if (!ok)
		return fail(err, ENOMEM, "out of memory");
	TRY(check(a, err));
	char *secret = arena_alloc(arena, a->jwt_secret_size);
	if (!secret)
		return fail(err, ENOMEM, "out of memory");
	a->jwt_secret = memcpy(secret, a->jwt_secret, a->jwt_secret_size);
	if (!a->ttl_s)
		a->ttl_s = TTL_S;
	*auth = a;
	return 0;
}

/* ---- tokens ------------------------------------------------------------------------------------
 */

static char *base64url(const void *data, size_t size, struct arena *arena)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	const unsigned char *in = data;
	char *text = arena_alloc(arena, size / 3 * 4 + 5), *out = text;
	for (size_t i = 0; text && i < size; i += 3) {
		size_t left = size - i;
		unsigned bits = (unsigned)in[i] << 16 | (left > 1 ? (unsigned)in[i + 1] << 8 : 0) |
				(left > 2 ? in[i + 2] : 0U);
		*out++ = digits[bits >> 18];
		*out++ = digits[bits >> 12 & 63];
		if (left > 1)
			*out++ = digits[bits >> 6 & 63];
		if (left > 2)
			*out++ = digits[bits & 63];
	}
	if (text)
		*out = '\0';
	return text;
}

static int put_claims(const struct csn_container_auth_context *a, const struct csn_container_id *id,
		      int64_t now, char **ret, struct arena *arena)
{
	struct json_out o = JSON_OUT_COMPACT;
	json_open_object(&o, NULL);
	json_put_string(
		&o, "sub",
		arena_printf(arena, "container:%s:%s-%u", id->service, id->service, id->replica));
	json_put_i64(&o, "iat", now);
	json_put_i64(&o, "exp", now + a->ttl_s);
	json_put_string(&o, "iss", a->issuer);
	json_open_array(&o, "roles");
	json_put_string(&o, NULL, "container");
	json_close_array(&o);
	json_close_object(&o);
	return json_out_take(&o, ret, NULL);
}

char *auth_token(const struct csn_container_auth_context *auth, const struct csn_container_id *id,
		 int64_t now, struct arena *arena)
{
	static const char header[] = "{\"typ\":\"JWT\",\"alg\":\"HS256\"}";
	auto_mem char *claims = NULL;
	unsigned char sum[32];
	if (put_claims(auth, id, now, &claims, arena) < 0)
		return NULL;
	char *head = base64url(header, sizeof header - 1, arena);
	char *body = base64url(claims, strlen(claims), arena);
	char *signing = head && body ? arena_printf(arena, "%s.%s", head, body) : NULL;
	if (!signing)
		return NULL;
	sha256_hmac(auth->jwt_secret, auth->jwt_secret_size, signing, strlen(signing), sum);
	char *signature = base64url(sum, sizeof sum, arena);
	return signature ? arena_printf(arena, "%s.%s", signing, signature) : NULL;
}

/*
 * AWS Signature Version 4. The request is written down in one canonical form, hashed, and signed
 * with a key that is derived from the secret, the day, the region and the service. Nothing here
 * sends anything.
 */
#include "volume/sigv4.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>

enum { HASH_SIZE = 32, DAY_SIZE = 8 };

static const char *hex_of(const unsigned char bytes[HASH_SIZE], struct arena *arena)
{
	char *hex = arena_alloc(arena, 2 * HASH_SIZE + 1);
	for (size_t i = 0; hex && i < HASH_SIZE; i++)
		(void)snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
	return hex;
}

static const char *hash_of(const char *text, struct arena *arena)
{
	unsigned char bytes[HASH_SIZE];
	if (EVP_Digest(text, strlen(text), bytes, NULL, EVP_sha256(), NULL) != 1)
		return NULL;
	return hex_of(bytes, arena);
}

static bool sign(const void *key, size_t key_size, const char *text, size_t size,
		 unsigned char ret[HASH_SIZE])
{
	unsigned n = HASH_SIZE;
	return HMAC(EVP_sha256(), key, (int)key_size, (const unsigned char *)text, size, ret, &n) !=
	       NULL;
}

const char *sigv4_encode(const char *text, bool keep_slash, struct arena *arena)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-._~";
	char *encoded = arena_alloc(arena, 3 * strlen(text) + 1), *at = encoded;
	for (; encoded && *text; text++) {
		if (strchr(plain, *text) || (keep_slash && *text == '/'))
			*at++ = *text;
		else
			at += snprintf(at, 4, "%%%02X", (unsigned char)*text);
	}
	return encoded;
}

/* "host;range;x-amz-date" */
static const char *names_of(const struct sigv4_request *q, struct arena *arena)
{
	const char *names = "";
	for (size_t i = 0; names && i < q->headers_count; i++)
		names = arena_printf(arena, "%s%s%s", names, i ? ";" : "", q->headers[i].name);
	return names;
}

static const char *canonical(const struct sigv4_request *q, const char *names, struct arena *arena)
{
	const char *headers = "";
	for (size_t i = 0; headers && i < q->headers_count; i++)
		headers = arena_printf(arena, "%s%s:%s\n", headers, q->headers[i].name,
				       q->headers[i].value);
	return headers ? arena_printf(arena, "%s\n%s\n%s\n%s\n%s\n%s", q->method, q->path, q->query,
				      headers, names, q->payload_hash)
		       : NULL;
}

static bool derive_key(const struct sigv4_request *q, struct arena *arena,
		       unsigned char key[HASH_SIZE])
{
	unsigned char day[HASH_SIZE], region[HASH_SIZE], service[HASH_SIZE];
	char *secret = arena_printf(arena, "AWS4%s", q->secret);
	bool ok = secret && sign(secret, strlen(secret), q->time, DAY_SIZE, day) &&
		  sign(day, HASH_SIZE, q->region, strlen(q->region), region) &&
		  sign(region, HASH_SIZE, q->service, strlen(q->service), service) &&
		  sign(service, HASH_SIZE, "aws4_request", strlen("aws4_request"), key);
	if (secret)
		explicit_bzero(secret, strlen(secret));
	return ok;
}

const char *sigv4_authorization(const struct sigv4_request *q, struct arena *arena)
{
	unsigned char key[HASH_SIZE], bytes[HASH_SIZE];
	const char *names = names_of(q, arena);
	const char *request = names ? canonical(q, names, arena) : NULL;
	const char *hash = request ? hash_of(request, arena) : NULL;
	const char *scope =
		arena_printf(arena, "%.8s/%s/%s/aws4_request", q->time, q->region, q->service);
	const char *to_sign = hash && scope ? arena_printf(arena, "AWS4-HMAC-SHA256\n%s\n%s\n%s",
							   q->time, scope, hash)
					    : NULL;
	if (!to_sign || !derive_key(q, arena, key) ||
	    !sign(key, HASH_SIZE, to_sign, strlen(to_sign), bytes))
		return NULL;
	explicit_bzero(key, sizeof key);
	const char *signature = hex_of(bytes, arena);
	return signature ? arena_printf(arena,
					"AWS4-HMAC-SHA256 Credential=%s/%s,SignedHeaders=%s,"
					"Signature=%s",
					q->key_id, scope, names, signature)
			 : NULL;
}

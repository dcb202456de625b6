/*
 * S3 over HTTP. Each request is signed anew, because a signature has a time in it, and is tried
 * again with growing pauses when the connection failed or the server says that it cannot just now.
 * A body is in memory and its hash is part of the signature: what arrives is what was hashed.
 */
#include "volume/s3.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "image/digest.h"
#include "image/http.h"
#include "volume/sigv4.h"

#define TRIES	      6
#define PAUSE_MS      100 /* before the second try; each later one is twice as long */
#define STALL_SECONDS 30
#define ANSWER_MAX    (1 << 20)
#define PARTS_MAX     10000
#define ETAG_MAX      200
#define ID_MAX	      1024

struct s3 {
	struct http *http;
	const struct s3_config *config;
	struct arena arena; /* lives as long as this */
	const char *scheme, *host, *base, *prefix, *region;
};

static int no_memory(struct csn_error *err)
{
	return fail(err, ENOMEM, "out of memory");
}

/* ---- where it is ------------------------------------------------------------------------------
 */

/* "http://host:9000/path/" → scheme, host, path. */
static int split_endpoint(struct s3 *s3, const char *endpoint, struct csn_error *err)
{
	const char *host = strstr(endpoint, "://");
	if (!host)
		return fail(err, EINVAL, "s3: endpoint \"%.200s\": expected http:// or https://",
			    endpoint);
	s3->scheme = arena_printf(&s3->arena, "%.*s", (int)(host - endpoint), endpoint);
	host += 3;
	size_t size = strcspn(host, "/?#");
	const char *path = host[size] == '/' ? host + size : "";
	size_t path_size = strcspn(path, "?#");
	while (path_size && path[path_size - 1] == '/')
		path_size--;
	s3->host = arena_printf(&s3->arena, "%.*s", (int)size, host);
	s3->base = arena_printf(&s3->arena, "%.*s", (int)path_size, path);
	if (!s3->scheme || !s3->host || !s3->base)
		return no_memory(err);
	/* The port that goes without saying is not said to the server either. */
	const char *usual = strcmp(s3->scheme, "https") == 0 ? ":443" : ":80";
	size = strlen(s3->host);
	if (size > strlen(usual) && strcmp(s3->host + size - strlen(usual), usual) == 0)
		s3->host = arena_printf(&s3->arena, "%.*s", (int)(size - strlen(usual)), s3->host);
	return s3->host ? 0 : no_memory(err);
}

/* A bucket with a dot in its name fits no certificate as a part of the host's. */
static int place_bucket(struct s3 *s3, struct csn_error *err)
{
	const struct s3_config *c = s3->config;
	const char *how = c->addressing;
	if (!how)
		how = c->endpoint || strchr(c->bucket, '.') ? "path" : "virtual";
	if (strcmp(how, "virtual") == 0)
		s3->host = arena_printf(&s3->arena, "%s.%s", c->bucket, s3->host);
	else
		s3->base = arena_printf(&s3->arena, "%s/%s", s3->base, c->bucket);
	return s3->host && s3->base ? 0 : no_memory(err);
}

static int place(struct s3 *s3, struct csn_error *err)
{
	const struct s3_config *c = s3->config;
	const char *endpoint = c->endpoint, *prefix = c->prefix ? c->prefix : "";
	size_t size;
	s3->region = c->region && *c->region ? c->region : "us-east-1";
	if (!endpoint)
		endpoint = arena_printf(&s3->arena, "https://s3.%s.amazonaws.com", s3->region);
	while (*prefix == '/')
		prefix++;
	size = strlen(prefix);
	s3->prefix = arena_printf(&s3->arena, "%s%s", prefix,
				  size && prefix[size - 1] != '/' ? "/" : "");
	if (!endpoint || !s3->prefix)
		return no_memory(err);
	TRY(split_endpoint(s3, endpoint, err));
	return place_bucket(s3, err);
}

int s3_open(const struct s3_config *config, struct s3 **ret, struct csn_error *err)
{
	const struct http_options options = { .stall_seconds = STALL_SECONDS };
	if (!config->access_key_id || !config->secret_access_key)
		return fail(err, EACCES,
			    "s3: bucket \"%s\": no credentials: expected AWS_ACCESS_KEY_ID and "
			    "AWS_SECRET_ACCESS_KEY in the environment, or those of the volume",
			    config->bucket);
	struct s3 *s3 = calloc(1, sizeof *s3);
	if (!s3)
		return no_memory(err);
	s3->config = config;
	int r = place(s3, err);
	if (r == 0)
		r = http_open(&options, &s3->http, err);
	if (r < 0) {
		s3_close(s3);
		return r;
	}
	*ret = s3;
	return 0;
}

void s3_close(struct s3 *s3)
{
	if (!s3)
		return;
	if (s3->http)
		http_close(s3->http);
	arena_free(&s3->arena);
	free(s3);
}

/* ---- one request ------------------------------------------------------------------------------
 */

struct call {
	const char *method, *key; /* "" with of_bucket: what is asked of the bucket itself */
	bool of_bucket;
	const char *query; /* encoded and sorted; "": none */
	const void *body;
	size_t body_size;
	int file; /* takes the answer; -1: memory */
	size_t max;
	struct http_response response;
};

static void call_done(struct call *c)
{
	http_response_done(&c->response);
}

static int begin_file(void *data, const struct http_response *r, struct csn_error *err)
{
	const struct call *c = data;
	(void)r;
	if (lseek(c->file, 0, SEEK_SET) < 0 || ftruncate(c->file, 0) < 0)
		return fail_errno(err, "write the file");
	return 0;
}

static int receive_file(void *data, const void *bytes, size_t size, struct csn_error *err)
{
	const struct call *c = data;
	int r = write_all(c->file, bytes, size);
	return r < 0 ? fail(err, -r, "write the file: %s", strerror(-r)) : 0;
}

static int sign_and_send(struct s3 *s3, struct call *c, struct arena *arena, struct csn_error *err)
{
	const struct s3_config *config = s3->config;
	char digest[DIGEST_TEXT_MAX], when[20];
	time_t now = time(NULL);
	struct tm tm;
	(void)gmtime_r(&now, &tm);
	(void)strftime(when, sizeof when, "%Y%m%dT%H%M%SZ", &tm);
	TRY(digest_of(DIGEST_SHA256, c->body ? c->body : "", c->body_size, digest, err));

	const struct sigv4_header signed_headers[] = {
		{ "host", s3->host },
		{ "x-amz-content-sha256", digest_hex(digest) },
		{ "x-amz-date", when },
		{ "x-amz-security-token", config->session_token },
	};
	const size_t count = 3U + (config->session_token != NULL);
	const char *name =
		arena_printf(arena, "%s/%s%s", s3->base, c->of_bucket ? "" : s3->prefix, c->key);
	const char *path = name ? sigv4_encode(name, true, arena) : NULL;
	if (!path)
		return no_memory(err);
	const struct sigv4_request q = { .method = c->method,
					 .path = path,
					 .query = c->query,
					 .headers = signed_headers,
					 .headers_count = count,
					 .payload_hash = digest_hex(digest),
					 .time = when,
					 .region = s3->region,
					 .service = "s3",
					 .key_id = config->access_key_id,
					 .secret = config->secret_access_key };
	const char *authorization = sigv4_authorization(&q, arena);
	const char *lines[5] = { NULL };
	const char *url = arena_printf(arena, "%s://%s%s%s%s", s3->scheme, s3->host, path,
				       *c->query ? "?" : "", c->query);
	lines[0] = authorization ? arena_printf(arena, "Authorization: %s", authorization) : NULL;
	for (size_t i = 1; i < count; i++) /* the host goes by itself */
		lines[i] = arena_printf(arena, "%s: %s", signed_headers[i].name,
					signed_headers[i].value);
	lines[count] = "Content-Type: application/octet-stream";
	for (size_t i = 0; i < count; i++)
		if (!lines[i] || !url)
			return no_memory(err);
	const struct http_request request = { .method = c->method,
					      .url = url,
					      .headers = lines,
					      .header_count = count + 1,
					      .body = c->body,
					      .body_size = c->body_size,
					      .body_fd = -1,
					      .max_body = c->max,
					      .begin = c->file >= 0 ? begin_file : NULL,
					      .receive = receive_file,
					      .data = c };
	return http_perform(s3->http, &request, &c->response, err);
}

/* The text between two tags of an answer; in the arena, "" when there is none. No more of XML is
 * needed than this: S3 has these elements once, without attributes. */
static const char *element(const struct http_response *r, const char *tag, struct arena *arena)
{
	char open[40];
	(void)snprintf(open, sizeof open, "<%s>", tag);
	const char *start = r->body ? strstr(r->body, open) : NULL;
	if (!start)
		return "";
	start += strlen(open);
	const char *text = arena_printf(arena, "%.*s", (int)strcspn(start, "<"), start);
	return text ? text : "";
}

/* Amazon completes an upload with 200 and may tell an error in the text all the same. */
static bool is_good(const struct http_response *r)
{
	return r->status >= 200 && r->status <= 299 && !(r->body && strstr(r->body, "<Error>"));
}

static bool is_passing(int r, const struct http_response *response)
{
	static const int statuses[] = { 200, 408, 429, 500, 502, 503, 504 };
	for (size_t i = 0; r == 0 && i < COUNT(statuses); i++)
		if (response->status == statuses[i])
			return true;
	return r < 0 && http_is_transient(r);
}

static int word_status(const struct http_response *r, struct arena *arena, struct csn_error *err)
{
	const char *code = element(r, "Code", arena), *message = element(r, "Message", arena);
	/* A bucket that is not there is no key that is not there. */
	int number = r->status == 404 && strcmp(code, "NoSuchBucket") != 0 ? ENOENT
		     : r->status == 403 || r->status == 401		   ? EACCES
									   : EIO;
	return fail(err, number, "the server answered %d%s%.100s%s%.300s", r->status,
		    *code ? " " : "", code, *message ? ": " : "", message);
}

/* Half of the pause is by chance, so that many do not come again at one time. */
static int pause_before(struct s3 *s3, int attempt, struct csn_error *err)
{
	int ms = PAUSE_MS << attempt;
	uint16_t chance = 0;
	(void)!getrandom(&chance, sizeof chance, 0);
	return http_sleep(s3->http, ms / 2 + chance % (ms / 2 + 1), err);
}

static int perform(struct s3 *s3, struct call *c, struct csn_error *err)
{
	int r = 0;
	for (int i = 0; i < TRIES; i++) {
		struct arena arena AUTO(arena_free) = { 0 };
		http_response_done(&c->response);
		if (i)
			TRY(pause_before(s3, i - 1, err));
		r = sign_and_send(s3, c, &arena, err);
		if (r == 0 && is_good(&c->response))
			return 0;
		bool again = is_passing(r, &c->response);
		if (r == 0)
			r = word_status(&c->response, &arena, err);
		if (!again)
			break;
	}
	return within(err, r, "s3: bucket \"%s\": %s \"%s%s\"", s3->config->bucket, c->method,
		      s3->prefix, c->key);
}

/* ---- objects ----------------------------------------------------------------------------------
 */

int s3_put(struct s3 *s3, const char *key, const void *data, size_t size, struct csn_error *err)
{
	struct call c AUTO(call_done) = { .method = "PUT",
					  .key = key,
					  .query = "",
					  .body = data,
					  .body_size = size,
					  .file = -1,
					  .max = ANSWER_MAX };
	return perform(s3, &c, err);
}

int s3_get(struct s3 *s3, const char *key, size_t max, char **ret, size_t *ret_size,
	   struct csn_error *err)
{
	struct call c AUTO(
		call_done) = { .method = "GET", .key = key, .query = "", .file = -1, .max = max };
	TRY(perform(s3, &c, err));
	*ret_size = c.response.body_size;
	*ret = c.response.body ? take_ptr(c.response.body) : strdup("");
	return *ret ? 0 : no_memory(err);
}

int s3_get_file(struct s3 *s3, const char *key, int fd, struct csn_error *err)
{
	struct call c AUTO(call_done) = {
		.method = "GET", .key = key, .query = "", .file = fd, .max = ANSWER_MAX
	};
	return perform(s3, &c, err);
}

int s3_delete(struct s3 *s3, const char *key, struct csn_error *err)
{
	struct call c AUTO(call_done) = {
		.method = "DELETE", .key = key, .query = "", .file = -1, .max = ANSWER_MAX
	};
	int r = perform(s3, &c, err);
	return r == -ENOENT ? 0 : r;
}

/* ---- objects in parts -------------------------------------------------------------------------
 */

struct s3_upload {
	struct s3 *s3;
	char *key, *id, *encoded; /* the id as a query has it */
	char **etags;
	size_t parts;
	bool completed;
	struct arena arena;
};

static void free_upload(struct s3_upload *u)
{
	arena_free(&u->arena);
	free(u->etags);
	free(u);
}

const char *s3_upload_id(const struct s3_upload *u)
{
	return u->id;
}

static struct s3_upload *new_upload(struct s3 *s3, const char *key, const char *id)
{
	struct s3_upload *u = calloc(1, sizeof *u);
	if (!u)
		return NULL;
	u->s3 = s3;
	u->key = arena_strdup(&u->arena, key);
	u->id = arena_strdup(&u->arena, id);
	u->encoded = u->id ? (char *)(uintptr_t)sigv4_encode(u->id, false, &u->arena) : NULL;
	if (u->key && u->encoded)
		return u;
	free_upload(u);
	return NULL;
}

int s3_upload_begin(struct s3 *s3, const char *key, struct s3_upload **ret, struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct call c AUTO(call_done) = {
		.method = "POST", .key = key, .query = "uploads=", .file = -1, .max = ANSWER_MAX
	};
	TRY(perform(s3, &c, err));
	const char *id = element(&c.response, "UploadId", &arena);
	if (!*id || strlen(id) > ID_MAX)
		return fail(err, EPROTO, "s3: bucket \"%s\": \"%s%s\": no upload was begun",
			    s3->config->bucket, s3->prefix, key);
	*ret = new_upload(s3, key, id);
	return *ret ? 0 : no_memory(err);
}

int s3_upload_part(struct s3_upload *u, const void *data, size_t size, struct csn_error *err)
{
	const char *query =
		arena_printf(&u->arena, "partNumber=%zu&uploadId=%s", u->parts + 1, u->encoded);
	char **grown = reallocarray(u->etags, u->parts + 1, sizeof *grown);
	if (grown)
		u->etags = grown;
	if (!query || !grown)
		return no_memory(err);
	if (u->parts == PARTS_MAX)
		return fail(err, EFBIG, "s3: \"%s\": more than %d parts", u->key, PARTS_MAX);
	struct call c AUTO(call_done) = { .method = "PUT",
					  .key = u->key,
					  .query = query,
					  .body = data,
					  .body_size = size,
					  .file = -1,
					  .max = ANSWER_MAX };
	TRY(perform(u->s3, &c, err));
	const char *etag = c.response.etag;
	if (!etag || !*etag || strlen(etag) > ETAG_MAX || strpbrk(etag, "<>&"))
		return fail(err, EPROTO, "s3: bucket \"%s\": \"%s%s\": a part has no ETag",
			    u->s3->config->bucket, u->s3->prefix, u->key);
	grown[u->parts] = arena_strdup(&u->arena, etag);
	return grown[u->parts++] ? 0 : no_memory(err);
}

static char *list_parts(const struct s3_upload *u, size_t *ret_size)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, ret_size);
	if (!out)
		return NULL;
	(void)fputs("<CompleteMultipartUpload>", out);
	for (size_t i = 0; i < u->parts; i++)
		(void)fprintf(out, "<Part><PartNumber>%zu</PartNumber><ETag>%s</ETag></Part>",
			      i + 1, u->etags[i]);
	(void)fputs("</CompleteMultipartUpload>", out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

int s3_upload_complete(struct s3_upload *u, struct csn_error *err)
{
	size_t size = 0;
	auto_mem char *body = list_parts(u, &size);
	const char *query = arena_printf(&u->arena, "uploadId=%s", u->encoded);
	if (!body || !query)
		return no_memory(err);
	struct call c AUTO(call_done) = { .method = "POST",
					  .key = u->key,
					  .query = query,
					  .body = body,
					  .body_size = size,
					  .file = -1,
					  .max = ANSWER_MAX };
	TRY(perform(u->s3, &c, err));
	u->completed = true;
	return 0;
}

static int abort_upload(struct s3_upload *u, struct csn_error *err)
{
	const char *query = arena_printf(&u->arena, "uploadId=%s", u->encoded);
	struct call c AUTO(call_done) = {
		.method = "DELETE", .key = u->key, .query = query, .file = -1, .max = ANSWER_MAX
	};
	if (!query)
		return no_memory(err);
	int r = perform(u->s3, &c, err);
	return r == -ENOENT ? 0 : r;
}

void s3_upload_close(struct s3_upload *u)
{
	if (!u)
		return;
	if (!u->completed)
		(void)abort_upload(u, NULL);
	free_upload(u);
}

int s3_upload_abort_all(struct s3 *s3, const char *key, struct csn_error *err)
{
	static const char open[] = "<UploadId>";
	struct arena arena AUTO(arena_free) = { 0 };
	const char *name = arena_printf(&arena, "%s%s", s3->prefix, key);
	const char *prefix = name ? sigv4_encode(name, false, &arena) : NULL;
	const char *query = prefix ? arena_printf(&arena, "prefix=%s&uploads=", prefix) : NULL;
	struct call c AUTO(call_done) = { .method = "GET",
					  .key = "",
					  .of_bucket = true,
					  .query = query,
					  .file = -1,
					  .max = ANSWER_MAX };
	if (!query)
		return no_memory(err);
	TRY(perform(s3, &c, err));
	for (const char *at = c.response.body; at && (at = strstr(at, open)); at += strlen(open)) {
		const char *id = at + strlen(open);
		const char *text = arena_printf(&arena, "%.*s", (int)strcspn(id, "<"), id);
		if (!text)
			return no_memory(err);
		TRY(s3_upload_abort(s3, key, text, err));
	}
	return 0;
}

int s3_upload_abort(struct s3 *s3, const char *key, const char *id, struct csn_error *err)
{
	struct s3_upload *u = new_upload(s3, key, id);
	if (!u)
		return no_memory(err);
	int r = abort_upload(u, err);
	free_upload(u);
	return r;
}

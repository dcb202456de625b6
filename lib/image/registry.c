/*
 * From a question to an answer.
 *
 * http or https: https. Where plain http is allowed (an insecure registry, loopback) it is tried
 * when nothing there speaks TLS; a certificate that is not trusted is never a reason. What was
 * found is kept in the endpoint's base.
 *
 * Redirects are followed here, at most five of GET and HEAD. The Authorization header and the
 * endpoint's own headers go to the origin of the endpoint and nowhere else; https never becomes
 * http; a foreign registry cannot send us to an address of this machine.
 *
 * Trying again: failures of the connection, 408, 429, 500, 502, 503 and 504, five times in all with
 * growing pauses, or as Retry-After says, up to a minute.
 */
#include "image/registry.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/random.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/json.h"
#include "image/url.h"

#define TRIES	       5
#define PAUSE_MS       500
#define PAUSE_MAX_MS   60000
#define REDIRECTS_MAX  5
#define ERROR_BODY_MAX ((size_t)64 << 10)
#define SECONDS_MAX    120 /* for a document */

/* ---- opening --------------------------------------------------------------------------------- */

int registry_open(const struct image_remote *options, const struct image_ref *ref,
		  const struct image_events *events, struct registry *ret, struct csn_error *err)
{
	const struct endpoint_options eo = { options->insecure, options->secure,
					     options->cert_dir };
	const struct http_options ho = {
		.stall_seconds = options->stall_seconds > 0 ? options->stall_seconds : 30,
		.interrupted = events->interrupted,
		.data = events->data,
	};

	*ret = (struct registry){
		.options = options, .ref = *ref, .warn = events->warning, .data = events->data
	};
	(void)pthread_mutex_init(&ret->lock, NULL);
	TRY(endpoints_find(&eo, ref, &ret->arena, &ret->endpoints, &ret->endpoint_count, err));
	return http_open(&ho, &ret->http, err);
}

void registry_close(struct registry *r)
{
	http_close(r->http);
	auth_close(r);
	arena_free(&r->arena);
	(void)pthread_mutex_destroy(&r->lock);
}

/* ---- trying again ---------------------------------------------------------------------------- */

bool registry_may_retry(int r, const struct http_response *ret)
{
	static const int statuses[] = { 408, 429, 500, 502, 503, 504 };

	if (r < 0)
		return http_is_transient(r);
	for (size_t i = 0; i < COUNT(statuses); i++)
		if (ret->status == statuses[i])
			return true;
	return false;
}

/* Seconds or a date; -1: neither. */
static long retry_after_ms(const char *text)
{
	struct tm tm = { 0 };
	char *end;

	if (!text)
		return -1;
	long seconds = strtol(text, &end, 10);
	if (end != text && !*end && seconds >= 0)
		return seconds < 3600 ? seconds * 1000 : 3600000;
	if (!strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm))
		return -1;
	long left = (long)(timegm(&tm) - time(NULL));
	return left < 0 ? 0 : left < 3600 ? left * 1000 : 3600000;
}

int registry_pause(struct registry *r, int attempt, const struct http_response *ret,
		   struct csn_error *err)
{
	unsigned int noise = 0;
	long ms = ret ? retry_after_ms(ret->retry_after) : -1;

	(void)!getrandom(&noise, sizeof noise, GRND_NONBLOCK);
	if (ms < 0) {
		ms = (long)(r->options->pause_ms > 0 ? r->options->pause_ms : PAUSE_MS)
		     << (attempt < 8 ? attempt - 1 : 7);
		ms = ms / 2 + (long)(noise % (unsigned int)ms);
	}
	return http_sleep(r->http, ms < PAUSE_MAX_MS ? (int)ms : PAUSE_MAX_MS, err);
}

/* ---- words ----------------------------------------------------------------------------------- */

struct reason {
	char *code, *message;
};

struct reasons {
	struct reason *items;
	size_t count;
};

static const struct json_field reason_fields[] = {
	{ "code", decode_text, offsetof(struct reason, code) },
	{ "message", decode_text, offsetof(struct reason, message) },
	{ 0 }
};
static const struct json_elements reason_elements = { sizeof(struct reason), decode_object,
						      reason_fields, 0, 0 };
static const struct json_field reasons_fields[] = {
	{ "errors", decode_array, 0, &reason_elements },
	{ 0 },
};

/* The registry's own words, made harmless for a terminal. */
static void their_words(const struct http_response *r, char *buf, size_t size)
{
	AUTO(arena_free)
	struct arena arena = { 0 };
	struct reasons list = { 0 };
	const char *text = NULL;

	buf[0] = '\0';
	if (r->body &&
	    json_decode(r->body, r->body_size, "errors", reasons_fields, &list, &arena, NULL) ==
		    0 &&
	    list.count > 0)
		text = list.items[0].message ? list.items[0].message : list.items[0].code;
	if (!text)
		return;
	(void)snprintf(buf, size, ": %s", text);
	for (char *p = buf; *p; p++)
		if (iscntrl((unsigned char)*p) || (unsigned char)*p >= 0x80)
			*p = '?';
}

static const struct {
	int status, error;
	const char *text;
} statuses[] = {
	{ 401, EACCES, "access is denied (401)" },
	{ 403, EACCES, "access is denied (403)" },
	{ 404, ENOENT, "not found" },
	{ 429, EBUSY, "too many requests (429)" },
};

int registry_refused(const struct endpoint *e, const char *what, const struct http_response *ret,
		     struct csn_error *err)
{
	char words[200];

	their_words(ret, words, sizeof words);
	for (size_t i = 0; i < COUNT(statuses); i++)
		if (statuses[i].status == ret->status)
			return fail(err, statuses[i].error, "registry %s: %s: %s%s", e->host, what,
				    statuses[i].text, words);
	return fail(err, EIO, "registry %s: %s: answered with status %d%s", e->host, what,
		    ret->status, words);
}

/* ---- one request ----------------------------------------------------------------------------- */

/* Passed on once; only what a registry itself says ("299 - "text""). */
static void pass_warning(struct registry *r, const struct http_response *ret)
{
	char text[256];
	const char *quote = ret->warning && strncmp(ret->warning, "299 ", 4) == 0
				    ? strchr(ret->warning, '"')
				    : NULL;

	if (!quote || !r->warn)
		return;
	(void)snprintf(text, sizeof text, "%.*s", (int)strcspn(quote + 1, "\""), quote + 1);
	for (char *p = text; *p; p++)
		if (iscntrl((unsigned char)*p) || (unsigned char)*p >= 0x80)
			*p = '?';
	(void)pthread_mutex_lock(&r->lock);
	bool again = strcmp(text, r->warned) == 0;
	(void)strcpy(r->warned, text);
	(void)pthread_mutex_unlock(&r->lock);
	if (!again)
		r->warn(r->data, text);
}

/* own: to the endpoint's origin. */
static int send_request(struct registry *r, const struct endpoint *e, const struct registry_call *c,
			const char *url, bool own, const char *authorization,
			struct http_response *ret, struct csn_error *err)
{
	AUTO(arena_free)
	struct arena arena = { 0 };
	struct http_tls tls = e->tls;
	AUTO(url_done)
	struct url u = { 0 };
	size_t count = 0;
	const char **headers =
		arena_array(&arena, COUNT(c->headers) + e->header_count + 1, sizeof *headers);

	if (!headers)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < COUNT(c->headers) && c->headers[i]; i++)
		headers[count++] = c->headers[i];
	for (size_t i = 0; own && i < e->header_count; i++)
		headers[count++] = e->headers[i];
	if (own && authorization)
		headers[count++] = authorization;
	if (!own) {
		TRY(url_parse(NULL, url, &u, err));
		tls = (struct http_tls){ .no_verify = e->insecure };
		TRY(certificates_find(r->options->cert_dir, u.host, &arena, &tls, err));
	}
	const struct http_request q = {
		.method = c->method,
		.url = url,
		.headers = headers,
		.header_count = count,
		.tls = &tls,
		.no_local = !own && !e->loopback,
		.body = c->body,
		.body_size = c->body_size,
		.body_fd = c->body_fd,
		.sent = c->sent,
		.max_body = c->max_body ? c->max_body : ERROR_BODY_MAX,
		.max_seconds = c->slow ? 0 : SECONDS_MAX,
		.begin = c->begin,
		.receive = c->receive,
		.data = c->data,
	};
	TRY(http_perform(r->http, &q, ret, err));
	pass_warning(r, ret);
	return 0;
}

/* ---- redirects ------------------------------------------------------------------------------- */

static bool is_redirect(const struct registry_call *c, const struct http_response *ret)
{
	static const int codes[] = { 301, 302, 303, 307, 308 };

	if (!ret->location || (strcmp(c->method, "GET") != 0 && strcmp(c->method, "HEAD") != 0))
		return false;
	for (size_t i = 0; i < COUNT(codes); i++)
		if (ret->status == codes[i])
			return true;
	return false;
}

/* May `to` be followed from `from`? */
static int judge_redirect(const struct endpoint *e, const struct url *from, const struct url *to,
			  struct csn_error *err)
{
	if (strcmp(from->scheme, "https") == 0 && strcmp(to->scheme, "http") == 0)
		return fail(err, EPERM, "it redirects from https to http");
	if (host_is_loopback(to->host) && !e->loopback)
		return fail(err, EPERM, "it redirects to this machine: %.100s", to->host);
	return 0;
}

/* Sends to *url, which follows the redirects, until there is an answer that is none. */
static int follow(struct registry *r, const struct endpoint *e, const struct registry_call *c,
		  const char *url, const char *authorization, struct http_response *ret,
		  struct csn_error *err)
{
	AUTO(url_done)
	struct url origin = { 0 };
	AUTO(url_done)
	struct url at = { 0 };

	TRY(url_parse(NULL, e->base, &origin, err));
	TRY(url_parse(NULL, url, &at, err));
	for (int count = 0;; count++) {
		struct url next = { 0 };
		TRY(send_request(r, e, c, at.text, url_same_origin(&origin, &at), authorization,
				 ret, err));
		if (!is_redirect(c, ret))
			return 0;
		if (count == REDIRECTS_MAX)
			return fail(err, ELOOP, "more than %d redirects", REDIRECTS_MAX);
		TRY(url_parse(at.text, ret->location, &next, err));
		int v = judge_redirect(e, &at, &next, err);
		url_done(&at);
		at = next;
		http_response_done(ret);
		TRY(v);
	}
}

/* ---- one try --------------------------------------------------------------------------------- */

static int make_url(const struct endpoint *e, const struct registry_call *c, const char *base,
		    char **ret, struct csn_error *err)
{
	AUTO(url_done)
	struct url u = { 0 };
	auto_mem char *escaped = NULL;
	char *whole = NULL;
	int n;

	if (c->url) {
		TRY(url_parse(base, c->url, &u, err));
		n = asprintf(&whole, "%s%s%s", u.text,
			     !c->query		   ? ""
			     : strchr(u.text, '?') ? "&"
						   : "?",
			     c->query ? c->query : "");
	} else {
		n = asprintf(&whole, "%s%s/%s%s%s%s%s", base, e->api, c->path ? e->repository : "",
			     c->path ? "/" : "", c->path ? c->path : "", c->query ? "?" : "",
			     c->query ? c->query : "");
	}
	if (n < 0)
		return fail(err, ENOMEM, "out of memory");
	escaped = e->space ? url_escape(e->space) : NULL;
	if (e->space && !c->url) {
		char *with = NULL;
		n = escaped ? asprintf(&with, "%s%sns=%s", whole, c->query ? "&" : "?", escaped)
			    : -1;
		free(whole);
		if (n < 0)
			return fail(err, ENOMEM, "out of memory");
		whole = with;
	}
	*ret = whole;
	return 0;
}

/* Sends; after a 401 once more with an answer to its challenge. */
static int authenticated(struct registry *r, const struct endpoint *e,
			 const struct registry_call *c, const char *url, struct http_response *ret,
			 struct csn_error *err)
{
	char *header = auth_header(r, e, c);
	int result;

	for (int round = 0;; round++) {
		result = follow(r, e, c, url, header, ret, err);
		if (result < 0 || ret->status != 401 || round == 2)
			break;
		result = auth_answer(r, e, c, ret, header, err);
		if (result <= 0)
			break;
		if (header)
			explicit_bzero(header, strlen(header));
		free(header);
		header = auth_header(r, e, c);
		http_response_done(ret);
	}
	if (header)
		explicit_bzero(header, strlen(header));
	free(header);
	return result < 0 ? result : 0;
}

/* Which bases to try: https, and http where it is allowed. */
static int find_base(struct registry *r, struct endpoint *e, char bases[2][sizeof e->base])
{
	int count = 0;

	(void)pthread_mutex_lock(&r->lock);
	if (e->base[0]) {
		(void)strcpy(bases[count++], e->base);
	} else {
		bool http = e->insecure || (e->loopback && !e->scheme);
		if (!e->scheme || strcmp(e->scheme, "https") == 0)
			(void)snprintf(bases[count++], sizeof e->base, "https://%.400s", e->host);
		if (http && (!e->scheme || strcmp(e->scheme, "http") == 0))
			(void)snprintf(bases[count++], sizeof e->base, "http://%.400s", e->host);
	}
	(void)pthread_mutex_unlock(&r->lock);
	return count;
}

int registry_try(struct registry *r, struct endpoint *e, const struct registry_call *c,
		 struct http_response *ret, struct csn_error *err)
{
	char bases[2][sizeof e->base];
	int count = find_base(r, e, bases), result = -EINVAL;

	*ret = (struct http_response){ 0 };
	if (count == 0)
		return fail(err, EPERM,
			    "registry %s: plain http is only spoken to loopback and to registries "
			    "that are declared insecure",
			    e->host);
	for (int i = 0; i < count; i++) {
		auto_mem char *url = NULL;
		struct endpoint as = *e;
		(void)strcpy(as.base, bases[i]);
		http_response_done(ret);
		TRY(make_url(&as, c, as.base, &url, err));
		result = authenticated(r, &as, c, url, ret, err);
		/* Nothing there speaks TLS: that is what http is for, if it is allowed at all. */
		if ((result == -EPROTO || result == -ECONNREFUSED || result == -ECONNRESET) &&
		    i + 1 < count)
			continue;
		if (result >= 0) {
			(void)pthread_mutex_lock(&r->lock);
			(void)strcpy(e->base, bases[i]);
			(void)pthread_mutex_unlock(&r->lock);
		}
		break;
	}
	if (result < 0 && strncmp(err->text, "registry ", 9) != 0)
		return within(err, result, "registry %s", e->host);
	return result;
}

int registry_ask(struct registry *r, struct endpoint *e, const struct registry_call *c,
		 struct http_response *ret, struct csn_error *err)
{
	for (int attempt = 1;; attempt++) {
		int result = registry_try(r, e, c, ret, err);
		/* What refuses connections or has no address will hardly change its mind. */
		int tries = result == -ECONNREFUSED || result == -EHOSTUNREACH ? 2 : TRIES;
		if (!registry_may_retry(result, ret) || attempt >= tries)
			return result;
		TRY(registry_pause(r, attempt, result < 0 ? NULL : ret, err));
		http_response_done(ret);
	}
}

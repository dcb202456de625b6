/*
 * Answers to 401: Basic, or a token that the registry's token server gives (the distribution
 * project's "token" and "oauth2" specifications).
 *
 * A header is kept for one endpoint and one set of scopes until shortly before it expires. Threads
 * that need the same one wait for the first, which asks while it holds the lock.
 *
 * The realm is named by the registry, so it is judged: https, or http only from a registry that is
 * itself spoken to by http, on the same host; and nothing local to this machine unless the registry
 * is. Credentials belong to the endpoint's name and go to its realm only.
 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/json.h"
#include "image/challenge.h"
#include "image/registry.h"
#include "image/url.h"

#define TOKEN_MAX     ((size_t)1 << 20)
#define TOKEN_SECONDS 60
#define TOKEN_MARGIN  10
#define CLIENT_ID     "caisson"

struct token {
	struct token *next;
	char *base, *scopes; /* scopes NULL: good for any */
	char *header;
	time_t expires; /* CLOCK_MONOTONIC; 0: never */
};

static time_t now(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static void wipe(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

static void token_free(struct token *t)
{
	free(t->base);
	free(t->scopes);
	wipe(&t->header);
	free(t);
}

void auth_close(struct registry *r)
{
	while (r->tokens) {
		struct token *t = r->tokens;
		r->tokens = t->next;
		token_free(t);
	}
}

/* ---- scopes ---------------------------------------------------------------------------------- */

/* "repository:a/b:pull repository:c:pull"; "" for a call that concerns no repository. */
static void scopes_of(const struct endpoint *e, const struct registry_call *c, char *buf,
		      size_t size)
{
	buf[0] = '\0';
	if (c->actions)
		(void)snprintf(buf, size, "repository:%s:%s%s%s", e->repository, c->actions,
			       c->more_scope ? " " : "", c->more_scope ? c->more_scope : "");
}

static struct token *find_token(struct registry *r, const char *base, const char *scopes)
{
	for (struct token **p = &r->tokens; *p;) {
		struct token *t = *p;
		if (t->expires && t->expires <= now()) {
			*p = t->next;
			token_free(t);
			continue;
		}
		if (strcmp(t->base, base) == 0 && (!t->scopes || strcmp(t->scopes, scopes) == 0))
			return t;
		p = &t->next;
	}
	return NULL;
}

static void drop_token(struct registry *r, const struct token *t)
{
	struct token **p = &r->tokens;

	while (*p && *p != t)
		p = &(*p)->next;
	if (*p) {
		struct token *gone = *p;
		*p = gone->next;
		token_free(gone);
	}
}

/* Takes header over. */
static int keep_token(struct registry *r, const char *base, const char *scopes, char *header,
		      time_t expires, struct csn_error *err)
{
	struct token *t = calloc(1, sizeof *t);

	if (t) {
		t->base = strdup(base);
		t->scopes = scopes ? strdup(scopes) : NULL;
		t->header = header;
		t->expires = expires;
	}
	if (!t || !t->base || (scopes && !t->scopes)) {
		if (t)
			token_free(t);
		else
			wipe(&header);
		return fail(err, ENOMEM, "out of memory");
	}
	t->next = r->tokens;
	r->tokens = t;
	return 0;
}

char *auth_header(struct registry *r, const struct endpoint *e, const struct registry_call *c)
{
	char scopes[2048];

	scopes_of(e, c, scopes, sizeof scopes);
	(void)pthread_mutex_lock(&r->lock);
	struct token *t = find_token(r, e->base, scopes);
	char *header = t ? strdup(t->header) : NULL;
	(void)pthread_mutex_unlock(&r->lock);
	return header;
}

/* ---- credentials ----------------------------------------------------------------------------- */

/* 1: there are some. Those that the user gave are the registry's own, not a mirror's. */
static int get_credentials(struct registry *r, const struct endpoint *e, struct credentials *ret,
			   struct csn_error *err)
{
	const struct image_remote *o = r->options;
	const struct credentials given = { (char *)(uintptr_t)o->username,
					   (char *)(uintptr_t)o->password,
					   (char *)(uintptr_t)o->identity_token };

	*ret = (struct credentials){ 0 };
	if (!e->mirror && (o->username || o->identity_token)) {
		TRY(credentials_copy(&given, ret, err));
		return 1;
	}
	if (o->anonymous)
		return 0;
	return credentials_find(o->authfile, e->name, e->repository, ret, err);
}

static char *basic_header(const struct credentials *c)
{
	AUTO(wipe)
	char *plain = NULL;
	AUTO(wipe)
	char *encoded = NULL;
	char *header;

	int n = asprintf(&plain, "%s:%s", c->username ? c->username : "",
			 c->password ? c->password : "");
	if (n < 0) {
		plain = NULL;
		return NULL;
	}
	encoded = malloc(4 * ((size_t)n + 2) / 3 + 8);
	if (!encoded)
		return NULL;
	(void)EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)plain, n);
	return asprintf(&header, "Authorization: Basic %s", encoded) < 0 ? NULL : header;
}

/* ---- the token server ------------------------------------------------------------------------ */

/* Adds "&name=value", escaped. */
static int add_query(char **text, const char *name, const char *value, struct csn_error *err)
{
	AUTO(wipe)
	char *escaped = url_escape(value);
	char *new;

	if (!escaped || asprintf(&new, "%s%s%s=%s", *text, **text ? "&" : "", name, escaped) < 0)
		return fail(err, ENOMEM, "out of memory");
	wipe(text);
	*text = new;
	return 0;
}

static int judge_realm(const struct endpoint *e, const struct url *realm, struct csn_error *err)
{
	AUTO(url_done)
	struct url base = { 0 };

	TRY(url_parse(NULL, e->base, &base, err));
	if (strcmp(realm->scheme, "http") == 0 &&
	    (strcmp(base.scheme, "http") != 0 || strcasecmp(base.host, realm->host) != 0))
		return fail(err, EPERM, "registry %s: its token server %.100s is not https",
			    e->host, realm->host);
	if (host_is_loopback(realm->host) && !e->loopback)
		return fail(err, EPERM, "registry %s: its token server is on this machine: %.100s",
			    e->host, realm->host);
	return 0;
}

struct token_answer {
	char *token, *access_token;
	uint64_t expires_in;
};

static const struct json_field token_fields[] = {
	{ "token", decode_text, offsetof(struct token_answer, token) },
	{ "access_token", decode_text, offsetof(struct token_answer, access_token) },
	{ "expires_in", decode_u64, offsetof(struct token_answer, expires_in) },
	{ 0 }
};

static int take_token(struct registry *r, const struct endpoint *e, const char *scopes,
		      const struct http_response *answer, struct csn_error *err)
{
	AUTO(arena_wipe)
	struct arena arena = { 0 };
	struct token_answer a = { 0 };
	char *header;

	TRY(json_decode(answer->body ? answer->body : "", answer->body_size,
			"the token server's answer", token_fields, &a, &arena, err));
	const char *token = a.token ? a.token : a.access_token;
	if (!token || strpbrk(token, "\r\n"))
		return fail(err, EINVAL, "the token server's answer: token: missing");
	if (asprintf(&header, "Authorization: Bearer %s", token) < 0)
		return fail(err, ENOMEM, "out of memory");
	uint64_t seconds = a.expires_in ? a.expires_in : TOKEN_SECONDS;
	if (seconds > 86400)
		seconds = 86400;
	seconds -= seconds > 2 * TOKEN_MARGIN ? TOKEN_MARGIN : 0;
	return keep_token(r, e->base, scopes, header, now() + (time_t)seconds, err);
}

struct token_request {
	const struct endpoint *endpoint;
	const struct challenge *challenge;
	const struct credentials *credentials; /* NULL: anonymous */
	const struct url *realm;
	const char *scopes;
	struct http_tls tls;
};

static int add_scopes(char **query, const struct token_request *q, struct csn_error *err)
{
	const char *asked = challenge_param(q->challenge, "scope");
	char one[1024];

	for (const char *p = q->scopes; *p;) {
		size_t size = strcspn(p, " ");
		(void)snprintf(one, sizeof one, "%.*s", (int)size, p);
		TRY(add_query(query, "scope", one, err));
		p += size + (p[size] == ' ');
	}
	/* What the registry asks for beyond that is its business; most often it is the same. */
	if (asked && !strstr(q->scopes, asked))
		TRY(add_query(query, "scope", asked, err));
	return 0;
}

/* GET realm?service=…&scope=…, with Basic if there are credentials. */
static int get_token(struct registry *r, const struct token_request *q, struct http_response *ret,
		     struct csn_error *err)
{
	const char *service = challenge_param(q->challenge, "service");
	AUTO(wipe)
	char *query = strdup("");
	auto_mem char *url = NULL;
	AUTO(wipe)
	char *header = NULL;

	if (!query)
		return fail(err, ENOMEM, "out of memory");
	if (service)
		TRY(add_query(&query, "service", service, err));
	TRY(add_scopes(&query, q, err));
	if (q->credentials) {
		if (q->credentials->username)
			TRY(add_query(&query, "account", q->credentials->username, err));
		TRY(add_query(&query, "client_id", CLIENT_ID, err));
		header = basic_header(q->credentials);
		if (!header)
			return fail(err, ENOMEM, "out of memory");
	}
	if (asprintf(&url, "%s%s%s", q->realm->text, strchr(q->realm->text, '?') ? "&" : "?",
		     query) < 0)
		return fail(err, ENOMEM, "out of memory");
	const char *const headers[] = { header };
	const struct http_request request = {
		.method = "GET",
		.url = url,
		.headers = headers,
		.header_count = header ? 1 : 0,
		.tls = &q->tls,
		.no_local = !q->endpoint->loopback,
		.body_fd = -1,
		.max_body = TOKEN_MAX,
		.max_seconds = 60,
	};
	return http_perform(r->http, &request, ret, err);
}

/* POST with the identity token, as OAuth2 has it. */
static int post_token(struct registry *r, const struct token_request *q, struct http_response *ret,
		      struct csn_error *err)
{
	static const char *const headers[] = { "Content-Type: application/x-www-form-urlencoded" };
	const char *service = challenge_param(q->challenge, "service");
	AUTO(wipe)
	char *form = strdup("grant_type=refresh_token");

	if (!form)
		return fail(err, ENOMEM, "out of memory");
	if (service)
		TRY(add_query(&form, "service", service, err));
	TRY(add_query(&form, "client_id", CLIENT_ID, err));
	if (*q->scopes)
		TRY(add_query(&form, "scope", q->scopes, err));
	TRY(add_query(&form, "refresh_token", q->credentials->identity_token, err));
	const struct http_request request = {
		.method = "POST",
		.url = q->realm->text,
		.headers = headers,
		.header_count = 1,
		.tls = &q->tls,
		.no_local = !q->endpoint->loopback,
		.body = form,
		.body_size = strlen(form),
		.body_fd = -1,
		.max_body = TOKEN_MAX,
		.max_seconds = 60,
	};
	return http_perform(r->http, &request, ret, err);
}

static int ask_token_server(struct registry *r, const struct token_request *q,
			    struct csn_error *err)
{
	bool identity = q->credentials && q->credentials->identity_token;
	AUTO(http_response_done)
	struct http_response answer = { 0 };
	int e = 0;

	for (int attempt = 0; attempt < 4; attempt++) {
		if (attempt > 0)
			TRY(registry_pause(r, attempt, e < 0 ? NULL : &answer, err));
		http_response_done(&answer);
		e = identity ? post_token(r, q, &answer, err) : get_token(r, q, &answer, err);
		if (!registry_may_retry(e, &answer))
			break;
	}
	if (e < 0)
		return within(err, e, "registry %s: its token server %s", q->endpoint->host,
			      q->realm->host);
	if (answer.status == 200)
		return take_token(r, q->endpoint, q->scopes, &answer, err);
	if (answer.status == 401 || answer.status == 403 || answer.status == 400)
		return fail(err, EACCES, "registry %s: its token server %s refuses %s (%d)",
			    q->endpoint->host, q->realm->host,
			    q->credentials ? "the credentials" : "anonymous access", answer.status);
	return fail(err, EIO, "registry %s: its token server %s answered with status %d",
		    q->endpoint->host, q->realm->host, answer.status);
}

static int bearer(struct registry *r, const struct endpoint *e, const struct challenge *ch,
		  const struct credentials *c, const char *scopes, struct csn_error *err)
{
	AUTO(url_done)
	struct url realm = { 0 };
	AUTO(arena_wipe)
	struct arena arena = { 0 };
	struct token_request q = { e, ch, c, &realm, scopes, { 0 } };
	int v = url_parse(NULL, challenge_param(ch, "realm"), &realm, err);

	if (v < 0)
		return within(err, v, "registry %s: its token server", e->host);
	TRY(judge_realm(e, &realm, err));
	TRY(certificates_find(r->options->cert_dir, realm.host, &arena, &q.tls, err));
	if (e->insecure)
		q.tls.no_verify = true;
	/* The same host, perhaps on another port: the same certificates. */
	if (!q.tls.ca_pem && strncmp(e->host, realm.host, strlen(realm.host)) == 0) {
		bool no_verify = q.tls.no_verify;
		q.tls = e->tls;
		q.tls.no_verify |= no_verify;
	}
	return ask_token_server(r, &q, err);
}

/* ---- 401 ------------------------------------------------------------------------------------- */

/* All challenges of the answer, in one list. A header that makes no sense is passed over. */
static size_t all_challenges(const struct http_response *answer, struct arena *arena,
			     struct challenge ret[CHALLENGES_MAX])
{
	size_t count = 0, more;

	for (size_t i = 0; i < answer->challenge_count; i++)
		if (challenge_parse(answer->challenges[i], arena, &ret[count],
				    CHALLENGES_MAX - count, &more, NULL) == 0)
			count += more;
	return count;
}

static const struct challenge *pick(const struct challenge *list, size_t count, const char *scheme)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(list[i].scheme, scheme) == 0 &&
		    (strcmp(scheme, "bearer") != 0 || challenge_param(&list[i], "realm")))
			return &list[i];
	return NULL;
}

static int answer_locked(struct registry *r, const struct endpoint *e, const char *scopes,
			 const struct http_response *unauthorized, struct csn_error *err)
{
	AUTO(arena_wipe)
	struct arena arena = { 0 };
	AUTO(credentials_done)
	struct credentials c = { 0 };
	struct challenge list[CHALLENGES_MAX];
	size_t count = all_challenges(unauthorized, &arena, list);
	const struct challenge *ch = pick(list, count, "bearer");
	int have = get_credentials(r, e, &c, err);

	TRY(have);
	if (ch) {
		TRY(bearer(r, e, ch, have ? &c : NULL, scopes, err));
		return 1;
	}
	if (!pick(list, count, "basic") || !have || !c.username)
		return 0;
	char *header = basic_header(&c);
	if (!header)
		return fail(err, ENOMEM, "out of memory");
	TRY(keep_token(r, e->base, NULL, header, 0, err));
	return 1;
}

int auth_answer(struct registry *r, const struct endpoint *e, const struct registry_call *c,
		const struct http_response *unauthorized, const char *refused,
		struct csn_error *err)
{
	char scopes[2048];
	int result = 1;

	scopes_of(e, c, scopes, sizeof scopes);
	(void)pthread_mutex_lock(&r->lock);
	struct token *t = find_token(r, e->base, scopes);
	/* Another thread may have renewed it meanwhile. */
	if (!t || (refused && strcmp(t->header, refused) == 0)) {
		bool basic = t && !t->scopes;
		if (t)
			drop_token(r, t);
		result = basic ? 0 : answer_locked(r, e, scopes, unauthorized, err);
	}
	(void)pthread_mutex_unlock(&r->lock);
	return result;
}

int auth_check(struct registry *r, struct csn_error *err)
{
	const struct registry_call c = { .method = "GET", .body_fd = -1 };
	struct endpoint *e = &r->endpoints[r->endpoint_count - 1];
	AUTO(http_response_done)
	struct http_response answer = { 0 };

	TRY(registry_ask(r, e, &c, &answer, err));
	if (answer.status == 200)
		return 0;
	if (answer.status == 401 || answer.status == 403)
		return fail(err, EACCES, "registry %s: wrong user name or password", e->host);
	return registry_refused(e, "/v2/", &answer, err);
}

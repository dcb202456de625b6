/*
 * What registries.conf (version 2) and hosts.toml say of one image.
 *
 * registries.conf: the [[registry]] whose prefix is the longest that fits the image's name. Its
 * location replaces the prefix; its mirrors come first, each with the same replacement. Members of
 * both formats that are not known are left alone, as their own programs do; what is known must have
 * the right kind.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "image/endpoint.h"
#include "image/toml.h"
#include "image/url.h"

/* One file while it is read. */
struct reader {
	const char *name; /* of the file */
	const char *dir;
	const struct image_ref *ref;
	struct arena *arena;
	struct endpoint *endpoints;
	size_t count, capacity;
	struct csn_error *err;
};

static int no_memory(struct reader *d)
{
	return fail(d->err, ENOMEM, "out of memory");
}

static int wrong_kind(struct reader *d, const struct toml *v, const char *key, const char *expected)
{
	return fail(d->err, EINVAL, "%s:%d: %s: expected %s", d->name, v->line, key, expected);
}

static int get_text(struct reader *d, const struct toml *table, const char *key, const char **ret)
{
	const struct toml *v = toml_get(table, key);

	*ret = NULL;
	if (!v)
		return 0;
	if (v->kind != TOML_STRING)
		return wrong_kind(d, v, key, "a text");
	*ret = v->string;
	return 0;
}

static int get_bool(struct reader *d, const struct toml *table, const char *key, bool *ret)
{
	const struct toml *v = toml_get(table, key);

	if (!v)
		return 0;
	if (v->kind != TOML_BOOL)
		return wrong_kind(d, v, key, "true or false");
	*ret = v->boolean;
	return 0;
}

static struct endpoint *add_endpoint(struct reader *d)
{
	if (d->count == d->capacity)
		return NULL;
	return &d->endpoints[d->count++];
}

static int reserve(struct reader *d, const struct toml *list)
{
	for (const struct toml *v = list ? list->first : NULL; v; v = v->next)
		d->capacity++;
	d->capacity++; /* and the registry itself */
	d->endpoints = arena_array(d->arena, d->capacity, sizeof *d->endpoints);
	return d->endpoints ? 0 : no_memory(d);
}

/* ---- registries.conf ------------------------------------------------------------------------- */

/* How much of the name the prefix covers; 0: it does not fit. "*.example.com" covers any host below
 * example.com. */
static size_t prefix_fits(const char *prefix, const char *name)
{
	size_t size = strlen(prefix), host = strcspn(name, "/");

	if (strncmp(prefix, "*.", 2) == 0) {
		size_t bare = strcspn(name, ":/"), tail = size - 1;
		return bare > tail && strncmp(name + bare - tail, prefix + 1, tail) == 0 ? host : 0;
	}
	if (size == 0 || strncmp(name, prefix, size) != 0)
		return 0;
	return name[size] == '\0' || strchr("/:@", name[size]) ? size : 0;
}

/* Nothing in it but what a host and a port are made of. */
static bool is_host(const char *text, size_t size)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789.-_:[]";

	return size > 0 && strspn(text, allowed) >= size;
}

/* location + what the prefix did not cover, split into host and repository. */
static int place(struct reader *d, const struct toml *at, const char *location, const char *rest,
		 struct endpoint *e)
{
	char *whole = arena_printf(d->arena, "%s%s", location, rest);
	char *slash = whole ? strchr(whole, '/') : NULL;

	if (!whole)
		return no_memory(d);
	if (strstr(location, "://"))
		return wrong_kind(d, at, "location", "a host without a scheme");
	if (!slash || !slash[1] || !is_host(whole, (size_t)(slash - whole)))
		return wrong_kind(d, at, "location", "a host, perhaps with a path");
	*slash = '\0';
	e->host = e->name = whole;
	e->repository = slash + 1;
	e->api = arena_strdup(d->arena, "/v2");
	if (strcmp(e->host, DOCKER_DOMAIN) == 0)
		e->host = arena_strdup(d->arena, DOCKER_HOST);
	return e->host && e->api ? 0 : no_memory(d);
}

static int mirror_applies(struct reader *d, const struct toml *mirror, bool digest_only, bool *ret)
{
	const char *when;

	TRY(get_text(d, mirror, "pull-from-mirror", &when));
	*ret = true;
	if (!when || !*when || strcmp(when, "all") == 0)
		*ret = !digest_only || d->ref->digest[0];
	else if (strcmp(when, "digest-only") == 0)
		*ret = d->ref->digest[0];
	else if (strcmp(when, "tag-only") == 0)
		*ret = !d->ref->digest[0];
	else
		return wrong_kind(d, toml_get(mirror, "pull-from-mirror"), "pull-from-mirror",
				  "all, digest-only or tag-only");
	return 0;
}

static int add_mirrors(struct reader *d, const struct toml *registry, const char *rest)
{
	const struct toml *mirrors = toml_get(registry, "mirror");
	bool digest_only = false;

	TRY(get_bool(d, registry, "mirror-by-digest-only", &digest_only));
	if (mirrors && mirrors->kind != TOML_ARRAY)
		return wrong_kind(d, mirrors, "mirror", "[[registry.mirror]]");
	for (const struct toml *m = mirrors ? mirrors->first : NULL; m; m = m->next) {
		const char *location;
		bool applies;
		if (m->kind != TOML_TABLE)
			return wrong_kind(d, m, "mirror", "[[registry.mirror]]");
		TRY(mirror_applies(d, m, digest_only, &applies));
		if (!applies)
			continue;
		TRY(get_text(d, m, "location", &location));
		if (!location || !*location)
			return wrong_kind(d, m, "location", "a mirror's host");
		struct endpoint *e = add_endpoint(d);
		if (!e)
			return no_memory(d);
		e->mirror = true;
		TRY(get_bool(d, m, "insecure", &e->insecure));
		TRY(place(d, m, location, rest, e));
	}
	return 0;
}

static int add_registry(struct reader *d, const struct toml *registry, const char *name,
			size_t covered)
{
	const char *location;
	bool blocked = false;

	TRY(get_bool(d, registry, "blocked", &blocked));
	if (blocked)
		return fail(d->err, EPERM, "%s:%d: registry %s is blocked", d->name, registry->line,
			    d->ref->domain);
	TRY(reserve(d, toml_get(registry, "mirror")));
	TRY(add_mirrors(d, registry, name + covered));
	TRY(get_text(d, registry, "location", &location));
	struct endpoint *e = add_endpoint(d);
	if (!e)
		return no_memory(d);
	e->push = true;
	TRY(get_bool(d, registry, "insecure", &e->insecure));
	if (location && *location)
		return place(d, registry, location, name + covered, e);
	return place(d, registry, d->ref->domain, name + strlen(d->ref->domain), e);
}

static int find_registry(struct reader *d, const struct toml *root, const char *name)
{
	const struct toml *list = toml_get(root, "registry"), *best = NULL;
	size_t best_size = 0, best_covered = 0;

	if (list && list->kind != TOML_ARRAY)
		return wrong_kind(d, list, "registry", "[[registry]]");
	for (const struct toml *r = list ? list->first : NULL; r; r = r->next) {
		const char *prefix, *location;
		if (r->kind != TOML_TABLE)
			return wrong_kind(d, r, "registry", "[[registry]]");
		TRY(get_text(d, r, "prefix", &prefix));
		TRY(get_text(d, r, "location", &location));
		if (!prefix || !*prefix)
			prefix = location;
		if (!prefix || !*prefix)
			return wrong_kind(d, r, "prefix", "a prefix or a location");
		size_t covered = prefix_fits(prefix, name);
		if (covered && strlen(prefix) > best_size) {
			best = r;
			best_size = strlen(prefix);
			best_covered = covered;
		}
	}
	return best ? add_registry(d, best, name, best_covered) : 0;
}

int endpoints_from_registries_conf(const char *text, size_t size, const char *name,
				   const struct image_ref *ref, struct arena *arena,
				   struct endpoint **ret, size_t *ret_count, struct csn_error *err)
{
	struct reader d = { .name = name, .ref = ref, .arena = arena, .err = err };
	char image[2 * REF_NAME_MAX + 2];
	struct toml *root;

	TRY(toml_parse(text, size, name, arena, &root, err));
	const struct toml *old = toml_get(root, "registries");
	if (old)
		return fail(err, EINVAL,
			    "%s:%d: [registries…] is version 1 of the format; version 2 "
			    "has [[registry]]",
			    name, old->line);
	(void)snprintf(image, sizeof image, "%s/%s", ref->domain, ref->path);
	TRY(find_registry(&d, root, image));
	*ret = d.endpoints;
	*ret_count = d.count;
	return 0;
}

/* ---- hosts.toml ------------------------------------------------------------------------------ */

/* "…", or ["…", …]: calls fn for each. */
static int each_text(struct reader *d, const struct toml *v, const char *key,
		     int (*fn)(struct reader *d, struct endpoint *e, const char *text),
		     struct endpoint *e)
{
	if (!v)
		return 0;
	if (v->kind == TOML_STRING)
		return fn(d, e, v->string);
	if (v->kind != TOML_ARRAY)
		return wrong_kind(d, v, key, "a text or an array of texts");
	for (const struct toml *i = v->first; i; i = i->next) {
		if (i->kind != TOML_STRING)
			return wrong_kind(d, i, key, "a text or an array of texts");
		TRY(fn(d, e, i->string));
	}
	return 0;
}

static char *beside(struct reader *d, const char *path)
{
	return path[0] == '/' ? arena_strdup(d->arena, path)
			      : arena_printf(d->arena, "%s/%s", d->dir, path);
}

static int add_ca(struct reader *d, struct endpoint *e, const char *path)
{
	auto_mem char *text = NULL;
	char *whole = beside(d, path);
	size_t size;

	if (!whole)
		return no_memory(d);
	TRY(file_read(AT_FDCWD, whole, (size_t)1 << 20, &text, &size, d->err));
	e->tls.ca_pem = arena_printf(d->arena, "%s%s%s", e->tls.ca_pem ? e->tls.ca_pem : "",
				     e->tls.ca_pem ? "\n" : "", text);
	return e->tls.ca_pem ? 0 : no_memory(d);
}

/* client = "both.pem", or [["cert.pem", "key.pem"]] */
static int set_client(struct reader *d, const struct toml *v, struct endpoint *e)
{
	if (v && v->kind == TOML_ARRAY && v->first)
		v = v->first;
	if (!v)
		return 0;
	const struct toml *cert = v->kind == TOML_ARRAY ? v->first : v;
	const struct toml *key = v->kind == TOML_ARRAY && cert ? cert->next : NULL;
	if (!cert || cert->kind != TOML_STRING || (key && key->kind != TOML_STRING))
		return wrong_kind(d, v, "client", "a file, or pairs of files");
	e->tls.client_cert = beside(d, cert->string);
	e->tls.client_key = beside(d, key && *key->string ? key->string : cert->string);
	return e->tls.client_cert && e->tls.client_key ? 0 : no_memory(d);
}

static int set_headers(struct reader *d, const struct toml *v, struct endpoint *e)
{
	size_t capacity = 0;

	if (!v)
		return 0;
	if (v->kind != TOML_TABLE)
		return wrong_kind(d, v, "header", "a table");
	for (const struct toml *h = v->first; h; h = h->next)
		capacity++;
	e->headers = arena_array(d->arena, capacity + 1, sizeof *e->headers);
	if (!e->headers)
		return no_memory(d);
	for (const struct toml *h = v->first; h; h = h->next) {
		const struct toml *value = h->kind == TOML_ARRAY ? h->first : h;
		if (!value || value->kind != TOML_STRING || strpbrk(value->string, "\r\n") ||
		    strpbrk(h->key, "\r\n: "))
			return wrong_kind(d, h, h->key, "a text on one line");
		e->headers[e->header_count] =
			arena_printf(d->arena, "%s: %s", h->key, value->string);
		if (!e->headers[e->header_count++])
			return no_memory(d);
	}
	return 0;
}

struct capabilities {
	bool given, pull, resolve, push;
};

static int get_capabilities(struct reader *d, const struct toml *table, struct capabilities *ret)
{
	const struct toml *v = toml_get(table, "capabilities");

	*ret = (struct capabilities){ false, true, true, true };
	if (!v)
		return 0;
	*ret = (struct capabilities){ .given = true };
	for (const struct toml *i = v->first; i; i = i->next) {
		if (i->kind != TOML_STRING)
			return wrong_kind(d, v, "capabilities", "an array of texts");
		ret->pull |= strcmp(i->string, "pull") == 0;
		ret->resolve |= strcmp(i->string, "resolve") == 0;
		ret->push |= strcmp(i->string, "push") == 0;
	}
	return 0;
}

/* "https://host[:port][/path]"; a host alone is https. */
static int place_url(struct reader *d, const struct toml *at, const char *text, bool override,
		     struct endpoint *e)
{
	char *whole = strstr(text, "://") ? arena_strdup(d->arena, text)
					  : arena_printf(d->arena, "https://%s", text);
	AUTO(url_done)
	struct url u = { 0 };
	struct csn_error why;

	if (!whole)
		return no_memory(d);
	if (url_parse(NULL, whole, &u, &why) < 0)
		return wrong_kind(d, at, "host", "an http or https URL");
	char *host = strstr(whole, "://") + 3;
	char *path = strchr(host, '/');
	/* What is cut out here must be the host that the URL's parser sees. */
	if (!is_host(host, strcspn(host, "/")) || strpbrk(host, "?#") ||
	    strncasecmp(host, u.host, strlen(u.host)) != 0)
		return wrong_kind(d, at, "host", "an http or https URL");
	e->scheme = arena_strdup(d->arena, u.scheme);
	if (path) {
		*path++ = '\0';
		while (*path && path[strlen(path) - 1] == '/')
			path[strlen(path) - 1] = '\0';
	}
	e->host = host;
	e->api = arena_printf(d->arena, "%s%s%s", path && *path ? "/" : "", path ? path : "",
			      override ? "" : "/v2");
	e->repository = arena_strdup(d->arena, d->ref->path);
	e->name = arena_strdup(d->arena, strcmp(host, DOCKER_HOST) == 0 ? DOCKER_DOMAIN : host);
	return e->scheme && e->api && e->repository && e->name ? 0 : no_memory(d);
}

static int add_host(struct reader *d, const struct toml *table, const struct toml *at,
		    const char *url, bool mirror)
{
	struct capabilities can;
	bool override = false;
	struct endpoint e = { .mirror = mirror };

	TRY(get_capabilities(d, table, &can));
	/* A host that may not resolve tags is of no use without a digest. */
	if (mirror && (!can.pull || (!can.resolve && !d->ref->digest[0])))
		return 0;
	TRY(get_bool(d, table, "override_path", &override));
	TRY(get_bool(d, table, "skip_verify", &e.tls.no_verify));
	TRY(place_url(d, at, url, override, &e));
	TRY(each_text(d, toml_get(table, "ca"), "ca", add_ca, &e));
	TRY(set_client(d, toml_get(table, "client"), &e));
	TRY(set_headers(d, toml_get(table, "header"), &e));
	e.push = can.push && (!mirror || can.given);
	/* By http because the file says so. */
	e.insecure = strcmp(e.scheme, "http") == 0;
	if (mirror && strcmp(e.name, d->ref->domain) != 0)
		e.space = arena_strdup(d->arena, d->ref->domain);
	struct endpoint *new = add_endpoint(d);
	if (!new)
		return no_memory(d);
	*new = e;
	return 0;
}

int endpoints_from_hosts_toml(const char *text, size_t size, const char *name, const char *dir,
			      const struct image_ref *ref, struct arena *arena,
			      struct endpoint **ret, size_t *ret_count, struct csn_error *err)
{
	struct reader d = { .name = name, .dir = dir, .ref = ref, .arena = arena, .err = err };
	struct toml *root;
	const char *server;

	TRY(toml_parse(text, size, name, arena, &root, err));
	const struct toml *hosts = toml_get(root, "host");
	if (hosts && hosts->kind != TOML_TABLE)
		return wrong_kind(&d, hosts, "host", "[host.\"URL\"]");
	TRY(reserve(&d, hosts));
	for (const struct toml *h = hosts ? hosts->first : NULL; h; h = h->next) {
		if (h->kind != TOML_TABLE)
			return wrong_kind(&d, h, "host", "[host.\"URL\"]");
		TRY(add_host(&d, h, h, h->key, true));
	}
	TRY(get_text(&d, root, "server", &server));
	bool own = !server;
	if (own)
		server = strcmp(ref->domain, DOCKER_DOMAIN) == 0 ? DOCKER_HOST : ref->domain;
	TRY(add_host(&d, root, root, server, false));
	if (own) /* the default's rules: http is tried on loopback */
		d.endpoints[d.count - 1].scheme = NULL;
	*ret = d.endpoints;
	*ret_count = d.count;
	return 0;
}

/*
 * Endpoints by default, and which of the configuration files counts.
 *
 * registries.conf is looked for as containers-registries.conf(5) says: $CONTAINERS_REGISTRIES_CONF,
 * else ~/.config/containers/registries.conf, else /etc/containers/registries.conf, and then the
 * drop-ins beside it. The files are read as one text would be: a [[registry]] of a later file comes
 * after those of earlier ones. When it says nothing of a registry,
 * /etc/containerd/certs.d/HOST/hosts.toml (or _default/hosts.toml) may.
 *
 * Certificates: HOST's directory below /etc/containers/certs.d and /etc/docker/certs.d.
 */
#include "image/endpoint.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "image/url.h"

#define CONFIG_MAX ((size_t)1 << 20)

static int no_memory(struct csn_error *err)
{
	return fail(err, ENOMEM, "out of memory");
}

/* ---- certificates ---------------------------------------------------------------------------- */

static bool ends_with(const char *text, const char *end)
{
	size_t n = strlen(text), m = strlen(end);

	return n > m && strcmp(text + n - m, end) == 0;
}

static int add_ca(const char *path, struct arena *arena, struct http_tls *tls,
		  struct csn_error *err)
{
	auto_mem char *text = NULL;
	size_t size;

	TRY(file_read(AT_FDCWD, path, CONFIG_MAX, &text, &size, err));
	tls->ca_pem = arena_printf(arena, "%s%s%s", tls->ca_pem ? tls->ca_pem : "",
				   tls->ca_pem ? "\n" : "", text);
	return tls->ca_pem ? 0 : no_memory(err);
}

static int add_client(const char *path, struct arena *arena, struct http_tls *tls,
		      struct csn_error *err)
{
	char *cert = arena_strdup(arena, path);
	char *key = arena_printf(arena, "%.*s.key", (int)(strlen(path) - strlen(".cert")), path);

	if (!cert || !key)
		return no_memory(err);
	if (access(key, R_OK) < 0)
		return fail_errno(err, "%s", key);
	tls->client_cert = cert;
	tls->client_key = key;
	return 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_certificates(const char *dir, struct arena *arena, struct http_tls *tls,
			     struct csn_error *err)
{
	struct dirent **entries;
	int count = scandir(dir, &entries, NULL, by_name), r = 0;

	if (count < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : fail_errno(err, "%s", dir);
	for (int i = 0; i < count; i++) {
		const char *name = entries[i]->d_name;
		char *path = arena_printf(arena, "%s/%s", dir, name);
		if (!path)
			r = no_memory(err);
		else if (r == 0 && ends_with(name, ".crt"))
			r = add_ca(path, arena, tls, err);
		else if (r == 0 && ends_with(name, ".cert") && !tls->client_cert)
			r = add_client(path, arena, tls, err);
		free(entries[i]);
	}
	free(entries);
	return r;
}

int certificates_find(const char *cert_dir, const char *host, struct arena *arena,
		      struct http_tls *ret, struct csn_error *err)
{
	static const char *const parents[] = { "/etc/docker/certs.d", "/etc/containers/certs.d" };

	if (cert_dir)
		return read_certificates(cert_dir, arena, ret, err);
	for (size_t i = 0; i < COUNT(parents); i++) {
		char *dir = arena_printf(arena, "%s/%s", parents[i], host);
		if (!dir)
			return no_memory(err);
		TRY(read_certificates(dir, arena, ret, err));
	}
	return 0;
}

/* ---- configuration files --------------------------------------------------------------------- */

static int append_file(const char *path, char **text, struct arena *arena, struct csn_error *err)
{
	auto_mem char *more = NULL;
	size_t size;
	int r = file_read(AT_FDCWD, path, CONFIG_MAX, &more, &size, err);

	if (r == -ENOENT)
		return 0;
	TRY(r);
	*text = arena_strdup(arena, more);
	return *text ? 1 : no_memory(err);
}

static int is_conf(const struct dirent *e)
{
	return ends_with(e->d_name, ".conf");
}

/* Files that may have something to say, the most important last. */
struct config_files {
	char *paths[64];
	size_t count;
};

static void add_path(struct config_files *f, char *path)
{
	if (path && f->count < COUNT(f->paths))
		f->paths[f->count++] = path;
}

static void add_drop_ins(struct config_files *f, const char *dir, struct arena *arena)
{
	struct dirent **entries;
	int count = scandir(dir, &entries, is_conf, by_name);

	for (int i = 0; i < count; i++) {
		add_path(f, arena_printf(arena, "%s/%s", dir, entries[i]->d_name));
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

static void list_files(struct config_files *f, struct arena *arena)
{
	const char *given = getenv("CONTAINERS_REGISTRIES_CONF"), *home = getenv("HOME");
	char *own =
		home ? arena_printf(arena, "%s/.config/containers/registries.conf", home) : NULL;

	if (given && *given) {
		add_path(f, arena_strdup(arena, given));
		return;
	}
	if (own && access(own, F_OK) == 0)
		add_path(f, own);
	else
		add_path(f, arena_strdup(arena, "/etc/containers/registries.conf"));
	add_drop_ins(f, "/etc/containers/registries.conf.d", arena);
	if (own)
		add_drop_ins(f, arena_printf(arena, "%s.d", own), arena);
}

/* A later file's entry wins over an earlier one's. */
static int from_registries_conf(const struct image_ref *ref, struct arena *arena,
				struct endpoint **ret, size_t *ret_count, struct csn_error *err)
{
	struct config_files files = { 0 };

	list_files(&files, arena);
	for (size_t i = files.count; i-- > 0 && *ret_count == 0;) {
		char *text = NULL;
		int r = append_file(files.paths[i], &text, arena, err);
		TRY(r);
		if (r > 0)
			TRY(endpoints_from_registries_conf(text, strlen(text), files.paths[i], ref,
							   arena, ret, ret_count, err));
	}
	return 0;
}

static int from_hosts_toml(const struct image_ref *ref, struct arena *arena, struct endpoint **ret,
			   size_t *ret_count, struct csn_error *err)
{
	const char *const names[] = { ref->domain, "_default" };

	for (size_t i = 0; i < COUNT(names) && *ret_count == 0; i++) {
		char *dir = arena_printf(arena, "/etc/containerd/certs.d/%s", names[i]);
		char *path = arena_printf(arena, "%s/hosts.toml", dir ? dir : "");
		char *text = NULL;
		if (!dir || !path)
			return no_memory(err);
		int r = append_file(path, &text, arena, err);
		TRY(r);
		if (r > 0)
			TRY(endpoints_from_hosts_toml(text, strlen(text), path, dir, ref, arena,
						      ret, ret_count, err));
	}
	return 0;
}

/* ---- all ------------------------------------------------------------------------------------- */

static int default_endpoint(const struct image_ref *ref, struct arena *arena, struct endpoint **ret,
			    size_t *ret_count, struct csn_error *err)
{
	struct endpoint *e = arena_alloc(arena, sizeof *e);

	if (!e)
		return no_memory(err);
	bool docker = strcmp(ref->domain, DOCKER_DOMAIN) == 0;
	e->host = arena_strdup(arena, docker ? DOCKER_HOST : ref->domain);
	e->api = arena_strdup(arena, "/v2");
	e->repository = arena_strdup(arena, ref->path);
	e->name = arena_strdup(arena, ref->domain);
	e->push = true;
	if (!e->host || !e->api || !e->repository || !e->name)
		return no_memory(err);
	*ret = e;
	*ret_count = 1;
	return 0;
}

int endpoints_find(const struct endpoint_options *o, const struct image_ref *ref,
		   struct arena *arena, struct endpoint **ret, size_t *ret_count,
		   struct csn_error *err)
{
	*ret_count = 0;
	TRY(from_registries_conf(ref, arena, ret, ret_count, err));
	if (*ret_count == 0)
		TRY(from_hosts_toml(ref, arena, ret, ret_count, err));
	if (*ret_count == 0)
		TRY(default_endpoint(ref, arena, ret, ret_count, err));

	for (size_t i = 0; i < *ret_count; i++) {
		struct endpoint *e = &(*ret)[i];
		e->loopback = host_is_loopback(e->host);
		if (o->insecure && !e->mirror)
			e->insecure = true;
		if (o->secure)
			e->insecure = false;
		TRY(certificates_find(o->cert_dir, e->host, arena, &e->tls, err));
		if (strcmp(e->name, e->host) != 0 && !o->cert_dir)
			TRY(certificates_find(NULL, e->name, arena, &e->tls, err));
		e->tls.no_verify |= e->insecure;
	}
	return 0;
}

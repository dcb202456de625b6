/*
 * Reading and writing the files of credentials.
 *
 * In a file, the helper that "credHelpers" names for a registry comes first; then the entry of
 * "auths" that fits best; then "credsStore". Keys of "auths" are hosts, hosts with a path (the
 * longest that fits wins) or URLs of old; docker.io goes by several names.
 *
 * Writing replaces one member and keeps the text of all others.
 */
#include "image/authfile.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "image/jsontext.h"

#define FILE_MAX   ((size_t)4 << 20)
#define DOCKER_KEY "https://index.docker.io/v1/"

struct auth_entry {
	char *auth, *username, *password, *identity_token;
};

struct auth_item {
	char *key;
	struct auth_entry entry;
};

struct auth_file {
	struct {
		struct auth_item *items;
		size_t count;
	} auths;
	struct {
		struct {
			char *key, *value;
		} * items;
		size_t count;
		bool set;
	} helpers;
	char *store;
};

/* ---- small ----------------------------------------------------------------------------------- */

static void wipe(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

void credentials_done(struct credentials *c)
{
	wipe(&c->username);
	wipe(&c->password);
	wipe(&c->identity_token);
}

int credentials_copy(const struct credentials *from, struct credentials *ret, struct csn_error *err)
{
	*ret = (struct credentials){
		from->username ? strdup(from->username) : NULL,
		from->password ? strdup(from->password) : NULL,
		from->identity_token ? strdup(from->identity_token) : NULL,
	};
	if ((from->username && !ret->username) || (from->password && !ret->password) ||
	    (from->identity_token && !ret->identity_token)) {
		credentials_done(ret);
		return fail(err, ENOMEM, "out of memory");
	}
	return 0;
}

static bool is_docker(const char *registry)
{
	return strcmp(registry, "docker.io") == 0;
}

/* ---- reading --------------------------------------------------------------------------------- */

static const struct json_field entry_fields[] = {
	{ "auth", decode_text, offsetof(struct auth_entry, auth) },
	{ "username", decode_text, offsetof(struct auth_entry, username) },
	{ "password", decode_text, offsetof(struct auth_entry, password) },
	{ "identitytoken", decode_text, offsetof(struct auth_entry, identity_token) },
	{ 0 }
};

struct collect {
	struct json_decoder *decoder;
	struct auth_file *file;
};

static int collect_entry(void *data, const char *key, const struct json_node *v)
{
	struct collect *c = data;
	static const struct json_field row = { "", decode_object, 0, entry_fields };
	struct auth_item *item = &c->file->auths.items[c->file->auths.count++];

	item->key = arena_strdup(c->decoder->arena, key);
	if (!item->key)
		return json_out_of_memory(c->decoder);
	return json_decode_member(c->decoder, key, v, &row, &item->entry);
}

static int decode_auths(struct json_decoder *d, const struct json_node *v,
			const struct json_field *f, void *out)
{
	struct collect c = { d, (struct auth_file *)((char *)out - f->offset) };

	if (!node_is_object(v))
		return json_expected(d, "an object");
	c.file->auths.items =
		arena_array(d->arena, node_members(v) + 1, sizeof *c.file->auths.items);
	if (!c.file->auths.items)
		return json_out_of_memory(d);
	return node_each_member(v, collect_entry, &c);
}

static const struct json_field file_fields[] = {
	{ "auths", decode_auths, offsetof(struct auth_file, auths) },
	{ "credHelpers", decode_map, offsetof(struct auth_file, helpers) },
	{ "credsStore", decode_text, offsetof(struct auth_file, store) },
	{ 0 }
};

/* "user:password" in base64. */
static int split_auth(const char *name, const struct auth_item *item, struct credentials *ret,
		      struct csn_error *err)
{
	const char *text = item->entry.auth;
	size_t size = strlen(text);
	auto_mem char *plain = calloc(1, size + 4);

	if (!plain)
		return fail(err, ENOMEM, "out of memory");
	int n = size % 4 ? -1
			 : EVP_DecodeBlock((unsigned char *)plain, (const unsigned char *)text,
					   (int)size);
	/* The padding decodes to NULs. */
	char *colon = n < 0 ? NULL : strchr(plain, ':');
	if (!colon)
		return fail(err, EINVAL, "%s: auths.%.100s.auth: expected user:password in base64",
			    name, item->key);
	ret->username = strndup(plain, (size_t)(colon - plain));
	ret->password = strdup(colon + 1);
	explicit_bzero(plain, size);
	return ret->username && ret->password ? 0 : fail(err, ENOMEM, "out of memory");
}

static int take_entry(const char *name, const struct auth_item *item, struct credentials *ret,
		      struct csn_error *err)
{
	const struct auth_entry *e = &item->entry;
	const struct credentials plain = { e->username, e->password, NULL };

	if (e->auth)
		TRY(split_auth(name, item, ret, err));
	else
		TRY(credentials_copy(&plain, ret, err));
	if (e->identity_token) {
		ret->identity_token = strdup(e->identity_token);
		if (!ret->identity_token)
			return fail(err, ENOMEM, "out of memory");
	}
	return 1;
}

/* The key of an entry as host[/path]: "https://index.docker.io/v1/" is docker.io. */
static void plain_key(const char *key, char *buf, size_t size)
{
	static const char *const aliases[] = { "index.docker.io", "registry-1.docker.io" };
	const char *scheme = strstr(key, "://");
	char *slash;

	(void)snprintf(buf, size, "%s", scheme ? scheme + 3 : key);
	slash = strchr(buf, '/');
	if (slash && (scheme || strcmp(slash, "/") == 0 || strcmp(slash, "/v1/") == 0 ||
		      strcmp(slash, "/v2/") == 0))
		*slash = '\0';
	for (size_t i = 0; i < COUNT(aliases); i++)
		if (strcmp(buf, aliases[i]) == 0)
			(void)snprintf(buf, size, "docker.io");
}

static const struct auth_item *best_entry(const struct auth_file *f, const char *registry,
					  const char *repository)
{
	const struct auth_item *best = NULL;
	size_t best_size = 0;
	char whole[1024], key[1024];

	(void)snprintf(whole, sizeof whole, "%s/%s", registry, repository);
	for (size_t i = 0; i < f->auths.count; i++) {
		const struct auth_entry *e = &f->auths.items[i].entry;
		plain_key(f->auths.items[i].key, key, sizeof key);
		size_t size = strlen(key);
		if ((!e->auth && !e->username && !e->identity_token) || size <= best_size ||
		    strncmp(whole, key, size) != 0 || (whole[size] && whole[size] != '/') ||
		    size < strlen(registry))
			continue;
		best = &f->auths.items[i];
		best_size = size;
	}
	return best;
}

static const char *helper_for(const struct auth_file *f, const char *registry)
{
	char key[1024];

	for (size_t i = 0; i < f->helpers.count; i++) {
		plain_key(f->helpers.items[i].key, key, sizeof key);
		if (strcmp(key, registry) == 0)
			return f->helpers.items[i].value;
	}
	return NULL;
}

struct helper_answer {
	char *username, *secret;
};

static const struct json_field helper_fields[] = {
	{ "Username", decode_text, offsetof(struct helper_answer, username) },
	{ "Secret", decode_text, offsetof(struct helper_answer, secret) },
	{ 0 }
};

static int ask_helper(const char *helper, const char *registry, struct credentials *ret,
		      struct csn_error *err)
{
	AUTO(arena_wipe)
	struct arena arena = { 0 };
	struct helper_answer a = { 0 };
	AUTO(wipe)
	char *text = NULL;
	int r = helper_run(helper, "get", is_docker(registry) ? DOCKER_KEY : registry, &text, err);

	if (r == -ENOENT)
		return 0;
	TRY(r);
	TRY(json_decode(text, strlen(text), "the answer of the credential helper", helper_fields,
			&a, &arena, err));
	if (!a.secret)
		return 0;
	/* By convention this user means that the secret is an identity token. */
	bool token = a.username && strcmp(a.username, "<token>") == 0;
	const struct credentials c = { token ? NULL : a.username, token ? NULL : a.secret,
				       token ? a.secret : NULL };
	TRY(credentials_copy(&c, ret, err));
	return 1;
}

static int find_in(const struct auth_file *f, const char *name, const char *registry,
		   const char *repository, struct credentials *ret, struct csn_error *err)
{
	const char *helper = helper_for(f, registry);
	const struct auth_item *item = best_entry(f, registry, repository);

	if (helper) {
		int r = ask_helper(helper, registry, ret, err);
		if (r != 0)
			return r;
	}
	if (item)
		return take_entry(name, item, ret, err);
	return f->store && !helper ? ask_helper(f->store, registry, ret, err) : 0;
}

int credentials_from_text(const char *text, size_t size, const char *name, const char *registry,
			  const char *repository, struct credentials *ret, struct csn_error *err)
{
	AUTO(arena_wipe)
	struct arena arena = { 0 };
	struct auth_file f = { 0 };

	*ret = (struct credentials){ 0 };
	TRY(json_decode(text, size, name, file_fields, &f, &arena, err));
	int r = find_in(&f, name, registry, repository, ret, err);
	if (r <= 0)
		credentials_done(ret);
	return r;
}

static int find_in_file(const char *path, const char *registry, const char *repository,
			struct credentials *ret, struct csn_error *err)
{
	AUTO(wipe)
	char *text = NULL;
	size_t size;
	int r = file_read(AT_FDCWD, path, FILE_MAX, &text, &size, err);

	if (r == -ENOENT || r == -ENOTDIR)
		return 0;
	TRY(r);
	if (size == 0)
		return 0;
	return credentials_from_text(text, size, path, registry, repository, ret, err);
}

/* ---- where ----------------------------------------------------------------------------------- */

static const struct {
	const char *variable; /* a directory; NULL: it starts at the root */
	const char *path;
} places[] = {
	{ "XDG_RUNTIME_DIR", "containers/auth.json" },
	{ NULL, "/run/containers/0/auth.json" },
	{ "XDG_CONFIG_HOME", "containers/auth.json" },
	{ "HOME", ".config/containers/auth.json" },
	{ "DOCKER_CONFIG", "config.json" },
	{ "HOME", ".docker/config.json" },
};

static const char *set_variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

int credentials_find(const char *file, const char *registry, const char *repository,
		     struct credentials *ret, struct csn_error *err)
{
	char path[4200];

	*ret = (struct credentials){ 0 };
	if (!file)
		file = set_variable("REGISTRY_AUTH_FILE");
	if (file)
		return find_in_file(file, registry, repository, ret, err);
	for (size_t i = 0; i < COUNT(places); i++) {
		const char *dir = places[i].variable ? set_variable(places[i].variable) : "";
		if (!dir ||
		    (size_t)snprintf(path, sizeof path, "%.4000s%s%s", dir,
				     places[i].variable ? "/" : "", places[i].path) >= sizeof path)
			continue;
		int r = find_in_file(path, registry, repository, ret, err);
		if (r != 0)
			return r;
	}
	return 0;
}

static int writable_path(const char *file, char *buf, size_t size, struct csn_error *err)
{
	const char *dir = set_variable("DOCKER_CONFIG"), *home = set_variable("HOME");
	int n;

	if (!file)
		file = set_variable("REGISTRY_AUTH_FILE");
	if (file)
		n = snprintf(buf, size, "%s", file);
	else if (dir)
		n = snprintf(buf, size, "%s/config.json", dir);
	else if (home)
		n = snprintf(buf, size, "%s/.docker/config.json", home);
	else
		return fail(err, ENOENT, "no file for credentials: HOME is not set");
	return (size_t)n < size ? 0 : fail(err, ENAMETOOLONG, "the path of the auth file");
}

/* ---- writing --------------------------------------------------------------------------------- */

/* The file as it is, or an empty object. */
static int read_for_edit(const char *path, struct auth_file *f, struct arena *arena, char **ret,
			 struct csn_error *err)
{
	size_t size;
	int r = file_read(AT_FDCWD, path, FILE_MAX, ret, &size, err);

	if (r == -ENOENT || (r == 0 && size == 0)) {
		free(*ret);
		*ret = strdup("{}");
		return *ret ? 0 : fail(err, ENOMEM, "out of memory");
	}
	TRY(r);
	return json_decode(*ret, size, path, file_fields, f, arena, err);
}

static int write_file(const char *path, const char *text, struct csn_error *err)
{
	auto_mem char *dir = strdup(path);
	char *slash = dir ? strrchr(dir, '/') : NULL;

	if (!dir)
		return fail(err, ENOMEM, "out of memory");
	if (slash)
		*slash = '\0';
	if (slash && *dir)
		TRY(make_dirs(dir, 0700, err));
	auto_fd fd = open(slash ? (*dir ? dir : "/") : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(err, "open %s", dir);
	return file_write_atomic(fd, slash ? slash + 1 : path, text, strlen(text), 0600, true, err);
}

/* The text of "auths" with one key set (value: JSON) or taken out (NULL), and of the whole. */
static int set_auth(const char *text, const char *key, const char *value, char **ret,
		    struct csn_error *err)
{
	AUTO(wipe)
	char *old = NULL;
	AUTO(wipe)
	char *auths = NULL;
	size_t start, size;

	if (json_member_text(text, strlen(text), "auths", &start, &size))
		old = strndup(text + start, size);
	else
		old = strdup("{}");
	if (!old)
		return fail(err, ENOMEM, "out of memory");
	TRY(json_member_set(old, strlen(old), key, value, &auths, err));
	return json_member_set(text, strlen(text), "auths", auths, ret, err);
}

static int entry_text(const struct credentials *c, char **ret, struct csn_error *err)
{
	AUTO(json_out_done)
	struct json_out o = JSON_OUT_COMPACT;
	size_t size = strlen(c->username) + strlen(c->password) + 2;
	AUTO(wipe)
	char *plain = malloc(size);
	AUTO(wipe)
	char *encoded = malloc(4 * ((size + 2) / 3) + 1);

	if (!plain || !encoded)
		return fail(err, ENOMEM, "out of memory");
	int n = snprintf(plain, size, "%s:%s", c->username, c->password);
	(void)EVP_EncodeBlock((unsigned char *)encoded, (const unsigned char *)plain, n);
	json_open_object(&o, NULL);
	json_put_string(&o, "auth", encoded);
	if (c->identity_token)
		json_put_string(&o, "identitytoken", c->identity_token);
	json_close_object(&o);
	return json_out_take(&o, ret, err);
}

static int store_with_helper(const char *helper, const char *registry, const struct credentials *c,
			     char **ret_where, struct csn_error *err)
{
	AUTO(json_out_done)
	struct json_out o = JSON_OUT_COMPACT;
	AUTO(wipe)
	char *input = NULL;
	AUTO(wipe)
	char *output = NULL;

	json_open_object(&o, NULL);
	json_put_string(&o, "ServerURL", is_docker(registry) ? DOCKER_KEY : registry);
	json_put_string(&o, "Username", c->username);
	json_put_string(&o, "Secret", c->password);
	json_close_object(&o);
	TRY(json_out_take(&o, &input, err));
	TRY(helper_run(helper, "store", input, &output, err));
	if (asprintf(ret_where, "docker-credential-%s", helper) < 0)
		return fail(err, ENOMEM, "out of memory");
	return 0;
}

int credentials_store(const char *file, const char *registry, const struct credentials *c,
		      char **ret_where, struct csn_error *err)
{
	AUTO(arena_wipe)
	struct arena arena = { 0 };
	struct auth_file f = { 0 };
	AUTO(wipe)
	char *text = NULL;
	AUTO(wipe)
	char *entry = NULL;
	AUTO(wipe)
	char *new = NULL;
	char path[4200];

	TRY(writable_path(file, path, sizeof path, err));
	TRY(read_for_edit(path, &f, &arena, &text, err));
	const char *helper = helper_for(&f, registry);
	if (!helper)
		helper = f.store;
	if (helper)
		return store_with_helper(helper, registry, c, ret_where, err);
	TRY(entry_text(c, &entry, err));
	TRY(set_auth(text, is_docker(registry) ? DOCKER_KEY : registry, entry, &new, err));
	TRY(write_file(path, new, err));
	*ret_where = strdup(path);
	return *ret_where ? 0 : fail(err, ENOMEM, "out of memory");
}

/* Takes out every key that means this registry. */
static int erase_keys(const struct auth_file *f, const char *registry, char **text, bool *ret_any,
		      struct csn_error *err)
{
	char key[1024];

	for (size_t i = 0; i < f->auths.count; i++) {
		char *new = NULL;
		plain_key(f->auths.items[i].key, key, sizeof key);
		if (strcmp(key, registry) != 0)
			continue;
		TRY(set_auth(*text, f->auths.items[i].key, NULL, &new, err));
		wipe(text);
		*text = new;
		*ret_any = true;
	}
	return 0;
}

int credentials_erase(const char *file, const char *registry, char **ret_where,
		      struct csn_error *err)
{
	AUTO(arena_wipe)
	struct arena arena = { 0 };
	struct auth_file f = { 0 };
	AUTO(wipe)
	char *text = NULL;
	AUTO(wipe)
	char *output = NULL;
	char path[4200];
	bool any = false;

	TRY(writable_path(file, path, sizeof path, err));
	TRY(read_for_edit(path, &f, &arena, &text, err));
	const char *helper = helper_for(&f, registry);
	if (!helper)
		helper = f.store;
	if (helper) {
		TRY(helper_run(helper, "erase", is_docker(registry) ? DOCKER_KEY : registry,
			       &output, err));
		if (asprintf(ret_where, "docker-credential-%s", helper) < 0)
			return fail(err, ENOMEM, "out of memory");
		return 0;
	}
	TRY(erase_keys(&f, registry, &text, &any, err));
	if (!any)
		return fail(err, ENOENT, "%s: has no credentials for %s", path, registry);
	TRY(write_file(path, text, err));
	*ret_where = strdup(path);
	return *ret_where ? 0 : fail(err, ENOMEM, "out of memory");
}

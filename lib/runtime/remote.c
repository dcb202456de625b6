/*
 * Images and registries: pull, push, login, logout. caisson-image does the work; this brings it the
 * words, the secrets (in a file that exists in memory only: arguments can be read by everybody),
 * and what it needs of the caller's environment.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/sized.h"
#include "caisson-registry.h"
#include "runtime/runtime.h"

#define ARGS_MAX 24

/* ---- policies -------------------------------------------------------------------------------- */

static const char *const policies[] = {
	[CSN_PULL_IF_NOT_PRESENT] = "if-not-present",
	[CSN_PULL_ALWAYS] = "always",
	[CSN_PULL_NEWER] = "newer",
	[CSN_PULL_NEVER] = "never",
};

int csn_pull_policy_parse(const char *text, enum csn_pull_policy *ret, struct csn_error *err)
{
	for (size_t i = 0; i < COUNT(policies); i++)
		if (strcmp(policies[i], text) == 0) {
			*ret = (enum csn_pull_policy)i;
			return 0;
		}
	return fail(err, EINVAL,
		    "pull policy \"%.100s\": expected always, newer, if-not-present or never",
		    text);
}

/* ---- the environment ------------------------------------------------------------------------- */

/* Proxies, certificates, and where credentials and registries are configured. */
static const char *const passed[] = {
	"http_proxy",
	"HTTP_PROXY",
	"https_proxy",
	"HTTPS_PROXY",
	"all_proxy",
	"ALL_PROXY",
	"no_proxy",
	"NO_PROXY",
	"SSL_CERT_FILE",
	"SSL_CERT_DIR",
	"HOME",
	"XDG_RUNTIME_DIR",
	"XDG_CONFIG_HOME",
	"DOCKER_CONFIG",
	"REGISTRY_AUTH_FILE",
	"CONTAINERS_REGISTRIES_CONF",
	"DBUS_SESSION_BUS_ADDRESS",
	"GNUPGHOME",
	"PASSWORD_STORE_DIR",
};

int remote_environment(struct csn_runtime *rt, char ***ret, struct arena *arena,
		       struct csn_error *err)
{
	size_t count = 0;

	while (rt->env[count])
		count++;
	char **list = arena_array(arena, count + COUNT(passed) + 1, sizeof *list);
	if (!list)
		return fail(err, ENOMEM, "out of memory");
	memcpy(list, rt->env, count * sizeof *list);
	for (size_t i = 0; i < COUNT(passed); i++) {
		const char *value = secure_getenv(passed[i]);
		if (!value)
			continue;
		list[count] = arena_printf(arena, "%s=%s", passed[i], value);
		if (!list[count++])
			return fail(err, ENOMEM, "out of memory");
	}
	*ret = list;
	return 0;
}

/* ---- secrets --------------------------------------------------------------------------------- */

static void wipe(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

/* A file in memory with the credentials; -1 when there are none (*ret_fd). */
static int put_secrets(const struct csn_registry_options *o, int *ret_fd, struct csn_error *err)
{
	AUTO(json_out_done)
	struct json_out out = JSON_OUT_COMPACT;
	char *text AUTO(wipe)
	= NULL;

	*ret_fd = -1;
	if (!o->username && !o->password && !o->identity_token)
		return 0;
	json_open_object(&out, NULL);
	json_put_string(&out, "username", o->username);
	json_put_string(&out, "password", o->password);
	json_put_string(&out, "identitytoken", o->identity_token);
	json_close_object(&out);
	TRY(json_out_take(&out, &text, err));
	auto_fd fd = memfd_create("caisson-auth", MFD_CLOEXEC);
	if (fd < 0)
		return fail_errno(err, "make a file in memory");
	int r = write_all(fd, text, strlen(text));
	if (r < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return fail(err, EIO, "write a file in memory");
	*ret_fd = take_fd(&fd);
	return 0;
}

/* ---- one call -------------------------------------------------------------------------------- */

struct call {
	struct csn_runtime *rt;
	struct csn_registry_options registry;
	const char *args[ARGS_MAX];
	size_t count;
	char stall[16];
};

static void add(struct call *c, const char *word)
{
	if (c->count + 1 < ARGS_MAX)
		c->args[c->count++] = word;
}

static void add_option(struct call *c, const char *name, const char *value)
{
	if (!value)
		return;
	add(c, name);
	add(c, value);
}

static int begin(struct call *c, struct csn_runtime *rt, const char *verb,
		 const struct csn_registry_options *given, struct csn_error *err)
{
	static const char *const verify[] = { NULL, "true", "false" };

	*c = (struct call){ .rt = rt, .registry = CSN_REGISTRY_OPTIONS_INIT };
	TRY(take_struct(&c->registry, sizeof c->registry, given, "struct csn_registry_options",
			err));
	const struct csn_registry_options *o = &c->registry;
	if ((size_t)o->tls_verify >= COUNT(verify))
		return fail(err, EINVAL, "tls_verify: no such value");
	add_option(c, "--root", rt->root);
	add(c, verb);
	add_option(c, "--authfile", o->auth_file);
	if (strcmp(verb, "logout") == 0)
		return 0;
	add_option(c, "--cert-dir", o->cert_dir);
	add_option(c, "--tls-verify", verify[o->tls_verify]);
	if (o->anonymous)
		add(c, "--anonymous");
	if (o->stall_timeout_s > 0) {
		(void)snprintf(c->stall, sizeof c->stall, "%d", o->stall_timeout_s);
		add_option(c, "--stall-timeout", c->stall);
	}
	if (o->username || o->password || o->identity_token)
		add(c, "--auth-stdin");
	return 0;
}

/* operands end with NULL. transfer NULL: runs to its end. */
static int run(struct call *c, const char *const *operands, struct image_run *r,
	       struct csn_image_transfer *transfer, struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	auto_fd secrets = -1;

	add(c, "--");
	while (*operands)
		add(c, *operands++);
	char **env;
	TRY(remote_environment(c->rt, &env, &arena, err));
	TRY(put_secrets(&c->registry, &secrets, err));
	r->env = env;
	return transfer ? transfer_start(transfer, c->args, secrets, err)
			: image_work(c->rt, c->args, secrets, r, err);
}

static void free_images(struct csn_images **images)
{
	csn_images_free(*images);
}

/* ---- pull and push --------------------------------------------------------------------------- */

/* Is it here, by name or id? Then nothing need be started. */
static int find_here(struct csn_runtime *rt, const char *image, struct csn_images *l)
{
	struct image_record r;

	if (image_find(rt, image, &r, images_arena(l), NULL) < 0)
		return 0;
	return images_add(l, &r) < 0 ? 0 : 1;
}

/* What the policy alone does not answer becomes a call: 1; 0: the image is in the list. */
static int prepare_pull(struct csn_runtime *rt, const char *image,
			const struct csn_image_pull_options *options,
			struct csn_image_pull_options *o, struct call *c, struct csn_images *l,
			struct csn_error *err)
{
	TRY(take_struct(o, sizeof *o, options, "struct csn_image_pull_options", err));
	if ((size_t)o->policy >= COUNT(policies))
		return fail(err, EINVAL, "pull policy: no such value");
	bool local = o->policy == CSN_PULL_NEVER || o->policy == CSN_PULL_IF_NOT_PRESENT;
	if (local && !o->platform && find_here(rt, image, l))
		return 0;
	TRY(begin(c, rt, "pull", o->registry, err));
	add_option(c, "--policy", policies[o->policy]);
	add_option(c, "--platform", o->platform);
	return 1;
}

int csn_image_pull(struct csn_runtime *rt, const char *image,
		   const struct csn_image_pull_options *options, struct csn_images **ret,
		   struct csn_error *err)
{
	struct csn_image_pull_options o = CSN_IMAGE_PULL_OPTIONS_INIT;
	const char *const operands[] = { image, NULL };
	struct call c;
	struct csn_images *l AUTO(free_images)
	= images_new();

	if (!l)
		return fail(err, ENOMEM, "out of memory");
	int needed = prepare_pull(rt, image, options, &o, &c, l, err);
	TRY(needed);
	if (needed) {
		struct image_run r = { .progress = o.progress,
				       .data = o.progress_data,
				       .images = l };
		TRY(run(&c, operands, &r, NULL, err));
		for (size_t i = 0; i < csn_images_count(l); i++)
			event_tell_image(rt, "pull", csn_images_get(l, i)->reference,
					 csn_images_get(l, i)->id);
	}
	if (ret)
		*ret = take_ptr(l);
	return 0;
}

int csn_image_pull_begin(struct csn_runtime *rt, const char *image,
			 const struct csn_image_pull_options *options,
			 struct csn_image_transfer **ret, struct csn_error *err)
{
	struct csn_image_pull_options o = CSN_IMAGE_PULL_OPTIONS_INIT;
	const char *const operands[] = { image, NULL };
	struct call c;
	struct csn_image_transfer *t AUTO(transfer_release)
	= transfer_new(rt, "pull");

	if (!t)
		return fail(err, ENOMEM, "out of memory");
	struct image_run *r = transfer_run(t);
	int needed = prepare_pull(rt, image, options, &o, &c, r->images, err);
	TRY(needed);
	if (needed)
		TRY(run(&c, operands, r, t, err));
	else
		TRY(transfer_is_here(t, err));
	*ret = take_ptr(t);
	return 0;
}

int csn_image_push(struct csn_runtime *rt, const char *image,
		   const struct csn_image_push_options *options, struct csn_images **ret,
		   struct csn_error *err)
{
	struct csn_image_push_options o = CSN_IMAGE_PUSH_OPTIONS_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	struct image_record found;
	struct call c;
	struct csn_images *l AUTO(free_images)
	= images_new();

	if (!l)
		return fail(err, ENOMEM, "out of memory");
	TRY(take_struct(&o, sizeof o, options, "struct csn_image_push_options", err));
	TRY(image_find(rt, image, &found, &arena, err));
	const char *const operands[] = { found.reference, o.destination, NULL };
	TRY(begin(&c, rt, "push", o.registry, err));
	struct image_run r = { .progress = o.progress, .data = o.progress_data, .images = l };
	TRY(run(&c, operands, &r, NULL, err));
	event_tell_image(rt, "push", found.reference, found.id);
	if (ret)
		*ret = take_ptr(l);
	return 0;
}

/* ---- login and logout ------------------------------------------------------------------------ */

static int log_in_or_out(struct csn_runtime *rt, const char *verb, const char *registry,
			 const struct csn_registry_options *options, char **ret_where,
			 struct csn_error *err)
{
	const char *const operands[] = { registry, NULL };
	struct image_run r = { 0 };
	struct call c;

	TRY(begin(&c, rt, verb, options, err));
	int result = run(&c, operands, &r, NULL, err);
	if (result == 0 && ret_where && r.where)
		*ret_where = take_ptr(r.where);
	free(r.where);
	return result;
}

int csn_registry_login(struct csn_runtime *rt, const char *registry,
		       const struct csn_registry_options *options, char **ret_where,
		       struct csn_error *err)
{
	return log_in_or_out(rt, "login", registry, options, ret_where, err);
}

int csn_registry_logout(struct csn_runtime *rt, const char *registry,
			const struct csn_registry_options *options, char **ret_where,
			struct csn_error *err)
{
	return log_in_or_out(rt, "logout", registry, options, ret_where, err);
}

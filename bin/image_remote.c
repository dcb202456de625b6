/*
 * caisson-image: pull, push, login, logout.
 *
 * Secrets come on standard input (--auth-stdin), never as arguments, which everybody can read; and
 * a process that has some leaves no core dump and lets nobody look into its memory.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "bin/image.h"

#define AUTH_MAX 65536

static struct {
	const char *policy, *platform;
	const char *authfile, *cert_dir, *tls_verify;
	int stall_timeout, retry_pause;
	bool auth_stdin, anonymous, no_sync;
} arg = { .policy = "always" };

struct auth {
	char *username, *password, *identity_token;
};

static const struct json_field auth_fields[] = {
	{ "username", decode_text, offsetof(struct auth, username) },
	{ "password", decode_text, offsetof(struct auth, password) },
	{ "identitytoken", decode_text, offsetof(struct auth, identity_token) },
	{ 0 }
};

/* Until the end of the process, or of what had secrets in it. */
static struct arena arena;

static int read_auth(struct auth *ret, struct csn_error *err)
{
	char text[AUTH_MAX];
	size_t size = 0;
	ssize_t n;

	while ((n = read(STDIN_FILENO, text + size, sizeof text - size)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(err, "read the credentials");
		size += (size_t)n;
		if (size == sizeof text)
			return fail(err, EFBIG, "the credentials are larger than %d bytes",
				    AUTH_MAX);
	}
	int r = json_decode(text, size, "the credentials", auth_fields, ret, &arena, err);
	explicit_bzero(text, size);
	return r;
}

static void keep_secrets(void)
{
	const struct rlimit none = { 0, 0 };

	(void)setrlimit(RLIMIT_CORE, &none);
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	json_wipe_memory();
	/* Everybody else reads the upper-case name, too. */
	const char *proxy = getenv("HTTP_PROXY");
	if (proxy && !getenv("http_proxy"))
		(void)setenv("http_proxy", proxy, 1);
}

static int forgetting(int status)
{
	arena_wipe(&arena);
	return status;
}

static int remote_options(struct image_remote *ret, struct csn_error *err)
{
	struct auth auth = { 0 };

	keep_secrets();
	if (arg.auth_stdin)
		TRY(read_auth(&auth, err));
	if (arg.tls_verify && strcmp(arg.tls_verify, "true") != 0 &&
	    strcmp(arg.tls_verify, "false") != 0)
		return fail(err, EINVAL, "--tls-verify: expected true or false, not '%s'",
			    arg.tls_verify);
	if (arg.stall_timeout < 0)
		return fail(err, EINVAL, "--stall-timeout: expected seconds, not %d",
			    arg.stall_timeout);
	*ret = (struct image_remote){
		.username = auth.username,
		.password = auth.password,
		.identity_token = auth.identity_token,
		.anonymous = arg.anonymous,
		.authfile = arg.authfile,
		.cert_dir = arg.cert_dir,
		.insecure = arg.tls_verify && strcmp(arg.tls_verify, "false") == 0,
		.secure = arg.tls_verify && strcmp(arg.tls_verify, "true") == 0,
		.stall_seconds = arg.stall_timeout,
		.pause_ms = arg.retry_pause,
	};
	return 0;
}

/* ---- events ---------------------------------------------------------------------------------- */

static void on_unpack(void *data, const char *layer, uint64_t bytes, uint64_t total)
{
	(void)data;
	line_progress(layer, "unpack", bytes, total);
}

static void on_download(void *data, const char *blob, uint64_t bytes, uint64_t total)
{
	(void)data;
	line_progress(blob, "download", bytes, total);
}

static void on_upload(void *data, const char *blob, uint64_t bytes, uint64_t total)
{
	(void)data;
	line_progress(blob, "upload", bytes, total);
}

static void on_done(void *data, const char *layer, bool fresh)
{
	(void)data;
	line_progress(layer, fresh ? "done" : "exists", 0, 0);
}

/* ---- commands -------------------------------------------------------------------------------- */

static const struct {
	const char *name;
	enum image_policy policy;
} policies[] = {
	{ "always", IMAGE_ALWAYS },
	{ "newer", IMAGE_NEWER },
	{ "if-not-present", IMAGE_IF_NOT_PRESENT },
	{ "never", IMAGE_NEVER },
};

static int parse_policy(enum image_policy *ret, struct csn_error *err)
{
	for (size_t i = 0; i < COUNT(policies); i++)
		if (strcmp(policies[i].name, arg.policy) == 0) {
			*ret = policies[i].policy;
			return 0;
		}
	return fail(err, EINVAL,
		    "pull policy '%s': expected always, newer, if-not-present or never",
		    arg.policy);
}

static int run_pull(struct image_store *s, char **argv, struct image_list *ret,
		    struct csn_error *err)
{
	struct image_pull p = { .name = argv[0], .platform = arg.platform, .sync = !arg.no_sync };

	TRY(parse_policy(&p.policy, err));
	TRY(remote_options(&p.remote, err));
	p.events = standard_events();
	p.events.progress = on_unpack;
	p.events.transferred = on_download;
	p.events.layer_done = on_done;
	return image_pull(s, &p, ret, err);
}

static int cmd_pull(int argc, char **argv)
{
	(void)argc;
	return forgetting(with_store(run_pull, argv));
}

static const char *push_destination;

static int run_push(struct image_store *s, char **argv, struct image_list *ret,
		    struct csn_error *err)
{
	struct image_push p = { .name = argv[0], .destination = push_destination };

	TRY(remote_options(&p.remote, err));
	p.events = standard_events();
	p.events.transferred = on_upload;
	return image_push(s, &p, ret, err);
}

static int cmd_push(int argc, char **argv)
{
	push_destination = argc > 1 ? argv[1] : NULL;
	return forgetting(with_store(run_push, argv));
}

static int print_where(int r, char *where, const struct csn_error *err)
{
	struct json_out o = JSON_OUT_COMPACT;

	if (r < 0)
		return line_error(err);
	line_open(&o, "result");
	json_put_string(&o, "where", where);
	line_end(&o);
	free(where);
	return 0;
}

static int cmd_login(int argc, char **argv)
{
	struct csn_error err = { 0 };
	struct image_remote remote;
	char *where = NULL;

	(void)argc;
	int r = remote_options(&remote, &err);
	const struct image_events events = standard_events();
	if (r == 0)
		r = image_login(&remote, argv[0], &events, &where, &err);
	return forgetting(print_where(r, where, &err));
}

static int cmd_logout(int argc, char **argv)
{
	struct csn_error err = { 0 };
	char *where = NULL;

	(void)argc;
	keep_secrets();
	int r = image_logout(arg.authfile, argv[0], &where, &err);
	return print_where(r, where, &err);
}

#define REMOTE_OPTIONS                                                                                 \
	{ 0,	    "auth-stdin",   NULL, "read the credentials from standard input, as JSON",         \
	  OPT_FLAG, &arg.auth_stdin },                                                                 \
		{ 0, "authfile", "FILE", "look for credentials there only", OPT_TEXT, &arg.authfile }, \
		{ 0,	    "cert-dir",	  "DIR", "CA and client certificates: *.crt, *.cert, *.key",   \
		  OPT_TEXT, &arg.cert_dir },                                                           \
		{ 0,                                                                                   \
		  "tls-verify",                                                                        \
		  "true|false",                                                                        \
		  "false: no certificate is needed, and plain http will do",                           \
		  OPT_TEXT,                                                                            \
		  &arg.tls_verify },                                                                   \
		{ 0, "anonymous", NULL, "use no credentials", OPT_FLAG, &arg.anonymous },              \
		{ 0,	   "retry-pause",   "MILLISECONDS", "before the second try (500)",             \
		  OPT_INT, &arg.retry_pause },                                                         \
	{                                                                                              \
		0, "stall-timeout", "SECONDS", "give up when nothing comes for so long (30)",          \
			OPT_INT, &arg.stall_timeout                                                    \
	}

static const struct opt *pull_options(void)
{
	static const struct opt rows[] = {
		{ 0, "policy", "POLICY", "always, newer, if-not-present or never", OPT_TEXT,
		  &arg.policy },
		{ 0, "platform", "OS/ARCH[/VARIANT]", "take the image for this platform", OPT_TEXT,
		  &arg.platform },
		{ 0, "no-sync", NULL, "do not wait until it is on disk", OPT_FLAG, &arg.no_sync },
		REMOTE_OPTIONS,
		{ 0 },
	};
	return rows;
}

static const struct opt *push_options(void)
{
	static const struct opt rows[] = { REMOTE_OPTIONS, { 0 } };
	return rows;
}

static const struct opt *logout_options(void)
{
	static const struct opt rows[] = {
		{ 0, "authfile", "FILE", "look for credentials there only", OPT_TEXT,
		  &arg.authfile },
		{ 0 },
	};
	return rows;
}

const struct command image_pull_command = {
	"pull", "NAME", "fetch an image from a registry", 1, 1, pull_options, cmd_pull,
};
const struct command image_push_command = {
	"push", "NAME [DESTINATION]", "send an image to a registry", 1, 2, push_options, cmd_push,
};
const struct command image_login_command = {
	"login", "REGISTRY", "check credentials and keep them", 1, 1, push_options, cmd_login,
};
const struct command image_logout_command = {
	"logout", "REGISTRY", "forget credentials", 1, 1, logout_options, cmd_logout,
};

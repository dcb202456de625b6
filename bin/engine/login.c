/* csn login and csn logout: credentials for a registry. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "bin/engine/remote.h"

static const char *user;
static bool password_stdin;

static const struct opt login_options[] = {
	{ 'u', "username", "USER", "user name; asked for when it is missing", OPT_TEXT, &user },
	{ 0, "password-stdin", NULL, "read the password from standard input", OPT_FLAG,
	  &password_stdin },
	REMOTE_OPTIONS,
	{ 0 },
};

static const struct opt *get_login_options(void)
{
	return login_options;
}

static int ask_user(char **ret, struct csn_error *err)
{
	size_t capacity = 0;

	if (!isatty(STDIN_FILENO))
		return fail(err, EINVAL, "login: --username is missing");
	fprintf(stderr, "User name: ");
	if (getline(ret, &capacity, stdin) <= 0)
		return fail(err, EINVAL, "no user name was given");
	(*ret)[strcspn(*ret, "\r\n")] = '\0';
	return 0;
}

static int get_credentials(struct csn_registry_options *o, struct csn_error *err)
{
	char *password = NULL, *name = NULL;

	if (password_stdin && !user)
		return fail(err, EINVAL, "login: --password-stdin needs --username");
	if (user)
		name = strdup(user);
	else
		TRY(ask_user(&name, err));
	remote_take_credentials(o, name, NULL);
	if (!name)
		return fail(err, ENOMEM, "out of memory");
	if (password_stdin)
		TRY(remote_read_password(&password, err));
	else
		TRY(remote_ask_password("Password: ", &password, err));
	o->password = password;
	return 0;
}

static int run_login(int argc, char **argv)
{
	struct csn_error err;
	struct csn_registry_options o AUTO(remote_options_done) = CSN_REGISTRY_OPTIONS_INIT;
	char *where = NULL;
	const char *registry = argc > 0 ? argv[0] : "docker.io";

	if (remote_options(&o, &err) < 0 || get_credentials(&o, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	struct csn_runtime *rt = engine_runtime();
	if (!rt)
		return STATUS_FAILED;
	if (csn_registry_login(rt, registry, &o, &where, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	printf("Logged in to %s; kept by %s\n", registry, where ? where : "");
	csn_free(where);
	return 0;
}

const struct command command_login = {
	"login",	   "[REGISTRY]", "check credentials for a registry and keep them", 0, 1,
	get_login_options, run_login
};

static const struct opt logout_options[] = {
	{ 0, "authfile", "FILE", "the file of credentials", OPT_TEXT, &remote_args.authfile },
	{ 0 },
};

static const struct opt *get_logout_options(void)
{
	return logout_options;
}

static int run_logout(int argc, char **argv)
{
	struct csn_error err;
	struct csn_registry_options o AUTO(remote_options_done) = CSN_REGISTRY_OPTIONS_INIT;
	char *where = NULL;
	const char *registry = argc > 0 ? argv[0] : "docker.io";

	if (remote_options(&o, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	struct csn_runtime *rt = engine_runtime();
	if (!rt)
		return STATUS_FAILED;
	if (csn_registry_logout(rt, registry, &o, &where, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	printf("Logged out of %s; removed from %s\n", registry, where ? where : "");
	csn_free(where);
	return 0;
}

const struct command command_logout = {
	"logout",	    "[REGISTRY]", "forget the credentials for a registry", 0, 1,
	get_logout_options, run_logout
};

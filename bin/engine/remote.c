/* Options and passwords of the commands that speak to registries. */
#include "bin/engine/remote.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"

#define PASSWORD_MAX 16384

struct remote_args remote_args;

int remote_read_password(char **ret, struct csn_error *err)
{
	char text[PASSWORD_MAX];
	size_t size = 0;
	ssize_t n;

	while ((n = read(STDIN_FILENO, text + size, sizeof text - 1 - size)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail_errno(err, "read the password");
		size += (size_t)n;
		if (size == sizeof text - 1)
			return fail(err, EFBIG, "the password is too long");
	}
	while (size > 0 && (text[size - 1] == '\n' || text[size - 1] == '\r'))
		size--;
	text[size] = '\0';
	*ret = strdup(text);
	explicit_bzero(text, sizeof text);
	return *ret ? 0 : fail(err, ENOMEM, "out of memory");
}

int remote_ask_password(const char *prompt, char **ret, struct csn_error *err)
{
	struct termios before, quiet;
	char *line = NULL;
	size_t capacity = 0;

	if (tcgetattr(STDIN_FILENO, &before) < 0)
		return fail(err, ENOTTY,
			    "there is no terminal to ask for the password; use --password-stdin");
	fprintf(stderr, "%s", prompt);
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
	ssize_t n = getline(&line, &capacity, stdin);
	(void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
	fputc('\n', stderr);
	if (n <= 0) {
		free(line);
		return fail(err, EINVAL, "no password was given");
	}
	line[strcspn(line, "\r\n")] = '\0';
	*ret = line;
	return 0;
}

static void wipe(const char *text)
{
	char *own = (char *)(uintptr_t)text;

	if (own)
		explicit_bzero(own, strlen(own));
	free(own);
}

void remote_options_done(struct csn_registry_options *o)
{
	const char *texts[] = { o->username, o->password, o->auth_file, o->cert_dir };

	for (size_t i = 0; i < COUNT(texts); i++)
		wipe(texts[i]);
	*o = (struct csn_registry_options)CSN_REGISTRY_OPTIONS_INIT;
}

void remote_take_credentials(struct csn_registry_options *o, char *username, char *password)
{
	wipe(o->username);
	wipe(o->password);
	o->username = username;
	o->password = password;
}

/* USER[:PASSWORD] */
static int split_creds(struct csn_registry_options *ret, struct csn_error *err)
{
	const char *colon = strchr(remote_args.creds, ':');
	char *password = NULL;

	if (!*remote_args.creds || colon == remote_args.creds)
		return fail(err, EINVAL, "--creds: expected USER[:PASSWORD]");
	ret->username = colon ? strndup(remote_args.creds, (size_t)(colon - remote_args.creds))
			      : strdup(remote_args.creds);
	if (colon)
		password = strdup(colon + 1);
	else
		TRY(remote_ask_password("Password: ", &password, err));
	ret->password = password;
	return ret->username && ret->password ? 0 : fail(err, ENOMEM, "out of memory");
}

/* An absolute path; it need not exist yet. */
static char *absolute(const char *path)
{
	char *cwd = path[0] == '/' ? NULL : getcwd(NULL, 0), *whole = NULL;

	if (path[0] == '/')
		return strdup(path);
	if (cwd && asprintf(&whole, "%s/%s", cwd, path) < 0)
		whole = NULL;
	free(cwd);
	return whole;
}

int remote_options(struct csn_registry_options *ret, struct csn_error *err)
{
	const char *verify = remote_args.tls_verify;

	*ret = (struct csn_registry_options)CSN_REGISTRY_OPTIONS_INIT;
	if (verify && strcmp(verify, "true") != 0 && strcmp(verify, "false") != 0)
		return fail(err, EINVAL, "--tls-verify: expected true or false, not \"%.100s\"",
			    verify);
	if (remote_args.stall_timeout < 0)
		return fail(err, EINVAL, "--stall-timeout: expected seconds, not %d",
			    remote_args.stall_timeout);
	if (verify)
		ret->tls_verify = strcmp(verify, "true") == 0 ? CSN_TLS_REQUIRED : CSN_TLS_OPTIONAL;
	ret->stall_timeout_s = remote_args.stall_timeout;
	/* caisson-image runs elsewhere: a relative path would mean something else there. */
	if (remote_args.authfile)
		ret->auth_file = absolute(remote_args.authfile);
	if (remote_args.cert_dir)
		ret->cert_dir = absolute(remote_args.cert_dir);
	if ((remote_args.authfile && !ret->auth_file) || (remote_args.cert_dir && !ret->cert_dir))
		return fail(err, ENOMEM, "out of memory");
	return remote_args.creds ? split_creds(ret, err) : 0;
}

/* Logging in and out: credentials are kept only when the registry takes them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "image/registry.h"

/* "host[:port]", perhaps written as a URL; "" and docker's own names mean docker.io. */
static int registry_name(const char *given, struct image_ref *ret, struct csn_error *err)
{
	const char *scheme = strstr(given, "://");
	char text[REF_TEXT_MAX], host[REF_NAME_MAX + 1];
	const char *start = scheme ? scheme + 3 : given;
	size_t size = strcspn(start, "/");

	if (size > 200 || (!scheme && start[size]) || (size == 0 && *given))
		return fail(err, EINVAL, "registry '%.200s': expected HOST[:PORT]", given);
	(void)snprintf(host, sizeof host, "%.*s", (int)size, start);
	if (!*host || strcmp(host, "docker.io") == 0 || strcmp(host, "registry-1.docker.io") == 0)
		(void)strcpy(host, "index.docker.io");
	/* The grammar of references judges the host. */
	(void)snprintf(text, sizeof text, "%s/x", host);
	if (ref_parse(text, ret, NULL) < 0 ||
	    (strcmp(ret->domain, host) != 0 && strcmp(ret->domain, "docker.io") != 0))
		return fail(err, EINVAL, "registry '%.200s': expected HOST[:PORT]", given);
	return 0;
}

int image_login(const struct image_remote *remote, const char *registry,
		const struct image_events *events, char **ret_where, struct csn_error *err)
{
	const struct credentials c = {
		(char *)(uintptr_t)remote->username,
		(char *)(uintptr_t)remote->password,
		NULL,
	};
	struct image_ref ref;
	struct registry r;

	if (!remote->username || !*remote->username || !remote->password)
		return fail(err, EINVAL, "login needs a user name and a password");
	TRY(registry_name(registry, &ref, err));
	int v = registry_open(remote, &ref, events, &r, err);
	if (v == 0)
		v = auth_check(&r, err);
	registry_close(&r);
	TRY(v);
	return credentials_store(remote->authfile, ref.domain, &c, ret_where, err);
}

int image_logout(const char *authfile, const char *registry, char **ret_where,
		 struct csn_error *err)
{
	struct image_ref ref;

	TRY(registry_name(registry, &ref, err));
	return credentials_erase(authfile, ref.domain, ret_where, err);
}

/* Parsing and comparing URLs. User names in URLs are refused: they would be credentials. */
#include "image/url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/error.h"

static void handle_done(CURLU **u)
{
	curl_url_cleanup(*u);
}

static int part(CURLU *u, CURLUPart what, char **ret, struct csn_error *err)
{
	char *text;

	if (curl_url_get(u, what, &text, what == CURLUPART_PORT ? CURLU_DEFAULT_PORT : 0) !=
	    CURLUE_OK)
		return fail(err, EINVAL, "the URL has no host");
	*ret = strdup(text);
	curl_free(text);
	return *ret ? 0 : fail(err, ENOMEM, "out of memory");
}

int url_parse(const char *base, const char *reference, struct url *ret, struct csn_error *err)
{
	AUTO(handle_done)
	CURLU *u = curl_url();
	AUTO(url_done)
	struct url url = { 0 };
	char *user;

	if (!u)
		return fail(err, ENOMEM, "out of memory");
	if ((base && curl_url_set(u, CURLUPART_URL, base, 0) != CURLUE_OK) ||
	    curl_url_set(u, CURLUPART_URL, reference, 0) != CURLUE_OK)
		return fail(err, EINVAL, "'%.200s' is no URL", reference);
	(void)curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);
	TRY(part(u, CURLUPART_SCHEME, &url.scheme, err));
	if (strcmp(url.scheme, "https") != 0 && strcmp(url.scheme, "http") != 0)
		return fail(err, EINVAL, "'%.200s' is neither http nor https", reference);
	if (curl_url_get(u, CURLUPART_USER, &user, 0) == CURLUE_OK) {
		curl_free(user);
		return fail(err, EINVAL, "a URL with a user name in it");
	}
	TRY(part(u, CURLUPART_HOST, &url.host, err));
	TRY(part(u, CURLUPART_PORT, &url.port, err));
	TRY(part(u, CURLUPART_URL, &url.text, err));
	*ret = url;
	url = (struct url){ 0 };
	return 0;
}

void url_done(struct url *u)
{
	free(u->text);
	free(u->scheme);
	free(u->host);
	free(u->port);
	*u = (struct url){ 0 };
}

bool url_same_origin(const struct url *a, const struct url *b)
{
	return strcmp(a->scheme, b->scheme) == 0 && strcasecmp(a->host, b->host) == 0 &&
	       strcmp(a->port, b->port) == 0;
}

bool host_is_loopback(const char *host)
{
	char name[256];
	struct in_addr v4;
	struct in6_addr v6;

	if (host[0] == '[') {
		(void)snprintf(name, sizeof name, "%.*s", (int)strcspn(host + 1, "]"), host + 1);
		return inet_pton(AF_INET6, name, &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
	}
	(void)snprintf(name, sizeof name, "%.*s", (int)strcspn(host, ":"), host);
	if (strcasecmp(name, "localhost") == 0)
		return true;
	return inet_pton(AF_INET, name, &v4) == 1 && ntohl(v4.s_addr) >> 24 == 127;
}

char *url_escape(const char *text)
{
	static const char keep[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
				   "-._~";
	char *out = malloc(3 * strlen(text) + 1), *o = out;

	if (!out)
		return NULL;
	for (; *text; text++) {
		if (strchr(keep, *text))
			*o++ = *text;
		else
			o += sprintf(o, "%%%02X", (unsigned char)*text);
	}
	*o = '\0';
	return out;
}

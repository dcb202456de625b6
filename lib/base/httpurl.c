/* The URLs of health checks: see httpurl.h. */
#include "base/httpurl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/error.h"

/* A request line and a header must not be ended by what they contain. */
static bool is_printable(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || *text == 0x7f)
			return false;
	return true;
}

static bool is_address(int family, const char *host)
{
	struct in6_addr any;
	return inet_pton(family, host, &any) == 1;
}

/* ":8080", or nothing. */
static bool parse_port(const char *text, size_t size, uint16_t *ret)
{
	char digits[8] = "";
	*ret = 80;
	if (size == 0)
		return true;
	if (*text != ':' || size < 2 || size > 6)
		return false;
	memcpy(digits, text + 1, size - 1);
	long n = strtol(digits, NULL, 10);
	*ret = (uint16_t)n;
	return strspn(digits, "0123456789") == size - 1 && n >= 1 && n <= 65535;
}

static bool parse_authority(const char *text, size_t size, struct http_url *ret)
{
	bool bracket = text[0] == '[';
	const char *end = bracket ? memchr(text, ']', size) : memchr(text, ':', size);
	if (size >= sizeof ret->authority || (bracket && !end))
		return false;
	const char *host = text + bracket;
	size_t host_size = end ? (size_t)(end - host) : size;
	if (host_size == 0 || host_size >= sizeof ret->host)
		return false;
	memcpy(ret->host, host, host_size);
	ret->host[host_size] = '\0';
	memcpy(ret->authority, text, size);
	ret->authority[size] = '\0';
	const char *rest = host + host_size + bracket;
	bool known =
		bracket ? is_address(AF_INET6, ret->host)
			: is_address(AF_INET, ret->host) || strcasecmp(ret->host, "localhost") == 0;
	return known && parse_port(rest, size - (size_t)(rest - text), &ret->port);
}

int http_url_parse(const char *text, struct http_url *ret, struct csn_error *err)
{
	if (strncasecmp(text, "https://", 8) == 0)
		return fail(err, EOPNOTSUPP, "\"%.200s\": https is not spoken here", text);
	const char *authority = text + 7;
	if (strncasecmp(text, "http://", 7) != 0 || !is_printable(text) || strchr(text, '#') ||
	    !parse_authority(authority, strcspn(authority, "/?"), ret))
		return fail(err, EINVAL,
			    "\"%.200s\": expected http://HOST[:PORT][/PATH], where HOST is "
			    "localhost or an address",
			    text);
	ret->target = authority + strcspn(authority, "/?");
	return 0;
}

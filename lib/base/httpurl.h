/* The URLs of health checks: of a server that is near, so that no name is looked up. */
#ifndef CSN_BASE_HTTPURL_H
#define CSN_BASE_HTTPURL_H

#include <stdint.h>

#include "caisson.h"

struct http_url {
	char host[64];	    /* an address, without brackets, or "localhost" */
	char authority[80]; /* as it was written: for the Host header */
	uint16_t port;
	const char *target; /* "/path?query", in text; "" means "/" */
};

/* "http://HOST[:PORT][/PATH][?QUERY]", where HOST is localhost, an IPv4 address or an IPv6 one in
 * brackets. -EINVAL: anything else; -EOPNOTSUPP: https. */
int http_url_parse(const char *text, struct http_url *ret, struct csn_error *err);

#endif

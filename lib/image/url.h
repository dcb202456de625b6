/* URLs, by libcurl's own parser, so that what is judged is what is connected to. */
#ifndef CSN_IMAGE_URL_H
#define CSN_IMAGE_URL_H

#include <stdbool.h>

#include "caisson.h"

struct url {
	char *text;   /* the whole, absolute */
	char *scheme; /* "https" */
	char *host;   /* without port; IPv6 addresses in brackets */
	char *port;   /* always there */
};

/* reference is absolute or relative to base (may be NULL). Only http and https. */
int url_parse(const char *base, const char *reference, struct url *ret, struct csn_error *err);
void url_done(struct url *u);
/* Same scheme, host and port: the only place where credentials may go. */
bool url_same_origin(const struct url *a, const struct url *b);
/* "localhost", 127.0.0.0/8 or [::1]; of a host, perhaps with a port. */
bool host_is_loopback(const char *host);
/* The text with everything but letters, digits and "-._~" as %XX; malloc'd, NULL without memory. */
char *url_escape(const char *text);

#endif

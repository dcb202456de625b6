/* AWS Signature Version 4, as S3 wants it (sigv4.c). Source: the documentation of AWS Identity and
 * Access Management, "Create a signed AWS API request". */
#ifndef CSN_VOLUME_SIGV4_H
#define CSN_VOLUME_SIGV4_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

struct sigv4_header {
	const char *name, *value; /* the name in lower case */
};
struct sigv4_request {
	const char *method;
	const char *path;		    /* encoded, as it is sent */
	const char *query;		    /* likewise, sorted by name, "a=&b=1"; "": none */
	const struct sigv4_header *headers; /* that are signed, sorted by name */
	size_t headers_count;
	const char *payload_hash; /* of the body: 64 hex digits */
	const char *time;	  /* "20130524T000000Z" */
	const char *region, *service, *key_id, *secret;
};

/* The value of the header Authorization, in the arena; NULL without memory. */
const char *sigv4_authorization(const struct sigv4_request *q, struct arena *arena);
/* Every byte but letters, digits and "-._~" as %XX, "/" too unless it is kept. */
const char *sigv4_encode(const char *text, bool keep_slash, struct arena *arena);

#endif

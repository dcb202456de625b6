/* WWW-Authenticate (RFC 9110, 11.6.1): which schemes a server takes, and with what parameters. */
#ifndef CSN_IMAGE_CHALLENGE_H
#define CSN_IMAGE_CHALLENGE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "caisson.h"

struct challenge_param {
	char *name, *value; /* name in lower case */
};

struct challenge {
	char *scheme; /* in lower case */
	struct challenge_param *params;
	size_t param_count;
};

#define CHALLENGES_MAX	     16
#define CHALLENGE_PARAMS_MAX 16

/* All challenges of one header. -EINVAL: it is none; nothing of it counts then. */
int challenge_parse(const char *text, struct arena *arena, struct challenge *ret, size_t max,
		    size_t *ret_count, struct csn_error *err);
/* NULL when it is not there. */
const char *challenge_param(const struct challenge *c, const char *name);

#endif

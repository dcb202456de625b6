/* Members of a JSON object as text, for what must be passed on or kept exactly as it was. The text
 * must have been decoded before, so that it is known to be an object. */
#ifndef CSN_IMAGE_JSONTEXT_H
#define CSN_IMAGE_JSONTEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "caisson.h"

/* Where the value of a top-level member stands; false if there is none. */
bool json_member_text(const char *text, size_t size, const char *name, size_t *ret_start,
		      size_t *ret_size);
/* The object with that member set to value (JSON), or without it (NULL). *ret is malloc'd. */
int json_member_set(const char *text, size_t size, const char *name, const char *value, char **ret,
		    struct csn_error *err);

#endif

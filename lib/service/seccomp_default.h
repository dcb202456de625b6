/* The default seccomp profile, as an OCI "seccomp" object. */
#ifndef CSN_SERVICE_SECCOMP_DEFAULT_H
#define CSN_SERVICE_SECCOMP_DEFAULT_H

#include "base/json.h"

/* Writes the profile as member key. It is the same bytes every time, so that its compiled form is
 * found in a cache. */
void seccomp_default_put(struct json_out *o, const char *key);

#endif

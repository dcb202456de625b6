/* Variables of a container that are no image's business. */
#ifndef CSN_RUNTIME_PRIVATE_ENV_H
#define CSN_RUNTIME_PRIVATE_ENV_H

#include "runtime/runtime.h"
#include "spec/spec.h"

/* Takes them out of what the container's config says. */
int private_env_leave_out(const struct container *c, struct spec_strings *env,
			  struct csn_error *err);

#endif

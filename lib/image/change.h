/* Instructions of a Dockerfile that change an image's config: "CMD [\"a\", \"b\"]", "ENV A=b". */
#ifndef CSN_IMAGE_CHANGE_H
#define CSN_IMAGE_CHANGE_H

#include <stddef.h>

#include "base/arena.h"
#include "caisson.h"

/* *config is the text of an image config's "config" member; in the arena, as is the new one.
 * Members that no instruction touches stay as they are. -EINVAL: "change "X": …". */
int config_change(const char **config, const char *const *changes, size_t count,
		  struct arena *arena, struct csn_error *err);

#endif

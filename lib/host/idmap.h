/* Id mappings: of a child's user namespace, and as a namespace fd for MOUNT_ATTR_IDMAP. */
#ifndef CSN_HOST_IDMAP_H
#define CSN_HOST_IDMAP_H

#include "caisson.h"
#include "spec/spec.h"

/* A user namespace with these maps, as an fd (CLOEXEC): made by a child that lives only for it. */
int idmap_namespace(const struct spec_idmaps *uids, const struct spec_idmaps *gids,
		    struct csn_error *err);

#endif

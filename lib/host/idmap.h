/* Id mappings: of a child's user namespace, and as a namespace fd for MOUNT_ATTR_IDMAP. */
#ifndef CSN_HOST_IDMAP_H
#define CSN_HOST_IDMAP_H

#include <stdbool.h>

#include "caisson.h"
#include "spec/spec.h"

/* A user namespace with these maps, as an fd (CLOEXEC): made by a child that lives only for it. */
int idmap_namespace(const struct spec_idmaps *uids, const struct spec_idmaps *gids,
		    struct csn_error *err);
/* True when setgroups(2) is switched off for good in this user namespace: a child looks. */
bool idmap_setgroups_denied(int userns);

#endif

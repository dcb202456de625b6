/*
 * Volumes: directories with a name that outlive the containers which use them. struct csn_mount's
 * source is the name of one, which is made where it is missing. The conventions of caisson.h hold.
 */
#ifndef CAISSON_VOLUME_H
#define CAISSON_VOLUME_H

#include "caisson.h"

#ifdef __cplusplus
extern "C" {
#endif

struct csn_volume_info {
	const char *name;    /* [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most 128 */
	const char *path;    /* of its directory on the host */
	const char *used_by; /* id of a container that mounts it; "" */
};

/* A list of volumes, as it was when it was made. */
struct csn_volumes;
CSN_API size_t csn_volumes_count(const struct csn_volumes *volumes);
/* Owned by the list. index must be less than the count. */
CSN_API const struct csn_volume_info *csn_volumes_get(const struct csn_volumes *volumes,
						      size_t index);
CSN_API void csn_volumes_free(struct csn_volumes *volumes);

/* 0 also when it is there. -EINVAL: a name that cannot be. */
CSN_API int csn_volume_create(struct csn_runtime *rt, const char *name,
			      struct csn_error *err) CSN_MUST_CHECK;
/* Sorted by name. */
CSN_API int csn_volume_list(struct csn_runtime *rt, struct csn_volumes **ret,
			    struct csn_error *err) CSN_MUST_CHECK;
/* With all that is in it. -ENOENT; -EBUSY: a container, running or not, mounts it. */
CSN_API int csn_volume_remove(struct csn_runtime *rt, const char *name,
			      struct csn_error *err) CSN_MUST_CHECK;

#ifdef __cplusplus
}
#endif

#endif

/* The options of create and run about what is mounted (mounts.c). */
#ifndef CSN_BIN_ENGINE_MOUNTS_H
#define CSN_BIN_ENGINE_MOUNTS_H

#include "bin/engine/engine.h"
#include "caisson-volume.h"

struct mount_args {
	struct opt_list volumes, mounts, tmpfs;
	const char *shm_size;
};
extern struct mount_args mount_args;

/* clang-format off */
#define MOUNT_OPTIONS                                                                              \
	{ 'v', "volume", "[SRC:]DST[:OPTIONS]",                                                    \
	  "bind a directory or file of the host, or a volume", OPT_LIST, &mount_args.volumes },    \
	{ 0, "mount", "type=TYPE,…",                                                               \
	  "the same in words: type bind, volume or tmpfs, source, target, readonly",               \
	  OPT_LIST, &mount_args.mounts },                                                          \
	{ 0, "tmpfs", "DST[:OPTIONS]", "an empty directory in memory", OPT_LIST,                   \
	  &mount_args.tmpfs },                                                                     \
	{ 0, "shm-size", "SIZE", "size of /dev/shm (64m)", OPT_TEXT, &mount_args.shm_size }
/* clang-format on */

/* What was asked for, into the options; texts live as long as the arena. */
int mounts_collect(struct arena *arena, struct csn_container_options *o, struct csn_error *err);
/* One of each kind. */
int parse_volume(struct arena *arena, const char *text, struct csn_mount *ret,
		 struct csn_error *err);
int parse_mount(struct arena *arena, const char *text, struct csn_mount *ret,
		struct csn_error *err);
int parse_tmpfs(struct arena *arena, const char *text, struct csn_mount *ret,
		struct csn_error *err);

#endif

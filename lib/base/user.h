/* "user[:group]" looked up in texts of passwd and group, which may come from anybody. */
#ifndef CSN_BASE_USER_H
#define CSN_BASE_USER_H

#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "caisson.h"

/* A container's own user database: whole texts, or NULL where the file is missing. */
struct user_db {
	const char *passwd, *group;
	size_t passwd_size, group_size;
};
#define USER_DB_MAX (1 << 20) /* no larger file is read */

struct resolved_user {
	uint32_t uid, gid;
	uint32_t *groups; /* supplementary, the primary one first */
	size_t groups_count;
	const char *home;
};

/* A group's number, by name or as it is. */
int group_resolve(const char *text, const struct user_db *db, uint32_t *ret, struct csn_error *err);
/* Adds a group to those of a user unless it is there. */
int user_add_group(struct resolved_user *u, uint32_t gid, struct csn_error *err);
/*
 * "user[:group]", names or numbers; NULL or "" is root. What looks like a number is never looked
 * up as a name. Without a group: the one in passwd, and every group that lists the user.
 * -EINVAL: "user "x": …".
 */
int user_resolve(const char *text, const struct user_db *db, struct resolved_user *ret,
		 struct arena *arena, struct csn_error *err);

#endif

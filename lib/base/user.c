/*
 * Who runs in a container: "user[:group]" looked up in its own passwd and group texts.
 *
 * They come from an image and may hold anything. A line that is damaged, or longer than
 * 64 KiB, is passed over. Two rules keep a hostile image from turning a number into root: a text
 * of digits is a number and nothing else, and one with a sign, a space or a byte outside ASCII is
 * refused before any look-up.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/user.h"

#define DIGITS	      "0123456789"
#define NAME_CHARS    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS "_.-@$\\"
#define LINE_MAX_SIZE 65536
#define ID_MAX	      4294967294U /* 4294967295 is "no change" to the kernel */

/* One line cut at its colons: fields point into the text and are not terminated. */
struct line {
	const char *field[7];
	size_t size[7];
	size_t count;
};

/* The next sound line of at least min fields from *at, which moves behind it. */
static bool next_line(const char **at, const char *end, size_t min, struct line *ret)
{
	while (*at < end) {
		const char *start = *at;
		const char *stop = memchr(start, '\n', (size_t)(end - start));
		if (!stop)
			stop = end;
		*at = stop < end ? stop + 1 : end;

		size_t size = (size_t)(stop - start);
		if (size == 0 || size > LINE_MAX_SIZE || *start == '#' || *start == ':' ||
		    memchr(start, '\0', size))
			continue;
		*ret = (struct line){ 0 };
		for (const char *p = start; ret->count < 7;) {
			const char *colon = memchr(p, ':', (size_t)(stop - p));
			const char *last = colon ? colon : stop;
			ret->field[ret->count] = p;
			ret->size[ret->count++] = (size_t)(last - p);
			if (!colon)
				break;
			p = colon + 1;
		}
		if (ret->count >= min)
			return true;
	}
	return false;
}

/* Digits only, up to 4294967294; leading zeros are fine. */
static bool parse_id(const char *text, size_t size, uint32_t *ret)
{
	uint64_t value = 0;

	if (size == 0)
		return false;
	for (size_t i = 0; i < size; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(text[i] - '0');
		if (value > ID_MAX)
			return false;
	}
	*ret = (uint32_t)value;
	return true;
}

static bool field_is(const struct line *l, size_t n, const char *text)
{
	return strlen(text) == l->size[n] && memcmp(l->field[n], text, l->size[n]) == 0;
}

/* "a,b,c" holds name? */
static bool lists_member(const char *list, size_t size, const char *name)
{
	size_t len = strlen(name);
	for (const char *p = list, *end = list + size; p < end;) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		const char *stop = comma ? comma : end;
		if ((size_t)(stop - p) == len && memcmp(p, name, len) == 0)
			return true;
		p = stop + 1;
	}
	return false;
}

enum part { PART_NUMBER, PART_NAME };

/* Is this half of the text a number or a name? Neither is an error. */
static int classify(const char *whole, const char *what, const char *part, enum part *ret,
		    uint32_t *ret_id, struct csn_error *err)
{
	size_t size = strlen(part);

	if (size == 0)
		return fail(err, EINVAL, "user \"%.200s\": the %s is empty", whole, what);
	if (strspn(part, DIGITS) == size) {
		*ret = PART_NUMBER;
		if (parse_id(part, size, ret_id))
			return 0;
		return fail(err, EINVAL, "user \"%.200s\": the %s id is not from 0 to %u", whole,
			    what, ID_MAX);
	}
	*ret = PART_NAME;
	if (part[0] == '-' || strspn(part, NAME_CHARS) != size || size > 256)
		return fail(err, EINVAL,
			    "user \"%.200s\": the %s is neither a number from 0 to %u nor a name",
			    whole, what, ID_MAX);
	return 0;
}

/* The first passwd line of that name (or, name NULL, of that uid). */
static bool find_user(const struct user_db *db, const char *name, uint32_t uid, struct line *ret,
		      uint32_t *ret_uid, uint32_t *ret_gid)
{
	const char *at = db->passwd, *end = at ? at + db->passwd_size : NULL;

	while (at && next_line(&at, end, 4, ret)) {
		if (name && !field_is(ret, 0, name))
			continue;
		if (!parse_id(ret->field[2], ret->size[2], ret_uid) ||
		    !parse_id(ret->field[3], ret->size[3], ret_gid))
			continue;
		if (name || *ret_uid == uid)
			return true;
	}
	return false;
}

static bool find_group(const struct user_db *db, const char *name, uint32_t *ret_gid)
{
	const char *at = db->group, *end = at ? at + db->group_size : NULL;
	struct line l;

	while (at && next_line(&at, end, 3, &l))
		if (field_is(&l, 0, name) && parse_id(l.field[2], l.size[2], ret_gid))
			return true;
	return false;
}

static char *copy_field(struct arena *arena, const char *text, size_t size)
{
	char *copy = arena_alloc(arena, size + 1);
	if (copy)
		memcpy(copy, text, size);
	return copy;
}

/* Adds a group to the list unless it is there. The list has room for all. */
static void add_group(struct resolved_user *u, uint32_t gid)
{
	for (size_t i = 0; i < u->groups_count; i++)
		if (u->groups[i] == gid)
			return;
	u->groups[u->groups_count++] = gid;
}

#define GROUPS_MAX 1024 /* far above what images have, far below the kernel's 65536 */

/* The primary group, then (name not NULL) every group that lists name as a member. */
static int fill_groups(const struct user_db *db, const char *name, struct resolved_user *u,
		       struct arena *arena, struct csn_error *err)
{
	u->groups = arena_array(arena, GROUPS_MAX, sizeof *u->groups);
	if (!u->groups)
		return fail(err, ENOMEM, "out of memory");
	add_group(u, u->gid);

	const char *at = name ? db->group : NULL, *end = at ? at + db->group_size : NULL;
	struct line l;
	uint32_t gid;
	while (at && next_line(&at, end, 4, &l)) {
		if (!lists_member(l.field[3], l.size[3], name) ||
		    !parse_id(l.field[2], l.size[2], &gid))
			continue;
		if (u->groups_count == GROUPS_MAX)
			return fail(err, E2BIG, "user \"%.200s\": in more than %d groups", name,
				    GROUPS_MAX);
		add_group(u, gid);
	}
	return 0;
}

int user_add_group(struct resolved_user *u, uint32_t gid, struct csn_error *err)
{
	if (u->groups_count == GROUPS_MAX)
		return fail(err, E2BIG, "in more than %d groups", GROUPS_MAX);
	add_group(u, gid);
	return 0;
}

int group_resolve(const char *text, const struct user_db *db, uint32_t *ret, struct csn_error *err)
{
	if (parse_id(text, strlen(text), ret))
		return 0;
	if (text[0] && strspn(text, NAME_CHARS) == strlen(text) && find_group(db, text, ret))
		return 0;
	return fail(err, EINVAL, "group \"%.200s\": not in the image's /etc/group", text);
}

int user_resolve(const char *text, const struct user_db *db, struct resolved_user *ret,
		 struct arena *arena, struct csn_error *err)
{
	if (!text || !*text)
		text = "0";
	if (strlen(text) > 600)
		return fail(err, EINVAL, "user \"%.60s…\": too long", text);

	char *user = arena_strdup(arena, text);
	if (!user)
		return fail(err, ENOMEM, "out of memory");
	char *group = strchr(user, ':');
	if (group)
		*group++ = '\0';

	struct resolved_user u = { .home = "/" };
	enum part kind;
	struct line l;
	uint32_t id = 0;
	TRY(classify(text, "user", user, &kind, &id, err));
	bool known = find_user(db, kind == PART_NAME ? user : NULL, id, &l, &u.uid, &u.gid);
	if (!known && kind == PART_NAME)
		return fail(err, EINVAL, "user \"%s\": not in the image's /etc/passwd", user);
	if (!known) {
		u.uid = id;
		u.gid = 0;
	}

	const char *name = known ? copy_field(arena, l.field[0], l.size[0]) : NULL;
	if (known && l.count > 5 && l.size[5] && l.field[5][0] == '/')
		u.home = copy_field(arena, l.field[5], l.size[5]);
	if ((known && !name) || !u.home)
		return fail(err, ENOMEM, "out of memory");

	if (group) {
		name = NULL; /* who names a group gets that one only */
		TRY(classify(text, "group", group, &kind, &u.gid, err));
		if (kind == PART_NAME && !find_group(db, group, &u.gid))
			return fail(err, EINVAL,
				    "user \"%s\": group \"%s\" is not in the image's /etc/group",
				    text, group);
	}
	TRY(fill_groups(db, name, &u, arena, err));
	*ret = u;
	return 0;
}

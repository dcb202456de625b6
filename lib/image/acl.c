/*
 * POSIX ACLs in tar files: GNU tar and bsdtar write them as text (SCHILY.acl.access, .default),
 * which libarchive takes apart; others write the kernel's own form as an extended attribute, which
 * needs nothing. Here the former becomes the latter: a version, then tag, permissions and id per
 * entry, little endian, in the order of their tags.
 *
 * An entry that has a user's name but no number means nobody here: names belong to the image. Such
 * a list is left out, with a warning.
 */
#include <archive.h>
#include <archive_entry.h>
#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "image/attrs.h"

#define ACL_VERSION	2
#define ACL_ENTRIES_MAX 1000

struct acl_entry {
	uint16_t tag, perm;
	uint32_t id;
};

static const struct {
	int archive_tag;
	uint16_t tag;
	bool has_id;
} tags[] = {
	{ ARCHIVE_ENTRY_ACL_USER_OBJ, 0x01, false },  { ARCHIVE_ENTRY_ACL_USER, 0x02, true },
	{ ARCHIVE_ENTRY_ACL_GROUP_OBJ, 0x04, false }, { ARCHIVE_ENTRY_ACL_GROUP, 0x08, true },
	{ ARCHIVE_ENTRY_ACL_MASK, 0x10, false },      { ARCHIVE_ENTRY_ACL_OTHER, 0x20, false },
};

/* By tag, then by id. */
static int by_tag(const void *a, const void *b)
{
	const struct acl_entry *x = a, *y = b;
	uint16_t xt = le16toh(x->tag), yt = le16toh(y->tag);
	uint32_t xi = le32toh(x->id), yi = le32toh(y->id);

	return xt != yt ? (xt > yt) - (xt < yt) : (xi > yi) - (xi < yi);
}

static void say_left_out(struct warner *w)
{
	if (!w->acls_said)
		w->warn(w->data,
			"access control lists with names but without numbers are left out");
	w->acls_said = true;
}

/* One entry in the kernel's form; false if it has no place there. */
static bool convert(int archive_tag, int perm, int id, struct acl_entry *ret)
{
	size_t i = 0;

	while (i < COUNT(tags) && tags[i].archive_tag != archive_tag)
		i++;
	if (i == COUNT(tags) || (tags[i].has_id && id < 0))
		return false;
	*ret = (struct acl_entry){
		.tag = htole16(tags[i].tag),
		.perm = htole16((uint16_t)(perm & 7)),
		.id = htole32(tags[i].has_id ? (uint32_t)id : UINT32_MAX),
	};
	return true;
}

static int add_acl(struct archive_entry *e, int type, const char *name, struct warner *w,
		   struct attrs *a, struct csn_error *err)
{
	int count = archive_entry_acl_reset(e, type), n = 0;
	int got_type, perm, tag, id;
	bool whole = true;
	const char *who;

	if (count <= 0)
		return 0;
	if (count > ACL_ENTRIES_MAX)
		return fail(err, EFBIG, "an access control list of %d entries", count);
	size_t size = sizeof(uint32_t) + (size_t)count * sizeof(struct acl_entry);
	auto_mem char *value = malloc(size);
	auto_mem struct acl_entry *entries = calloc((size_t)count, sizeof *entries);
	if (!value || !entries)
		return fail(err, ENOMEM, "out of memory");

	while (n < count &&
	       archive_entry_acl_next(e, type, &got_type, &perm, &tag, &id, &who) == ARCHIVE_OK) {
		/* The mode in the header had the mask's bits for the group. */
		if (tag == ARCHIVE_ENTRY_ACL_MASK && type == ARCHIVE_ENTRY_ACL_TYPE_ACCESS)
			a->mode = (a->mode & ~(mode_t)070) | (mode_t)(perm & 7) << 3;
		whole = convert(tag, perm, id, &entries[n++]) && whole;
	}
	if (!whole) {
		say_left_out(w);
		return 0;
	}
	qsort(entries, (size_t)n, sizeof *entries, by_tag);
	const uint32_t version = htole32(ACL_VERSION);
	memcpy(value, &version, sizeof version);
	memcpy(value + sizeof version, entries, (size_t)n * sizeof *entries);
	return attrs_add_xattr(a, name, value, sizeof version + (size_t)n * sizeof *entries, err);
}

int attrs_add_acls(struct archive_entry *e, struct warner *w, struct attrs *a,
		   struct csn_error *err)
{
	int types = archive_entry_acl_types(e);

	if (types & ARCHIVE_ENTRY_ACL_TYPE_ACCESS)
		TRY(add_acl(e, ARCHIVE_ENTRY_ACL_TYPE_ACCESS, "system.posix_acl_access", w, a,
			    err));
	if (types & ARCHIVE_ENTRY_ACL_TYPE_DEFAULT)
		TRY(add_acl(e, ARCHIVE_ENTRY_ACL_TYPE_DEFAULT, "system.posix_acl_default", w, a,
			    err));
	return 0;
}

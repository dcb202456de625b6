/* The manifest's text: tables in, a writer out, and the rules that a path must follow. */
#include "volume/manifest.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"

enum { VERSION = 1 };

const char *manifest_key(const char *sha256, char ret[80])
{
	(void)snprintf(ret, 80, "objects/%.64s", sha256);
	return ret;
}

struct entry *manifest_add(struct manifest *m)
{
	if (m->entries.count == m->capacity) {
		size_t capacity = m->capacity ? 2 * m->capacity : 256;
		struct entry *grown = reallocarray(m->entries.items, capacity, sizeof *grown);
		if (!grown)
			return NULL;
		m->entries.items = grown;
		m->capacity = capacity;
	}
	struct entry *e = &m->entries.items[m->entries.count++];
	*e = (struct entry){ 0 };
	return e;
}

void manifest_done(struct manifest *m)
{
	if (m->capacity)
		free(m->entries.items);
}

/* ---- bytes as text ----------------------------------------------------------------------------
 */

static int hex_digit(char c)
{
	static const char digits[] = "0123456789ABCDEF";
	const char *at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* In place. False when a "%" is no %XX, or the text would have a NUL in it. */
static bool decode_bytes(char *text)
{
	char *out = text;
	for (const char *in = text; *in; in++) {
		if (*in != '%') {
			*out++ = *in;
			continue;
		}
		int high = hex_digit(in[1]), low = high < 0 ? -1 : hex_digit(in[2]);
		if (low < 0 || high + low == 0)
			return false;
		*out++ = (char)(high << 4 | low);
		in += 2;
	}
	*out = '\0';
	return true;
}

static void put_bytes(struct json_out *o, const char *key, const char *bytes)
{
	auto_mem char *text = malloc(3 * strlen(bytes) + 1);
	char *at = text;
	if (!text) {
		o->failed = true;
		return;
	}
	for (; *bytes; bytes++) {
		if (*bytes > ' ' && *bytes < 0x7f && *bytes != '%')
			*at++ = *bytes;
		else
			at += snprintf(at, 4, "%%%02X", (unsigned char)*bytes);
	}
	*at = '\0';
	json_put_string(o, key, text);
}

/* ---- reading ----------------------------------------------------------------------------------
 */

static const char *const types[] = { "dir", "file", "link", "fifo" };

static int decode_type(struct json_decoder *d, const struct json_node *v,
		       const struct json_field *f, void *out)
{
	const char *text = node_string(v, NULL);
	(void)f;
	for (size_t i = 0; text && i < COUNT(types); i++)
		if (strcmp(types[i], text) == 0) {
			*(int32_t *)out = (int32_t)i;
			return 0;
		}
	return json_expected(d, "dir, file, link or fifo");
}

static int decode_escaped(struct json_decoder *d, const struct json_node *v,
			  const struct json_field *f, void *out)
{
	TRY(decode_string(d, v, f, out));
	return decode_bytes(*(char **)out) ? 0 : json_expected(d, "%%XX behind each %%");
}

/* Relative, and every part of it a plain name. */
static bool is_plain_path(const char *path)
{
	if (!*path || strlen(path) >= PATH_MAX)
		return false;
	for (const char *at = path;; at++) {
		size_t n = strcspn(at, "/");
		if (n == 0 || n > NAME_MAX || (n == 1 && at[0] == '.') ||
		    (n == 2 && at[0] == '.' && at[1] == '.'))
			return false;
		at += n;
		if (!*at)
			return true;
	}
}

static int decode_path(struct json_decoder *d, const struct json_node *v,
		       const struct json_field *f, void *out)
{
	TRY(decode_escaped(d, v, f, out));
	return is_plain_path(*(char **)out) ? 0 : json_expected(d, "a path inside the volume");
}

static int decode_hash(struct json_decoder *d, const struct json_node *v,
		       const struct json_field *f, void *out)
{
	TRY(decode_string(d, v, f, out));
	const char *text = *(char **)out;
	return strlen(text) == 64 && strspn(text, "0123456789abcdef") == 64
		       ? 0
		       : json_expected(d, "64 lower-case hex digits");
}

static const struct json_field xattr_fields[] = {
	REQUIRED("name", decode_string, struct xattr, name),
	REQUIRED("value", decode_string, struct xattr, value),
	FIELDS_END,
};
static const struct json_elements xattr_elements = {
	.element_size = sizeof(struct xattr),
	.decode = decode_object,
	.detail = xattr_fields,
};

static const struct json_field entry_fields[] = {
	FIELD("path", decode_path, struct entry, path),
	REQUIRED("type", decode_type, struct entry, type),
	REQUIRED_RANGE("mode", decode_u32, struct entry, mode, 0, 07777),
	REQUIRED("uid", decode_u32, struct entry, uid),
	REQUIRED("gid", decode_u32, struct entry, gid),
	REQUIRED("mtime_s", decode_i64, struct entry, mtime_s),
	FIELD_RANGE("mtime_ns", decode_u32, struct entry, mtime_ns, 0, 999999999),
	FIELD("size", decode_u64, struct entry, size),
	FIELD("sha256", decode_hash, struct entry, sha256),
	FIELD("target", decode_escaped, struct entry, target),
	FIELD("hardlink", decode_path, struct entry, hardlink),
	FIELD_IN("xattrs", decode_array, struct entry, xattrs, &xattr_elements),
	FIELDS_END,
};
static const struct json_elements entry_elements = {
	.element_size = sizeof(struct entry),
	.decode = decode_object,
	.detail = entry_fields,
};

struct document {
	uint32_t version;
	struct manifest m;
};

static const struct json_field fields[] = {
	REQUIRED_RANGE("version", decode_u32, struct document, version, VERSION, VERSION),
	REQUIRED_IN("root", decode_object, struct document, m.root, entry_fields),
	REQUIRED_IN("entries", decode_array, struct document, m.entries, &entry_elements),
	FIELDS_END,
};

static int check(const struct entry *e, size_t i, struct csn_error *err)
{
	if (!e->path)
		return fail(err, EINVAL, MANIFEST_KEY ": entries[%zu]: expected a path", i);
	if (e->type == ENTRY_FILE && e->size && !e->sha256 && !e->hardlink)
		return fail(err, EINVAL, MANIFEST_KEY ": entries[%zu]: expected a sha256", i);
	if (e->type == ENTRY_LINK && (!e->target || !*e->target))
		return fail(err, EINVAL, MANIFEST_KEY ": entries[%zu]: expected a target", i);
	return 0;
}

int manifest_parse(const char *text, size_t size, struct manifest *ret, struct arena *arena,
		   struct csn_error *err)
{
	struct document d = { 0 };
	TRY(json_decode(text, size, MANIFEST_KEY, fields, &d, arena, err));
	for (size_t i = 0; i < d.m.entries.count; i++)
		TRY(check(&d.m.entries.items[i], i, err));
	*ret = d.m;
	return 0;
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static void put_entry(struct json_out *o, const char *key, const struct entry *e)
{
	json_open_object(o, key);
	if (e->path)
		put_bytes(o, "path", e->path);
	json_put_string(o, "type", types[e->type]);
	json_put_u64(o, "mode", e->mode);
	json_put_u64(o, "uid", e->uid);
	json_put_u64(o, "gid", e->gid);
	json_put_i64(o, "mtime_s", e->mtime_s);
	json_put_u64(o, "mtime_ns", e->mtime_ns);
	if (e->type == ENTRY_FILE)
		json_put_u64(o, "size", e->size);
	if (e->sha256)
		json_put_string(o, "sha256", e->sha256);
	if (e->target)
		put_bytes(o, "target", e->target);
	if (e->hardlink)
		put_bytes(o, "hardlink", e->hardlink);
	if (e->xattrs.count) {
		json_open_array(o, "xattrs");
		for (size_t i = 0; i < e->xattrs.count; i++) {
			json_open_object(o, NULL);
			json_put_string(o, "name", e->xattrs.items[i].name);
			json_put_string(o, "value", e->xattrs.items[i].value);
			json_close_object(o);
		}
		json_close_array(o);
	}
	json_close_object(o);
}

int manifest_print(const struct manifest *m, char **ret, struct csn_error *err)
{
	struct json_out o = JSON_OUT_COMPACT;
	json_open_object(&o, NULL);
	json_put_u64(&o, "version", VERSION);
	put_entry(&o, "root", &m->root);
	json_open_array(&o, "entries");
	for (size_t i = 0; i < m->entries.count; i++)
		put_entry(&o, NULL, &m->entries.items[i]);
	json_close_array(&o);
	json_close_object(&o);
	return json_out_take(&o, ret, err);
}

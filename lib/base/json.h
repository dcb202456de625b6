/*
 * JSON in and out. The only place that knows jansson.
 *
 * Reading is by tables: a struct json_field per member, decoders that know the member's kind, and
 * errors that name the dotted path: "config.json: process.user.uid: expected an integer from 0 to
 * 4294967295". Unknown members are ignored (or refused: json_decode_strict), duplicate ones
 * refused, null counts as absent. Integers up to UINT64_MAX are exact (jansson 2.14 refuses those
 * above INT64_MAX: json.c passes over the text first).
 *
 * Writing is a small appending writer that owns its buffer and remembers the first failure.
 */
#ifndef CSN_BASE_JSON_H
#define CSN_BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "caisson.h"

/* ---- reading --------------------------------------------------------------------------------- */

struct json_node; /* one value of a parsed document (opaque) */

/* What a decoder needs: where to allocate, how to say where it is. */
struct json_decoder {
	struct arena *arena;
	struct csn_error *err;
	const char *name; /* of the document, in front of every error */
	char path[256];	  /* "process.user.uid", "mounts[2].options" */
	bool strict;	  /* a member that no row names is an error */
};

struct json_field;
typedef int json_decode_fn(struct json_decoder *d, const struct json_node *v,
			   const struct json_field *f, void *out);

enum json_presence { JSON_OPTIONAL, JSON_REQUIRED };

struct json_field {
	const char *name;
	json_decode_fn *decode; /* out is the struct's address + offset */
	size_t offset;
	const void *detail; /* decode_object: the fields; decode_array: a struct json_elements; … */
	enum json_presence presence;
	int64_t min; /* integers: both 0 = the type's own range */
	uint64_t max;
};

/* Elements of an array of objects or scalars: out is { void *items; size_t count; [bool set;] }
 * exactly in the shape of "T *items; size_t count". */
struct json_elements {
	size_t element_size;
	json_decode_fn *decode;
	const void *detail; /* for the element's decoder */
	int64_t min;
	uint64_t max;
};

/* Decoders. The type after each is what out points to. */
json_decode_fn decode_bool;	  /* bool */
json_decode_fn decode_opt_bool;	  /* { bool set; bool value; } */
json_decode_fn decode_i32;	  /* int32_t */
json_decode_fn decode_u32;	  /* uint32_t */
json_decode_fn decode_i64;	  /* int64_t */
json_decode_fn decode_u64;	  /* uint64_t */
json_decode_fn decode_opt_u32;	  /* { bool set; uint32_t value; } */
json_decode_fn decode_opt_i64;	  /* { bool set; int64_t value; } */
json_decode_fn decode_opt_u64;	  /* { bool set; uint64_t value; } */
json_decode_fn decode_double;	  /* double; any number */
json_decode_fn decode_string;	  /* char *; no NUL bytes inside */
json_decode_fn decode_text;	  /* char *; "" becomes NULL */
json_decode_fn decode_abs_path;	  /* char *; must start with '/' */
json_decode_fn decode_strings;	  /* { char **items; size_t count; bool set; } NULL-terminated */
json_decode_fn decode_map;	  /* { {char *key, *value;} *items; size_t count; bool set; } */
json_decode_fn decode_object;	  /* a struct, fields in detail */
json_decode_fn decode_set_object; /* a struct whose first member is "bool set", fields in detail */
json_decode_fn decode_array;	  /* { T *items; size_t count; }, detail = struct json_elements */

/* A row: FIELD("cwd", decode_abs_path, struct spec_process, cwd) and its variants. */
#define FIELD(name, decode, type, member)                                                          \
	{                                                                                          \
		name, decode, offsetof(type, member), NULL, 0, 0, 0                                \
	}
#define FIELD_IN(name, decode, type, member, detail)                                               \
	{                                                                                          \
		name, decode, offsetof(type, member), detail, 0, 0, 0                              \
	}
#define FIELD_RANGE(name, decode, type, member, min, max)                                          \
	{                                                                                          \
		name, decode, offsetof(type, member), NULL, 0, min, max                            \
	}
#define REQUIRED(name, decode, type, member)                                                       \
	{                                                                                          \
		name, decode, offsetof(type, member), NULL, JSON_REQUIRED, 0, 0                    \
	}
#define REQUIRED_RANGE(name, decode, type, member, min, max)                                       \
	{                                                                                          \
		name, decode, offsetof(type, member), NULL, JSON_REQUIRED, min, max                \
	}
#define REQUIRED_IN(name, decode, type, member, detail)                                            \
	{                                                                                          \
		name, decode, offsetof(type, member), detail, JSON_REQUIRED, 0, 0                  \
	}
#define FIELDS_END                                                                                 \
	{                                                                                          \
		NULL, NULL, 0, NULL, 0, 0, 0                                                       \
	}

/*
 * Parses a whole document (an object, or an array with an array decoder) and decodes it into out.
 * Strings and arrays go to the arena. On failure out may be partly filled; free the arena.
 */
int json_decode(const char *text, size_t size, const char *name, const struct json_field *fields,
		void *out, struct arena *arena, struct csn_error *err);
/* The same, and a member that the tables do not name is an error that names it. */
int json_decode_strict(const char *text, size_t size, const char *name,
		       const struct json_field *fields, void *out, struct arena *arena,
		       struct csn_error *err);
/* A document whose outermost value is decoded by that function; unknown members are errors. */
int json_decode_value(const char *text, size_t size, const char *name, json_decode_fn *decode,
		      void *out, struct arena *arena, struct csn_error *err);
/* A document that is an array: each element decoded as array says into {items, count} at out. */
int json_decode_array(const char *text, size_t size, const char *name,
		      const struct json_elements *array, void *out, struct arena *arena,
		      struct csn_error *err);

/* From now on what was parsed is overwritten when it is freed: for programs that parse secrets. */
void json_wipe_memory(void);

/* Inside a custom decoder: words "name: path: expected …" and returns -EINVAL. */
int json_expected(struct json_decoder *d, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Inside a custom decoder whose arena gave NULL: words it and returns -ENOMEM. */
int json_out_of_memory(struct json_decoder *d);
/* Decodes the members of object v by table (what decode_object does). */
int json_decode_fields(struct json_decoder *d, const struct json_node *v,
		       const struct json_field *fields, void *out);
/* Looking around by hand: NULL / false when v is not of that kind or the member is absent. */
const struct json_node *node_member(const struct json_node *v, const char *name);
bool node_is_object(const struct json_node *v);
bool node_is_array(const struct json_node *v);
bool node_is_string(const struct json_node *v);
size_t node_count(const struct json_node *v);	/* elements of an array */
size_t node_members(const struct json_node *v); /* members of an object */
const struct json_node *node_at(const struct json_node *v, size_t index);
const char *node_string(const struct json_node *v, size_t *ret_len);
/* Calls fn for each member in document order; stops at the first negative result. */
int node_each_member(const struct json_node *v,
		     int (*fn)(void *data, const char *key, const struct json_node *member),
		     void *data);
/* The value as compact text with the members of objects in order of their names; malloc'd, NULL
 * without memory. */
char *node_text(const struct json_node *v);
/* Runs decode on v with ".key" or "[index]" added to the path. */
int json_decode_member(struct json_decoder *d, const char *key, const struct json_node *v,
		       const struct json_field *f, void *out);

/* ---- writing --------------------------------------------------------------------------------- */

struct json_out {
	char *text; /* malloc'd, NUL-terminated */
	size_t size, capacity;
	int depth;
	bool comma;	    /* the next member needs one */
	bool failed;	    /* out of memory: json_out_take gives -ENOMEM */
	const char *indent; /* NULL: compact; "  ", "\t": one step of indentation */
};
#define JSON_OUT_COMPACT                                                                           \
	{                                                                                          \
		.indent = NULL                                                                     \
	}
#define JSON_OUT_INDENT(step)                                                                      \
	{                                                                                          \
		.indent = (step)                                                                   \
	}

/* key is NULL for array elements and the top level. */
void json_open_object(struct json_out *o, const char *key);
void json_close_object(struct json_out *o);
void json_open_array(struct json_out *o, const char *key);
void json_close_array(struct json_out *o);
void json_put_string(struct json_out *o, const char *key, const char *value); /* NULL: null */
void json_put_bytes(struct json_out *o, const char *key, const char *bytes, size_t size);
void json_put_i64(struct json_out *o, const char *key, int64_t value);
void json_put_u64(struct json_out *o, const char *key, uint64_t value);
void json_put_bool(struct json_out *o, const char *key, bool value);
void json_put_null(struct json_out *o, const char *key);
void json_put_double(struct json_out *o, const char *key, double value);
/* Text that is JSON already. */
void json_put_raw(struct json_out *o, const char *key, const char *json);
/* Gives the text away (0) or -ENOMEM; the writer is empty afterwards. Invalid UTF-8 in strings
 * was replaced by U+FFFD. */
int json_out_take(struct json_out *o, char **ret, struct csn_error *err);
void json_out_done(struct json_out *o);

/* ---- editing --------------------------------------------------------------------------------- */

/* text, which is valid, with the value of one member replaced by JSON; path names it from the
 * outermost object on and ends with NULL. Every other byte stays. *ret is malloc'd. -ENOENT. */
int json_replace(const char *text, const char *const path[], const char *value, char **ret,
		 struct csn_error *err);

#endif

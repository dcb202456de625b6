/*
 * A YAML document is loaded as a graph of nodes, which is walked into the JSON writer. Aliases make
 * the graph small and the text large: the walk stops at a limit of bytes and of depth.
 */
#include "base/yaml.h"

#include <errno.h>
#include <string.h>
#include <yaml.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/json.h"

#define DEPTH_MAX 64

struct walk {
	yaml_document_t *document;
	struct json_out out;
	const char *name;
	struct csn_error *err;
};

static int fail_at(const struct walk *w, const yaml_node_t *node, const char *what)
{
	return fail(w->err, EINVAL, "%s: line %zu, column %zu: %s", w->name,
		    node->start_mark.line + 1, node->start_mark.column + 1, what);
}

/* ---- scalars -----------------------------------------------------------------------------------
 */

static bool is_one_of(const char *text, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(*words, text) == 0)
			return true;
	return false;
}

static size_t digits(const char *text)
{
	return strspn(text, "0123456789");
}

/* A number that JSON writes the same way: -?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)? */
static bool is_json_number(const char *at)
{
	at += *at == '-';
	size_t n = digits(at);
	if (n == 0 || (n > 1 && at[0] == '0'))
		return false;
	at += n;
	if (*at == '.') {
		n = digits(++at);
		if (n == 0)
			return false;
		at += n;
	}
	if (*at == 'e' || *at == 'E') {
		at++;
		at += *at == '-' || *at == '+';
		n = digits(at);
		if (n == 0)
			return false;
		at += n;
	}
	return *at == '\0';
}

static void put_scalar(struct walk *w, const char *key, const yaml_node_t *node)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL", NULL };
	static const char *const trues[] = { "true", "True", "TRUE", NULL };
	static const char *const falses[] = { "false", "False", "FALSE", NULL };
	const char *text = (const char *)node->data.scalar.value;
	size_t size = node->data.scalar.length;
	bool plain = node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && strlen(text) == size;

	if (plain && is_one_of(text, nulls))
		json_put_null(&w->out, key);
	else if (plain && is_one_of(text, trues))
		json_put_bool(&w->out, key, true);
	else if (plain && is_one_of(text, falses))
		json_put_bool(&w->out, key, false);
	else if (plain && is_json_number(text))
		json_put_raw(&w->out, key, text);
	else
		json_put_bytes(&w->out, key, text, size);
}

/* ---- the walk ----------------------------------------------------------------------------------
 */

static int put_node(struct walk *w, const char *key, int index, int depth);

static int put_sequence(struct walk *w, const char *key, const yaml_node_t *node, int depth)
{
	json_open_array(&w->out, key);
	for (yaml_node_item_t *i = node->data.sequence.items.start;
	     i < node->data.sequence.items.top; i++)
		TRY(put_node(w, NULL, *i, depth));
	json_close_array(&w->out);
	return 0;
}

static int put_mapping(struct walk *w, const char *key, const yaml_node_t *node, int depth)
{
	json_open_object(&w->out, key);
	for (yaml_node_pair_t *i = node->data.mapping.pairs.start; i < node->data.mapping.pairs.top;
	     i++) {
		const yaml_node_t *name = yaml_document_get_node(w->document, i->key);
		if (name->type != YAML_SCALAR_NODE ||
		    strlen((const char *)name->data.scalar.value) != name->data.scalar.length)
			return fail_at(w, name, "a key must be a plain text");
		TRY(put_node(w, (const char *)name->data.scalar.value, i->value, depth));
	}
	json_close_object(&w->out);
	return 0;
}

static int put_node(struct walk *w, const char *key, int index, int depth)
{
	const yaml_node_t *node = yaml_document_get_node(w->document, index);
	if (depth > DEPTH_MAX)
		return fail_at(w, node, "nested too deeply");
	if (w->out.size > YAML_JSON_MAX)
		return fail_at(w, node, "too large (anchors that repeat each other?)");
	switch (node->type) {
	case YAML_SEQUENCE_NODE:
		return put_sequence(w, key, node, depth + 1);
	case YAML_MAPPING_NODE:
		return put_mapping(w, key, node, depth + 1);
	default:
		put_scalar(w, key, node);
		return 0;
	}
}

static int load(yaml_parser_t *parser, yaml_document_t *ret, const char *name,
		struct csn_error *err)
{
	if (yaml_parser_load(parser, ret))
		return 0;
	if (parser->error == YAML_MEMORY_ERROR)
		return fail(err, ENOMEM, "out of memory");
	return fail(err, EINVAL, "%s: line %zu, column %zu: %s", name,
		    parser->problem_mark.line + 1, parser->problem_mark.column + 1,
		    parser->problem ? parser->problem : "no YAML");
}

/* Nothing may follow the first document. */
static int check_end(yaml_parser_t *parser, const char *name, struct csn_error *err)
{
	yaml_document_t AUTO(yaml_document_delete)
	next;
	memset(&next, 0, sizeof next);
	TRY(load(parser, &next, name, err));
	if (yaml_document_get_root_node(&next))
		return fail(err, EINVAL, "%s: expected one YAML document, not several", name);
	return 0;
}

static int convert(yaml_parser_t *parser, const char *name, char **ret, size_t *ret_size,
		   struct csn_error *err)
{
	yaml_document_t AUTO(yaml_document_delete)
	document;
	struct walk w = { &document, JSON_OUT_COMPACT, name, err };

	memset(&document, 0, sizeof document);
	TRY(load(parser, &document, name, err));
	if (!yaml_document_get_root_node(&document))
		return fail(err, EINVAL, "%s: it is empty", name);
	int r = put_node(&w, NULL, 1, 0); /* the root is the first node */
	if (r == 0)
		r = check_end(parser, name, err);
	if (r < 0) {
		json_out_done(&w.out);
		return r;
	}
	*ret_size = w.out.size;
	return json_out_take(&w.out, ret, err);
}

int yaml_to_json(const char *text, size_t size, const char *name, char **ret, size_t *ret_size,
		 struct csn_error *err)
{
	yaml_parser_t parser;
	if (!yaml_parser_initialize(&parser))
		return fail(err, ENOMEM, "out of memory");
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	int r = convert(&parser, name, ret, ret_size, err);
	yaml_parser_delete(&parser);
	return r;
}

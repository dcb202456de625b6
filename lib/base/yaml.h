/*
 * YAML as JSON text, so that one set of tables decodes both. The only place that knows libyaml.
 *
 * Plain scalars are read by YAML 1.2's core schema (null, true, false, numbers); quoted ones are
 * strings. Anchors and aliases are resolved, within a limit on the result. Keys must be scalars; a
 * duplicate one is refused when the JSON is read. Exactly one document.
 */
#ifndef CSN_BASE_YAML_H
#define CSN_BASE_YAML_H

#include <stddef.h>

#include "caisson.h"

#define YAML_JSON_MAX (4 << 20) /* bytes of the result */

/* malloc'd. name stands in front of errors, which tell line and column. */
int yaml_to_json(const char *text, size_t size, const char *name, char **ret, size_t *ret_size,
		 struct csn_error *err);

#endif

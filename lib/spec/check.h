/* What the rules of check*.c share. Inside lib/spec only. */
#ifndef CSN_SPEC_CHECK_H
#define CSN_SPEC_CHECK_H

#include "spec/spec.h"

/* One document under examination; name is what failures call it. */
struct check {
	const struct spec *spec;
	const char *name;
	struct csn_error *err;
};
typedef int check_fn(const struct check *c);

/* "config.json: mounts[0]: …": -EINVAL. */
int check_failed(const struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
#define bad check_failed

static inline bool has_namespace(const struct check *c, enum spec_namespace_kind kind)
{
	return c->spec->linux_.namespaces[kind].present;
}

static inline bool new_namespace(const struct check *c, enum spec_namespace_kind kind)
{
	return has_namespace(c, kind) && !c->spec->linux_.namespaces[kind].path;
}

/* check_mounts.c */
check_fn check_each_mount, check_mounts, check_userns, check_time;

#endif

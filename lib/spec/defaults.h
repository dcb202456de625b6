/* What a container gets when nobody says otherwise: shared by the template and libcaisson. */
#ifndef CSN_SPEC_DEFAULTS_H
#define CSN_SPEC_DEFAULTS_H

struct json_out;

extern const char *const spec_masked_paths[];	/* NULL-terminated */
extern const char *const spec_readonly_paths[]; /* NULL-terminated */

/* The seven standard mounts as elements of an open "mounts" array. */
void spec_put_default_mounts(struct json_out *o);

#endif

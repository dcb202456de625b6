/* caisson-image, split by subject: image.c has the store's commands, image_remote.c the
 * registry's. */
#ifndef CSN_BIN_IMAGE_H
#define CSN_BIN_IMAGE_H

#include "base/json.h"
#include "bin/opts.h"
#include "image/image.h"

/* ---- image.c --------------------------------------------------------------------------------- */

/* JSON lines: open, put members, end. */
void line_open(struct json_out *o, const char *type);
void line_end(struct json_out *o);
/* The error line; the exit status. */
int line_error(const struct csn_error *err);
/* What a layer or blob is at: "download", "unpack", "done", "exists", "upload"; or NULL. */
void line_progress(const char *layer, const char *action, uint64_t bytes, uint64_t total);
/* Progress, warnings, interruption. */
struct image_events standard_events(void);
/* Opens the store, runs one operation of it, prints the images that it gives. */
int with_store(int (*run)(struct image_store *s, char **argv, struct image_list *ret,
			  struct csn_error *err),
	       char **argv);

/* --root */
const char *image_root(void);

/* ---- image_container.c ----------------------------------------------------------------------- */

extern const struct command image_export_command, image_commit_command;

/* ---- image_files.c ----------------------------------------------------------------------------
 */

extern const struct command image_head_command, image_get_command, image_put_command,
	image_changes_command;

/* ---- image_local.c --------------------------------------------------------------------------- */

extern const struct command image_tag_command, image_verify_command, image_inspect_command,
	image_save_command, image_usage_command;

/* ---- image_remote.c -------------------------------------------------------------------------- */

extern const struct command image_pull_command, image_push_command, image_login_command,
	image_logout_command;

#endif

/*
 * caisson-image: files of a container, and of the host for copies between both.
 *
 * The root is descriptor 3; or it is the overlay of a container that does not run, mounted here and
 * nowhere else, while descriptor 3 holds that container's lock. Archives go through descriptor 0.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/overlay.h"
#include "bin/image.h"
#include "image/files.h"

enum { ROOT_FD = 3 };

static struct {
	const char *upper, *work, *target, *as;
	struct opt_list layers, skip;
	int uid, gid;
	bool keep_kinds, keep_owners;
} arg;

/* ---- the root ---------------------------------------------------------------------------------
 */

static char *const *texts(const struct opt_list *l)
{
	return (char *const *)(uintptr_t)l->items;
}

static int mount_layers(const char *upper, const char *work, struct csn_error *err)
{
	auto_fd root = open(image_root(), O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return fail_errno(err, "%s", image_root());
	if (arg.layers.count == 1 && !upper) {
		int fd = openat(root, arg.layers.items[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return fd < 0 ? fail_errno(err, "open %s", arg.layers.items[0]) : fd;
	}
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fail_errno(err, "make a mount namespace");
	const struct overlay o = { .root = image_root(),
				   .layers = texts(&arg.layers),
				   .layers_count = arg.layers.count,
				   .upper = upper,
				   .work = work,
				   .target = arg.target };
	int fd = overlay_mount(&o);
	return fd < 0 ? fail(err, -fd, "mount the container's files: %s", strerror(-fd)) : fd;
}

static int open_root(struct csn_error *err)
{
	if (!arg.upper) {
		int fd = fcntl(ROOT_FD, F_DUPFD_CLOEXEC, 4);
		return fd < 0 ? fail_errno(err, "the root") : fd;
	}
	return mount_layers(arg.upper, arg.work, err);
}

static int end(int r, const struct csn_error *err)
{
	if (r < 0)
		return line_error(err);
	struct json_out o = JSON_OUT_COMPACT;
	line_open(&o, "result");
	line_end(&o);
	return 0;
}

/* ---- head -------------------------------------------------------------------------------------
 */

/* Any bytes, in digits. */
static void put_hex(struct json_out *o, const char *key, const char *bytes)
{
	char text[2 * 4096 + 1] = "";
	for (size_t i = 0; bytes[i] && i < 4096; i++)
		(void)snprintf(text + 2 * i, 3, "%02x", (unsigned char)bytes[i]);
	json_put_string(o, key, text);
}

static int put_head(int fd, const char *name, struct csn_error *err)
{
	struct json_out document = JSON_OUT_COMPACT, o = JSON_OUT_COMPACT;
	struct stat st;
	char link[4096] = "";
	auto_mem char *text = NULL;
	if (fstat(fd, &st) < 0)
		return fail_errno(err, "stat");
	ssize_t n = S_ISLNK(st.st_mode) ? readlinkat(fd, "", link, sizeof link - 1) : 0;
	if (n < 0)
		return fail_errno(err, "read the link");
	json_open_object(&document, NULL);
	put_hex(&document, "name", name[0] ? name : "/");
	put_hex(&document, "link", link);
	json_put_i64(&document, "size", st.st_size);
	json_put_u64(&document, "mode", st.st_mode);
	json_put_i64(&document, "mtime_ns",
		     (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec);
	json_close_object(&document);
	TRY(json_out_take(&document, &text, err));
	line_open(&o, "document");
	json_put_string(&o, "document", text);
	line_end(&o);
	return 0;
}

static int cmd_head(int argc, char **argv)
{
	char name[FILES_NAME_MAX];
	struct csn_error err = { 0 };
	auto_fd file = -1;
	(void)argc;
	auto_fd root = open_root(&err);
	int r = root;
	if (r >= 0)
		r = files_open(root, argv[0], &file, name, &err);
	if (r >= 0)
		r = put_head(file, name, &err);
	return end(r, &err);
}

/* ---- get and put ------------------------------------------------------------------------------
 */

static int cmd_get(int argc, char **argv)
{
	const struct image_events events = standard_events();
	struct csn_error err = { 0 };
	(void)argc;
	auto_fd root = open_root(&err);
	int r = root < 0 ? root : files_get(root, argv[0], arg.as, STDIN_FILENO, &events, &err);
	return end(r, &err);
}

static int cmd_put(int argc, char **argv)
{
	const struct files_put o = { .keep_kinds = arg.keep_kinds,
				     .keep_owners = arg.keep_owners,
				     .uid = (uint32_t)arg.uid,
				     .gid = (uint32_t)arg.gid };
	struct csn_error err = { 0 };
	(void)argc;
	auto_fd root = open_root(&err);
	int r = root < 0 ? root : files_put(root, argv[0], STDIN_FILENO, &o, &err);
	return end(r, &err);
}

/* ---- changes ----------------------------------------------------------------------------------
 */

static int tell(void *data, const char *path, char kind)
{
	const char action[] = { kind, '\0' };
	struct json_out o = JSON_OUT_COMPACT;
	(void)data;
	line_open(&o, "progress");
	put_hex(&o, "layer", path);
	json_put_string(&o, "action", action);
	line_end(&o);
	return 0;
}

/* Descriptor 3 is the upper directory. */
static int cmd_changes(int argc, char **argv)
{
	struct csn_error err = { 0 };
	(void)argc;
	(void)argv;
	auto_fd lower = mount_layers(NULL, NULL, &err);
	int r = lower < 0 ? lower
			  : files_changes(ROOT_FD, lower, texts(&arg.skip), arg.skip.count, tell,
					  NULL, &err);
	return end(r, &err);
}

static const struct opt *options(void)
{
	static const struct opt rows[] = {
		{ 0, "layer", "DIR", "of the image, the lowest first; may be repeated", OPT_LIST,
		  &arg.layers },
		{ 0, "upper", "DIR", "where the container's own files are", OPT_TEXT, &arg.upper },
		{ 0, "work", "DIR", "what overlayfs works in", OPT_TEXT, &arg.work },
		{ 0, "target", "DIR", "an empty directory to mount on", OPT_TEXT, &arg.target },
		{ 0, "skip", "PATH", "where something was mounted; may be repeated", OPT_LIST,
		  &arg.skip },
		{ 0, "as", "NAME", "get: instead of the file's own", OPT_TEXT, &arg.as },
		{ 0, "uid", "N", "put: whose the files are", OPT_INT, &arg.uid },
		{ 0, "gid", "N", "put: their group", OPT_INT, &arg.gid },
		{ 0, "keep-owners", NULL, "put: as the archive says", OPT_FLAG, &arg.keep_owners },
		{ 0, "keep-kinds", NULL, "put: directories do not replace files, nor files them",
		  OPT_FLAG, &arg.keep_kinds },
		{ 0 },
	};
	return rows;
}

const struct command image_head_command = { "files-head", "PATH",  "tell about a file", 1, 1,
					    options,	  cmd_head };
const struct command image_get_command = { "files-get", "PATH",	 "archive files", 1,
					   1,		options, cmd_get };
const struct command image_put_command = {
	"files-put", "PATH", "unpack an archive into a directory", 1, 1, options, cmd_put
};
const struct command image_changes_command = {
	"files-changes", NULL, "tell what a container changed", 0, 0, options, cmd_changes
};

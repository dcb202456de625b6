/*
 * Unpacking a layer: reads the tar stream with libarchive, writes with our own writer.
 *
 * libarchive parses headers only; it is given one format (tar) and no filter, and must run in the
 * "C" locale: in a UTF-8 locale it would normalise names. Its complaint that a name cannot be
 * converted is expected then and ignored: the name's bytes are kept as they are.
 *
 * Order: entries as they come; then whiteouts; then the directories' attributes; then the rest of
 * the stream up to its end, which counts for the digest and must be zeros.
 *
 * Bounds: a million entries, as many directories, paths of 4096 bytes and 256 levels; the stream
 * bounds its bytes, libarchive pax headers (1 MiB), attrs.c extended attributes.
 */
#include "image/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "image/whiteout.h"

#define BLOCK 512 /* of tar */

static la_ssize_t read_piece(struct archive *a, void *data, const void **ret)
{
	static const unsigned char padding[BLOCK];
	struct unpack *u = data;
	ssize_t n = u->options.next(u->options.data, ret, &u->stream_error);

	if (n < 0) {
		archive_set_error(a, (int)-n, "%s", u->stream_error.text);
		return -1;
	}
	/* Some tools leave out the padding of the last file and all behind it (umoci's insert): it
	 * is made up here, and looked at when all is read (check_end). */
	if (n == 0 && u->piece_end % BLOCK) {
		u->cut_at = u->piece_end;
		*ret = padding;
		n = (ssize_t)(BLOCK - u->piece_end % BLOCK);
	}
	u->piece = *ret;
	u->piece_start = u->piece_end;
	u->piece_end += (uint64_t)n;
	return n;
}

int unpack_archive_failed(struct unpack *u, struct csn_error *err)
{
	if (u->stream_error.code)
		return fail(err, u->stream_error.code, "%s", u->stream_error.text);

	const char *text = archive_error_string(u->archive);
	if (text && strstr(text, "Unrecognized archive format"))
		return fail(err, EINVAL, "not a tar archive");
	return fail(err, EINVAL, "the tar data is damaged: %s", text ? text : "unknown error");
}

static struct archive *open_archive(struct unpack *u, struct csn_error *err)
{
	struct archive *a = archive_read_new();

	if (!a) {
		(void)fail(err, ENOMEM, "out of memory");
		return NULL;
	}
	u->archive = a;
	if (archive_read_support_format_tar(a) != ARCHIVE_OK ||
	    archive_read_support_format_empty(a) != ARCHIVE_OK ||
	    archive_read_open(a, u, NULL, read_piece, NULL) != ARCHIVE_OK) {
		(void)unpack_archive_failed(u, err);
		return NULL;
	}
	return a;
}

/* 1: an entry, 0: the end. */
static int next_entry(struct unpack *u, struct archive_entry **ret, struct csn_error *err)
{
	int r = archive_read_next_header(u->archive, ret);

	if (r == ARCHIVE_EOF)
		return 0;
	if (r == ARCHIVE_OK)
		return 1;
	const char *text = archive_error_string(u->archive);
	if (r == ARCHIVE_WARN && text && strstr(text, "can't be converted"))
		return 1;
	return unpack_archive_failed(u, err);
}

/* The directory that holds the entry. path is cut at its last slash. */
static int find_parent(struct unpack *u, char *path, struct tree_dir **ret, const char **ret_name,
		       struct csn_error *err)
{
	char *slash = strrchr(path, '/');
	const char *parent = slash ? path : "";
	bool linked = false;

	if (slash)
		*slash = '\0';
	*ret_name = slash ? slash + 1 : path;
	if (u->parent && strcmp(u->parent_path, parent) == 0) {
		*ret = u->parent;
		return 0;
	}
	TRY(tree_walk(&u->tree, parent, TREE_CREATE, ret, &linked, err));
	/* A way through symlinks may lead elsewhere after the next entry: not remembered. */
	u->parent = linked ? NULL : *ret;
	if (!linked)
		(void)strcpy(u->parent_path, parent);
	return 0;
}

/* Records a deletion; whiteout_write puts it onto disk. */
static int note_whiteout(struct unpack *u, char *path, enum whiteout kind, const char *target,
			 struct csn_error *err)
{
	struct tree_dir *dir, *node;
	char *slash = strrchr(path, '/');

	if (slash)
		*slash = '\0';
	int r = tree_walk(&u->tree, slash ? path : "", TREE_FIND, &dir, NULL, err);
	/* Where there is no such directory there is nothing to delete. */
	if (r == -ENOTDIR || (r == 0 && !dir))
		return 0;
	TRY(r);

	if (kind == WHITEOUT_OPAQUE) {
		tree_set_opaque(&u->tree, dir);
		return 0;
	}
	node = tree_child(&u->tree, dir, target);
	if (node && node->whiteout)
		return 0;
	if (node && node->made) {
		tree_set_opaque(&u->tree, node);
		return 0;
	}
	if (node) /* seen below only, by a look-up */
		tree_drop(&u->tree, node);
	TRY(tree_add(&u->tree, dir, target, &node, err));
	node->whiteout = true;
	lower_forget(&u->tree);
	return 0;
}

static int write_entry(struct unpack *u, char *path, struct archive_entry *e, struct csn_error *err)
{
	struct tree_dir *dir;
	const char *name, *target = archive_entry_hardlink(e);

	TRY(find_parent(u, path, &dir, &name, err));
	if (target)
		return writer_link(u, dir, name, target, err);
	if (archive_entry_filetype(e) == AE_IFDIR)
		return writer_dir(u, dir, name, e, err);
	return writer_file(u, dir, name, e, err);
}

static int unpack_entry(struct unpack *u, struct archive_entry *e, struct csn_error *err)
{
	char path[TREE_PATH_MAX + 1];
	const char *given = archive_entry_pathname(e);
	enum whiteout kind;
	const char *target = NULL;

	if (++u->result.entries > UNPACK_ENTRIES_MAX)
		return fail(err, EFBIG, "more than %d entries", UNPACK_ENTRIES_MAX);
	if (!given)
		return fail(err, EINVAL, "an entry without a name");
	if (strlen(given) > TREE_PATH_MAX)
		return fail(err, ENAMETOOLONG, "entry '%.100s…': longer than %d bytes", given,
			    TREE_PATH_MAX);
	(void)strcpy(path, given);

	int r = tree_clean_path(path, err);
	if (r == 0)
		r = whiteout_parse(path, &kind, &target, err);
	if (r == 0 && !path[0] &&
	    (archive_entry_hardlink(e) || archive_entry_filetype(e) != AE_IFDIR))
		r = fail(err, EPERM, "the root directory cannot become something else");
	if (r == 0 && kind == WHITEOUT_NONE)
		r = write_entry(u, path, e, err);
	else if (r == 0 && kind != WHITEOUT_IGNORE)
		r = note_whiteout(u, path, kind, target, err);
	return r < 0 ? within(err, r, "entry '%.200s'", given) : 0;
}

static bool all_zero(const unsigned char *p, size_t size)
{
	return size == 0 || (p[0] == 0 && memcmp(p, p + 1, size - 1) == 0);
}

/* Behind the end of the archive only padding may follow. All of it is read first: that the data is
 * truncated or damaged says more than that it does not end where it should. */
static int drain(struct unpack *u, struct csn_error *err)
{
	uint64_t used = (uint64_t)archive_filter_bytes(u->archive, 0);
	bool clean = used < u->piece_start || used >= u->piece_end ||
		     all_zero(u->piece + (used - u->piece_start), u->piece_end - used);
	const void *data;
	ssize_t n;

	while ((n = u->options.next(u->options.data, &data, err)) > 0)
		clean = clean && all_zero(data, (size_t)n);
	if (n < 0)
		return (int)n;
	if (!clean)
		return fail(err, EINVAL, "there is something else behind the end of the tar data");
	return 0;
}

/* A stream that does not end at the end of a block ended right behind the last file's content, or
 * something of it is missing. */
static int check_end(const struct unpack *u, struct csn_error *err)
{
	if (u->cut_at % BLOCK == 0 || u->cut_at % BLOCK == u->last_size % BLOCK)
		return 0;
	return fail(err, EINVAL, "the tar data is damaged: it ends in the middle of an entry");
}

static int unpack(struct unpack *u, struct csn_error *err)
{
	struct archive_entry *e;
	int r;

	if (!open_archive(u, err))
		return -err->code;
	while ((r = next_entry(u, &e, err)) > 0) {
		u->last_size = (uint64_t)archive_entry_size(e);
		TRY(unpack_entry(u, e, err));
	}
	TRY(r);
	TRY(drain(u, err));
	TRY(check_end(u, err));
	TRY(whiteout_write(&u->tree, err));
	TRY(writer_finish_dirs(u, err));
	u->result.dependent = u->tree.dependent;
	u->result.opaque_root = u->tree.root.opaque;
	return 0;
}

int unpack_layer(const struct unpack_options *o, struct unpack_result *ret, struct csn_error *err)
{
	struct csn_error own;
	auto_mem struct unpack *u = calloc(1, sizeof *u);
	if (!u)
		return fail(err, ENOMEM, "out of memory");
	err = err ? err : &own;

	u->options = *o;
	int r = tree_init(&u->tree, o->fs_dir, err);
	if (r == 0) {
		u->tree.get_lowers = o->get_lowers;
		u->tree.data = o->data;
		r = unpack(u, err);
	}
	if (u->archive)
		(void)archive_read_free(u->archive);
	tree_done(&u->tree);
	if (r == 0)
		*ret = u->result;
	return r;
}

/*
 * Importing: the tar file of a root file system becomes an image of one layer.
 *
 * gzip and zstd are kept as they are, being what layers may be compressed with; xz and bzip2 are
 * undone. The layer's diff_id comes out of the unpacking. "created" is the time of the import, or
 * SOURCE_DATE_EPOCH for those who want the same image every time.
 */
#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "image/change.h"
#include "image/layers.h"
#include "image/load.h"
#include "image/stream.h"

#define READ_SIZE ((size_t)1 << 20)

static void archive_freep(struct archive **a)
{
	if (*a)
		(void)archive_read_free(*a);
}

/* Undoes xz or bzip2 into a new temporary file. */
static int decompress(struct load *l, int from, char ret_temp[32], char ret_digest[DIGEST_TEXT_MAX],
		      uint64_t *ret_size, struct csn_error *err)
{
	AUTO(archive_freep)
	struct archive *a = archive_read_new();
	AUTO(hasher_done)
	struct hasher h = { 0 };
	struct archive_entry *e;
	const void *data;
	size_t size;
	la_int64_t at;
	int r;

	if (!a)
		return fail(err, ENOMEM, "out of memory");
	(void)archive_read_support_filter_xz(a);
	(void)archive_read_support_filter_bzip2(a);
	(void)archive_read_support_format_raw(a);
	auto_fd to = session_temp_file(&l->session, ret_temp, err);
	TRY(to);
	TRY(hasher_init(&h, DIGEST_SHA256, err));

	r = archive_read_open_fd(a, from, READ_SIZE);
	if (r == ARCHIVE_OK)
		r = archive_read_next_header(a, &e);
	*ret_size = 0;
	while (r == ARCHIVE_OK &&
	       (r = archive_read_data_block(a, &data, &size, &at)) == ARCHIVE_OK) {
		TRY(session_check(&l->session, err));
		TRY(hasher_update(&h, data, size, err));
		int w = write_all(to, data, size);
		if (w < 0) {
			errno = -w;
			return fail_errno(err, "write to the image store");
		}
		*ret_size += size;
	}
	if (r != ARCHIVE_EOF)
		return fail(err, EINVAL, "the archive is truncated or damaged: %s",
			    archive_error_string(a));
	return hasher_final(&h, ret_digest, err);
}

/* The file as a blob of the session. */
static int take_file(struct load *l, struct descriptor *ret, struct csn_error *err)
{
	char temp[32], digest[DIGEST_TEXT_MAX];
	bool is_stdin = strcmp(l->options->file, "-") == 0;
	enum compression c;
	struct stat st;

	auto_fd file = is_stdin ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
				: open(l->options->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (file < 0 || fstat(file, &st) < 0)
		return fail_errno(err, "open %s", l->options->file);
	if (!is_stdin && !S_ISREG(st.st_mode))
		return fail(err, EINVAL, "%s: is not a file", l->options->file);
	TRY(copy_to_temp(&l->session, file, DIGEST_SHA256, temp, digest, &ret->size, err));

	auto_fd copy = openat(l->session.dir_fd, temp, O_RDONLY | O_CLOEXEC);
	if (copy < 0)
		return fail_errno(err, "open a temporary file");
	TRY(compression_of_file(copy, &c, err));
	if (c == COMPRESSION_XZ || c == COMPRESSION_BZIP2) {
		(void)unlinkat(l->session.dir_fd, temp, 0);
		TRY(decompress(l, copy, temp, digest, &ret->size, err));
	}
	if (ret->size == 0)
		return fail(err, EINVAL, "the file is empty");
	TRY(session_stage(&l->session, STAGED_BLOB, temp, digest, err));
	ret->digest = arena_strdup(&l->arena, digest);
	if (!ret->digest)
		return fail(err, ENOMEM, "out of memory");
	return load_layer_type(l, ret->digest, &ret->media_type, err);
}

int load_creation_time(char ret[32], struct csn_error *err)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	time_t now = time(NULL);
	struct tm tm;
	char *end;

	if (epoch && *epoch >= '0' && *epoch <= '9') {
		long long t = strtoll(epoch, &end, 10);
		now = *end ? now : (time_t)t;
	}
	if (!gmtime_r(&now, &tm) || !strftime(ret, 32, "%Y-%m-%dT%H:%M:%SZ", &tm))
		return fail(err, EINVAL, "SOURCE_DATE_EPOCH is out of range");
	return 0;
}

static int put_config(struct load *l, const char *diff_id, char **ret_digest, uint64_t *ret_size,
		      struct csn_error *err)
{
	AUTO(json_out_done)
	struct json_out o = JSON_OUT_COMPACT;
	auto_mem char *text = NULL;
	char created[32], digest[DIGEST_TEXT_MAX];
	const char *config = "{}";

	TRY(load_creation_time(created, err));
	TRY(config_change(&config, l->options->changes, l->options->changes_count, &l->arena, err));
	json_open_object(&o, NULL);
	json_put_string(&o, "created", created);
	json_put_string(&o, "architecture", l->platform.architecture);
	if (l->platform.variant)
		json_put_string(&o, "variant", l->platform.variant);
	json_put_string(&o, "os", l->platform.os);
	json_put_raw(&o, "config", config);
	json_open_object(&o, "rootfs");
	json_put_string(&o, "type", "layers");
	json_open_array(&o, "diff_ids");
	json_put_string(&o, NULL, diff_id);
	json_close_array(&o);
	json_close_object(&o);
	json_open_array(&o, "history");
	json_open_object(&o, NULL);
	json_put_string(&o, "created", created);
	json_put_string(&o, "created_by", "caisson import");
	if (l->options->comment)
		json_put_string(&o, "comment", l->options->comment);
	json_close_object(&o);
	json_close_array(&o);
	json_close_object(&o);
	TRY(json_out_take(&o, &text, err));
	TRY(session_put_blob(&l->session, text, strlen(text), digest, err));
	*ret_size = strlen(text);
	*ret_digest = arena_strdup(&l->arena, digest);
	return *ret_digest ? 0 : fail(err, ENOMEM, "out of memory");
}

static int import(struct load *l, const char *reference, struct csn_error *err)
{
	struct descriptor blob = { 0 };
	char *config = NULL;
	uint64_t config_size = 0;

	TRY(take_file(l, &blob, err));
	const struct layer_input in = { .blob = blob.digest, .blob_size = blob.size };
	struct layer_output *out = arena_alloc(&l->arena, sizeof *out);
	if (!out)
		return fail(err, ENOMEM, "out of memory");
	TRY(layers_unpack(&l->session, &in, 1, out, err));
	if (out->entries == 0)
		return fail(err, EINVAL, "no files in it");

	struct found_image f = { .references = &reference, .reference_count = 1 };
	TRY(put_config(l, out->diff_id, &config, &config_size, err));
	TRY(load_make_manifest(l, config, config_size, &blob, 1, &f, err));
	return load_install(l, &f, err);
}

static int find(struct load *l, struct csn_error *err)
{
	const char *reference;

	TRY(load_reference(l, NULL, &reference, err));
	int r = import(l, reference, err);
	return r < 0 ? within(err, r, "%s", l->options->file) : 0;
}

int image_import(struct image_store *s, const struct image_load *l, struct image_list *ret,
		 struct csn_error *err)
{
	return load_run(s, l, find, ret, err);
}

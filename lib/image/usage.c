/* What takes how much room in the store: layers unpacked, blobs as they came, parts of downloads.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "image/download.h"
#include "image/manage.h"

struct sum {
	uint64_t count, size;
};

static void put_sum(struct json_out *o, const char *key, const struct sum *s)
{
	json_open_object(o, key);
	json_put_u64(o, "count", s->count);
	json_put_u64(o, "size_bytes", s->size);
	json_close_object(o);
}

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

/* One that is not there has nothing in it. */
static int open_list(int at, const char *dir, DIR **ret, struct csn_error *err)
{
	int fd = openat(at, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	*ret = fd < 0 ? NULL : fdopendir(fd);
	if (*ret || errno == ENOENT)
		return 0;
	close_fd(&fd);
	return fail_errno(err, "read %s of the image store", dir);
}

/* Files of a directory; those without a mark also into unneeded (may be NULL). */
static int add_files(int at, const char *dir, const char *prefix, const struct marks *m,
		     struct sum *all, struct sum *unneeded, struct csn_error *err)
{
	AUTO(closedirp)
	DIR *d = NULL;
	char name[300];
	struct stat st;

	TRY(open_list(at, dir, &d, err));
	for (struct dirent *e; d && (e = readdir(d));) {
		if (e->d_name[0] == '.' ||
		    fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue;
		uint64_t size = (uint64_t)st.st_blocks * 512;
		(void)snprintf(name, sizeof name, "%s%s", prefix, e->d_name);
		all->count++;
		all->size += size;
		if (unneeded && !marks_have(m, name)) {
			unneeded->count++;
			unneeded->size += size;
		}
	}
	return 0;
}

/* The size that was counted when it was unpacked. */
static uint64_t layer_size(int layers, const char *name)
{
	static const struct json_field fields[] = { { "size", decode_u64, 0 }, { 0 } };
	AUTO(arena_free)
	struct arena arena = { 0 };
	auto_mem char *text = NULL;
	uint64_t size = 0;
	char path[300];
	size_t n;

	(void)snprintf(path, sizeof path, "%s/layer.json", name);
	if (file_read(layers, path, DOCUMENT_MAX, &text, &n, NULL) < 0 ||
	    json_decode(text, n, path, fields, &size, &arena, NULL) < 0)
		return 0;
	return size;
}

static int put_layers(struct image_store *s, const struct marks *m, struct json_out *o,
		      struct csn_error *err)
{
	AUTO(closedirp)
	DIR *d = NULL;

	TRY(open_list(s->root_dir, "layers", &d, err));
	json_open_array(o, "layers");
	for (struct dirent *e; d && (e = readdir(d));) {
		if (e->d_name[0] == '.')
			continue;
		json_open_object(o, NULL);
		json_put_string(o, "name", e->d_name);
		json_put_u64(o, "size_bytes", layer_size(s->layers_dir, e->d_name));
		json_put_bool(o, "needed", marks_have(m, e->d_name));
		json_close_object(o);
	}
	json_close_array(o);
	return 0;
}

int image_usage(struct image_store *s, char **ret, struct csn_error *err)
{
	AUTO(arena_free)
	struct arena arena = { 0 };
	struct marks m AUTO(marks_done) = { .arena = &arena };
	AUTO(json_out_done)
	struct json_out o = JSON_OUT_COMPACT;
	struct sum blobs = { 0 }, unneeded = { 0 }, downloads = { 0 };

	TRY(marks_make(s, NULL, 0, &m, err));
	TRY(add_files(s->blobs_dir, "sha256", "sha256:", &m, &blobs, &unneeded, err));
	TRY(add_files(s->blobs_dir, "sha512", "sha512:", &m, &blobs, &unneeded, err));
	TRY(add_files(s->root_dir, "downloads", "", &m, &downloads, NULL, err));
	json_open_object(&o, NULL);
	TRY(put_layers(s, &m, &o, err));
	put_sum(&o, "blobs", &blobs);
	put_sum(&o, "unneeded_blobs", &unneeded);
	put_sum(&o, "downloads", &downloads);
	json_close_object(&o);
	return json_out_take(&o, ret, err);
}

void image_drop_downloads(struct image_store *s)
{
	downloads_sweep(s, true);
}

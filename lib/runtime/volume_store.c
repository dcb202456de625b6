/*
 * One volume on disk: made and removed by a rename, filled so that all or nothing appears
 * (volumes.h has the files).
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/utc.h"
#include "runtime/volumes.h"

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define RECORD_MAX (1 << 20)

int volume_check_name(const char *name, struct csn_error *err)
{
	size_t n = strlen(name);
	if (n >= 1 && n <= 128 && strspn(name, NAME_CHARS "_.-") == n &&
	    strchr(NAME_CHARS, name[0]))
		return 0;
	return fail(err, EINVAL,
		    "volume \"%.200s\": expected 1 to 128 of [a-zA-Z0-9_.-], first a letter or "
		    "digit",
		    name);
}

int volumes_open(const struct csn_runtime *rt, struct csn_error *err)
{
	if (mkdirat(rt->root_dir, "volumes", 0711) < 0 && errno != EEXIST)
		return fail_errno(err, "make directory volumes");
	int fd = openat(rt->root_dir, "volumes", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? fail_errno(err, "open directory volumes") : fd;
}

static int open_dir(int dir, const char *name)
{
	int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int volume_open(const struct csn_runtime *rt, const char *name, struct csn_error *err)
{
	TRY(volume_check_name(name, err));
	auto_fd dir = volumes_open(rt, err);
	if (dir < 0)
		return dir;
	int fd = open_dir(dir, name);
	if (fd == -ENOENT)
		return fail(err, ENOENT, "volume \"%s\" does not exist", name);
	return fd < 0 ? fail(err, -fd, "volume \"%s\": %s", name, strerror(-fd)) : fd;
}

/* ---- its record -------------------------------------------------------------------------------
 */

static const struct json_field s3_fields[] = {
	REQUIRED("bucket", decode_string, struct volume_s3, bucket),
	FIELD("prefix", decode_text, struct volume_s3, prefix),
	FIELD("endpoint", decode_text, struct volume_s3, endpoint),
	FIELD("region", decode_text, struct volume_s3, region),
	FIELD("addressing", decode_text, struct volume_s3, addressing),
	FIELD("access_key_id", decode_text, struct volume_s3, access_key_id),
	FIELD("secret_access_key", decode_text, struct volume_s3, secret_access_key),
	FIELD("session_token", decode_text, struct volume_s3, session_token),
	FIELDS_END,
};

static const struct json_field record_fields[] = {
	FIELD("created", decode_text, struct volume_record, created),
	FIELD("labels", decode_map, struct volume_record, labels),
	FIELD("size_bytes", decode_u64, struct volume_record, size_bytes),
	FIELD("anonymous", decode_bool, struct volume_record, anonymous),
	FIELD_IN("s3", decode_set_object, struct volume_record, s3, s3_fields),
	FIELDS_END,
};

int volume_read(int volume, struct volume_record *ret, struct arena *arena, struct csn_error *err)
{
	auto_mem char *text = NULL;
	size_t size;
	*ret = (struct volume_record){ 0 };
	TRY(file_read(volume, "volume.json", RECORD_MAX, &text, &size, err));
	return json_decode(text, size, "volume.json", record_fields, ret, arena, err);
}

static void put_text(struct json_out *o, const char *key, const char *value)
{
	if (value && *value)
		json_put_string(o, key, value);
}

static void put_s3(struct json_out *o, const struct csn_volume_s3 *s3)
{
	json_open_object(o, "s3");
	json_put_string(o, "bucket", s3->bucket);
	put_text(o, "prefix", s3->prefix);
	put_text(o, "endpoint", s3->endpoint);
	put_text(o, "region", s3->region);
	put_text(o, "addressing", s3->addressing);
	put_text(o, "access_key_id", s3->access_key_id);
	put_text(o, "secret_access_key", s3->secret_access_key);
	put_text(o, "session_token", s3->session_token);
	json_close_object(o);
}

static int check_labels(const struct csn_volume_options *v, struct csn_error *err)
{
	for (const char *const *l = v->labels; l && *l; l++)
		if (!**l || **l == '=')
			return fail(err, EINVAL, "label \"%.200s\": expected KEY=value", *l);
	return 0;
}

static int check_s3(const struct csn_volume_s3 *s3, struct csn_error *err)
{
	if (!s3->bucket || !*s3->bucket || strchr(s3->bucket, '/'))
		return fail(err, EINVAL, "s3: bucket \"%.200s\": expected the name of a bucket",
			    s3->bucket ? s3->bucket : "");
	if (!s3->access_key_id != !s3->secret_access_key)
		return fail(err, EINVAL,
			    "s3: expected both an access key id and a secret access "
			    "key, or none");
	if (s3->endpoint && strncmp(s3->endpoint, "http://", 7) != 0 &&
	    strncmp(s3->endpoint, "https://", 8) != 0)
		return fail(err, EINVAL, "s3: endpoint \"%.200s\": expected http:// or https://",
			    s3->endpoint);
	if (s3->addressing && strcmp(s3->addressing, "path") != 0 &&
	    strcmp(s3->addressing, "virtual") != 0)
		return fail(err, EINVAL,
			    "s3: addressing \"%.100s\": expected \"path\" or \"virtual\"",
			    s3->addressing);
	return 0;
}

static int put_record(int dir, const struct csn_volume_options *v, bool anonymous,
		      struct csn_error *err)
{
	struct json_out o = JSON_OUT_COMPACT;
	auto_mem char *text = NULL;
	char created[UTC_SIZE];
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	utc_print(&now, created);

	json_open_object(&o, NULL);
	json_put_string(&o, "created", created);
	json_open_object(&o, "labels");
	for (const char *const *l = v->labels; l && *l; l++) {
		auto_mem char *key = strndup(*l, strcspn(*l, "="));
		const char *value = strchr(*l, '=');
		json_put_string(&o, key ? key : "", value ? value + 1 : "");
	}
	json_close_object(&o);
	if (v->size_bytes)
		json_put_u64(&o, "size_bytes", v->size_bytes);
	json_put_bool(&o, "anonymous", anonymous);
	if (v->s3)
		put_s3(&o, v->s3);
	json_close_object(&o);
	TRY(json_out_take(&o, &text, err));
	/* It may hold a secret. */
	return file_write_atomic(dir, "volume.json", text, strlen(text), 0600, false, err);
}

/* ---- making -----------------------------------------------------------------------------------
 */

static bool same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

/* One that is there is not what was asked for when it is limited or kept otherwise. */
static int check_same(const struct csn_runtime *rt, const char *name,
		      const struct csn_volume_options *v, struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct volume_record is;
	if (!v->size_bytes && !v->s3)
		return 0;
	auto_fd volume = volume_open(rt, name, err);
	if (volume < 0)
		return volume;
	TRY(volume_read(volume, &is, &arena, err));
	if (v->size_bytes && v->size_bytes != is.size_bytes)
		return fail(err, EEXIST, "volume \"%s\" exists with another size", name);
	if (v->s3 && (!is.s3.set || !same_text(v->s3->bucket, is.s3.bucket) ||
		      !same_text(v->s3->prefix, is.s3.prefix) ||
		      !same_text(v->s3->endpoint, is.s3.endpoint)))
		return fail(err, EEXIST, "volume \"%s\" exists and is not kept in bucket \"%s\"",
			    name, v->s3->bucket);
	return 0;
}

/* Everything but its name. */
static int make_unnamed(int dir, const struct csn_volume_options *v, bool anonymous,
			struct csn_error *err)
{
	TRY(put_record(dir, v, anonymous, err));
	/* Whatever the caller's umask is. */
	if (mkdirat(dir, "data", 0755) < 0 || fchmodat(dir, "data", 0755, 0) < 0)
		return fail_errno(err, "make directory data");
	return 0;
}

int volume_make(struct csn_runtime *rt, const char *name, const struct csn_volume_options *options,
		bool anonymous, struct csn_error *err)
{
	struct csn_volume_options v = CSN_VOLUME_OPTIONS_INIT;
	char id[CSN_ID_SIZE];
	TRY(volume_check_name(name, err));
	TRY(take_struct(&v, sizeof v, options, "struct csn_volume_options", err));
	TRY(check_labels(&v, err));
	if (v.size_bytes)
		return fail(err, EOPNOTSUPP, "volume \"%s\": a size cannot be had yet", name);
	struct csn_volume_s3 s3 = CSN_VOLUME_S3_INIT;
	if (v.s3) {
		TRY(take_struct(&s3, sizeof s3, v.s3, "struct csn_volume_s3", err));
		v.s3 = &s3;
		TRY(within(err, check_s3(&s3, err), "volume \"%s\"", name));
	}
	auto_fd volumes = volumes_open(rt, err);
	if (volumes < 0)
		return volumes;
	if (faccessat(volumes, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return check_same(rt, name, &v, err);

	TRY(make_id(id, err));
	auto_fd dir = unfinished_begin(rt, id, err);
	if (dir < 0)
		return dir;
	int r = make_unnamed(dir, &v, anonymous, err);
	if (r == 0 && renameat2(rt->unfinished_dir, id, volumes, name, RENAME_NOREPLACE) == 0)
		return 1;
	bool lost = r == 0 && errno == EEXIST;
	if (r == 0 && !lost)
		r = fail_errno(err, "volume \"%s\"", name);
	(void)remove_tree(rt->unfinished_dir, id, NULL);
	return lost ? check_same(rt, name, &v, err) : r;
}

/* ---- filling ----------------------------------------------------------------------------------
 */

static void close_dirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

static DIR *list_dir(int dir)
{
	int copy = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = copy < 0 ? NULL : fdopendir(copy);
	if (!d)
		close_fd(&copy);
	return d;
}

static bool is_dots(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* -errno, 0: something is in it, 1. */
static int is_empty(int dir)
{
	DIR *d AUTO(close_dirp)
	= list_dir(dir);
	if (!d)
		return -errno;
	for (struct dirent *e; (e = readdir(d));)
		if (!is_dots(e->d_name))
			return 0;
	return 1;
}

int volume_is_empty(int volume)
{
	auto_fd data = open_dir(volume, "data");
	return data < 0 ? data : is_empty(data);
}

/* The directory itself is mounted in containers and stays; its owner and mode are the other's. */
static int take_over(const struct stat *st, int to)
{
	if (fchown(to, st->st_uid, st->st_gid) < 0 || fchmod(to, st->st_mode & 07777) < 0)
		return -errno;
	const struct timespec times[] = { st->st_atim, st->st_mtim };
	return futimens(to, times) < 0 ? -errno : 0;
}

/* Moves what is ready into place. Can be done again at any point. */
static int move_ready(int volume)
{
	struct stat st;
	auto_fd ready = open_dir(volume, "ready");
	if (ready == -ENOENT)
		return 0;
	auto_fd data = open_dir(volume, "data");
	DIR *d AUTO(close_dirp)
	= ready < 0 || fstat(ready, &st) < 0 ? NULL : list_dir(ready);
	if (!d || data < 0)
		return ready < 0 ? ready : data < 0 ? data : -errno;
	for (struct dirent *e; (e = readdir(d));)
		if (!is_dots(e->d_name) && renameat(ready, e->d_name, data, e->d_name) < 0)
			return -errno;
	TRY(take_over(&st, data));
	return unlinkat(volume, "ready", AT_REMOVEDIR) < 0 ? -errno : 0;
}

static int fill_locked(int volume, int (*fill)(void *data, int to, struct csn_error *err),
		       void *data, struct csn_error *err)
{
	TRY(remove_tree(volume, "filling", err));
	int r = move_ready(volume);
	auto_fd now = r < 0 ? r : open_dir(volume, "data");
	r = now < 0 ? now : is_empty(now);
	if (r < 0)
		return fail(err, -r, "fill it: %s", strerror(-r));
	if (r == 0)
		return 0;
	if (mkdirat(volume, "filling", 0755) < 0)
		return fail_errno(err, "make directory filling");
	auto_fd to = open_dir(volume, "filling");
	r = to < 0 ? fail(err, -to, "open directory filling: %s", strerror(-to))
		   : fill(data, to, err);
	if (r <= 0) {
		(void)remove_tree(volume, "filling", NULL);
		return r;
	}
	if (renameat(volume, "filling", volume, "ready") < 0)
		return fail_errno(err, "fill it");
	r = move_ready(volume);
	return r < 0 ? fail(err, -r, "fill it: %s", strerror(-r)) : 1;
}

int volume_fill(int volume, int (*fill)(void *data, int to, struct csn_error *err), void *data,
		struct csn_error *err)
{
	auto_fd lock = lock_dir(volume, LOCK_EX, err);
	return lock < 0 ? lock : fill_locked(volume, fill, data, err);
}

void volume_settle(int volume)
{
	auto_fd lock = lock_dir(volume, LOCK_EX | LOCK_NB, NULL);
	if (lock < 0)
		return;
	(void)move_ready(volume);
	(void)remove_tree(volume, "filling", NULL);
}

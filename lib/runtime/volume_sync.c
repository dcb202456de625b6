/*
 * Volumes that are kept in a bucket: brought there and restored by caisson-volume. The volume is
 * locked meanwhile. Secrets go to that program in a file in memory, never in its arguments.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "runtime/volumes.h"

#define VOLUME_PROGRAM "caisson-volume"
#define ANSWER_MAX     (16 << 10)

/* ---- caisson-volume ---------------------------------------------------------------------------
 */

struct answer {
	char *error;
	int32_t code;
	uint64_t files, moved, bytes, removed;
};

static const struct json_field answer_fields[] = {
	FIELD("error", decode_text, struct answer, error),
	FIELD("code", decode_i32, struct answer, code),
	FIELD("files", decode_u64, struct answer, files),
	FIELD("moved", decode_u64, struct answer, moved),
	FIELD("bytes", decode_u64, struct answer, bytes),
	FIELD("removed", decode_u64, struct answer, removed),
	FIELDS_END,
};

static const char *environment(const char *name)
{
	const char *value = secure_getenv(name);
	return value && *value ? value : NULL;
}

static void put_text(struct json_out *o, const char *key, const char *value)
{
	if (value)
		json_put_string(o, key, value);
}

/* The volume's own credentials, or all three of the caller's: never some of each. */
static void put_config(struct json_out *o, const struct volume_s3 *s3)
{
	const bool own = s3->access_key_id;
	const char *region = s3->region ? s3->region : environment("AWS_REGION");
	json_open_object(o, NULL);
	put_text(o, "bucket", s3->bucket);
	put_text(o, "prefix", s3->prefix);
	put_text(o, "endpoint", s3->endpoint ? s3->endpoint : environment("AWS_ENDPOINT_URL_S3"));
	put_text(o, "region", region ? region : environment("AWS_DEFAULT_REGION"));
	put_text(o, "addressing", s3->addressing);
	put_text(o, "access_key_id", own ? s3->access_key_id : environment("AWS_ACCESS_KEY_ID"));
	put_text(o, "secret_access_key",
		 own ? s3->secret_access_key : environment("AWS_SECRET_ACCESS_KEY"));
	put_text(o, "session_token", own ? s3->session_token : environment("AWS_SESSION_TOKEN"));
	json_close_object(o);
}

static void wipe(char **text)
{
	if (*text)
		explicit_bzero(*text, strlen(*text));
	free(*text);
	*text = NULL;
}

/* The fd of a file in memory. */
static int make_config(const struct volume_s3 *s3, struct csn_error *err)
{
	AUTO(json_out_done)
	struct json_out o = JSON_OUT_COMPACT;
	char *text AUTO(wipe)
	= NULL;
	put_config(&o, s3);
	TRY(json_out_take(&o, &text, err));
	auto_fd fd = memfd_create("caisson-volume", MFD_CLOEXEC);
	if (fd < 0)
		return fail_errno(err, "make a file in memory");
	int r = write_all(fd, text, strlen(text));
	if (r < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return fail(err, EIO, "write a file in memory");
	return take_fd(&fd);
}

static int take_answer(const char *text, size_t size, struct csn_volume_moved *ret,
		       struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct answer a = { 0 };
	TRY(json_decode(text, size, VOLUME_PROGRAM, answer_fields, &a, &arena, err));
	if (a.error)
		return fail(err, a.code > 0 ? a.code : EIO, "%s", a.error);
	*ret = (struct csn_volume_moved){ sizeof *ret, a.files, a.moved, a.bytes, a.removed };
	return 0;
}

static size_t read_all(int fd, char *text, size_t max)
{
	size_t size = 0;
	while (size < max) {
		ssize_t n = read(fd, text + size, max - size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		size += (size_t)n;
	}
	return size;
}

/* verb on the directory dir. */
static int volume_program(struct csn_runtime *rt, const char *verb, int dir,
			  const struct volume_s3 *s3, struct csn_volume_moved *ret,
			  struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	const char *const args[] = { verb, NULL };
	char text[ANSWER_MAX], **env;
	int fds[2];
	pid_t pid;
	auto_fd config = make_config(s3, err);
	if (config < 0)
		return config;
	TRY(remote_environment(rt, &env, &arena, err));
	if (pipe2(fds, O_CLOEXEC) < 0)
		return fail_errno(err, "pipe");
	auto_fd read_end = fds[0];
	auto_fd write_end = fds[1];
	const struct spawn s = { .program = VOLUME_PROGRAM,
				 .args = args,
				 .in_fd = config,
				 .out_fd = write_end,
				 .extra = &dir,
				 .extra_count = 1,
				 .env = env };
	TRY(spawn_program(rt, &s, &pid, err));
	close_fd(&write_end);
	size_t size = read_all(read_end, text, sizeof text);
	int status = spawn_reap(pid);
	if (size)
		return take_answer(text, size, ret, err);
	if (status >= 0 && WIFSIGNALED(status))
		return fail(err, EIO, VOLUME_PROGRAM " was killed by signal %d", WTERMSIG(status));
	return fail(err, EIO, VOLUME_PROGRAM " ended without an answer");
}

/* ---- to the bucket ----------------------------------------------------------------------------
 */

/* Its directory, and what is recorded of it. */
static int open_volume(struct csn_runtime *rt, const char *name, struct volume_record *ret,
		       struct arena *arena, struct csn_error *err)
{
	auto_fd volume = volume_open(rt, name, err);
	TRY(volume);
	TRY(within(err, volume_read(volume, ret, arena, err), "volume \"%s\"", name));
	return take_fd(&volume);
}

/* 1: done. 0: it is kept in none. */
static int sync_volume(struct csn_runtime *rt, const char *name, struct csn_volume_moved *ret,
		       struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct volume_record r;
	auto_fd volume = open_volume(rt, name, &r, &arena, err);
	TRY(volume);
	if (!r.s3.set)
		return 0;
	auto_fd lock = lock_dir(volume, LOCK_EX, err);
	TRY(lock);
	TRY(within(err, volume_program(rt, "sync", volume, &r.s3, ret, err), "volume \"%s\"",
		   name));
	return 1;
}

int csn_volume_sync(struct csn_runtime *rt, const char *name, struct csn_volume_moved *ret,
		    struct csn_error *err)
{
	struct csn_volume_moved moved = CSN_VOLUME_MOVED_INIT;
	int r = sync_volume(rt, name, &moved, err);
	TRY(r);
	if (r == 0)
		return fail(err, EINVAL, "volume \"%s\" is kept in no bucket", name);
	if (ret)
		give_struct(ret, &moved, sizeof moved);
	return 0;
}

int csn_container_sync_volumes(struct csn_runtime *rt, const char *container, struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct volume_users users AUTO(volume_users_done) = { 0 };
	struct csn_volume_moved moved;
	TRY(container_find(rt, container, &c, err));
	TRY(volume_users_read(rt, &users, err));
	for (size_t i = 0; i < users.count; i++)
		if (strcmp(users.items[i].container, c.id) == 0)
			TRY(sync_volume(rt, users.items[i].volume, &moved, err));
	return 0;
}

/* ---- from the bucket --------------------------------------------------------------------------
 */

struct from_bucket {
	struct csn_runtime *rt;
	const struct volume_s3 *s3;
};

static int fill_from_bucket(void *data, int to, struct csn_error *err)
{
	const struct from_bucket *f = data;
	struct csn_volume_moved moved;
	int r = volume_program(f->rt, "restore", to, f->s3, &moved, err);
	return r == -ENOENT ? 0 : r < 0 ? r : 1;
}

int volume_fill_from_bucket(struct csn_runtime *rt, int volume, struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct volume_record r;
	TRY(volume_read(volume, &r, &arena, err));
	struct from_bucket from = { rt, &r.s3 };
	return r.s3.set ? volume_fill(volume, fill_from_bucket, &from, err) : 0;
}

static int check_not_running(struct csn_runtime *rt, const char *name, struct csn_error *err)
{
	struct volume_users users AUTO(volume_users_done) = { 0 };
	TRY(volume_users_read(rt, &users, err));
	for (size_t i = 0; i < users.count; i++) {
		struct container c AUTO(container_close) = CONTAINER_INIT;
		struct facts f AUTO(facts_done) = FACTS_INIT;
		if (strcmp(users.items[i].volume, name) != 0 ||
		    container_open(rt, users.items[i].container, &c, NULL) < 0)
			continue;
		facts_read(rt, &c, false, &f);
		if (facts_running(&f))
			return fail(err, EBUSY,
				    "volume \"%s\": container %.12s, which runs, "
				    "mounts it",
				    name, c.id);
	}
	return 0;
}

/* All of the new content, and then one exchange. */
static int replace(struct csn_runtime *rt, int volume, const struct volume_s3 *s3,
		   struct csn_volume_moved *ret, struct csn_error *err)
{
	TRY(remove_tree(volume, "filling", err));
	if (mkdirat(volume, "filling", 0755) < 0)
		return fail_errno(err, "make directory filling");
	auto_fd to = openat(volume, "filling", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = to < 0 ? fail_errno(err, "open directory filling")
		       : volume_program(rt, "restore", to, s3, ret, err);
	if (r == 0 && renameat2(volume, "filling", volume, "data", RENAME_EXCHANGE) < 0)
		r = fail_errno(err, "put the restored content in place");
	(void)remove_tree(volume, "filling", NULL);
	return r;
}

int csn_volume_restore(struct csn_runtime *rt, const char *name, bool force,
		       struct csn_volume_moved *ret, struct csn_error *err)
{
	struct csn_volume_moved moved = CSN_VOLUME_MOVED_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	struct volume_record r;
	auto_fd volume = open_volume(rt, name, &r, &arena, err);
	TRY(volume);
	if (!r.s3.set)
		return fail(err, EINVAL, "volume \"%s\" is kept in no bucket", name);
	auto_fd lock = lock_dir(volume, LOCK_EX, err);
	TRY(lock);
	TRY(check_not_running(rt, name, err));
	if (!force && volume_is_empty(volume) == 0)
		return fail(err, EBUSY, "volume \"%s\" is not empty: force replaces what is in it",
			    name);
	TRY(within(err, replace(rt, volume, &r.s3, &moved, err), "volume \"%s\"", name));
	if (ret)
		give_struct(ret, &moved, sizeof moved);
	return 0;
}

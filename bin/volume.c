/*
 * caisson-volume: brings a volume to its bucket, or back. A process of its own, so that nothing
 * else links what HTTP needs.
 *
 *	caisson-volume sync	fd 3: the volume's directory
 *	caisson-volume restore	fd 3: an empty directory
 *
 * Standard input is a JSON object: bucket, prefix, endpoint, region, addressing, access_key_id,
 * secret_access_key, session_token. The answer is one on standard output: files, moved, bytes,
 * removed; or error and code.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/json.h"
#include "volume/volume.h"

#define CONFIG_MAX (64 << 10)
enum { VOLUME_FD = 3 };

static const struct json_field config_fields[] = {
	REQUIRED("bucket", decode_string, struct s3_config, bucket),
	FIELD("prefix", decode_text, struct s3_config, prefix),
	FIELD("endpoint", decode_text, struct s3_config, endpoint),
	FIELD("region", decode_text, struct s3_config, region),
	FIELD("addressing", decode_text, struct s3_config, addressing),
	FIELD("access_key_id", decode_text, struct s3_config, access_key_id),
	FIELD("secret_access_key", decode_text, struct s3_config, secret_access_key),
	FIELD("session_token", decode_text, struct s3_config, session_token),
	FIELDS_END,
};

static int read_config(struct s3_config *ret, struct arena *arena, struct csn_error *err)
{
	static char text[CONFIG_MAX];
	size_t size = fread(text, 1, sizeof text, stdin);
	if (size == sizeof text)
		return fail(err, EFBIG, "the configuration is too long");
	return json_decode(text, size, "configuration", config_fields, ret, arena, err);
}

static int work(const char *verb, struct volume_moved *moved, struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct s3_config config = { 0 };
	struct s3 *s3 = NULL;
	TRY(read_config(&config, &arena, err));
	TRY(s3_open(&config, &s3, err));
	int r = strcmp(verb, "sync") == 0 ? volume_sync(VOLUME_FD, s3, moved, err)
		: strcmp(verb, "restore") == 0
			? volume_restore(VOLUME_FD, s3, moved, err)
			: fail(err, EINVAL, "\"%s\": expected sync or restore", verb);
	s3_close(s3);
	return r;
}

int main(int argc, char **argv)
{
	struct json_out o = JSON_OUT_COMPACT;
	struct volume_moved moved = { 0 };
	struct csn_error err;
	int r = work(argc == 2 ? argv[1] : "", &moved, &err);

	json_open_object(&o, NULL);
	if (r < 0) {
		json_put_string(&o, "error", err.text);
		json_put_i64(&o, "code", -r);
	} else {
		json_put_u64(&o, "files", moved.files);
		json_put_u64(&o, "moved", moved.moved);
		json_put_u64(&o, "bytes", moved.bytes);
		json_put_u64(&o, "removed", moved.removed);
	}
	json_close_object(&o);
	auto_mem char *text = NULL;
	if (json_out_take(&o, &text, NULL) < 0 || puts(text) < 0 || fflush(stdout) != 0)
		return 1;
	return r < 0;
}

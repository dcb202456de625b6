/*
 * Running caisson-image. It answers in lines of JSON, of which the last tells how it went; the
 * lines before tell of progress.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "image/image.h"
#include "runtime/runtime.h"

#define IMAGE_PROGRAM "caisson-image"
#define LINE_MAX_SIZE (4 << 20)

struct answer {
	char *type, *layer, *action, *warning, *error, *where, *document;
	uint64_t bytes, total;
	int32_t code;
	bool busy;
	struct {
		struct image_record *items;
		size_t count;
	} images;
};

static const struct json_field image_fields[] = {
	{ "reference", decode_string, offsetof(struct image_record, reference), NULL,
	  JSON_REQUIRED },
	{ "digest", decode_string, offsetof(struct image_record, digest), NULL, JSON_REQUIRED },
	{ "id", decode_string, offsetof(struct image_record, id), NULL, JSON_REQUIRED },
	{ "created", decode_text, offsetof(struct image_record, created) },
	{ "architecture", decode_text, offsetof(struct image_record, architecture) },
	{ "os", decode_text, offsetof(struct image_record, os) },
	{ "size", decode_u64, offsetof(struct image_record, size) },
	{ 0 }
};

static const struct json_elements image_elements = {
	.element_size = sizeof(struct image_record),
	.decode = decode_object,
	.detail = image_fields,
};

static const struct json_field answer_fields[] = {
	{ "type", decode_string, offsetof(struct answer, type), NULL, JSON_REQUIRED },
	{ "layer", decode_text, offsetof(struct answer, layer) },
	{ "action", decode_text, offsetof(struct answer, action) },
	{ "where", decode_text, offsetof(struct answer, where) },
	{ "document", decode_text, offsetof(struct answer, document) },
	{ "warning", decode_text, offsetof(struct answer, warning) },
	{ "error", decode_text, offsetof(struct answer, error) },
	{ "bytes", decode_u64, offsetof(struct answer, bytes) },
	{ "total", decode_u64, offsetof(struct answer, total) },
	{ "code", decode_i32, offsetof(struct answer, code) },
	{ "busy", decode_bool, offsetof(struct answer, busy) },
	{ "images", decode_array, offsetof(struct answer, images), &image_elements },
	{ 0 }
};

/* The image strings stay in the list's arena. */
int image_take_line(struct image_run *run, const char *line, size_t size, struct csn_error *err)
{
	struct arena own AUTO(arena_free) = { 0 };
	struct arena *arena = run->images ? images_arena(run->images) : &own;
	struct answer a = { 0 };
	TRY(json_decode(line, size, IMAGE_PROGRAM, answer_fields, &a, arena, err));

	if (strcmp(a.type, "error") == 0) {
		run->done = true;
		return fail(err, a.code > 0 ? a.code : EIO, "%s",
			    a.error ? a.error : "caisson-image failed without a word");
	}
	if (strcmp(a.type, "result") == 0) {
		run->done = true;
		run->busy = a.busy;
		for (size_t i = 0; run->images && i < a.images.count; i++)
			if (images_add(run->images, &a.images.items[i]) < 0)
				return fail(err, ENOMEM, "out of memory");
		if (a.where && !run->where)
			run->where = strdup(a.where);
		return 0;
	}
	if (a.document) {
		run->document = run->document ? run->document : strdup(a.document);
		return run->document ? 0 : fail(err, ENOMEM, "out of memory");
	}
	if (run->progress) {
		const struct csn_image_progress p = { sizeof p, a.layer,   a.bytes,
						      a.total,	a.warning, a.action };
		run->progress(run->data, &p);
	}
	return 0;
}

static void close_file(FILE **f)
{
	if (*f)
		(void)fclose(*f);
}

static int read_answers(struct image_run *run, int *fd, struct csn_error *err)
{
	FILE *in AUTO(close_file)
	= fdopen(*fd, "re");
	if (!in)
		return fail_errno(err, IMAGE_PROGRAM);
	(void)take_fd(fd);

	auto_mem char *line = NULL;
	size_t capacity = 0;
	int result = 0;
	for (ssize_t n; (n = getline(&line, &capacity, in)) >= 0;) {
		if (n > LINE_MAX_SIZE)
			return fail(err, EPROTO, IMAGE_PROGRAM ": answered with too long a line");
		int r = result < 0 ? 0 : image_take_line(run, line, (size_t)n, err);
		if (r < 0)
			result = r; /* and read on, so that the program can end */
	}
	return result;
}

int image_program_start(struct csn_runtime *rt, const char *const *args, int in_fd,
			const struct image_run *run, pid_t *ret_pid, int *ret_fd,
			struct csn_error *err)
{
	int fds[2];
	if (pipe2(fds, O_CLOEXEC) < 0)
		return fail_errno(err, "pipe");
	auto_fd read_end = fds[0];
	auto_fd write_end = fds[1];
	const struct spawn s = {
		.program = IMAGE_PROGRAM,
		.args = args,
		.in_fd = in_fd,
		.out_fd = write_end,
		.extra = &run->extra_fd,
		.extra_count = run->extra_fd > 0,
		.env = run->env,
	};
	TRY(spawn_program(rt, &s, ret_pid, err));
	*ret_fd = take_fd(&read_end);
	return 0;
}

int image_program_end(pid_t pid, const struct image_run *run, int r, struct csn_error *err)
{
	int status = spawn_reap(pid);
	if (r < 0 || run->done)
		return r;
	if (status >= 0 && WIFSIGNALED(status))
		return fail(err, EIO, IMAGE_PROGRAM " was killed by signal %d", WTERMSIG(status));
	return fail(err, EIO, IMAGE_PROGRAM " ended without an answer");
}

int image_program(struct csn_runtime *rt, const char *const *args, int in_fd, struct image_run *run,
		  struct csn_error *err)
{
	auto_fd answers = -1;
	pid_t pid;
	TRY(image_program_start(rt, args, in_fd, run, &pid, &answers, err));
	return image_program_end(pid, run, read_answers(run, &answers, err), err);
}

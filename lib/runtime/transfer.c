/*
 * A pull or a load whose progress is read as it comes: caisson-image runs, its answers wait in the
 * pipe until they are asked for, and a handle that is closed early ends it.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"
#include "base/sys.h"
#include "caisson-registry.h"
#include "runtime/runtime.h"

#define LINE_MAX_SIZE (4 << 20)

struct csn_image_transfer {
	struct csn_runtime *rt;
	struct image_run run;
	struct csn_images *images;
	const char *verb; /* of the event when it is done */
	pid_t pid;	  /* -1: it has ended, or none was needed */
	int fd;		  /* its answers; an eventfd when none was needed */
	char *text;	  /* of which text[at..size) is not looked at yet */
	size_t at, size, capacity;
	struct csn_image_progress progress;
	bool news, done;
	int failed; /* -errno; the end is still read, so that the program can finish */
	struct csn_error why;
};

static void take_progress(void *data, const struct csn_image_progress *p)
{
	struct csn_image_transfer *t = data;
	t->progress = *p; /* its texts are in the list's arena */
	t->news = true;
}

struct csn_image_transfer *transfer_new(struct csn_runtime *rt, const char *verb)
{
	struct csn_image_transfer *t = calloc(1, sizeof *t);
	if (!t)
		return NULL;
	t->rt = rt;
	t->verb = verb;
	t->pid = t->fd = -1;
	t->images = images_new();
	if (!t->images) {
		free(t);
		return NULL;
	}
	t->run = (struct image_run){ .progress = take_progress, .data = t, .images = t->images };
	return t;
}

void transfer_release(struct csn_image_transfer **t)
{
	csn_image_transfer_close(*t);
}

struct image_run *transfer_run(struct csn_image_transfer *t)
{
	return &t->run;
}

int transfer_start(struct csn_image_transfer *t, const char *const *args, int in_fd,
		   struct csn_error *err)
{
	TRY(image_program_start(t->rt, args, in_fd, &t->run, &t->pid, &t->fd, err));
	t->run.env = NULL; /* the caller's, and only for the start */
	if (fcntl(t->fd, F_SETFL, O_NONBLOCK) < 0)
		return fail_errno(err, "pipe");
	return 0;
}

int transfer_is_here(struct csn_image_transfer *t, struct csn_error *err)
{
	t->done = true;
	t->fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	return t->fd < 0 ? fail_errno(err, "eventfd") : 0;
}

void csn_image_transfer_close(struct csn_image_transfer *transfer)
{
	if (!transfer)
		return;
	if (transfer->pid > 0) {
		/* Not reaped yet, so it is no other process. */
		(void)kill(transfer->pid, SIGKILL);
		(void)spawn_reap(transfer->pid);
		images_free_left(transfer->rt);
	}
	close_fd(&transfer->fd);
	free(transfer->run.where);
	free(transfer->run.document);
	csn_images_free(transfer->images);
	free(transfer->text);
	free(transfer);
}

int csn_image_transfer_fd(const struct csn_image_transfer *transfer)
{
	return transfer->fd;
}

const struct csn_images *csn_image_transfer_images(const struct csn_image_transfer *transfer)
{
	return transfer->images;
}

/* What is in the pipe: 1 something came, 0 the end, -EAGAIN. */
static int fill(struct csn_image_transfer *t)
{
	if (t->at) {
		memmove(t->text, t->text + t->at, t->size - t->at);
		t->size -= t->at;
		t->at = 0;
	}
	if (t->capacity - t->size < 4096) {
		size_t capacity = 2 * t->capacity + 8192;
		char *grown = capacity > 2 * LINE_MAX_SIZE ? NULL : realloc(t->text, capacity);
		if (!grown)
			return -ENOMEM;
		t->text = grown;
		t->capacity = capacity;
	}
	for (;;) {
		ssize_t n = read(t->fd, t->text + t->size, t->capacity - t->size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		t->size += (size_t)n;
		return n > 0;
	}
}

/* Takes the lines that are whole until one of them is news. */
static void take_lines(struct csn_image_transfer *t)
{
	while (!t->news) {
		char *from = t->text + t->at;
		char *newline = t->size > t->at ? memchr(from, '\n', t->size - t->at) : NULL;
		if (!newline)
			return;
		t->at += (size_t)(newline + 1 - from);
		if (t->failed == 0)
			t->failed = image_take_line(&t->run, from, (size_t)(newline + 1 - from),
						    &t->why);
	}
}

/* Its answers have ended: how it went. */
static int finish(struct csn_image_transfer *t, struct csn_error *err)
{
	pid_t pid = t->pid;
	t->pid = -1;
	t->done = true;
	int r = image_program_end(pid, &t->run, t->failed, t->failed < 0 ? &t->why : err);
	images_free_left(t->rt);
	if (t->failed < 0)
		return fail(err, t->why.code, "%s", t->why.text);
	for (size_t i = 0; r == 0 && i < csn_images_count(t->images); i++) {
		const struct csn_image_info *image = csn_images_get(t->images, i);
		event_tell_image(t->rt, t->verb, image->reference, image->id);
	}
	return r;
}

int csn_image_transfer_next(struct csn_image_transfer *transfer, int timeout_ms,
			    struct csn_image_progress *ret, struct csn_error *err)
{
	struct csn_image_transfer *t = transfer;
	int64_t deadline = deadline_in(timeout_ms);
	while (!t->done) {
		t->news = false;
		take_lines(t);
		if (t->news) {
			give_struct(ret, &t->progress, sizeof t->progress);
			return 1;
		}
		int r = fill(t);
		if (r == 0)
			return finish(t, err);
		if (r == -EAGAIN) {
			struct pollfd p = { t->fd, POLLIN, 0 };
			int n = poll(&p, 1, deadline_left(deadline));
			if (n == 0)
				return fail(err, EAGAIN, "nothing new of the image");
			if (n < 0 && errno != EINTR)
				return fail_errno(err, "wait for the image");
		} else if (r < 0) {
			return fail(err, -r, "read the progress: %s", strerror(-r));
		}
	}
	return 0;
}

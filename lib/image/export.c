/*
 * Exporting: the file system of a container as one tar file. Its layers are seen together through
 * an overlay that is mounted read-only, nowhere, and only for this process; so nothing is left
 * behind however it ends, and what runs in the container is not disturbed.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/overlay.h"
#include "image/pack.h"
#include "image/store.h"

static int write_fd(void *data, const void *bytes, size_t size, struct csn_error *err)
{
	int r = write_all(*(const int *)data, bytes, size);

	return r < 0 ? fail(err, -r, "write the archive: %s", strerror(-r)) : 0;
}

/* The layers together; of a single one, that one. */
static int open_merged(struct session *s, const char *root, char *const *layers, size_t count,
		       struct csn_error *err)
{
	char target[sizeof "tmp/" + SESSION_NAME_MAX];

	if (count == 1) {
		int fd = openat(s->store->root_dir, layers[0],
				O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		return fd < 0 ? fail_errno(err, "open %s", layers[0]) : fd;
	}
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return fail_errno(err, "make a mount namespace");
	(void)snprintf(target, sizeof target, "tmp/%s", s->name);
	const struct overlay o = {
		.root = root, .layers = layers, .layers_count = count, .target = target
	};
	int fd = overlay_mount(&o);
	return fd < 0 ? fail(err, -fd, "see the layers together: %s", strerror(-fd)) : fd;
}

int image_export(struct image_store *store, const char *root, char *const *layers, size_t count,
		 int fd, const struct image_events *events, struct csn_error *err)
{
	/* A session: no layer goes away meanwhile. */
	AUTO(session_end)
	struct session session = { .dir_fd = -1, .use_fd = -1 };
	const struct pack p = { .events = events, .write = write_fd, .data = &fd };

	TRY(session_begin(store, events, &session, err));
	auto_fd tree = open_merged(&session, root, layers, count, err);
	TRY(tree);
	return pack_tree(tree, &p, err);
}

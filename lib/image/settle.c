/*
 * What a power cut may have done to the store, and its undoing.
 *
 * A load waits for no disk: layers can be made again from their blobs. Instead each session leaves
 * a marker, unsynced/<session>, with the id of this boot, on disk before anything else of it is;
 * every layer it makes names the session. The kernel writes everything back within a minute or so;
 * a session that begins later than that makes sure (one syncfs) and takes the marker away. Only if
 * the machine went down before is a marker of another boot found: then the layers of that session
 * are thrown away and made again from blobs whose digests are verified, and an image whose blobs
 * are gone, too, is no longer there.
 */
#include <dirent.h>
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
#include "base/proc.h"
#include "image/load.h"
#include "image/manage.h"
#include "image/record.h"

#define WRITTEN_BACK_AFTER 60 /* seconds; until then syncfs would have to wait for the disk */

struct markers {
	char (*names)[SESSION_NAME_MAX];
	size_t count;
	bool old;     /* one of this boot that is due */
	bool foreign; /* one of another boot */
};

int settle_mark(struct session *s, struct csn_error *err)
{
	const char *boot = proc_boot_id();
	int dir = s->store->unsynced_dir;

	auto_fd fd = openat(dir, s->name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_errno(err, "mark the session");
	int r = write_all(fd, boot, strlen(boot));
	if (r < 0 || fsync(fd) < 0 || fsync(dir) < 0)
		return fail_errno(err, "mark the session");
	s->marked = true;
	return 0;
}

int settle_touch(struct session *s, struct csn_error *err)
{
	if (s->marked && utimensat(s->store->unsynced_dir, s->name, NULL, 0) == 0)
		return 0;
	/* Somebody thought that it must be on disk by now. */
	return settle_mark(s, err);
}

void settle_unmark(struct session *s)
{
	if (s->marked)
		(void)unlinkat(s->store->unsynced_dir, s->name, 0);
	s->marked = false;
}

static bool is_foreign(int dir, const char *name)
{
	auto_mem char *boot = NULL;
	size_t size;

	return file_read(dir, name, 64, &boot, &size, NULL) < 0 ||
	       strcmp(boot, proc_boot_id()) != 0;
}

static int add_marker(struct markers *m, int dir, const char *name, struct csn_error *err)
{
	struct stat st;
	bool foreign = is_foreign(dir, name);

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return 0; /* its session has just ended */
	if (!foreign && time(NULL) - st.st_mtime < WRITTEN_BACK_AFTER)
		return 0;
	void *grown = reallocarray(m->names, m->count + 1, sizeof *m->names);
	if (!grown)
		return fail(err, ENOMEM, "out of memory");
	m->names = grown;
	(void)snprintf(m->names[m->count++], SESSION_NAME_MAX, "%s", name);
	*(foreign ? &m->foreign : &m->old) = true;
	return 0;
}

static void closedirp(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

/* Those that something has to be done about. A running session's are younger, or locked. */
static int find_markers(struct image_store *s, struct markers *ret, struct csn_error *err)
{
	auto_fd fd = openat(s->unsynced_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(closedirp)
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d)
		return fail_errno(err, "read unsynced of the image store");
	(void)take_fd(&fd);
	while ((e = readdir(d)))
		if (e->d_name[0] != '.' && strlen(e->d_name) < SESSION_NAME_MAX)
			TRY(add_marker(ret, s->unsynced_dir, e->d_name, err));
	return 0;
}

static bool is_named(const struct markers *m, const char *name)
{
	for (size_t i = 0; name && i < m->count; i++)
		if (strcmp(m->names[i], name) == 0)
			return true;
	return false;
}

/* Is the layer as it was made? Its document is written last. */
static bool is_suspect(int layers_dir, const char *name, const struct markers *m)
{
	struct {
		char *session;
	} layer = { 0 };
	static const struct json_field fields[] = { { "session", decode_text, 0 }, { 0 } };
	AUTO(arena_free)
	struct arena arena = { 0 };
	auto_mem char *text = NULL;
	char path[300];
	size_t size;

	(void)snprintf(path, sizeof path, "%s/layer.json", name);
	if (file_read(layers_dir, path, DOCUMENT_MAX, &text, &size, NULL) < 0 ||
	    json_decode(text, size, path, fields, &layer, &arena, NULL) < 0)
		return true;
	return is_named(m, layer.session);
}

static int drop_suspects(struct image_store *s, const struct markers *m, struct csn_error *err)
{
	auto_fd fd = openat(s->layers_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(closedirp)
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	if (!d)
		return fail_errno(err, "read layers of the image store");
	(void)take_fd(&fd);
	while ((e = readdir(d)))
		if (e->d_name[0] != '.' && is_suspect(s->layers_dir, e->d_name, m))
			TRY(remove_tree(s->layers_dir, e->d_name, err));
	return 0;
}

static int repair(struct image_store *s, const struct markers *m, const struct image_events *events,
		  struct csn_error *err)
{
	/* Nobody may be using what is taken away. */
	auto_fd unused = store_lock_unused(s, err);
	TRY(unused);
	TRY(drop_suspects(s, m, err));
	close_fd(&unused);
	return image_restore(s, events, err);
}

int image_settle(struct image_store *s, const struct image_events *events, struct csn_error *err)
{
	struct markers m = { 0 };

	int r = find_markers(s, &m, err);
	if (r == 0 && m.foreign)
		r = repair(s, &m, events, err);
	if (r == 0 && m.count && syncfs(s->root_dir) < 0)
		r = fail_errno(err, "write the image store to disk");
	for (size_t i = 0; r == 0 && i < m.count; i++)
		(void)unlinkat(s->unsynced_dir, m.names[i], 0);
	free(m.names);
	return r;
}

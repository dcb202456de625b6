/*
 * Files of a container, and what it changed. caisson-image does the work, in a process of its own:
 * a file system that hangs, or an archive that harms, is there and not in the caller.
 *
 * It is handed the root of the container's first process; of a container that does not run the
 * words from which to mount its files, and its lock, so that nobody starts it meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "base/json.h"
#include "caisson-inside.h"
#include "runtime/runtime.h"

/* One call, as it is put together. */
struct inside {
	struct csn_runtime *rt;
	struct container c;
	struct engine_record record;
	struct arena arena;
	int root; /* or the lock */
	bool running;
	const char **args;
	size_t count, capacity;
};
#define INSIDE_INIT                                                                                \
	{                                                                                          \
		.c = CONTAINER_INIT, .root = -1                                                    \
	}

static void inside_done(struct inside *i)
{
	container_close(&i->c);
	close_fd(&i->root);
	arena_free(&i->arena);
}

static void add(struct inside *i, const char *word)
{
	if (i->count + 1 < i->capacity)
		i->args[i->count++] = word;
}

static void add_option(struct inside *i, const char *name, const char *value)
{
	if (!value)
		return;
	add(i, name);
	add(i, value);
}

/* Room for extra words beyond those of layers. */
static int begin_words(struct inside *i, const char *verb, size_t extra, struct csn_error *err)
{
	i->capacity = 2 * i->record.layers_count + extra + 24;
	i->args = arena_array(&i->arena, i->capacity, sizeof *i->args);
	if (!i->args)
		return fail(err, ENOMEM, "out of memory");
	add_option(i, "--root", i->rt->root);
	add(i, verb);
	return 0;
}

static void add_layers(struct inside *i)
{
	for (size_t k = 0; k < i->record.layers_count; k++)
		add_option(i, "--layer", i->record.layers[k]);
}

static int add_place(struct inside *i, const char *option, const char *name, struct csn_error *err)
{
	char *path = arena_printf(&i->arena, "containers/%s/%s", i->c.id, name);
	if (!path)
		return fail(err, ENOMEM, "out of memory");
	add_option(i, option, path);
	return 0;
}

/* Only if the process still lives was it that process's root. */
static int root_of(const struct facts *f, struct csn_error *err)
{
	char path[32];
	struct pollfd p = { .fd = f->init_fd, .events = POLLIN };
	(void)snprintf(path, sizeof path, "/proc/%d/root", (int)f->pid);
	auto_fd root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0 || poll(&p, 1, 0) != 0)
		return fail(err, ESRCH, "the container has just ended");
	return take_fd(&root);
}

/* Its root, or its lock. */
static int open_inside(struct csn_runtime *rt, const char *container, struct inside *i,
		       struct csn_error *err)
{
	struct facts f AUTO(facts_done) = FACTS_INIT;
	i->rt = rt;
	TRY(container_find(rt, container, &i->c, err));
	TRY(engine_record_read(i->c.dir, &i->record, &i->arena, err));
	facts_read(rt, &i->c, false, &f);
	i->running = f.init_fd >= 0;
	if (i->running) {
		i->root = root_of(&f, err);
		return i->root < 0 ? i->root : 0;
	}
	i->root = lock_dir(i->c.dir, LOCK_EX, err);
	TRY(i->root);
	struct facts now AUTO(facts_done) = FACTS_INIT;
	facts_read(rt, &i->c, true, &now);
	if (now.init_fd < 0 && now.monitor_fd < 0)
		return 0;
	/* Started in between, or not yet cleared away. */
	return fail(err, EBUSY, "container \"%s\" is starting or ending", container);
}

static int begin(struct csn_runtime *rt, const char *container, const char *verb, struct inside *i,
		 struct csn_error *err)
{
	TRY(open_inside(rt, container, i, err));
	TRY(begin_words(i, verb, 0, err));
	if (i->running)
		return 0;
	add_layers(i);
	TRY(add_place(i, "--upper", "upper", err));
	TRY(add_place(i, "--work", "work", err));
	return add_place(i, "--target", "rootfs", err);
}

static int run(struct inside *i, const char *path, int stream, struct image_run *r,
	       struct csn_error *err)
{
	add(i, "--");
	if (path)
		add(i, path);
	r->extra_fd = i->root;
	return image_program(i->rt, i->args, stream, r, err);
}

/* ---- head -------------------------------------------------------------------------------------
 */

struct head_row {
	char *name, *link;
	int64_t size, mtime_ns;
	uint32_t mode;
};
static const struct json_field head_fields[] = {
	FIELD("name", decode_string, struct head_row, name),
	FIELD("link", decode_string, struct head_row, link),
	FIELD("size", decode_i64, struct head_row, size),
	FIELD("mode", decode_u32, struct head_row, mode),
	FIELD("mtime_ns", decode_i64, struct head_row, mtime_ns),
	FIELDS_END
};

/* Bytes written in digits; size has room for the end. */
static bool from_hex(const char *hex, char *ret, size_t size)
{
	size_t n = strlen(hex) / 2;
	if (n >= size)
		return false;
	for (size_t k = 0; k < n; k++) {
		unsigned value;
		if (sscanf(hex + 2 * k, "%2x", &value) != 1)
			return false;
		ret[k] = (char)value;
	}
	ret[n] = '\0';
	return true;
}

static int decode_head(const char *text, struct csn_path_stat *ret, struct arena *arena,
		       struct csn_error *err)
{
	struct csn_path_stat st = CSN_PATH_STAT_INIT;
	struct head_row row = { 0 };
	TRY(json_decode(text, strlen(text), "caisson-image", head_fields, &row, arena, err));
	if (!row.name || !row.link || !from_hex(row.name, st.name, sizeof st.name) ||
	    !from_hex(row.link, st.link_target, sizeof st.link_target))
		return fail(err, EPROTO, "caisson-image: an answer that makes no sense");
	st.file_size = row.size;
	st.mode = row.mode;
	st.mtime_ns = row.mtime_ns;
	give_struct(ret, &st, sizeof st);
	return 0;
}

int csn_container_archive_head(struct csn_runtime *rt, const char *container, const char *path,
			       struct csn_path_stat *ret, struct csn_error *err)
{
	struct inside i AUTO(inside_done) = INSIDE_INIT;
	struct image_run r = { 0 };
	TRY(begin(rt, container, "files-head", &i, err));
	int result = run(&i, path, -1, &r, err);
	auto_mem char *document = r.document;
	TRY(result);
	return document ? decode_head(document, ret, &i.arena, err)
			: fail(err, EPROTO, "caisson-image: nothing came");
}

/* ---- archives ---------------------------------------------------------------------------------
 */

int csn_container_archive_get(struct csn_runtime *rt, const char *container, const char *path,
			      const char *as, int fd, struct csn_error *err)
{
	struct inside i AUTO(inside_done) = INSIDE_INIT;
	struct image_run r = { 0 };
	TRY(begin(rt, container, "files-get", &i, err));
	add_option(&i, "--as", as);
	return run(&i, path, fd, &r, err);
}

static void free_spec(struct spec **s)
{
	spec_free(*s);
}

static int add_owner(struct inside *i, struct csn_error *err)
{
	struct spec *spec AUTO(free_spec)
	= NULL;
	TRY(spec_read_bundle(i->c.dir, i->c.id, &spec, err));
	char *uid = arena_printf(&i->arena, "%u", spec->process.user.uid);
	char *gid = arena_printf(&i->arena, "%u", spec->process.user.gid);
	if (!uid || !gid)
		return fail(err, ENOMEM, "out of memory");
	add_option(i, "--uid", uid);
	add_option(i, "--gid", gid);
	return 0;
}

int csn_container_archive_put(struct csn_runtime *rt, const char *container, const char *path,
			      int fd, const struct csn_archive_put_options *options,
			      struct csn_error *err)
{
	struct inside i AUTO(inside_done) = INSIDE_INIT;
	struct csn_archive_put_options o = CSN_ARCHIVE_PUT_OPTIONS_INIT;
	struct image_run r = { 0 };
	TRY(take_struct(&o, sizeof o, options, "struct csn_archive_put_options", err));
	TRY(begin(rt, container, "files-put", &i, err));
	if (o.copy_uid_gid)
		add(&i, "--keep-owners");
	else
		TRY(add_owner(&i, err));
	if (o.no_overwrite_dir_non_dir)
		add(&i, "--keep-kinds");
	return run(&i, path, fd, &r, err);
}

int csn_host_archive_get(struct csn_runtime *rt, const char *path, const char *as, int fd,
			 struct csn_error *err)
{
	struct inside i AUTO(inside_done) = INSIDE_INIT;
	struct image_run r = { 0 };
	i.rt = rt;
	if (path[0] != '/')
		return fail(err, EINVAL, "path \"%.200s\": expected an absolute one", path);
	i.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (i.root < 0)
		return fail_errno(err, "open /");
	TRY(begin_words(&i, "files-get", 0, err));
	add_option(&i, "--as", as);
	return run(&i, path, fd, &r, err);
}

int csn_host_archive_put(struct csn_runtime *rt, const char *dir, int fd, bool keep_owners,
			 struct csn_error *err)
{
	struct inside i AUTO(inside_done) = INSIDE_INIT;
	struct image_run r = { 0 };
	i.rt = rt;
	i.root = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (i.root < 0)
		return fail_errno(err, "%.300s", dir);
	TRY(begin_words(&i, "files-put", 0, err));
	if (keep_owners)
		add(&i, "--keep-owners");
	return run(&i, "/", fd, &r, err);
}

/* ---- changes ----------------------------------------------------------------------------------
 */

struct csn_changes {
	struct arena arena;
	struct csn_change *items;
	size_t count, capacity;
	bool failed;
};

size_t csn_changes_count(const struct csn_changes *changes)
{
	return changes ? changes->count : 0;
}

const struct csn_change *csn_changes_get(const struct csn_changes *changes, size_t index)
{
	return &changes->items[index];
}

void csn_changes_free(struct csn_changes *changes)
{
	if (!changes)
		return;
	free(changes->items);
	arena_free(&changes->arena);
	free(changes);
}

static void free_changes(struct csn_changes **changes)
{
	csn_changes_free(*changes);
}

static bool add_change(struct csn_changes *l, const struct csn_image_progress *p)
{
	if (l->count == l->capacity) {
		size_t capacity = l->capacity ? 2 * l->capacity : 64;
		struct csn_change *grown = reallocarray(l->items, capacity, sizeof *grown);
		if (!grown)
			return false;
		l->items = grown;
		l->capacity = capacity;
	}
	size_t size = strlen(p->layer) / 2 + 1;
	char *path = arena_alloc(&l->arena, size);
	if (!path || !from_hex(p->layer, path, size))
		return false;
	l->items[l->count++] =
		(struct csn_change){ path, p->action[0] == 'A'	 ? CSN_CHANGE_ADDED
					   : p->action[0] == 'D' ? CSN_CHANGE_DELETED
								 : CSN_CHANGE_MODIFIED };
	return true;
}

static void take_change(void *data, const struct csn_image_progress *p)
{
	struct csn_changes *l = data;
	if (p->layer && p->action && !add_change(l, p))
		l->failed = true;
}

/* Where its config mounts something: what was made there for that is no change. */
static int add_mounts(struct inside *i, struct csn_error *err)
{
	struct spec *spec AUTO(free_spec)
	= NULL;
	TRY(spec_read_bundle(i->c.dir, i->c.id, &spec, err));
	TRY(begin_words(i, "files-changes", 2 * spec->mounts_count, err));
	for (size_t k = 0; k < spec->mounts_count; k++) {
		char *place = arena_strdup(&i->arena, spec->mounts[k].destination);
		if (!place)
			return fail(err, ENOMEM, "out of memory");
		add_option(i, "--skip", place);
	}
	return 0;
}

int csn_container_changes(struct csn_runtime *rt, const char *container, struct csn_changes **ret,
			  struct csn_error *err)
{
	struct inside i AUTO(inside_done) = INSIDE_INIT;
	struct csn_changes *l AUTO(free_changes)
	= calloc(1, sizeof *l);
	if (!l)
		return fail(err, ENOMEM, "out of memory");
	i.rt = rt;
	TRY(container_find(rt, container, &i.c, err));
	TRY(engine_record_read(i.c.dir, &i.record, &i.arena, err));
	TRY(add_mounts(&i, err));
	add_layers(&i);
	TRY(add_place(&i, "--target", "rootfs", err));
	i.root = openat(i.c.dir, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (i.root < 0)
		return fail_errno(err, "container \"%s\": open directory upper", container);
	struct image_run r = { .progress = take_change, .data = l };
	TRY(run(&i, NULL, -1, &r, err));
	if (l->failed)
		return fail(err, ENOMEM, "out of memory");
	*ret = take_ptr(l);
	return 0;
}

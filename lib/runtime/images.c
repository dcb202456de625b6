/*
 * Images: reading their records, and having caisson-image do everything else.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/sha256.h"
#include "caisson-image.h"
#include "caisson-registry.h"
#include "image/image.h"
#include "runtime/runtime.h"

#define RECORD_MAX (8 << 20)
#define HEX_DIGITS "0123456789abcdef"

/* ---- lists ------------------------------------------------------------------------------------
 */

struct csn_images {
	struct arena arena;
	struct csn_image_info *items;
	size_t count, capacity;
};

size_t csn_images_count(const struct csn_images *images)
{
	return images ? images->count : 0;
}

const struct csn_image_info *csn_images_get(const struct csn_images *images, size_t index)
{
	return index < images->count ? &images->items[index] : NULL;
}

void csn_images_free(struct csn_images *images)
{
	if (!images)
		return;
	free(images->items);
	arena_free(&images->arena);
	free(images);
}

struct csn_images *images_new(void)
{
	return calloc(1, sizeof(struct csn_images));
}

static void free_images(struct csn_images **images)
{
	csn_images_free(*images);
}

static const char *or_empty(const char *s)
{
	return s ? s : "";
}

int images_add(struct csn_images *l, const struct image_record *r)
{
	if (l->count == l->capacity) {
		size_t capacity = l->capacity ? l->capacity * 2 : 16;
		struct csn_image_info *grown = reallocarray(l->items, capacity, sizeof *grown);
		if (!grown)
			return -ENOMEM;
		l->items = grown;
		l->capacity = capacity;
	}
	l->items[l->count++] = (struct csn_image_info){
		.reference = r->reference,
		.digest = r->digest,
		.id = r->id,
		.created = or_empty(r->created),
		.architecture = or_empty(r->architecture),
		.os = or_empty(r->os),
		.size_bytes = r->size,
	};
	return 0;
}

/* ---- records ----------------------------------------------------------------------------------
 */

static int read_record(struct csn_runtime *rt, const char *file, struct image_record *ret,
		       struct arena *arena, struct csn_error *err)
{
	auto_mem char *text = NULL;
	size_t size;
	TRY(file_read(rt->images_dir, file, RECORD_MAX, &text, &size, err));
	return image_record_parse(text, size, file, ret, arena, err);
}

static void close_dir(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

/* Calls fn with each sound record. */
int image_each(struct csn_runtime *rt, struct arena *arena,
	       int (*fn)(void *data, const struct image_record *r), void *data,
	       struct csn_error *err)
{
	int copy = openat(rt->images_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d AUTO(close_dir)
	= copy < 0 ? NULL : fdopendir(copy);
	if (!d) {
		close_fd(&copy);
		return fail_errno(err, "open directory images");
	}
	for (struct dirent *e; (e = readdir(d));) {
		struct image_record r;
		size_t len = strlen(e->d_name);
		if (len != 64 + 5 || strspn(e->d_name, HEX_DIGITS) != 64 ||
		    strcmp(e->d_name + 64, ".json") != 0 ||
		    read_record(rt, e->d_name, &r, arena, NULL) < 0)
			continue;
		int result = fn(data, &r);
		if (result < 0)
			return fail(err, -result, "images: %s", strerror(-result));
	}
	return 0;
}

static int list_add(void *data, const struct image_record *r)
{
	return images_add(data, r);
}

static int by_reference(const void *a, const void *b)
{
	const struct csn_image_info *x = a, *y = b;
	return strcmp(x->reference, y->reference);
}

int csn_image_list(struct csn_runtime *rt, struct csn_images **ret, struct csn_error *err)
{
	struct csn_images *l AUTO(free_images)
	= calloc(1, sizeof *l);
	if (!l)
		return fail(err, ENOMEM, "out of memory");
	TRY(image_each(rt, &l->arena, list_add, l, err));
	if (l->count)
		qsort(l->items, l->count, sizeof *l->items, by_reference);
	*ret = take_ptr(l);
	return 0;
}

struct arena *images_arena(struct csn_images *images)
{
	return &images->arena;
}

/* ---- finding one ------------------------------------------------------------------------------
 */

struct search {
	const char *prefix; /* hex digits of an id */
	struct image_record found;
	bool is_found, ambiguous;
};

static int search_id(void *data, const struct image_record *r)
{
	struct search *s = data;
	const char *hex = strchr(r->id, ':');
	if (!hex || strncmp(hex + 1, s->prefix, strlen(s->prefix)) != 0)
		return 0;
	s->ambiguous |= s->is_found && strcmp(s->found.id, r->id) != 0;
	/* Of several names for one image take the first by name: always the same. */
	if (!s->is_found || strcmp(r->reference, s->found.reference) < 0)
		s->found = *r;
	s->is_found = true;
	return 0;
}

/* Did the machine go down before what was loaded was on disk? (lib/image/settle.c) */
static bool power_was_cut(struct csn_runtime *rt)
{
	int fd = openat(rt->images_dir, "../unsynced", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d AUTO(close_dir)
	= fd < 0 ? NULL : fdopendir(fd);
	bool cut = false;

	if (!d)
		close_fd(&fd);
	for (struct dirent *e; d && !cut && (e = readdir(d));) {
		auto_mem char *boot = NULL;
		size_t size;
		if (e->d_name[0] == '.')
			continue;
		int r = file_read(fd, e->d_name, 64, &boot, &size, NULL);
		cut = r != -ENOENT && (r < 0 || strcmp(boot, proc_boot_id()) != 0);
	}
	return cut;
}

static int settle(struct csn_runtime *rt, struct csn_error *err)
{
	const char *const args[] = { "--root", rt->root, "list", NULL };
	struct image_run run = { 0 };

	return power_was_cut(rt) ? image_program(rt, args, -1, &run, err) : 0;
}

int image_find(struct csn_runtime *rt, const char *text, struct image_record *ret,
	       struct arena *arena, struct csn_error *err)
{
	if (!*text)
		return fail(err, EINVAL, "the image's name is empty");
	TRY(settle(rt, err));
	auto_mem char *reference = reference_normalise(text);
	if (!reference)
		return fail(err, ENOMEM, "out of memory");

	struct sha256 hash;
	char file[64 + sizeof ".json"];
	sha256_init(&hash);
	sha256_update(&hash, reference, strlen(reference));
	sha256_hex(&hash, file);
	(void)strcpy(file + 64, ".json");
	struct csn_error why;
	int r = read_record(rt, file, ret, arena, &why);
	if (r == 0)
		return 0;
	if (r != -ENOENT)
		return fail(err, why.code, "image \"%.300s\": %.150s", text, why.text);

	struct search s = { .prefix = strncmp(text, "sha256:", 7) == 0 ? text + 7 : text };
	size_t digits = strspn(s.prefix, HEX_DIGITS);
	if (s.prefix[digits] == '\0' && digits >= 4 && digits <= 64) {
		TRY(image_each(rt, arena, search_id, &s, err));
		if (s.ambiguous)
			return fail(err, EINVAL, "image \"%s\": several ids begin like this", text);
		if (s.is_found) {
			*ret = s.found;
			return 0;
		}
	}
	return fail(err, ENOENT, "image \"%.400s\" does not exist", text);
}

struct digest_search {
	const char *digest;
	struct image_record *ret;
	bool is_found;
};

static int search_digest(void *data, const struct image_record *r)
{
	struct digest_search *s = data;

	if (!s->is_found && strcmp(r->digest, s->digest) == 0) {
		*s->ret = *r;
		s->is_found = true;
	}
	return 0;
}

int image_find_digest(struct csn_runtime *rt, const char *digest, struct image_record *ret,
		      struct arena *arena, struct csn_error *err)
{
	struct digest_search s = { digest ? digest : "", ret, false };

	TRY(settle(rt, err));
	TRY(image_each(rt, arena, search_digest, &s, err));
	return s.is_found
		       ? 0
		       : fail(err, ENOENT, "the image that it was made from is not here any more");
}

/* ---- loading ---------------------------------------------------------------------------------
 */

/* load and import: [--name N] [--platform P] [--change C]… [--comment C] FILE [NAME] */
struct load_words {
	const char **args;
	char *path; /* absolute: the program runs in "/"; NULL: it reads its input */
};

static void load_words_done(struct load_words *w)
{
	free(w->args);
	free(w->path);
}

static int open_archive(const struct csn_image_load_options *o, struct load_words *w,
			struct csn_error *err)
{
	if (!o->file)
		return 0;
	auto_fd file = open(o->file, O_RDONLY | O_CLOEXEC);
	w->path = file < 0 ? NULL : realpath(o->file, NULL);
	return w->path ? 0 : fail_errno(err, "open %s", o->file);
}

static void add_word(const char ***a, const char *option, const char *value)
{
	if (!value)
		return;
	*(*a)++ = option;
	*(*a)++ = value;
}

static int load_words(struct csn_runtime *rt, const char *verb,
		      const struct csn_image_load_options *o, struct load_words *w,
		      struct csn_error *err)
{
	bool import = strcmp(verb, "import") == 0;
	size_t changes = 0;
	if (!o->file && o->fd < 0)
		return fail(err, EINVAL, "%s: neither a file nor a descriptor", verb);
	if (import && !o->name)
		return fail(err, EINVAL, "import: the image needs a name");
	TRY(open_archive(o, w, err));
	while (o->changes && o->changes[changes])
		changes++;
	w->args = calloc(2 * changes + 12, sizeof *w->args);
	const char **a = w->args;
	if (!a)
		return fail(err, ENOMEM, "out of memory");
	add_word(&a, "--root", rt->root);
	*a++ = verb;
	add_word(&a, "--platform", o->platform);
	add_word(&a, "--name", import ? NULL : o->name);
	for (size_t i = 0; import && i < changes; i++)
		add_word(&a, "--change", o->changes[i]);
	add_word(&a, "--comment", import ? o->comment : NULL);
	*a++ = w->path ? w->path : "-";
	if (import)
		*a++ = o->name;
	return 0;
}

static int load(struct csn_runtime *rt, const char *verb,
		const struct csn_image_load_options *options, struct csn_images **ret,
		struct csn_error *err)
{
	struct csn_image_load_options o = CSN_IMAGE_LOAD_OPTIONS_INIT;
	struct load_words w AUTO(load_words_done) = { 0 };
	TRY(take_struct(&o, sizeof o, options, "struct csn_image_load_options", err));
	TRY(load_words(rt, verb, &o, &w, err));
	struct csn_images *l AUTO(free_images)
	= calloc(1, sizeof *l);
	if (!l)
		return fail(err, ENOMEM, "out of memory");
	struct image_run run = { .progress = o.progress, .data = o.progress_data, .images = l };
	TRY(image_work(rt, w.args, w.path ? -1 : o.fd, &run, err));
	for (size_t i = 0; i < l->count; i++)
		event_tell_image(rt, verb, l->items[i].reference, l->items[i].id);
	if (ret)
		*ret = take_ptr(l);
	return 0;
}

int csn_image_load_begin(struct csn_runtime *rt, const struct csn_image_load_options *options,
			 struct csn_image_transfer **ret, struct csn_error *err)
{
	struct csn_image_load_options o = CSN_IMAGE_LOAD_OPTIONS_INIT;
	struct load_words w AUTO(load_words_done) = { 0 };
	TRY(take_struct(&o, sizeof o, options, "struct csn_image_load_options", err));
	TRY(load_words(rt, "load", &o, &w, err));
	struct csn_image_transfer *t AUTO(transfer_release)
	= transfer_new(rt, "load");
	if (!t)
		return fail(err, ENOMEM, "out of memory");
	TRY(transfer_start(t, w.args, w.path ? -1 : o.fd, err));
	*ret = take_ptr(t);
	return 0;
}

int csn_image_load(struct csn_runtime *rt, const struct csn_image_load_options *options,
		   struct csn_images **ret, struct csn_error *err)
{
	return load(rt, "load", options, ret, err);
}

int csn_image_import(struct csn_runtime *rt, const struct csn_image_load_options *options,
		     struct csn_images **ret, struct csn_error *err)
{
	return load(rt, "import", options, ret, err);
}

/* ---- removing ---------------------------------------------------------------------------------
 */

/* What containers stand on. */
struct users {
	struct csn_runtime *rt;
	struct arena *arena;
	const char *reference, *digest;
	char user[CSN_ID_SIZE]; /* a container made from that image, or "" */
	const char **args;	/* "--keep", layer, … */
	size_t count, capacity;
};

static int users_keep(struct users *u, const char *layer)
{
	for (size_t i = 1; i < u->count; i += 2)
		if (strcmp(u->args[i], layer) == 0)
			return 0;
	if (u->count + 3 > u->capacity) {
		size_t capacity = u->capacity ? u->capacity * 2 : 64;
		const char **grown = reallocarray(u->args, capacity, sizeof *grown);
		if (!grown)
			return -ENOMEM;
		u->args = grown;
		u->capacity = capacity;
	}
	u->args[u->count++] = "--keep";
	u->args[u->count++] = layer;
	return 0;
}

static int users_add(void *data, const char *id)
{
	struct users *u = data;
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct engine_record r;
	if (container_open(u->rt, id, &c, NULL) < 0 ||
	    engine_record_read(c.dir, &r, u->arena, NULL) < 0)
		return 0;
	if (r.image && strcmp(r.image, u->reference) == 0 && r.image_digest &&
	    strcmp(r.image_digest, u->digest) == 0)
		(void)strcpy(u->user, id);
	for (size_t i = 0; i < r.layers_count; i++)
		if (users_keep(u, r.layers[i]) < 0)
			return -ENOMEM;
	return 0;
}

static bool has_garbage(const struct csn_runtime *rt)
{
	return faccessat(rt->root_dir, IMAGE_GARBAGE, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Never waits: while somebody is at work in the store, what is to be freed stays for whoever ends
 * last. Whoever removed an image while we were freeing has left it to us. */
static int collect_garbage(struct csn_runtime *rt, const struct users *u, bool downloads,
			   struct csn_error *err)
{
	auto_mem const char **args = calloc(u->count + 5, sizeof *args);
	if (!args)
		return fail(err, ENOMEM, "out of memory");
	args[0] = "--root";
	args[1] = rt->root;
	args[2] = "gc";
	for (size_t i = 0; i < u->count; i++)
		args[3 + i] = u->args[i];
	if (downloads)
		args[3 + u->count] = "--downloads";
	struct image_run run = { 0 };
	do {
		run = (struct image_run){ 0 };
		TRY(image_program(rt, args, -1, &run, err));
	} while (!run.busy && has_garbage(rt));
	return 0;
}

static void users_done(struct users *u)
{
	free(u->args);
}

int csn_image_remove(struct csn_runtime *rt, const char *image, bool force, struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct image_record r;
	/* Nobody makes a container from layers that are about to go. */
	auto_fd lock = lock_dir(rt->containers_dir, LOCK_EX, err);
	if (lock < 0)
		return lock;
	TRY(image_find(rt, image, &r, &arena, err));

	struct users u AUTO(users_done) = {
		.rt = rt, .arena = &arena, .reference = r.reference, .digest = r.digest
	};
	TRY(container_each(rt, users_add, &u, err));
	if (u.user[0] && !force)
		return fail(err, EBUSY, "image \"%s\": container %.12s is made from it", image,
			    u.user);

	const char *const args[] = { "--root", rt->root, "remove", r.reference, NULL };
	struct image_run run = { 0 };
	TRY(image_program(rt, args, -1, &run, err));
	event_tell_image(rt, "remove", r.reference, r.id);
	return collect_garbage(rt, &u, false, err);
}

/* Somebody could not free what it removed, since we were at work. */
static int collect_left(struct csn_runtime *rt, struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct users u AUTO(
		users_done) = { .rt = rt, .arena = &arena, .reference = "", .digest = "" };
	auto_fd lock = lock_dir(rt->containers_dir, LOCK_EX, err);
	if (lock < 0)
		return lock;
	TRY(container_each(rt, users_add, &u, err));
	return collect_garbage(rt, &u, false, err);
}

void images_free_left(struct csn_runtime *rt)
{
	if (has_garbage(rt))
		(void)collect_left(rt, NULL);
}

int image_work(struct csn_runtime *rt, const char *const *args, int in_fd, struct image_run *run,
	       struct csn_error *err)
{
	int r = image_program(rt, args, in_fd, run, err);
	images_free_left(rt);
	return r;
}

/* Removes the image if no container is made from it. */
static int prune_one(struct csn_runtime *rt, struct users *u, const struct csn_image_info *image,
		     struct csn_images *removed, struct csn_error *err)
{
	const char *const args[] = { "--root", rt->root, "remove", image->reference, NULL };
	struct image_run run = { .images = removed };

	u->reference = image->reference;
	u->digest = image->digest;
	u->user[0] = '\0';
	TRY(container_each(rt, users_add, u, err));
	if (u->user[0])
		return 0;
	TRY(image_program(rt, args, -1, &run, err));
	event_tell_image(rt, "remove", image->reference, image->id);
	return 0;
}

int csn_image_prune(struct csn_runtime *rt, bool all, struct csn_images **ret,
		    struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct csn_images *list AUTO(free_images)
	= NULL;
	struct csn_images *removed AUTO(free_images)
	= images_new();
	struct users u AUTO(
		users_done) = { .rt = rt, .arena = &arena, .reference = "", .digest = "" };

	if (!removed)
		return fail(err, ENOMEM, "out of memory");
	/* Nobody makes a container from layers that are about to go. */
	auto_fd lock = lock_dir(rt->containers_dir, LOCK_EX, err);
	if (lock < 0)
		return lock;
	TRY(container_each(rt, users_add, &u, err));
	TRY(csn_image_list(rt, &list, err));
	for (size_t i = 0; all && i < csn_images_count(list); i++)
		TRY(prune_one(rt, &u, csn_images_get(list, i), removed, err));
	TRY(collect_garbage(rt, &u, true, err));
	if (ret)
		*ret = take_ptr(removed);
	return 0;
}

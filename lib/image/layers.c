/*
 * The layers of an image, in parallel.
 *
 * Overlayfs stacks layers that were unpacked independently, so workers take them bottom first and
 * unpack each without waiting for the ones below. Only when a layer asks what is below it (tree.c)
 * its worker waits until those are done; they were taken before it, so this cannot be a circle.
 *
 * An unpacked layer is shared under its diff_id, unless it asked: then what came out holds only for
 * these layers below, and it is named by chain id (the digest over the chain of diff_ids). A layer
 * whose diff_id occurs twice waits for the first and finds it, if it can be shared.
 */
#include "image/layers.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "image/manage.h"
#include "image/stream.h"
#include "image/unpacker.h"

#define WORKERS_MAX   4
#define PROGRESS_STEP ((uint64_t)4 << 20)

enum layer_state { LAYER_WAITING, LAYER_DONE, LAYER_FAILED };

struct layer_job {
	struct layers *all;
	size_t index;
	const struct layer_input *input;
	struct layer_output *output;
	char chain_id[DIGEST_TEXT_MAX];
	enum layer_state state;
	int fs_dir; /* when done */
	bool fresh; /* unpacked by this run */
	int *lowers;
	struct stream *stream; /* while it is unpacked */
	uint64_t told;	       /* progress */
	int result;
	struct csn_error error;
};

struct layers {
	struct session *session;
	struct layer_job *jobs;
	size_t count, next;
	bool stop;
	pthread_mutex_t lock; /* states, next, stop, the session, events */
	pthread_cond_t changed;
};

/* ---- names and records ----------------------------------------------------------------------- */

static void layer_name(const char *prefix, const char *digest, char ret[LAYER_NAME_MAX])
{
	if (prefix)
		(void)snprintf(ret, LAYER_NAME_MAX, "%s-%s", prefix, digest_hex(digest));
	else
		(void)snprintf(ret, LAYER_NAME_MAX, "%.6s-%s", digest, digest_hex(digest));
}

/* chain(0) = diff(0); chain(n) = sha256(chain(n-1) " " diff(n)) */
static int chain_ids(struct layers *all, struct csn_error *err)
{
	char text[2 * DIGEST_TEXT_MAX];

	for (size_t i = 0; i < all->count; i++) {
		struct layer_job *j = &all->jobs[i];
		if (j->input->diff_id)
			(void)snprintf(j->output->diff_id, DIGEST_TEXT_MAX, "%s",
				       j->input->diff_id);
		if (i == 0) {
			(void)strcpy(j->chain_id, j->output->diff_id);
			continue;
		}
		int n = snprintf(text, sizeof text, "%s %s", j[-1].chain_id, j->output->diff_id);
		TRY(digest_of(DIGEST_SHA256, text, (size_t)n, j->chain_id, err));
	}
	return 0;
}

static int write_layer_json(int dir, const struct layer_job *j, const struct unpack_result *u,
			    struct csn_error *err)
{
	AUTO(json_out_done)
	struct json_out o = JSON_OUT_COMPACT;
	auto_mem char *text = NULL;

	json_open_object(&o, NULL);
	json_put_string(&o, "diff_id", j->output->diff_id);
	if (u->dependent)
		json_put_string(&o, "chain_id", j->chain_id);
	json_put_string(&o, "session", j->all->session->name); /* settle.c */
	json_put_u64(&o, "size", u->size);
	json_put_u64(&o, "entries", u->entries);
	if (u->opaque_root)
		json_put_bool(&o, "opaque_root", true);
	if (u->root.set) {
		json_open_object(&o, "root");
		json_put_u64(&o, "mode", u->root.mode);
		json_put_u64(&o, "uid", u->root.uid);
		json_put_u64(&o, "gid", u->root.gid);
		json_put_i64(&o, "mtime", u->root.mtime.tv_sec);
		json_put_i64(&o, "mtime_nsec", u->root.mtime.tv_nsec);
		json_close_object(&o);
	}
	json_close_object(&o);
	TRY(json_out_take(&o, &text, err));
	return file_write_atomic(dir, "layer.json", text, strlen(text), 0600, false, err);
}

struct layer_record {
	uint64_t size, entries;
	bool opaque_root;
	struct {
		bool set;
		uint32_t mode, uid, gid;
		int64_t mtime, mtime_nsec;
	} root;
};

#define ROOT(member)                                                                               \
	(offsetof(struct layer_record, root.member) - offsetof(struct layer_record, root))

static const struct json_field root_fields[] = { { "mode", decode_u32, ROOT(mode) },
						 { "uid", decode_u32, ROOT(uid) },
						 { "gid", decode_u32, ROOT(gid) },
						 { "mtime", decode_i64, ROOT(mtime) },
						 { "mtime_nsec", decode_i64, ROOT(mtime_nsec) },
						 { 0 } };

static const struct json_field layer_fields[] = {
	{ "size", decode_u64, offsetof(struct layer_record, size), NULL, JSON_REQUIRED },
	{ "entries", decode_u64, offsetof(struct layer_record, entries), NULL, JSON_REQUIRED },
	{ "opaque_root", decode_bool, offsetof(struct layer_record, opaque_root) },
	{ "root", decode_set_object, offsetof(struct layer_record, root), root_fields },
	{ 0 }
};

static int read_layer_json(int dir, struct layer_output *out, struct csn_error *err)
{
	AUTO(arena_free)
	struct arena arena = { 0 };
	struct layer_record r = { 0 };
	auto_mem char *text = NULL;
	size_t size;

	TRY(file_read(dir, "layer.json", DOCUMENT_MAX, &text, &size, err));
	TRY(json_decode(text, size, "layer.json", layer_fields, &r, &arena, err));
	out->size = r.size;
	out->entries = r.entries;
	out->opaque_root = r.opaque_root;
	out->root = (struct root_attrs){
		r.root.set,
		r.root.mode,
		r.root.uid,
		r.root.gid,
		{ r.root.mtime, r.root.mtime_nsec },
	};
	return 0;
}

/* ---- reuse ----------------------------------------------------------------------------------- */

/* A layer of that name, staged by this session or in the store: 1, with the job filled in. */
static int find_layer(struct layer_job *j, const char *name, struct csn_error *err)
{
	struct session *s = j->all->session;

	(void)pthread_mutex_lock(&j->all->lock);
	const struct staged *staged = session_find(s, STAGED_LAYER, name);
	int at = staged ? s->dir_fd : s->store->layers_dir;
	bool ignored = !staged && s->anew;
	auto_fd dir = openat(at, staged ? staged->temp : name,
			     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	(void)pthread_mutex_unlock(&j->all->lock);
	if (ignored)
		return 0;
	if (dir < 0)
		return errno == ENOENT ? 0 : fail_errno(err, "open the unpacked layer %s", name);

	int r = read_layer_json(dir, j->output, err);
	if (r < 0)
		return within(err, r, "unpacked layer %s", name);
	j->fs_dir = openat(dir, "fs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (j->fs_dir < 0)
		return fail_errno(err, "open the unpacked layer %s", name);
	(void)strcpy(j->output->name, name);
	return 1;
}

static int find_ready(struct layer_job *j, struct csn_error *err)
{
	char name[LAYER_NAME_MAX];

	layer_name(NULL, j->output->diff_id, name);
	int r = find_layer(j, name, err);
	if (r != 0)
		return r;
	layer_name("chain", j->chain_id, name);
	return find_layer(j, name, err);
}

/* ---- waiting --------------------------------------------------------------------------------- */

/* Waits for jobs 0 to count-1. */
static int wait_for(struct layers *all, size_t count, struct csn_error *err)
{
	int r = 0;

	(void)pthread_mutex_lock(&all->lock);
	for (size_t i = 0; i < count;) {
		if (all->stop) {
			r = fail(err, ECANCELED, "another layer failed");
			break;
		}
		if (all->jobs[i].state == LAYER_DONE)
			i++;
		else
			(void)pthread_cond_wait(&all->changed, &all->lock);
	}
	(void)pthread_mutex_unlock(&all->lock);
	return r;
}

static int get_lowers(void *data, struct lower_view *ret, struct csn_error *err)
{
	struct layer_job *j = data;

	TRY(wait_for(j->all, j->index, err));
	j->lowers = calloc(j->index + 1, sizeof *j->lowers);
	if (!j->lowers)
		return fail(err, ENOMEM, "out of memory");

	size_t count = 0;
	for (size_t i = j->index; i-- > 0;) {
		j->lowers[count++] = j->all->jobs[i].fs_dir;
		if (j->all->jobs[i].output->opaque_root)
			break;
	}
	*ret = (struct lower_view){ j->lowers, count };
	return 0;
}

static int tick(void *data, uint64_t consumed, struct csn_error *err)
{
	struct layer_job *j = data;
	struct layers *all = j->all;
	const struct image_events *e = all->session->events;
	bool tell = consumed - j->told >= PROGRESS_STEP || consumed == j->input->blob_size;

	(void)pthread_mutex_lock(&all->lock);
	int r = all->stop ? fail(err, ECANCELED, "another layer failed")
			  : session_check(all->session, err);
	if (r == 0 && tell && consumed != j->told && e->progress)
		e->progress(e->data, j->input->blob, consumed, j->input->blob_size);
	(void)pthread_mutex_unlock(&all->lock);
	if (tell)
		j->told = consumed;
	return r;
}

/* The blob ends here, as far as it has come. */
static int more(void *data, uint64_t consumed, struct csn_error *err)
{
	struct layer_job *j = data;
	const struct arrival *a = &j->input->arrival;
	int r;

	while ((r = a->more(a->data, consumed, err)) == -EAGAIN)
		TRY(tick(j, consumed, err));
	return r;
}

static void warn(void *data, const char *text)
{
	struct layer_job *j = data;

	(void)pthread_mutex_lock(&j->all->lock);
	session_warn(j->all->session, "layer %s: %s", j->input->blob, text);
	(void)pthread_mutex_unlock(&j->all->lock);
}

/* ---- unpacking ------------------------------------------------------------------------------- */

/* An empty directory that hands nothing down: no setgid bit, no default ACL of its parent's. */
static int make_fs(int dir, struct csn_error *err)
{
	if (mkdirat(dir, "fs", 0755) < 0)
		return fail_errno(err, "make a directory for the layer");
	int fs = openat(dir, "fs", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fs < 0)
		return fail_errno(err, "open the layer's directory");
	(void)fremovexattr(fs, "system.posix_acl_default");
	(void)fremovexattr(fs, "system.posix_acl_access");
	if (fchown(fs, 0, 0) < 0 || fchmod(fs, 0755) < 0) {
		int r = fail_errno(err, "set up the layer's directory");
		close_fd(&fs);
		return r;
	}
	return fs;
}

static int check_digests(struct layer_job *j, struct stream *s, struct csn_error *err)
{
	char blob[DIGEST_TEXT_MAX] = "", plain[DIGEST_TEXT_MAX];

	TRY(stream_digests(s, blob, plain, err));
	if (j->input->verify_blob && strcmp(blob, j->input->blob) != 0)
		return fail(err, EINVAL, "its content has the digest %s", blob);
	if (!j->input->diff_id) {
		(void)strcpy(j->output->diff_id, plain);
		(void)strcpy(j->chain_id, plain);
	} else if (strcmp(plain, j->input->diff_id) != 0) {
		return fail(err, EINVAL, "its diff_id is %s, but its content has %s",
			    j->input->diff_id, plain);
	}
	return 0;
}

static int open_blob(struct layer_job *j, struct csn_error *err)
{
	const struct arrival *a = &j->input->arrival;
	int r;

	if (!a->begin) {
		(void)pthread_mutex_lock(&j->all->lock);
		r = session_open_blob(j->all->session, j->input->blob, err);
		(void)pthread_mutex_unlock(&j->all->lock);
		return r;
	}
	while ((r = a->begin(a->data, err)) == -EAGAIN)
		TRY(tick(j, 0, err));
	return r;
}

static int open_stream(struct layer_job *j, int blob, struct stream **ret, struct csn_error *err)
{
	const struct stream_options o = {
		.fd = blob,
		.hash_blob = j->input->verify_blob,
		.blob_algorithm = digest_algorithm(j->input->blob),
		.plain_algorithm =
			j->input->diff_id ? digest_algorithm(j->input->diff_id) : DIGEST_SHA256,
		.tick = tick,
		.more = j->input->arrival.more ? more : NULL,
		.data = j,
	};

	return stream_open(&o, ret, err);
}

static ssize_t next(void *data, const void **ret, struct csn_error *err)
{
	struct layer_job *j = data;

	return stream_next(j->stream, ret, err);
}

static int check(void *data, struct csn_error *err)
{
	struct layer_job *j = data;

	return tick(j, stream_consumed(j->stream), err);
}

/* In a process of its own if the store has a program for it, else here. */
static int unpack_stream(struct layer_job *j, int fs, struct unpack_result *ret,
			 struct csn_error *err)
{
	const struct image_store *store = j->all->session->store;
	struct warner w = { .warn = warn, .data = j };
	const struct unpack_options here = {
		.fs_dir = fs,
		.next = next,
		.get_lowers = get_lowers,
		.warner = &w,
		.data = j,
	};
	const struct unpacker_request there = {
		.program = store->unpacker,
		.fs_dir = fs,
		.stream = j->stream,
		.get_lowers = get_lowers,
		.warn = warn,
		.check = check,
		.data = j,
	};

	return store->unpacker ? unpacker_run(&there, ret, err) : unpack_layer(&here, ret, err);
}

static int unpack_into(struct layer_job *j, int fs, struct unpack_result *ret,
		       struct csn_error *err)
{
	auto_fd blob = open_blob(j, err);
	TRY(blob);

	AUTO(stream_closep)
	struct stream *stream = NULL;
	TRY(open_stream(j, blob, &stream, err));
	j->stream = stream;
	TRY(unpack_stream(j, fs, ret, err));
	return check_digests(j, stream, err);
}

static int unpack_job(struct layer_job *j, struct csn_error *err)
{
	struct layers *all = j->all;
	struct session *s = all->session;
	struct unpack_result u = { 0 };
	char temp[32];

	(void)pthread_mutex_lock(&all->lock);
	session_temp_name(s, temp);
	(void)pthread_mutex_unlock(&all->lock);
	if (mkdirat(s->dir_fd, temp, 0700) < 0)
		return fail_errno(err, "make a directory for the layer");
	auto_fd dir = openat(s->dir_fd, temp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return fail_errno(err, "open the layer's directory");
	auto_fd fs = make_fs(dir, err);
	TRY(fs);
	TRY(unpack_into(j, fs, &u, err));
	TRY(write_layer_json(dir, j, &u, err));

	struct layer_output *out = j->output;
	out->size = u.size;
	out->entries = u.entries;
	out->opaque_root = u.opaque_root;
	out->root = u.root;
	layer_name(u.dependent ? "chain" : NULL, u.dependent ? j->chain_id : out->diff_id,
		   out->name);
	(void)pthread_mutex_lock(&all->lock);
	int r = session_stage(s, STAGED_LAYER, temp, out->name, err);
	(void)pthread_mutex_unlock(&all->lock);
	TRY(r);
	j->fs_dir = take_fd(&fs);
	j->fresh = true;
	return 0;
}

static void tell_done(struct layer_job *j)
{
	const struct image_events *e = j->all->session->events;

	(void)pthread_mutex_lock(&j->all->lock);
	if (e->layer_done)
		e->layer_done(e->data, j->input->blob, j->fresh);
	(void)pthread_mutex_unlock(&j->all->lock);
}

static int run_job(struct layer_job *j, struct csn_error *err)
{
	for (size_t i = 0; i < j->index; i++)
		if (strcmp(j->all->jobs[i].output->diff_id, j->output->diff_id) == 0) {
			TRY(wait_for(j->all, i + 1, err));
			break;
		}
	int r = j->input->diff_id ? find_ready(j, err) : 0;
	if (r == 0)
		r = unpack_job(j, err);
	if (r >= 0)
		tell_done(j);
	/* A blob that is not what its name says must not stay in anybody's way. */
	if (r == -EINVAL && j->input->verify_blob)
		(void)store_check_blob(j->all->session->store, j->input->blob, true, NULL);
	return r < 0 ? within(err, r, "layer %s", j->input->blob) : 0;
}

static void *worker(void *data)
{
	struct layers *all = data;

	(void)unshare(CLONE_FS); /* see unpack.h: a working directory for each */
	(void)pthread_mutex_lock(&all->lock);
	while (!all->stop && all->next < all->count) {
		struct layer_job *j = &all->jobs[all->next++];
		(void)pthread_mutex_unlock(&all->lock);
		j->result = run_job(j, &j->error);
		(void)pthread_mutex_lock(&all->lock);
		j->state = j->result < 0 ? LAYER_FAILED : LAYER_DONE;
		all->stop |= j->result < 0;
		(void)pthread_cond_broadcast(&all->changed);
	}
	(void)pthread_mutex_unlock(&all->lock);
	return NULL;
}

static void run_workers(struct layers *all)
{
	pthread_t threads[WORKERS_MAX];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t want = cpus < 1 ? 1 : cpus > WORKERS_MAX ? WORKERS_MAX : (size_t)cpus;
	size_t count = 0;

	/* This thread is one of them; fewer than wanted will do. */
	while (count + 1 < want && count + 1 < all->count &&
	       pthread_create(&threads[count], NULL, worker, all) == 0)
		count++;
	(void)worker(all);
	while (count > 0)
		(void)pthread_join(threads[--count], NULL);
}

/* Layers rarely describe the root directory itself; then it looks as in the layer below, and at the
 * bottom has the time 0. (A mount of an image with an upper directory shows that one's; see "root"
 * in the image record.) */
static int inherit_roots(struct layers *all, struct csn_error *err)
{
	for (size_t i = 0; i < all->count; i++) {
		struct layer_job *j = &all->jobs[i];
		AUTO(attrs_done)
		struct attrs a = { .mode = 0755 };
		if (!j->fresh || j->output->root.set)
			continue;
		if (i > 0 && !j->output->opaque_root)
			TRY(attrs_from_fd(all->jobs[i - 1].fs_dir, &a, err));
		TRY(attrs_apply(j->fs_dir, &a, true, NULL, err));
	}
	return 0;
}

/* The failure that came first; the others only say that there was one. */
static int first_failure(const struct layers *all, struct csn_error *err)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->jobs[i].result < 0 && all->jobs[i].result != -ECANCELED)
			return fail(err, all->jobs[i].error.code, "%s", all->jobs[i].error.text);
	return all->stop ? fail(err, ECANCELED, "canceled") : 0;
}

int layers_unpack(struct session *s, const struct layer_input *inputs, size_t count,
		  struct layer_output *ret, struct csn_error *err)
{
	auto_mem struct layer_job *jobs = calloc(count ? count : 1, sizeof *jobs);
	if (!jobs)
		return fail(err, ENOMEM, "out of memory");

	struct layers all = { .session = s, .jobs = jobs, .count = count };
	(void)pthread_mutex_init(&all.lock, NULL);
	(void)pthread_cond_init(&all.changed, NULL);
	for (size_t i = 0; i < count; i++)
		jobs[i] = (struct layer_job){ .all = &all,
					      .index = i,
					      .input = &inputs[i],
					      .output = &ret[i],
					      .fs_dir = -1 };
	int r = chain_ids(&all, err);
	if (r == 0) {
		run_workers(&all);
		r = first_failure(&all, err);
	}
	if (r == 0)
		r = inherit_roots(&all, err);

	for (size_t i = 0; i < count; i++) {
		close_fd(&jobs[i].fs_dir);
		free(jobs[i].lowers);
	}
	(void)pthread_cond_destroy(&all.changed);
	(void)pthread_mutex_destroy(&all.lock);
	return r;
}

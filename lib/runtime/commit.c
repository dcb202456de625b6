/*
 * Archives and images out of containers. caisson-image does the work; here it is decided which
 * directories it is about, and what the container was given beyond what its image says.
 *
 * A container that runs goes on while it is read, unless it is to be paused. It is not locked: who
 * removes it meanwhile makes the reading fail.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "caisson-image.h"
#include "runtime/private_env.h"
#include "runtime/runtime.h"

/* A container with its record. */
struct subject {
	struct container c;
	struct engine_record record;
	struct arena arena;
};
#define SUBJECT_INIT                                                                               \
	{                                                                                          \
		.c = CONTAINER_INIT                                                                \
	}

static void subject_done(struct subject *s)
{
	container_close(&s->c);
	arena_free(&s->arena);
}

static int open_subject(struct csn_runtime *rt, const char *container, struct subject *ret,
			struct csn_error *err)
{
	TRY(container_find(rt, container, &ret->c, err));
	return engine_record_read(ret->c.dir, &ret->record, &ret->arena, err);
}

/* ---- export ---------------------------------------------------------------------------------- */

int csn_container_export(struct csn_runtime *rt, const char *container, int fd,
			 struct csn_error *err)
{
	struct subject s AUTO(subject_done) = SUBJECT_INIT;
	struct image_run run = { 0 };

	TRY(open_subject(rt, container, &s, err));
	auto_mem const char **args = calloc(s.record.layers_count + 6, sizeof *args);
	char *upper = arena_printf(&s.arena, "containers/%s/upper", s.c.id);
	if (!args || !upper)
		return fail(err, ENOMEM, "out of memory");
	args[0] = "--root";
	args[1] = rt->root;
	args[2] = "export";
	size_t n = 3;
	for (size_t i = 0; i < s.record.layers_count; i++)
		args[n++] = s.record.layers[i];
	args[n] = upper;
	int r = image_work(rt, args, fd, &run, err);
	return r < 0 ? within(err, r, "container \"%s\"", container) : 0;
}

/* ---- commit ---------------------------------------------------------------------------------- */

struct committing {
	struct csn_runtime *rt;
	struct subject *s;
	struct csn_commit_options o;
	const char **args;
	size_t count;
};

static void add(struct committing *m, const char *name, const char *value)
{
	if (!value)
		return;
	m->args[m->count++] = name;
	m->args[m->count++] = value;
}

static void free_spec(struct spec **s)
{
	spec_free(*s);
}

static int own_changes(struct committing *m, const struct spec *spec,
		       const struct image_record *image, char ***ret, size_t *ret_count,
		       struct csn_error *err)
{
	struct user_db db = { 0 };
	struct resolved_user user = { 0 };
	struct arena *arena = &m->s->arena;

	TRY(users_of_image(m->rt, &image->layers, &db, arena, err));
	TRY(user_resolve(image->config.user, &db, &user, arena, err));
	return service_to_instructions(spec, &image->config, &user, ret, ret_count, arena, err);
}

static size_t length(const char *const *list)
{
	size_t n = 0;

	while (list && list[n])
		n++;
	return n;
}

static int make_args(struct committing *m, struct csn_error *err)
{
	struct spec *spec AUTO(free_spec)
	= NULL;
	struct image_record image;
	struct arena *arena = &m->s->arena;
	char **own = NULL;
	size_t own_count = 0, given = length(m->o.changes);

	TRY(image_find_digest(m->rt, m->s->record.image_digest, &image, arena, err));
	TRY(spec_read_bundle(m->s->c.dir, m->s->c.id, &spec, err));
	TRY(private_env_leave_out(&m->s->c, &spec->process.env, err));
	TRY(own_changes(m, spec, &image, &own, &own_count, err));
	m->args = arena_array(arena, 2 * (own_count + given + spec->mounts_count) + 16,
			      sizeof *m->args);
	char *created_by = arena_printf(arena, "caisson commit of %.12s", m->s->c.id);
	if (!m->args || !created_by)
		return fail(err, ENOMEM, "out of memory");
	add(m, "--root", m->rt->root);
	m->args[m->count++] = "commit";
	add(m, "--base", image.digest);
	add(m, "--created-by", created_by);
	add(m, "--author", m->o.author);
	add(m, "--comment", m->o.comment);
	for (size_t i = 0; i < own_count; i++)
		add(m, "--given", own[i]);
	for (size_t i = 0; i < given; i++)
		add(m, "--change", m->o.changes[i]);
	for (size_t i = 0; i < spec->mounts_count; i++) {
		char *place = arena_strdup(arena, spec->mounts[i].destination);
		if (!place)
			return fail(err, ENOMEM, "out of memory");
		add(m, "--skip", place);
	}
	m->args[m->count++] = "--";
	m->args[m->count++] = m->o.name;
	return 0;
}

static void free_images(struct csn_images **images)
{
	csn_images_free(*images);
}

/* True when this was what paused it. */
static int pause_it(struct committing *m, bool *ret, struct csn_error *err)
{
	struct csn_error why;
	int r = m->o.pause ? csn_container_pause(m->rt, m->s->c.id, &why) : -ESRCH;

	*ret = r == 0;
	return r == 0 || r == -ESRCH || r == -EALREADY ? 0 : fail(err, -r, "%s", why.text);
}

static int commit(struct committing *m, struct csn_images **ret, struct csn_error *err)
{
	struct csn_images *l AUTO(free_images)
	= images_new();
	struct image_run run = { .images = l };
	bool paused;

	if (!l)
		return fail(err, ENOMEM, "out of memory");
	TRY(make_args(m, err));
	auto_fd upper = openat(m->s->c.dir, "upper", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (upper < 0)
		return fail_errno(err, "open directory upper");
	TRY(pause_it(m, &paused, err));
	int r = image_work(m->rt, m->args, upper, &run, err);
	struct csn_error why;
	int e = paused ? csn_container_unpause(m->rt, m->s->c.id, &why) : 0;
	TRY(r);
	if (e < 0 && e != -ESRCH && e != -EALREADY)
		return fail(err, -e, "the image is made, but: %s", why.text);
	for (size_t i = 0; i < csn_images_count(l); i++)
		event_tell_image(m->rt, "commit", csn_images_get(l, i)->reference,
				 csn_images_get(l, i)->id);
	if (ret)
		*ret = take_ptr(l);
	return 0;
}

int csn_container_commit(struct csn_runtime *rt, const char *container,
			 const struct csn_commit_options *options, struct csn_images **ret,
			 struct csn_error *err)
{
	struct subject s AUTO(subject_done) = SUBJECT_INIT;
	struct committing m = { .rt = rt, .s = &s, .o = CSN_COMMIT_OPTIONS_INIT };

	TRY(take_struct(&m.o, sizeof m.o, options, "struct csn_commit_options", err));
	if (!m.o.name)
		return fail(err, EINVAL, "commit: the image needs a name");
	TRY(open_subject(rt, container, &s, err));
	return commit(&m, ret, err);
}

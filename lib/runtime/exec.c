/*
 * One more process in a running container, as the OCI process object that `caisson exec --process`
 * takes: the container's own process with other arguments, and no more rights than it has.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/names.h"
#include "base/path.h"
#include "runtime/runtime.h"

static void free_spec(struct spec **s)
{
	spec_free(*s);
}

static size_t list_length(const char *const *list)
{
	size_t n = 0;
	while (list && list[n])
		n++;
	return n;
}

static int merge_env(const struct spec_process *p, const struct csn_exec_options *o,
		     struct service *s, struct arena *arena, struct csn_error *err)
{
	size_t given = list_length(o->env);
	s->env = arena_array(arena, p->env.count + given + 3, sizeof *s->env);
	if (!s->env)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < p->env.count; i++)
		s->env[s->env_count++] = p->env.items[i];
	for (size_t i = 0; i < given; i++) {
		if (!strchr(o->env[i], '=') || o->env[i][0] == '=')
			return fail(err, EINVAL, "environment \"%.200s\": expected NAME=value",
				    o->env[i]);
		char *entry = arena_strdup(arena, o->env[i]);
		if (!entry)
			return fail(err, ENOMEM, "out of memory");
		env_set(s->env, &s->env_count, entry);
	}
	if (o->tty && !env_get(s->env, s->env_count, "TERM")) {
		char *term = arena_strdup(arena, "TERM=xterm");
		if (!term)
			return fail(err, ENOMEM, "out of memory");
		env_set(s->env, &s->env_count, term);
	}
	return 0;
}

static int set_user(const struct spec_process *p, const struct csn_exec_options *o,
		    const struct facts *f, struct service *s, struct arena *arena,
		    struct csn_error *err)
{
	struct user_db db = { 0 };

	if (!o->user) {
		s->user = (struct resolved_user){ .uid = p->user.uid,
						  .gid = p->user.gid,
						  .groups = p->user.additional_gids,
						  .groups_count = p->user.additional_gids_count };
		return 0;
	}
	TRY(users_of_container(f, &db, arena, err));
	TRY(user_resolve(o->user, &db, &s->user, arena, err));
	char *home = arena_printf(arena, "HOME=%s", s->user.home);
	if (!home)
		return fail(err, ENOMEM, "out of memory");
	env_set(s->env, &s->env_count, home);
	return 0;
}

static int set_args(const struct spec_process *p, const struct csn_exec_options *o,
		    struct service *s, struct arena *arena, struct csn_error *err)
{
	s->args_count = list_length(o->command);
	if (s->args_count == 0)
		return fail(err, EINVAL, "no command given");
	s->args = arena_array(arena, s->args_count + 1, sizeof *s->args);
	for (size_t i = 0; s->args && i < s->args_count; i++) {
		s->args[i] = arena_strdup(arena, o->command[i]);
		if (!s->args[i])
			return fail(err, ENOMEM, "out of memory");
	}
	if (o->working_dir && o->working_dir[0] != '/')
		return fail(err, EINVAL, "working directory \"%.200s\": expected an absolute path",
			    o->working_dir);
	char *cwd = arena_strdup(arena, o->working_dir ? o->working_dir : p->cwd);
	if (!s->args || !cwd)
		return fail(err, ENOMEM, "out of memory");
	path_clean(cwd);
	s->cwd = cwd;
	return 0;
}

/* The container's own. */
static void set_rights(const struct spec_process *p, const struct csn_security *options,
		       struct service_security *ret)
{
	*ret = (struct service_security){ .options = options,
					  .no_new_privileges = p->no_new_privileges,
					  .apparmor = p->apparmor_profile,
					  .selinux_label = p->selinux_label };
	for (size_t i = 0; i < p->capabilities.bounding.count; i++) {
		int number = capability_number(p->capabilities.bounding.items[i]);
		if (number >= 0)
			ret->capabilities |= UINT64_C(1) << number;
	}
}

int csn_container_process(struct csn_runtime *rt, const char *container,
			  const struct csn_exec_options *options, char **ret_json,
			  struct csn_error *err)
{
	struct csn_exec_options o = CSN_EXEC_OPTIONS_INIT;
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct facts f AUTO(facts_done) = FACTS_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	struct spec *spec AUTO(free_spec)
	= NULL;

	TRY(take_struct(&o, sizeof o, options, "struct csn_exec_options", err));
	TRY(container_find(rt, container, &c, err));
	facts_read(rt, &c, false, &f);
	if (f.init_fd < 0)
		return fail(err, ESRCH, "container \"%s\" is not running", container);
	if (f.paused)
		return fail(err, EBUSY, "container \"%s\" is paused", container);
	TRY(spec_read_bundle(c.dir, c.id, &spec, err));

	struct csn_container_options as_container = CSN_CONTAINER_OPTIONS_INIT;
	as_container.tty = o.tty;
	struct csn_security as_security = CSN_SECURITY_INIT;
	struct service s = { .id = c.id,
			     .options = &as_container,
			     .rlimits = spec->process.rlimits,
			     .rlimits_count = spec->process.rlimits_count,
			     .oom_score_adj = spec->process.oom_score_adj };
	set_rights(&spec->process, &as_security, &s.security);
	TRY(set_args(&spec->process, &o, &s, &arena, err));
	TRY(merge_env(&spec->process, &o, &s, &arena, err));
	TRY(set_user(&spec->process, &o, &f, &s, &arena, err));
	return service_to_process(&s, ret_json, err);
}

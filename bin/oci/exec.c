/*
 * caisson exec: one more process in a container. Without --process it is the container's own
 * process object with other arguments; options add to it or replace parts.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "bin/oci/oci.h"

enum { RUNTIME_ERROR = 255, PROCESS_MAX = 16 << 20 };

static struct host_exec args;
static const char *process_file, *cwd, *user, *label, *apparmor;
static bool tty, detach, no_new_privs;
static struct opt_list env, caps, gids, cgroups;

static const struct opt options[] = {
	{ 'p', "process", "FILE", "process object to run (JSON)", OPT_TEXT, &process_file },
	{ 0, "cwd", "DIR", "working directory", OPT_TEXT, &cwd },
	{ 'e', "env", "NAME=VALUE", "set an environment variable", OPT_LIST, &env },
	{ 't', "tty", NULL, "with a terminal", OPT_FLAG, &tty },
	{ 'u', "user", "UID[:GID]", "run as this user; a name is looked up in the container",
	  OPT_TEXT, &user },
	{ 'g', "additional-gids", "GID", "add a group", OPT_LIST, &gids },
	{ 'd', "detach", NULL, "return when the process runs", OPT_FLAG, &detach },
	{ 'c', "cap", "CAP", "add a capability", OPT_LIST, &caps },
	{ 0, "no-new-privs", NULL, "set no_new_privs", OPT_FLAG, &no_new_privs },
	{ 0, "process-label", "LABEL", "SELinux label of the process", OPT_TEXT, &label },
	{ 0, "apparmor", "PROFILE", "AppArmor profile of the process", OPT_TEXT, &apparmor },
	{ 0, "console-socket", "PATH", "AF_UNIX socket that receives the terminal", OPT_TEXT,
	  &args.console_socket },
	{ 0, "pidfd-socket", "PATH", "AF_UNIX socket that receives a pidfd", OPT_TEXT,
	  &args.pidfd_socket },
	{ 0, "pid-file", "FILE", "write the pid there", OPT_TEXT, &args.pid_file },
	{ 0, "preserve-fds", "N", "keep N descriptors above standard error open", OPT_INT,
	  &args.preserve_fds },
	{ 0, "cgroup", "PATH", "sub-cgroup of the container to run in", OPT_LIST, &cgroups },
	{ 0, "ignore-paused", NULL, "allow it in a paused container", OPT_FLAG,
	  &args.ignore_paused },
	{ 0, "no-new-keyring", NULL, "keep the caller's session keyring", OPT_FLAG,
	  &args.no_new_keyring },
	{ 0, "no-subreaper", NULL, NULL, OPT_IGNORED_FLAG, NULL },
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

static int parse_id(const char *text, const char **ret_end, uint32_t *ret, const char *option,
		    struct csn_error *err)
{
	char *end;
	errno = 0;
	unsigned long n = strtoul(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || errno || n > 4294967294UL)
		return fail(err, EINVAL, "option --%s: expected a number, not \"%s\"", option,
			    text);
	*ret = (uint32_t)n;
	*ret_end = end;
	return 0;
}

static int set_user(struct spec *spec, struct csn_error *err)
{
	struct spec_user *u = &spec->process.user;
	const char *end = "";
	if (user && (user[0] < '0' || user[0] > '9')) {
		/* A name brings its own groups; those of the config are somebody else's. */
		args.user = user;
		u->additional_gids_count = 0;
	} else if (user) {
		u->gid = 0;
		TRY(parse_id(user, &end, &u->uid, "user", err));
		if (*end == ':')
			TRY(parse_id(end + 1, &end, &u->gid, "user", err));
		if (*end)
			return fail(err, EINVAL, "option --user: expected UID[:GID], not \"%s\"",
				    user);
	}
	if (!gids.count)
		return 0;
	size_t total = u->additional_gids_count + gids.count;
	uint32_t *all = arena_array(&spec->arena, total, sizeof *all);
	if (!all)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < u->additional_gids_count; i++)
		all[i] = u->additional_gids[i];
	for (size_t i = 0; i < gids.count; i++) {
		TRY(parse_id(gids.items[i], &end, &all[u->additional_gids_count + i],
			     "additional-gids", err));
		if (*end)
			return fail(err, EINVAL,
				    "option --additional-gids: expected a number, not \"%s\"",
				    gids.items[i]);
	}
	u->additional_gids = all;
	u->additional_gids_count = total;
	return 0;
}

static int append(struct spec *spec, struct spec_strings *list, const char *const *more,
		  size_t more_count, struct csn_error *err)
{
	char **items = arena_array(&spec->arena, list->count + more_count + 1, sizeof *items);
	if (!items)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < list->count; i++)
		items[i] = list->items[i];
	for (size_t i = 0; i < more_count; i++) {
		items[list->count + i] = arena_strdup(&spec->arena, more[i]);
		if (!items[list->count + i])
			return fail(err, ENOMEM, "out of memory");
	}
	*list = (struct spec_strings){ items, list->count + more_count, true };
	return 0;
}

/* As runc: what is added goes to every set that makes it effective, and to none that would leave
 * it behind in files. */
static int add_capabilities(struct spec *spec, struct csn_error *err)
{
	struct spec_capabilities *c = &spec->process.capabilities;
	if (!caps.count)
		return 0;
	c->set = true;
	TRY(append(spec, &c->bounding, caps.items, caps.count, err));
	TRY(append(spec, &c->effective, caps.items, caps.count, err));
	return append(spec, &c->permitted, caps.items, caps.count, err);
}

/* What options say goes before what the config or --process says. */
static int override(struct spec *spec, struct csn_error *err)
{
	struct spec_process *p = &spec->process;

	p->terminal |= tty;
	if (env.count)
		TRY(append(spec, &p->env, env.items, env.count, err));
	TRY(set_user(spec, err));
	TRY(add_capabilities(spec, err));
	if (cwd)
		p->cwd = arena_strdup(&spec->arena, cwd);
	if (label)
		p->selinux_label = arena_strdup(&spec->arena, label);
	if (apparmor)
		p->apparmor_profile = arena_strdup(&spec->arena, apparmor);
	p->no_new_privileges |= no_new_privs;
	return spec_check_process(spec, "exec", err);
}

/* runc's users may name controllers of cgroup v1 ("cpu,memory:sub"); in v2 there is one path. */
static int set_cgroup(struct csn_error *err)
{
	for (size_t i = 0; i < cgroups.count; i++) {
		const char *colon = strchr(cgroups.items[i], ':');
		const char *path = colon ? colon + 1 : cgroups.items[i];
		if (colon == cgroups.items[i] || !*path)
			return fail(
				err, EINVAL,
				"option --cgroup: expected PATH or CONTROLLERS:PATH, not \"%s\"",
				cgroups.items[i]);
		if (args.cgroup && strcmp(args.cgroup, path) != 0)
			return fail(
				err, EINVAL,
				"option --cgroup: \"%s\" and \"%s\": cgroup v2 has one group for "
				"all controllers",
				args.cgroup, path);
		args.cgroup = path;
	}
	return 0;
}

/* The container's own process object with other arguments. */
static int take_over(struct spec *spec, int argc, char **argv, struct csn_error *err)
{
	struct spec_process *p = &spec->process;

	p->set = true;
	p->terminal = p->has_console_size = false;
	p->args = (struct spec_strings){ 0 };
	TRY(append(spec, &p->args, (const char *const *)argv, (size_t)argc, err));
	return override(spec, err);
}

static int get_process(int argc, char **argv, struct spec **ret, struct csn_error *err)
{
	if (process_file) {
		auto_mem char *text = NULL;
		size_t size = 0;
		if (argc > 0)
			return fail(err, EINVAL, "exec: a command goes not with --process");
		TRY(file_read(AT_FDCWD, process_file, PROCESS_MAX, &text, &size, err));
		TRY(spec_parse_process(text, size, process_file, ret, err));
		if (!(*ret)->process.args.count)
			return fail(err, EINVAL, "%s: args: missing", process_file);
		return override(*ret, err);
	}
	if (argc == 0)
		return fail(err, EINVAL, "exec: expected a command or --process FILE");
	TRY(host_config(oci_context(), args.id, ret, err));
	args.config = *ret;
	return take_over(*ret, argc, argv, err);
}

static void free_spec(struct spec **s)
{
	spec_free(*s);
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	struct spec *spec AUTO(free_spec)
	= NULL;
	struct host_process process = HOST_PROCESS_INIT;
	int status = 0;

	if (oci_need_guard())
		return RUNTIME_ERROR;
	args.id = argv[0];
	if (set_cgroup(&err) < 0)
		return oci_fail(&err, RUNTIME_ERROR);
	if (get_process(argc - 1, argv + 1, &spec, &err) < 0)
		return oci_fail(&err, RUNTIME_ERROR);
	if (detach && spec->process.terminal && !args.console_socket)
		return oci_fail_text(
			RUNTIME_ERROR,
			"exec: a detached process with a terminal needs --console-socket");
	args.process = &spec->process;
	if (host_exec(oci_context(), &args, &process, &err) < 0)
		return oci_fail(&err, RUNTIME_ERROR);
	if (!detach && host_attend(&process, &status, &err) < 0)
		status = oci_fail(&err, RUNTIME_ERROR);
	close_fd(&process.pidfd);
	close_fd(&process.tty_master);
	return status;
}

const struct command command_exec = { "exec",
				      "CONTAINER [COMMAND [ARGUMENT…]]",
				      "run one more process in a running container",
				      1,
				      -1,
				      get_options,
				      run };

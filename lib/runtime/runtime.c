/*
 * Opening and closing the native runtime. Everything that is opened here stays as it is until the
 * close, which is why threads may share it.
 */
#include "runtime/runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/path.h"
#include "config.h"

#define ROOT_DEFAULT	 "/var/lib/caisson"
#define RUN_ROOT_DEFAULT "/run/caisson-engine"

const char *csn_version(void)
{
	return PACKAGE_VERSION;
}

void csn_free(void *text)
{
	free(text);
}

/* The absolute form of a directory's path, with the caller's working directory as it is now. */
static int absolute(const char *path, const char *what, char **ret, struct csn_error *err)
{
	auto_mem char *cwd = path[0] == '/' ? strdup("/") : getcwd(NULL, 0);
	if (!cwd)
		return fail_errno(err, "%s %s: working directory", what, path);
	char *joined = path_join(cwd, path);
	if (!joined)
		return fail(err, ENOMEM, "out of memory");
	path_clean(joined);
	if (strcmp(joined, "/") == 0) {
		free(joined);
		return fail(err, EINVAL, "%s: expected a directory of its own, not \"/\"", what);
	}
	*ret = joined;
	return 0;
}

static int open_root(const char *path, const char *what, int *ret, struct csn_error *err)
{
	int r = make_dirs(path, 0700, err);
	if (r < 0)
		return within(err, r, "%s", what);
	*ret = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return *ret < 0 ? fail_errno(err, "%s: open %s", what, path) : 0;
}

static int open_sub(int dir, const char *name, int *ret, struct csn_error *err)
{
	if (mkdirat(dir, name, 0700) < 0 && errno != EEXIST)
		return fail_errno(err, "make directory %s", name);
	*ret = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return *ret < 0 ? fail_errno(err, "open directory %s", name) : 0;
}

static int open_dirs(struct csn_runtime *rt, struct csn_error *err)
{
	TRY(open_root(rt->root, "root", &rt->root_dir, err));
	TRY(open_root(rt->run_root, "run root", &rt->run_dir, err));
	const struct {
		int dir;
		const char *name;
		int *ret;
	} subs[] = {
		{ rt->root_dir, "containers", &rt->containers_dir },
		{ rt->root_dir, "names", &rt->names_dir },
		{ rt->root_dir, "unfinished", &rt->unfinished_dir },
		{ rt->root_dir, "images", &rt->images_dir },
		{ rt->run_dir, "monitor", &rt->monitor_dir },
	};
	for (size_t i = 0; i < COUNT(subs); i++) {
		int r = open_sub(subs[i].dir, subs[i].name, subs[i].ret, err);
		if (r < 0)
			return within(err, r, "%s",
				      subs[i].dir == rt->run_dir ? rt->run_root : rt->root);
	}
	auto_mem char *state = path_join(rt->run_root, "state");
	if (!state)
		return fail(err, ENOMEM, "out of memory");
	return store_open(state, true, &rt->state, err);
}

static void close_runtime(struct csn_runtime **rt)
{
	csn_runtime_close(*rt);
}

int csn_runtime_open_native(const struct csn_config *config, struct csn_runtime **ret,
			    struct csn_error *err)
{
	struct csn_config c = CSN_CONFIG_INIT;
	TRY(take_struct(&c, sizeof c, config, "struct csn_config", err));

	struct csn_runtime *rt AUTO(close_runtime)
	= calloc(1, sizeof *rt);
	if (!rt)
		return fail(err, ENOMEM, "out of memory");
	rt->root_dir = rt->run_dir = rt->containers_dir = rt->names_dir = -1;
	rt->unfinished_dir = rt->images_dir = rt->monitor_dir = -1;
	rt->state = (struct store)STORE_INIT;
	(void)pthread_mutex_init(&rt->lock, NULL);
	watches_init(&rt->watches);

	TRY(absolute(c.root ? c.root : ROOT_DEFAULT, "root", &rt->root, err));
	TRY(absolute(c.run_root ? c.run_root : RUN_ROOT_DEFAULT, "run root", &rt->run_root, err));
	TRY(programs_find(&rt->programs, err));
	rt->env = programs_env();
	const char *parent = secure_getenv("CAISSON_CGROUP_PARENT");
	if (parent && *parent)
		rt->cgroup_parent = strdup(parent);
	if (!rt->env || (parent && *parent && !rt->cgroup_parent))
		return fail(err, ENOMEM, "out of memory");
	TRY(open_dirs(rt, err));
	*ret = take_ptr(rt);
	return 0;
}

void csn_runtime_close(struct csn_runtime *rt)
{
	if (!rt)
		return;
	spawn_reap_all(rt);
	int *const dirs[] = { &rt->root_dir,   &rt->run_dir,	&rt->containers_dir,
			      &rt->names_dir,  &rt->images_dir, &rt->unfinished_dir,
			      &rt->monitor_dir };
	for (size_t i = 0; i < COUNT(dirs); i++)
		close_fd(dirs[i]);
	store_close(&rt->state);
	watches_done(&rt->watches);
	(void)pthread_mutex_destroy(&rt->lock);
	free(rt->children);
	free(rt->root);
	free(rt->run_root);
	free(rt->programs);
	free(rt->env);
	free(rt->cgroup_parent);
	free(rt);
}

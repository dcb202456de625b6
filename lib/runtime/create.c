/*
 * Making a container. Everything is made below <root>/unfinished/<id>, under a lock that tells
 * sweepers that somebody is at work; then, with the name claimed, one rename makes it exist. A
 * crash leaves a directory that the next create sweeps away, or a name that counts as free.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/names.h"
#include "base/path.h"
#include "base/utc.h"
#include "cgroups/cgroups.h"
#include "monitor/health.h"
#include "runtime/network.h"
#include "runtime/volumes.h"

/* One creation on its way. */
struct making {
	struct csn_runtime *rt;
	struct arena arena;
	char id[CSN_ID_SIZE];
	struct image_record image;
	struct service service;
	struct run_network network;
	struct csn_healthcheck health;
	struct service_log log;
	struct restart_policy restart;
	int dir; /* unfinished/<id>, locked */
};

static void making_done(struct making *m)
{
	if (m->dir >= 0) /* not renamed: take it back */
		(void)remove_tree(m->rt->unfinished_dir, m->id, NULL);
	close_fd(&m->dir);
	arena_free(&m->arena);
}

/* ---- unfinished -------------------------------------------------------------------------------
 */

static void close_dir(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

/* Removes what crashed predecessors left: whatever nobody holds a lock on. */
void unfinished_sweep(struct csn_runtime *rt)
{
	int copy = openat(rt->unfinished_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d AUTO(close_dir)
	= copy < 0 ? NULL : fdopendir(copy);
	if (!d) {
		close_fd(&copy);
		return;
	}
	for (struct dirent *e; (e = readdir(d));) {
		if (!id_is_valid(e->d_name))
			continue;
		auto_fd dir = openat(rt->unfinished_dir, e->d_name,
				     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (dir >= 0 && flock(dir, LOCK_EX | LOCK_NB) == 0)
			(void)remove_tree(rt->unfinished_dir, e->d_name, NULL);
	}
}

int make_id(char ret[CSN_ID_SIZE], struct csn_error *err)
{
	unsigned char random[32];
	if (getrandom(random, sizeof random, 0) != sizeof random)
		return fail_errno(err, "getrandom");
	for (size_t i = 0; i < sizeof random; i++)
		(void)snprintf(ret + 2 * i, 3, "%02x", random[i]);
	return 0;
}

/* A sweeper may take it between making and locking: then again. */
int unfinished_begin(struct csn_runtime *rt, const char *id, struct csn_error *err)
{
	for (int tries = 0; tries < 100; tries++) {
		if (mkdirat(rt->unfinished_dir, id, 0700) < 0)
			return fail_errno(err, "make directory %s", id);
		auto_fd dir = openat(rt->unfinished_dir, id,
				     O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		struct stat st;
		if (dir >= 0 && flock(dir, LOCK_EX) == 0 &&
		    fstatat(rt->unfinished_dir, id, &st, AT_SYMLINK_NOFOLLOW) == 0)
			return take_fd(&dir);
	}
	return fail(err, EAGAIN, "make directory %s: it keeps vanishing", id);
}

/* ---- who runs ---------------------------------------------------------------------------------
 */

static int find_user(struct making *m, struct csn_error *err)
{
	struct user_db db = { 0 };
	struct service *s = &m->service;
	TRY(users_of_image(m->rt, &m->image.layers, &db, &m->arena, err));
	TRY(user_resolve(s->user_text, &db, &s->user, &m->arena, err));
	for (const char *const *g = s->security.options->groups; g && *g; g++) {
		uint32_t gid = 0;
		TRY(group_resolve(*g, &db, &gid, err));
		TRY(user_add_group(&s->user, gid, err));
	}
	if (!env_get(s->env, s->env_count, "HOME")) {
		char *home = arena_printf(&m->arena, "HOME=%s", s->user.home);
		if (!home)
			return fail(err, ENOMEM, "out of memory");
		env_set(s->env, &s->env_count, home);
	}
	return 0;
}

/* The capabilities that we can give away. */
static uint64_t available_capabilities(void)
{
	uint64_t mask = 0;
	for (int c = 0; c <= capability_last(); c++)
		if (prctl(PR_CAPBSET_READ, c, 0, 0, 0) == 1)
			mask |= UINT64_C(1) << c;
	return mask;
}

static int decide_security(struct making *m, const struct csn_security *mine, struct csn_error *err)
{
	static char access[] = "rwm";
	static struct spec_device_rule every_device = { .allow = true, .access = access };
	if (mine->privileged) {
		m->service.resources.devices = &every_device;
		m->service.resources.devices_count = 1;
	}
	return service_security_decide(mine, available_capabilities(), &m->service.security, err);
}

/* With the host's UTS namespace it is called what the host is called. */
static int decide_hostname(struct making *m, struct csn_container_options *o, struct csn_error *err)
{
	struct utsname host;
	if (!o->security->host_uts)
		return 0;
	if (o->hostname)
		return fail(err, EINVAL, "hostname \"%.100s\": it has the host's (uts)",
			    o->hostname);
	if (uname(&host) < 0)
		return fail_errno(err, "uname");
	o->hostname = arena_strdup(&m->arena, host.nodename);
	return o->hostname ? 0 : fail(err, ENOMEM, "out of memory");
}

/* ---- files ------------------------------------------------------------------------------------
 */

static int put_file(struct making *m, const char *name, const void *data, size_t size, mode_t mode,
		    struct csn_error *err)
{
	auto_fd fd = openat(m->dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail_errno(err, "write %s", name);
	int r = write_all(fd, data, size);
	if (r < 0)
		return fail(err, -r, "write %s: %s", name, strerror(-r));
	/* Whatever the caller's umask is. */
	return fchmod(fd, mode) < 0 ? fail_errno(err, "write %s", name) : 0;
}

static char *container_path(struct making *m, const char *id, const char *name)
{
	return arena_printf(&m->arena, "%s/containers/%s/%s", m->rt->root, id, name);
}

/* network.json, and what is bound over /etc. With another container's network its files serve. */
static int put_network(struct making *m, struct service_files *ret, struct csn_error *err)
{
	struct network_files files = { 0 };
	const char *id;
	auto_mem char *record = NULL;
	size_t size;
	TRY(run_network_text(&m->network, &record, &size, err));
	TRY(put_file(m, "network.json", record, size, 0600, err));
	TRY(network_files_make(m->rt, m->service.options, &m->network, &files, &m->arena, err));
	TRY(put_file(m, "hosts", files.hosts, strlen(files.hosts), 0644, err));
	if (files.resolv_conf)
		TRY(put_file(m, "resolv.conf", files.resolv_conf, strlen(files.resolv_conf), 0644,
			     err));
	char *line = arena_printf(&m->arena, "%s\n", m->service.hostname);
	if (!line)
		return fail(err, ENOMEM, "out of memory");
	TRY(put_file(m, "hostname", line, strlen(line), 0644, err));
	id = files.shared ? files.shared : m->id;
	ret->hosts = container_path(m, id, "hosts");
	ret->hostname = container_path(m, m->id, "hostname");
	ret->resolv_conf = files.resolv_conf ? container_path(m, id, "resolv.conf") : NULL;
	if (!ret->hosts || !ret->hostname || (files.resolv_conf && !ret->resolv_conf))
		return fail(err, ENOMEM, "out of memory");
	/* One without a network has no such file to share. */
	if (files.shared && files.resolv_conf && access(ret->resolv_conf, F_OK) < 0)
		ret->resolv_conf = NULL;
	return 0;
}

static int make_dir(struct making *m, const char *name, struct csn_error *err)
{
	return mkdirat(m->dir, name, 0700) < 0 ? fail_errno(err, "make directory %s", name) : 0;
}

/* "/" of the container is the upper directory's inode: it gets what the image says of "/". */
static int make_upper(struct making *m, struct csn_error *err)
{
	const struct image_root *root = &m->image.root;
	TRY(make_dir(m, "upper", err));
	auto_fd upper = openat(m->dir, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (upper < 0 || fchown(upper, root->uid, root->gid) < 0 ||
	    fchmod(upper, root->set ? root->mode & 07777 : 0755) < 0)
		return fail_errno(err, "make directory upper");
	const struct timespec times[2] = { { root->mtime, root->mtime_nsec },
					   { root->mtime, root->mtime_nsec } };
	if (root->set && root->mtime_nsec < 1000000000 && futimens(upper, times) < 0)
		return fail_errno(err, "make directory upper");
	return 0;
}

/* Bound into the container from where it is installed: it must be nobody's but ours. */
static int find_init(struct making *m, const char **ret, struct csn_error *err)
{
	struct stat st;
	char *path = arena_printf(&m->arena, "%s/caisson-init", m->rt->programs);
	if (!path)
		return fail(err, ENOMEM, "out of memory");
	auto_fd fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		return fail_errno(err, "init: %s", path);
	if (!S_ISREG(st.st_mode) || !(st.st_mode & 0111) || (st.st_mode & 022) ||
	    (st.st_uid != 0 && st.st_uid != geteuid()))
		return fail(err, EPERM,
			    "init: %s: expected a program that nobody else can write to", path);
	*ret = path;
	return 0;
}

static int put_config(struct making *m, struct csn_error *err)
{
	struct service_files files = { 0 };
	TRY(put_network(m, &files, err));
	if (m->service.options->init)
		TRY(find_init(m, &files.init, err));
	auto_mem char *config = NULL;
	TRY(service_to_oci(&m->service, &files, &config, err));
	return put_file(m, "config.json", config, strlen(config), 0600, err);
}

/* ---- the record and the end -------------------------------------------------------------------
 */

static int put_record(struct making *m, char *name, struct csn_error *err)
{
	const struct service *s = &m->service;
	char created[UTC_SIZE];
	struct timespec now;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	utc_print(&now, created);

	const struct engine_record r = {
		.id = m->id,
		.name = name,
		.image = m->image.reference,
		.image_digest = m->image.digest,
		.command = s->args,
		.command_count = s->args_count,
		.created = created,
		.tty = s->options->tty,
		.stdin_open = s->options->stdin_open,
		.auto_remove = s->options->auto_remove,
		.stop_signal = (char *)(uintptr_t)s->stop_signal,
		.stop_timeout_s = s->stop_timeout_s,
		.layers = m->image.layers.items,
		.layers_count = m->image.layers.count,
		.read_only = s->options->readonly_root,
		.cgroup = (char *)(uintptr_t)s->cgroup,
		.network = (char *)(uintptr_t)s->network,
		.restart = m->restart,
		.log_max_size = m->log.max_size,
		.log_max_files = m->log.max_files,
		.init = s->options->init,
	};
	return engine_record_write(m->dir, &r, err);
}

static int put_health(struct making *m, struct csn_error *err)
{
	return m->health.kind == CSN_HEALTHCHECK_OFF ? 0
						     : healthcheck_write(m->dir, &m->health, err);
}

static int finish(struct making *m, struct csn_error *err)
{
	char name[160];
	auto_fd lock = lock_dir(m->rt->names_dir, LOCK_EX, err);
	if (lock < 0)
		return lock;
	TRY(name_claim(m->rt, m->service.options->name, m->id, name, sizeof name, err));
	int r = put_record(m, name, err);
	if (r == 0 && renameat(m->rt->unfinished_dir, m->id, m->rt->containers_dir, m->id) < 0)
		r = fail_errno(err, "container %s", m->id);
	if (r < 0) {
		name_free(m->rt, name, m->id);
		return r;
	}
	close_fd(&m->dir);
	return 0;
}

static int choose_cgroup(struct making *m, struct csn_error *err)
{
	char parent[PATH_MAX];
	TRY(cgroup_choose_parent(m->service.options->cgroup_parent, m->rt->cgroup_parent, parent,
				 sizeof parent, err));
	m->service.cgroup = arena_printf(&m->arena, "%s/%s", parent, m->id);
	return m->service.cgroup ? 0 : fail(err, ENOMEM, "out of memory");
}

int csn_container_create(struct csn_runtime *rt, const struct csn_container_options *options,
			 char ret_id[CSN_ID_SIZE], struct csn_error *err)
{
	struct csn_container_options o = CSN_CONTAINER_OPTIONS_INIT;
	TRY(take_struct(&o, sizeof o, options, "struct csn_container_options", err));
	if (!o.image)
		return fail(err, EINVAL, "no image given");
	if (o.name && !name_is_valid(o.name))
		return name_claim(rt, o.name, "", NULL, 0, err);

	struct csn_security security = CSN_SECURITY_INIT;
	TRY(take_struct(&security, sizeof security, o.security, "struct csn_security", err));
	o.security = &security;
	struct making m AUTO(making_done) = { .rt = rt, .dir = -1 };
	TRY(decide_hostname(&m, &o, err));
	TRY(restart_policy_take(o.restart, o.auto_remove, &m.restart, err));
	unfinished_sweep(rt);
	TRY(make_id(m.id, err));
	/* The image's layers stay until the record that names them is in place. */
	auto_fd lock = lock_dir(rt->containers_dir, LOCK_SH, err);
	if (lock < 0)
		return lock;
	TRY(image_find(rt, o.image, &m.image, &m.arena, err));
	struct volume_uses volumes;
	TRY(volumes_decide(rt, m.id, &m.image, &o, &volumes, &m.arena, err));
	TRY(service_decide(&o, &m.image, m.id, &m.service, &m.arena, err));
	TRY(resources_decide(o.resources, true, &m.service.resources, &m.arena, err));
	TRY(choose_cgroup(&m, err));
	TRY(run_network_decide(rt, &o, &m.image.config, m.service.hostname, &m.network,
			       &m.service.network, &m.arena, err));
	TRY(decide_security(&m, &security, err));
	TRY(devices_decide(&o, &m.service, &m.arena, err));
	TRY(find_user(&m, err));
	TRY(service_log_decide(o.log_options, &m.log, err));
	TRY(service_health_decide(o.healthcheck, &m.image, &m.health, &m.arena, err));
	m.dir = unfinished_begin(rt, m.id, err);
	TRY(m.dir);
	TRY(make_dir(&m, "rootfs", err));
	TRY(make_dir(&m, "work", err));
	TRY(make_upper(&m, err));
	TRY(volumes_make(rt, m.dir, &m.image, &volumes, err));
	TRY(put_config(&m, err));
	TRY(put_health(&m, err));
	TRY(finish(&m, err));
	struct container made AUTO(container_close) = CONTAINER_INIT;
	if (container_open(rt, m.id, &made, NULL) == 0)
		event_tell(rt, &made, (struct journal_event){ .action = "create" });
	memcpy(ret_id, m.id, CSN_ID_SIZE);
	return 0;
}

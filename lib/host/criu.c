/*
 * criu(8) as a program: the words of its command line, its log when it fails, and `checkpoint`.
 *
 * Where criu stays out: groups are made by us (or systemd) as for any container, and criu is told
 * where the root of the dumped ones is now; mounts from the host are "external", by their target.
 */
#include "host/criu.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/path.h"
#include "host/manager.h"
#include "spec/tables.h"

enum { LOG_TAIL = 64 << 10 };

/* ---- what dump and restore share ------------------------------------------------------------- */

static int absolute(const char *path, const char *what, char **ret, struct csn_error *err)
{
	TRY(within(err, make_dirs(path, 0700, err), "%s", what));
	*ret = realpath(path, NULL);
	return *ret ? 0 : fail_errno(err, "%s \"%s\"", what, path);
}

static int check_mode(const char *mode, struct csn_error *err)
{
	static const char *const modes[] = { "soft", "full", "strict", "ignore" };
	for (size_t i = 0; i < COUNT(modes); i++)
		if (!mode || strcmp(mode, modes[i]) == 0)
			return 0;
	return fail(err, EINVAL,
		    "--manage-cgroups-mode: expected soft, full, strict or ignore, not \"%s\"",
		    mode);
}

/* Flags by name; where the two programs differ, criu's name is second. */
static void add_flags(struct criu *c)
{
	const struct host_criu *r = c->req;
	const struct {
		bool set;
		const char *word;
	} flags[] = {
		{ r->tcp_established, "--tcp-established" },
		{ r->tcp_skip_in_flight, "--skip-in-flight" },
		{ r->ext_unix_sk, "--ext-unix-sk" },
		{ r->shell_job, "--shell-job" },
		{ r->file_locks, "--file-locks" },
		{ r->link_remap, "--link-remap" },
		{ r->lazy_pages, "--lazy-pages" },
		{ r->auto_dedup, "--auto-dedup" },
		{ r->empty_net, "--empty-ns=net" },
	};
	for (size_t i = 0; i < COUNT(flags); i++)
		if (flags[i].set)
			words_add(&c->words, "%s", flags[i].word);
}

int criu_begin(struct criu *c, const struct host_criu *req, const struct spec *spec,
	       struct arena *arena, const char *action, struct csn_error *err)
{
	c->req = req;
	c->spec = spec;
	c->words.arena = arena;
	c->log_name = strcmp(action, "restore") == 0 ? "restore.log" : "dump.log";
	TRY(check_mode(req->manage_cgroups, err));
	const char *work = req->work_path ? req->work_path : req->image_path;
	TRY(absolute(req->image_path, "--image-path", &c->images_path, err));
	TRY(absolute(work, "--work-path", &c->work_path, err));
	c->images = open(c->images_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (c->images < 0)
		return fail_errno(err, "--image-path \"%s\"", c->images_path);

	words_add(&c->words, "criu");
	words_add(&c->words, "%s", action);
	words_add(&c->words, "--images-dir=%s", c->images_path);
	words_add(&c->words, "--work-dir=%s", c->work_path);
	words_add(&c->words, "--log-file=%s", c->log_name);
	words_add(&c->words, "-v4");
	words_add(&c->words, "--manage-cgroups=%s",
		  req->manage_cgroups ? req->manage_cgroups : "soft");
	const char *config = spec_map_get(&spec->annotations, "org.criu.config");
	if (config)
		words_add(&c->words, "--config=%s", config);
	add_flags(c);
	return 0;
}

static bool is_bind(const struct spec_mount *m)
{
	for (size_t i = 0; i < m->options.count; i++) {
		const struct mount_option *o = spec_mount_option(m->options.items[i]);
		if (o && o->kind == MOUNT_OPT_BIND)
			return true;
	}
	return false;
}

static bool is_masked_file(pid_t pid, const char *path)
{
	char root[64];
	struct stat st;
	(void)snprintf(root, sizeof root, "/proc/%d/root", (int)pid);
	auto_fd dir = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_fd file = dir < 0 ? -1 : open_in_root(dir, path, O_PATH, 0);
	return file >= 0 && fstat(file, &st) == 0 && !S_ISDIR(st.st_mode);
}

void criu_mounts(struct criu *c, const char *bundle, pid_t pid)
{
	for (size_t i = 0; i < c->spec->mounts_count; i++) {
		const struct spec_mount *m = &c->spec->mounts[i];
		if (!is_bind(m) || !m->source)
			continue;
		auto_mem char *source = path_join(bundle, m->source);
		if (!source)
			c->words.failed = true;
		else
			words_add(&c->words, "--external=mnt[%s]:%s", m->destination,
				  pid > 0 ? m->destination : source);
	}
	/* A masked file has the host's /dev/null on it; a masked directory a file system of its
	 * own, which is saved with the rest. A restore names them all: what was not saved, criu
	 * passes over. */
	for (size_t i = 0; i < c->spec->linux_.masked_paths.count; i++) {
		const char *path = c->spec->linux_.masked_paths.items[i];
		if (pid <= 0)
			words_add(&c->words, "--external=mnt[%s]:/dev/null", path);
		else if (is_masked_file(pid, path))
			words_add(&c->words, "--external=mnt[%s]:%s", path, path);
	}
}

void criu_done(struct criu *c)
{
	close_fd(&c->images);
	free(c->images_path);
	free(c->work_path);
}

/* The first line of criu's log that is an error: "(00.012) Error (criu/x.c:12): what". */
static void first_error(const struct criu *c, char *ret, size_t size)
{
	auto_fd dir = open(c->work_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	auto_mem char *text = NULL;
	size_t length = 0;
	ret[0] = '\0';
	if (dir < 0 || file_read(dir, c->log_name, 64 << 20, &text, &length, NULL) < 0)
		return;
	const char *at = strstr(text, " Error (");
	at = at ? strstr(at, "): ") : NULL;
	if (at)
		(void)snprintf(ret, size, "%.*s", (int)strcspn(at + 3, "\n"), at + 3);
}

int criu_run(struct criu *c, int (*prepare)(void *data), void *data, struct csn_error *err)
{
	if (c->words.failed)
		return fail(err, E2BIG, "criu: its command line is too long");
	pid_t child = fork();
	if (child < 0)
		return fail_errno(err, "fork");
	if (child == 0) {
		int null = open("/dev/null", O_RDWR | O_CLOEXEC);
		/* It tells in its log; its standard streams are the container's at a restore. */
		if (null >= 0 && !prepare)
			for (int fd = 0; fd < 3; fd++)
				(void)dup2(null, fd);
		if (!prepare || prepare(data) == 0)
			words_exec(&c->words);
		_exit(errno == ENOENT ? 127 : 126);
	}
	int status;
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return fail(err, ENOENT,
			    "criu is not installed: nothing can be checkpointed or "
			    "restored without it");
	char says[200];
	first_error(c, says, sizeof says);
	return fail(err, EIO, "criu %s failed: %s%slog file: %s/%s", c->words.items[1], says,
		    *says ? ": " : "", c->work_path, c->log_name);
}

/* ---- checkpoint ------------------------------------------------------------------------------ */

/* Where standard streams lead: pipes of who started the container are replaced at a restore. */
static int save_streams(const struct criu *c, pid_t pid, struct csn_error *err)
{
	struct json_out out = JSON_OUT_COMPACT;
	json_open_array(&out, NULL);
	for (int fd = 0; fd < 3; fd++) {
		char link[64], where[4096];
		(void)snprintf(link, sizeof link, "/proc/%d/fd/%d", (int)pid, fd);
		ssize_t n = readlink(link, where, sizeof where - 1);
		where[n > 0 ? n : 0] = '\0';
		json_put_string(&out, NULL, where);
	}
	json_close_array(&out);
	auto_mem char *text = NULL;
	TRY(json_out_take(&out, &text, err));
	return file_write_atomic(c->images, "descriptors.json", text, strlen(text), 0600, false,
				 err);
}

/* A namespace that was joined by path is not the container's to dump. */
static int external_namespace(struct criu *c, enum spec_namespace_kind kind, const char *word,
			      const char *key, struct csn_error *err)
{
	const struct spec_namespace *ns = &c->spec->linux_.namespaces[kind];
	struct stat st;
	if (!ns->present || !ns->path)
		return 0;
	if (stat(ns->path, &st) < 0)
		return fail_errno(err, "linux.namespaces: \"%s\"", ns->path);
	words_add(&c->words, "--external=%s[%llu]:%s", word, (unsigned long long)st.st_ino, key);
	return 0;
}

static void add_dump_words(struct criu *c, const struct container *k, const char *freezer)
{
	const struct host_criu *r = c->req;
	words_add(&c->words, "--tree=%d", (int)k->record.pid);
	if (freezer)
		words_add(&c->words, "--freeze-cgroup=%s", freezer);
	if (r->leave_running)
		words_add(&c->words, "--leave-running");
	if (r->parent_path) {
		words_add(&c->words, "--prev-images-dir=%s", r->parent_path);
		words_add(&c->words, "--track-mem");
	} else if (r->pre_dump) {
		words_add(&c->words, "--track-mem");
	}
	if (r->status_fd >= 0)
		words_add(&c->words, "--status-fd=%d", r->status_fd);
	if (r->page_server_address)
		words_add(&c->words, "--page-server");
	if (r->page_server_address)
		words_add(&c->words, "--address=%s", r->page_server_address);
	if (r->page_server_port)
		words_add(&c->words, "--port=%s", r->page_server_port);
}

static int check_can(const struct container *k, const struct spec *spec, struct csn_error *err)
{
	enum status status = container_status(k);
	if (status != STATUS_RUNNING && status != STATUS_PAUSED)
		return fail(err, EINVAL, "cannot checkpoint container \"%s\": it is %s",
			    k->record.id, status_name(status));
	if (spec->process.terminal)
		return fail(
			err, EOPNOTSUPP,
			"cannot checkpoint container \"%s\": it has a terminal, which could not "
			"be restored",
			k->record.id);
	return 0;
}

static int dump(const struct container *k, const struct spec *spec, const struct host_criu *req,
		struct criu *c, struct arena *arena, struct csn_error *err)
{
	TRY(check_can(k, spec, err));
	TRY(criu_begin(c, req, spec, arena, req->pre_dump ? "pre-dump" : "dump", err));
	struct cgroup cg AUTO(cgroup_close) = CGROUP_INIT;
	if (manager_has_group(&k->record))
		TRY(manager_open(k, &cg, err));
	add_dump_words(c, k, cg.fs_path);
	criu_mounts(c, k->record.bundle, k->record.pid);
	TRY(external_namespace(c, NS_NETWORK, "net", "extRootNetNS", err));
	TRY(external_namespace(c, NS_PID, "pid", "extRootPidNS", err));
	if (!req->pre_dump)
		TRY(save_streams(c, k->record.pid, err));
	if (req->status_fd >= 0)
		(void)fcntl(req->status_fd, F_SETFD, 0);
	return criu_run(c, NULL, NULL, err);
}

int host_checkpoint(const struct host_context *ctx, const char *id, const struct host_criu *req,
		    struct csn_error *err)
{
	struct container k AUTO(container_close) = CONTAINER_INIT;
	struct arena arena AUTO(arena_free) = { 0 };
	struct criu *c = arena_alloc(&arena, sizeof *c);
	struct spec *spec = NULL;

	if (!c)
		return fail(err, ENOMEM, "out of memory");
	*c = (struct criu)CRIU_INIT;
	int r = container_open(ctx, id, ENTRY_LOCKED, &k, err);
	if (r == 0)
		r = container_config(&k, &spec, err);
	if (r == 0)
		r = dump(&k, spec, req, c, &arena, err);
	if (r == 0 && !req->leave_running && !req->pre_dump)
		r = container_destroy(ctx, &k, spec, err);
	criu_done(c);
	spec_free(spec);
	return r;
}

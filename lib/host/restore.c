/*
 * restore: the processes of a checkpoint come back as a container. Everything around them is made
 * as create makes it (record, group, limits); criu makes the processes, as children of ours.
 *
 * criu gets a mount namespace of its own, in which the root file system is a mount point and
 * nothing is shared: what it mounts reaches nobody, and goes with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "host/criu.h"
#include "host/restore.h"

enum { DESCRIPTORS_MAX = 64 << 10, STREAMS = 3 };

struct saved {
	struct spec_strings streams;
};

/* Pipes of the one who had started it are replaced by what our caller gave us. */
static int add_streams(struct criu *c, struct csn_error *err)
{
	static const struct json_field fields[] = {
		{ "streams", decode_strings, offsetof(struct saved, streams), NULL, JSON_REQUIRED,
		  0, 0 },
		{ NULL, NULL, 0, NULL, 0, 0, 0 },
	};
	auto_mem char *text = NULL;
	size_t size = 0;
	struct saved saved = { 0 };
	int r = file_read(c->images, "descriptors.json", DESCRIPTORS_MAX, &text, &size, err);
	if (r < 0)
		return within(err, r, "--image-path \"%s\"", c->images_path);
	auto_mem char *whole = NULL;
	int n = asprintf(&whole, "{\"streams\":%s}", text);
	if (n < 0) {
		whole = NULL;
		return fail(err, ENOMEM, "out of memory");
	}
	TRY(json_decode(whole, (size_t)n, "descriptors.json", fields, &saved, c->words.arena, err));
	for (size_t i = 0; i < saved.streams.count && i < STREAMS; i++)
		if (strncmp(saved.streams.items[i], "pipe:", 5) == 0)
			words_add(&c->words, "--inherit-fd=fd[%zu]:%s", i, saved.streams.items[i]);
	return 0;
}

/* A namespace joined by path is opened here and inherited by criu, beyond the standard streams. */
static int add_namespace(struct criu *c, int namespaces[NS_KINDS], enum spec_namespace_kind kind,
			 const char *key, struct csn_error *err)
{
	const struct spec_namespace *ns = &c->spec->linux_.namespaces[kind];
	if (!ns->present || !ns->path)
		return 0;
	int fd = open(ns->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(err, "linux.namespaces: \"%s\"", ns->path);
	namespaces[kind] = fd;
	words_add(&c->words, "--inherit-fd=fd[%d]:%s", fd, key);
	return 0;
}

/* In the child that becomes criu. */
static int prepare(void *data)
{
	const struct restore *r = data;
	for (size_t i = 0; i < COUNT(r->namespaces); i++)
		if (r->namespaces[i] >= 0 && fcntl(r->namespaces[i], F_SETFD, 0) < 0)
			return -1;
	if (r->cgroup->dir >= 0) {
		auto_fd fd = openat(r->cgroup->dir, "cgroup.procs", O_WRONLY | O_CLOEXEC);
		if (fd < 0 || write(fd, "0", 1) != 1)
			return -1;
	}
	return unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
			       mount(r->rootfs, r->rootfs, NULL, MS_BIND | MS_REC, NULL) < 0
		       ? -1
		       : 0;
}

static int read_pid(const char *path, pid_t *ret, struct csn_error *err)
{
	auto_mem char *text = NULL;
	size_t size = 0;
	TRY(file_read(AT_FDCWD, path, 64, &text, &size, err));
	*ret = (pid_t)strtol(text, NULL, 10);
	(void)unlink(path);
	return *ret > 0 ? 0 : fail(err, EIO, "criu restore gave no pid");
}

static int restore(struct restore *r, struct criu *c, const char *pid_path, pid_t *ret,
		   struct csn_error *err)
{
	words_add(&c->words, "--root=%s", r->rootfs);
	words_add(&c->words, "--restore-detached");
	words_add(&c->words, "--restore-sibling");
	words_add(&c->words, "--pidfile=%s", pid_path);
	if (r->cgroup->path)
		words_add(&c->words, "--cgroup-root=%s", r->cgroup->path);
	if (r->stopped)
		words_add(&c->words, "--leave-stopped");
	if (r->req->lsm_profile)
		words_add(&c->words, "--lsm-profile=%s", r->req->lsm_profile);
	if (r->req->lsm_mount_context)
		words_add(&c->words, "--lsm-mount-context=%s", r->req->lsm_mount_context);
	criu_mounts(c, r->bundle, 0);
	TRY(add_streams(c, err));
	TRY(add_namespace(c, r->namespaces, NS_NETWORK, "extRootNetNS", err));
	TRY(add_namespace(c, r->namespaces, NS_PID, "extRootPidNS", err));
	(void)unlink(pid_path);
	TRY(criu_run(c, prepare, r, err));
	return read_pid(pid_path, ret, err);
}

int restore_processes(struct restore *r, struct arena *arena, pid_t *ret, struct csn_error *err)
{
	if (r->spec->process.terminal)
		return fail(err, EOPNOTSUPP,
			    "config.json: process.terminal is true: a terminal cannot be restored");
	for (size_t i = 0; i < COUNT(r->namespaces); i++)
		r->namespaces[i] = -1;
	struct criu *c = arena_alloc(arena, sizeof *c);
	if (!c)
		return fail(err, ENOMEM, "out of memory");
	*c = (struct criu)CRIU_INIT;
	auto_mem char *pid_path = NULL;
	int status = criu_begin(c, r->req, r->spec, arena, "restore", err);
	if (status == 0 && asprintf(&pid_path, "%s/%s.pid", c->work_path, r->id) < 0) {
		pid_path = NULL;
		status = fail(err, ENOMEM, "out of memory");
	}
	if (status == 0)
		status = restore(r, c, pid_path, ret, err);
	criu_done(c);
	for (size_t i = 0; i < COUNT(r->namespaces); i++)
		close_fd(&r->namespaces[i]);
	return status;
}

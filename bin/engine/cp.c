/*
 * csn cp: files between a container and the host, as an archive through a pipe: one side packs, in
 * a process of its own, the other unpacks. What the copy is called is decided as docker does it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cleanup.h"
#include "base/error.h"
#include "base/path.h"
#include "bin/engine/engine.h"
#include "caisson-inside.h"

static bool archive;

static const struct opt *get_options(void)
{
	static const struct opt rows[] = {
		{ 'a', "archive", NULL, "keep the owners of the files", OPT_FLAG, &archive },
		{ 0 },
	};
	return rows;
}

/* One side: "CONTAINER:PATH", "PATH", or "-" for an archive. */
struct side {
	char *container; /* NULL: the host */
	char *path;	 /* absolute; NULL: an archive on standard input or output */
	bool exists, is_directory;
	mode_t mode; /* of what exists */
};

static int parse_side(const char *text, struct side *ret, struct arena *arena,
		      struct csn_error *err)
{
	const char *colon = text[0] == '/' || text[0] == '.' ? NULL : strchr(text, ':');
	char cwd[4096];
	*ret = (struct side){ 0 };
	if (!text[0])
		return fail(err, EINVAL, "cp: neither source nor destination can be empty");
	if (strcmp(text, "-") == 0)
		return 0;
	if (colon) {
		ret->container = arena_printf(arena, "%.*s", (int)(colon - text), text);
		ret->path = arena_printf(arena, "%s%s", colon[1] == '/' ? "" : "/", colon + 1);
	} else {
		if (!getcwd(cwd, sizeof cwd))
			return fail_errno(err, "working directory");
		ret->path = text[0] == '/' ? arena_strdup(arena, text)
					   : arena_printf(arena, "%s/%s", cwd, text);
	}
	return ret->path && (!colon || ret->container) ? 0 : fail(err, ENOMEM, "out of memory");
}

static void look_on_host(struct side *s)
{
	struct stat st;
	s->exists = stat(s->path, &st) == 0;
	s->mode = s->exists ? st.st_mode : 0;
	s->is_directory = S_ISDIR(s->mode);
}

static int look_inside(struct csn_runtime *rt, struct side *s, struct arena *arena,
		       struct csn_error *err)
{
	struct csn_path_stat st = CSN_PATH_STAT_INIT;
	struct csn_error why;
	/* With a slash behind it only a directory is found, and links are followed. */
	const char *slashed = arena_printf(arena, "%s/", s->path);
	char id[CSN_ID_SIZE];
	TRY(csn_container_resolve(rt, s->container, id, err));
	if (!slashed)
		return fail(err, ENOMEM, "out of memory");
	int r = csn_container_archive_head(rt, id, slashed, &st, &why);
	if (r == 0) {
		s->exists = s->is_directory = true;
		s->mode = S_IFDIR;
		return 0;
	}
	if (r != -ENOENT && r != -ENOTDIR)
		return fail(err, -r, "%s", why.text);
	s->exists = csn_container_archive_head(rt, id, s->path, &st, &why) == 0;
	s->mode = s->exists ? st.mode : 0;
	return 0;
}

/* Is it there, and what? A link to a directory is one. */
static int look(struct csn_runtime *rt, struct side *s, struct arena *arena, struct csn_error *err)
{
	if (s->container)
		return look_inside(rt, s, arena, err);
	if (s->path)
		look_on_host(s);
	return 0;
}

/* ---- the destination --------------------------------------------------------------------------
 */

enum { LINKS_MAX = 40 };

/* What a link means, from where it is. */
static int read_link(struct csn_runtime *rt, const struct side *s, char *ret, size_t size,
		     struct csn_error *err)
{
	struct csn_path_stat st = CSN_PATH_STAT_INIT;
	ret[0] = '\0';
	if (s->container) {
		int r = csn_container_archive_head(rt, s->container, s->path, &st, err);
		if (r < 0)
			return r == -ENOENT || r == -ENOTDIR ? 0 : r;
		(void)snprintf(ret, size, "%s", st.link_target);
		return 0;
	}
	ssize_t n = readlink(s->path, ret, size - 1);
	ret[n < 0 ? 0 : n] = '\0';
	return 0;
}

/* A copy over a link is one over what it leads to, in the container if it is there. */
static int follow(struct csn_runtime *rt, struct side *s, struct arena *arena,
		  struct csn_error *err)
{
	char target[4096];
	for (int i = 0; i < LINKS_MAX; i++) {
		TRY(read_link(rt, s, target, sizeof target, err));
		if (!target[0])
			return look(rt, s, arena, err);
		int up = (int)(strrchr(s->path, '/') + 1 - s->path);
		s->path = target[0] == '/' ? arena_strdup(arena, target)
					   : arena_printf(arena, "%.*s%s", up, s->path, target);
		if (!s->path)
			return fail(err, ENOMEM, "out of memory");
	}
	return fail(err, ELOOP, "\"%.200s\": too many links", s->path);
}

/* Devices, pipes and sockets are not taken away for a copy. */
static int look_at_destination(struct csn_runtime *rt, struct side *s, struct arena *arena,
			       struct csn_error *err)
{
	TRY(look(rt, s, arena, err));
	if (!s->path || s->is_directory)
		return 0;
	TRY(follow(rt, s, arena, err));
	if (s->exists && !S_ISREG(s->mode) && !S_ISDIR(s->mode))
		return fail(err, EINVAL, "\"%.200s\" is neither a file nor a directory", s->path);
	return 0;
}

static bool ends_with(const char *text, const char *end)
{
	size_t size = strlen(text), n = strlen(end);
	return size >= n && strcmp(text + size - n, end) == 0;
}

/* Into which directory, and called what. */
static int decide(const struct side *from, const struct side *to, const char **ret_dir,
		  const char **ret_as, struct arena *arena, struct csn_error *err)
{
	char *dir = arena_strdup(arena, to->path);
	*ret_as = NULL;
	if (!dir)
		return fail(err, ENOMEM, "out of memory");
	*ret_dir = dir;
	if (to->is_directory) /* "dir/." means what is in it; else its own name */
		return 0;
	if (to->exists && from->is_directory)
		return fail(err, ENOTDIR, "\"%.200s\" is no directory", to->path);
	if (!to->exists && ends_with(to->path, "/") && !from->is_directory)
		return fail(err, ENOENT, "directory \"%.200s\" does not exist", to->path);
	path_clean(dir);
	char *slash = strrchr(dir, '/');
	*ret_as = arena_strdup(arena, slash + 1);
	slash[slash == dir] = '\0';
	return *ret_as ? 0 : fail(err, ENOMEM, "out of memory");
}

/* ---- the copy ---------------------------------------------------------------------------------
 */

static int pack(struct csn_runtime *rt, const struct side *from, const char *as, int fd,
		struct csn_error *err)
{
	return from->container
		       ? csn_container_archive_get(rt, from->container, from->path, as, fd, err)
		       : csn_host_archive_get(rt, from->path, as, fd, err);
}

static int unpack(struct csn_runtime *rt, const struct side *to, const char *dir, int fd,
		  struct csn_error *err)
{
	struct csn_archive_put_options o = CSN_ARCHIVE_PUT_OPTIONS_INIT;
	o.no_overwrite_dir_non_dir = true;
	o.copy_uid_gid = archive;
	return to->container ? csn_container_archive_put(rt, to->container, dir, fd, &o, err)
			     : csn_host_archive_put(rt, dir, fd, archive, err);
}

/* The packing side, which says itself what goes wrong. */
static pid_t start_packing(struct csn_runtime *rt, const struct side *from, const char *as,
			   int write_fd)
{
	struct csn_error err;
	pid_t pid = fork();
	if (pid != 0)
		return pid;
	int status = pack(rt, from, as, write_fd, &err) < 0 ? engine_fail(&err, STATUS_FAILED) : 0;
	(void)fflush(stderr);
	_exit(status);
}

static int copy(struct csn_runtime *rt, const struct side *from, const struct side *to,
		struct arena *arena)
{
	const char *dir = NULL, *as = NULL;
	struct csn_error err;
	int fds[2], status = 0;
	if (!from->exists)
		return engine_fail_text(STATUS_FAILED, "\"%s\" does not exist", from->path);
	if (decide(from, to, &dir, &as, arena, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return engine_fail_text(STATUS_FAILED, "pipe: %s", strerror(errno));
	auto_fd read_end = fds[0];
	auto_fd write_end = fds[1];
	pid_t pid = start_packing(rt, from, as, write_end);
	close_fd(&write_end);
	if (pid < 0)
		return engine_fail_text(STATUS_FAILED, "fork: %s", strerror(errno));
	int r = unpack(rt, to, dir, read_end, &err);
	close_fd(&read_end); /* who still packs is told */
	bool packed =
		waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
	if (r < 0 && packed)
		return engine_fail(&err, STATUS_FAILED);
	return packed ? 0 : STATUS_FAILED;
}

static int run(int argc, char **argv)
{
	AUTO(arena_free)
	struct arena arena = { 0 };
	struct csn_error err;
	struct side from, to;
	struct csn_runtime *rt = engine_runtime();
	(void)argc;

	if (!rt)
		return STATUS_FAILED;
	if (parse_side(argv[0], &from, &arena, &err) < 0 ||
	    parse_side(argv[1], &to, &arena, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	if (!from.container == !to.container)
		return engine_fail_text(STATUS_FAILED,
					"cp: expected CONTAINER:PATH on one of both sides");
	if (look(rt, &from, &arena, &err) < 0 || look_at_destination(rt, &to, &arena, &err) < 0)
		return engine_fail(&err, STATUS_FAILED);
	if (from.path && to.path)
		return copy(rt, &from, &to, &arena);
	if (from.path && isatty(STDOUT_FILENO))
		return engine_fail_text(STATUS_FAILED,
					"cp: an archive is not written to a terminal");
	int r = from.path ? pack(rt, &from, NULL, STDOUT_FILENO, &err)
			  : unpack(rt, &to, to.path, STDIN_FILENO, &err);
	return r < 0 ? engine_fail(&err, STATUS_FAILED) : 0;
}

const struct command command_cp = { "cp",
				    "SOURCE DESTINATION",
				    "copy files between a container and the host",
				    2,
				    2,
				    get_options,
				    run };

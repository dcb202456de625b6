/*
 * sd_notify(3) through us: when the runtime is started with NOTIFY_SOCKET, the program gets a
 * socket of its own at /run/notify/notify.sock, and what it says there goes on to the service
 * manager.
 *
 * Only lines that tell how the program fares are handed on: a pid of the container would mean
 * another process to the manager, and whom it listens to is not for the program to say. Who returns
 * when the program is ready (start, run --detach) says the host's pid of it instead. A socket needs
 * a process that reads it: it is bound by the one that starts the program, in a directory that
 * create has bound into the container.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/fdpass.h"
#include "host/launch.h"

#define INSIDE "/run/notify"
enum { MESSAGE_MAX = 4096 };

/* Callers that bring a socket themselves (podman) have put it into the config. */
static bool is_arranged(const struct spec *spec)
{
	for (size_t i = 0; i < spec->mounts_count; i++)
		if (strcmp(spec->mounts[i].destination, INSIDE) == 0)
			return true;
	for (size_t i = 0; i < spec->process.env.count; i++)
		if (strncmp(spec->process.env.items[i], "NOTIFY_SOCKET=", 14) == 0)
			return true;
	return false;
}

static int add_mount(struct spec *spec, const char *source)
{
	static char bind[] = "bind", ro[] = "ro", nosuid[] = "nosuid", nodev[] = "nodev",
		    noexec[] = "noexec";
	static char *options[] = { bind, ro, nosuid, nodev, noexec };
	size_t n = spec->mounts_count;
	struct spec_mount *all = arena_array(&spec->arena, n + 1, sizeof *all);
	if (!all)
		return -ENOMEM;
	if (n)
		memcpy(all, spec->mounts, n * sizeof *all);
	all[n].destination = arena_strdup(&spec->arena, INSIDE);
	all[n].source = arena_strdup(&spec->arena, source);
	all[n].options = (struct spec_strings){ options, COUNT(options), true };
	spec->mounts = all;
	spec->mounts_count = n + 1;
	return all[n].destination && all[n].source ? 0 : -ENOMEM;
}

static int add_env(struct spec *spec)
{
	struct spec_strings *env = &spec->process.env;
	char **items = arena_array(&spec->arena, env->count + 1, sizeof *items);
	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < env->count; i++)
		items[i] = env->items[i];
	items[env->count] = arena_strdup(&spec->arena, "NOTIFY_SOCKET=" INSIDE "/notify.sock");
	if (!items[env->count])
		return -ENOMEM;
	*env = (struct spec_strings){ items, env->count + 1, true };
	return 0;
}

int notify_plan(const struct host_context *ctx, const struct container *c, struct spec *spec,
		struct csn_error *err)
{
	if (!ctx->notify_socket || !spec->process.set || is_arranged(spec))
		return 0;
	if (mkdirat(c->entry.dir, "notify", 0755) < 0)
		return fail_errno(err, "container \"%s\": make its notify directory", c->entry.id);
	char source[4096];
	(void)snprintf(source, sizeof source, "%s/%s/notify", c->store.root, c->entry.id);
	if (add_mount(spec, source) < 0 || add_env(spec) < 0)
		return fail(err, ENOMEM, "out of memory");
	return 0;
}

int notify_bind(const struct host_context *ctx, const struct container *c, struct host_process *ret,
		struct csn_error *err)
{
	auto_fd dir = ctx->notify_socket ? openat(c->entry.dir, "notify",
						  O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
					 : -1;
	if (dir < 0)
		return 0;
	(void)unlinkat(dir, "notify.sock", 0);
	mode_t before = umask(0); /* any user of the container may speak */
	ret->notify = unix_bind(dir, "notify.sock", SOCK_DGRAM, 0777, err);
	ret->notify_to = ctx->notify_socket;
	(void)umask(before);
	return ret->notify < 0 ? ret->notify : 0;
}

static int send_to_manager(const char *path, const char *text, size_t size)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t length = strlen(path);
	if ((path[0] != '/' && path[0] != '@') || length >= sizeof to.sun_path)
		return -EAFNOSUPPORT;
	memcpy(to.sun_path, path, length);
	if (path[0] == '@')
		to.sun_path[0] = '\0';
	auto_fd sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t n = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	if (sock < 0 || sendto(sock, text, size, MSG_NOSIGNAL, (const struct sockaddr *)&to, n) < 0)
		return -errno;
	return 0;
}

/* What a program may tell the manager of its runtime: how it fares, and nothing that changes whom
 * the manager listens to or which process it watches. */
static bool may_pass(const char *line)
{
	static const char *const words[] = {
		"READY=1", "RELOADING=1", "STOPPING=1", "MONOTONIC_USEC=",
		"STATUS=", "ERRNO=",	  "WATCHDOG=1", "EXTEND_TIMEOUT_USEC="
	};
	for (size_t i = 0; i < COUNT(words); i++) {
		size_t n = strlen(words[i]);
		if (strncmp(line, words[i], n) == 0 && (words[i][n - 1] == '=' || !line[n]))
			return true;
	}
	return false;
}

/* One message of the program: 1 when it says that it is ready. */
int notify_pass(const struct host_process *p, bool with_pid)
{
	char text[MESSAGE_MAX + 1], out[MESSAGE_MAX + 32], *save = NULL;
	ssize_t n = recv(p->notify, text, MESSAGE_MAX, MSG_DONTWAIT);
	size_t at = 0;
	bool ready = false;
	if (n <= 0)
		return 0;
	text[n] = '\0';
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!may_pass(line))
			continue;
		ready |= strcmp(line, "READY=1") == 0;
		at += (size_t)snprintf(out + at, sizeof out - at, "%s\n", line);
	}
	if (ready && with_pid)
		at += (size_t)snprintf(out + at, sizeof out - at, "MAINPID=%d\n", (int)p->pid);
	/* A manager that does not listen is no reason to stop the program. */
	if (at)
		(void)send_to_manager(p->notify_to, out, at);
	return ready;
}

int host_await_ready(const struct host_process *p, struct csn_error *err)
{
	struct pollfd fds[] = { { .fd = p->notify, .events = POLLIN },
				{ .fd = p->pidfd, .events = POLLIN } };
	while (p->notify >= 0) {
		if (poll(fds, COUNT(fds), -1) < 0 && errno != EINTR)
			return fail_errno(err, "poll");
		if ((fds[0].revents & POLLIN) && notify_pass(p, true))
			return 0;
		/* An end is told to whoever waits for it; here only that nothing more comes than
		 * what was said before it. */
		if (fds[1].revents && poll(fds, 1, 0) == 0)
			return 0;
	}
	return 0;
}

/* Id mappings are written once, whole, by the host (user_namespaces(7)). */
#include "host/idmap.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/sys.h"
#include "host/plan_build.h"

enum { LINES_MAX = 340 }; /* of the kernel, since Linux 4.15 */

static int write_map(pid_t pid, const char *file, const struct spec_idmaps *maps,
		     struct csn_error *err)
{
	char path[64], text[LINES_MAX * 36];
	size_t at = 0;

	if (maps->count > LINES_MAX)
		return fail(err, EINVAL, "%s: more than %d lines", file, LINES_MAX);
	for (size_t i = 0; i < maps->count; i++)
		at += (size_t)snprintf(text + at, sizeof text - at, "%u %u %u\n",
				       maps->items[i].container_id, maps->items[i].host_id,
				       maps->items[i].size);
	(void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
	return file_write_text(AT_FDCWD, path, text, err);
}

int idmap_write(pid_t pid, const struct spec_idmaps *uids, const struct spec_idmaps *gids,
		struct csn_error *err)
{
	TRY(within(err, write_map(pid, "uid_map", uids, err), "linux.uidMappings"));
	return within(err, write_map(pid, "gid_map", gids, err), "linux.gidMappings");
}

int idmap_namespace(const struct spec_idmaps *uids, const struct spec_idmaps *gids,
		    struct csn_error *err)
{
	struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
	pid_t parent = getpid();
	pid_t pid = sys_clone3(&args);
	if (pid < 0)
		return fail_errno(err, "make a user namespace");
	if (pid == 0) {
		/* Ours alone: it must not outlive us. */
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
			_exit(1);
		for (;;)
			(void)pause();
	}
	int r = idmap_write(pid, uids, gids, err);
	char path[64];
	(void)snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
	auto_fd fd = r < 0 ? -1 : open(path, O_RDONLY | O_CLOEXEC);
	if (r == 0 && fd < 0)
		r = fail_errno(err, "open %s", path);
	(void)kill(pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	return r < 0 ? r : take_fd(&fd);
}

bool idmap_setgroups_denied(int userns)
{
	struct clone_args args = { .exit_signal = SIGCHLD };
	pid_t pid = sys_clone3(&args);
	if (pid == 0) {
		char word[8] = "";
		int fd = setns(userns, CLONE_NEWUSER) < 0
				 ? -1
				 : open("/proc/self/setgroups", O_RDONLY | O_CLOEXEC);
		_exit(fd >= 0 && read(fd, word, 4) == 4 && memcmp(word, "deny", 4) == 0);
	}
	int status = 0;
	if (pid > 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	return WIFEXITED(status) && WEXITSTATUS(status) == 1;
}

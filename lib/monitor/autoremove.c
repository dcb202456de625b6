/*
 * Removing a container that asked for it, after its end was recorded and told.
 *
 * Whoever waits for the end holds a shared lock on container.json until exit.json is read: they are
 * given two seconds. The name goes first, while the container still exists, so that nobody can
 * have claimed it anew; then one rename makes the container not exist; what a crash leaves after
 * that is swept by the next create.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "monitor/supervise.h"

enum { WAITERS_SECONDS = 2 };

static void on_alarm(int number)
{
	(void)number;
}

static void let_waiters_read(int container_dir)
{
	const struct sigaction wake = { .sa_handler = on_alarm }; /* no SA_RESTART */
	auto_fd fd = openat(container_dir, "container.json", O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	(void)sigaction(SIGALRM, &wake, NULL);
	(void)alarm(WAITERS_SECONDS);
	(void)flock(fd, LOCK_EX);
	(void)alarm(0);
}

static void free_name(int root, int container_dir, const char *id)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct engine_record r = { 0 };
	char path[300], owner[80];

	if (engine_record_read(container_dir, &r, &arena, NULL) < 0 || !r.name ||
	    strchr(r.name, '/'))
		return;
	(void)snprintf(path, sizeof path, "names/%s", r.name);
	ssize_t n = readlinkat(root, path, owner, sizeof owner);
	if (n == (ssize_t)strlen(id) && memcmp(owner, id, (size_t)n) == 0)
		(void)unlinkat(root, path, 0);
}

bool auto_remove(int root, int container_dir, const char *id)
{
	char from[300], to[300];

	let_waiters_read(container_dir);
	free_name(root, container_dir, id);
	auto_fd lock = openat(container_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	(void)snprintf(from, sizeof from, "containers/%s", id);
	(void)snprintf(to, sizeof to, "unfinished/%s", id);
	(void)mkdirat(root, "unfinished", 0700);
	/* Not waited for: whoever removes it by hand holds the lock and waits for us. */
	if (lock >= 0)
		(void)flock(lock, LOCK_EX | LOCK_NB);
	if (renameat(root, from, root, to) < 0)
		return false;
	(void)remove_tree(root, to, NULL);
	return true;
}

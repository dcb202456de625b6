/*
 * The journal: <run>/owners/OWNER names the networks of an attachment before anything of it
 * exists, and goes when nothing of it is left.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "netns/world.h"

enum { OWNER_MAX = 65536 };

static int open_owners(struct net *net, struct csn_error *err)
{
	int fd = openat(net->run, "owners", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT && mkdirat(net->run, "owners", 0700) == 0)
		fd = openat(net->run, "owners", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? fail_errno(err, "open the owners of networks") : fd;
}

static bool has_line(const char *text, const char *line)
{
	size_t size = strlen(line);
	for (const char *p = text; p && *p; p = strchr(p, '\n'), p = p ? p + 1 : p)
		if (strncmp(p, line, size) == 0 && p[size] == '\n')
			return true;
	return false;
}

int owner_write(struct net *net, const struct net_attach *a, struct csn_error *err)
{
	auto_mem char *before = NULL, *text = NULL;
	size_t size = 0, room = 1;
	auto_fd owners = open_owners(net, err);
	TRY(owners);
	int r = file_read(owners, a->owner, OWNER_MAX, &before, &size, NULL);
	if (r < 0)
		size = 0;
	for (size_t i = 0; i < a->joins_count; i++)
		room += strlen(a->joins[i].network) + 1;
	text = malloc(size + room);
	if (!text)
		return fail(err, ENOMEM, "out of memory");
	memcpy(text, size ? before : "", size);
	text[size] = '\0';
	for (size_t i = 0; i < a->joins_count; i++)
		if (!has_line(text, a->joins[i].network))
			size += (size_t)sprintf(text + size, "%s\n", a->joins[i].network);
	return file_write_atomic(owners, a->owner, text, size, 0600, false, err);
}

int owner_known(struct net *net, const char *owner, struct csn_error *err)
{
	auto_fd owners = open_owners(net, err);
	TRY(owners);
	if (faccessat(owners, owner, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 1;
	return errno == ENOENT ? 0 : fail_errno(err, "look for the networks of %.12s", owner);
}

int owner_networks(struct net *net, const char *owner,
		   int (*fn)(void *data, const char *network, struct csn_error *err), void *data,
		   struct csn_error *err)
{
	auto_mem char *text = NULL;
	size_t size;
	char *rest = NULL;
	auto_fd owners = open_owners(net, err);
	TRY(owners);
	int r = file_read(owners, owner, OWNER_MAX, &text, &size, err);
	if (r == -ENOENT)
		return 0;
	TRY(r);
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		TRY(fn(data, line, err));
	return 0;
}

/* The others' lines stay. */
int owner_leave(struct net *net, const char *owner, const char *network, struct csn_error *err)
{
	auto_mem char *text = NULL, *left = NULL;
	size_t size, at = 0;
	char *rest = NULL;
	auto_fd owners = open_owners(net, err);
	TRY(owners);
	if (file_read(owners, owner, OWNER_MAX, &text, &size, NULL) < 0)
		return 0;
	left = malloc(size + 2);
	if (!left)
		return fail(err, ENOMEM, "out of memory");
	for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest))
		if (strcmp(line, network) != 0)
			at += (size_t)sprintf(left + at, "%s\n", line);
	/* With nothing left it is no owner any more. */
	return at ? file_write_atomic(owners, owner, left, at, 0600, false, err)
		  : owner_forget(net, owner, err);
}

int owner_forget(struct net *net, const char *owner, struct csn_error *err)
{
	auto_fd owners = open_owners(net, err);
	TRY(owners);
	return unlinkat(owners, owner, 0) < 0 && errno != ENOENT
		       ? fail_errno(err, "forget the networks of %.12s", owner)
		       : 0;
}

/* ---- shared namespaces ------------------------------------------------------------------------
 */

static void shared_name(const char *owner, char buf[NET_OWNER_SIZE + 8])
{
	(void)snprintf(buf, NET_OWNER_SIZE + 8, ".shared.%.70s", owner);
}

int net_share(struct net *net, const char *owner, struct csn_error *err)
{
	char name[NET_OWNER_SIZE + 8];
	auto_fd owners = open_owners(net, err);
	TRY(owners);
	/* One without networks has no links. */
	if (faccessat(owners, owner, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	shared_name(owner, name);
	auto_fd fd = openat(owners, name, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	return fd < 0 ? fail_errno(err, "note that a network namespace is shared") : 0;
}

bool owner_shared(struct net *net, const char *owner)
{
	char name[NET_OWNER_SIZE + 8];
	auto_fd owners = open_owners(net, NULL);
	shared_name(owner, name);
	return owners >= 0 && unlinkat(owners, name, 0) == 0;
}

static int is_owner(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

int owner_each(struct net *net, int (*fn)(void *data, const char *owner), void *data,
	       struct csn_error *err)
{
	struct dirent **names = NULL;
	int r = 0;
	auto_fd owners = open_owners(net, err);
	TRY(owners);
	int count = scandirat(owners, ".", &names, is_owner, alphasort);
	if (count < 0)
		return fail_errno(err, "list the owners of networks");
	for (int i = 0; i < count; i++) {
		if (r == 0)
			r = fn(data, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return r;
}

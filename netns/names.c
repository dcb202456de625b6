/*
 * Who is called what. <run>/NETWORK.names/OWNER holds the path of the owner's hosts file and the
 * lines that others shall have in theirs. A hosts file keeps everything up to a mark, which whoever
 * made it wrote; behind the mark are the owner's own lines and those of the members of its
 * networks. It is written in place: a container has it bound and would keep an old one.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "netns/world.h"

#define MARK "# networks\n"
enum { NAMES_MAX = 1 << 16, HOSTS_MAX = 16 << 20 };

static int open_names(struct net *net, const char *network, bool make, struct csn_error *err)
{
	char dir[80];
	(void)snprintf(dir, sizeof dir, "%s.names", network);
	if (make && mkdirat(net->run, dir, 0700) < 0 && errno != EEXIST)
		return fail_errno(err, "make the names of network \"%s\"", network);
	int fd = openat(net->run, dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? fail_errno(err, "open the names of network \"%s\"", network) : fd;
}

static void put_line(FILE *out, const struct net_addr *a, const char *const *names)
{
	char text[NET_TEXT];
	if (!a->family)
		return;
	fputs(net_addr_print(a, text), out);
	for (size_t i = 0; names[i]; i++)
		fprintf(out, "%c%s", i ? ' ' : '\t', names[i]);
	fputc('\n', out);
}

int names_write(struct net *net, const struct net_attach *a, const struct net_join *j,
		const struct net_lease *lease, struct csn_error *err)
{
	auto_mem char *text = NULL;
	size_t size = 0;
	if (!a->hosts || !j->names || !j->names[0])
		return 0;
	FILE *out = open_memstream(&text, &size);
	if (!out)
		return fail(err, ENOMEM, "out of memory");
	fprintf(out, "%s\n", a->hosts);
	put_line(out, &lease->v4, j->names);
	put_line(out, &lease->v6, j->names);
	if (fclose(out) != 0)
		return fail(err, ENOMEM, "out of memory");
	auto_fd dir = open_names(net, j->network, true, err);
	TRY(dir);
	return file_write_atomic(dir, a->owner, text, size, 0600, false, err);
}

/* ---- one hosts file ---------------------------------------------------------------------------
 */

struct hosts {
	struct net *net;
	const char *owner;
	FILE *out;
	char *path; /* of the hosts file, malloc'd */
	bool others;
};

/* The lines behind the first one, which is a path. */
static void copy_lines(struct hosts *h, const char *text)
{
	const char *lines = strchr(text, '\n');
	if (lines)
		fputs(lines + 1, h->out);
}

static int put_own(void *data, const char *network, struct csn_error *err)
{
	struct hosts *h = data;
	auto_mem char *text = NULL;
	size_t size;
	auto_fd dir = open_names(h->net, network, false, NULL);
	(void)err;
	if (dir < 0 || file_read(dir, h->owner, NAMES_MAX, &text, &size, NULL) < 0)
		return 0;
	copy_lines(h, text);
	if (!h->path)
		h->path = strndup(text, strcspn(text, "\n"));
	return 0;
}

/* Its members know each other, and by hosts files alone. */
static bool has_hosts(struct net *net, const char *network)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct network n;
	return net_find(net, network, &n, &arena, NULL) == 0 && n.dns && !net_dns_served(&n);
}

static int put_others(void *data, const char *network, struct csn_error *err)
{
	struct hosts *h = data;
	(void)err;
	if (!has_hosts(h->net, network))
		return 0;
	auto_fd dir = open_names(h->net, network, false, NULL);
	DIR *d = dir < 0 ? NULL : fdopendir(dir);
	if (!d)
		return 0;
	(void)take_fd(&dir);
	for (struct dirent *e; (e = readdir(d));) {
		auto_mem char *text = NULL;
		size_t size;
		if (e->d_name[0] != '.' && strcmp(e->d_name, h->owner) != 0 &&
		    file_read(dirfd(d), e->d_name, NAMES_MAX, &text, &size, NULL) == 0)
			copy_lines(h, text);
	}
	(void)closedir(d);
	return 0;
}

/* What is behind the mark is replaced; without a mark it begins at the end. */
static int rewrite(const char *path, const char *lines, struct csn_error *err)
{
	auto_mem char *before = NULL, *text = NULL;
	size_t size;
	auto_fd fd = open(path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return 0; /* its owner has gone */
	if (fd < 0 || flock(fd, LOCK_EX) < 0)
		return fail_errno(err, "open %s", path);
	TRY(file_read(AT_FDCWD, path, HOSTS_MAX, &before, &size, err));
	char *mark = strstr(before, MARK);
	if (mark)
		*mark = '\0';
	int n = asprintf(&text, "%s" MARK "%s", before, lines);
	if (n < 0)
		return fail(err, ENOMEM, "out of memory");
	if (pwrite(fd, text, (size_t)n, 0) != n || ftruncate(fd, n) < 0)
		return fail_errno(err, "write %s", path);
	return 0;
}

int names_update(struct net *net, const char *owner, struct csn_error *err)
{
	auto_mem char *text = NULL;
	size_t size = 0;
	struct hosts h = { .net = net, .owner = owner, .out = open_memstream(&text, &size) };
	if (!h.out)
		return fail(err, ENOMEM, "out of memory");
	int r = owner_networks(net, owner, put_own, &h, err);
	if (r == 0)
		r = owner_networks(net, owner, put_others, &h, err);
	if (fclose(h.out) != 0 && r == 0)
		r = fail(err, ENOMEM, "out of memory");
	if (r == 0 && h.path)
		r = rewrite(h.path, text, err);
	free(h.path);
	return r;
}

/* ---- all of a network -------------------------------------------------------------------------
 */

int names_update_others(struct net *net, const char *network, const char *owner,
			struct csn_error *err)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct network n;
	int r = 0;
	if (net_find(net, network, &n, &arena, NULL) < 0 || !n.dns)
		return 0;
	if (net_dns_served(&n))
		return dns_update(net, &n, err);
	auto_fd dir = open_names(net, network, false, NULL);
	DIR *d = dir < 0 ? NULL : fdopendir(dir);
	if (!d)
		return 0;
	(void)take_fd(&dir);
	for (struct dirent *e; r == 0 && (e = readdir(d));)
		if (e->d_name[0] != '.' && strcmp(e->d_name, owner) != 0)
			r = names_update(net, e->d_name, err);
	(void)closedir(d);
	return r;
}

int names_remove(struct net *net, const char *network, const char *owner, struct csn_error *err)
{
	auto_fd dir = open_names(net, network, false, NULL);
	if (dir < 0 || (unlinkat(dir, owner, 0) < 0 && errno == ENOENT))
		return 0;
	return names_update_others(net, network, owner, err);
}

/*
 * Finding containers. A full id needs no look-up, a name one readlink; only the beginning of an id
 * reads the directory.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/error.h"
#include "runtime/runtime.h"

void container_close(struct container *c)
{
	close_fd(&c->dir);
}

int lock_dir(int dir_fd, int how, struct csn_error *err)
{
	auto_fd fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(err, "lock");
	while (flock(fd, how) < 0)
		if (errno != EINTR)
			return fail_errno(err, "lock");
	return take_fd(&fd);
}

int container_open(struct csn_runtime *rt, const char *id, struct container *ret,
		   struct csn_error *err)
{
	int dir = openat(rt->containers_dir, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0 && errno == ENOENT)
		return fail(err, ENOENT, "container \"%s\" does not exist", id);
	if (dir < 0)
		return fail_errno(err, "container \"%s\"", id);
	ret->dir = dir;
	memcpy(ret->id, id, CSN_ID_SIZE);
	return 0;
}

static void close_dir(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

int container_each(struct csn_runtime *rt, int (*fn)(void *data, const char *id), void *data,
		   struct csn_error *err)
{
	int copy = openat(rt->containers_dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d AUTO(close_dir)
	= copy < 0 ? NULL : fdopendir(copy);
	if (!d) {
		close_fd(&copy);
		return fail_errno(err, "open directory containers");
	}
	for (struct dirent *e; (e = readdir(d));) {
		int r = id_is_valid(e->d_name) ? fn(data, e->d_name) : 0;
		if (r < 0)
			return fail(err, -r, "containers: %s", strerror(-r));
	}
	return 0;
}

struct prefix_search {
	const char *prefix;
	size_t found;
	char id[CSN_ID_SIZE];
};

static int match_prefix(void *data, const char *id)
{
	struct prefix_search *s = data;
	if (strncmp(id, s->prefix, strlen(s->prefix)) == 0) {
		memcpy(s->id, id, CSN_ID_SIZE);
		s->found++;
	}
	return 0;
}

static int find_id(struct csn_runtime *rt, const char *text, char ret[CSN_ID_SIZE],
		   struct csn_error *err)
{
	if (id_is_valid(text)) {
		memcpy(ret, text, CSN_ID_SIZE);
		return 0;
	}
	if (name_lookup(rt, text, ret) == 0)
		return 0;

	size_t digits = strspn(text, "0123456789abcdef");
	struct prefix_search s = { .prefix = text };
	if (digits > 0 && digits < 64 && text[digits] == '\0')
		TRY(container_each(rt, match_prefix, &s, err));
	if (s.found > 1)
		return fail(err, EINVAL, "container \"%s\": %zu ids begin like this", text,
			    s.found);
	if (s.found == 0)
		return fail(err, ENOENT, "container \"%.400s\" does not exist", text);
	memcpy(ret, s.id, CSN_ID_SIZE);
	return 0;
}

int container_find(struct csn_runtime *rt, const char *text, struct container *ret,
		   struct csn_error *err)
{
	char id[CSN_ID_SIZE];
	TRY(find_id(rt, text, id, err));
	return container_open(rt, id, ret, err);
}

int csn_container_resolve(struct csn_runtime *rt, const char *container, char ret_id[CSN_ID_SIZE],
			  struct csn_error *err)
{
	struct container c AUTO(container_close) = CONTAINER_INIT;
	TRY(container_find(rt, container, &c, err));
	memcpy(ret_id, c.id, CSN_ID_SIZE);
	return 0;
}

/* Removing all containers that do not run, and what their files took. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/texts.h"
#include "runtime/runtime.h"

enum { DEPTH_MAX = 256 }; /* of directories counted: each holds an fd */

static void close_dir(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

/* Blocks of all below a directory; links are not followed, other mounts not entered. */
static uint64_t disk_usage(int parent, const char *name, dev_t device, int depth)
{
	struct stat st;
	if (fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || (device && st.st_dev != device))
		return 0;
	uint64_t bytes = (uint64_t)st.st_blocks * 512;
	if (!S_ISDIR(st.st_mode) || depth > DEPTH_MAX)
		return bytes;
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *d AUTO(close_dir)
	= fd < 0 ? NULL : fdopendir(fd);
	if (!d)
		close_fd(&fd);
	for (struct dirent *e; d && (e = readdir(d));)
		if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
			bytes += disk_usage(dirfd(d), e->d_name, st.st_dev, depth + 1);
	return bytes;
}

struct pruning {
	struct csn_runtime *rt;
	struct csn_texts *ids;
	uint64_t bytes;
};

static int prune_one(void *data, const char *id)
{
	struct pruning *p = data;
	struct container c AUTO(container_close) = CONTAINER_INIT;
	struct facts f AUTO(facts_done) = FACTS_INIT;
	if (container_open(p->rt, id, &c, NULL) < 0)
		return 0;
	facts_read(p->rt, &c, false, &f);
	if (facts_running(&f) || f.state == CSN_STATE_INITIALIZING)
		return 0;
	uint64_t bytes = disk_usage(p->rt->containers_dir, id, 0, 0);
	/* Started in between, or gone by itself: not ours. */
	if (csn_container_remove(p->rt, id, false, NULL) < 0)
		return 0;
	p->bytes += bytes;
	return texts_add(p->ids, id) ? 0 : -ENOMEM;
}

int csn_container_prune(struct csn_runtime *rt, struct csn_texts **ret_ids, uint64_t *ret_bytes,
			struct csn_error *err)
{
	struct csn_texts *ids AUTO(texts_release)
	= texts_new();
	struct pruning p = { rt, ids, 0 };
	if (!ids)
		return fail(err, ENOMEM, "out of memory");
	TRY(container_each(rt, prune_one, &p, err));
	*ret_ids = take_ptr(ids);
	*ret_bytes = p.bytes;
	return 0;
}

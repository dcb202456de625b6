/*
 * Writes to the files of one group: worded when they fail, and, for a group that is in use, taken
 * back when a later one of them fails. What a file held is read just before it is written; taking
 * back goes from the last write to the first.
 *
 * A file with a line a device is restored by the line of the device that was written, or, where
 * there was none, by what the kernel takes for "as if nothing had been said". A default may have
 * touched every line: then all are written again.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "cgroups/internal.h"

enum { FILE_MAX = 1 << 20 };

struct batch_write {
	char *file, *before; /* before: what to write to take it back, line by line */
};

/* Files that hold a line a device, and how to say nothing of one. */
static const struct {
	const char *file, *nothing;
} keyed_files[] = {
	{ "io.max", "rbps=max wbps=max riops=max wiops=max" },
	{ "io.weight", "default" },
	{ "io.bfq.weight", "default" },
	{ "io.latency", "target=0" },
	{ "rdma.max", "hca_handle=max hca_object=max" },
	{ "misc.max", "max" },
};

static const char *nothing_in(const char *file)
{
	for (size_t i = 0; i < COUNT(keyed_files); i++)
		if (strcmp(keyed_files[i].file, file) == 0)
			return keyed_files[i].nothing;
	return NULL;
}

/* Why the kernel may have said no, beyond the errno. */
static const struct {
	const char *file;
	int error;
	const char *hint;
} hints[] = {
	{ "cpu.weight", EINVAL, "an idle group has none: set cpu.idle to 0 first" },
	{ "cpu.max", EINVAL,
	  "quota and period are 1000 microseconds or more, the period at most 1000000, and "
	  "cpu.max.burst no more than the quota" },
	{ "cpu.max.burst", EINVAL, "it is no more than the quota in cpu.max" },
	{ "io.max", ENODEV,
	  "there is no such block device; partitions have no limits of their own" },
	{ "io.bfq.weight", ENODEV, "there is no such block device" },
	{ "io.bfq.weight", EOPNOTSUPP, "the scheduler of this device is not bfq" },
	{ "io.weight", EOPNOTSUPP, "io.cost.qos does not enable weights on this device" },
	{ "rdma.max", ENODEV, "there is no such RDMA device" },
	{ "cpuset.cpus", ERANGE, "there are no such CPUs" },
	{ "cpuset.mems", ERANGE, "there are no such memory nodes" },
	{ "cpuset.cpus", EINVAL, "expected a list of CPUs that exist, such as 0-1,3" },
	{ "cpuset.mems", EINVAL, "expected a list of memory nodes that exist, such as 0" },
};

static int fail_write(const struct cgroup *cg, const char *file, const char *text, int error,
		      struct csn_error *err)
{
	for (size_t i = 0; i < COUNT(hints); i++)
		if (hints[i].error == error && strcmp(hints[i].file, file) == 0)
			return fail(err, error, "cgroup \"%s\": write \"%.100s\" to %s: %s (%s)",
				    cg->path, text, file, strerror(error), hints[i].hint);
	return -error; /* worded by who wrote */
}

static const char *controller_named(unsigned bit)
{
	const struct controller_name *c = controller_names;
	while (c->name && c->bit != bit)
		c++;
	return c->name;
}

/* Words the absence of a file: the group's controller is off, the whole mount lacks it, or the
 * controller is there and its file is not. */
static int fail_missing(const struct cgroup *cg, const char *file, struct csn_error *err)
{
	unsigned needed = controller_of_file(file), have = 0;
	const char *name = controller_named(needed);
	char offered[128] = "nothing";
	size_t at = 0;

	if (cgroup_controllers(cg, &have, err) < 0)
		return -ENOENT; /* the group itself is gone, and that is what err says */
	if (!needed || (have & needed))
		return fail(err, ENOENT, "%s: this kernel has no such file in cgroup \"%s\"", file,
			    cg->path);
	have = controllers_of_mount(cg);
	if (have & needed)
		return fail(err, ENOENT,
			    "%s: the %s controller is not available in cgroup \"%s\": a parent's "
			    "cgroup.subtree_control does not enable it (it cannot while that "
			    "parent has processes of its own)",
			    file, name, cg->path);
	for (const struct controller_name *c = controller_names; c->name; c++)
		if (have & c->bit)
			at += (size_t)snprintf(offered + at, sizeof offered - at, "%s%s",
					       at ? " " : "", c->name);
	return fail(err, ENOENT,
		    "%s: the %s controller is not available in cgroup \"%s\" (cgroup2 at %.*s "
		    "offers: %s); it may be bound to cgroup v1: boot with cgroup_no_v1=%s",
		    file, name, cg->path, (int)(strlen(cg->fs_path) - strlen(cg->path)),
		    cg->fs_path, offered, name);
}

/* ---- taking back ----------------------------------------------------------------------------- */

/* The line of text that begins with the word key; NULL: none. */
static const char *line_of(const char *text, const char *key, size_t length)
{
	for (const char *line = text; *line;) {
		if (strncmp(line, key, length) == 0 && line[length] == ' ')
			return line;
		line += strcspn(line, "\n");
		line += *line == '\n';
	}
	return NULL;
}

/* What takes back the writing of text to file, which holds now. NULL without memory. */
static char *to_take_back(const char *file, const char *text, const char *now)
{
	const char *nothing = nothing_in(file);
	char *before = NULL;
	if (!nothing)
		return strdup(now);

	size_t length = strcspn(text, " ");
	if (!text[length])
		return strdup(now);
	const char *line = line_of(now, text, length);
	if (line)
		return strndup(line, strcspn(line, "\n"));
	if (asprintf(&before, "%.*s %s", (int)length, text, nothing) < 0)
		return NULL;
	return before;
}

static int remember(struct batch *b, const char *file, const char *text, struct csn_error *err)
{
	auto_mem char *now = NULL;
	size_t size = 0;
	if (file_read(b->cg->dir, file, FILE_MAX, &now, &size, NULL) < 0)
		return 0; /* absent or only to be written: the write tells, or nothing can */

	struct batch_write *grown = realloc(b->writes, (b->count + 1) * sizeof *grown);
	if (!grown)
		return fail(err, ENOMEM, "out of memory");
	b->writes = grown;
	struct batch_write w = { strdup(file), to_take_back(file, text, now) };
	b->writes[b->count++] = w;
	return w.file && w.before ? 0 : fail(err, ENOMEM, "out of memory");
}

int batch_write(struct batch *b, const char *file, const char *text, struct csn_error *err)
{
	if (b->undoable)
		TRY(remember(b, file, text, err));
	int r = cgroup_write(b->cg, file, text, err);
	if (r == -ENOENT)
		return fail_missing(b->cg, file, err);
	return r < 0 ? fail_write(b->cg, file, text, -r, err) : 0;
}

static void take_back(const struct cgroup *cg, const struct batch_write *w)
{
	char *save = NULL, *line = strtok_r(w->before, "\n", &save);
	do {
		(void)cgroup_write(cg, w->file, line ? line : "", NULL);
		line = strtok_r(NULL, "\n", &save);
	} while (line);
}

void batch_undo(struct batch *b)
{
	for (size_t i = b->count; i > 0; i--)
		if (b->writes[i - 1].file && b->writes[i - 1].before)
			take_back(b->cg, &b->writes[i - 1]);
}

void batch_done(struct batch *b)
{
	for (size_t i = 0; i < b->count; i++) {
		free(b->writes[i].file);
		free(b->writes[i].before);
	}
	free(b->writes);
	b->writes = NULL;
	b->count = 0;
}

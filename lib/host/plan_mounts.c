/*
 * OCI mounts → struct plan_mount. Sources on the host are opened here as detached trees, with
 * their attributes already on them, so that the child only has to move them into place. File
 * systems that bind to namespaces (proc, sysfs, mqueue, devpts, tmpfs, cgroup2) are left to the
 * child.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/path.h"
#include "base/sys.h"
#include "host/idmap.h"
#include "host/launch.h"
#include "host/plan_build.h"
#include "spec/tables.h"

/* One mount on its way: the options sorted by what they do. */
struct sorting {
	const struct plan_input *in;
	struct built_plan *plan;
	const struct spec_mount *spec;
	size_t index;
	struct csn_error *err;

	struct plan_mount *out;
	struct plan_fsopt *fsopts;
	bool bind, recursive, remount, idmap, idmap_recursive, src_nofollow, copy_symlink;
	size_t propagations;
};

static int no_memory(struct csn_error *err)
{
	return fail(err, ENOMEM, "out of memory");
}

static bool is_type(const struct sorting *s, const char *type)
{
	return s->spec->type && strcmp(s->spec->type, type) == 0;
}

/* ---- options --------------------------------------------------------------------------------- */

static void add_attr(uint64_t *set, uint64_t *clr, const struct mount_option *o)
{
	*set = (*set & ~o->clr) | o->set;
	*clr = (*clr & ~o->set) | o->clr;
}

/* The next piece of *text, ended in place; a comma between quotes parts nothing (SELinux contexts
 * have them) and the quotes go. NULL at the end. */
static char *next_data(char **text)
{
	char *start = *text, *out = *text, *in = *text;
	bool quoted = false;

	if (!*in)
		return NULL;
	for (; *in && (quoted || *in != ','); in++) {
		if (*in == '"')
			quoted = !quoted;
		else
			*out++ = *in;
	}
	*text = *in ? in + 1 : in;
	*out = '\0';
	return start;
}

static int add_data(struct sorting *s, const char *text)
{
	/* One option may be several, joined by commas, as mount(8) would take them. */
	char *rest = arena_strdup(&s->plan->arena, text);
	if (!rest)
		return no_memory(s->err);
	for (char *one; (one = next_data(&rest));) {
		/* fsopen("devpts") is a new instance always. */
		if (!*one || (is_type(s, "devpts") && strcmp(one, "newinstance") == 0))
			continue;
		char *value = strchr(one, '=');
		if (value)
			*value++ = '\0';
		s->fsopts[s->out->options_count++] = (struct plan_fsopt){ one, value };
	}
	return 0;
}

static int add_propagation(struct sorting *s, const struct mount_option *o)
{
	if (s->propagations == COUNT(s->out->propagation))
		return fail(s->err, EINVAL, "mounts[%zu].options: too many propagation options",
			    s->index);
	s->out->propagation[s->propagations++] = (unsigned long)o->set;
	return 0;
}

static int sort_option(struct sorting *s, const char *text, size_t at)
{
	const struct mount_option *o = spec_mount_option(text);
	if (!o && strncmp(text, "idmap=", 6) == 0)
		return fail(s->err, EOPNOTSUPP,
			    "mounts[%zu].options[%zu]: \"%s\": give uidMappings and gidMappings "
			    "instead",
			    s->index, at, text);
	if (!o && (s->bind || s->remount))
		return fail(s->err, EINVAL, "mounts[%zu].options[%zu]: unknown mount option \"%s\"",
			    s->index, at, text);
	if (!o)
		return add_data(s, text);

	switch (o->kind) {
	case MOUNT_OPT_ATTR:
		add_attr(&s->out->attr_set, &s->out->attr_clr, o);
		break;
	case MOUNT_OPT_REC_ATTR:
		add_attr(&s->out->rec_attr_set, &s->out->rec_attr_clr, o);
		break;
	case MOUNT_OPT_SUPER:
		return s->bind ? 0 : add_data(s, text);
	case MOUNT_OPT_PROPAGATION:
		return add_propagation(s, o);
	case MOUNT_OPT_IDMAP:
		s->idmap = true;
		s->idmap_recursive = o->set & MS_REC;
		break;
	case MOUNT_OPT_TMPCOPYUP:
		s->out->flags |= PLAN_TMPCOPYUP;
		break;
	case MOUNT_OPT_SRC_NOFOLLOW:
		s->src_nofollow = true;
		break;
	case MOUNT_OPT_DEST_NOFOLLOW:
		s->out->flags |= PLAN_TARGET_ITSELF;
		break;
	case MOUNT_OPT_COPY_SYMLINK:
		s->copy_symlink = true;
		break;
	case MOUNT_OPT_BIND:
	case MOUNT_OPT_REMOUNT:
	case MOUNT_OPT_NOTHING:
		break;
	}
	return 0;
}

/* bind and remount change what other options mean, so they are looked for first. */
static int sort_options(struct sorting *s)
{
	size_t count = s->spec->options.count, commas = 0;
	for (size_t i = 0; i < count; i++) {
		const struct mount_option *o = spec_mount_option(s->spec->options.items[i]);
		if (o && o->kind == MOUNT_OPT_BIND) {
			s->bind = true;
			s->recursive = o->set & MS_REC;
		}
		s->remount |= o && o->kind == MOUNT_OPT_REMOUNT;
		for (const char *p = s->spec->options.items[i]; *p; p++)
			commas += *p == ',';
	}
	/* and two that we may add: ro, context */
	s->fsopts = arena_array(&s->plan->arena, count + commas + 2, sizeof *s->fsopts);
	if (!s->fsopts)
		return no_memory(s->err);
	s->out->options = s->fsopts;
	for (size_t i = 0; i < count; i++)
		TRY(sort_option(s, s->spec->options.items[i], i));
	return 0;
}

/* ---- target ---------------------------------------------------------------------------------- */

static const char *const below_proc[] = {
	"/proc/cpuinfo",
	"/proc/diskstats",
	"/proc/meminfo",
	"/proc/stat",
	"/proc/swaps",
	"/proc/uptime",
	"/proc/loadavg",
	"/proc/slabinfo",
	"/proc/sys/kernel/ns_last_pid",
	"/proc/sys/crypto/fips_enabled",
};

static int plan_target(struct sorting *s)
{
	/* A relative destination is taken from "/" (deprecated by the spec, so said). */
	const char *asked = s->spec->destination;
	if (asked[0] != '/')
		host_warn(s->in->ctx,
			  "mounts[%zu].destination: \"%s\" is not absolute: taken from \"/\"",
			  s->index, asked);
	char *target = arena_printf(&s->plan->arena, "/%s", asked);
	if (!target)
		return no_memory(s->err);
	path_clean(target);
	s->out->target = target;

	if (strncmp(target, "/proc/", 6) != 0)
		return 0;
	for (size_t i = 0; i < COUNT(below_proc); i++)
		if (strcmp(target, below_proc[i]) == 0)
			return 0;
	return fail(s->err, EINVAL, "mounts[%zu].destination: \"%s\": nothing may be mounted there",
		    s->index, target);
}

/* Programs trust what /proc says; a look-alike there would be believed. */
static int fail_not_proc(const struct sorting *s)
{
	return fail(s->err, EINVAL,
		    "mounts[%zu].destination: \"/proc\": only a proc file system may be there",
		    s->index);
}

/* ---- bind mounts ----------------------------------------------------------------------------- */

static int set_attr(int fd, uint64_t set, uint64_t clr, unsigned flags)
{
	struct mount_attr attr = { .attr_set = set, .attr_clr = clr };
	if (!set && !clr)
		return 0;
	return mount_setattr(fd, "", AT_EMPTY_PATH | flags, &attr, sizeof attr) < 0 ? -errno : 0;
}

/* A namespace that holds the mappings of this mount, else those of the container. */
static int mapping_namespace(const struct sorting *s)
{
	const struct spec_linux *l = &s->in->spec->linux_;
	const struct plan *p = &s->plan->plan;

	if (s->spec->uid_mappings.count)
		return idmap_namespace(&s->spec->uid_mappings, &s->spec->gid_mappings, s->err);
	for (size_t i = 0; i < p->joins_count; i++)
		if (p->joins[i].flag == CLONE_NEWUSER) {
			int fd = fcntl(p->joins[i].fd, F_DUPFD_CLOEXEC, 3);
			return fd < 0 ? fail_errno(s->err, "fcntl") : fd;
		}
	if (p->new_userns)
		return idmap_namespace(&l->uid_mappings, &l->gid_mappings, s->err);
	return fail(s->err, EINVAL,
		    "options: idmap needs uidMappings and gidMappings, or a user namespace");
}

static int map_ids(struct sorting *s, int tree)
{
	auto_fd userns = mapping_namespace(s);
	if (userns < 0)
		return within(s->err, userns, "mounts[%zu]", s->index);
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns };
	unsigned flags = AT_EMPTY_PATH | (s->idmap_recursive ? (unsigned)AT_RECURSIVE : 0);
	if (mount_setattr(tree, "", flags, &attr, sizeof attr) < 0)
		return fail_errno(s->err, "mounts[%zu]: map ids of \"%s\"", s->index,
				  s->spec->source);
	return 0;
}

/* The last propagation that the options name, 0: none. */
static unsigned long asked_propagation(const struct sorting *s)
{
	return s->propagations ? s->out->propagation[s->propagations - 1] & ~(unsigned long)MS_REC
			       : 0;
}

/*
 * A clone of a shared mount is its peer: what the container mounts or unmounts below it would
 * happen on the host. So a bind is private, unless it is to follow the host: its options say slave,
 * or say nothing and the config's root is a slave. A peer it stays only when both the mount and the
 * root are to be shared (runc's rule: the mount alone makes a slave that is shared anew). The
 * child applies the options themselves once the mount is in place.
 */
static int leave_peers(const struct sorting *s, int tree)
{
	const char *root_asks = s->in->spec->linux_.rootfs_propagation;
	unsigned long own = asked_propagation(s);
	uint64_t root = 0;
	if (root_asks)
		(void)named_number(spec_propagations, root_asks, &root);
	if ((root & MS_SHARED) && (own & MS_SHARED))
		return 0;
	bool follows = (own & (MS_SLAVE | MS_SHARED)) || (!own && (root & MS_SLAVE));
	struct mount_attr attr = { .propagation = follows ? MS_SLAVE : MS_PRIVATE };
	return mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof attr) < 0
		       ? -errno
		       : 0;
}

/* Attributes go onto the detached tree while nobody can see it; the child need not repeat them. */
static int prepare_tree(struct sorting *s, int tree)
{
	struct plan_mount *m = s->out;
	int r = leave_peers(s, tree);
	if (r == 0)
		r = set_attr(tree, m->attr_set, m->attr_clr, 0);
	if (r == 0)
		r = set_attr(tree, m->rec_attr_set, m->rec_attr_clr, AT_RECURSIVE);
	if (r < 0)
		return fail(s->err, -r, "mounts[%zu]: \"%s\": %s", s->index, m->target,
			    strerror(-r));
	m->attr_set = m->attr_clr = m->rec_attr_set = m->rec_attr_clr = 0;
	return s->idmap || s->spec->uid_mappings.count ? map_ids(s, tree) : 0;
}

/* The source's own words when it is a symlink that is to be copied; NULL: mount it. */
static const char *link_to_copy(const struct sorting *s, const char *path)
{
	char says[PATH_MAX];
	ssize_t n = s->copy_symlink ? readlink(path, says, sizeof says - 1) : -1;
	if (n <= 0)
		return NULL;
	says[n] = '\0';
	return arena_strdup(&s->plan->arena, says);
}

static int open_source(struct sorting *s, const char *path)
{
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC;
	if (s->recursive)
		flags |= AT_RECURSIVE;
	if (s->src_nofollow)
		flags |= AT_SYMLINK_NOFOLLOW;
	int tree = open_tree(AT_FDCWD, path, flags);
	if (tree < 0)
		return fail_errno(s->err, "mounts[%zu]: source \"%s\"", s->index, s->spec->source);
	tree = plan_keep_fd(s->plan, tree);
	return tree < 0 ? no_memory(s->err) : tree;
}

static int plan_bind(struct sorting *s)
{
	if (!s->spec->source)
		return fail(s->err, EINVAL, "mounts[%zu].source: a bind mount needs one", s->index);
	auto_mem char *path = path_join(s->in->bundle, s->spec->source);
	if (!path)
		return no_memory(s->err);
	s->out->device = link_to_copy(s, path);
	if (s->out->device) {
		s->out->source = PLAN_MOUNT_SYMLINK;
		s->out->propagation[0] = 0;
		return 0;
	}
	int tree = open_source(s, path);
	TRY(tree);
	struct stat st;
	if (fstat(tree, &st) < 0)
		return fail_errno(s->err, "mounts[%zu]: source \"%s\"", s->index, s->spec->source);
	struct statfs fs;
	if (strcmp(s->out->target, "/proc") == 0 &&
	    (fstatfs(tree, &fs) < 0 || fs.f_type != PROC_SUPER_MAGIC))
		return fail_not_proc(s);
	s->out->source = PLAN_MOUNT_TREE;
	s->out->tree_fd = tree;
	s->out->options_count = 0;
	if (!S_ISDIR(st.st_mode))
		s->out->flags |= PLAN_TARGET_FILE;
	if (strcmp(s->out->target, "/dev") == 0)
		s->out->flags |= PLAN_IS_DEV;
	return prepare_tree(s, tree);
}

/* ---- new file systems ------------------------------------------------------------------------ */

static bool labels_itself(const struct sorting *s)
{
	static const char *const types[] = { "proc", "sysfs", "mqueue", "cgroup", "cgroup2" };
	for (size_t i = 0; i < COUNT(types); i++)
		if (is_type(s, types[i]))
			return true;
	return false;
}

static int add_label(struct sorting *s)
{
	const char *label = s->in->spec->linux_.mount_label;
	if (!label || labels_itself(s))
		return 0;
	if (access("/sys/fs/selinux/enforce", F_OK) < 0)
		return fail(s->err, EOPNOTSUPP,
			    "linux.mountLabel: SELinux is not enabled on this host");
	s->fsopts[s->out->options_count++] = (struct plan_fsopt){ "context", label };
	return 0;
}

/*
 * What is mounted read-only may have to be filled first: tmpfs, and /dev in any form. A block
 * device must be told too, for one that cannot be written mounts in no other way; superblocks
 * without a device may be shared with the host and are left alone.
 */
static void plan_readonly(struct sorting *s)
{
	struct plan_mount *m = s->out;
	if (!(m->attr_set & MOUNT_ATTR_RDONLY))
		return;
	if (is_type(s, "tmpfs") || strcmp(m->target, "/dev") == 0)
		m->flags |= PLAN_READONLY_LATE;
	else if (m->device[0] == '/' && !labels_itself(s))
		s->fsopts[m->options_count++] = (struct plan_fsopt){ "ro", NULL };
}

static int plan_new(struct sorting *s)
{
	struct plan_mount *m = s->out;

	if (!s->spec->type)
		return fail(s->err, EINVAL, "mounts[%zu].type: needed unless options has bind",
			    s->index);
	if (s->idmap || s->spec->uid_mappings.count)
		return fail(s->err, EOPNOTSUPP,
			    "mounts[%zu]: ids can be mapped for bind mounts only", s->index);
	m->source = PLAN_MOUNT_NEW;
	m->fstype = s->spec->type;
	m->device = s->spec->source ? s->spec->source : s->spec->type;
	if (is_type(s, "cgroup") || is_type(s, "cgroup2")) {
		m->source = PLAN_MOUNT_CGROUP;
		m->fstype = "cgroup2";
		m->options_count = 0;
	}
	/* A mount without mounts below it is its own tree. */
	m->attr_set = (m->attr_set & ~m->rec_attr_clr) | m->rec_attr_set;
	m->attr_clr = (m->attr_clr & ~m->rec_attr_set) | m->rec_attr_clr;
	m->rec_attr_set = m->rec_attr_clr = 0;
	/* An image may not lead the kernel's own file systems astray. */
	if (is_type(s, "proc") || is_type(s, "sysfs"))
		m->flags |= PLAN_TARGET_NOFOLLOW;
	if ((m->flags & PLAN_TMPCOPYUP) && !is_type(s, "tmpfs"))
		return fail(s->err, EINVAL, "mounts[%zu].options: tmpcopyup is for tmpfs",
			    s->index);
	if (strcmp(m->target, "/dev") == 0)
		m->flags |= PLAN_IS_DEV;
	if (strcmp(m->target, "/proc") == 0 && !is_type(s, "proc"))
		return fail_not_proc(s);
	plan_readonly(s);
	return add_label(s);
}

static int plan_one(struct sorting *s)
{
	s->out->tree_fd = -1;
	TRY(sort_options(s));
	TRY(plan_target(s));
	if (s->remount) {
		s->out->source = PLAN_MOUNT_REMOUNT;
		return 0;
	}
	return s->bind ? plan_bind(s) : plan_new(s);
}

int plan_mounts(const struct plan_input *in, struct built_plan *ret, struct csn_error *err)
{
	size_t count = in->spec->mounts_count;
	struct plan_mount *mounts = arena_array(&ret->arena, count, sizeof *mounts);
	if (!mounts)
		return no_memory(err);
	for (size_t i = 0; i < count; i++) {
		struct sorting s = { .in = in,
				     .plan = ret,
				     .spec = &in->spec->mounts[i],
				     .index = i,
				     .err = err,
				     .out = &mounts[i] };
		TRY(plan_one(&s));
		/* Nothing else is going to be put into it. */
		if (ret->plan.mounts_only)
			mounts[i].flags &= ~(unsigned)PLAN_READONLY_LATE;
	}
	ret->plan.mounts = mounts;
	ret->plan.mounts_count = count;
	return 0;
}

int plan_unmounts(const struct plan_input *in, struct built_plan *ret, struct csn_error *err)
{
	size_t count = in->spec->mounts_count;
	struct plan_mount *mounts = arena_array(&ret->arena, count, sizeof *mounts);
	if (!mounts)
		return no_memory(err);
	for (size_t i = 0; i < count; i++) {
		char *target = arena_printf(&ret->arena, "/%s", in->spec->mounts[i].destination);
		if (!target)
			return no_memory(err);
		path_clean(target);
		mounts[i] = (struct plan_mount){ .source = PLAN_MOUNT_REMOVE,
						 .target = target,
						 .tree_fd = -1 };
	}
	ret->plan.mounts = mounts;
	ret->plan.mounts_count = count;
	return 0;
}

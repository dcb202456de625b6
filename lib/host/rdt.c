/*
 * linux.intelRdt (config-linux.md "IntelRdt"): cache and memory bandwidth by groups of resctrl. A
 * group is a directory whose files the kernel makes with it: tasks, schemata, mon_groups.
 *
 * A group named by closID belongs to whoever named it: it is made when it is missing and schemas
 * are given, never changed when it is there, never removed. One named after the container is ours.
 */
#include "host/rdt.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"

enum { MOUNTINFO_MAX = 16 << 20, SCHEMATA_MAX = 64 << 10 };

/* A line of mountinfo: "36 35 98:0 / MOUNTPOINT rw … - resctrl resctrl rw". */
static char *mount_point(char *line)
{
	char *type = strstr(line, " - resctrl ");
	for (int i = 0; type && i < 4; i++) {
		line = strchr(line, ' ');
		if (line)
			line++;
	}
	return type && line ? strndup(line, strcspn(line, " ")) : NULL;
}

int rdt_root(char **ret, struct csn_error *err)
{
	auto_mem char *text = NULL;
	size_t size = 0;
	char *save = NULL;
	TRY(file_read(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &text, &size, err));
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *found = mount_point(line);
		if (found) {
			*ret = found;
			return 0;
		}
	}
	return fail(err, EOPNOTSUPP, "linux.intelRdt: resctrl is not mounted on this host");
}

void rdt_done(struct rdt *rdt)
{
	free(rdt->group);
	free(rdt->monitor);
	*rdt = (struct rdt){ 0 };
}

int rdt_plan(const char *root, const struct spec_intel_rdt *r, const char *id, struct rdt *ret,
	     struct csn_error *err)
{
	struct rdt rdt AUTO(rdt_done) = { .own_group = !r->clos_id };
	const char *name = r->clos_id ? r->clos_id : id;
	int n = strcmp(name, "/") == 0 ? asprintf(&rdt.group, "%s", root)
				       : asprintf(&rdt.group, "%s/%s", root, name);
	if (n < 0)
		rdt.group = NULL;
	else if (r->enable_monitoring &&
		 asprintf(&rdt.monitor, "%s/mon_groups/%s", rdt.group, id) < 0)
		n = -1;
	if (n < 0)
		return fail(err, ENOMEM, "out of memory");
	*ret = rdt;
	rdt = (struct rdt){ 0 };
	return 0;
}

/* ---- schemata -------------------------------------------------------------------------------- */

/* The lines asked for in the order that the specification sets; NULL ends. */
static const char *schema(const struct spec_intel_rdt *r, size_t index)
{
	const char *const first[] = { r->l3_cache_schema, r->mem_bw_schema };
	for (size_t i = 0; i < COUNT(first); i++)
		if (first[i] && index-- == 0)
			return first[i];
	return index < r->schemata.count ? r->schemata.items[index] : NULL;
}

static int write_schemata(const char *group, const struct spec_intel_rdt *r, struct csn_error *err)
{
	char path[PATH_MAX];
	(void)snprintf(path, sizeof path, "%s/schemata", group);
	/* A line a write: the kernel's refusal is of that line. */
	for (size_t i = 0; schema(r, i); i++) {
		auto_mem char *line = NULL;
		if (asprintf(&line, "%s\n", schema(r, i)) < 0)
			return fail(err, ENOMEM, "out of memory");
		int e = file_write_text(AT_FDCWD, path, line, NULL);
		if (e < 0)
			return fail(err, -e, "linux.intelRdt: schema \"%s\": %s", schema(r, i),
				    strerror(-e));
	}
	return 0;
}

/* The next "domain=value" of *text (after the first ':' parted by ';'). False at the end. */
static bool next_domain(const char **text, unsigned long *domain, const char **value, size_t *len)
{
	const char *p = *text + strspn(*text, ": \t;");
	char *end;
	if (!*p || *p == '\n')
		return false;
	*domain = strtoul(p, &end, 10);
	p = *end == '=' ? end + 1 : end;
	p += strspn(p, " \t0");
	*value = p;
	*len = strcspn(p, "; \t\n");
	*text = p + *len;
	return true;
}

/* Does line (of the kernel) give this domain this value? The kernel pads with zeros. */
static bool line_gives(const char *line, unsigned long domain, const char *value, size_t len)
{
	const char *v;
	unsigned long d;
	size_t n;
	for (const char *p = strchr(line, ':'); p && next_domain(&p, &d, &v, &n);)
		if (d == domain)
			return n == len && strncasecmp(v, value, n) == 0;
	return false;
}

/* The line of the same resource in the kernel's text, or NULL. */
static const char *same_resource(const char *text, const char *wanted)
{
	size_t n = strcspn(wanted, ":");
	while (*text) {
		const char *line = text + strspn(text, " \t");
		if (strncmp(line, wanted, n) == 0 && line[n] == ':')
			return line;
		text += strcspn(text, "\n");
		text += *text == '\n';
	}
	return NULL;
}

static bool schema_holds(const char *text, const char *wanted)
{
	const char *line = same_resource(text, wanted), *v, *p = strchr(wanted, ':');
	unsigned long d;
	size_t n;
	while (line && p && next_domain(&p, &d, &v, &n))
		if (!line_gives(line, d, v, n))
			return false;
	return line && p;
}

/* A group that is there is shared: it must be as asked, and is not changed. */
static int check_schemata(const struct rdt *rdt, const struct spec_intel_rdt *r,
			  struct csn_error *err)
{
	char path[PATH_MAX];
	auto_mem char *text = NULL;
	size_t size = 0;
	if (!schema(r, 0))
		return 0;
	(void)snprintf(path, sizeof path, "%s/schemata", rdt->group);
	TRY(within(err, file_read(AT_FDCWD, path, SCHEMATA_MAX, &text, &size, err),
		   "linux.intelRdt"));
	for (size_t i = 0; schema(r, i); i++)
		if (!schema_holds(text, schema(r, i)))
			return fail(err, EEXIST,
				    "linux.intelRdt: the group \"%s\" exists and differs from "
				    "\"%s\"",
				    r->clos_id ? r->clos_id : rdt->group, schema(r, i));
	return 0;
}

int rdt_change(const char *group, const struct spec_intel_rdt *r, char **ret_before,
	       struct csn_error *err)
{
	char path[PATH_MAX];
	auto_mem char *before = NULL;
	size_t size = 0;
	(void)snprintf(path, sizeof path, "%s/schemata", group);
	TRY(within(err, file_read(AT_FDCWD, path, SCHEMATA_MAX, &before, &size, err),
		   "linux.intelRdt"));
	int result = write_schemata(group, r, err);
	if (result < 0)
		rdt_restore(group, before);
	else
		*ret_before = take_ptr(before);
	return result;
}

void rdt_restore(const char *group, char *before)
{
	char path[PATH_MAX], *save = NULL;
	(void)snprintf(path, sizeof path, "%s/schemata", group);
	for (char *line = strtok_r(before, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		auto_mem char *text = NULL;
		if (asprintf(&text, "%s\n", line + strspn(line, " ")) >= 0)
			(void)file_write_text(AT_FDCWD, path, text, NULL);
	}
}

/* ---- groups ---------------------------------------------------------------------------------- */

static int make_group(const struct rdt *rdt, const struct spec_intel_rdt *r, bool *ret_made,
		      struct csn_error *err)
{
	struct stat st;
	bool exists = stat(rdt->group, &st) == 0 && S_ISDIR(st.st_mode);

	if (exists)
		return check_schemata(rdt, r, err);
	if (!rdt->own_group && !schema(r, 0))
		return fail(err, ENOENT,
			    "linux.intelRdt.closID: there is no group \"%s\", and no schema to "
			    "make it with",
			    r->clos_id);
	if (mkdirat(AT_FDCWD, rdt->group, 0755) < 0)
		return fail_errno(err, "linux.intelRdt: make the group \"%s\"", rdt->group);
	*ret_made = true;
	return write_schemata(rdt->group, r, err);
}

int rdt_make(const struct rdt *rdt, const struct spec_intel_rdt *r, bool *ret_made,
	     struct csn_error *err)
{
	bool made = false;
	int result = make_group(rdt, r, &made, err);
	if (result == 0 && rdt->monitor && mkdirat(AT_FDCWD, rdt->monitor, 0755) < 0)
		result = fail_errno(err, "linux.intelRdt.enableMonitoring: make \"%s\"",
				    rdt->monitor);
	if (result < 0 && made)
		(void)rmdir(rdt->group);
	*ret_made = made && result == 0;
	return result;
}

static int add_task(const char *dir, pid_t pid, struct csn_error *err)
{
	char path[PATH_MAX], digits[16];
	(void)snprintf(path, sizeof path, "%s/tasks", dir);
	(void)snprintf(digits, sizeof digits, "%d", (int)pid);
	return within(err, file_write_text(AT_FDCWD, path, digits, err), "linux.intelRdt");
}

int rdt_enter(const struct rdt *rdt, pid_t pid, struct csn_error *err)
{
	TRY(add_task(rdt->group, pid, err));
	return rdt->monitor ? add_task(rdt->monitor, pid, err) : 0;
}

static int remove_dir(const char *path, struct csn_error *err)
{
	return path && rmdir(path) < 0 && errno != ENOENT
		       ? fail_errno(err, "remove the resctrl group \"%s\"", path)
		       : 0;
}

int rdt_remove(const char *group, const char *monitor, struct csn_error *err)
{
	TRY(remove_dir(monitor, err));
	return remove_dir(group, err);
}

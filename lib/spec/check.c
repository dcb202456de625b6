/*
 * Rules that join several fields, or that a type cannot express: one function per object, one
 * table of functions. Each failure names the field as the decoder would.
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/names.h"
#include "spec/check.h"
#include "spec/spec.h"
#include "spec/tables.h"

int check_failed(const struct check *c, const char *fmt, ...)
{
	char text[400];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return fail(c->err, EINVAL, "%s: %s", c->name, text);
}

/* ---- top level ------------------------------------------------------------------------------- */

/* The identifiers behind '-' or '+': [0-9A-Za-z-] between dots, none of them empty. */
static bool skip_identifiers(const char **s, bool prerelease)
{
	do {
		const char *id = ++*s;
		size_t n = strspn(id, "0123456789abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ-");
		if (n == 0)
			return false;
		if (prerelease && n > 1 && id[0] == '0' && strspn(id, "0123456789") == n)
			return false;
		*s += n;
	} while (**s == '.');
	return true;
}

/* SemVer 2.0.0: three numbers without leading zeros, then -prerelease, then +build. */
static bool parse_semver(const char *s, unsigned long part[3])
{
	for (int i = 0; i < 3; i++) {
		if (!isdigit((unsigned char)*s) || (s[0] == '0' && isdigit((unsigned char)s[1])))
			return false;
		char *end;
		part[i] = strtoul(s, &end, 10);
		s = end;
		if (i < 2 && *s++ != '.')
			return false;
	}
	if (*s == '-' && !skip_identifiers(&s, true))
		return false;
	if (*s == '+' && !skip_identifiers(&s, false))
		return false;
	return *s == '\0';
}

static int check_version(const struct check *c)
{
	unsigned long v[3], max[3];
	if (!parse_semver(c->spec->oci_version, v))
		return bad(c,
			   "ociVersion: expected a version such as \"" SPEC_VERSION
			   "\", not \"%s\"",
			   c->spec->oci_version);
	(void)parse_semver(SPEC_VERSION, max);
	if (v[0] != max[0] || v[1] > max[1])
		return bad(c, "ociVersion: \"%s\" is not supported: expected %s to %lu.%lu.x",
			   c->spec->oci_version, SPEC_VERSION_MIN, max[0], max[1]);
	return 0;
}

static int check_root(const struct check *c)
{
	if (!c->spec->root.path[0])
		return bad(c, "root.path: expected a path, not an empty string");
	for (size_t i = 0; i < c->spec->annotations.count; i++)
		if (!c->spec->annotations.items[i].key[0])
			return bad(c, "annotations: expected keys that are not empty");
	return 0;
}

static int check_names(const struct check *c)
{
	if (c->spec->hostname && !has_namespace(c, NS_UTS))
		return bad(c, "hostname: needs a uts namespace in linux.namespaces");
	if (c->spec->domainname && !has_namespace(c, NS_UTS))
		return bad(c, "domainname: needs a uts namespace in linux.namespaces");
	if (c->spec->hostname && strlen(c->spec->hostname) > 64)
		return bad(c, "hostname: longer than 64 bytes");
	if (c->spec->domainname && strlen(c->spec->domainname) > 64)
		return bad(c, "domainname: longer than 64 bytes");
	return 0;
}

/* ---- process --------------------------------------------------------------------------------- */

static int check_strings(const struct check *c)
{
	const struct spec_process *p = &c->spec->process;
	if (p->args.set && p->args.count == 0)
		return bad(c, "process.args: expected at least one string");
	for (size_t i = 0; i < p->env.count; i++) {
		const char *e = p->env.items[i];
		if (e[0] == '=' || !strchr(e, '='))
			return bad(c, "process.env[%zu]: expected NAME=VALUE, not \"%s\"", i, e);
	}
	return 0;
}

static int check_rlimits(const struct check *c)
{
	const struct spec_process *p = &c->spec->process;
	for (size_t i = 0; i < p->rlimits_count; i++) {
		const struct spec_rlimit *l = &p->rlimits[i];
		if (rlimit_number(l->type) < 0)
			return bad(c,
				   "process.rlimits[%zu].type: expected a limit such as "
				   "RLIMIT_NOFILE, not \"%s\"",
				   i, l->type);
		if (l->soft > l->hard)
			return bad(c,
				   "process.rlimits[%zu].soft: expected at most the hard limit of "
				   "%s, %llu",
				   i, l->type, (unsigned long long)l->hard);
		for (size_t k = 0; k < i; k++)
			if (strcmp(p->rlimits[k].type, l->type) == 0)
				return bad(c, "process.rlimits[%zu].type: \"%s\" is there twice", i,
					   l->type);
	}
	return 0;
}

/* "A, B or C"; of many the first few. */
static void print_names(const struct named_number *table, char *buf, size_t size)
{
	enum { FEW = 8 };
	size_t at = 0;

	buf[0] = '\0';
	for (size_t i = 0; table[i].name && at < size; i++) {
		bool last = !table[i + 1].name || (i + 1 == FEW && table[i + 2].name);
		const char *between = i == 0 ? "" : last ? " or " : ", ";
		bool cut = last && table[i + 1].name;
		at += (size_t)snprintf(buf + at, size - at, "%s%s", between,
				       cut ? "another of its kind" : table[i].name);
		if (cut)
			return;
	}
}

static int check_named(const struct check *c, const char *field, const struct named_number *table,
		       const char *name)
{
	uint64_t number;
	char names[320];
	if (named_number(table, name, &number) == 0)
		return 0;
	print_names(table, names, sizeof names);
	return bad(c, "%s: expected %s, not \"%.64s\"", field, names, name);
}

static int check_named_list(const struct check *c, const char *field,
			    const struct named_number *table, const struct spec_strings *names)
{
	char path[80];
	for (size_t i = 0; i < names->count; i++) {
		(void)snprintf(path, sizeof path, "%s[%zu]", field, i);
		TRY(check_named(c, path, table, names->items[i]));
	}
	return 0;
}

static bool is_one_of(const char *s, const char *a, const char *b)
{
	return strcmp(s, a) == 0 || strcmp(s, b) == 0;
}

/* What sched_setattr(2) takes for each policy, said before it says EINVAL. */
static int check_scheduler(const struct check *c)
{
	const struct spec_scheduler *s = &c->spec->process.scheduler;
	TRY(check_named(c, "process.scheduler.policy", spec_scheduler_policies, s->policy));
	TRY(check_named_list(c, "process.scheduler.flags", spec_scheduler_flags, &s->flags));
	bool fair = is_one_of(s->policy, "SCHED_OTHER", "SCHED_BATCH");
	bool fixed = is_one_of(s->policy, "SCHED_FIFO", "SCHED_RR");
	bool deadline = strcmp(s->policy, "SCHED_DEADLINE") == 0;
	if (fair && (s->nice < -20 || s->nice > 19))
		return bad(c, "process.scheduler.nice: expected an integer from -20 to 19");
	if (s->priority && !fixed)
		return bad(c, "process.scheduler.priority: only for SCHED_FIFO and SCHED_RR");
	if (fixed && (s->priority < 1 || s->priority > 99))
		return bad(c, "process.scheduler.priority: expected an integer from 1 to 99");
	if ((s->runtime || s->deadline || s->period) && !deadline)
		return bad(c, "process.scheduler: runtime, deadline and period are only for "
			      "SCHED_DEADLINE");
	uint64_t period = s->period ? s->period : s->deadline;
	if (deadline && (!s->runtime || s->runtime > s->deadline || s->deadline > period))
		return bad(c, "process.scheduler: SCHED_DEADLINE needs 0 < runtime <= deadline <= "
			      "period");
	return 0;
}

/* "0-3,7", with spaces where people put them. */
static bool is_cpu_list(const char *s)
{
	for (;;) {
		char *end;
		s += strspn(s, " ");
		if (!isdigit((unsigned char)*s))
			return false;
		unsigned long first = strtoul(s, &end, 10), last = first;
		if (*end == '-') {
			if (!isdigit((unsigned char)end[1]))
				return false;
			last = strtoul(end + 1, &end, 10);
		}
		if (last < first || last > INT32_MAX)
			return false;
		s = end + strspn(end, " ");
		if (*s != ',')
			return *s == '\0';
		s++;
	}
}

static int check_scheduling(const struct check *c)
{
	const struct spec_process *p = &c->spec->process;
	const struct {
		const char *field, *list;
	} lists[] = {
		{ "process.execCPUAffinity.initial", p->exec_cpu_affinity.initial },
		{ "process.execCPUAffinity.final", p->exec_cpu_affinity.final },
	};

	if (p->io_priority.set)
		TRY(check_named(c, "process.ioPriority.class", spec_ioprio_classes,
				p->io_priority.class_name));
	for (size_t i = 0; i < COUNT(lists); i++)
		if (lists[i].list && !is_cpu_list(lists[i].list))
			return bad(c, "%s: expected a list such as \"0-3,7\", not \"%s\"",
				   lists[i].field, lists[i].list);
	return p->scheduler.set ? check_scheduler(c) : 0;
}

/* ---- linux ----------------------------------------------------------------------------------- */

static int check_paths(const struct check *c)
{
	const struct {
		const char *field;
		const struct spec_strings *paths;
	} lists[] = { { "linux.maskedPaths", &c->spec->linux_.masked_paths },
		      { "linux.readonlyPaths", &c->spec->linux_.readonly_paths } };
	for (size_t l = 0; l < COUNT(lists); l++) {
		for (size_t i = 0; i < lists[l].paths->count; i++)
			if (lists[l].paths->items[i][0] != '/')
				return bad(c, "%s[%zu]: expected an absolute path, not \"%s\"",
					   lists[l].field, i, lists[l].paths->items[i]);
		if (lists[l].paths->count && !has_namespace(c, NS_MOUNT))
			return bad(c, "%s: need a mount namespace in linux.namespaces",
				   lists[l].field);
	}
	return 0;
}

static int check_devices(const struct check *c)
{
	const struct spec_linux *l = &c->spec->linux_;
	for (size_t i = 0; i < l->devices_count; i++) {
		const struct spec_device *d = &l->devices[i];
		if (strlen(d->type) != 1 || !strchr("cbup", d->type[0]))
			return bad(c, "linux.devices[%zu].type: expected c, b, u or p, not \"%s\"",
				   i, d->type);
		if (d->type[0] != 'p' && (!d->major.set || !d->minor.set))
			return bad(c, "linux.devices[%zu]: major and minor are needed", i);
	}
	return 0;
}

/* "64KB": a file name of the kernel holds it. */
static bool is_page_size(const char *s)
{
	size_t digits = strspn(s, "0123456789");
	return digits > 0 && digits < 10 && s[0] != '0' && s[digits] && strchr("KMG", s[digits]) &&
	       strcmp(s + digits + 1, "B") == 0;
}

static bool has_control(const char *s, const char *allowed)
{
	for (; *s; s++)
		if (((unsigned char)*s < 0x20 || *s == 0x7f) && !strchr(allowed, *s))
			return true;
	return false;
}

/* "memory.high", "hugetlb.2MB.rsvd.max": a file of a cgroup, whichever the kernel has. */
static bool is_cgroup_file(const char *s)
{
	static const char lower[] = "abcdefghijklmnopqrstuvwxyz_";
	size_t n = strspn(s, lower), length = strlen(s);
	if (n == 0 || s[n] != '.' || length > 100 || s[length - 1] == '.')
		return false;
	for (const char *c = s + n; *c; c++)
		if (!isalnum((unsigned char)*c) && *c != '_' && (*c != '.' || c[1] == '.'))
			return false;
	return true;
}

static int check_unified(const struct check *c)
{
	enum { VALUE_MAX = 4096 };
	const struct spec_map *m = &c->spec->linux_.resources.unified;
	for (size_t i = 0; i < m->count; i++) {
		const char *key = m->items[i].key, *value = m->items[i].value;
		if (!is_cgroup_file(key))
			return bad(c,
				   "linux.resources.unified: \"%.100s\" is no file of a cgroup "
				   "(expected a name such as memory.high)",
				   key);
		if (has_control(value, "\n\t"))
			return bad(c,
				   "linux.resources.unified.%s: control characters are not allowed",
				   key);
		if (strlen(value) > VALUE_MAX)
			return bad(c, "linux.resources.unified.%s: longer than %d bytes", key,
				   VALUE_MAX);
	}
	return 0;
}

static int check_resources(const struct check *c)
{
	const struct spec_resources *r = &c->spec->linux_.resources;
	for (size_t i = 0; i < r->hugepages_count; i++)
		if (!is_page_size(r->hugepages[i].page_size))
			return bad(c,
				   "linux.resources.hugepageLimits[%zu].pageSize: expected a size "
				   "such as \"2MB\", not \"%s\"",
				   i, r->hugepages[i].page_size);
	for (size_t i = 0; i < r->devices_count; i++) {
		const struct spec_device_rule *d = &r->devices[i];
		if (d->type && (strlen(d->type) != 1 || !strchr("acb", d->type[0])))
			return bad(
				c,
				"linux.resources.devices[%zu].type: expected a, c or b, not \"%s\"",
				i, d->type);
		if (d->access && d->access[strspn(d->access, "rwm")])
			return bad(c,
				   "linux.resources.devices[%zu].access: expected letters of rwm, "
				   "not \"%s\"",
				   i, d->access);
	}
	return check_unified(c);
}

/* Whoever says ".." means some other place than he names: cleaned away, it would be one of ours. */
static int check_cgroups_path(const struct check *c)
{
	const char *path = c->spec->linux_.cgroups_path;
	bool named = false;
	if (!path)
		return 0;
	if (has_control(path, ""))
		return bad(c, "linux.cgroupsPath: control characters are not allowed");
	if (strlen(path) > PATH_MAX - 256)
		return bad(c, "linux.cgroupsPath: too long (%zu bytes)", strlen(path));
	for (const char *p = path; *p;) {
		size_t n = strcspn(p, "/");
		if (n == 2 && strncmp(p, "..", 2) == 0)
			return bad(c, "linux.cgroupsPath: \"%.200s\": \"..\" is not allowed", path);
		if (n > NAME_MAX)
			return bad(c, "linux.cgroupsPath: a part is longer than %d bytes",
				   NAME_MAX);
		named = named || (n > 0 && !(n == 1 && *p == '.'));
		p += n + (p[n] == '/');
	}
	return named ? 0 : bad(c, "linux.cgroupsPath: \"%s\" names no group", path);
}

static bool is_net_name(const char *s)
{
	size_t n = strlen(s);
	if (n == 0 || n > 15 || is_one_of(s, ".", ".."))
		return false;
	for (; *s; s++)
		if (*s == '/' || *s == ':' || isspace((unsigned char)*s))
			return false;
	return true;
}

static int check_net_devices(const struct check *c)
{
	const struct spec_linux *l = &c->spec->linux_;
	if (l->net_devices_count && !has_namespace(c, NS_NETWORK))
		return bad(c, "linux.netDevices: need a network namespace in linux.namespaces");
	for (size_t i = 0; i < l->net_devices_count; i++) {
		const struct spec_net_device *n = &l->net_devices[i];
		const char *wrong = !is_net_name(n->host_name)	       ? n->host_name
				    : n->name && !is_net_name(n->name) ? n->name
								       : NULL;
		if (wrong)
			return bad(c, "linux.netDevices: \"%s\" is no interface name", wrong);
	}
	return 0;
}

/* Which namespace makes a sysctl the container's own. A path that ends with '/' is a family. */
static const struct {
	const char *path;
	enum spec_namespace_kind kind;
} sysctl_rules[] = {
	{ "kernel/msgmax", NS_IPC },	 { "kernel/msgmnb", NS_IPC },
	{ "kernel/msgmni", NS_IPC },	 { "kernel/sem", NS_IPC },
	{ "kernel/shmall", NS_IPC },	 { "kernel/shmmax", NS_IPC },
	{ "kernel/shmmni", NS_IPC },	 { "kernel/shm_rmid_forced", NS_IPC },
	{ "fs/mqueue/", NS_IPC },	 { "net/", NS_NETWORK },
	{ "kernel/domainname", NS_UTS }, { "user/", NS_USER },
};

/*
 * The name as a path below /proc/sys. Whichever of '.' and '/' comes first parts the names, the
 * other is part of a name ("net.ipv4.conf.eth0/1.forwarding"). Parts that are empty, "." or ".."
 * would lead from an allowed family to the host's own settings.
 */
bool spec_sysctl_path(const char *asked, char path[SPEC_SYSCTL_SIZE])
{
	size_t len = strlen(asked), part = 0;
	bool swap = strcspn(asked, ".") < strcspn(asked, "/");

	if (len >= SPEC_SYSCTL_SIZE ||
	    asked[strspn(asked, "abcdefghijklmnopqrstuvwxyz0123456789_-./"
				"ABCDEFGHIJKLMNOPQRSTUVWXYZ")])
		return false;
	for (size_t i = 0; i <= len; i++) {
		path[i] = !swap		    ? asked[i]
			  : asked[i] == '.' ? '/'
			  : asked[i] == '/' ? '.'
					    : asked[i];
		if (path[i] != '/' && path[i] != '\0')
			continue;
		const char *name = path + part;
		size_t n = i - part;
		if (n == 0 || (n == 1 && name[0] == '.') || (n == 2 && memcmp(name, "..", 2) == 0))
			return false;
		part = i + 1;
	}
	return true;
}

enum spec_namespace_kind spec_sysctl_namespace(const char *path)
{
	for (size_t r = 0; r < COUNT(sysctl_rules); r++) {
		const char *rule = sysctl_rules[r].path;
		size_t n = strlen(rule);
		if (rule[n - 1] == '/' ? strncmp(path, rule, n) == 0 : strcmp(path, rule) == 0)
			return sysctl_rules[r].kind;
	}
	return NS_KINDS;
}

static int check_sysctl(const struct check *c)
{
	for (size_t i = 0; i < c->spec->linux_.sysctl.count; i++) {
		const struct spec_pair *pair = &c->spec->linux_.sysctl.items[i];
		char path[SPEC_SYSCTL_SIZE];
		if (!spec_sysctl_path(pair->key, path))
			return bad(c, "linux.sysctl: \"%s\" is no sysctl name", pair->key);
		enum spec_namespace_kind kind = spec_sysctl_namespace(path);
		if (kind == NS_KINDS)
			return bad(c, "linux.sysctl: \"%s\" is not a namespaced sysctl", pair->key);
		if (!has_namespace(c, kind))
			return bad(c, "linux.sysctl: \"%s\" needs a %s namespace", pair->key,
				   spec_namespace_name(kind));
		if (strcmp(path, "kernel/domainname") == 0 && c->spec->domainname &&
		    strcmp(pair->value, c->spec->domainname) != 0)
			return bad(c, "linux.sysctl: kernel.domainname contradicts domainname");
	}
	return 0;
}

static int check_action(const struct check *c, const char *field, const char *action,
			const struct opt_u32 *errno_ret)
{
	TRY(check_named(c, field, spec_seccomp_actions, action));
	if (errno_ret->set && !is_one_of(action, "SCMP_ACT_ERRNO", "SCMP_ACT_TRACE"))
		return bad(c, "%s: an errno goes only with SCMP_ACT_ERRNO and SCMP_ACT_TRACE",
			   field);
	/* The kernel keeps 16 bits and cuts errnos to 4095 without a word. */
	uint32_t max = strcmp(action, "SCMP_ACT_TRACE") == 0 ? UINT16_MAX : 4095;
	if (errno_ret->set && errno_ret->value > max)
		return bad(c, "%s: expected an errno from 0 to %u, not %u", field, max,
			   errno_ret->value);
	return 0;
}

static int check_seccomp(const struct check *c)
{
	const struct spec_seccomp *s = &c->spec->linux_.seccomp;
	char field[96];
	if (!s->set)
		return 0;
	TRY(check_action(c, "linux.seccomp.defaultAction", s->default_action,
			 &s->default_errno_ret));
	TRY(check_named_list(c, "linux.seccomp.architectures", spec_seccomp_archs,
			     &s->architectures));
	TRY(check_named_list(c, "linux.seccomp.flags", spec_seccomp_flags, &s->flags));
	if (strcmp(s->default_action, "SCMP_ACT_NOTIFY") == 0)
		return bad(c, "linux.seccomp.defaultAction: SCMP_ACT_NOTIFY would stop every call");
	if (s->listener_metadata && !s->listener_path)
		return bad(c, "linux.seccomp.listenerMetadata: needs a listenerPath");
	for (size_t i = 0; i < s->rules_count; i++) {
		const struct spec_seccomp_rule *r = &s->rules[i];
		(void)snprintf(field, sizeof field, "linux.seccomp.syscalls[%zu].action", i);
		TRY(check_action(c, field, r->action, &r->errno_ret));
		if (r->names.count == 0)
			return bad(c,
				   "linux.seccomp.syscalls[%zu].names: expected at least one name",
				   i);
		for (size_t a = 0; a < r->args_count; a++) {
			(void)snprintf(field, sizeof field,
				       "linux.seccomp.syscalls[%zu].args[%zu].op", i, a);
			TRY(check_named(c, field, spec_seccomp_ops, r->args[a].op));
		}
	}
	return 0;
}

static int check_memory_policy(const struct check *c)
{
	const struct spec_memory_policy *m = &c->spec->linux_.memory_policy;
	if (!m->set)
		return 0;
	TRY(check_named(c, "linux.memoryPolicy.mode", spec_mempolicy_modes, m->mode));
	TRY(check_named_list(c, "linux.memoryPolicy.flags", spec_mempolicy_flags, &m->flags));
	bool none = is_one_of(m->mode, "MPOL_DEFAULT", "MPOL_LOCAL");
	if (none && m->nodes)
		return bad(c, "linux.memoryPolicy.nodes: %s takes no nodes", m->mode);
	if (!none && !m->nodes && strcmp(m->mode, "MPOL_PREFERRED") != 0)
		return bad(c, "linux.memoryPolicy.nodes: %s needs nodes", m->mode);
	return 0;
}

/* Lines of the schemata file: one each. */
static int check_rdt(const struct check *c)
{
	const struct spec_intel_rdt *r = &c->spec->linux_.intel_rdt;
	const char *clos = r->clos_id, *mb = r->mem_bw_schema;
	if (clos && (is_one_of(clos, ".", "..") || (strcmp(clos, "/") != 0 && strchr(clos, '/'))))
		return bad(c, "linux.intelRdt.closID: \"%s\" is no group name", clos);
	if (r->l3_cache_schema && strchr(r->l3_cache_schema, '\n'))
		return bad(c, "linux.intelRdt.l3CacheSchema: expected one line");
	if (mb && (strncmp(mb, "MB:", 3) != 0 || strchr(mb, '\n')))
		return bad(c, "linux.intelRdt.memBwSchema: expected one line that starts with MB:");
	for (size_t i = 0; i < r->schemata.count; i++)
		if (strchr(r->schemata.items[i], '\n'))
			return bad(c, "linux.intelRdt.schemata[%zu]: expected one line", i);
	return 0;
}

static int check_rest(const struct check *c)
{
	const struct spec_linux *l = &c->spec->linux_;
	if (l->rootfs_propagation)
		TRY(check_named(c, "linux.rootfsPropagation", spec_propagations,
				l->rootfs_propagation));
	if (l->personality.set) {
		TRY(check_named(c, "linux.personality.domain", spec_personalities,
				l->personality.domain));
		if (l->personality.flags.count)
			return bad(c, "linux.personality.flags: none are defined");
	}
	return check_rdt(c);
}

static int run_checks(check_fn *const *checks, size_t count, const struct spec *s, const char *name,
		      struct csn_error *err)
{
	const struct check c = { s, name, err };
	for (size_t i = 0; i < count; i++)
		TRY(checks[i](&c));
	return 0;
}

static check_fn *const process_checks[] = { check_strings, check_rlimits, check_scheduling };
static check_fn *const resources_checks[] = { check_resources };
static check_fn *const document_checks[] = {
	check_version, check_root,    check_names,	   check_mounts,      check_userns,
	check_time,    check_paths,   check_devices,	   check_net_devices, check_resources,
	check_sysctl,  check_seccomp, check_memory_policy, check_rest,	      check_cgroups_path,
};

int spec_check_process(const struct spec *s, const char *name, struct csn_error *err)
{
	return run_checks(process_checks, COUNT(process_checks), s, name, err);
}

int spec_check_resources(const struct spec *s, const char *name, struct csn_error *err)
{
	return run_checks(resources_checks, COUNT(resources_checks), s, name, err);
}

int spec_check_mounts(const struct spec *s, const char *name, struct csn_error *err)
{
	static check_fn *const checks[] = { check_each_mount };
	return run_checks(checks, COUNT(checks), s, name, err);
}

int spec_check(const struct spec *s, const char *name, struct csn_error *err)
{
	if (s->process.set)
		TRY(spec_check_process(s, name, err));
	return run_checks(document_checks, COUNT(document_checks), s, name, err);
}

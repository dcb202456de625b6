/*
 * Writing the OCI config of an engine container. Hardened by default: every namespace of its own
 * (but for the host's network when asked), eleven capabilities, no new privileges, the default
 * seccomp profile, no devices but the usual ones, /sys and cgroups read-only, kernel files masked,
 * volumes without devices and set-user-id programs.
 */
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "service/seccomp_default.h"
#include "service/service.h"

static const char *const masked_paths[] = {
	"/proc/acpi",	       "/proc/asound",	       "/proc/interrupts",
	"/proc/kallsyms",      "/proc/kcore",	       "/proc/keys",
	"/proc/kpagecgroup",   "/proc/kpagecount",     "/proc/kpageflags",
	"/proc/latency_stats", "/proc/sched_debug",    "/proc/scsi",
	"/proc/timer_list",    "/proc/timer_stats",    "/sys/devices/virtual/powercap",
	"/sys/firmware",       "/sys/fs/bpf",	       "/sys/fs/selinux",
	"/sys/kernel/debug",   "/sys/kernel/security", "/sys/kernel/tracing",
};

/* On the container's own /dev, so that no image has to have a place for it. */
#define INIT_TARGET "/dev/init"

static const char *const readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger",
};

/* In this order: /dev before what lies below it. Options are separated by spaces. */
static const struct {
	const char *target, *type, *source, *options;
} system_mounts[] = {
	{ "/proc", "proc", "proc", "nosuid noexec nodev" },
	{ "/dev", "tmpfs", "tmpfs", "nosuid strictatime mode=755 size=65536k" },
	{ "/dev/pts", "devpts", "devpts",
	  "nosuid noexec newinstance ptmxmode=0666 mode=0620 gid=5" },
	{ "/dev/shm", "tmpfs", "shm", "nosuid noexec nodev mode=1777 size=65536k" },
	{ "/dev/mqueue", "mqueue", "mqueue", "nosuid noexec nodev" },
	{ "/sys", "sysfs", "sysfs", "nosuid noexec nodev ro" },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", "nosuid noexec nodev relatime ro" },
};

/* A new one of each, but for those that are the host's. */
static const char *const namespaces[] = { "pid", "mount", "ipc", "uts", "cgroup", "network" };

static bool is_shared(const struct service *s, const char *namespace)
{
	const struct {
		const char *namespace;
		bool shared;
	} rows[] = {
		{ "network", strcmp(s->network, "host") == 0 },
		{ "pid", s->security.options->host_pid },
		{ "ipc", s->security.options->host_ipc },
		{ "uts", s->security.options->host_uts },
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		if (rows[i].shared && strcmp(rows[i].namespace, namespace) == 0)
			return true;
	return false;
}

static void put_strings(struct json_out *o, const char *key, const char *const *items, size_t count)
{
	json_open_array(o, key);
	for (size_t i = 0; i < count; i++)
		json_put_string(o, NULL, items[i]);
	json_close_array(o);
}

static void put_words(struct json_out *o, const char *key, const char *words)
{
	json_open_array(o, key);
	while (*words) {
		size_t n = strcspn(words, " ");
		json_put_bytes(o, NULL, words, n);
		words += n + (words[n] == ' ');
	}
	json_close_array(o);
}

static void put_mount(struct json_out *o, const char *target, const char *type, const char *source,
		      const char *options)
{
	json_open_object(o, NULL);
	json_put_string(o, "destination", target);
	json_put_string(o, "type", type);
	json_put_string(o, "source", source);
	put_words(o, "options", options);
	json_close_object(o);
}

static void put_process(struct json_out *o, const char *key, const struct service *s,
			bool with_init)
{
	json_open_object(o, key);
	json_put_bool(o, "terminal", s->options->tty);
	json_open_object(o, "user");
	json_put_u64(o, "uid", s->user.uid);
	json_put_u64(o, "gid", s->user.gid);
	json_put_u64(o, "umask", 022);
	json_open_array(o, "additionalGids");
	for (size_t i = 0; i < s->user.groups_count; i++)
		json_put_u64(o, NULL, s->user.groups[i]);
	json_close_array(o);
	json_close_object(o);
	json_open_array(o, "args");
	if (with_init) {
		json_put_string(o, NULL, INIT_TARGET);
		json_put_string(o, NULL, "--");
	}
	for (size_t i = 0; i < s->args_count; i++)
		json_put_string(o, NULL, s->args[i]);
	json_close_array(o);
	put_strings(o, "env", (const char *const *)s->env, s->env_count);
	json_put_string(o, "cwd", s->cwd);
	service_put_capabilities(o, s->security.capabilities);
	json_open_array(o, "rlimits");
	for (size_t i = 0; i < s->rlimits_count; i++) {
		json_open_object(o, NULL);
		json_put_string(o, "type", s->rlimits[i].type);
		json_put_u64(o, "soft", s->rlimits[i].soft);
		json_put_u64(o, "hard", s->rlimits[i].hard);
		json_close_object(o);
	}
	json_close_array(o);
	if (s->oom_score_adj.set)
		json_put_i64(o, "oomScoreAdj", s->oom_score_adj.value);
	json_put_bool(o, "noNewPrivileges", s->security.no_new_privileges);
	if (s->security.apparmor)
		json_put_string(o, "apparmorProfile", s->security.apparmor);
	if (s->security.selinux_label)
		json_put_string(o, "selinuxLabel", s->security.selinux_label);
	json_close_object(o);
}

/* Is there one of the user's? It takes the place of ours. */
static bool is_mounted(const struct service *s, const char *target)
{
	for (size_t i = 0; i < s->mounts_count; i++)
		if (strcmp(s->mounts[i].target, target) == 0)
			return true;
	return false;
}

/* Of a privileged container none is read-only. */
static void put_system_mount(struct json_out *o, size_t i, const struct service *s)
{
	const bool shm = strcmp(system_mounts[i].target, "/dev/shm") == 0;
	char options[100];
	size_t size = strlen(system_mounts[i].options);
	(void)snprintf(options, sizeof options, "%s", system_mounts[i].options);
	if (s->security.options->privileged && size > 3 && strcmp(options + size - 3, " ro") == 0)
		options[size - 3] = '\0';
	if (shm && s->options->shm_bytes)
		(void)snprintf(options, sizeof options, "nosuid noexec nodev mode=1777 size=%lld",
			       (long long)s->options->shm_bytes);
	if (shm && is_mounted(s, system_mounts[i].target))
		return;
	put_mount(o, system_mounts[i].target, system_mounts[i].type, system_mounts[i].source,
		  options);
}

static void put_mounts(struct json_out *o, const struct service *s,
		       const struct service_files *files)
{
	const struct {
		const char *target, *source;
	} bound[] = {
		{ "/etc/hosts", files->hosts },
		{ "/etc/hostname", files->hostname },
		{ "/etc/resolv.conf", files->resolv_conf },
	};

	json_open_array(o, "mounts");
	for (size_t i = 0; i < COUNT(system_mounts); i++)
		put_system_mount(o, i, s);
	for (size_t i = 0; i < COUNT(bound); i++)
		if (bound[i].source && !is_mounted(s, bound[i].target))
			put_mount(o, bound[i].target, "bind", bound[i].source,
				  "bind rprivate nosuid nodev noexec");
	if (files->init)
		put_mount(o, INIT_TARGET, "bind", files->init, "bind rprivate nosuid nodev ro");
	for (size_t i = 0; i < s->mounts_count; i++)
		put_mount(o, s->mounts[i].target, s->mounts[i].type, s->mounts[i].source,
			  s->mounts[i].options);
	json_close_array(o);
}

static void put_devices(struct json_out *o, const struct service *s)
{
	json_open_array(o, "devices");
	for (size_t i = 0; i < s->devices_count; i++) {
		const struct spec_device *d = &s->devices[i];
		json_open_object(o, NULL);
		json_put_string(o, "type", d->type);
		json_put_string(o, "path", d->path);
		json_put_i64(o, "major", d->major.value);
		json_put_i64(o, "minor", d->minor.value);
		json_put_u64(o, "fileMode", d->file_mode.value);
		json_put_u64(o, "uid", d->uid.value);
		json_put_u64(o, "gid", d->gid.value);
		json_close_object(o);
	}
	json_close_array(o);
}

static void put_linux(struct json_out *o, const struct service *s)
{
	json_open_object(o, "linux");
	json_put_string(o, "cgroupsPath", s->cgroup);
	if (service_spread(s))
		json_put_string(o, "rootfsPropagation", service_spread(s));
	json_open_array(o, "namespaces");
	for (size_t i = 0; i < COUNT(namespaces); i++) {
		if (is_shared(s, namespaces[i]))
			continue;
		json_open_object(o, NULL);
		json_put_string(o, "type", namespaces[i]);
		json_close_object(o);
	}
	json_close_array(o);
	if (s->devices_count)
		put_devices(o, s);
	service_put_resources(o, "resources", &s->resources);
	service_put_sysctls(o, s->security.options->sysctls);
	if (!s->security.options->privileged) {
		put_strings(o, "maskedPaths", masked_paths, COUNT(masked_paths));
		put_strings(o, "readonlyPaths", readonly_paths, COUNT(readonly_paths));
	}
	if (!s->security.unconfined)
		seccomp_default_put(o, "seccomp");
	json_close_object(o);
}

int service_to_oci(const struct service *s, const struct service_files *files, char **ret,
		   struct csn_error *err)
{
	struct json_out o = JSON_OUT_COMPACT;

	json_open_object(&o, NULL);
	json_put_string(&o, "ociVersion", "1.2.0");
	json_open_object(&o, "root");
	json_put_string(&o, "path", "rootfs");
	json_put_bool(&o, "readonly", s->options->readonly_root);
	json_close_object(&o);
	if (!is_shared(s, "uts"))
		json_put_string(&o, "hostname", s->hostname);
	put_process(&o, "process", s, files->init);
	put_mounts(&o, s, files);
	put_linux(&o, s);
	json_open_object(&o, "annotations");
	for (size_t i = 0; i < s->labels.count; i++)
		json_put_string(&o, s->labels.items[i].key, s->labels.items[i].value);
	json_close_object(&o);
	json_close_object(&o);
	return json_out_take(&o, ret, err);
}

int service_to_process(const struct service *s, char **ret, struct csn_error *err)
{
	struct json_out o = JSON_OUT_COMPACT;

	put_process(&o, NULL, s, false);
	return json_out_take(&o, ret, err);
}

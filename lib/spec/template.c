/*
 * The config that `caisson spec` writes: a shell in a container of its own namespaces, hardened as
 * far as a generic config can be. The lists of paths are also what libcaisson uses.
 */
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/json.h"
#include "spec/defaults.h"
#include "spec/spec.h"

const char *const spec_masked_paths[] = {
	"/proc/acpi",		"/proc/asound",
	"/proc/interrupts",	"/proc/kallsyms",
	"/proc/kcore",		"/proc/keys",
	"/proc/kpagecount",	"/proc/kpageflags",
	"/proc/kpagecgroup",	"/proc/latency_stats",
	"/proc/sched_debug",	"/proc/scsi",
	"/proc/timer_list",	"/proc/timer_stats",
	"/sys/firmware",	"/sys/devices/virtual/powercap",
	"/sys/fs/selinux",	"/sys/fs/bpf",
	"/sys/kernel/debug",	"/sys/kernel/tracing",
	"/sys/kernel/security", NULL,
};

const char *const spec_readonly_paths[] = {
	"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", NULL,
};

static const struct default_mount {
	const char *destination, *type, *source, *options[8];
} mounts[] = {
	{ "/proc", "proc", "proc", { NULL } },
	{ "/dev", "tmpfs", "tmpfs", { "nosuid", "strictatime", "mode=755", "size=65536k" } },
	{ "/dev/pts",
	  "devpts",
	  "devpts",
	  { "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5" } },
	{ "/dev/shm", "tmpfs", "shm", { "nosuid", "noexec", "nodev", "mode=1777", "size=65536k" } },
	{ "/dev/mqueue", "mqueue", "mqueue", { "nosuid", "noexec", "nodev" } },
	{ "/sys", "sysfs", "sysfs", { "nosuid", "noexec", "nodev", "ro" } },
	{ "/sys/fs/cgroup", "cgroup", "cgroup", { "nosuid", "noexec", "nodev", "relatime", "ro" } },
};

static const char *const capabilities[] = { "CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE",
					    NULL };

static void put_strings(struct json_out *o, const char *key, const char *const *strings)
{
	json_open_array(o, key);
	for (; *strings; strings++)
		json_put_string(o, NULL, *strings);
	json_close_array(o);
}

static void put_process(struct json_out *o)
{
	static const char *const env[] = {
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm",
		NULL
	};
	static const char *const args[] = { "sh", NULL };

	json_open_object(o, "process");
	json_put_bool(o, "terminal", true);
	json_open_object(o, "user");
	json_put_i64(o, "uid", 0);
	json_put_i64(o, "gid", 0);
	json_close_object(o);
	put_strings(o, "args", args);
	put_strings(o, "env", env);
	json_put_string(o, "cwd", "/");
	json_open_object(o, "capabilities");
	put_strings(o, "bounding", capabilities);
	put_strings(o, "effective", capabilities);
	put_strings(o, "permitted", capabilities);
	json_close_object(o);
	json_open_array(o, "rlimits");
	json_open_object(o, NULL);
	json_put_string(o, "type", "RLIMIT_NOFILE");
	json_put_i64(o, "hard", 1024);
	json_put_i64(o, "soft", 1024);
	json_close_object(o);
	json_close_array(o);
	json_put_bool(o, "noNewPrivileges", true);
	json_close_object(o);
}

static void put_mount(struct json_out *o, const struct default_mount *m, bool rootless)
{
	json_open_object(o, NULL);
	json_put_string(o, "destination", m->destination);
	json_put_string(o, "type", m->type);
	json_put_string(o, "source", m->source);
	if (m->options[0]) {
		json_open_array(o, "options");
		for (const char *const *option = m->options; *option; option++)
			/* With one id mapped there is no group 5. */
			if (!rootless || strncmp(*option, "gid=", 4) != 0)
				json_put_string(o, NULL, *option);
		json_close_array(o);
	}
	json_close_object(o);
}

void spec_put_default_mounts(struct json_out *o)
{
	for (size_t i = 0; i < COUNT(mounts); i++)
		put_mount(o, &mounts[i], false);
}

/* sysfs belongs to the network namespace, which stays the caller's here: bind what there is. */
static void put_rootless_mounts(struct json_out *o)
{
	static const struct default_mount sys = {
		"/sys", "none", "/sys", { "rbind", "nosuid", "noexec", "nodev", "ro" }
	};
	for (size_t i = 0; i < COUNT(mounts); i++)
		if (strncmp(mounts[i].destination, "/sys", 4) != 0)
			put_mount(o, &mounts[i], true);
	put_mount(o, &sys, true);
}

static void put_namespaces(struct json_out *o, bool rootless)
{
	static const enum spec_namespace_kind kinds[] = { NS_PID, NS_NETWORK, NS_IPC,
							  NS_UTS, NS_MOUNT,   NS_CGROUP };
	json_open_array(o, "namespaces");
	for (size_t i = 0; i < COUNT(kinds); i++) {
		/* Without root nobody could give a new network namespace any network. */
		bool user = rootless && kinds[i] == NS_NETWORK;
		json_open_object(o, NULL);
		json_put_string(o, "type", spec_namespace_name(user ? NS_USER : kinds[i]));
		json_close_object(o);
	}
	json_close_array(o);
}

/* One id, root's inside, onto the caller's own. */
static void put_idmap(struct json_out *o, const char *key, uint32_t host_id)
{
	json_open_array(o, key);
	json_open_object(o, NULL);
	json_put_i64(o, "containerID", 0);
	json_put_i64(o, "hostID", host_id);
	json_put_i64(o, "size", 1);
	json_close_object(o);
	json_close_array(o);
}

static void put_linux(struct json_out *o, bool rootless)
{
	json_open_object(o, "linux");
	if (rootless) {
		put_idmap(o, "uidMappings", geteuid());
		put_idmap(o, "gidMappings", getegid());
	} else {
		json_open_object(o, "resources");
		json_open_array(o, "devices");
		json_open_object(o, NULL);
		json_put_bool(o, "allow", false);
		json_put_string(o, "access", "rwm");
		json_close_object(o);
		json_close_array(o);
		json_close_object(o);
	}
	put_namespaces(o, rootless);
	put_strings(o, "maskedPaths", spec_masked_paths);
	put_strings(o, "readonlyPaths", spec_readonly_paths);
	json_close_object(o);
}

int spec_template(bool rootless, char **ret_text, struct csn_error *err)
{
	struct json_out o = JSON_OUT_INDENT("\t");

	json_open_object(&o, NULL);
	json_put_string(&o, "ociVersion", SPEC_VERSION);
	put_process(&o);
	json_open_object(&o, "root");
	json_put_string(&o, "path", "rootfs");
	json_put_bool(&o, "readonly", true);
	json_close_object(&o);
	json_put_string(&o, "hostname", "caisson");
	json_open_array(&o, "mounts");
	if (rootless)
		put_rootless_mounts(&o);
	else
		spec_put_default_mounts(&o);
	json_close_array(&o);
	put_linux(&o, rootless);
	json_close_object(&o);
	return json_out_take(&o, ret_text, err);
}

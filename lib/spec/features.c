/*
 * The features document (features.md, features-linux.md): what this build knows, written from the
 * tables that decode, so that it cannot promise what is not read.
 */
#include "base/cleanup.h"
#include "base/json.h"
#include "base/names.h"
#include "config.h"
#include "spec/spec.h"
#include "spec/tables.h"

static void put_names(struct json_out *o, const char *key, const struct named_number *table)
{
	json_open_array(o, key);
	for (; table->name; table++)
		json_put_string(o, NULL, table->name);
	json_close_array(o);
}

static void put_enabled(struct json_out *o, const char *key, bool enabled)
{
	json_open_object(o, key);
	json_put_bool(o, "enabled", enabled);
	json_close_object(o);
}

static void put_namespaces_and_capabilities(struct json_out *o)
{
	/* In alphabetical order, as clients print it. */
	static const enum spec_namespace_kind kinds[] = { NS_CGROUP, NS_IPC,  NS_MOUNT, NS_NETWORK,
							  NS_PID,    NS_TIME, NS_USER,	NS_UTS };
	json_open_array(o, "namespaces");
	for (size_t i = 0; i < COUNT(kinds); i++)
		json_put_string(o, NULL, spec_namespace_name(kinds[i]));
	json_close_array(o);
	json_open_array(o, "capabilities");
	for (int cap = 0; cap <= capability_last(); cap++)
		json_put_string(o, NULL, capability_name(cap));
	json_close_array(o);
}

static void put_cgroup(struct json_out *o)
{
	json_open_object(o, "cgroup");
	json_put_bool(o, "v1", false);
	json_put_bool(o, "v2", true);
	json_put_bool(o, "systemd", true);
	json_put_bool(o, "systemdUser", false);
	json_put_bool(o, "rdma", true);
	json_close_object(o);
}

static void put_seccomp(struct json_out *o)
{
	json_open_object(o, "seccomp");
	json_put_bool(o, "enabled", true);
	put_names(o, "actions", spec_seccomp_actions);
	put_names(o, "operators", spec_seccomp_ops);
	put_names(o, "archs", spec_seccomp_archs);
	put_names(o, "knownFlags", spec_seccomp_flags);
	put_names(o, "supportedFlags", spec_seccomp_flags);
	json_close_object(o);
}

static void put_linux(struct json_out *o)
{
	json_open_object(o, "linux");
	put_namespaces_and_capabilities(o);
	put_cgroup(o);
	put_seccomp(o);
	put_enabled(o, "apparmor", true);
	put_enabled(o, "selinux", true);
	json_open_object(o, "intelRdt");
	json_put_bool(o, "enabled", true);
	json_put_bool(o, "schemata", true);
	json_put_bool(o, "monitoring", true);
	json_close_object(o);
	json_open_object(o, "memoryPolicy");
	put_names(o, "modes", spec_mempolicy_modes);
	put_names(o, "flags", spec_mempolicy_flags);
	json_close_object(o);
	json_open_object(o, "mountExtensions");
	put_enabled(o, "idmap", true);
	json_close_object(o);
	put_enabled(o, "netDevices", true);
	json_close_object(o);
}

int spec_features(char **ret_text, struct csn_error *err)
{
	struct json_out o = JSON_OUT_INDENT("    ");

	json_open_object(&o, NULL);
	json_put_string(&o, "ociVersionMin", SPEC_VERSION_MIN);
	json_put_string(&o, "ociVersionMax", SPEC_VERSION);
	json_open_array(&o, "hooks");
	for (int kind = 0; kind < HOOK_KINDS; kind++)
		json_put_string(&o, NULL, spec_hook_name((enum spec_hook_kind)kind));
	json_close_array(&o);
	json_open_array(&o, "mountOptions");
	for (const struct mount_option *m = spec_mount_options; m->name; m++)
		json_put_string(&o, NULL, m->name);
	json_close_array(&o);
	put_linux(&o);
	json_open_object(&o, "annotations");
	json_put_string(&o, "org.caisson.version", PACKAGE_VERSION);
	json_put_string(&o, "org.caisson.commit", CSN_COMMIT);
	json_put_string(&o, "org.opencontainers.runc.checkpoint.enabled", "true");
	json_close_object(&o);
	/* What a caller must not take over from an untrusted image unseen; a final dot: a prefix.
	 */
	json_open_array(&o, "potentiallyUnsafeConfigAnnotations");
	json_put_string(&o, NULL, "org.criu.config");
	json_put_string(&o, NULL, "org.systemd.property.");
	json_close_array(&o);
	json_close_object(&o);
	return json_out_take(&o, ret_text, err);
}

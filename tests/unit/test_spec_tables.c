/*
 * What the tables promise: the template and the features document are sound, and whatever the
 * features list is accepted in a config. Mount options do what their names say.
 */
#include <check.h>
#include <jansson.h>
#include <linux/audit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/sys.h"
#include "spec/spec.h"
#include "spec/tables.h"

static struct csn_error err;

static void free_spec(struct spec **s)
{
	spec_free(*s);
}
#define AUTO_SPEC struct spec *AUTO(free_spec)

static void put_json(json_t **j)
{
	json_decref(*j);
}
#define AUTO_JSON json_t *AUTO(put_json)

static json_t *features(void)
{
	auto_mem char *text = NULL;
	json_error_t why;
	ck_assert_int_eq(spec_features(&text, &err), 0);
	json_t *j = json_loads(text, JSON_REJECT_DUPLICATES, &why);
	ck_assert_msg(j != NULL, "%s", why.text);
	return j;
}

/* ---- the template ---------------------------------------------------------------------------- */

static bool has(const struct spec_strings *list, const char *what)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], what) == 0)
			return true;
	return false;
}

static const struct spec_mount *mount_at(const struct spec *s, const char *destination)
{
	for (size_t i = 0; i < s->mounts_count; i++)
		if (strcmp(s->mounts[i].destination, destination) == 0)
			return &s->mounts[i];
	return NULL;
}

static void load_template(bool rootless, struct spec **ret)
{
	auto_mem char *text = NULL;
	ck_assert_int_eq(spec_template(rootless, &text, &err), 0);
	ck_assert_ptr_nonnull(strstr(text, "\n\t\"ociVersion\": \"" SPEC_VERSION "\""));
	int r = spec_parse(text, strlen(text), "template", ret, &err);
	ck_assert_msg(r == 0, "%s", err.text);
	ck_assert((*ret)->process.terminal && (*ret)->root.readonly);
	ck_assert((*ret)->process.no_new_privileges);
	ck_assert_str_eq((*ret)->process.args.items[0], "sh");
	ck_assert_str_eq((*ret)->root.path, "rootfs");
	ck_assert_ptr_nonnull(mount_at(*ret, "/proc"));
	ck_assert_ptr_nonnull(mount_at(*ret, "/dev/pts"));
}

START_TEST(the_template)
{
	static const char *const masked[] = { "/proc/acpi",	   "/proc/asound",
					      "/proc/interrupts",  "/proc/kallsyms",
					      "/proc/kcore",	   "/proc/keys",
					      "/proc/sched_debug", "/proc/scsi",
					      "/proc/timer_list",  "/sys/devices/virtual/powercap",
					      "/sys/firmware",	   "/sys/kernel/security",
					      "/sys/fs/bpf" };
	static const char *const readonly[] = { "/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
						"/proc/sysrq-trigger" };
	AUTO_SPEC s = NULL;
	load_template(false, &s);
	const struct spec_linux *l = &s->linux_;
	for (int kind = 0; kind < NS_KINDS; kind++)
		ck_assert(l->namespaces[kind].present == (kind != NS_USER && kind != NS_TIME) &&
			  !l->namespaces[kind].path);
	for (size_t i = 0; i < COUNT(masked); i++)
		ck_assert_msg(has(&l->masked_paths, masked[i]), "%s", masked[i]);
	for (size_t i = 0; i < COUNT(readonly); i++)
		ck_assert_msg(has(&l->readonly_paths, readonly[i]), "%s", readonly[i]);
	ck_assert(has(&mount_at(s, "/sys")->options, "ro"));
	ck_assert(has(&mount_at(s, "/sys/fs/cgroup")->options, "ro"));
	ck_assert(has(&mount_at(s, "/dev/pts")->options, "gid=5"));
	ck_assert(l->resources.set && l->resources.devices_count == 1 &&
		  !l->resources.devices[0].allow);
}
END_TEST

START_TEST(the_template_without_root)
{
	AUTO_SPEC s = NULL;
	load_template(true, &s);
	const struct spec_linux *l = &s->linux_;
	ck_assert(l->namespaces[NS_USER].present && !l->namespaces[NS_NETWORK].present);
	ck_assert_uint_eq(l->uid_mappings.items[0].host_id, geteuid());
	ck_assert_uint_eq(l->gid_mappings.items[0].host_id, getegid());
	ck_assert_uint_eq(l->uid_mappings.items[0].size, 1);
	ck_assert(!l->resources.set);
	ck_assert_str_eq(mount_at(s, "/sys")->source, "/sys");
	ck_assert(has(&mount_at(s, "/sys")->options, "rbind"));
	ck_assert_ptr_null(mount_at(s, "/sys/fs/cgroup"));
	for (size_t i = 0; i < s->mounts_count; i++)
		ck_assert(!has(&s->mounts[i].options, "gid=5"));
}
END_TEST

/* ---- features -------------------------------------------------------------------------------- */

/* config holds one %s for the name. */
static void accepted_name(const char *name, const char *config)
{
	AUTO_SPEC s = NULL;
	const char *hole = strstr(config, "%s");
	char text[1024];
	(void)snprintf(text, sizeof text,
		       "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},%.*s%s%s}",
		       (int)(hole - config), config, name, hole + 2);
	int r = spec_parse(text, strlen(text), "config.json", &s, &err);
	ck_assert_msg(r == 0, "%s: %s", text, err.text);
}

static void accepted(const json_t *names, const char *config)
{
	ck_assert_msg(json_is_array(names) && json_array_size(names) > 0, "%s", config);
	for (size_t i = 0; i < json_array_size(names); i++)
		accepted_name(json_string_value(json_array_get(names, i)), config);
}

static void accepted_modes(const json_t *modes)
{
	ck_assert_uint_eq(json_array_size(modes), 7);
	for (size_t i = 0; i < json_array_size(modes); i++) {
		const char *mode = json_string_value(json_array_get(modes, i));
		bool none = strcmp(mode, "MPOL_DEFAULT") == 0 || strcmp(mode, "MPOL_LOCAL") == 0;
		accepted_name(mode, none ? "\"linux\":{\"memoryPolicy\":{\"mode\":\"%s\"}}"
					 : "\"linux\":{\"memoryPolicy\":{\"mode\":\"%s\","
					   "\"nodes\":\"0\"}}");
	}
}

START_TEST(what_features_list_is_accepted)
{
	AUTO_JSON f = features();
	const json_t *l = json_object_get(f, "linux"), *s = json_object_get(l, "seccomp");
	const json_t *m = json_object_get(l, "memoryPolicy");
	static const struct {
		const char *key, *config;
	} seccomp[] = {
		{ "actions", "\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\","
			     "\"listenerPath\":\"/l\",\"syscalls\":[{\"names\":[\"read\"],"
			     "\"action\":\"%s\"}]}}" },
		{ "operators", "\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\","
			       "\"syscalls\":[{\"names\":[\"read\"],\"action\":\"SCMP_ACT_LOG\","
			       "\"args\":[{\"index\":0,\"value\":1,\"op\":\"%s\"}]}]}}" },
		{ "archs", "\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\","
			   "\"architectures\":[\"%s\"]}}" },
		{ "knownFlags", "\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\","
				"\"flags\":[\"%s\"]}}" },
		{ "supportedFlags", "\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\","
				    "\"flags\":[\"%s\"]}}" },
	};
	for (size_t i = 0; i < COUNT(seccomp); i++)
		accepted(json_object_get(s, seccomp[i].key), seccomp[i].config);
	accepted(json_object_get(f, "hooks"), "\"hooks\":{\"%s\":[{\"path\":\"/x\"}]}");
	accepted(json_object_get(f, "mountOptions"),
		 "\"mounts\":[{\"destination\":\"/x\",\"options\":[\"%s\"]}],"
		 "\"linux\":{\"namespaces\":[{\"type\":\"mount\"}]}");
	accepted(json_object_get(l, "namespaces"),
		 "\"linux\":{\"namespaces\":[{\"type\":\"%s\",\"path\":\"/x\"}]}");
	accepted(json_object_get(l, "capabilities"),
		 "\"process\":{\"cwd\":\"/\",\"capabilities\":{\"bounding\":[\"%s\"]}}");
	accepted_modes(json_object_get(m, "modes"));
	accepted(json_object_get(m, "flags"),
		 "\"linux\":{\"memoryPolicy\":{\"mode\":\"MPOL_PREFERRED\",\"flags\":[\"%s\"]}}");
}
END_TEST

START_TEST(the_versions_of_features_are_accepted)
{
	static const char *const keys[] = { "ociVersionMin", "ociVersionMax" };
	AUTO_JSON f = features();
	for (size_t i = 0; i < COUNT(keys); i++) {
		AUTO_SPEC s = NULL;
		char text[256];
		(void)snprintf(text, sizeof text,
			       "{\"ociVersion\":\"%s\",\"root\":{\"path\":\"r\"}}",
			       json_string_value(json_object_get(f, keys[i])));
		ck_assert_int_eq(spec_parse(text, strlen(text), "config.json", &s, &err), 0);
	}
	const char *key;
	json_t *value;
	json_object_foreach(json_object_get(f, "annotations"), key, value)
		ck_assert(*key && json_is_string(value));
	const json_t *idmap = json_object_get(
		json_object_get(json_object_get(f, "linux"), "mountExtensions"), "idmap");
	ck_assert(json_is_true(json_object_get(idmap, "enabled")));
}
END_TEST

/* ---- tables ---------------------------------------------------------------------------------- */

START_TEST(names_are_there_once)
{
	static const struct named_number *const tables[] = {
		spec_scheduler_policies, spec_scheduler_flags, spec_ioprio_classes,
		spec_mempolicy_modes,	 spec_mempolicy_flags, spec_personalities,
		spec_propagations,	 spec_seccomp_actions, spec_seccomp_flags,
		spec_seccomp_ops,	 spec_seccomp_archs,
	};
	for (size_t t = 0; t < COUNT(tables); t++)
		for (const struct named_number *n = tables[t]; n->name; n++) {
			uint64_t number = ~n->number;
			ck_assert_int_eq(named_number(tables[t], n->name, &number), 0);
			ck_assert_msg(number == n->number, "%s", n->name);
		}
	uint64_t untouched = 42;
	ck_assert_int_eq(named_number(spec_seccomp_ops, "scmp_cmp_eq", &untouched), -1);
	ck_assert_int_eq(named_number(spec_seccomp_ops, "", &untouched), -1);
	ck_assert_uint_eq(untouched, 42);
	for (const struct mount_option *o = spec_mount_options; o->name; o++)
		ck_assert_msg(spec_mount_option(o->name) == o, "%s", o->name);
	ck_assert_ptr_null(spec_mount_option("size=64k"));
	ck_assert_ptr_null(spec_mount_option("RO"));
	ck_assert_ptr_null(spec_mount_option(""));
}
END_TEST

/* Numbers of architectures differ, or filters for one would be taken for another. */
START_TEST(architectures_differ)
{
	for (const struct named_number *a = spec_seccomp_archs; a->name; a++)
		for (const struct named_number *b = a + 1; b->name; b++)
			ck_assert_msg(a->number != b->number, "%s and %s", a->name, b->name);
	uint64_t arch;
	ck_assert_int_eq(named_number(spec_seccomp_archs, "SCMP_ARCH_X86_64", &arch), 0);
	ck_assert_uint_eq(arch, AUDIT_ARCH_X86_64);
}
END_TEST

START_TEST(mount_options_come_in_pairs)
{
	static const char *const pairs[][2] = {
		{ "ro", "rw" },	      { "nosuid", "suid" },	      { "nodev", "dev" },
		{ "noexec", "exec" }, { "nosymfollow", "symfollow" }, { "nodiratime", "diratime" },
	};
	for (size_t i = 0; i < COUNT(pairs); i++) {
		const struct mount_option *on = spec_mount_option(pairs[i][0]);
		const struct mount_option *off = spec_mount_option(pairs[i][1]);
		ck_assert_msg(on->set && on->set == off->clr && !off->set && !on->clr, "%s",
			      on->name);
	}
	for (const struct mount_option *o = spec_mount_options; o->name; o++) {
		if (o->kind != MOUNT_OPT_ATTR)
			continue;
		/* Each has a recursive twin: "ro" has "rro". */
		char twin[32];
		(void)snprintf(twin, sizeof twin, "r%s", o->name);
		const struct mount_option *r = spec_mount_option(twin);
		ck_assert_msg(r && r->kind == MOUNT_OPT_REC_ATTR && r->set == o->set &&
				      r->clr == o->clr,
			      "%s", twin);
		/* The kernel wants the whole access time field cleared when any of it is set. */
		bool atime = strstr(o->name, "atime") && !strstr(o->name, "diratime");
		ck_assert_msg(atime == (o->clr == MOUNT_ATTR__ATIME), "%s", o->name);
	}
}
END_TEST

START_TEST(options_that_configs_must_be_able_to_use)
{
	static const char *const must[] = {
		"async",       "atime",	       "defaults",
		"dev",	       "diratime",     "dirsync",
		"exec",	       "iversion",     "lazytime",
		"loud",	       "noatime",      "nodev",
		"nodiratime",  "noexec",       "noiversion",
		"nolazytime",  "norelatime",   "nostrictatime",
		"nosuid",      "relatime",     "remount",
		"ro",	       "rw",	       "silent",
		"strictatime", "suid",	       "sync",
		"bind",	       "rbind",	       "private",
		"rprivate",    "shared",       "rshared",
		"slave",       "rslave",       "unbindable",
		"runbindable", "idmap",	       "ridmap",
		"nosymfollow", "symfollow",    "mand",
		"nomand",      "tmpcopyup",    "rro",
		"rrw",	       "rnosymfollow", "rnodev",
	};
	for (size_t i = 0; i < COUNT(must); i++)
		ck_assert_msg(spec_mount_option(must[i]) != NULL, "%s", must[i]);
}
END_TEST

START_TEST(kinds_have_their_names)
{
	static const char *const hooks[HOOK_KINDS] = {
		[HOOK_PRESTART] = "prestart",
		[HOOK_CREATE_RUNTIME] = "createRuntime",
		[HOOK_CREATE_CONTAINER] = "createContainer",
		[HOOK_START_CONTAINER] = "startContainer",
		[HOOK_POSTSTART] = "poststart",
		[HOOK_POSTSTOP] = "poststop",
	};
	for (int kind = 0; kind < HOOK_KINDS; kind++)
		ck_assert_str_eq(spec_hook_name((enum spec_hook_kind)kind), hooks[kind]);

	static const struct {
		const char *name;
		uint64_t flag;
	} spaces[NS_KINDS] = {
		[NS_PID] = { "pid", 0x20000000 },      [NS_NETWORK] = { "network", 0x40000000 },
		[NS_MOUNT] = { "mount", 0x20000 },     [NS_IPC] = { "ipc", 0x8000000 },
		[NS_UTS] = { "uts", 0x4000000 },       [NS_USER] = { "user", 0x10000000 },
		[NS_CGROUP] = { "cgroup", 0x2000000 }, [NS_TIME] = { "time", 0x80 },
	};
	for (int kind = 0; kind < NS_KINDS; kind++) {
		ck_assert_str_eq(spec_namespace_name((enum spec_namespace_kind)kind),
				 spaces[kind].name);
		ck_assert_uint_eq(spec_namespace_flag((enum spec_namespace_kind)kind),
				  spaces[kind].flag);
	}
}
END_TEST

START_TEST(sysctl_names_become_paths)
{
	static const struct {
		const char *name, *path;
		enum spec_namespace_kind kind;
	} rows[] = {
		{ "net.ipv4.ip_forward", "net/ipv4/ip_forward", NS_NETWORK },
		{ "net/ipv4/conf/eth0.1/forwarding", "net/ipv4/conf/eth0.1/forwarding",
		  NS_NETWORK },
		{ "net.ipv4.conf.eth0/1.forwarding", "net/ipv4/conf/eth0.1/forwarding",
		  NS_NETWORK },
		{ "kernel.sem", "kernel/sem", NS_IPC },
		{ "kernel/sem", "kernel/sem", NS_IPC },
		{ "kernel.semaphore", "kernel/semaphore", NS_KINDS },
		{ "fs.mqueue.msg_max", "fs/mqueue/msg_max", NS_IPC },
		{ "fs.mqueue", "fs/mqueue", NS_KINDS },
		{ "kernel.domainname", "kernel/domainname", NS_UTS },
		{ "user.max_user_namespaces", "user/max_user_namespaces", NS_USER },
		{ "netx.y", "netx/y", NS_KINDS },
		{ "net", "net", NS_KINDS },
	};
	char path[SPEC_SYSCTL_SIZE];
	for (size_t i = 0; i < COUNT(rows); i++) {
		ck_assert_msg(spec_sysctl_path(rows[i].name, path), "%s", rows[i].name);
		ck_assert_str_eq(path, rows[i].path);
		ck_assert_int_eq(spec_sysctl_namespace(path), rows[i].kind);
	}
	static const char *const none[] = { "",	    ".",	"..",	 "/",	 "net/..",
					    "../x", "net.//.x", "net/.", "a\\b", "net.x=y" };
	for (size_t i = 0; i < COUNT(none); i++)
		ck_assert_msg(!spec_sysctl_path(none[i], path), "%s", none[i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("spec tables");
	TCase *documents = tcase_create("documents");
	tcase_add_test(documents, the_template);
	tcase_add_test(documents, the_template_without_root);
	tcase_add_test(documents, what_features_list_is_accepted);
	tcase_add_test(documents, the_versions_of_features_are_accepted);
	suite_add_tcase(suite, documents);
	TCase *tables = tcase_create("tables");
	tcase_add_test(tables, names_are_there_once);
	tcase_add_test(tables, architectures_differ);
	tcase_add_test(tables, mount_options_come_in_pairs);
	tcase_add_test(tables, options_that_configs_must_be_able_to_use);
	tcase_add_test(tables, kinds_have_their_names);
	tcase_add_test(tables, sysctl_names_become_paths);
	suite_add_tcase(suite, tables);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

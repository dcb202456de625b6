/* lib/service: users from hostile passwd files, decisions between options and image, the config. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "service/service.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* ---- users ------------------------------------------------------------------------------------
 */

static const char passwd[] = "# a comment\n"
			     "root:x:0:0:root:/root:/bin/sh\n"
			     "broken line\n"
			     "joe:x:1000:1000:Joe:/home/joe:/bin/sh\n"
			     "joe:x:0:0:again:/root:/bin/sh\n"
			     "4294967296:x:0:0::/root:/bin/sh\n"
			     "4294967295:x:0:0::/root:/bin/sh\n"
			     "-1:x:0:0::/root:/bin/sh\n"
			     "+1:x:0:0::/root:/bin/sh\n"
			     " 1:x:0:0::/root:/bin/sh\n"
			     "0x0:x:77:77::/:/bin/sh\n"
			     "huge:x:4294967296:0::/:/bin/sh\n"
			     "neg:x:-1:0::/:/bin/sh\n"
			     "nogid:x:5:::/:/bin/sh\n"
			     "relative:x:6:6::home:/bin/sh\n"
			     "short:x:7:7\n"
			     ":x:8:8::/:/bin/sh\n"
			     "last:x:9:9::/home/last:/bin/sh";
static const char group[] = "root:x:0:\n"
			    "joe:x:1000:\n"
			    "audio:x:29:other,joe\n"
			    "video:x:44:joe,\n"
			    "almost:x:45:joey,xjoe\n"
			    "self:x:1000:joe\n"
			    "bad:x:99999999999:joe\n"
			    "few:x\n";

static const struct user_case {
	const char *text;
	long uid, gid; /* uid -1: an error */
	const char *groups, *home, *error;
} users[] = {
	{ NULL, 0, 0, "0", "/root", NULL },
	{ "", 0, 0, "0", "/root", NULL },
	{ "root", 0, 0, "0", "/root", NULL },
	{ "joe", 1000, 1000, "1000 29 44", "/home/joe", NULL },
	{ "1000", 1000, 1000, "1000 29 44", "/home/joe", NULL },
	{ "01000", 1000, 1000, "1000 29 44", "/home/joe", NULL },
	{ "joe:audio", 1000, 29, "29", "/home/joe", NULL },
	{ "joe:5", 1000, 5, "5", "/home/joe", NULL },
	{ "1234", 1234, 0, "0", "/", NULL },
	{ "1234:4321", 1234, 4321, "4321", "/", NULL },
	{ "2147483648", 2147483648, 0, "0", "/", NULL },
	{ "4294967294", 4294967294, 0, "0", "/", NULL },
	{ "0x0", 77, 77, "77", "/", NULL },
	{ "relative", 6, 6, "6", "/", NULL },
	{ "short", 7, 7, "7", "/", NULL },
	{ "last", 9, 9, "9", "/home/last", NULL },
	{ "4294967295", -1, 0, NULL, NULL,
	  "user \"4294967295\": the user id is not from 0 to 4294967294" },
	{ "4294967296", -1, 0, NULL, NULL,
	  "user \"4294967296\": the user id is not from 0 to 4294967294" },
	{ "18446744073709551616", -1, 0, NULL, NULL,
	  "user \"18446744073709551616\": the user id is not from 0 to 4294967294" },
	{ "1:4294967295", -1, 0, NULL, NULL,
	  "user \"1:4294967295\": the group id is not from 0 to 4294967294" },
	{ "-1", -1, 0, NULL, NULL,
	  "user \"-1\": the user is neither a number from 0 to 4294967294 nor a name" },
	{ "+1", -1, 0, NULL, NULL,
	  "user \"+1\": the user is neither a number from 0 to 4294967294 nor a name" },
	{ " 1", -1, 0, NULL, NULL,
	  "user \" 1\": the user is neither a number from 0 to 4294967294 nor a name" },
	{ "1 ", -1, 0, NULL, NULL,
	  "user \"1 \": the user is neither a number from 0 to 4294967294 nor a name" },
	{ "root\n", -1, 0, NULL, NULL,
	  "user \"root \": the user is neither a number from 0 to 4294967294 nor a name" },
	{ "\xef\xbc\x91", -1, 0, NULL, NULL,
	  "user \"\xef\xbc\x91\": the user is neither a number from 0 to 4294967294 nor a name" },
	{ "1:", -1, 0, NULL, NULL, "user \"1:\": the group is empty" },
	{ ":1", -1, 0, NULL, NULL, "user \":1\": the user is empty" },
	{ ":", -1, 0, NULL, NULL, "user \":\": the user is empty" },
	{ "1:2:3", -1, 0, NULL, NULL,
	  "user \"1:2:3\": the group is neither a number from 0 to 4294967294 nor a name" },
	{ "nobody", -1, 0, NULL, NULL, "user \"nobody\": not in the image's /etc/passwd" },
	{ "huge", -1, 0, NULL, NULL, "user \"huge\": not in the image's /etc/passwd" },
	{ "neg", -1, 0, NULL, NULL, "user \"neg\": not in the image's /etc/passwd" },
	{ "nogid", -1, 0, NULL, NULL, "user \"nogid\": not in the image's /etc/passwd" },
	{ "joe:nogroup", -1, 0, NULL, NULL,
	  "user \"joe:nogroup\": group \"nogroup\" is not in the image's /etc/group" },
	{ "joe:bad", -1, 0, NULL, NULL,
	  "user \"joe:bad\": group \"bad\" is not in the image's /etc/group" },
};

START_TEST(resolves_users)
{
	const struct user_case *c = &users[_i];
	const struct user_db db = { passwd, group, sizeof passwd - 1, sizeof group - 1 };
	struct arena arena AUTO(arena_free) = { 0 };
	struct resolved_user u = { 0 };
	struct csn_error err = { 0 };
	char groups[200] = "";

	int r = user_resolve(c->text, &db, &u, &arena, &err);
	if (c->uid < 0) {
		ck_assert_int_eq(r, -EINVAL);
		ck_assert_str_eq(err.text, c->error);
		return;
	}
	ck_assert_msg(r == 0, "%s", err.text);
	ck_assert_uint_eq(u.uid, (unsigned long)c->uid);
	ck_assert_uint_eq(u.gid, (unsigned long)c->gid);
	ck_assert_str_eq(u.home, c->home);
	for (size_t i = 0; i < u.groups_count; i++)
		(void)snprintf(groups + strlen(groups), sizeof groups - strlen(groups), "%s%u",
			       i ? " " : "", u.groups[i]);
	ck_assert_str_eq(groups, c->groups);
}
END_TEST

START_TEST(users_without_files)
{
	const struct user_db db = { 0 };
	struct arena arena AUTO(arena_free) = { 0 };
	struct resolved_user u = { 0 };

	ck_assert_int_eq(user_resolve("7:8", &db, &u, &arena, NULL), 0);
	ck_assert_uint_eq(u.uid, 7);
	ck_assert_uint_eq(u.gid, 8);
	ck_assert_int_eq(user_resolve("root", &db, &u, &arena, NULL), -EINVAL);
}
END_TEST

/* NUL bytes and lines without end are passed over, whatever stands in them. */
START_TEST(users_in_binary_files)
{
	static char text[200000];
	const struct user_db db = { text, NULL, sizeof text, 0 };
	struct arena arena AUTO(arena_free) = { 0 };
	struct resolved_user u = { 0 };

	memset(text, 'x', sizeof text);
	memcpy(text, "a\0b:x:0:0::/:\n", 14);
	memcpy(text + sizeof text - 40, "\njoe:x:5:6::/j:/bin/sh\nxx", 25);
	ck_assert_int_eq(user_resolve("joe", &db, &u, &arena, NULL), 0);
	ck_assert_uint_eq(u.uid, 5);
	ck_assert_str_eq(u.home, "/j");
	ck_assert_int_eq(user_resolve("a", &db, &u, &arena, NULL), -EINVAL);
}
END_TEST

START_TEST(users_in_too_many_groups)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct resolved_user u = { 0 };
	struct csn_error err;
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);
	for (int i = 0; i < 2000; i++)
		fprintf(f, "g%d:x:%d:joe\n", i, i + 10);
	fclose(f);
	const struct user_db db = { passwd, text, sizeof passwd - 1, size };

	ck_assert_int_eq(user_resolve("joe", &db, &u, &arena, &err), -E2BIG);
	ck_assert_str_eq(err.text, "user \"joe\": in more than 1024 groups");
	free(text);
}
END_TEST

/* ---- images -----------------------------------------------------------------------------------
 */

static const char record[] =
	"{\"reference\":\"docker.io/library/x:latest\",\"digest\":\"sha256:d\",\"id\":\"sha256:i\","
	"\"size\":5,\"created\":\"2026-11-24T00:00:00Z\",\"layers\":[\"layers/a/fs\",\"layers/b/"
	"fs\"],"
	"\"root\":{\"mode\":493,\"uid\":1,\"gid\":2,\"mtime\":3,\"mtime_nsec\":4},"
	"\"config\":{\"User\":\"joe\",\"Env\":[\"A=1\",\"PATH=/p\",\"junk\",\"=x\"],"
	"\"Entrypoint\":[\"/"
	"e\",\"x\"],\"Cmd\":[\"c\"],\"WorkingDir\":\"app\",\"StopSignal\":\"QUIT\","
	"\"Labels\":{\"l\":\"1\",\"m\":\"2\"},\"ExposedPorts\":{}}}";

static void parse_image(struct image_record *image, struct arena *arena)
{
	struct csn_error err = { 0 };
	int r = image_record_parse(record, sizeof record - 1, "x.json", image, arena, &err);
	ck_assert_msg(r == 0, "%s", err.text);
}

START_TEST(reads_records)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct image_record i;
	struct csn_error err;

	parse_image(&i, &arena);
	ck_assert_uint_eq(i.layers.count, 2);
	ck_assert_str_eq(i.layers.items[1], "layers/b/fs");
	ck_assert(i.root.set);
	ck_assert_uint_eq(i.root.mode, 0755);
	ck_assert_int_eq(i.root.mtime, 3);
	ck_assert_str_eq(i.config.user, "joe");
	ck_assert_uint_eq(i.config.labels.count, 2);

	ck_assert_int_eq(
		image_record_parse("{\"reference\":\"x\"}", 17, "x.json", &i, &arena, &err),
		-EINVAL);
	ck_assert_str_eq(err.text, "x.json: digest: missing");
	ck_assert_int_eq(image_record_parse("{", 1, "x.json", &i, &arena, &err), -EINVAL);
}
END_TEST

/* ---- decisions --------------------------------------------------------------------------------
 */

#define LIST(...) ((const char *const[]){ __VA_ARGS__, NULL })

static int decide(const struct csn_container_options *o, struct service *s, struct arena *arena,
		  struct csn_error *err)
{
	static struct image_record image;
	parse_image(&image, arena);
	return service_decide(o, &image, ID, s, arena, err);
}

static void assert_args(const struct csn_container_options *o, const char *want)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct service s;
	char got[200] = "";

	ck_assert_int_eq(decide(o, &s, &arena, NULL), 0);
	for (size_t i = 0; i < s.args_count; i++)
		(void)snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", i ? " " : "",
			       s.args[i]);
	ck_assert_str_eq(got, want);
	ck_assert_ptr_null(s.args[s.args_count]);
}

START_TEST(merges_commands)
{
	struct csn_container_options o = CSN_CONTAINER_OPTIONS_INIT;

	assert_args(&o, "/e x c");
	o.command = LIST("a", "b");
	assert_args(&o, "/e x a b");
	o.entrypoint = LIST("/n");
	assert_args(&o, "/n a b");
	o.entrypoint = LIST("");
	assert_args(&o, "a b");
	o.entrypoint = LIST("/n");
	o.command = NULL;
	assert_args(&o, "/n");

	struct arena arena AUTO(arena_free) = { 0 };
	struct service s;
	struct csn_error err;
	o.entrypoint = LIST("");
	ck_assert_int_eq(decide(&o, &s, &arena, &err), -EINVAL);
	ck_assert_str_eq(err.text, "no command given, and image \"docker.io/library/x:latest\" has "
				   "none");
	o.command = LIST("", "x");
	ck_assert_int_eq(decide(&o, &s, &arena, &err), -EINVAL);
	ck_assert_str_eq(err.text, "the command's name is empty");
}
END_TEST

START_TEST(merges_the_rest)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct service s;
	struct csn_container_options o = CSN_CONTAINER_OPTIONS_INIT;

	ck_assert_int_eq(decide(&o, &s, &arena, NULL), 0);
	ck_assert_str_eq(s.cwd, "/app");
	ck_assert_str_eq(s.user_text, "joe");
	ck_assert_str_eq(s.hostname, "0123456789ab");
	ck_assert_str_eq(s.stop_signal, "SIGQUIT");
	ck_assert_int_eq(s.stop_timeout_s, 10);
	ck_assert_str_eq(s.network, "none");
	ck_assert_uint_eq(s.env_count, 3);
	ck_assert_str_eq(env_get(s.env, s.env_count, "PATH"), "/p");
	ck_assert_str_eq(env_get(s.env, s.env_count, "A"), "1");
	ck_assert_ptr_null(env_get(s.env, s.env_count, "TERM"));

	o.env = LIST("A=2", "B=", "B=3", "TERM=vt100", "AB=4");
	o.labels = LIST("m=3", "n", "o==");
	o.working_dir = "/a//b/../c/";
	o.user = "5";
	o.tty = true;
	o.stop_timeout_ms = 1001;
	o.network = "host";
	ck_assert_int_eq(decide(&o, &s, &arena, NULL), 0);
	ck_assert_str_eq(s.cwd, "/a/c");
	ck_assert_str_eq(s.user_text, "5");
	ck_assert_int_eq(s.stop_timeout_s, 2);
	ck_assert_str_eq(env_get(s.env, s.env_count, "A"), "2");
	ck_assert_str_eq(env_get(s.env, s.env_count, "AB"), "4");
	ck_assert_str_eq(env_get(s.env, s.env_count, "B"), "3");
	ck_assert_str_eq(env_get(s.env, s.env_count, "TERM"), "vt100");
	ck_assert_uint_eq(s.labels.count, 4);
	ck_assert_str_eq(spec_map_get(&s.labels, "l"), "1");
	ck_assert_str_eq(spec_map_get(&s.labels, "m"), "3");
	ck_assert_str_eq(spec_map_get(&s.labels, "n"), "");
	ck_assert_str_eq(spec_map_get(&s.labels, "o"), "=");

	o.stop_timeout_ms = -1;
	ck_assert_int_eq(decide(&o, &s, &arena, NULL), 0);
	ck_assert_int_eq(s.stop_timeout_s, 0);
}
END_TEST

static const struct csn_mount relative_source[] = { { sizeof(struct csn_mount), "a", "/b",
						      false } };
static const struct csn_mount relative_target[] = { { sizeof(struct csn_mount), "/a", "b",
						      false } };
static const struct csn_mount no_size[] = { { 0, "/a", "/b", false } };

#define WITH(...)                                                                                  \
	{                                                                                          \
		.size = sizeof(struct csn_container_options), __VA_ARGS__                          \
	}
static const struct {
	struct csn_container_options options;
	const char *error;
} refused[] = {
	{ WITH(.env = (const char *const[]){ "X", NULL }),
	  "environment \"X\": expected NAME=value" },
	{ WITH(.env = (const char *const[]){ "=x", NULL }),
	  "environment \"=x\": expected NAME=value" },
	{ WITH(.labels = (const char *const[]){ "=x", NULL }), "label \"=x\": expected KEY=value" },
	{ WITH(.working_dir = "a"), "working directory \"a\": expected an absolute path" },
	{ WITH(.hostname = ""), "hostname \"\": expected 1 to 64 letters, digits, '-' and '.'" },
	{ WITH(.hostname = "a_b"),
	  "hostname \"a_b\": expected 1 to 64 letters, digits, '-' and '.'" },
	{ WITH(.hostname = "-a"),
	  "hostname \"-a\": expected 1 to 64 letters, digits, '-' and '.'" },
	{ WITH(.stop_signal = "FOO"), "stop signal \"FOO\": unknown signal" },
	{ WITH(.stop_signal = "0"), "stop signal \"0\": unknown signal" },
	{ WITH(.mounts = relative_source, .mounts_count = 1),
	  "mount source \"a\": expected an absolute path" },
	{ WITH(.mounts = relative_target, .mounts_count = 1),
	  "mount target \"b\": expected an absolute path" },
	{ WITH(.mounts = no_size, .mounts_count = 1), "mounts: made without CSN_MOUNT_INIT" },
};

START_TEST(refuses_options)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct service s;
	struct csn_error err;

	ck_assert_int_eq(decide(&refused[_i].options, &s, &arena, &err), -EINVAL);
	ck_assert_str_eq(err.text, refused[_i].error);
}
END_TEST

START_TEST(refuses_a_bad_image)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct csn_container_options o = CSN_CONTAINER_OPTIONS_INIT;
	struct image_record image;
	struct service s;
	struct csn_error err;

	parse_image(&image, &arena);
	image.config.stop_signal = arena_strdup(&arena, "SIGNOPE");
	ck_assert_int_eq(service_decide(&o, &image, ID, &s, &arena, &err), -EINVAL);
	ck_assert_str_eq(err.text, "the image's StopSignal \"SIGNOPE\": unknown signal");
}
END_TEST

/* ---- the config -------------------------------------------------------------------------------
 */

#define ALL_CAPABILITIES ((UINT64_C(1) << 41) - 1)

static struct spec *make_config(const struct csn_container_options *o, struct arena *arena)
{
	static uint32_t groups[] = { 1000, 29 };
	const struct service_files files = { "/c/hosts", "/c/hostname", "/c/resolv.conf" };
	struct service s;
	struct csn_error err = { 0 };
	struct spec *spec = NULL;
	char *text = NULL;

	ck_assert_int_eq(decide(o, &s, arena, NULL), 0);
	s.user = (struct resolved_user){ 1000, 1000, groups, 2, "/home/joe" };
	s.cgroup = "/caisson/" ID;
	ck_assert_int_eq(service_security_decide(o->security, ALL_CAPABILITIES, &s.security, NULL),
			 0);
	ck_assert_int_eq(service_to_oci(&s, &files, &text, NULL), 0);
	int r = spec_parse(text, strlen(text), "config.json", &spec, &err);
	ck_assert_msg(r == 0, "%s", err.text);
	free(text);
	return spec;
}

static bool has(const struct spec_strings *list, const char *word)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], word) == 0)
			return true;
	return false;
}

static const struct spec_mount *find_mount(const struct spec *s, const char *target)
{
	for (size_t i = 0; i < s->mounts_count; i++)
		if (strcmp(s->mounts[i].destination, target) == 0)
			return &s->mounts[i];
	ck_abort_msg("no mount at %s", target);
	return NULL;
}

START_TEST(config_is_hardened)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct csn_container_options o = CSN_CONTAINER_OPTIONS_INIT;
	struct spec *s = make_config(&o, &arena);
	const struct spec_process *p = &s->process;

	ck_assert(p->no_new_privileges && !p->terminal);
	ck_assert_uint_eq(p->user.uid, 1000);
	ck_assert_uint_eq(p->user.additional_gids_count, 2);
	ck_assert_uint_eq(p->user.umask.value, 022);
	ck_assert_uint_eq(p->capabilities.bounding.count, 11);
	ck_assert_uint_eq(p->capabilities.effective.count, 11);
	ck_assert_uint_eq(p->capabilities.inheritable.count, 0);
	ck_assert_uint_eq(p->capabilities.ambient.count, 0);
	ck_assert(!has(&p->capabilities.bounding, "CAP_SYS_ADMIN"));
	ck_assert(!p->oom_score_adj.set && p->rlimits_count == 0);
	/* No device but the usual ones. */
	ck_assert_uint_eq(s->linux_.resources.devices_count, 1);
	ck_assert(!s->linux_.resources.devices[0].allow);
	ck_assert(!s->linux_.resources.devices[0].type);
	ck_assert_str_eq(s->linux_.resources.devices[0].access, "rwm");
	for (int kind = 0; kind < NS_KINDS; kind++)
		ck_assert_int_eq(s->linux_.namespaces[kind].present,
				 kind != NS_USER && kind != NS_TIME);
	ck_assert_str_eq(s->linux_.cgroups_path, "/caisson/" ID);
	ck_assert(has(&s->linux_.masked_paths, "/proc/kcore"));
	ck_assert(has(&s->linux_.readonly_paths, "/proc/sys"));
	ck_assert(has(&find_mount(s, "/sys")->options, "ro"));
	ck_assert(has(&find_mount(s, "/sys/fs/cgroup")->options, "ro"));
	ck_assert_str_eq(find_mount(s, "/etc/hosts")->source, "/c/hosts");
	ck_assert(!s->root.readonly);
	ck_assert_str_eq(spec_map_get(&s->annotations, "l"), "1");
	spec_free(s);
}
END_TEST

static struct csn_error err;

/* Options as numbers only, with devices 8:0, 8:1 ... in their order. */
static int decide_resources(const struct csn_resources *r, bool creating,
			    struct spec_resources *ret, struct arena *arena)
{
	struct service_device devices[8];
	for (size_t i = 0; i < COUNT(devices); i++)
		devices[i] = (struct service_device){ 8, (int64_t)i };
	return service_resources(r, devices, creating, ret, arena, &err);
}

static void is_written(const struct spec_resources *r, const char *want)
{
	struct json_out o = JSON_OUT_COMPACT;
	auto_mem char *text = NULL;
	service_put_resources(&o, NULL, r);
	ck_assert_int_eq(json_out_take(&o, &text, &err), 0);
	static const char start[] = "{\"devices\":[{\"allow\":false,\"access\":\"rwm\"}]";
	ck_assert_int_eq(strncmp(text, start, strlen(start)), 0);
	ck_assert_str_eq(text + strlen(start), want);
}

START_TEST(limits_are_merged)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct csn_device_limit devices[] = { CSN_DEVICE_LIMIT_INIT, CSN_DEVICE_LIMIT_INIT,
					      CSN_DEVICE_LIMIT_INIT };
	struct csn_resources r = CSN_RESOURCES_INIT;
	struct spec_resources all, change;
	devices[0].kind = CSN_DEVICE_READ_BPS;
	devices[0].value = 1;
	devices[1].kind = CSN_DEVICE_WEIGHT;
	devices[1].value = 500;
	devices[2].kind = CSN_DEVICE_READ_BPS;
	devices[2].value = 3;
	r.memory_bytes = 4096;
	r.cpuset_cpus = "0-1";
	r.devices = devices;
	r.devices_count = 3;
	ck_assert_int_eq(decide_resources(&r, true, &all, &arena), 0);
	is_written(&all, ",\"memory\":{\"limit\":4096,\"swap\":8192},\"cpu\":{\"cpus\":\"0-1\"},"
			 "\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":1,\"weight\":500}],"
			 "\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":0,\"rate\":1},"
			 "{\"major\":8,\"minor\":2,\"rate\":3}]}}");

	/* What is not named stays; a device is named by its numbers. */
	r = (struct csn_resources)CSN_RESOURCES_INIT;
	devices[0].value = 7;
	devices[1].value = 300;
	r.pids_limit = 5;
	r.nano_cpus = 1500000000;
	r.devices = devices;
	r.devices_count = 2;
	ck_assert_int_eq(decide_resources(&r, false, &change, &arena), 0);
	ck_assert(!change.memory.swap.set);
	ck_assert_int_eq(service_merge_resources(&all, &change, &arena, &err), 0);
	is_written(&all, ",\"memory\":{\"limit\":4096,\"swap\":8192},\"cpu\":{\"quota\":150000,"
			 "\"period\":100000,\"cpus\":\"0-1\"},\"pids\":{\"limit\":5},"
			 "\"blockIO\":{\"weightDevice\":[{\"major\":8,\"minor\":1,\"weight\":300}],"
			 "\"throttleReadBpsDevice\":[{\"major\":8,\"minor\":2,\"rate\":3},"
			 "{\"major\":8,\"minor\":0,\"rate\":7}]}}");

	/* Both sums together must make sense. */
	r = (struct csn_resources)CSN_RESOURCES_INIT;
	r.memory_bytes = 8193;
	ck_assert_int_eq(decide_resources(&r, false, &change, &arena), 0);
	ck_assert_int_eq(service_merge_resources(&all, &change, &arena, &err), -EINVAL);
	ck_assert_str_eq(err.text, "memory limit: 8193 is above the limit of memory and swap "
				   "together, 8192: change both");
}
END_TEST

START_TEST(limits_at_their_ends)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct csn_resources r = CSN_RESOURCES_INIT;
	struct spec_resources all;
	ck_assert_int_eq(decide_resources(&r, true, &all, &arena), 0);
	is_written(&all, "}");
	r.memory_bytes = INT64_MAX;
	r.nano_cpus = -1;
	ck_assert_int_eq(decide_resources(&r, true, &all, &arena), 0);
	is_written(&all, ",\"memory\":{\"limit\":9223372036854775807,\"swap\":-1},"
			 "\"cpu\":{\"quota\":-1,\"period\":100000}}");
	r.nano_cpus = INT64_MAX;
	ck_assert_int_eq(decide_resources(&r, true, &all, &arena), -EINVAL);
	ck_assert_str_eq(err.text, "number of CPUs: too large");
	struct csn_device_limit odd = CSN_DEVICE_LIMIT_INIT;
	odd.kind = (enum csn_device_limit_kind)77;
	odd.device = "/dev/x";
	r = (struct csn_resources)CSN_RESOURCES_INIT;
	r.devices = &odd;
	r.devices_count = 1;
	ck_assert_int_eq(decide_resources(&r, true, &all, &arena), -EINVAL);
	ck_assert_str_eq(err.text, "device limit of \"/dev/x\": unknown kind 77");
}
END_TEST

START_TEST(config_of_more_rights)
{
	static const char *const sysctls[] = { "net.core.somaxconn=99", NULL };
	static const char *const options[] = { "no-new-privileges:false", "apparmor=p", NULL };
	static const char *const add[] = { "net_admin", NULL }, *const drop[] = { "ALL", NULL };
	struct arena arena AUTO(arena_free) = { 0 };
	struct csn_container_options o = CSN_CONTAINER_OPTIONS_INIT;
	struct csn_security security = CSN_SECURITY_INIT;
	o.security = &security;
	security.cap_add = add;
	security.cap_drop = drop;
	security.options = options;
	security.sysctls = sysctls;
	security.host_pid = true;
	struct spec *s = make_config(&o, &arena);
	ck_assert_uint_eq(s->process.capabilities.bounding.count, 1);
	ck_assert(has(&s->process.capabilities.effective, "CAP_NET_ADMIN"));
	ck_assert(!s->process.no_new_privileges && s->linux_.seccomp.set);
	ck_assert_str_eq(s->process.apparmor_profile, "p");
	ck_assert_str_eq(spec_map_get(&s->linux_.sysctl, "net.core.somaxconn"), "99");
	ck_assert(!s->linux_.namespaces[NS_PID].present && s->linux_.namespaces[NS_IPC].present);
	spec_free(s);

	security = (struct csn_security)CSN_SECURITY_INIT;
	security.privileged = security.host_ipc = true;
	s = make_config(&o, &arena);
	ck_assert_uint_eq(s->process.capabilities.bounding.count, 41);
	ck_assert(!s->process.no_new_privileges && !s->linux_.seccomp.set);
	ck_assert(s->linux_.masked_paths.count == 0 && s->linux_.readonly_paths.count == 0);
	ck_assert(!has(&find_mount(s, "/sys")->options, "ro"));
	ck_assert(has(&find_mount(s, "/sys")->options, "nosuid"));
	ck_assert(!s->linux_.namespaces[NS_IPC].present);
	spec_free(s);
}
END_TEST

START_TEST(rights_that_cannot_be)
{
#define NAMES(...) ((const char *const[]){ __VA_ARGS__, NULL })
	const struct {
		const char *const *add, *const *drop, *const *options, *const *sysctls;
		uint64_t available;
		const char *want;
	} rows[] = {
		{ NAMES("fly"), NULL, NULL, NULL, ALL_CAPABILITIES,
		  "cap_add \"fly\": unknown capability" },
		{ NULL, NAMES("fly"), NULL, NULL, ALL_CAPABILITIES,
		  "cap_drop \"fly\": unknown capability" },
		{ NAMES("ALL"), NAMES("ALL"), NULL, NULL, ALL_CAPABILITIES,
		  "cap_add and cap_drop: both have ALL" },
		{ NAMES("sys_resource"), NULL, NULL, NULL, ALL_CAPABILITIES ^ (UINT64_C(1) << 24),
		  "cap_add \"CAP_SYS_RESOURCE\": who makes the container lacks it" },
		{ NULL, NULL, NAMES("seccomp=/x.json"), NULL, ALL_CAPABILITIES,
		  "security option \"seccomp=/x.json\": expected no-new-privileges[=true|false], "
		  "seccomp=default|unconfined, apparmor=PROFILE or label=LABEL" },
		{ NULL, NULL, NULL, NAMES("kernel.x"), ALL_CAPABILITIES,
		  "sysctl \"kernel.x\": expected NAME=VALUE" },
	};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct csn_security o = CSN_SECURITY_INIT;
		struct service_security s;
		o.cap_add = rows[i].add;
		o.cap_drop = rows[i].drop;
		o.options = rows[i].options;
		o.sysctls = rows[i].sysctls;
		ck_assert_int_lt(service_security_decide(&o, rows[i].available, &s, &err), 0);
		ck_assert_str_eq(err.text, rows[i].want);
	}
}
END_TEST

START_TEST(config_takes_options)
{
	static const struct csn_mount mounts[] = {
		{ sizeof(struct csn_mount), "/src", "/ro", true },
		{ sizeof(struct csn_mount), "/src", "/rw/below/it", false,
		  .options = "suid,slave,bind" },
		{ sizeof(struct csn_mount), "/src", "/rw", false },
		{ sizeof(struct csn_mount), NULL, "/t/../tmp/", false, .kind = CSN_MOUNT_TMPFS,
		  .options = "size=64MiB,,exec,mode=755" },
		{ sizeof(struct csn_mount), NULL, "/half", true, .kind = CSN_MOUNT_TMPFS,
		  .options = "size=50%" },
		{ sizeof(struct csn_mount), "/src", "/dev/shm", .options = "ro,rw,noexec,z" },
	};
	struct arena arena AUTO(arena_free) = { 0 };
	struct csn_container_options o = CSN_CONTAINER_OPTIONS_INIT;
	o.network = "host";
	o.readonly_root = o.tty = true;
	o.mounts = mounts;
	o.mounts_count = sizeof mounts / sizeof *mounts;
	o.hostname = "box";
	struct spec *s = make_config(&o, &arena);

	ck_assert(!s->linux_.namespaces[NS_NETWORK].present);
	ck_assert(s->linux_.namespaces[NS_PID].present);
	ck_assert(s->root.readonly && s->process.terminal);
	ck_assert_str_eq(s->hostname, "box");
	ck_assert(has(&find_mount(s, "/ro")->options, "rro"));
	ck_assert(!has(&find_mount(s, "/rw")->options, "rro"));
	ck_assert(has(&find_mount(s, "/rw")->options, "rnosuid"));
	ck_assert(has(&find_mount(s, "/rw")->options, "rnodev"));
	ck_assert(has(&find_mount(s, "/rw")->options, "rprivate"));
	const struct spec_mount *below = find_mount(s, "/rw/below/it");
	ck_assert(below > find_mount(s, "/rw"));
	ck_assert(!has(&below->options, "rnosuid") && !has(&below->options, "rprivate"));
	ck_assert(has(&below->options, "slave") && has(&below->options, "bind"));
	ck_assert_str_eq(s->linux_.rootfs_propagation, "rslave");
	const struct spec_mount *tmp = find_mount(s, "/tmp");
	ck_assert_str_eq(tmp->type, "tmpfs");
	ck_assert(has(&tmp->options, "size=67108864") && has(&tmp->options, "mode=755"));
	ck_assert(has(&tmp->options, "nosuid") && !has(&tmp->options, "noexec"));
	ck_assert(has(&find_mount(s, "/half")->options, "size=50%"));
	ck_assert(has(&find_mount(s, "/half")->options, "ro"));
	const struct spec_mount *shm = find_mount(s, "/dev/shm");
	ck_assert_str_eq(shm->type, "bind");
	ck_assert(has(&shm->options, "rnoexec") && !has(&shm->options, "rro"));
	spec_free(s);
}
END_TEST

/* What the filter must and must not let pass, by its rules without conditions. */
START_TEST(seccomp_lists)
{
	static const char *const allowed[] = { "read", "execve", "openat2", "futex",
					       "clock_gettime64" };
	static const char *const refused_calls[] = {
		"mount",	  "bpf",	 "keyctl",
		"unshare",	  "setns",	 "kexec_load",
		"io_uring_setup", "userfaultfd", "open_by_handle_at",
		"perf_event_open"
	};
	static const char *const conditional[] = { "clone", "socket", "ioctl", "personality" };
	static const char *const absent[] = { "clone3" };
	struct arena arena AUTO(arena_free) = { 0 };
	struct csn_container_options o = CSN_CONTAINER_OPTIONS_INIT;
	struct spec *s = make_config(&o, &arena);
	const struct spec_seccomp *f = &s->linux_.seccomp;

	ck_assert_str_eq(f->default_action, "SCMP_ACT_ERRNO");
	ck_assert_uint_eq(f->default_errno_ret.value, ENOSYS);
	for (size_t i = 0; i < COUNT(allowed); i++)
		ck_assert(has(&f->rules[0].names, allowed[i]));
	for (size_t i = 0; i < COUNT(refused_calls); i++) {
		ck_assert(has(&f->rules[1].names, refused_calls[i]));
		ck_assert(!has(&f->rules[0].names, refused_calls[i]));
	}
	for (size_t rule = 0; rule < f->rules_count; rule++) {
		for (size_t i = 0; i < COUNT(conditional); i++)
			if (has(&f->rules[rule].names, conditional[i]))
				ck_assert_uint_eq(f->rules[rule].args_count, 1);
		for (size_t i = 0; i < COUNT(absent); i++)
			ck_assert(!has(&f->rules[rule].names, absent[i]));
	}
	spec_free(s);
}
END_TEST

/* The conditional rules worked out by hand for one call: the errno that it gets, 0 for allowed. */
static int verdict(const struct spec_seccomp *f, const char *name, unsigned index, uint64_t value)
{
	int result = -1;
	for (size_t i = 0; i < f->rules_count; i++) {
		const struct spec_seccomp_rule *r = &f->rules[i];
		if (!has(&r->names, name))
			continue;
		const struct spec_seccomp_arg *a = r->args;
		ck_assert_uint_eq(a->index, index);
		bool hit = strcmp(a->op, "SCMP_CMP_EQ") == 0   ? value == a->value
			   : strcmp(a->op, "SCMP_CMP_GE") == 0 ? value >= a->value
							       : (value & a->value) == a->value_two;
		int says = strcmp(r->action, "SCMP_ACT_ALLOW") == 0 ? 0 : (int)r->errno_ret.value;
		/* Rules that meet must agree: a filter does not say which it takes. */
		ck_assert(!hit || result == -1 || result == says);
		if (hit)
			result = says;
	}
	return result == -1 ? ENOSYS : result;
}

START_TEST(seccomp_conditions)
{
	struct arena arena AUTO(arena_free) = { 0 };
	struct csn_container_options o = CSN_CONTAINER_OPTIONS_INIT;
	struct spec *s = make_config(&o, &arena);
	const struct spec_seccomp *f = &s->linux_.seccomp;

	for (uint64_t request = 0; request < 0x20000; request++)
		ck_assert_int_eq(verdict(f, "ioctl", 1, request),
				 request == 0x5412 || request == 0x541c ? EPERM : 0);
	/* The kernel drops the high half: it must not help. */
	ck_assert_int_eq(verdict(f, "ioctl", 1, 0x100005412), EPERM);
	ck_assert_int_eq(verdict(f, "ioctl", 1, 0xffffffff0000541c), EPERM);
	ck_assert_int_eq(verdict(f, "ioctl", 1, 0x80045430), 0);

	for (uint64_t family = 0; family < 100; family++)
		ck_assert_int_eq(verdict(f, "socket", 0, family),
				 family == 1 || family == 2 || family == 10 || family == 16
					 ? 0
					 : EAFNOSUPPORT);
	ck_assert_int_eq(verdict(f, "socket", 0, 0x100000026), EAFNOSUPPORT);

	ck_assert_int_eq(verdict(f, "clone", 0, 17), 0);
	ck_assert_int_eq(verdict(f, "clone", 0, 0x3d0f00), 0); /* a thread */
	for (int bit = 25; bit <= 30; bit++)
		ck_assert_int_eq(verdict(f, "clone", 0, 17 | 1ULL << bit), EPERM);
	ck_assert_int_eq(verdict(f, "clone", 0, 17 | 0x20000), EPERM);
	ck_assert_int_eq(verdict(f, "personality", 0, 0), 0);
	ck_assert_int_eq(verdict(f, "personality", 0, 0x40000), ENOSYS);
	spec_free(s);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("service");
	TCase *tc = tcase_create("service");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, resolves_users, 0, (int)COUNT(users));
	tcase_add_test(tc, users_without_files);
	tcase_add_test(tc, users_in_binary_files);
	tcase_add_test(tc, users_in_too_many_groups);
	tcase_add_test(tc, reads_records);
	tcase_add_test(tc, merges_commands);
	tcase_add_test(tc, merges_the_rest);
	tcase_add_loop_test(tc, refuses_options, 0, (int)COUNT(refused));
	tcase_add_test(tc, refuses_a_bad_image);
	tcase_add_test(tc, config_is_hardened);
	tcase_add_test(tc, config_takes_options);
	tcase_add_test(tc, limits_are_merged);
	tcase_add_test(tc, limits_at_their_ends);
	tcase_add_test(tc, config_of_more_rights);
	tcase_add_test(tc, rights_that_cannot_be);
	tcase_add_test(tc, seccomp_lists);
	tcase_add_test(tc, seccomp_conditions);
	suite_add_tcase(suite, tc);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

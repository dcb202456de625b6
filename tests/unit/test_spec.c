/*
 * config.json: the data cases of tests/spec (each invalid one with its exact message), every field
 * of the schema decoded, every field with values of every wrong kind, and hostile input.
 */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/file.h"
#include "spec/spec.h"
#include "tests/unit/alloc_fail.h"

#define CASES SRCDIR "/tests/spec"

static struct csn_error err;

static void setup(void)
{
	memset(&err, 0, sizeof err);
}

static void free_spec(struct spec **s)
{
	spec_free(*s);
}
#define AUTO_SPEC struct spec *AUTO(free_spec)

static char *read_text(const char *path, size_t *ret_size)
{
	char *text = NULL;
	int r = file_read(AT_FDCWD, path, 16 << 20, &text, ret_size, &err);
	ck_assert_msg(r == 0, "%s", err.text);
	return text;
}

static int parse(const char *text, struct spec **ret)
{
	return spec_parse(text, strlen(text), "config.json", ret, &err);
}

/* ---- data cases ------------------------------------------------------------------------------ */

static int not_hidden(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

/* Calls fn with each case's open directory; gives their number. */
static int each_case(const char *kind, void (*fn)(int dir, const char *name))
{
	char path[4096];
	struct dirent **names;
	(void)snprintf(path, sizeof path, "%s/%s", CASES, kind);
	int count = scandir(path, &names, not_hidden, alphasort);
	ck_assert_msg(count >= 0, "%s", path);
	for (int i = 0; i < count; i++) {
		(void)snprintf(path, sizeof path, "%s/%s/%s", CASES, kind, names[i]->d_name);
		auto_fd dir = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		ck_assert_int_ge(dir, 0);
		fn(dir, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return count;
}

static void parses(int dir, const char *name)
{
	AUTO_SPEC s = NULL;
	int r = spec_read_bundle(dir, name, &s, &err);
	ck_assert_msg(r == 0, "%s: %s", name, err.text);
	ck_assert_ptr_nonnull(s);
	ck_assert_uint_eq(strlen(s->text), s->text_size);
}

static void is_refused(int dir, const char *name)
{
	AUTO_SPEC s = NULL;
	auto_mem char *message = NULL;
	size_t size;
	ck_assert_int_eq(file_read(dir, "error", 4096, &message, &size, NULL), 0);
	message[strcspn(message, "\n")] = '\0';

	int r = spec_read_bundle(dir, name, &s, &err);
	ck_assert_msg(r == -EINVAL, "%s gave %d", name, r);
	ck_assert_msg(strcmp(err.text, message) == 0, "%s\n got:      %s\n expected: %s", name,
		      err.text, message);
	ck_assert_ptr_null(s);
}

START_TEST(valid_cases)
{
	ck_assert_int_ge(each_case("valid", parses), 15);
}
END_TEST

START_TEST(invalid_cases)
{
	ck_assert_int_ge(each_case("invalid", is_refused), 150);
}
END_TEST

/* ---- every field ----------------------------------------------------------------------------- */

static void load_full(struct spec **ret)
{
	size_t size;
	auto_mem char *text = read_text(CASES "/valid/full/config.json", &size);
	int r = spec_parse(text, size, "config.json", ret, &err);
	ck_assert_msg(r == 0, "%s", err.text);
}

static void strings_are(const struct spec_strings *s, const char *first, size_t count)
{
	ck_assert(s->set);
	ck_assert_uint_eq(s->count, count);
	ck_assert_ptr_null(s->items[count]);
	if (count)
		ck_assert_str_eq(s->items[0], first);
}

#define IS(opt, n) ck_assert((opt).set && (opt).value == (n))

START_TEST(process_is_decoded)
{
	AUTO_SPEC s = NULL;
	load_full(&s);
	const struct spec_process *p = &s->process;
	ck_assert(p->set && p->terminal && p->has_console_size && p->no_new_privileges);
	ck_assert_uint_eq(p->console_height, 25);
	ck_assert_uint_eq(p->console_width, 80);
	ck_assert_str_eq(p->cwd, "/work");
	strings_are(&p->env, "PATH=/bin", 2);
	strings_are(&p->args, "sh", 3);
	ck_assert(p->user.uid == 1 && p->user.gid == 2);
	IS(p->user.umask, 18);
	ck_assert_uint_eq(p->user.additional_gids_count, 2);
	ck_assert_uint_eq(p->user.additional_gids[1], 4294967294U);
	ck_assert_str_eq(p->user.username, "me");
	ck_assert(p->capabilities.set);
	strings_are(&p->capabilities.bounding, "CAP_CHOWN", 1);
	strings_are(&p->capabilities.effective, "CAP_KILL", 1);
	strings_are(&p->capabilities.inheritable, "CAP_FOWNER", 1);
	strings_are(&p->capabilities.permitted, "CAP_SETUID", 1);
	strings_are(&p->capabilities.ambient, "CAP_SETGID", 1);
	ck_assert_uint_eq(p->rlimits_count, 2);
	ck_assert_str_eq(p->rlimits[0].type, "RLIMIT_NOFILE");
	ck_assert(p->rlimits[0].soft == 1024 && p->rlimits[0].hard == UINT64_MAX);
	IS(p->oom_score_adj, -999);
	ck_assert_str_eq(p->apparmor_profile, "profile");
	ck_assert_str_eq(p->selinux_label, "label");
	ck_assert(p->scheduler.set && p->io_priority.set && p->exec_cpu_affinity.set);
	ck_assert_str_eq(p->scheduler.policy, "SCHED_DEADLINE");
	strings_are(&p->scheduler.flags, "SCHED_FLAG_RECLAIM", 1);
	ck_assert(p->scheduler.runtime == 1000000 && p->scheduler.deadline == 2000000 &&
		  p->scheduler.period == 3000000);
	ck_assert_str_eq(p->io_priority.class_name, "IOPRIO_CLASS_BE");
	ck_assert_int_eq(p->io_priority.priority, 7);
	ck_assert_str_eq(p->exec_cpu_affinity.initial, "0-3,7");
	ck_assert_str_eq(p->exec_cpu_affinity.final, "1");
}
END_TEST

START_TEST(mounts_hooks_and_names_are_decoded)
{
	AUTO_SPEC s = NULL;
	load_full(&s);
	ck_assert_str_eq(s->oci_version, "1.3.0");
	ck_assert_str_eq(s->root.path, "rootfs");
	ck_assert(s->root.readonly);
	ck_assert_str_eq(s->hostname, "host");
	ck_assert_str_eq(s->domainname, "domain");
	ck_assert_str_eq(spec_map_get(&s->annotations, "org.example.key"), "value");
	ck_assert_str_eq(spec_map_get(&s->annotations, "empty"), "");
	ck_assert_ptr_null(spec_map_get(&s->annotations, "value"));

	ck_assert_uint_eq(s->mounts_count, 2);
	ck_assert_str_eq(s->mounts[0].type, "proc");
	ck_assert(!s->mounts[0].options.set && !s->mounts[0].uid_mappings.set);
	const struct spec_mount *m = &s->mounts[1];
	ck_assert_str_eq(m->destination, "/data");
	ck_assert_str_eq(m->type, "bind");
	ck_assert_str_eq(m->source, "/srv");
	strings_are(&m->options, "rbind", 3);
	ck_assert(m->uid_mappings.set && m->uid_mappings.count == 1 && m->gid_mappings.count == 1);
	ck_assert_uint_eq(m->uid_mappings.items[0].host_id, 1000);
	ck_assert_uint_eq(m->gid_mappings.items[0].container_id, 1);
	ck_assert_uint_eq(m->gid_mappings.items[0].size, 20);

	for (int kind = 0; kind < HOOK_KINDS; kind++) {
		char path[64];
		const char *name = spec_hook_name((enum spec_hook_kind)kind);
		const struct spec_hooks *h = &s->hooks[kind];
		(void)snprintf(path, sizeof path, "/bin/%s", name);
		ck_assert_uint_eq(h->count, 2);
		ck_assert_str_eq(h->items[0].path, path);
		strings_are(&h->items[0].args, name, 2);
		strings_are(&h->items[0].env, "K=V", 1);
		IS(h->items[0].timeout, kind + 1);
		ck_assert(!h->items[1].args.set && !h->items[1].timeout.set);
	}
}
END_TEST

START_TEST(linux_is_decoded)
{
	AUTO_SPEC s = NULL;
	load_full(&s);
	const struct spec_linux *l = &s->linux_;
	for (int kind = 0; kind < NS_KINDS; kind++) {
		ck_assert(l->namespaces[kind].present);
		ck_assert((kind == NS_IPC) == (l->namespaces[kind].path != NULL));
	}
	ck_assert_str_eq(l->namespaces[NS_IPC].path, "/proc/7/ns/ipc");
	ck_assert_uint_eq(l->uid_mappings.items[0].host_id, 100000);
	ck_assert_uint_eq(l->gid_mappings.items[0].host_id, 200000);
	ck_assert_uint_eq(l->time_offsets_count, 2);
	ck_assert_str_eq(l->time_offsets[0].clock, "boottime");
	ck_assert(l->time_offsets[0].secs == -5 && l->time_offsets[0].nanosecs == 999999999);
	ck_assert_uint_eq(l->devices_count, 2);
	ck_assert_str_eq(l->devices[0].path, "/dev/fuse");
	IS(l->devices[0].major, 10);
	IS(l->devices[0].minor, 229);
	IS(l->devices[0].file_mode, 0666);
	IS(l->devices[0].uid, 5);
	IS(l->devices[0].gid, 6);
	ck_assert_str_eq(l->devices[1].type, "p");
	ck_assert(!l->devices[1].major.set);
	ck_assert_uint_eq(l->net_devices_count, 2);
	ck_assert_str_eq(l->net_devices[0].host_name, "eth0");
	ck_assert_str_eq(l->net_devices[0].name, "inside0");
	ck_assert_ptr_null(l->net_devices[1].name);
	ck_assert_str_eq(l->cgroups_path, "/group/name");
	ck_assert_str_eq(l->rootfs_propagation, "slave");
	strings_are(&l->masked_paths, "/proc/kcore", 1);
	strings_are(&l->readonly_paths, "/proc/sys", 2);
	ck_assert_str_eq(l->mount_label, "mlabel");
	ck_assert_str_eq(spec_map_get(&l->sysctl, "net.core.somaxconn"), "256");
	ck_assert(l->intel_rdt.set && l->intel_rdt.enable_monitoring);
	ck_assert_str_eq(l->intel_rdt.clos_id, "group");
	ck_assert_str_eq(l->intel_rdt.l3_cache_schema, "L3:0=f");
	ck_assert_str_eq(l->intel_rdt.mem_bw_schema, "MB:0=20");
	strings_are(&l->intel_rdt.schemata, "L2:0=f", 1);
	ck_assert(l->memory_policy.set && l->personality.set);
	ck_assert_str_eq(l->memory_policy.mode, "MPOL_INTERLEAVE");
	ck_assert_str_eq(l->memory_policy.nodes, "0-1");
	strings_are(&l->memory_policy.flags, "MPOL_F_STATIC_NODES", 1);
	ck_assert_str_eq(l->personality.domain, "LINUX32");
}
END_TEST

START_TEST(seccomp_is_decoded)
{
	AUTO_SPEC s = NULL;
	load_full(&s);
	const struct spec_seccomp *c = &s->linux_.seccomp;
	ck_assert(c->set);
	ck_assert_str_eq(c->default_action, "SCMP_ACT_ERRNO");
	IS(c->default_errno_ret, 38);
	strings_are(&c->architectures, "SCMP_ARCH_X86_64", 2);
	strings_are(&c->flags, "SECCOMP_FILTER_FLAG_LOG", 1);
	ck_assert_str_eq(c->listener_path, "/run/listener");
	ck_assert_str_eq(c->listener_metadata, "meta");
	ck_assert_uint_eq(c->rules_count, 2);
	strings_are(&c->rules[0].names, "read", 2);
	ck_assert(!c->rules[0].errno_ret.set && c->rules[0].args_count == 0);
	IS(c->rules[1].errno_ret, 1);
	ck_assert_uint_eq(c->rules[1].args_count, 1);
	const struct spec_seccomp_arg *a = &c->rules[1].args[0];
	ck_assert(a->index == 0 && a->value == 2114060288 && a->value_two == 1);
	ck_assert_str_eq(a->op, "SCMP_CMP_MASKED_EQ");

	AUTO_SPEC large = NULL;
	size_t size;
	auto_mem char *text = read_text(CASES "/valid/uint64/config.json", &size);
	ck_assert_int_eq(spec_parse(text, size, "config.json", &large, &err), 0);
	a = &large->linux_.seccomp.rules[0].args[0];
	ck_assert(a->value == UINT64_MAX && a->value_two == (uint64_t)INT64_MAX + 1);
	ck_assert(large->process.rlimits[0].soft == (uint64_t)INT64_MAX + 1);
}
END_TEST

START_TEST(resources_are_decoded)
{
	AUTO_SPEC s = NULL;
	load_full(&s);
	const struct spec_resources *r = &s->linux_.resources;
	ck_assert(r->set);
	ck_assert_uint_eq(r->devices_count, 2);
	ck_assert(!r->devices[0].allow && !r->devices[0].type && !r->devices[0].major.set);
	ck_assert(r->devices[1].allow);
	ck_assert_str_eq(r->devices[1].access, "rw");
	IS(r->memory.limit, -1);
	IS(r->memory.reservation, 2);
	IS(r->memory.swap, 3);
	IS(r->memory.kernel, 4);
	IS(r->memory.kernel_tcp, 5);
	IS(r->memory.swappiness, 6);
	IS(r->memory.disable_oom_killer, true);
	IS(r->memory.use_hierarchy, false);
	IS(r->memory.check_before_update, true);
	IS(r->cpu.shares, 1);
	IS(r->cpu.quota, -1);
	IS(r->cpu.burst, 3);
	IS(r->cpu.period, 4);
	IS(r->cpu.realtime_runtime, 5);
	IS(r->cpu.realtime_period, 6);
	IS(r->cpu.idle, 1);
	ck_assert_str_eq(r->cpu.cpus, "0-1");
	ck_assert_str_eq(r->cpu.mems, "0");
	IS(r->pids_limit, 0);
	IS(r->block_io.weight, 10);
	IS(r->block_io.leaf_weight, 11);
	IS(r->block_io.weight_devices[0].weight, 500);
	IS(r->block_io.weight_devices[0].leaf_weight, 300);
	ck_assert(r->block_io.read_bps.items[0].rate == UINT64_MAX);
	ck_assert(r->block_io.write_bps.items[0].minor == 2);
	ck_assert(r->block_io.read_iops.items[0].rate == 3);
	ck_assert(r->block_io.write_iops.items[0].major == 8);
	ck_assert_str_eq(r->hugepages[0].page_size, "2MB");
	ck_assert(r->hugepages[0].limit == 9223372036854772000);
	IS(r->network.class_id, 1048577);
	ck_assert_str_eq(r->network.priorities[0].name, "eth0");
	ck_assert_uint_eq(r->network.priorities[0].priority, 500);
	ck_assert_str_eq(r->rdma[0].device, "mlx5_1");
	IS(r->rdma[0].hca_handles, 3);
	IS(r->rdma[0].hca_objects, 10000);
	ck_assert_str_eq(spec_map_get(&r->unified, "memory.high"), "1M");
}
END_TEST

/* ---- every field with every wrong kind ------------------------------------------------------- */

static json_t *document;
static long replacements;

static json_t *wrong_value(int which)
{
	switch (which) {
	case 0:
		return json_string("x");
	case 1:
		return json_integer(-7);
	case 2:
		return json_true();
	case 3:
		return json_array();
	case 4:
		return json_object();
	case 5:
		return json_real(1.5);
	default:
		return json_null();
	}
}

static bool same_kind(const json_t *a, const json_t *b)
{
	return json_typeof(a) == json_typeof(b) || (json_is_boolean(a) && json_is_boolean(b));
}

/* The document with one value replaced: refused at the right place, or sound. */
static void check_replaced(const char *path, const json_t *old, const json_t *new, bool in_array)
{
	AUTO_SPEC s = NULL;
	auto_mem char *text = json_dumps(document, JSON_COMPACT);
	int r = spec_parse(text, strlen(text), "config.json", &s, &err);
	replacements++;
	if (json_is_null(new) && !in_array) {
		ck_assert_msg(r == 0 || r == -EINVAL, "%s absent: %d", path, r);
	} else if (!same_kind(old, new)) {
		char start[400];
		int n = snprintf(start, sizeof start, "config.json: %s: expected a", path);
		bool truth = json_is_boolean(old);
		if (truth)
			n = snprintf(start, sizeof start, "config.json: %s: expected true or false",
				     path);
		ck_assert_msg(r == -EINVAL && strncmp(err.text, start, (size_t)n) == 0,
			      "%s as kind %d: %d %s", path, json_typeof(new), r, err.text);
	} else {
		ck_assert_msg(r == 0 ||
				      (r == -EINVAL && strncmp(err.text, "config.json: ", 13) == 0),
			      "%s: %d %s", path, r, err.text);
	}
}

static void replace_below(json_t *at, char *path, size_t size);

static void replace_in_object(json_t *at, char *path, size_t size)
{
	size_t len = strlen(path);
	for (void *i = json_object_iter(at); i; i = json_object_iter_next(at, i)) {
		const char *key = json_object_iter_key(i);
		json_t *old = json_incref(json_object_iter_value(i));
		(void)snprintf(path + len, size - len, "%s%s", len ? "." : "", key);
		replace_below(old, path, size);
		for (int which = 0; which < 7; which++) {
			json_object_set_new(at, key, wrong_value(which));
			check_replaced(path, old, json_object_get(at, key), false);
		}
		json_object_set_new(at, key, old);
		i = json_object_iter_at(at, key);
	}
	path[len] = '\0';
}

static void replace_in_array(json_t *at, char *path, size_t size)
{
	size_t len = strlen(path);
	for (size_t i = 0; i < json_array_size(at); i++) {
		json_t *old = json_incref(json_array_get(at, i));
		(void)snprintf(path + len, size - len, "[%zu]", i);
		replace_below(old, path, size);
		for (int which = 0; which < 7; which++) {
			json_array_set_new(at, i, wrong_value(which));
			check_replaced(path, old, json_array_get(at, i), true);
		}
		json_array_set_new(at, i, old);
	}
	path[len] = '\0';
}

static void replace_below(json_t *at, char *path, size_t size)
{
	if (json_is_object(at))
		replace_in_object(at, path, size);
	else if (json_is_array(at))
		replace_in_array(at, path, size);
}

START_TEST(a_wrong_kind_anywhere_is_named)
{
	size_t size;
	char path[300] = "";
	json_error_t why;
	auto_mem char *text = read_text(CASES "/valid/full/config.json", &size);
	/* jansson takes no more than INT64_MAX. */
	for (char *p; (p = strstr(text, "18446744073709551615")) != NULL;)
		memcpy(p, "                1024", 20);
	document = json_loads(text, 0, &why);
	ck_assert_msg(document != NULL, "%s", why.text);
	replace_below(document, path, sizeof path);
	json_decref(document);
	ck_assert_int_gt(replacements, 2000);
}
END_TEST

/* ---- hostile input --------------------------------------------------------------------------- */

START_TEST(a_config_cut_anywhere_is_refused)
{
	size_t size;
	auto_mem char *text = read_text(CASES "/valid/full/config.json", &size);
	for (size_t n = 0; n < size - 2; n++) {
		AUTO_SPEC s = NULL;
		auto_mem char *part = malloc(n + 1);
		memcpy(part, text, n);
		ck_assert_int_eq(spec_parse(part, n, "config.json", &s, &err), -EINVAL);
		ck_assert_ptr_null(s);
		ck_assert_msg(strncmp(err.text, "config.json: line ", 18) == 0, "%s", err.text);
	}
}
END_TEST

START_TEST(bytes_changed_at_random_do_no_harm)
{
	size_t size;
	unsigned seed = 7, refused = 0;
	auto_mem char *text = read_text(CASES "/valid/full/config.json", &size);
	for (int round = 0; round < 5000; round++) {
		AUTO_SPEC s = NULL;
		auto_mem char *copy = malloc(size);
		memcpy(copy, text, size);
		for (int i = 0; i <= round % 3; i++) {
			static const char likely[] = "\"\\{}[],:0189-./eE \n\0\xff";
			copy[(size_t)rand_r(&seed) % size] =
				likely[(size_t)rand_r(&seed) % (sizeof likely - 1)];
		}
		int r = spec_parse(copy, size, "config.json", &s, &err);
		ck_assert(r == 0 || r == -EINVAL);
		ck_assert((r == 0) == (s != NULL));
		refused += r < 0;
	}
	ck_assert_uint_gt(refused, 1000);
}
END_TEST

/* Counted as our own: jansson is a shared library here, whose calls nobody wraps. */
static void *counted_malloc(size_t size)
{
	return malloc(size);
}

START_TEST(memory_that_runs_out_is_said)
{
	size_t size;
	json_set_alloc_funcs(counted_malloc, free);
	auto_mem char *text = read_text(CASES "/valid/full/config.json", &size);
	long n;
	for (n = 0;; n++) {
		AUTO_SPEC s = NULL;
		alloc_fail_after(n);
		int r = spec_parse(text, size, "config.json", &s, &err);
		alloc_fail_after(-1);
		if (r == 0)
			break;
		ck_assert_int_eq(r, -ENOMEM);
		ck_assert_ptr_null(s);
		ck_assert_ptr_nonnull(strstr(err.text, "out of memory"));
	}
	ck_assert_int_gt(n, 1000);
	for (n = 0;; n++) {
		auto_mem char *out = NULL;
		alloc_fail_after(n);
		int r = n % 2 ? spec_template(false, &out, &err) : spec_features(&out, &err);
		bool failed = alloc_fail_hits() > 0;
		alloc_fail_after(-1);
		ck_assert_int_eq(r, failed ? -ENOMEM : 0);
		ck_assert((r == 0) == (out != NULL));
		if (r == 0 && n % 2)
			break;
	}
}
END_TEST

/* Quadratic rules would take minutes here. */
START_TEST(many_of_everything_is_quick)
{
	static const struct {
		const char *before, *part, *after;
	} rows[] = {
		{ "\"mounts\":[", "{\"destination\":\"/x\"}", "]" },
		{ "\"hooks\":{\"prestart\":[", "{\"path\":\"/x\"}", "]}" },
		{ "\"linux\":{\"uidMappings\":[", "{\"containerID\":1,\"hostID\":1,\"size\":1}",
		  "]}" },
		{ "\"linux\":{\"namespaces\":[", "{\"type\":\"pid\"}", "]}" },
		{ "\"linux\":{\"maskedPaths\":[", "\"/x\"", "]}" },
		{ "\"linux\":{\"devices\":[", "{\"type\":\"p\",\"path\":\"/x\"}", "]}" },
		{ "\"process\":{\"cwd\":\"/\",\"rlimits\":[",
		  "{\"type\":\"RLIMIT_CPU\",\"soft\":1,\"hard\":1}", "]}" },
		{ "\"linux\":{\"seccomp\":{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[",
		  "{\"names\":[\"read\"],\"action\":\"SCMP_ACT_LOG\"}", "]}}" },
	};
	auto_mem char *text = malloc(8 << 20);
	for (size_t i = 0; i < COUNT(rows); i++) {
		AUTO_SPEC s = NULL;
		char *p = stpcpy(text, "{\"ociVersion\":\"1.0.0\",\"root\":{\"path\":\"r\"},");
		p = stpcpy(p, rows[i].before);
		for (int k = 0; k < 40000; k++) {
			p = stpcpy(p, k ? "," : "");
			p = stpcpy(p, rows[i].part);
		}
		p = stpcpy(stpcpy(p, rows[i].after), "}");
		(void)parse(text, &s);
	}
}
END_TEST

/* ---- bundles, parts -------------------------------------------------------------------------- */

START_TEST(bundles_that_are_none)
{
	char dir[] = "/tmp/csn-test-spec-XXXXXX";
	AUTO_SPEC s = NULL;
	ck_assert_ptr_nonnull(mkdtemp(dir));
	auto_fd fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	ck_assert_int_eq(spec_read_bundle(fd, "/b", &s, &err), -ENOENT);
	ck_assert_str_eq(err.text, "bundle \"/b\": open config.json: No such file or directory");
	ck_assert_int_eq(mkfifoat(fd, "config.json", 0600), 0);
	ck_assert_int_eq(spec_read_bundle(fd, "/b", &s, &err), -EINVAL);
	ck_assert_str_eq(err.text, "bundle \"/b\": open config.json: not a regular file");
	ck_assert_int_eq(unlinkat(fd, "config.json", 0), 0);
	ck_assert_int_eq(mkdirat(fd, "config.json", 0700), 0);
	ck_assert_int_eq(spec_read_bundle(fd, "/b", &s, &err), -EINVAL);
	ck_assert_int_eq(unlinkat(fd, "config.json", AT_REMOVEDIR), 0);

	auto_fd file = openat(fd, "config.json", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_eq(ftruncate(file, (16 << 20) + 1), 0);
	ck_assert_int_eq(spec_read_bundle(fd, "/b", &s, &err), -EFBIG);
	ck_assert_str_eq(err.text, "bundle \"/b\": read config.json: larger than 16777216 bytes");
	ck_assert_ptr_null(s);
	ck_assert_int_eq(unlinkat(fd, "config.json", 0), 0);
	ck_assert_int_eq(rmdir(dir), 0);
}
END_TEST

static int parse_process(const char *text, struct spec **ret)
{
	return spec_parse_process(text, strlen(text), "process.json", ret, &err);
}

START_TEST(a_process_alone)
{
	AUTO_SPEC s = NULL;
	ck_assert_int_eq(parse_process("{\"cwd\":\"/x\",\"args\":[\"a\"]}", &s), 0);
	ck_assert(s->process.set);
	ck_assert_str_eq(s->process.cwd, "/x");

	struct spec *none = NULL;
	ck_assert_int_eq(parse_process("{\"args\":[\"a\"]}", &none), -EINVAL);
	ck_assert_str_eq(err.text, "process.json: cwd: missing");
	ck_assert_int_eq(parse_process("{\"cwd\":\"/\",\"args\":[]}", &none), -EINVAL);
	ck_assert_int_eq(parse_process("{\"cwd\":\"/\",\"rlimits\":[{\"type\":\"RLIMIT_X\","
				       "\"soft\":1,\"hard\":1}]}",
				       &none),
			 -EINVAL);
	ck_assert_ptr_null(none);
}
END_TEST

static int parse_resources(const char *text, struct spec **ret)
{
	return spec_parse_resources(text, strlen(text), "resources.json", ret, &err);
}

START_TEST(resources_alone)
{
	AUTO_SPEC s = NULL;
	ck_assert_int_eq(parse_resources("{\"memory\":{\"limit\":5},\"unified\":{}}", &s), 0);
	ck_assert(s->linux_.resources.set);
	IS(s->linux_.resources.memory.limit, 5);

	struct spec *none = NULL;
	ck_assert_int_eq(parse_resources("{\"memory\":{\"limit\":true}}", &none), -EINVAL);
	ck_assert_int_eq(
		parse_resources("{\"hugepageLimits\":[{\"pageSize\":\"/\",\"limit\":1}]}", &none),
		-EINVAL);
	ck_assert_int_eq(parse_resources("[]", &none), -EINVAL);
	ck_assert_str_eq(err.text, "resources.json: expected an object");
	ck_assert_ptr_null(none);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("spec");
	TCase *cases = tcase_create("cases");
	tcase_add_checked_fixture(cases, setup, NULL);
	tcase_add_test(cases, valid_cases);
	tcase_add_test(cases, invalid_cases);
	tcase_add_test(cases, process_is_decoded);
	tcase_add_test(cases, mounts_hooks_and_names_are_decoded);
	tcase_add_test(cases, linux_is_decoded);
	tcase_add_test(cases, seccomp_is_decoded);
	tcase_add_test(cases, resources_are_decoded);
	tcase_add_test(cases, bundles_that_are_none);
	tcase_add_test(cases, a_process_alone);
	tcase_add_test(cases, resources_alone);
	suite_add_tcase(suite, cases);
	TCase *hostile = tcase_create("hostile");
	tcase_add_checked_fixture(hostile, setup, NULL);
	tcase_set_timeout(hostile, 60);
	tcase_add_test(hostile, a_wrong_kind_anywhere_is_named);
	tcase_add_test(hostile, a_config_cut_anywhere_is_refused);
	tcase_add_test(hostile, bytes_changed_at_random_do_no_harm);
	tcase_add_test(hostile, memory_that_runs_out_is_said);
	tcase_add_test(hostile, many_of_everything_is_quick);
	suite_add_tcase(suite, hostile);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}

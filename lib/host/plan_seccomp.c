/*
 * linux.seccomp → BPF through libseccomp, once per profile: the program is kept below the state
 * root under the digest of all that went into it, so that the next start reads one small file.
 *
 *	<state root>/.cache/seccomp/<sha256>	struct cache_header, then the program
 *
 * The directory is root's alone (0700). A file that is not whole, not ours or of another format is
 * compiled anew and replaced.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/sha256.h"
#include "host/plan_build.h"
#include "spec/tables.h"

#define CACHE_DIR ".cache/seccomp"
enum { CACHE_FORMAT = 1, MAX_INSNS = 4096 /* BPF_MAXINSNS of the kernel */ };

struct cache_header {
	char magic[8];
	uint32_t format, insns;
	char digest[64];
};
static const char magic[8] = "csnsecc";

/* ---- digest ---------------------------------------------------------------------------------- */

static void add_string(struct sha256 *s, const char *text)
{
	sha256_update(s, text ? text : "\1", text ? strlen(text) + 1 : 2);
}

static void add_strings(struct sha256 *s, const struct spec_strings *list)
{
	sha256_update(s, &list->count, sizeof list->count);
	for (size_t i = 0; i < list->count; i++)
		add_string(s, list->items[i]);
}

static void profile_digest(const struct spec_seccomp *p, char ret[65])
{
	const struct scmp_version *v = seccomp_version();
	uint32_t native = seccomp_arch_native();
	struct sha256 s;

	sha256_init(&s);
	sha256_update(&s, &(uint32_t){ CACHE_FORMAT }, sizeof(uint32_t));
	sha256_update(&s, &v->major, sizeof v->major);
	sha256_update(&s, &v->minor, sizeof v->minor);
	sha256_update(&s, &v->micro, sizeof v->micro);
	sha256_update(&s, &native, sizeof native);
	add_string(&s, p->default_action);
	sha256_update(&s, &p->default_errno_ret.value, sizeof p->default_errno_ret.value);
	sha256_update(&s, &(char){ p->default_errno_ret.set }, 1);
	add_strings(&s, &p->architectures);
	for (size_t i = 0; i < p->rules_count; i++) {
		const struct spec_seccomp_rule *r = &p->rules[i];
		add_strings(&s, &r->names);
		add_string(&s, r->action);
		sha256_update(&s, &r->errno_ret.value, sizeof r->errno_ret.value);
		sha256_update(&s, &(char){ r->errno_ret.set }, 1);
		sha256_update(&s, &r->args_count, sizeof r->args_count);
		for (size_t a = 0; a < r->args_count; a++) {
			sha256_update(&s, &r->args[a].index, sizeof r->args[a].index);
			sha256_update(&s, &r->args[a].value, sizeof r->args[a].value);
			sha256_update(&s, &r->args[a].value_two, sizeof r->args[a].value_two);
			add_string(&s, r->args[a].op);
		}
	}
	sha256_hex(&s, ret);
}

/* ---- cache ----------------------------------------------------------------------------------- */

static bool header_is_ours(const struct cache_header *h, const char *digest)
{
	return memcmp(h->magic, magic, sizeof magic) == 0 && h->format == CACHE_FORMAT &&
	       h->insns > 0 && h->insns <= MAX_INSNS && memcmp(h->digest, digest, 64) == 0;
}

/* 1: found. */
static int read_cache(int state_root, const char *digest, struct built_plan *ret)
{
	char path[128];
	struct stat st;
	struct cache_header h;
	(void)snprintf(path, sizeof path, CACHE_DIR "/%s", digest);
	auto_fd fd = openat(state_root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != geteuid() ||
	    (st.st_mode & 077) || read(fd, &h, sizeof h) != sizeof h || !header_is_ours(&h, digest))
		return 0;

	size_t size = h.insns * sizeof(struct sock_filter);
	if ((size_t)st.st_size != sizeof h + size)
		return 0;
	void *filter = arena_alloc(&ret->arena, size);
	if (!filter || read(fd, filter, size) != (ssize_t)size)
		return 0;
	ret->plan.seccomp.filter = filter;
	ret->plan.seccomp.len = (unsigned short)h.insns;
	return 1;
}

/* A cache that cannot be written costs time, nothing else. */
static void write_cache(int state_root, const char *digest, const struct plan_seccomp *p)
{
	struct cache_header h = { .format = CACHE_FORMAT, .insns = p->len };
	size_t size = p->len * sizeof(struct sock_filter);
	auto_mem char *whole = malloc(sizeof h + size);

	if (!whole || (mkdirat(state_root, ".cache", 0700) < 0 && errno != EEXIST) ||
	    (mkdirat(state_root, CACHE_DIR, 0700) < 0 && errno != EEXIST))
		return;
	auto_fd dir =
		openat(state_root, CACHE_DIR, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return;
	memcpy(h.magic, magic, sizeof magic);
	memcpy(h.digest, digest, sizeof h.digest);
	memcpy(whole, &h, sizeof h);
	memcpy(whole + sizeof h, p->filter, size);
	(void)file_write_atomic(dir, digest, whole, sizeof h + size, 0600, false, NULL);
}

/* ---- compiling ------------------------------------------------------------------------------- */

/* An action with its errno, in libseccomp's numbers, which are the kernel's. */
static uint32_t action_of(const char *name, const struct opt_u32 *errno_ret)
{
	uint64_t action = 0;
	(void)named_number(spec_seccomp_actions, name, &action);
	if (action == SECCOMP_RET_ERRNO || action == SECCOMP_RET_TRACE)
		action |= (errno_ret->set ? errno_ret->value : EPERM) & 0xffff;
	return (uint32_t)action;
}

static const enum scmp_compare compare_of[] = {
	[OP_NE] = SCMP_CMP_NE,
	[OP_LT] = SCMP_CMP_LT,
	[OP_LE] = SCMP_CMP_LE,
	[OP_EQ] = SCMP_CMP_EQ,
	[OP_GE] = SCMP_CMP_GE,
	[OP_GT] = SCMP_CMP_GT,
	[OP_MASKED_EQ] = SCMP_CMP_MASKED_EQ,
};

static struct scmp_arg_cmp comparison(const struct spec_seccomp_arg *a)
{
	uint64_t op = OP_EQ;
	(void)named_number(spec_seccomp_ops, a->op, &op);
	return (struct scmp_arg_cmp){ a->index, compare_of[op], a->value, a->value_two };
}

static bool same_argument_twice(const struct spec_seccomp_rule *r)
{
	unsigned seen = 0;
	for (size_t i = 0; i < r->args_count; i++) {
		if (seen & (1U << r->args[i].index))
			return true;
		seen |= 1U << r->args[i].index;
	}
	return false;
}

static int add_call(scmp_filter_ctx filter, const struct spec_seccomp_rule *r, uint32_t action,
		    int number)
{
	struct scmp_arg_cmp cmp[6];

	if (r->args_count <= 6 && !same_argument_twice(r)) {
		for (size_t i = 0; i < r->args_count; i++)
			cmp[i] = comparison(&r->args[i]);
		return seccomp_rule_add_array(filter, action, number, (unsigned)r->args_count, cmp);
	}
	/* libseccomp takes one condition an argument: more become rules of their own (any of them).
	 */
	for (size_t i = 0; i < r->args_count; i++) {
		cmp[0] = comparison(&r->args[i]);
		int e = seccomp_rule_add_array(filter, action, number, 1, cmp);
		if (e < 0)
			return e;
	}
	return 0;
}

static int add_rules(scmp_filter_ctx filter, const struct spec_seccomp *p, struct csn_error *err)
{
	uint32_t fallback = action_of(p->default_action, &p->default_errno_ret);

	for (size_t i = 0; i < p->rules_count; i++) {
		const struct spec_seccomp_rule *r = &p->rules[i];
		uint32_t action = action_of(r->action, &r->errno_ret);
		if (action == fallback)
			continue; /* says what would happen anyway; libseccomp refuses it */
		for (size_t n = 0; n < r->names.count; n++) {
			int number = seccomp_syscall_resolve_name(r->names.items[n]);
			if (number == __NR_SCMP_ERROR)
				continue; /* a call of a newer kernel or another architecture */
			int e = add_call(filter, r, action, number);
			if (e < 0 && e != -EEXIST)
				return fail(err, -e, "linux.seccomp.syscalls[%zu]: \"%s\": %s", i,
					    r->names.items[n], strerror(-e));
		}
	}
	return 0;
}

static int add_archs(scmp_filter_ctx filter, const struct spec_seccomp *p, struct csn_error *err)
{
	for (size_t i = 0; i < p->architectures.count; i++) {
		uint64_t arch = 0;
		(void)named_number(spec_seccomp_archs, p->architectures.items[i], &arch);
		int e = seccomp_arch_add(filter, (uint32_t)arch);
		/* One that this libseccomp does not know, or of the other byte order, can make no
		 * call here; without it in the filter, such a call would be killed. */
		if (e == -EINVAL || e == -EDOM)
			continue;
		if (e < 0 && e != -EEXIST)
			return fail(err, -e, "linux.seccomp.architectures: \"%s\": %s",
				    p->architectures.items[i], strerror(-e));
	}
	return 0;
}

static void release(scmp_filter_ctx *filter)
{
	if (*filter)
		seccomp_release(*filter);
}

/* libseccomp 2.5 gives BPF only to an fd. */
static int export_bpf(scmp_filter_ctx filter, struct built_plan *ret, struct csn_error *err)
{
	auto_fd fd = memfd_create("seccomp", MFD_CLOEXEC);
	if (fd < 0)
		return fail_errno(err, "memfd_create");
	int e = seccomp_export_bpf(filter, fd);
	if (e < 0)
		return fail(err, -e, "linux.seccomp: compile: %s", strerror(-e));

	off_t size = lseek(fd, 0, SEEK_END);
	size_t insns = size > 0 ? (size_t)size / sizeof(struct sock_filter) : 0;
	if (insns == 0 || insns > MAX_INSNS)
		return fail(err, E2BIG,
			    "linux.seccomp: the profile compiles to %zu instructions, more "
			    "than the kernel's %d",
			    insns, MAX_INSNS);
	void *filter_copy = arena_alloc(&ret->arena, (size_t)size);
	if (!filter_copy || pread(fd, filter_copy, (size_t)size, 0) != size)
		return fail(err, ENOMEM, "linux.seccomp: out of memory");
	ret->plan.seccomp.filter = filter_copy;
	ret->plan.seccomp.len = (unsigned short)insns;
	return 0;
}

static int compile(const struct spec_seccomp *p, struct built_plan *ret, struct csn_error *err)
{
	scmp_filter_ctx filter AUTO(release)
	= seccomp_init(action_of(p->default_action, &p->default_errno_ret));
	if (!filter)
		return fail(err, EINVAL,
			    "linux.seccomp.defaultAction: \"%s\" is not supported by "
			    "this libseccomp",
			    p->default_action);
	(void)seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	TRY(add_archs(filter, p, err));
	TRY(add_rules(filter, p, err));
	return export_bpf(filter, ret, err);
}

/* sendmsg is what hands the listener on: nobody could answer for it before. */
static int plan_listener(const struct spec_seccomp *p, bool *ret, struct csn_error *err)
{
	for (size_t i = 0; i < p->rules_count; i++) {
		const struct spec_seccomp_rule *r = &p->rules[i];
		if (strcmp(r->action, "SCMP_ACT_NOTIFY") != 0)
			continue;
		*ret = true;
		for (size_t n = 0; n < r->names.count; n++)
			if (strcmp(r->names.items[n], "sendmsg") == 0)
				return fail(err, EINVAL,
					    "linux.seccomp.syscalls[%zu]: \"sendmsg\" cannot have "
					    "SCMP_ACT_NOTIFY: the runtime needs it to hand the "
					    "listener on",
					    i);
	}
	return *ret && !p->listener_path
		       ? fail(err, EINVAL,
			      "linux.seccomp: SCMP_ACT_NOTIFY is used without a listenerPath")
		       : 0;
}

int plan_seccomp(const struct plan_input *in, struct built_plan *ret, struct csn_error *err)
{
	const struct spec_seccomp *p = &in->spec->linux_.seccomp;
	char digest[65];

	if (!p->set)
		return 0;
	for (size_t i = 0; i < p->flags.count; i++) {
		uint64_t flag = 0;
		(void)named_number(spec_seccomp_flags, p->flags.items[i], &flag);
		ret->plan.seccomp.flags |= (unsigned)flag;
	}
	if (!p->flags.set)
		ret->plan.seccomp.flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
	TRY(plan_listener(p, &ret->plan.seccomp.notify, err));

	profile_digest(p, digest);
	if (read_cache(in->state_root, digest, ret))
		return 0;
	TRY(compile(p, ret, err));
	write_cache(in->state_root, digest, &ret->plan.seccomp);
	return 0;
}

/*
 * Device access by a BPF program of type cgroup_device (Linux 4.15). The kernel gives it
 * { access_type = (access << 16) | type, major, minor }; 1 allows.
 *
 * Rules are tested from the last to the first, so that the first match here is the last that was
 * written, and each access bit is decided by the last rule that names it: an allow rule takes its
 * bits off what is asked and allows when nothing is left, a deny rule denies when any of its bits
 * is left. What no rule decides is denied.
 */
#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "cgroups/devices.h"

/* One instruction, in the kernel's field order. */
static struct bpf_insn insn(uint8_t code, uint8_t dst, uint8_t src, int16_t off, int32_t imm)
{
	return (struct bpf_insn){
		.code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm
	};
}

static void emit(struct device_program *p, struct bpf_insn i)
{
	p->insns[p->count++] = i;
}

/* r2 = type, r3 = access bits not decided yet, r4 = major, r5 = minor. */
static void emit_prologue(struct device_program *p)
{
	emit(p, insn(BPF_LDX | BPF_MEM | BPF_W, 2, 1, 0, 0));
	emit(p, insn(BPF_ALU | BPF_MOV | BPF_X, 3, 2, 0, 0));
	emit(p, insn(BPF_ALU | BPF_AND | BPF_K, 2, 0, 0, 0xffff));
	emit(p, insn(BPF_ALU | BPF_RSH | BPF_K, 3, 0, 0, 16));
	emit(p, insn(BPF_LDX | BPF_MEM | BPF_W, 4, 1, 4, 0));
	emit(p, insn(BPF_LDX | BPF_MEM | BPF_W, 5, 1, 8, 0));
}

static void emit_result(struct device_program *p, bool allow)
{
	emit(p, insn(BPF_ALU | BPF_MOV | BPF_K, 0, 0, 0, allow));
	emit(p, insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0));
}

static uint32_t kernel_access(unsigned access)
{
	return (access & CGROUP_DEV_MKNOD ? BPF_DEVCG_ACC_MKNOD : 0) |
	       (access & CGROUP_DEV_READ ? BPF_DEVCG_ACC_READ : 0) |
	       (access & CGROUP_DEV_WRITE ? BPF_DEVCG_ACC_WRITE : 0);
}

enum { ANY_ACCESS = CGROUP_DEV_READ | CGROUP_DEV_WRITE | CGROUP_DEV_MKNOD };

static void emit_rule(struct device_program *p, const struct cgroup_device_rule *r)
{
	size_t jumps[4], count = 0;
	uint32_t access = kernel_access(r->access);

	if (r->type != 'a') {
		jumps[count++] = p->count;
		emit(p, insn(BPF_JMP | BPF_JNE | BPF_K, 2, 0, 0,
			     r->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR));
	}
	if (r->major >= 0) {
		jumps[count++] = p->count;
		emit(p, insn(BPF_JMP | BPF_JNE | BPF_K, 4, 0, 0, (int32_t)r->major));
	}
	if (r->minor >= 0) {
		jumps[count++] = p->count;
		emit(p, insn(BPF_JMP | BPF_JNE | BPF_K, 5, 0, 0, (int32_t)r->minor));
	}
	if ((r->access & ANY_ACCESS) != ANY_ACCESS && r->allow) {
		/* Done with these bits; earlier rules decide about the rest. */
		emit(p, insn(BPF_ALU | BPF_AND | BPF_K, 3, 0, 0, (int32_t)~access));
		jumps[count++] = p->count;
		emit(p, insn(BPF_JMP | BPF_JNE | BPF_K, 3, 0, 0, 0));
	} else if ((r->access & ANY_ACCESS) != ANY_ACCESS) {
		emit(p, insn(BPF_ALU | BPF_MOV | BPF_X, 1, 3, 0, 0));
		emit(p, insn(BPF_ALU | BPF_AND | BPF_K, 1, 0, 0, (int32_t)access));
		jumps[count++] = p->count;
		emit(p, insn(BPF_JMP | BPF_JEQ | BPF_K, 1, 0, 0, 0));
	}
	emit_result(p, r->allow);
	for (size_t i = 0; i < count; i++)
		p->insns[jumps[i]].off = (int16_t)(p->count - jumps[i] - 1);
}

static bool matches_all(const struct cgroup_device_rule *r)
{
	return r->type == 'a' && r->major < 0 && r->minor < 0 &&
	       (r->access & ANY_ACCESS) == ANY_ACCESS;
}

/* Numbers are compared as 32 bits: a larger one must not be taken for a device that exists. */
static int check_rule(const struct cgroup_device_rule *r, struct csn_error *err)
{
	if (r->type != 'a' && r->type != 'b' && r->type != 'c')
		return fail(err, EINVAL, "device rule: type \"%c\": expected a, b or c",
			    r->type > ' ' && r->type < 0x7f ? r->type : '?');
	if (r->major < -1 || r->major > INT32_MAX || r->minor < -1 || r->minor > INT32_MAX)
		return fail(err, EINVAL, "device rule: %c %lld:%lld: there is no such device",
			    r->type, (long long)r->major, (long long)r->minor);
	return 0;
}

int device_program_compile(const struct cgroup_device_rule *rules, size_t count,
			   struct device_program *ret, struct csn_error *err)
{
	enum { PER_RULE = 8, AROUND = 8 };
	*ret = (struct device_program){ 0 };
	for (size_t i = 0; i < count; i++)
		TRY(check_rule(&rules[i], err));
	ret->insns = calloc(count * PER_RULE + AROUND, sizeof *ret->insns);
	if (!ret->insns)
		return fail(err, ENOMEM, "out of memory");

	emit_prologue(ret);
	for (size_t i = count; i > 0; i--) {
		const struct cgroup_device_rule *r = &rules[i - 1];
		if (matches_all(r)) {
			/* Nothing before it can matter. */
			emit_result(ret, r->allow);
			return 0;
		}
		emit_rule(ret, r);
	}
	emit_result(ret, false);
	return 0;
}

void device_program_free(struct device_program *p)
{
	free(p->insns);
	p->insns = NULL;
	p->count = 0;
}

#define PROGRAM_NAME "caisson"

static int bpf(int cmd, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, cmd, attr, sizeof *attr);
}

/* Kernels before 5.11 count programs against RLIMIT_MEMLOCK: tried once more without that limit,
 * which is put back, for the container must not inherit it. Raising it may be refused. */
static int load_unlocked(union bpf_attr *attr)
{
	struct rlimit before, more = { RLIM_INFINITY, RLIM_INFINITY };
	if (getrlimit(RLIMIT_MEMLOCK, &before) < 0 || setrlimit(RLIMIT_MEMLOCK, &more) < 0) {
		errno = EPERM;
		return -1;
	}
	int fd = bpf(BPF_PROG_LOAD, attr), saved = errno;
	(void)setrlimit(RLIMIT_MEMLOCK, &before);
	errno = saved;
	return fd;
}

static int load(const struct cgroup *cg, const struct device_program *p, struct csn_error *err)
{
	union bpf_attr attr;
	memset(&attr, 0, sizeof attr);
	attr.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
	attr.insns = (uintptr_t)p->insns;
	attr.insn_cnt = (uint32_t)p->count;
	attr.license = (uintptr_t) "Apache-2.0";
	memcpy(attr.prog_name, PROGRAM_NAME, sizeof PROGRAM_NAME); /* what bpftool shows */

	int fd = bpf(BPF_PROG_LOAD, &attr); /* CLOEXEC by kernel */
	if (fd < 0 && errno == EPERM)
		fd = load_unlocked(&attr);
	return fd < 0 ? fail_errno(err, "cgroup \"%s\": load the device program", cg->path) : fd;
}

int cgroup_set_devices(const struct cgroup *cg, const struct cgroup_device_rule *rules,
		       size_t count, struct csn_error *err)
{
	if (count && matches_all(&rules[count - 1]) && rules[count - 1].allow)
		return 0;

	struct device_program program AUTO(device_program_free) = { 0 };
	TRY(device_program_compile(rules, count, &program, err));
	auto_fd fd = load(cg, &program, err);
	TRY(fd);

	/* Next to the programs of others, who may only deny more. */
	union bpf_attr attr;
	memset(&attr, 0, sizeof attr);
	attr.target_fd = (uint32_t)cg->dir;
	attr.attach_bpf_fd = (uint32_t)fd;
	attr.attach_type = BPF_CGROUP_DEVICE;
	attr.attach_flags = BPF_F_ALLOW_MULTI;
	if (bpf(BPF_PROG_ATTACH, &attr) < 0)
		return fail_errno(err, "cgroup \"%s\": attach the device program", cg->path);
	return 0;
}

/* An fd of the program with this id, when it is one of ours; else -1. */
static int our_program(uint32_t id)
{
	struct bpf_prog_info info = { 0 };
	union bpf_attr attr;
	memset(&attr, 0, sizeof attr);
	attr.prog_id = id;
	auto_fd fd = bpf(BPF_PROG_GET_FD_BY_ID, &attr);
	if (fd < 0)
		return -1;
	memset(&attr, 0, sizeof attr);
	attr.info.bpf_fd = (uint32_t)fd;
	attr.info.info_len = sizeof info;
	attr.info.info = (uintptr_t)&info;
	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attr) < 0 ||
	    strncmp(info.name, PROGRAM_NAME, sizeof info.name) != 0)
		return -1;
	return take_fd(&fd);
}

int cgroup_clear_devices(const struct cgroup *cg, struct csn_error *err)
{
	uint32_t ids[64];
	union bpf_attr attr;
	memset(&attr, 0, sizeof attr);
	attr.query.target_fd = (uint32_t)cg->dir;
	attr.query.attach_type = BPF_CGROUP_DEVICE;
	attr.query.prog_ids = (uintptr_t)ids;
	attr.query.prog_cnt = COUNT(ids); /* the kernel's own limit for one group */
	if (bpf(BPF_PROG_QUERY, &attr) < 0)
		return fail_errno(err, "cgroup \"%s\": list its device programs", cg->path);
	uint32_t count = attr.query.prog_cnt;
	for (uint32_t i = 0; i < count; i++) {
		auto_fd fd = our_program(ids[i]);
		if (fd < 0)
			continue;
		memset(&attr, 0, sizeof attr);
		attr.target_fd = (uint32_t)cg->dir;
		attr.attach_bpf_fd = (uint32_t)fd;
		attr.attach_type = BPF_CGROUP_DEVICE;
		if (bpf(BPF_PROG_DETACH, &attr) < 0)
			return fail_errno(err, "cgroup \"%s\": detach a device program", cg->path);
	}
	return 0;
}

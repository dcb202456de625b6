/* The compiled form of device rules; for devices.c and its test. */
#ifndef CSN_CGROUPS_DEVICES_H
#define CSN_CGROUPS_DEVICES_H

#include <stddef.h>

#include "cgroups/cgroups.h"

struct bpf_insn;
struct device_program {
	struct bpf_insn *insns;
	size_t count;
};
/* Freed by device_program_free, also after a failure. */
int device_program_compile(const struct cgroup_device_rule *rules, size_t count,
			   struct device_program *ret, struct csn_error *err);
void device_program_free(struct device_program *p);

#endif

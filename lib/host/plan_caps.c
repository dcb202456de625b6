/*
 * Capabilities: names → masks. A name that this kernel does not know is left out with a warning,
 * as the spec asks; one that we do not have ourselves is an error that names it, because a
 * container that silently lacks what was asked for fails later and darker.
 */
#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/names.h"
#include "host/launch.h"
#include "host/plan_build.h"

static uint64_t own_permitted(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };
	if (syscall(SYS_capget, &header, data) < 0)
		return UINT64_MAX;
	return data[0].permitted | (uint64_t)data[1].permitted << 32;
}

struct cap_parsing {
	const struct plan_input *in;
	uint64_t own; /* what we can give */
	/* One warning for a name in five sets; of very many the rest goes unsaid. */
	const char *warned[16];
	size_t warned_count;
};

/* config.md: what cannot be granted is told, and does not stop the container. */
static void leave_out(struct cap_parsing *p, const char *set, const char *name, bool known)
{
	for (size_t i = 0; i < p->warned_count; i++)
		if (strcmp(p->warned[i], name) == 0)
			return;
	if (p->warned_count == COUNT(p->warned))
		return;
	p->warned[p->warned_count++] = name;
	if (known)
		host_warn(
			p->in->ctx,
			"process.capabilities.%s: \"%s\" cannot be given, the runtime itself does "
			"not have it: left out",
			set, name);
	else
		host_warn(p->in->ctx,
			  "process.capabilities.%s: unknown capability \"%s\": left out", set,
			  name);
}

static void parse_set(struct cap_parsing *p, const char *set, const struct spec_strings *names,
		      uint64_t *ret)
{
	for (size_t i = 0; i < names->count; i++) {
		int cap = capability_number(names->items[i]);
		uint64_t bit = cap < 0 ? 0 : UINT64_C(1) << cap;
		bool known =
			cap >= 0 && ((p->own & bit) || prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0);
		if (p->own & bit)
			*ret |= bit;
		else
			leave_out(p, set, names->items[i], known);
	}
}

int plan_caps(const struct plan_input *in, const struct spec_process *process,
	      struct built_plan *ret, struct csn_error *err)
{
	const struct spec_capabilities *c = &process->capabilities;
	struct plan_caps *caps = &ret->plan.caps;
	struct cap_parsing p = { .in = in };
	(void)err;

	/* Without the object all five sets are empty, unless there is no process at all. */
	caps->set = process->set || c->set;
	if (!c->set)
		return 0;
	/* In a user namespace of its own the container has every capability to begin with. */
	p.own = in->spec->linux_.namespaces[NS_USER].present ? UINT64_MAX : own_permitted();
	parse_set(&p, "bounding", &c->bounding, &caps->bounding);
	parse_set(&p, "effective", &c->effective, &caps->effective);
	parse_set(&p, "inheritable", &c->inheritable, &caps->inheritable);
	parse_set(&p, "permitted", &c->permitted, &caps->permitted);
	parse_set(&p, "ambient", &c->ambient, &caps->ambient);

	/* capabilities(7): only what is both permitted and inheritable can be ambient. */
	uint64_t possible = caps->permitted & caps->inheritable;
	if (caps->ambient & ~possible)
		host_warn(in->ctx, "process.capabilities.ambient: what is not both permitted and "
				   "inheritable is left out");
	caps->ambient &= possible;
	return 0;
}

/*
 * Capabilities: names → masks. A name that this kernel does not know is left out with a warning,
 * as the spec asks; one that we do not have ourselves is an error that names it, because a
 * container that silently lacks what was asked for fails later and darker.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/names.h"
#include "host/launch.h"
#include "host/plan_build.h"

static uint64_t hex_after(const char *text, const char *name, uint64_t none)
{
	const char *line = strstr(text, name);
	return line ? strtoull(line + strlen(name), NULL, 16) : none;
}

/* What the child inherits from us; returns the capabilities that we can give. */
static uint64_t inherit(struct plan *p)
{
	char text[4096];
	auto_fd fd = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	text[n > 0 ? n : 0] = '\0';
	p->ignored_signals = hex_after(text, "\nSigIgn:", 0);
	p->inherited_bounding = hex_after(text, "\nCapBnd:", 0);
	return hex_after(text, "\nCapPrm:", UINT64_MAX);
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
	uint64_t own = inherit(&ret->plan);
	(void)err;

	/* Whoever enters a user namespace gets the whole set, and has it to begin with. */
	if (in->spec->linux_.namespaces[NS_USER].present) {
		ret->plan.inherited_bounding = 0;
		own = UINT64_MAX;
	}
	/* Without the object all five sets are empty, unless there is no process at all. */
	caps->set = process->set || c->set;
	if (!c->set)
		return 0;
	p.own = own;
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

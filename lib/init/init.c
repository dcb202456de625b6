/*
 * The child from clone3 to execve: a table of steps over a const plan. The order is the design;
 * what must come before what is said beside the rows. The number of a failing step goes to the
 * host, which words the error.
 */
#include "init/child.h"

/* Which childs take a step: those of create and run, of exec, of `mounts`. */
enum { CREATE_ONLY = 1, EXEC_TOO = 2, MOUNTS_TOO = 4, ALWAYS = CREATE_ONLY | EXEC_TOO };

static const struct step {
	const char *name;
	step_fn *run;
	unsigned when;
} steps[] = {
	{ "prepare", step_prepare, ALWAYS | MOUNTS_TOO },
	/* A user namespace comes first: the others may belong to it. */
	{ "join namespaces", step_join, ALWAYS | MOUNTS_TOO },
	{ "map ids", step_userns, CREATE_ONLY },
	{ "make namespaces", step_late_namespaces, CREATE_ONLY },
	{ "session keyring", step_keyring, ALWAYS },
	{ "loopback", step_loopback, CREATE_ONLY },
	{ "root file system", step_root, CREATE_ONLY },
	{ "mount", step_mounts, CREATE_ONLY | MOUNTS_TOO },
	/* Nodes and links need what was mounted on /dev. */
	{ "device", step_devices, CREATE_ONLY },
	/* prestart and createRuntime before createContainer, all before pivot_root. */
	{ "runtime hooks", step_host_hooks, CREATE_ONLY },
	{ "createContainer hook", step_create_hooks, CREATE_ONLY },
	/* The terminal's node is bound on /dev/console before /dev may become read-only. */
	{ "terminal", step_terminal, ALWAYS },
	/* Masks take /dev/null from the host's tree, so before pivot_root. */
	{ "mask paths", step_masks, CREATE_ONLY },
	{ "pivot_root", step_pivot, CREATE_ONLY },
	{ "host name", step_hostname, CREATE_ONLY },
	{ "sysctl", step_sysctl, CREATE_ONLY },
	{ "working directory", step_cwd, ALWAYS },
	{ "read-only mounts", step_late_readonly, CREATE_ONLY },
	{ "read-only root", step_readonly_root, CREATE_ONLY },
	{ "scheduling and memory policy", step_limits, ALWAYS },
	{ "security label", step_labels, ALWAYS },
	/* Without no_new_privs a filter needs CAP_SYS_ADMIN, which the next steps may drop. */
	{ "seccomp", step_early_seccomp, ALWAYS },
	/* While we still are the host's user: else it takes CAP_SYS_RESOURCE even to lower one. */
	{ "limits", step_rlimits, ALWAYS },
	/* With nobody to wait for, the host may settle its part while we do the rest. */
	{ "ready", step_ready_early, ALWAYS | MOUNTS_TOO },
	{ "done", step_done, MOUNTS_TOO },
	{ "user", step_user, ALWAYS },
	{ "capabilities", step_capabilities, ALWAYS },
	/* Looked for as the user who will run it: a missing program is an error of create. */
	{ "program", step_find_program, ALWAYS },
	{ "ready", step_ready, ALWAYS },
	{ "start", step_gate, ALWAYS },
	{ "startContainer hook", step_start_hooks, CREATE_ONLY },
	{ "seccomp", step_late_seccomp, ALWAYS },
	{ "exec", step_exec, ALWAYS },
};

const char *init_step_name(unsigned step)
{
	return step < COUNT(steps) ? steps[step].name : "init";
}

int report_at(struct child *c, enum sync_detail detail, size_t index, const char *path, int error)
{
	c->report.detail = detail;
	c->report.index = (uint32_t)index;

	size_t n = 0;
	while (path && path[n] && n < sizeof c->report.path - 1) {
		c->report.path[n] = path[n];
		n++;
	}
	c->report.path[n] = '\0';
	return error;
}

_Noreturn void init_main(const struct plan *plan)
{
	struct child c = { .plan = plan,
			   .sync = plan->sync_fd,
			   .root = -1,
			   .proc = -1,
			   .null = -1,
			   .spare = -1,
			   .empty = -1,
			   .null_dir = -1 };
	int r = 0;

	unsigned who = plan->mounts_only ? MOUNTS_TOO : plan->exec_only ? EXEC_TOO : CREATE_ONLY;
	for (; c.report.step < COUNT(steps); c.report.step++) {
		if (!(steps[c.report.step].when & who))
			continue;
		report_at(&c, SYNC_DETAIL_NONE, 0, NULL, 0);
		r = steps[c.report.step].run(&c);
		if (r < 0)
			break;
	}
	c.report.error = -r;
	(void)sync_say(&c, SYNC_REPORT, -1);
	_exit(1);
}

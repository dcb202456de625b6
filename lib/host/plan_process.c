/*
 * The process object → plan: arguments, environment, ids, terminal, scheduling, labels. What is
 * looked up in the container's own files is read through its root, never by a path of the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/ioprio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "base/path.h"
#include "host/plan_build.h"
#include "spec/tables.h"

enum { PASSWD_MAX = 1 << 20 };

/* ---- HOME ------------------------------------------------------------------------------------ */

char *plan_read_in_root(const struct plan_input *in, const char *path)
{
	int root = in->req->rootfs_tree >= 0 ? in->req->rootfs_tree : in->rootfs_dir;
	auto_fd fd = open_in_root(root, path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
	struct stat st;
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size > PASSWD_MAX)
		return NULL;
	auto_mem char *text = malloc((size_t)st.st_size + 1);
	ssize_t n = text ? read(fd, text, (size_t)st.st_size) : -1;
	if (n < 0)
		return NULL;
	text[n] = '\0';
	return take_ptr(text);
}

/* Field number at (from 0) of a passwd line, ended in place; NULL when there are fewer. */
static char *passwd_field(char *line, int at)
{
	for (; line && at > 0; at--) {
		line = strchr(line, ':');
		if (line)
			line++;
	}
	return line;
}

static const char *home_of(const struct plan_input *in, uid_t uid, struct arena *arena)
{
	auto_mem char *text = plan_read_in_root(in, "etc/passwd");
	char *save = NULL;
	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *id = passwd_field(line, 2), *home = passwd_field(line, 5), *end;
		if (!id || !home || strtoul(id, &end, 10) != uid || *end != ':' || end == id)
			continue;
		home[strcspn(home, ":")] = '\0';
		if (home[0] == '/')
			return arena_strdup(arena, home);
	}
	return "/";
}

/* ---- environment ----------------------------------------------------------------------------- */

static size_t name_length(const char *entry)
{
	return strcspn(entry, "=");
}

/* Later entries replace earlier ones of the same name, in the earlier one's place. */
static void put_env(char **envp, size_t *count, char *entry)
{
	size_t n = name_length(entry) + 1;
	for (size_t i = 0; i < *count; i++)
		if (strncmp(envp[i], entry, n) == 0) {
			envp[i] = entry;
			return;
		}
	envp[(*count)++] = entry;
}

static const char *get_env(char *const *envp, const char *name)
{
	size_t n = strlen(name);
	for (; *envp; envp++)
		if (strncmp(*envp, name, n) == 0 && (*envp)[n] == '=')
			return *envp + n + 1;
	return NULL;
}

static bool add_env(struct arena *arena, char **envp, size_t *count, const char *name,
		    const char *value)
{
	char *entry = value ? arena_printf(arena, "%s=%s", name, value) : NULL;
	if (entry)
		put_env(envp, count, entry);
	return entry;
}

/* Sockets that a service manager gave us go on to the program; LISTEN_PID tells whether they are
 * meant for us or for one whose environment we have inherited (sd_listen_fds(3)). */
static int listen_fds(void)
{
	const char *text = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	int n = text ? atoi(text) : 0;
	if (pid && atoi(pid) != getpid())
		return 0;
	return n > 0 && n < 1024 ? n : 0;
}

static int plan_env(const struct plan_input *in, const struct spec_process *process,
		    struct built_plan *ret, struct csn_error *err)
{
	size_t count = 0;
	char **envp = arena_array(&ret->arena, process->env.count + 5, sizeof *envp);
	if (!envp)
		return fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < process->env.count; i++)
		put_env(envp, &count, process->env.items[i]);

	bool whole = true;
	const char *home = get_env(envp, "HOME");
	if (!home || !*home)
		whole = add_env(&ret->arena, envp, &count, "HOME",
				home_of(in, process->user.uid, &ret->arena));
	int sockets = ret->plan.exec_only ? 0 : listen_fds();
	if (sockets) {
		char digits[16];
		(void)snprintf(digits, sizeof digits, "%d", sockets);
		whole = whole && add_env(&ret->arena, envp, &count, "LISTEN_FDS", digits) &&
			add_env(&ret->arena, envp, &count, "LISTEN_PID", "1");
		const char *names = getenv("LISTEN_FDNAMES");
		if (names)
			whole = whole &&
				add_env(&ret->arena, envp, &count, "LISTEN_FDNAMES", names);
	}
	if (!whole)
		return fail(err, ENOMEM, "out of memory");
	ret->plan.envp = envp;
	ret->plan.search_path = get_env(envp, "PATH");
	if (!ret->plan.search_path)
		ret->plan.search_path =
			"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	ret->plan.keep_fds = 3 + in->req->preserve_fds + sockets;
	return 0;
}

/* ---- scheduling, memory policy, labels ------------------------------------------------------- */

static uint64_t number_of(const struct named_number *table, const char *name)
{
	uint64_t n = 0;
	(void)named_number(table, name, &n); /* lib/spec has refused unknown names */
	return n;
}

static void plan_scheduling(const struct spec_process *process, struct plan *p)
{
	const struct spec_scheduler *s = &process->scheduler;
	if (s->set) {
		p->scheduler = (struct plan_scheduler){
			.set = true,
			.policy = (uint32_t)number_of(spec_scheduler_policies, s->policy),
			.runtime = s->runtime,
			.deadline = s->deadline,
			.period = s->period,
			.nice = s->nice,
			.priority = (uint32_t)s->priority,
		};
		for (size_t i = 0; i < s->flags.count; i++)
			p->scheduler.flags |= number_of(spec_scheduler_flags, s->flags.items[i]);
	}
	if (process->io_priority.set)
		p->ioprio = IOPRIO_PRIO_VALUE(
			(int)number_of(spec_ioprio_classes, process->io_priority.class_name),
			process->io_priority.priority);
}

/* "0-3,7" → bits. */
static int parse_nodes(const char *text, unsigned long *bits, size_t max, struct csn_error *err)
{
	enum { WORD = sizeof(unsigned long) * 8 };
	for (const char *p = text; *p;) {
		char *end;
		unsigned long first = strtoul(p, &end, 10), last = first;
		if (end != p && *end == '-') {
			p = end + 1;
			last = strtoul(p, &end, 10);
		}
		if (end == p || (*end && *end != ',') || last < first || last >= max)
			return fail(err, EINVAL,
				    "linux.memoryPolicy.nodes: \"%s\" is no list of nodes", text);
		for (unsigned long n = first; n <= last; n++)
			bits[n / WORD] |= 1UL << (n % WORD);
		p = *end ? end + 1 : end;
	}
	return 0;
}

static int plan_memory_policy(const struct plan_input *in, struct plan *p, struct csn_error *err)
{
	const struct spec_memory_policy *m = &in->spec->linux_.memory_policy;
	const struct spec_personality *domain = &in->spec->linux_.personality;

	if (domain->set) {
		p->has_personality = true;
		p->personality = (unsigned long)number_of(spec_personalities, domain->domain);
	}
	if (!m->set)
		return 0;
	p->has_mempolicy = true;
	p->mempolicy_mode = (int)number_of(spec_mempolicy_modes, m->mode);
	for (size_t i = 0; i < m->flags.count; i++)
		p->mempolicy_mode |= (int)number_of(spec_mempolicy_flags, m->flags.items[i]);
	return m->nodes ? parse_nodes(m->nodes, p->mempolicy_nodes, sizeof p->mempolicy_nodes * 8,
				      err)
			: 0;
}

static bool apparmor_enabled(void)
{
	char answer = 'N';
	auto_fd fd = open("/sys/module/apparmor/parameters/enabled", O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, &answer, 1) == 1 && answer == 'Y';
}

static int plan_labels(const struct spec_process *process, struct built_plan *ret,
		       struct csn_error *err)
{
	const char *profile = process->apparmor_profile;
	if (profile && !apparmor_enabled()) {
		/* Where nobody is confined, "unconfined" is what there is. */
		if (strcmp(profile, "unconfined") != 0)
			return fail(
				err, EOPNOTSUPP,
				"process.apparmorProfile: AppArmor is not enabled on this host");
	} else if (profile) {
		ret->plan.apparmor_exec = arena_printf(&ret->arena, "exec %s", profile);
		if (!ret->plan.apparmor_exec)
			return fail(err, ENOMEM, "out of memory");
	}
	if (process->selinux_label) {
		if (access("/sys/fs/selinux/enforce", F_OK) < 0)
			return fail(err, EOPNOTSUPP,
				    "process.selinuxLabel: SELinux is not enabled on this host");
		ret->plan.selinux_exec = process->selinux_label;
	}
	return 0;
}

/* We have been root, in every one of our ids, since our execve; another user namespace would change
 * what that means. */
static bool ids_stand(const struct plan_input *in, const struct spec_process *process)
{
	return !process->user.uid && !process->user.gid && !getauxval(AT_UID) &&
	       !getauxval(AT_EUID) && !getauxval(AT_GID) && !getauxval(AT_EGID) &&
	       !in->spec->linux_.namespaces[NS_USER].present;
}

int plan_process(const struct plan_input *in, const struct spec_process *process,
		 struct built_plan *ret, struct csn_error *err)
{
	struct plan *p = &ret->plan;

	p->argv = process->args.count ? process->args.items : NULL;
	p->cwd = process->cwd ? process->cwd : "/";
	p->terminal = process->terminal;
	p->bind_console = process->terminal && !p->exec_only;
	if (process->has_console_size) {
		p->rows = (unsigned short)process->console_height;
		p->cols = (unsigned short)process->console_width;
	}
	p->uid = process->user.uid;
	p->gid = process->user.gid;
	p->ids_stand = ids_stand(in, process);
	p->groups = process->user.additional_gids;
	p->groups_count = process->user.additional_gids_count;
	p->umask = process->user.umask.set ? (mode_t)process->user.umask.value : 0022;
	p->no_new_privs = process->no_new_privileges;
	p->rlimits_early = process->rlimits_count && (p->uid || p->gid);
	TRY(plan_env(in, process, ret, err));
	plan_scheduling(process, p);
	TRY(plan_memory_policy(in, p, err));
	return plan_labels(process, ret, err);
}

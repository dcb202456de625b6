/*
 * A container's group from systemd: a scope unit with Delegate=, so that systemd knows of it, its
 * slices count it, and nobody but us writes below it.
 *
 * systemd is asked through its own program, systemd-run(1): the start path then links no D-Bus, and
 * who does not use --systemd-cgroup pays nothing. A scope needs a process, and the container must
 * be born inside its group (CLONE_INTO_CGROUP): so systemd-run becomes a placeholder, `cat` on two
 * pipes. When it gives back the first byte the scope exists, and its group is read from /proc. Once
 * the container lives there the placeholder goes; when the last process has gone, systemd removes
 * the unit (--collect).
 *
 * Limits are told to systemd too, as properties: it writes them again when it reloads its units.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/file.h"
#include "host/manager.h"
#include "host/words.h"

enum { START_TIMEOUT_MS = 30 * 1000, SAYS_MAX = 240 };

/* ---- names ----------------------------------------------------------------------------------- */

/* "slice:prefix:name" in three; nothing at all means system.slice:caisson:ID. */
int scope_name(const char *cgroups_path, const char *id, struct scope_name *ret,
	       struct csn_error *err)
{
	const char *text = cgroups_path ? cgroups_path : "";
	const char *first = strchr(text, ':'), *second = first ? strchr(first + 1, ':') : NULL;
	int slice_size = first ? (int)(first - text) : 0;
	int prefix_size = second ? (int)(second - first - 1) : 0;

	if (*text && (!second || strchr(second + 1, ':') || strchr(text, '/')))
		return fail(err, EINVAL,
			    "linux.cgroupsPath: expected slice:prefix:name, not \"%s\"", text);
	const char *name = second && second[1] ? second + 1 : id;
	int n = snprintf(ret->slice, sizeof ret->slice, "%.*s",
			 slice_size ? slice_size : (int)strlen("system.slice"),
			 slice_size ? text : "system.slice");
	int m = *text && !prefix_size ? snprintf(ret->unit, sizeof ret->unit, "%s.scope", name)
				      : snprintf(ret->unit, sizeof ret->unit, "%.*s-%s.scope",
						 *text ? prefix_size : (int)strlen("caisson"),
						 *text ? first + 1 : "caisson", name);
	if (n >= (int)sizeof ret->slice || m >= (int)sizeof ret->unit)
		return fail(err, ENAMETOOLONG, "linux.cgroupsPath: \"%s\" is too long", text);
	size_t length = strlen(ret->slice);
	if (length < 7 || strcmp(ret->slice + length - 6, ".slice") != 0)
		return fail(err, EINVAL,
			    "linux.cgroupsPath: \"%s\" is no slice: it must end in "
			    "\".slice\"",
			    ret->slice);
	return 0;
}

/* systemd.slice(5): a-b.slice is in a.slice; -.slice is the root. */
char *scope_path(const struct scope_name *name)
{
	char path[2048] = "";
	size_t at = 0, length = strlen(name->slice) - strlen(".slice");

	for (size_t i = 0; i <= length && strcmp(name->slice, "-.slice") != 0; i++)
		if (i == length || (name->slice[i] == '-' && i > 0)) {
			int n = snprintf(path + at, sizeof path - at, "/%.*s.slice", (int)i,
					 name->slice);
			if (n < 0 || (size_t)n >= sizeof path - at)
				return NULL;
			at += (size_t)n;
		}
	char *whole;
	return asprintf(&whole, "%s/%s", path, name->unit) < 0 ? NULL : whole;
}

bool scope_systemd_runs(void)
{
	return access("/run/systemd/system", F_OK) == 0; /* sd_booted(3) */
}

/* ---- properties ------------------------------------------------------------------------------ */

/* how: "--property=" for systemd-run, nothing for set-property. */
static void add_number(struct words *w, const char *how, const char *property,
		       const struct cgroup_value *v)
{
	if (v->set && v->value == CGROUP_MAX)
		words_add(w, "%s%s=infinity", how, property);
	else if (v->set)
		words_add(w, "%s%s=%" PRIu64, how, property, v->value);
}

/* In hundredths of a percent: systemd takes no finer ones. */
static void add_quota(struct words *w, const char *how, const struct cgroup_limits *l)
{
	uint64_t period = l->cpu_period.set && l->cpu_period.value ? l->cpu_period.value : 100000;
	if (!l->cpu_quota.set)
		return;
	if (l->cpu_quota.value == CGROUP_MAX) {
		words_add(w, "%sCPUQuota=", how);
		return;
	}
	uint64_t share = l->cpu_quota.value * 10000 / period;
	words_add(w, "%sCPUQuotaPeriodSec=%" PRIu64 "us", how, period);
	words_add(w, "%sCPUQuota=%" PRIu64 ".%02" PRIu64 "%%", how, share / 100, share % 100);
}

static void add_limits(struct words *w, const char *how, const struct cgroup_limits *l)
{
	const struct {
		const char *property;
		const struct cgroup_value *value;
	} rows[] = {
		{ "MemoryMax", &l->memory_max },
		{ "MemoryHigh", &l->memory_high },
		{ "MemoryLow", &l->memory_low },
		{ "MemoryMin", &l->memory_min },
		{ "MemorySwapMax", &l->memory_swap_max },
		{ "CPUWeight", &l->cpu_weight },
		{ "TasksMax", &l->pids_max },
	};
	for (size_t i = 0; i < COUNT(rows); i++)
		add_number(w, how, rows[i].property, rows[i].value);
	add_quota(w, how, l);
	if (l->cpuset_cpus)
		words_add(w, "%sAllowedCPUs=%s", how, l->cpuset_cpus);
	if (l->cpuset_mems)
		words_add(w, "%sAllowedMemoryNodes=%s", how, l->cpuset_mems);
}

/* Annotations org.systemd.property.NAME hold a GVariant in words: true, 'text', uint64 5. */
static int add_annotations(struct words *w, const struct spec_map *annotations,
			   struct csn_error *err)
{
	static const char prefix[] = "org.systemd.property.";
	for (size_t i = 0; i < annotations->count; i++) {
		const char *key = annotations->items[i].key, *value = annotations->items[i].value;
		if (strncmp(key, prefix, sizeof prefix - 1) != 0)
			continue;
		size_t length = strlen(value);
		if (strpbrk(value, "[](){}<>"))
			return fail(err, EINVAL,
				    "annotations: \"%s\": expected a boolean, a number or a quoted "
				    "text, not \"%s\"",
				    key, value);
		const char *space = strchr(value, ' ');
		if (value[0] == '\'' || value[0] == '"')
			words_add(w, "--property=%s=%.*s", key + sizeof prefix - 1,
				  length > 2 ? (int)length - 2 : 0, value + 1);
		else
			words_add(w, "--property=%s=%s", key + sizeof prefix - 1,
				  space ? space + 1 : value);
	}
	return 0;
}

static int make_words(struct words *w, const struct scope_request *req, struct csn_error *err)
{
	words_add(w, "systemd-run");
	words_add(w, "--scope");
	words_add(w, "--quiet");
	words_add(w, "--collect");
	words_add(w, "--unit=%s", req->name->unit);
	words_add(w, "--slice=%s", req->name->slice);
	words_add(w, "--description=caisson container %s", req->id);
	words_add(w, "--property=Delegate=yes");
	words_add(w, "--property=DefaultDependencies=no");
	add_limits(w, "--property=", req->limits);
	if (!req->limits->pids_max.set)
		words_add(w, "--property=TasksMax=infinity"); /* not what systemd gives services */
	TRY(add_annotations(w, req->annotations, err));
	words_add(w, "--");
	words_add(w, "cat");
	return w->failed ? fail(err, E2BIG, "systemd scope \"%s\": too many properties",
				req->name->unit)
			 : 0;
}

/* Output to the pipe, so that a refusal can be told. */
_Noreturn static void become_systemctl(const int says[2], const struct words *w)
{
	if (dup2(says[1], STDOUT_FILENO) == STDOUT_FILENO &&
	    dup2(says[1], STDERR_FILENO) == STDERR_FILENO)
		words_exec(w);
	dprintf(says[1], "%s: %s", w->items[0], strerror(errno));
	_exit(127);
}

static int run_systemctl(const struct words *w, const char *unit, struct csn_error *err)
{
	char text[SAYS_MAX];
	int says[2], status = 0;
	if (pipe2(says, O_CLOEXEC) < 0)
		return fail_errno(err, "pipe2");
	auto_fd read_end = says[0];
	auto_fd write_end = says[1];
	pid_t pid = fork();
	if (pid < 0)
		return fail_errno(err, "fork");
	if (pid == 0)
		become_systemctl(says, w);
	close_fd(&write_end);
	ssize_t n = read(read_end, text, sizeof text - 1);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return fail(err, EIO, "systemd scope \"%s\": %s", unit,
		    *text ? text : "systemctl set-property failed");
}

int scope_update(const struct record *r, const struct cgroup_limits *l, struct arena *arena,
		 struct csn_error *err)
{
	const char *unit = strrchr(r->cgroup, '/') + 1;
	struct words *w = arena_alloc(arena, sizeof *w);
	if (!w)
		return fail(err, ENOMEM, "out of memory");
	*w = (struct words){ .arena = arena };
	words_add(w, "systemctl");
	words_add(w, "set-property");
	words_add(w, "--runtime");
	words_add(w, "--");
	words_add(w, "%s", unit);
	size_t without = w->count;
	add_limits(w, "", l);
	if (w->failed)
		return fail(err, E2BIG, "systemd scope \"%s\": too many properties", unit);
	return w->count > without ? run_systemctl(w, unit, err) : 0;
}

/* ---- the placeholder ------------------------------------------------------------------------- */

struct pipes {
	int in[2], out[2], errors[2];
};

static void pipes_close(struct pipes *p)
{
	for (int i = 0; i < 2; i++) {
		close_fd(&p->in[i]);
		close_fd(&p->out[i]);
		close_fd(&p->errors[i]);
	}
}

_Noreturn static void become_placeholder(const struct pipes *p, const struct words *w)
{
	if (dup2(p->in[0], 0) == 0 && dup2(p->out[1], 1) == 1 && dup2(p->errors[1], 2) == 2 &&
	    setsid() >= 0)
		words_exec(w);
	dprintf(p->errors[1], "%s: %s", w->items[0], strerror(errno));
	_exit(127);
}

/* One line of what systemd-run had to say. */
static int fail_with_words(const struct scope_request *req, int errors, struct csn_error *err)
{
	char says[SAYS_MAX];
	struct pollfd wait = { .fd = errors, .events = POLLIN };
	ssize_t n = poll(&wait, 1, 1000) > 0 ? read(errors, says, sizeof says - 1) : 0;
	says[n > 0 ? n : 0] = '\0';
	says[strcspn(says, "\n")] = '\0';
	return fail(err, EIO, "systemd scope \"%s\": %s", req->name->unit,
		    *says ? says : "systemd-run did not start it");
}

/* systemd-run has become cat, inside the scope, when it answers. */
static int await(const struct scope_request *req, struct pipes *p, struct csn_error *err)
{
	char byte = 'x';
	struct pollfd wait = { .fd = p->out[0], .events = POLLIN };
	if (send(p->in[1], &byte, 1, MSG_NOSIGNAL) != 1)
		return fail_with_words(req, p->errors[0], err);
	int r;
	while ((r = poll(&wait, 1, START_TIMEOUT_MS)) < 0 && errno == EINTR)
		;
	if (r == 0)
		return fail(err, ETIMEDOUT, "systemd scope \"%s\": systemd does not answer",
			    req->name->unit);
	return read(p->out[0], &byte, 1) == 1 ? 0 : fail_with_words(req, p->errors[0], err);
}

int scope_start(const struct scope_request *req, struct arena *arena, struct scope *ret,
		char **ret_path, struct csn_error *err)
{
	struct pipes p AUTO(pipes_close) = { { -1, -1 }, { -1, -1 }, { -1, -1 } };
	struct words *w = arena_alloc(arena, sizeof *w);
	if (!w)
		return fail(err, ENOMEM, "out of memory");
	*w = (struct words){ .arena = arena };
	TRY(make_words(w, req, err));
	/* A socket, not a pipe: who writes to one whose reader is gone is not killed for it. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p.in) < 0 ||
	    pipe2(p.out, O_CLOEXEC) < 0 || pipe2(p.errors, O_CLOEXEC) < 0)
		return fail_errno(err, "systemd scope");

	ret->pid = fork();
	if (ret->pid < 0)
		return fail_errno(err, "fork");
	if (ret->pid == 0)
		become_placeholder(&p, w);
	close_fd(&p.in[0]);
	close_fd(&p.out[1]);
	close_fd(&p.errors[1]);

	char path[4096];
	int r = await(req, &p, err);
	if (r == 0)
		r = cgroup_of(ret->pid, path, sizeof path, err);
	if (r == 0) {
		*ret_path = strdup(path);
		r = *ret_path ? 0 : fail(err, ENOMEM, "out of memory");
	}
	ret->hold = r < 0 ? -1 : take_fd(&p.in[1]);
	if (r < 0)
		scope_release(ret);
	return r;
}

void scope_release(struct scope *s)
{
	close_fd(&s->hold);
	if (s->pid <= 0)
		return;
	(void)kill(s->pid, SIGKILL);
	while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		;
	s->pid = 0;
}

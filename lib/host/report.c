/*
 * Words for what the child reports: a step, an errno, and what it was working on. Programs that
 * are missing or may not run are worded so that clients of OCI runtimes recognise them (they map
 * the text to 127 and 126).
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/cleanup.h"
#include "base/error.h"
#include "base/names.h"
#include "host/launch.h"
#include "init/plan.h"

void host_warn(const struct host_context *ctx, const char *fmt, ...)
{
	if (!ctx || !ctx->warn)
		return;

	char text[512];
	va_list ap;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	ctx->warn(ctx->warn_data, text);
}

static int program_words(const struct sync_msg *m, struct csn_error *err)
{
	const char *name = m->path;
	switch (m->error) {
	case ENOENT:
	case ENOTDIR:
		if (!strchr(name, '/'))
			return fail(err, m->error,
				    "exec: \"%s\": executable file not found in $PATH", name);
		return fail(err, m->error, "exec: \"%s\": stat %s: no such file or directory", name,
			    name);
	case EACCES:
	case EPERM:
		return fail(err, m->error, "exec: \"%s\": permission denied", name);
	case EISDIR:
		return fail(err, EACCES, "exec: \"%s\": is a directory: permission denied", name);
	case ENOEXEC:
		return fail(err, m->error, "exec: \"%s\": exec format error", name);
	default:
		return fail(err, m->error, "exec: \"%s\": %s", name, strerror(m->error));
	}
}

static int hook_words(const struct sync_msg *m, struct csn_error *err)
{
	/* The step is called "createContainer hook". */
	char hook[160];
	const char *kind = init_step_name(m->step);
	(void)snprintf(hook, sizeof hook, "hooks.%.*s[%u]: \"%s\"", (int)strcspn(kind, " "), kind,
		       m->index, m->path);
	if (m->error != ECANCELED)
		return fail(err, m->error, "%s: %s", hook, strerror(m->error));
	if (m->status == -1)
		return fail(err, ETIMEDOUT, "%s: timed out", hook);
	if (WIFSIGNALED(m->status))
		return fail(err, ECANCELED, "%s: killed by %s", hook,
			    signal_name(WTERMSIG(m->status)));
	return fail(err, ECANCELED, "%s: exit status %d", hook, WEXITSTATUS(m->status));
}

/* Rows for the details whose sentence has the same shape: what, index, path, errno. */
static const struct {
	const char *field;
	bool indexed;
} details[] = {
	[SYNC_DETAIL_MOUNT] = { "mounts", true },
	[SYNC_DETAIL_DEVICE] = { "device", false },
	[SYNC_DETAIL_MASK] = { "linux.maskedPaths", true },
	[SYNC_DETAIL_READONLY] = { "linux.readonlyPaths", true },
	[SYNC_DETAIL_SYSCTL] = { "linux.sysctl", false },
	[SYNC_DETAIL_JOIN] = { "linux.namespaces: join", false },
	[SYNC_DETAIL_CWD] = { "process.cwd", false },
};

int report_words(const struct sync_msg *m, struct csn_error *err)
{
	struct sync_msg msg = *m; /* the child's bytes: make sure of the end of the string */
	msg.path[sizeof msg.path - 1] = '\0';
	msg.says[sizeof msg.says - 1] = '\0';
	const char *says = strlen(msg.says) > 2 ? msg.says + 2 : ""; /* "e " for error */
	if (msg.error <= 0)
		msg.error = EIO;

	if (msg.detail == SYNC_DETAIL_PROGRAM)
		return program_words(&msg, err);
	if (msg.detail == SYNC_DETAIL_NO_PROGRAM)
		return fail(err, msg.error, "process.args: not set: there is no program to start");
	if (msg.detail == SYNC_DETAIL_HOOK)
		return hook_words(&msg, err);
	if (msg.detail < COUNT(details) && details[msg.detail].field) {
		const char *field = details[msg.detail].field;
		if (details[msg.detail].indexed)
			return fail(err, msg.error, "%s[%u]: \"%s\": %s%s%s", field, msg.index,
				    msg.path, strerror(msg.error), *says ? ": " : "", says);
		return fail(err, msg.error, "%s: \"%s\": %s", field, msg.path, strerror(msg.error));
	}
	if (msg.path[0])
		return fail(err, msg.error, "%s: %s: %s", init_step_name(msg.step), msg.path,
			    strerror(msg.error));
	return fail(err, msg.error, "%s: %s", init_step_name(msg.step), strerror(msg.error));
}

/*
 * Kinds of failures: a row each with the words that agents show. A failure of an operation is
 * worded below without a kind; the wrapper that knows the method gives it one, and then the text is
 * put together anew around what was said.
 */
#include "agent/agent.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The text is before + subject + between + reason; between NULL: a kind without a subject. */
static const struct kind {
	const char *name, *before, *between;
	int code;
} kinds[] = {
	[CSN_ERROR_NONE] = { "none", "", NULL, EIO },
	[CSN_ERROR_NOT_FOUND] = { "not_found", "Container '", "' not found: ", ENOENT },
	[CSN_ERROR_PULL_FAILED] = { "pull_failed", "Failed to pull image '", "': ", EIO },
	[CSN_ERROR_CREATE_FAILED] = { "create_failed", "Failed to create container '", "': ", EIO },
	[CSN_ERROR_START_FAILED] = { "start_failed", "Failed to start container '", "': ", EIO },
	[CSN_ERROR_UNEXPECTED_EXIT] = { "unexpected_exit", "Container '",
					"' exited unexpectedly with code ", ECHILD },
	[CSN_ERROR_HEALTH_CHECK_FAILED] = { "health_check_failed", "Health check failed for '",
					    "': ", EIO },
	[CSN_ERROR_INIT_ACTION_FAILED] = { "init_action_failed", "Init action failed for '",
					   "': ", EIO },
	[CSN_ERROR_TIMEOUT] = { "timeout", "Timeout after ", NULL, ETIMEDOUT },
	[CSN_ERROR_DEPENDENCY_TIMEOUT] = { "dependency_timeout", "Dependency timeout: ", NULL,
					   ETIMEDOUT },
	[CSN_ERROR_INVALID_SPEC] = { "invalid_spec", "Invalid spec: ", NULL, EINVAL },
	[CSN_ERROR_NETWORK] = { "network", "Network error: ", NULL, EIO },
	[CSN_ERROR_CONFIGURATION] = { "configuration", "Configuration error: ", NULL, EINVAL },
	[CSN_ERROR_INTERNAL] = { "internal", "Internal error: ", NULL, EIO },
	[CSN_ERROR_UNSUPPORTED] = { "unsupported",
				    "Operation not supported by this runtime: ", NULL, EOPNOTSUPP },
};

const char *csn_error_kind_name(enum csn_error_kind kind)
{
	return (size_t)kind < COUNT(kinds) ? kinds[kind].name : "unknown";
}

const char *csn_error_subject(const struct csn_error *err, size_t *ret_size)
{
	*ret_size = err->subject_size;
	return err->subject_size ? err->text + err->subject_at : "";
}

const char *csn_error_reason(const struct csn_error *err)
{
	return err->text + err->reason_at;
}

/* Puts kind's sentence together; reason may be err->text itself. */
static void word(struct csn_error *err, enum csn_error_kind kind, const char *subject,
		 const char *reason)
{
	const struct kind *k = &kinds[kind];
	char said[sizeof err->text];
	(void)snprintf(said, sizeof said, "%s", reason);

	const char *who = k->between ? subject : "";
	int at = (int)strlen(k->before);
	int head = snprintf(err->text, sizeof err->text, "%s%.200s%s", k->before, who,
			    k->between ? k->between : "");
	(void)snprintf(err->text + head, sizeof err->text - (size_t)head, "%s", said);
	err->kind = kind;
	err->subject_at = (unsigned short)at;
	err->subject_size = (unsigned short)strnlen(who, 200);
	err->reason_at = (unsigned short)head;
}

int fail_kind(struct csn_error *err, enum csn_error_kind kind, const char *subject,
	      const char *reason)
{
	if (err) {
		err->code = kinds[kind].code;
		word(err, kind, subject, reason);
	}
	return -kinds[kind].code;
}

int as_kind(struct csn_error *err, int r, enum csn_error_kind kind, const char *subject)
{
	if (r < 0 && err && err->kind == CSN_ERROR_NONE) {
		err->code = -r;
		word(err, kind, subject, err->text);
	}
	return r;
}

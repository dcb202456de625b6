/* The wrappers of the methods that give bytes: logs, exec, statistics, files. */
#include <errno.h>
#include <string.h>

#include "agent/agent.h"
#include "base/error.h"
#include "base/sized.h"

int csn_rt_container_logs(struct csn_rt *rt, const struct csn_container_id *id, uint64_t tail,
			  struct csn_log_entries **ret, struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	return as_kind(err, rt->ops->logs(rt, &c, tail, ret, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_get_logs(struct csn_rt *rt, const struct csn_container_id *id,
		    struct csn_log_entries **ret, struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	return as_kind(err, rt->ops->all_logs(rt, &c, ret, err), CSN_ERROR_INTERNAL, "");
}

static int need_command(const char *const *argv, struct csn_error *err)
{
	if (argv && argv[0])
		return 0;
	return fail_kind(err, CSN_ERROR_INVALID_SPEC, "", "exec command cannot be empty");
}

int csn_rt_exec(struct csn_rt *rt, const struct csn_container_id *id, const char *const *argv,
		int timeout_ms, struct csn_exec_result *ret, struct csn_error *err)
{
	struct container_ref c;
	struct csn_exec_result result = CSN_EXEC_RESULT_INIT;
	TRY(refer(id, &c, err));
	TRY(need_command(argv, err));
	TRY(as_kind(err, rt->ops->exec(rt, &c, argv, timeout_ms, &result, err), CSN_ERROR_INTERNAL,
		    ""));
	give_struct(ret, &result, sizeof result);
	return 0;
}

int csn_rt_exec_stream(struct csn_rt *rt, const struct csn_container_id *id,
		       const char *const *argv, struct csn_exec_stream **ret, struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	TRY(need_command(argv, err));
	if (rt->ops->exec_stream)
		return as_kind(err, rt->ops->exec_stream(rt, &c, argv, ret, err),
			       CSN_ERROR_INTERNAL, "");

	struct csn_exec_result AUTO(csn_exec_result_done) result = CSN_EXEC_RESULT_INIT;
	TRY(as_kind(err, rt->ops->exec(rt, &c, argv, -1, &result, err), CSN_ERROR_INTERNAL, ""));
	return as_kind(err, exec_stream_of_result(&result, ret, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_logs_stream(struct csn_rt *rt, const struct csn_container_id *id,
		       const struct csn_logs_stream_options *options, struct csn_log_stream **ret,
		       struct csn_error *err)
{
	struct container_ref c;
	struct csn_logs_stream_options o = CSN_LOGS_STREAM_OPTIONS_INIT;
	TRY(refer(id, &c, err));
	TRY(as_kind(err, take_struct(&o, sizeof o, options, "struct csn_logs_stream_options", err),
		    CSN_ERROR_INVALID_SPEC, ""));
	if (!o.want_stdout && !o.want_stderr)
		o.want_stdout = o.want_stderr = true;
	if (!rt->ops->logs_stream)
		return method_unsupported(err, "logs_stream");
	return as_kind(err, rt->ops->logs_stream(rt, &c, &o, ret, err), CSN_ERROR_INTERNAL, "");
}

static int take_exec_options(struct csn_exec_options *o, const struct csn_exec_options *given,
			     struct csn_error *err)
{
	TRY(as_kind(err, take_struct(o, sizeof *o, given, "struct csn_exec_options", err),
		    CSN_ERROR_INVALID_SPEC, ""));
	return need_command(o->command, err);
}

int csn_rt_exec_with_opts(struct csn_rt *rt, const struct csn_container_id *id,
			  const struct csn_exec_options *options, int timeout_ms,
			  struct csn_exec_result *ret, struct csn_error *err)
{
	struct container_ref c;
	struct csn_exec_options o = CSN_EXEC_OPTIONS_INIT;
	struct csn_exec_result result = CSN_EXEC_RESULT_INIT;
	TRY(refer(id, &c, err));
	TRY(take_exec_options(&o, options, err));
	int r = rt->ops->exec_options ? rt->ops->exec_options(rt, &c, &o, timeout_ms, &result, err)
				      : rt->ops->exec(rt, &c, o.command, timeout_ms, &result, err);
	TRY(as_kind(err, r, CSN_ERROR_INTERNAL, ""));
	give_struct(ret, &result, sizeof result);
	return 0;
}

int csn_rt_exec_pty(struct csn_rt *rt, const struct csn_container_id *id,
		    const struct csn_exec_options *options, struct csn_exec_stream **ret,
		    struct csn_error *err)
{
	struct container_ref c;
	struct csn_exec_options o = CSN_EXEC_OPTIONS_INIT;
	TRY(refer(id, &c, err));
	if (!rt->ops->exec_pty)
		return method_unsupported(err, "exec_pty");
	TRY(take_exec_options(&o, options, err));
	return as_kind(err, rt->ops->exec_pty(rt, &c, &o, ret, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_write_stdin(struct csn_rt *rt, const struct csn_container_id *id, const void *bytes,
		       size_t size, int timeout_ms, struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	if (!rt->ops->write_stdin)
		return method_unsupported(err, "write_stdin");
	return as_kind(err, rt->ops->write_stdin(rt, &c, bytes, size, timeout_ms, err),
		       CSN_ERROR_INTERNAL, "");
}

int csn_rt_close_stdin(struct csn_rt *rt, const struct csn_container_id *id, struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	if (!rt->ops->close_stdin)
		return method_unsupported(err, "close_stdin");
	return as_kind(err, rt->ops->close_stdin(rt, &c, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_stats_stream(struct csn_rt *rt, const struct csn_container_id *id, int interval_ms,
			struct csn_sample_stream **ret, struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	if (!rt->ops->stats_stream)
		return method_unsupported(err, "stats_stream");
	return as_kind(err,
		       rt->ops->stats_stream(rt, &c, interval_ms ? interval_ms : 1000, ret, err),
		       CSN_ERROR_INTERNAL, "");
}

/* ---- files ------------------------------------------------------------------------------------
 */

int csn_rt_changes_container(struct csn_rt *rt, const struct csn_container_id *id,
			     struct csn_changes **ret, struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	if (!rt->ops->changes)
		return method_unsupported(err, "changes_container");
	return as_kind(err, rt->ops->changes(rt, &c, ret, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_archive_head(struct csn_rt *rt, const struct csn_container_id *id, const char *path,
			struct csn_path_stat *ret, struct csn_error *err)
{
	struct container_ref c;
	struct csn_path_stat st = CSN_PATH_STAT_INIT;
	TRY(refer(id, &c, err));
	if (!rt->ops->archive_head)
		return method_unsupported(err, "archive_head");
	TRY(as_kind(err, rt->ops->archive_head(rt, &c, path, &st, err), CSN_ERROR_INTERNAL, ""));
	give_struct(ret, &st, sizeof st);
	return 0;
}

int csn_rt_archive_get(struct csn_rt *rt, const struct csn_container_id *id, const char *path,
		       int fd, struct csn_error *err)
{
	struct container_ref c;
	TRY(refer(id, &c, err));
	if (!rt->ops->archive_get)
		return method_unsupported(err, "archive_get");
	return as_kind(err, rt->ops->archive_get(rt, &c, path, fd, err), CSN_ERROR_INTERNAL, "");
}

int csn_rt_archive_put(struct csn_rt *rt, const struct csn_container_id *id, const char *path,
		       int fd, const struct csn_archive_put_options *options, struct csn_error *err)
{
	struct container_ref c;
	struct csn_archive_put_options o = CSN_ARCHIVE_PUT_OPTIONS_INIT;
	TRY(refer(id, &c, err));
	TRY(as_kind(err, take_struct(&o, sizeof o, options, "struct csn_archive_put_options", err),
		    CSN_ERROR_INVALID_SPEC, ""));
	if (!rt->ops->archive_put)
		return method_unsupported(err, "archive_put");
	return as_kind(err, rt->ops->archive_put(rt, &c, path, fd, &o, err), CSN_ERROR_INTERNAL,
		       "");
}

/* The public headers alone, as a strict C99 program sees them: every _INIT macro, and one call of
 * each kind. */
#include "caisson-health.h"
#include "caisson-restart.h"
#include "caisson-runtime.h"

int main(void)
{
	struct csn_config config = CSN_CONFIG_INIT;
	struct csn_image_load_options load = CSN_IMAGE_LOAD_OPTIONS_INIT;
	struct csn_mount mount = CSN_MOUNT_INIT;
	struct csn_container_options container = CSN_CONTAINER_OPTIONS_INIT;
	struct csn_restart_policy restart = CSN_RESTART_POLICY_INIT;
	struct csn_exec_options exec = CSN_EXEC_OPTIONS_INIT;
	struct csn_wait_outcome outcome = CSN_WAIT_OUTCOME_INIT;
	struct csn_logs_options logs = CSN_LOGS_OPTIONS_INIT;
	struct csn_log_line line = CSN_LOG_LINE_INIT;
	struct csn_attach_event event = CSN_ATTACH_EVENT_INIT;
	struct csn_rt_stats stats = CSN_RT_STATS_INIT;
	struct csn_container_state state = CSN_CONTAINER_STATE_INIT;
	struct csn_exec_result result = CSN_EXEC_RESULT_INIT;
	struct csn_exec_event exec_event = CSN_EXEC_EVENT_INIT;
	struct csn_logs_stream_options logs_stream = CSN_LOGS_STREAM_OPTIONS_INIT;
	struct csn_log_chunk chunk = CSN_LOG_CHUNK_INIT;
	struct csn_stats_sample sample = CSN_STATS_SAMPLE_INIT;
	struct csn_progress progress = CSN_PROGRESS_INIT;
	struct csn_resource_update update = CSN_RESOURCE_UPDATE_INIT;
	struct csn_image_details details = CSN_IMAGE_DETAILS_INIT;
	struct csn_rt_commit_options commit = CSN_RT_COMMIT_OPTIONS_INIT;
	struct csn_path_stat path_stat = CSN_PATH_STAT_INIT;
	struct csn_archive_put_options put = CSN_ARCHIVE_PUT_OPTIONS_INIT;
	struct csn_runtime *rt = 0;
	struct csn_rt *mock = 0;
	struct csn_error err;

	int sizes_are_set = config.size && restart.size && load.size && mount.size &&
			    container.size && exec.size && outcome.size && logs.size && line.size &&
			    event.size && stats.size && state.size && result.size &&
			    exec_event.size && logs_stream.size && chunk.size && sample.size &&
			    progress.size && update.size && details.size && commit.size &&
			    path_stat.size && put.size;
	/* A directory that cannot be: an error comes back, and nothing is given out. */
	config.root = "/dev/null/x";
	config.run_root = "/dev/null/y";
	int r = csn_runtime_open_native(&config, &rt, &err);
	csn_runtime_close(rt);
	if (csn_rt_open_mock(&mock, 0) < 0 || csn_rt_engine(mock))
		return 1;
	csn_rt_close(mock);
	return sizes_are_set && r < 0 && !rt && err.code == -r && err.text[0] && csn_version()[0]
		       ? 0
		       : 1;
}

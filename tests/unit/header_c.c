/* caisson.h alone, as a strict C99 program sees it: every _INIT macro, and one call of each kind.
 */
#include "caisson.h"

int main(void)
{
	struct csn_config config = CSN_CONFIG_INIT;
	struct csn_image_load_options load = CSN_IMAGE_LOAD_OPTIONS_INIT;
	struct csn_mount mount = CSN_MOUNT_INIT;
	struct csn_container_options container = CSN_CONTAINER_OPTIONS_INIT;
	struct csn_exec_options exec = CSN_EXEC_OPTIONS_INIT;
	struct csn_wait_outcome outcome = CSN_WAIT_OUTCOME_INIT;
	struct csn_logs_options logs = CSN_LOGS_OPTIONS_INIT;
	struct csn_log_line line = CSN_LOG_LINE_INIT;
	struct csn_attach_event event = CSN_ATTACH_EVENT_INIT;
	struct csn_runtime *rt = 0;
	struct csn_error err;

	int sizes_are_set = config.size && load.size && mount.size && container.size && exec.size &&
			    outcome.size && logs.size && line.size && event.size;
	/* A directory that cannot be: an error comes back, and nothing is given out. */
	config.root = "/dev/null/x";
	config.run_root = "/dev/null/y";
	int r = csn_runtime_open_native(&config, &rt, &err);
	csn_runtime_close(rt);
	return sizes_are_set && r < 0 && !rt && err.code == -r && err.text[0] && csn_version()[0]
		       ? 0
		       : 1;
}

/* caisson state: the state document of a container. */
#include <stdio.h>

#include "base/cleanup.h"
#include "bin/oci/oci.h"

static int run(int argc, char **argv)
{
	struct csn_error err;
	struct record record AUTO(record_done) = { 0 };
	enum status status;
	auto_mem char *text = NULL;
	(void)argc;

	int need = oci_need_root();
	if (need)
		return need;
	if (host_state(oci_context(), argv[0], &record, &status, &err) < 0 ||
	    state_document(&record, status, false, &text, &err) < 0)
		return oci_fail(&err, 1);
	return fputs(text, stdout) < 0 || fflush(stdout) != 0;
}

const struct command command_state = {
	"state", "CONTAINER", "print the state of a container as JSON", 1, 1, NULL, run
};

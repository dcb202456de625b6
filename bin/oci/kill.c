/* caisson kill: send a signal to the container's init, or to all of its processes. */
#include "base/names.h"
#include "bin/oci/oci.h"

static bool all;

static const struct opt options[] = {
	{ 'a', "all", NULL, "signal every process of the container", OPT_FLAG, &all },
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	const char *name = argc > 1 ? argv[1] : "SIGTERM";
	int sig = signal_number(name);

	int status = oci_need_root();
	if (status)
		return status;
	if (sig < 0)
		return oci_fail_text(1, "unknown signal \"%s\"", name);
	return host_kill(oci_context(), argv[0], sig, all, &err) < 0 ? oci_fail(&err, 1) : 0;
}

const struct command command_kill = { "kill",
				      "CONTAINER [SIGNAL]",
				      "send a signal (SIGTERM) to the program of a container",
				      1,
				      2,
				      get_options,
				      run };

/*
 * csn run: create, start and, in the foreground, attend. The exit status is the program's (128+N
 * for signal N); 127 and 126 when it is not found or cannot be run, 125 when the engine fails.
 */
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bin/engine/engine.h"
#include "bin/engine/health.h"
#include "bin/engine/mounts.h"
#include "bin/engine/security.h"

static bool detach;

static const struct opt options[] = {
	MAKE_OPTIONS,
	SECURITY_OPTIONS,
	HEALTH_OPTIONS,
	NETWORK_OPTIONS,
	MOUNT_OPTIONS,
	{ 'd', "detach", NULL, "print the id and return when the program runs", OPT_FLAG, &detach },
	{ 0 },
};

static const struct opt *get_options(void)
{
	return options;
}

/* With --rm the monitor removes everything once it is over: only then are we done. */
static void await_removal(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	if (fd >= 0)
		(void)poll(&p, 1, 10000);
}

static int foreground(struct csn_runtime *rt, const char *id)
{
	struct csn_error err;
	struct csn_attach *attach = NULL;
	auto_fd gone = -1;

	attend_prepare();
	if (csn_container_start(rt, id, &attach, &err) < 0) {
		int status = engine_fail(&err, csn_start_exit_code(&err));
		if (make_args.remove && csn_container_remove(rt, id, true, &err) < 0)
			(void)engine_fail(&err, 0);
		return status;
	}
	/* Before the end: afterwards there is nothing left to ask about. */
	if (make_args.remove)
		(void)!csn_container_wait_fd(rt, id, &gone, NULL);
	const struct attend a = { .rt = rt,
				  .id = id,
				  .attach = attach,
				  .tty = make_args.tty,
				  .input = make_args.interactive,
				  .signals = true };
	int status = attend(&a);
	csn_attach_close(attach);
	await_removal(gone);
	return status;
}

static int background(struct csn_runtime *rt, const char *id)
{
	struct csn_error err;
	if (csn_container_start(rt, id, NULL, &err) < 0) {
		int status = engine_fail(&err, csn_start_exit_code(&err));
		if (make_args.remove && csn_container_remove(rt, id, true, &err) < 0)
			(void)engine_fail(&err, 0);
		return status;
	}
	puts(id);
	return 0;
}

static int run(int argc, char **argv)
{
	struct csn_error err;
	char id[CSN_ID_SIZE];
	struct csn_runtime *rt = engine_runtime();

	if (!rt)
		return STATUS_ENGINE_ERROR;
	if (make_container(argc, argv, id, &err) < 0)
		return engine_fail(&err, STATUS_ENGINE_ERROR);
	return detach ? background(rt, id) : foreground(rt, id);
}

const struct command command_run = { "run",
				     "IMAGE [COMMAND [ARGUMENT…]]",
				     "make a container from an image and run it",
				     1,
				     -1,
				     get_options,
				     run };
